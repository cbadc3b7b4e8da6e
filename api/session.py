"""``POST /session`` and ``POST /session/end``: a browser trades a password or a token for a cookie, and gives it back.

The cookie holds a secret of its own, never the token; scripts cannot read it and other sites cannot send it. It is
another one after every sign-in. A second cookie marks a browser that somebody has signed in from: it opens nothing, but
is not kept waiting for what others try with the same login (api/access/slowing.py). The sign-in page itself is the
pages' business.
"""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool

from api.access.principal import token_of
from api.access.signing_in import Opened, Visitor, close_session
from api.access.signing_in import sign_in as let_in
from api.auth import SIGN_IN_PAGE, cookie_name, open_to_all, origin_of, same_origin, token_behind
from api.errors import ApiError, BadPassword, BadRequestBody, CrossSite, SignInBusy, TooManyFailures
from api.forms import any_fields, is_form
from api.parts import Parts, parts_of
from collector.store import Token
from schemas.resources import SessionResource

SESSION_S = 12 * 3600  # a working day
SIGN_OUT_ELSEWHERE = "/session/elsewhere/end"
BROWSER_COOKIE = "zrazkovo-known"
_BROWSER_S = 400 * 24 * 3600
# What of a failed sign-in by a form stands in the address of the page that it leads back to.
_PROBLEMS = {BadPassword: "refused", TooManyFailures: "slow", SignInBusy: "busy"}

router = APIRouter()
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            kind: {
                "schema": {
                    "type": "object",
                    "properties": {name: {"type": "string"} for name in ("token", "login", "password", "next")},
                    "anyOf": [{"required": ["token"]}, {"required": ["login", "password"]}],
                }
            }
            for kind in ("application/json", "application/x-www-form-urlencoded")
        },
    }
}


@dataclass(frozen=True)
class _Session:
    """What a sign-in came to; ``browser`` is a mark for a browser that has none yet."""

    token: Token
    secret: str
    expires_unix_ms: int
    browser: str | None = None


@router.post("/session", response_model=SessionResource, dependencies=[open_to_all], openapi_extra=_BODY)
async def open_session(request: Request) -> Response:
    """Open a session of 12 hours for a token, or for login and password; a form is then sent on to ``next``."""
    refuse_other_sites(request, strict=False)
    fields = await any_fields(request)
    try:
        session = await run_in_threadpool(_opened, request, fields)
    except (BadPassword, TooManyFailures, SignInBusy) as error:
        if not is_form(request) or "login" not in fields:
            raise
        return _back_to_the_page(fields, error)
    if is_form(request):
        response = Response(status_code=303, headers={"Location": local_path(fields.get("next"))})
    else:
        resource = SessionResource(
            name=session.token.name,
            scopes=sorted(session.token.scopes),
            expires_at=datetime.fromtimestamp(session.expires_unix_ms / 1000, UTC),
        )
        response = Response(resource.model_dump_json(), media_type="application/json")
    put_cookies(request, response, session.secret, session.expires_unix_ms, session.browser)
    return response


@router.post("/session/end", status_code=204, dependencies=[open_to_all])
async def end_session(request: Request) -> Response:
    """Close the session behind the cookie, if there is one, and forget the cookie."""
    refuse_other_sites(request, strict=True)
    cookie = request.cookies.get(cookie_name(request))
    person = await run_in_threadpool(close_session, parts_of(request).store, cookie) if cookie else None
    wants_page = "text/html" in request.headers.get("accept", "")
    target = SIGN_OUT_ELSEWHERE if person is not None and person.issuer is not None else "/"
    response = Response(status_code=303, headers={"Location": target}) if wants_page else Response(status_code=204)
    _set_cookie(request, response, "", 0)
    response.headers["Clear-Site-Data"] = '"cache"'  # pages of whoever sat here before
    return response


def local_path(target: object) -> str:
    """``target`` if it is a path of this site, else the first page: nobody is sent elsewhere from a sign-in."""
    plain = isinstance(target, str) and target.isascii() and target.isprintable() and "\\" not in target
    return target if plain and isinstance(target, str) and target[:1] == "/" and target[1:2] != "/" else "/"


def visitor_of(request: Request) -> Visitor:
    """Who stands at the door, as far as a request says it."""
    address = request.client.host if request.client else ""
    return Visitor(address, request.cookies.get(BROWSER_COOKIE), request.cookies.get(cookie_name(request)))


def put_cookies(request: Request, response: Response, secret: str, expires_unix_ms: int, browser: str | None) -> None:
    """The session's cookie, and the mark by which the browser is known from now on."""
    _set_cookie(request, response, secret, max(0, expires_unix_ms - time.time_ns() // 1_000_000 + 999) // 1000)
    if browser is not None:
        response.set_cookie(
            BROWSER_COOKIE,
            browser,
            max_age=_BROWSER_S,
            path="/session",
            secure=request.url.scheme == "https",
            httponly=True,
            samesite="strict",
        )


def refuse_other_sites(request: Request, *, strict: bool) -> None:
    """Raises CrossSite."""
    if not same_origin(request.headers, origin_of(request), strict=strict):
        raise CrossSite("Sessions are opened and closed by our own pages only.")


def _opened(request: Request, fields: dict[str, Any]) -> _Session:
    parts = parts_of(request)
    secret, login, password = (fields.get(name) for name in ("token", "login", "password"))
    if isinstance(login, str) and isinstance(password, str) and login and password and secret is None:
        return _of_person(let_in(
            parts.store, parts.slowing, visitor_of(request), login, password, hours=parts.settings.session_hours
        ))  # fmt: skip
    if not isinstance(secret, str) or not secret:
        raise BadRequestBody("It needs a token, or login and password.", field="token")
    return _of_token(parts, request, secret.strip())


def _of_person(opened: Opened) -> _Session:
    return _Session(token_of(opened.person), opened.secret, opened.expires_unix_ms, opened.browser)


def _of_token(parts: Parts, request: Request, secret: str) -> _Session:
    token = token_behind(parts, request, secret)
    before = request.cookies.get(cookie_name(request))
    if before:
        close_session(parts.store, before)
    expires_unix_ms = time.time_ns() // 1_000_000 + SESSION_S * 1000
    return _Session(token, parts.store.open_session(token.id, expires_unix_ms), expires_unix_ms)


def _back_to_the_page(fields: dict[str, Any], error: ApiError) -> Response:
    """A form's reader sees the page again, with words and without the password."""
    why = next(word for kind, word in _PROBLEMS.items() if isinstance(error, kind))
    asked = urlencode({"next": local_path(fields.get("next")), "problem": why})
    return Response(status_code=303, headers={"Location": f"{SIGN_IN_PAGE}?{asked}"})


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
