"""The web pages: sign in, Live, Figures, Try a pad, and what a browser sees when something fails. It holds no figures.

``install`` is all that the application needs; every page works without JavaScript as far as it can.
"""

import contextlib
import time
from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import urlencode, urlsplit, urlunsplit

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import RedirectResponse
from fastapi.staticfiles import StaticFiles

from api import (
    access_log_pages,
    account_pages,
    elsewhere_routes,
    fleet_pages,
    operator_pages,
    overview_pages,
    own_page,
    people_pages,
    register_pages,
    signals_page,
    token_pages,
)
from api.access.reach import in_branches, only_branches
from api.auth import PASSWORD_PAGE, SIGN_IN_PAGE, open_to_all, origin_of, reader, require
from api.disclosure import pages as disclosure_pages
from api.errors import ApiError, BadQuestion, ScopeMissing
from api.evidence import pages as evidence_pages
from api.figures_answers import Asked, read_answers
from api.figures_page import FiguresPage, rating_names, selectors
from api.forms import form_fields
from api.i18n import Language
from api.live_page import live_values
from api.livestate import look
from api.navigation import LIVE_SCOPES
from api.parts import Parts, parts_of
from api.publication import public_page
from api.rendering import LOOK_COOKIE, LOOKS, STATIC, Frame, Renderer, remember
from api.reports import pages as report_pages
from api.role_words import role_descriptions, sign_in_problems
from api.session import local_path
from api.try_page import try_values
from collector.store import Register, Token
from schemas.resources import Problem

router = APIRouter(include_in_schema=False)


