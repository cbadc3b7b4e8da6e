"""The page of whoever gives tokens to programs (scope ``users``): what each may do and whose figures it may see.

A token is shown once, on the answer to the form that made it; it stands in no address, and loading the page anew shows
it no more. No limit is ever silently wider than what was chosen: an id that the register does not know is refused.
"""

import time
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse

from api.auth import SCOPES, require
from api.errors import BadRequestBody, NoSuchThing
from api.forms import form_lists
from api.parts import parts_of
from api.people_forms import day_of_end, end_of, limits_of
from api.people_pages import at_hand, moment, offered, page
from api.role_words import limit_words
from collector.store import StoreError, StoreUnavailable, Token
from collector.store.limits import described

router = APIRouter(include_in_schema=False)
Keeper = Annotated[Token, require("users", page=True)]
Fields = Annotated[dict[str, str], Depends(form_lists)]
TOKEN_SCOPES = tuple(scope for scope in SCOPES if scope not in ("users", "access_log"))  # those are for people
_EMPTY = dict.fromkeys(("name", "scopes", "branches", "participants", "directions", "until"), "")


@router.get("/tokens")
def tokens(request: Request, token: Keeper) -> Response:
    """Every program's token, without its secret."""
    return _tokens(request, token)


@router.post("/tokens/add")
def add_token(request: Request, token: Keeper, fields: Fields) -> Response:
    """A new token, which this answer shows once."""
    store = parts_of(request).store
    scopes = [scope for scope in fields.get("scopes", "").split() if scope]
    name = fields.get("name", "").strip()
    try:
        if not set(scopes) <= set(TOKEN_SCOPES):
            raise BadRequestBody("There is no such scope for a token.", field="scopes")
        limits = limits_of(fields, store.book.whole()[1])
        until = end_of(fields.get("until", ""))
        secret = store.create_token(name, scopes, until, limits=limits, created_by=token.name)
    except StoreUnavailable:
        raise
    except (BadRequestBody, StoreError) as problem:
        return _tokens(request, token, typed=fields, problem=problem)
    store.staff.note(token.name, "token", name, f"{' '.join(sorted(scopes))} {described(limits)}".strip())
    return _tokens(request, token, handed=(name, secret))


@router.post("/tokens/revoke")
def revoke(request: Request, token: Keeper, fields: Fields) -> Response:
    """Ends a token and its sessions."""
    store = parts_of(request).store
    name = fields.get("name", "")
    if name not in {each.name for each in store.tokens() if each.revoked_unix_ms is None}:
        raise NoSuchThing("There is no such token in use.")
    store.revoke_token(name)
    store.staff.note(token.name, "revoked", name)
    return RedirectResponse("/tokens", 303)


def _in_use(token: Token, now_unix_ms: int) -> bool:
    return token.revoked_unix_ms is None and (token.expires_unix_ms is None or now_unix_ms < token.expires_unix_ms)


def _tokens(
    request: Request,
    token: Token,
    *,
    typed: dict[str, str] | None = None,
    problem: Exception | None = None,
    handed: tuple[str, str] | None = None,
) -> Response:
    renderer, store, language = at_hand(request)
    now_unix_ms = time.time_ns() // 1_000_000
    _, register = store.book.whole()
    values = {
        "tokens": [
            {
                "name": each.name,
                "scopes": sorted(each.scopes),
                "limits": limit_words(each.limits, register, language),
                "created": moment(each.created_unix_ms, language),
                "until": day_of_end(each.expires_unix_ms),
                "in_use": _in_use(each, now_unix_ms),
            }
            for each in reversed(store.tokens())
        ],
        "scopes": TOKEN_SCOPES,
        "offered": offered(store.register(), language),
        "typed": _EMPTY | (typed or {}),
        "handed": handed,
        "problem": str(problem) if problem else "",
        "field": getattr(problem, "field", None),
    }
    return page(renderer, request, "tokens.html", values, token, problem)
