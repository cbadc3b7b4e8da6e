"""Operators in words and as a funnel, in one language. It asks nothing, sorts nothing and judges nobody."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import exp, log
from typing import Any
from urllib.parse import urlencode

from api import charts
from api.figures_answers import as_one, filled
from api.figures_page import figure_text, rating_names, response_text, row_values, share_described
from api.i18n import Language
from api.pictures import months_before
from api.statistics import funnel_limits
from collector.store import Register
from schemas.periods import Period
from schemas.resources import Cell, RatingFigure
from schemas.statistics_resources import Funnel, FunnelPoint

MONTHS_OF_ONE = 12
FUNNEL_PX = 340
_CURVE_POINTS = 60
_CHOICES = 24


@dataclass(frozen=True)
class Dot:
    """One operator in the funnel: ``label`` only outside the widest limits, where somebody will want to know which."""

    x: float
    y: float
    text: str
    label: str | None


@dataclass(frozen=True)
class FunnelChart:
    """Limits as polygons in a box of 100 by ``height``; ticks across are numbers of votes."""

    description: str
    inner: str
    outer: str
    common: float
    dots: list[Dot]
    ticks: list[tuple[float, str]]
    across: list[tuple[float, str]]
    height: int = FUNNEL_PX


class FunnelWords:
    """Turns a funnel into the values of operators.html and operator.html."""

    def __init__(self, funnel: Funnel, language: Language, register: Register, names: Mapping[str, str] | None):
        self._funnel = funnel
        self._language = language
        self._names = names
        self._branches = {each.id: language.name_of(each) for each in register.branches}

    def values(self, address: Mapping[str, str]) -> dict[str, Any]:
        """Everything of the funnel's page."""
        funnel, query = self._funnel, urlencode(dict(address))
        return self._common() | {
            "rows": [self._row(each, query) for each in funnel.points],
            "chart": self._chart(),
            "with_names": self._names is not None,
            "names_address": f"?{query}&names=1",
            "nameless_address": f"?{query}",
            "place": self._branches.get(funnel.branch or "") or self._language.gettext("The whole centre"),
        }

    def of_one(self, operator: str) -> dict[str, Any]:
        """The same of one operator; his point is None where he had no call in the period."""
        point = next((each for each in self._funnel.points if each.operator == operator), None)
        return self._common() | {"point": self._row(point, "") if point is not None else None}

    def _common(self) -> dict[str, Any]:
        funnel, language = self._funnel, self._language
        return {
            "rating": funnel.rating,
            "rating_name": rating_names(language)[funnel.rating],
            "when": language.period(funnel.first, funnel.period),
            "missing": [language.month(_month(each)) for each in funnel.missing],
            "notice": funnel.notice,
            "method": funnel.method,
            "least_votes": funnel.least_votes,
            "common": language.share(funnel.common_share),
            "needed": funnel.votes_needed,
            "scattered": funnel.overdispersion is not None and funnel.overdispersion.significant,
            "compared": sum(each.enough for each in funnel.points),
        }

    def _row(self, point: FunnelPoint, query: str) -> dict[str, Any]:
        language, figure, mix, shrunk = self._language, point.figure, point.case_mix, point.shrunk
        return {
            "operator": point.operator,
            "person": (self._names or {}).get(point.operator),
            "href": f"/operators/{point.operator}?{query}",
            "votes": point.votes,
            "response": language.share(point.response_rate.share, digits=0),
            "enough": point.enough,
            "count": figure.count if figure else None,
            "share": language.share(figure.share) if figure else "–",
            "interval": _interval(language, figure.low, figure.high) if figure else "",
            "expected": language.decimal(mix.expected, 1) if mix else None,
            "ratio": language.decimal(mix.ratio, 2) if mix and mix.ratio is not None else "–",
            "ratio_interval": f"{language.decimal(mix.low or 0, 2)}–{language.decimal(mix.high or 0, 2)}"
            if mix and mix.ratio is not None
            else "",
            "shrunk": language.share(shrunk.share) if shrunk else "–",
            "shrunk_interval": _interval(language, shrunk.low, shrunk.high) if shrunk else "",
            "reliability": language.decimal(point.reliability, 2) if point.reliability is not None else "–",
            "where": self._where(point),
        }

    def _where(self, point: FunnelPoint) -> str | None:
        """Where the point lies between the limits; no colour and no praise goes with it."""
        _ = self._language.gettext
        if point.limits is None or point.figure is None:
            return None
        count, limits = point.figure.count, point.limits
        if count < limits.low998 or count > limits.high998:
            return _("outside the 99.8% limits")
        if count < limits.low95 or count > limits.high95:
            return _("between the limits")
        return _("inside the 95% limits")

    # ---- the chart
    def _chart(self) -> FunnelChart | None:
        funnel, language = self._funnel, self._language
        points = [each for each in funnel.points if each.enough and each.figure is not None]
        if not points or funnel.common_share is None:
            return None
        least, most = min(each.votes for each in points) * 0.85, max(each.votes for each in points) * 1.15
        curve = _curve(least, most, funnel.common_share)
        highest = [RatingFigure(count=0, share=high, low=None, high=None) for *_, high in (c[1:] for c in curve)]
        top, ticks = charts.scale([*(each.figure for each in points if each.figure is not None), *highest])

        def down(share: float) -> float:
            return round(FUNNEL_PX * (1 - min(share, top) / top), 1)

        def zone(low: int, high: int) -> str:
            upper = [(each[0], each[high]) for each in curve]
            lower = [(each[0], each[low]) for each in reversed(curve)]
            return " ".join(f"{charts.log_position(n, least, most)},{down(y)}" for n, y in upper + lower)

        return FunnelChart(
            description=language.gettext("Funnel: %(rating)s against the number of votes, with limits of chance")
            % {"rating": share_described(funnel.rating, language)},
            inner=zone(1, 2),
            outer=zone(3, 4),
            common=down(funnel.common_share),
            dots=[self._dot(each, least, most, down(each.figure.share or 0)) for each in points if each.figure],
            ticks=[(down(tick), language.tick(tick)) for tick in ticks],
            across=[(charts.log_position(n, least, most), language.number(n)) for n in _round_numbers(least, most)],
        )

    def _dot(self, point: FunnelPoint, least: float, most: float, y: float) -> Dot:
        figure, limits = point.figure, point.limits
        outside = figure is not None and limits is not None and not limits.low998 <= figure.count <= limits.high998
        name = (self._names or {}).get(point.operator) or point.operator
        votes = self._language.ngettext("%(n)s vote", "%(n)s votes", point.votes) % {
            "n": self._language.number(point.votes)
        }
        share = self._language.share(figure.share) if figure else "–"
        x = charts.log_position(point.votes, least, most)
        return Dot(x, y, f"{name}: {share}, {votes}", name if outside else None)