def install(app: FastAPI, parts: Parts) -> None:
    """Add the pages, their files and their way of showing problems to ``app``."""
    app.state.pages = Renderer(parts)
    app.state.problem_page = problem_page
    app.include_router(router)
    app.include_router(public_page.router)
    app.include_router(overview_pages.router)
    app.include_router(operator_pages.router)
    app.include_router(own_page.router)
    app.include_router(fleet_pages.router)
    app.include_router(register_pages.router)
    app.include_router(disclosure_pages.router)
    app.include_router(account_pages.router)
    app.include_router(elsewhere_routes.router)
    app.include_router(people_pages.router)
    app.include_router(token_pages.router)
    app.include_router(access_log_pages.router)
    app.include_router(report_pages.router)
    app.include_router(evidence_pages.router)
    app.include_router(signals_page.router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")


@router.get(SIGN_IN_PAGE, dependencies=[open_to_all])
def sign_in(request: Request, next: str = "/") -> Response:  # noqa: A002 - the address's word for it
    """Where a password or a token is traded for a session; the demo's link brings a token in the fragment.

    Whoever is signed in goes on: no link may make somebody read under another's name. A link in somebody's mail comes
    from another site, whereupon the browser keeps the session's cookie back; then the page asks for itself once more.
    """
    with contextlib.suppress(ApiError):
        if reader(request) is not None:
            return RedirectResponse(local_path(next), 303)
    renderer = _renderer(request)
    words = sign_in_problems(renderer.language_of(request))
    asked = request.query_params
    is_from_afar = request.headers.get("sec-fetch-site") == "cross-site" and "again" not in asked
    hop = f"{SIGN_IN_PAGE}?{urlencode({'next': local_path(next), 'again': '1'})}"
    values = {
        "next": local_path(next),
        "problem": words.get(asked.get("problem", ""), ""),
        "elsewhere": parts_of(request).settings.oidc_name if parts_of(request).settings.oidc_issuer else None,
        "hop": hop if is_from_afar else None,
    }
    return renderer.page(request, "sign_in.html", values, frame=renderer.frame(None))


@router.get("/", dependencies=[open_to_all])
def home(request: Request) -> Response:
    """On to the first page that the reader may open, or to the sign-in page."""
    token = reader(request)
    if token is None:
        return RedirectResponse(SIGN_IN_PAGE, 303)
    if token.must_change:
        return RedirectResponse(PASSWORD_PAGE, 303)
    allowed = _renderer(request).first_page(token)
    if allowed is None and token.person is not None:
        return RedirectResponse("/account", 303)  # which says what the role is given, and how
    if allowed is None:
        raise ScopeMissing("None of the pages is open to this token.")
    return RedirectResponse(allowed + (f"?{request.url.query}" if request.url.query else ""), 303)


@router.post("/look", dependencies=[open_to_all])
async def choose_look(request: Request) -> Response:
    """Light, dark or as the device is set, from now on; then back to the page that asked."""
    fields = await form_fields(request)
    came_from = urlsplit(request.headers.get("referer", ""))  # our pages send it to ourselves (api/security.py)
    back = urlunsplit(("", "", came_from.path, came_from.query, ""))
    is_ours = f"{came_from.scheme}://{came_from.netloc}" == origin_of(request)
    response = RedirectResponse(local_path(back if is_ours else None), 303)
    if fields.get("look") in LOOKS:
        remember(request, response, LOOK_COOKIE, fields["look"])
    return response


@router.get("/live")
def live(request: Request, token: Annotated[Token, require(*LIVE_SCOPES, page=True, within_limits=True)]) -> Response:
    """Every desk of every branch as it is now; of those that are the reader's."""
    renderer = _renderer(request)
    store = parts_of(request).store
    branches = only_branches(token)
    register = in_branches(store.register(), branches)
    values = live_values(look(store, _now()).within(branches), register, renderer.language_of(request))
    return renderer.page(request, "live.html", values, frame=renderer.frame(token))


@router.get("/figures")
def figures(request: Request, token: Annotated[Token, require("figures", page=True, within_limits=True)]) -> Response:
    """The three shares with intervals and response rates; a question that makes no sense is answered in words."""
    renderer = _renderer(request)
    store = parts_of(request).store
    language = renderer.language_of(request)
    _, register = store.book.whole()
    asked = Asked.of(request.query_params).within(token, register)
    values: dict[str, Any] = selectors(asked, register, language, datetime.now(UTC).date(), token.limits) | {
        "names": rating_names(language),
        "problem": None,
    }
    status = 200
    try:
        answers = read_answers(store, asked, _now(), token)
        values |= FiguresPage(answers, asked, register, language).values()
    except BadQuestion as problem:
        values |= {"problem": _said(problem, language), "whole": None}
        status = 422
    return renderer.page(request, "figures.html", values, frame=renderer.frame(token), status=status)


@router.get("/try")
def try_a_pad(request: Request, token: Annotated[Token, require("try", *LIVE_SCOPES, page=True)]) -> Response:
    """One desk's pad, large; only where the demonstration runs."""
    renderer = _renderer(request)
    parts = parts_of(request)
    register: Register = parts.store.register()
    language = renderer.language_of(request)
    if parts.bench is None:
        return _no_such_page(request, renderer, renderer.frame(token))
    values = try_values(register, look(parts.store, _now()), request.query_params.get("desk"), language)
    return renderer.page(request, "try.html", values, frame=renderer.frame(token))


@router.get("/favicon.ico", dependencies=[open_to_all])
def favicon() -> Response:
    """For browsers that ask without looking at the page."""
    return Response(status_code=308, headers={"Location": "/static/img/logo.svg", "Cache-Control": "max-age=86400"})


def problem_page(request: Request, problem: Problem) -> Response:
    """What a browser shows instead of a problem document."""
    renderer = _renderer(request)
    frame = renderer.frame_if_possible(request)
    language = renderer.language_of(request)
    heading, text = _problem_words(problem, language)
    if problem.status == 403 and frame.token is not None and frame.token.role is not None:
        text = role_descriptions(language).get(frame.token.role, text)
    values = {"status": problem.status, "heading": heading, "text": text}
    return renderer.page(request, "problem.html", values, frame=frame, status=problem.status)


def _problem_words(problem: Problem, language: Language) -> tuple[str, str]:
    """Heading and text for the reader; the document's own English sentence is for programs."""
    _ = language.gettext
    copied = _("This token is not known, has expired or was revoked. Check that it was copied whole.")
    kept = _("The database does not answer. Votes are not lost: the pads keep them. Try again in a moment.")
    odd = (_("This cannot be answered"), _("Something in the address or in the form is not right."))
    words = {
        400: odd,
        401: (_("Please sign in"), copied),
        403: (_("This is not open to you"), _("Your access token does not include this page. Ask your administrator.")),
        404: (_("There is no such page"), _("The address may be mistyped, or the page may have moved.")),
        405: odd,
        409: (_("Not now"), _("As things stand this cannot be done. Somebody may have been faster: look once more.")),
        422: odd,
        429: (_("Too many attempts"), _("Wait a minute, then try again.")),
        503: (_("Not available just now"), kept),
    }
    unexpected = (_("Something went wrong here"), _("It is written in the server's log. Votes are not affected."))
    return words.get(problem.status, unexpected)


def _no_such_page(request: Request, renderer: Renderer, frame: Frame) -> Response:
    _ = renderer.language_of(request).gettext
    values = {
        "status": 404,
        "heading": _("Pads can be tried in the demonstration only"),
        "text": _("This server works with real pads, and nobody may press them but clients."),
    }
    return renderer.page(request, "problem.html", values, frame=frame, status=404)


def _said(problem: BadQuestion, language: Language) -> str:
    _ = language.gettext
    match problem.field:
        case "from" | "to":
            return _("Check the dates: the first must not be after the last, and both must be real days.")
        case "period":
            return _("That would be too many periods. Choose a shorter time or a longer period.")
        case "branch":
            return _("There is no such branch.")
        case "key":
            return _("There is no such service.")
    return _("Something in the address or in the form is not right.")


def _renderer(request: Request) -> Renderer:
    renderer: Renderer = request.app.state.pages
    return renderer


def _now() -> int:
    return time.time_ns() // 1_000_000
