"""Operators in words and as a funnel, in one language. It asks nothing, sorts nothing and judges nobody."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from urllib.parse import urlencode

from api import charts
from api.figures_answers import as_one, filled
from api.figures_page import figure_text, rating_names, response_text, row_values, share_described
from api.funnel_charts import FunnelChart, Point, funnel_chart, where_words
from api.i18n import Language
from api.pictures import months_before
from api.statistics import ShareLimits, in_funnel
from collector.store import Register
from schemas.periods import Period
from schemas.resources import Cell, RatingFigure
from schemas.statistics_resources import Funnel, FunnelPoint

MONTHS_OF_ONE = 12
_CHOICES = 24


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
        limits = _share_limits(point)
        if limits is None or point.figure is None:
            return None
        return where_words(in_funnel(point.figure.count / point.votes, limits), self._language)

    # ---- the chart
    def _chart(self) -> FunnelChart | None:
        funnel, language = self._funnel, self._language
        points = [self._point(each, each.figure) for each in funnel.points if each.enough and each.figure is not None]
        if not points or funnel.common_share is None:
            return None
        description = language.gettext("Funnel: %(rating)s against the number of votes, with limits of chance") % {
            "rating": share_described(funnel.rating, language)
        }
        return funnel_chart(points, funnel.common_share, description, language)

    def _point(self, point: FunnelPoint, figure: RatingFigure) -> Point:
        """A label only outside the widest limits, where somebody will want to know which it is."""
        language, limits = self._language, _share_limits(point)
        outside = limits is not None and in_funnel(figure.count / point.votes, limits) == "outside"
        name = (self._names or {}).get(point.operator) or point.operator
        votes = language.ngettext("%(n)s vote", "%(n)s votes", point.votes) % {"n": language.number(point.votes)}
        text = f"{name}: {language.share(figure.share)}, {votes}"
        return Point(point.votes, figure.share or 0, text, label=name if outside else None)


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


def _share_limits(point: FunnelPoint) -> ShareLimits | None:
    limits = point.limits
    if limits is None or not point.votes:
        return None
    counts = (limits.low95, limits.high95, limits.low998, limits.high998)
    return ShareLimits(*(count / point.votes for count in counts))


def _interval(language: Language, low: float | None, high: float | None) -> str:
    return language.interval(low, high) if low is not None and high is not None else ""


def _month(name: str) -> date:
    return date.fromisoformat(f"{name}-01")
