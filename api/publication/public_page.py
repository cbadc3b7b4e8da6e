"""The page for citizens and the page of open data: what was published, in words and pictures. It decides nothing.

Both need no sign-in and read nothing but editions. Whoever may publish sees the means for it on the second one.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse

from api.auth import open_to_all, reader, require
from api.errors import ApiError, NoSuchThing
from api.forms import form_fields
from api.i18n import Language
from api.parts import parts_of
from api.publication import closing, open_data
from api.publication.closing import Plan
from api.publication.public_words import PublicWords, code_words, period_words
from api.publication.publishing import planned
from api.rendering import Renderer
from collector.store import Store, Token
from schemas.edition_resources import EditionContent
from schemas.periods import Period

router = APIRouter(include_in_schema=False)


@router.get("/public", dependencies=[open_to_all])
def public(request: Request, period: str = "") -> Response:
    """What the city's clients say, of the newest month that is published, or of the period asked for."""
    renderer = _renderer(request)
    language = renderer.language_of(request)
    contents = open_data.holding(parts_of(request).store)
    asked = _asked(contents, period)
    values: dict[str, Any] = {"edition": None, "choices_of_period": [], "corrected": False}
    if asked is not None:
        values = PublicWords(contents, asked, language).values()
    return renderer.page(request, "public.html", values, frame=renderer.frame(_reader(request)))


@router.get("/open-data", dependencies=[open_to_all])
def page(request: Request) -> Response:
    """What there is, in which files, with which codes; corrections with their reasons."""
    return _page(request)


@router.post("/open-data/closing")
def close(
    request: Request,
    token: Annotated[Token, require("publish", page=True)],
    fields: Annotated[dict[str, str], Depends(form_fields)],
) -> Response:
    """A trial, which shows what would be withheld, or the publishing itself."""
    store, now = parts_of(request).store, time.time_ns() // 1_000_000
    try:
        made = closing.plan(store, fields.get("month", ""), now, reason=fields.get("reason", "").strip()[:300])
        if fields.get("do") == "publish":
            closing.publish(store, made, by=token.name, now_unix_ms=now)
            return RedirectResponse("/open-data#editions", 303)
    except ApiError as problem:
        return _page(request, problem=problem, asked=fields)
    return _page(request, plan=made, asked=fields)


def _page(
    request: Request,
    *,
    plan: Plan | None = None,
    problem: ApiError | None = None,
    asked: Mapping[str, str] | None = None,
) -> Response:
    renderer = _renderer(request)
    language, store = renderer.language_of(request), parts_of(request).store
    publisher = open_data.publisher_of(request)
    token = _reader(request)
    may_publish = _may_publish(token)
    values = {
        "heads": [_head(each, language) for each in reversed(open_data.heads_of(store, ""))],
        "files": _files(language),
        "codes": code_words(language),
        "address": publisher.address,
        "publisher": publisher,
        "may_publish": may_publish,
        "closable": _closable(store) if may_publish else [],
        "late": [_late(each, language) for each in closing.late(store, _now())] if may_publish else [],
        "plan": _planned(plan, language) if plan else None,
        "gave_up": bool(plan and plan.gave_up),
        "problem": _said(problem, language) if problem else None,
        "asked": dict(asked or {}),
    }
    status = 409 if problem else 200
    return renderer.page(request, "open_data.html", values, frame=renderer.frame(token), status=status)


def _asked(contents: Sequence[EditionContent], period: str) -> EditionContent | None:
    """The edition asked for; else the newest month's. Raises NoSuchThing."""
    if period:
        found = [each for each in contents if each.period == period]
        if not found:
            raise NoSuchThing(f"Nothing is published of {period[:20]}.")
        return found[0]
    months = [each for each in contents if each.kind == "month"]
    return max(months, key=lambda each: each.last, default=None)


def _head(head: Any, language: Language) -> dict[str, Any]:
    return {
        "head": head,
        "words": period_words(head, language),
        "published": language.day(head.published_at.date()),
    }


def _files(language: Language) -> list[tuple[str, str]]:
    _ = language.gettext
    return [
        ("ratings.csv", _("All figures that hold, as a table: a row for each period and place")),
        ("codes.csv", _("What the codes in it mean")),
        ("scale.csv", _("The scale of the three buttons")),
        ("datapackage.json", _("Description of the tables for programs (Frictionless Data Package)")),
        ("dcat.jsonld", _("Description for catalogues of data (DCAT-AP, JSON-LD)")),
        ("dcat.ttl", _("The same as Turtle")),
        ("register.csv", _("The row for the register of the national open data portal")),
    ]


def _closable(store: Store) -> list[str]:
    """Months with calls that are not published, the newest first; whether one is over, the trial says."""
    out = {each.period for each in store.editions.all()}
    months = {row.day for row in store.rollups("branch", 20000101, 21001231, period=Period.MONTH)}
    named = [f"{month // 100}-{month % 100:02}" for month in sorted(months, reverse=True)]
    return [name for name in named if name not in out]


def _late(late: closing.Late, language: Language) -> dict[str, Any]:
    votes = language.ngettext("%(n)s vote", "%(n)s votes", abs(late.votes)) % {"n": language.number(abs(late.votes))}
    return {"period": late.edition.period, "number": late.edition.number, "more": late.votes >= 0, "votes": votes}


def _planned(plan: Plan, language: Language) -> list[dict[str, Any]]:
    known = dict(code_words(language))
    return [
        {
            "period": each.period,
            "number": each.number,
            "published": each.codes.get("published", 0) + each.codes.get("none", 0),
            "codes": [(known[code], count) for code, count in each.codes.items() if code not in ("published", "none")],
            "withheld": each.withheld,
        }
        for each in planned(plan)
    ]


def _said(problem: ApiError, language: Language) -> str:
    _ = language.gettext
    return f"{_('Nothing was published.')} {problem}"


def _may_publish(token: Token | None) -> bool:
    """As the route for closing asks it: nobody else learns which months are open, or that votes have come late."""
    return token is not None and "publish" in token.scopes and not (token.must_change or token.limits.any)


def _reader(request: Request) -> Token | None:
    """Whoever is signed in sees his menu; for a session that has ended it is a page like any other."""
    try:
        return reader(request)
    except ApiError:
        return None


def _renderer(request: Request) -> Renderer:
    renderer: Renderer = request.app.state.pages
    return renderer


def _now() -> int:
    return time.time_ns() // 1_000_000
