"""A person's own account: what they may see, their password, their sessions. Every person may open it, nobody else's.

Who still has a password that was handed over is led here from every page (api/auth.py).
"""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse

from api.access.signing_in import change_password, open_session
from api.auth import PASSWORD_PAGE, signed_in
from api.errors import BadPassword, SignInBusy, TooManyFailures, WeakPassword
from api.forms import form_fields
from api.parts import parts_of
from api.rendering import Renderer
from api.role_words import limit_words, outcome_words, role_descriptions, role_names, weak_words
from api.session import put_cookies, visitor_of
from collector.store import Token

router = APIRouter(include_in_schema=False)
Mine = Annotated[Token, signed_in]
Fields = Annotated[dict[str, str], Depends(form_fields)]
RECENT = 10


@router.get("/account")
def account(request: Request, token: Mine) -> Response:
    """Who one is here and what one may see."""
    renderer: Renderer = request.app.state.pages
    language, store = renderer.language_of(request), parts_of(request).store
    person = store.staff.by_id(token.id)
    _, register = store.book.whole()
    outcomes = outcome_words(language)
    values = {
        "shown": person.shown,
        "login": person.login,
        "role": role_names(language).get(person.role, person.role),
        "about": role_descriptions(language).get(person.role, ""),
        "limits": limit_words(person.limits, register, language),
        "has_password": person.password is not None,
        "must_change": person.must_change,
        "changed": "changed" in request.query_params,
        "until": None if person.expires_unix_ms is None else language.moment(_local(person.expires_unix_ms)),
        "sign_ins": [
            {"at": language.moment(_local(each.at_unix_ms)), "what": outcomes.get(each.outcome, each.outcome),
             "ok": each.outcome == "ok", "address": each.address}
            for each in store.staff.sign_ins(person.id, RECENT)
        ],
    }  # fmt: skip
    return renderer.page(request, "account.html", values, frame=renderer.frame(token))


@router.get(PASSWORD_PAGE)
def password_page(request: Request, token: Mine) -> Response:
    """The form for a new password."""
    return _password_page(request, token, None)


@router.post(f"{PASSWORD_PAGE}/new")
def new_password(request: Request, token: Mine, fields: Fields) -> Response:
    """Takes a new password in; every other session of the person is over then, and this one goes on as a new one."""
    parts = parts_of(request)
    person = parts.store.staff.by_id(token.id)
    old, new = fields.get("old", ""), fields.get("new", "")
    visitor = visitor_of(request)
    if person.password is None or not old or not new:
        return _password_page(request, token, "wrong")
    if new != fields.get("again"):
        return _password_page(request, token, "differ")
    try:
        change_password(parts.store, parts.slowing, visitor, person, old, new)
    except (BadPassword, WeakPassword, TooManyFailures, SignInBusy) as error:
        return _password_page(request, token, _why(error))
    hours = parts.settings.session_hours
    opened = open_session(parts.store, person, visitor, hours=hours, has_mark=False)
    response = RedirectResponse("/" if person.must_change else "/account?changed=1", 303)
    put_cookies(request, response, opened.secret, opened.expires_unix_ms, opened.browser)
    return response


@router.post("/account/everywhere")
def sign_out_everywhere(request: Request, token: Mine) -> Response:
    """Ends every session of this person, this one too."""
    parts_of(request).store.staff.end_sessions(token.id)
    return RedirectResponse("/signin?problem=ended", 303)


def _password_page(request: Request, token: Token, why: str | None) -> Response:
    renderer: Renderer = request.app.state.pages
    language = renderer.language_of(request)
    person = parts_of(request).store.staff.by_id(token.id)
    values: dict[str, Any] = {
        "login": person.login,
        "must_change": person.must_change,
        "has_password": person.password is not None,
        "why": why,
        "problem": weak_words(language).get(why or "", ""),
    }
    frame = renderer.frame(token)
    return renderer.page(request, "password.html", values, frame=frame, status=422 if why else 200)


def _why(error: BadPassword | WeakPassword | TooManyFailures | SignInBusy) -> str:
    match error:
        case WeakPassword():
            return error.why
        case BadPassword():
            return "wrong"
        case TooManyFailures():
            return "slow"
    return "busy"


def _local(unix_ms: int) -> datetime:
    return datetime.fromtimestamp(unix_ms / 1000, UTC).astimezone()
