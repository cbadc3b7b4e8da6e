"""``POST /session`` and ``POST /session/end``: a browser trades a token for a cookie, and gives it back.

The cookie holds a secret of its own, never the token; scripts cannot read it and other sites cannot send it. The
sign-in page itself is the pages' business.
"""

import time
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool

from api.auth import cookie_name, open_to_all, origin_of, same_origin, token_behind
from api.errors import BadRequestBody, CrossSite
from api.forms import any_fields, is_form
from api.parts import Parts, parts_of
from collector.store import Token
from schemas.resources import SessionResource

SESSION_S = 12 * 3600  # a working day

router = APIRouter()
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            kind: {
                "schema": {
                    "type": "object",
                    "required": ["token"],
                    "properties": {"token": {"type": "string"}, "next": {"type": "string"}},
                }
            }
            for kind in ("application/json", "application/x-www-form-urlencoded")
        },
    }
}


@router.post("/session", response_model=SessionResource, dependencies=[open_to_all], openapi_extra=_BODY)
async def open_session(request: Request) -> Response:
    """Open a session of 12 hours for a token; a form is then sent on to ``next``, a path of this site."""
    _refuse_other_sites(request, strict=False)
    fields = await any_fields(request)
    secret = fields.get("token")
    if not isinstance(secret, str) or not secret:
        raise BadRequestBody("It needs a token.", field="token")
    token, cookie, expires_unix_ms = await run_in_threadpool(_opened, parts_of(request), request, secret.strip())
    if is_form(request):
        response = Response(status_code=303, headers={"Location": local_path(fields.get("next"))})
    else:
        resource = SessionResource(
            name=token.name,
            scopes=sorted(token.scopes),
            expires_at=datetime.fromtimestamp(expires_unix_ms / 1000, UTC),
        )
        response = Response(resource.model_dump_json(), media_type="application/json")
    _set_cookie(request, response, cookie, SESSION_S)
    return response


@router.post("/session/end", status_code=204, dependencies=[open_to_all])
async def end_session(request: Request) -> Response:
    """Close the session behind the cookie, if there is one, and forget the cookie."""
    _refuse_other_sites(request, strict=True)
    cookie = request.cookies.get(cookie_name(request))
    if cookie:
        await run_in_threadpool(parts_of(request).store.close_session, cookie)
    wants_page = "text/html" in request.headers.get("accept", "")
    response = Response(status_code=303, headers={"Location": "/"}) if wants_page else Response(status_code=204)
    _set_cookie(request, response, "", 0)
    return response


def local_path(target: object) -> str:
    """``target`` if it is a path of this site, else the first page: nobody is sent elsewhere from a sign-in."""
    plain = isinstance(target, str) and target.isascii() and target.isprintable() and "\\" not in target
    return target if plain and isinstance(target, str) and target[:1] == "/" and target[1:2] != "/" else "/"


def _opened(parts: Parts, request: Request, secret: str) -> tuple[Token, str, int]:
    token = token_behind(parts, request, secret)
    expires_unix_ms = time.time_ns() // 1_000_000 + SESSION_S * 1000
    return token, parts.store.open_session(token.id, expires_unix_ms), expires_unix_ms


def _refuse_other_sites(request: Request, *, strict: bool) -> None:
    if not same_origin(request.headers, origin_of(request), strict=strict):
        raise CrossSite("Sessions are opened and closed by our own pages only.")


def _set_cookie(request: Request, response: Response, value: str, seconds: int) -> None:
    response.set_cookie(
        cookie_name(request),
        value,
        max_age=seconds,
        path="/",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )
