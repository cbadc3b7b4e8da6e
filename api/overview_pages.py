"""The pages Overview, Branch and Service direction: a place's month against its own past. It holds no figures.

The figures are api/pictures.py's, their words api/picture_words.py's.
"""

import time
from collections.abc import Callable, Sequence
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from api.access.narrowing import may_see_parts, services_within
from api.access.reach import the_only, within
from api.auth import require
from api.branch_funnel_words import branch_funnel_values
from api.errors import BadQuestion, NoSuchThing
from api.i18n import Language
from api.overview import Quality, quality
from api.parts import parts_of
from api.picture_words import PictureWords
from api.pictures import (
    Gallery,
    branch_and_services,
    centre_and_branches,
    hours_of,
    month_of,
    named,
    services_of,
)
from api.rendering import Renderer
from collector.store import Limits, Register, Store, Token
from schemas.periods import Period, day_date, day_of
from schemas.register_names import known_by
from schemas.resources import Cell

router = APIRouter(include_in_schema=False)
_READER = require("figures", page=True, within_limits=True)


@router.get("/overview")
def overview(request: Request, token: Annotated[Token, _READER]) -> Response:
    """The centre's month, branch by branch, and what may spoil it; whoever has less than branches is sent on."""
    page = _Page(request, token)
    elsewhere = _where_instead(token.limits)
    if elsewhere is not None:
        return RedirectResponse(elsewhere, 303)
    gallery = page.gallery(lambda month: centre_and_branches(page.store, month, token.limits, page.now_unix_ms))
    if gallery is None:
        return page.shown("overview.html", {"problem": page.problem, "whole": None})
    organisation = page.register.organisation
    words = PictureWords(named(gallery, organisation.name, organisation.name_en), page.language)
    _ = page.language.gettext
    whole = _("The whole centre") if token.limits.branches is None else _("Your branches together")
    values = words.values(whole, "/branches/") | words.months(gallery.month, page.newest)
    values["warnings"] = _warnings(quality(page.store, token.limits.branches), page.register, page.language, token)
    values["directions"] = _directions(page.register, page.language, page.today)
    # The centre's share, round which the limits lie, is no branch's own.
    values["funnel"] = None if token.limits.any else branch_funnel_values(gallery, page.language)
    return page.shown("overview.html", values | {"problem": page.problem})


@router.get("/branches/{branch}")
def one_branch(request: Request, branch: str, token: Annotated[Token, _READER]) -> Response:
    """One branch's month with its services."""
    page = _Page(request, token)
    row = next((each for each in known_by(page.register, "branches", page.today) if each.id == branch), None)
    if row is None:
        raise NoSuchThing(f"There is no branch {branch}.")
    if token.limits.operator is not None:  # months that are over only, as the Figures page shows them
        return RedirectResponse("/figures", 303)
    within(token, page.register, branch=branch)
    parts = may_see_parts(token)
    gallery = page.gallery(
        lambda month: branch_and_services(
            page.store, branch, month, token.limits, page.now_unix_ms, with_services=parts
        )
    )
    hours = hours_of(page.store, branch, gallery.month, gallery.whole.now) if gallery is not None else []
    return page.of_place("branch.html", gallery, page.language.name_of(row), hours)


@router.get("/directions/{direction}")
def one_direction(request: Request, direction: str, token: Annotated[Token, _READER]) -> Response:
    """One direction of services with the services that belong to it; in the reader's branch, if he has one."""
    page = _Page(request, token)
    row = next((each for each in known_by(page.register, "directions", page.today) if each.id == direction), None)
    if row is None:
        raise NoSuchThing(f"There is no direction {direction}.")
    if token.limits.operator is not None:
        return RedirectResponse("/figures", 303)
    branch = the_only("branch", token.limits.branches) if token.limits.branches is not None else None
    within(token, page.register, branch=branch, direction=direction)
    services_within(token, branch, Period.MONTH)
    services = [each.id for each in known_by(page.register, "services", page.today) if each.direction == direction]
    gallery = page.gallery(
        lambda month: services_of(page.store, services, month, token.limits, page.now_unix_ms, branch=branch)
    )
    return page.of_place("direction.html", gallery, page.language.name_of(row))