def own_months(found: Sequence[Sequence[Cell]], operator: str, language: Language) -> dict[str, Any]:
    """One operator's months, each with its row and its place in the charts."""
    cells, frame = found
    named = [cell.model_copy(update={"name": operator, "name_en": operator, "branch": None}) for cell in frame]
    months = filled(_merged(cells), named)
    names = rating_names(language)

    def marks(rating: str | None) -> list[charts.Mark]:
        return [
            charts.Mark(
                language.period_in_year(cell.first, Period.MONTH),
                str(cell.first.year),
                cell,
                f"{language.month(cell.first)}: "
                + (figure_text(rating, cell, language) if rating else response_text(cell, language)),
            )
            for cell in months
        ]

    return {
        "names": names,
        "months": [row_values(cell, language.month(cell.first), language) for cell in months],
        "whole": row_values(as_one(months), operator, language),
        "charts": {
            f"{rating}-times": charts.shares_in_time(
                rating, marks(rating), share_described(rating, language), language.tick
            )
            for rating in ("bad", "exemplary", "good")
        }
        | {
            "response-times": charts.response_in_time(
                marks(None), language.gettext("Response rate, period by period"), language.tick
            )
        },
    }


def period_choices(language: Language, newest: date) -> dict[str, Any]:
    """By which whole months operators may be compared."""
    _ = language.gettext
    names = rating_names(language)
    return {
        "periods": [("quarter", _("Quarter")), ("month", _("Month")), ("year", _("Year"))],
        "rating_choices": [(rating, names[rating]) for rating in ("bad", "exemplary", "good")],
        "month_choices": [
            (f"{each:%Y-%m}", language.month(each)) for each in (months_before(newest, n) for n in range(_CHOICES))
        ],
    }


def _merged(cells: Sequence[Cell]) -> list[Cell]:
    """One cell a month, whatever branch the operator sat in."""
    months: dict[str, list[Cell]] = {}
    for cell in cells:
        months.setdefault(cell.period, []).append(cell)
    return [as_one(of_month) for of_month in months.values()]


def _curve(least: float, most: float, common: float) -> list[tuple[float, float, float, float, float]]:
    """(votes, low95, high95, low99.8, high99.8) as shares, at numbers of votes evenly far apart on the chart."""
    found: dict[int, tuple[float, float, float, float, float]] = {}
    for step in range(_CURVE_POINTS + 1):
        n = max(1, round(exp(log(least) + (log(most) - log(least)) * step / _CURVE_POINTS)))
        limits = funnel_limits(n, common)
        found[n] = (n, limits.low95 / n, limits.high95 / n, limits.low998 / n, limits.high998 / n)
    return [found[n] for n in sorted(found)]


def _round_numbers(least: float, most: float) -> list[int]:
    """Numbers of votes to write beneath the chart."""
    steps = [round(m * 10**p) for p in range(1, 7) for m in (1, 1.5, 2, 3, 5, 7)]
    return [n for n in steps if least <= n <= most]


def _interval(language: Language, low: float | None, high: float | None) -> str:
    return language.interval(low, high) if low is not None and high is not None else ""


def _month(name: str) -> date:
    return date.fromisoformat(f"{name}-01")
