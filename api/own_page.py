"""The page My figures: what clients said of an operator's own work, for that operator only. It holds no figures.

The figures are api/own_figures.py's. What is not shown is said, with the reason: nobody should have to guess at it.
"""

import time
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response

from api import charts
from api.access.narrowing import OWN_VOTES
from api.access_log import zone_of
from api.auth import require
from api.comparison import notice_words
from api.errors import ScopeMissing
from api.figures_answers import as_one
from api.figures_page import (
    FEW_VOTES,
    RATINGS,
    figure_text,
    left_out_words,
    rating_names,
    response_text,
    row_values,
    share_described,
)
from api.i18n import Language
from api.own_figures import Beside, Own, own_figures, readings_of
from api.parts import parts_of
from api.rendering import Renderer
from api.role_words import names_of, purpose_names, role_names
from collector.store import LoggedReading, Register, Store, Token
from schemas.periods import Period, day_date, day_of
from schemas.resources import Cell

router = APIRouter(include_in_schema=False)


@router.get("/my-figures")
def my_figures(
    request: Request, token: Annotated[Token, require("figures", page=True, within_limits=True)]
) -> Response:
    """An operator's own months that are over, the own branch's beside them, and who else has looked."""
    if token.limits.operator is None:
        raise ScopeMissing("This page shows operators their own figures; you are none.")
    renderer: Renderer = request.app.state.pages
    store, language = parts_of(request).store, renderer.language_of(request)
    _, register = store.book.whole()
    now_unix_ms = time.time_ns() // 1_000_000
    own = own_figures(store, token, day_date(day_of(now_unix_ms, register.timezone)), now_unix_ms)
    values = OwnWords(own, register, language).values() | {
        "operator": token.limits.operator,
        "notice": notice_words(language),
        "least": OWN_VOTES,
        "few": FEW_VOTES,
        "readings": _readings(store, readings_of(store, token, now_unix_ms), language),
    }
    return renderer.page(request, "own.html", values, frame=renderer.frame(token))


class OwnWords:
    """Turns an operator's months into the values of own.html."""

    def __init__(self, own: Own, register: Register, language: Language):
        self._own = own
        self._register = register
        self._language = language

    def values(self) -> dict[str, Any]:
        """Everything of the page that is figures."""
        own, language, whole = self._own, self._language, self._own.whole
        return {
            "names": rating_names(language),
            "whole": row_values(whole, language.gettext("You"), language) if whole else None,
            "left_out": left_out_words(whole.left_out, language) if whole else [],
            "days": f"{language.month(own.months[0].first)} – {language.month(own.months[-1].first)}" if whole else "",
            "months": [self._row(cell) for cell in own.months],
            "hidden": [language.month(first) for first in own.hidden],
            "charts": self._in_time(),
            "beside": [self._beside(each) for each in own.beside],
        }

    def _row(self, cell: Cell) -> dict[str, Any]:
        return row_values(cell, self._language.month(cell.first), self._language)

    def _in_time(self) -> dict[str, charts.Chart]:
        language = self._language
        tick = language.tick
        found = {
            f"{rating}-times": charts.shares_in_time(
                rating, self._marks(rating), share_described(rating, language), tick
            )
            for rating in RATINGS
        }
        described = language.gettext("Response rate, period by period")
        return found | {"response-times": charts.response_in_time(self._marks(None), described, tick)}

    def _marks(self, rating: str | None) -> list[charts.Mark]:
        language = self._language
        marks = []
        for cell in self._own.in_time:
            if not cell.votes:
                text = language.gettext("not shown, too few votes")
            else:
                text = figure_text(rating, cell, language) if rating else response_text(cell, language)
            label = language.period_in_year(cell.first, Period.MONTH)
            marks.append(charts.Mark(label, str(cell.first.year), cell, f"{language.month(cell.first)}: {text}"))
        return marks

    def _beside(self, beside: Beside) -> dict[str, Any]:
        language = self._language
        [name] = names_of(self._register, "branches", [beside.branch], language)
        found: dict[str, Any] = {"name": name, "id": beside.branch, "rows": [], "charts": {}}
        if beside.mine is None or not beside.comparable:
            return found
        both = [(language.gettext("You"), beside.mine), (name, as_one(beside.months))]
        return found | {
            "rows": [row_values(cell, label, language) for label, cell in both],
            "charts": {
                f"{rating}-places": charts.shares_by_place(
                    rating,
                    [
                        charts.Mark(label, "", cell, f"{label}: {figure_text(rating, cell, language)}")
                        for label, cell in both
                    ],
                    None,
                    share_described(rating, language),
                    language.tick,
                )
                for rating in RATINGS
            },
        }


def _readings(store: Store, found: list[LoggedReading], language: Language) -> list[dict[str, Any]]:
    """Day, role and purpose of each; no name."""
    zone, roles, purposes = zone_of(store), role_names(language), purpose_names(language)
    return [
        {
            "day": language.day(datetime.fromtimestamp(each.at_unix_ms / 1000, UTC).astimezone(zone).date()),
            "role": roles.get(each.role or "") or language.gettext("a program"),
            "purpose": purposes.get(each.purpose or "", "–"),
            "by_order": each.reading_order is not None,
        }
        for each in found
    ]