def _where_instead(limits: Limits) -> str | None:
    """Where a reader begins whose limits are not by branch: an organisation's head with his direction."""
    if limits.directions:
        return f"/directions/{min(limits.directions)}"
    if limits.operator is not None or limits.participants is not None or limits.directions is not None:
        return "/figures"
    return None


class _Page:
    """What the three pages have in common: the register, the reader's language and the month asked for."""

    def __init__(self, request: Request, token: Token):
        self._request = request
        self._renderer: Renderer = request.app.state.pages
        self._token = token
        self.store: Store = parts_of(request).store
        self.language = self._renderer.language_of(request)
        _, self.register = self.store.book.whole()
        self.now_unix_ms = time.time_ns() // 1_000_000
        self.today: date = day_date(day_of(self.now_unix_ms, "UTC"))
        self.newest = month_of(None, self.register, self.now_unix_ms)
        self.problem: str | None = None

    def gallery(self, of_month: Callable[[date], Gallery | None]) -> Gallery | None:
        """The figures of the month asked for; of the newest one, with a word, where that is none."""
        asked = self._request.query_params.get("month", "").strip()
        try:
            month = month_of(asked or None, self.register, self.now_unix_ms)
        except BadQuestion:
            self.problem = self.language.gettext("There are no figures of such a month. This is the newest one.")
            month = self.newest
        return of_month(month)

    def of_place(
        self, template: str, gallery: Gallery | None, name: str, hours: Sequence[tuple[int, Cell]] = ()
    ) -> Response:
        values: dict[str, Any] = {"problem": self.problem, "whole": None, "place": name}
        if gallery is not None:
            words = PictureWords(gallery, self.language)
            values |= words.values(name) | words.months(gallery.month, self.newest) | words.hours(hours)
        return self.shown(template, values)

    def shown(self, template: str, values: dict[str, Any]) -> Response:
        status = 422 if self.problem else 200
        frame = self._renderer.frame(self._token)
        return self._renderer.page(self._request, template, values, frame=frame, status=status)


def _directions(register: Register, language: Language, today: date) -> list[tuple[str, str]]:
    return [(each.id, language.name_of(each)) for each in known_by(register, "directions", today)]


def _warnings(found: Quality, register: Register, language: Language, token: Token) -> list[dict[str, str | None]]:
    """What may spoil the figures, each with where to look, as far as the reader may go there."""
    _ = language.gettext
    devices = "/devices?faulty=1" if "devices" in token.scopes else None
    names = {each.id: language.name_of(each) for each in register.branches}
    warnings: list[dict[str, str | None]] = []

    def warn(text: str, href: str | None = None) -> None:
        warnings.append({"text": text, "href": href})

    if found.pads_without_votes:
        n = found.pads_without_votes
        text = language.ngettext("%(n)s pad takes no votes now.", "%(n)s pads take no votes now.", n)
        warn(text % {"n": language.number(n)}, devices)
    if found.is_unwatched:
        warn(_("Pads are not being watched: that service does not reach the broker."), devices)
    for branch in found.silent_branches:
        warn(_("No calls come from the queue of %(branch)s.") % {"branch": names.get(branch, branch)}, devices)
    if found.waiting:
        n = found.waiting
        text = language.ngettext(
            "%(n)s vote waits until its call is known; it is not in the figures yet.",
            "%(n)s votes wait until their calls are known; they are not in the figures yet.",
            n,
        )
        warn(text % {"n": language.number(n)})
    if found.failed_chores:
        text = _("Work of the night that failed: %(chores)s. The server's log says why.")
        warn(text % {"chores": ", ".join(found.failed_chores)})
    return warnings
