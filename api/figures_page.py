"""The Figures page in words: rows, tiles and charts of the answers, in one language. It asks and computes nothing."""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any

from api import charts
from api.figures_answers import Answers, Asked, as_one, worst_case
from api.i18n import Language
from collector.store import NO_LIMITS, Limits, Register
from schemas.periods import Period
from schemas.register_names import known_by
from schemas.resources import Cell, LeftOut, RatingFigure

# The order the pages show them in: the two ends lead, because the scale has one negative and two positive steps.
RATINGS = ("bad", "exemplary", "good")
# Below this many votes a share says little; the domain study asks for it before anything is compared (6.3).
FEW_VOTES = 30


class FiguresPage:
    """The answers in one language: the values of figures.html."""

    def __init__(self, answers: Answers, asked: Asked, register: Register, language: Language):
        self._answers = answers
        self._asked = asked
        self._register = register
        self._language = language
        self._period = answers.asked.period

    def values(self) -> dict[str, Any]:
        answers = self._answers
        return {
            "whole": self._row(answers.whole, ""),
            "worst": self._worst("bad"),
            "left_out": left_out_words(answers.whole.left_out, self._language),
            "first": answers.asked.first,
            "last": answers.asked.last,
            "place": self._place(),
            "times": [self._row(cell, self._when(cell)) for cell in answers.times],
            "branches": [self._row(cell, self._language.name_of(cell)) for cell in answers.branches],
            "services": [self._row(cell, self._language.name_of(cell)) for cell in answers.services],
            "charts": self._charts() if answers.whole.votes else {},
        }

    def _place(self) -> str:
        _ = self._language.gettext
        named = {branch.id: branch for branch in self._register.branches}
        services = {service.id: service for service in self._register.services}
        branch, service = self._asked.branch, self._asked.service
        return " · ".join(
            (
                self._language.name_of(named[branch]) if branch else _("The whole centre"),
                self._language.name_of(services[service]) if service else _("all services"),
            )
        )

    def _when(self, cell: Cell) -> str:
        return self._language.period(cell.first, self._period)

    def _in_time_marks(self, texts: Callable[[Cell], str]) -> list[charts.Mark]:
        marks = []
        for cell in self._answers.times:
            words = self._language.period_in_year(cell.first, self._period)
            # Beneath every label, for a narrow chart leaves some out. A week belongs to the year of its Thursday.
            year = (cell.first + timedelta(days=3) if self._period is Period.WEEK else cell.first).year
            beneath = "" if self._period is Period.YEAR else str(year)
            marks.append(charts.Mark(words, beneath, cell, f"{self._when(cell)}: {texts(cell)}"))
        return marks

    def _worst(self, rating: str) -> dict[str, str] | None:
        bounds = worst_case(self._answers.whole, rating)
        if bounds is None:
            return None
        return {"low": self._language.share(bounds[0], digits=0), "high": self._language.share(bounds[1], digits=0)}

    def _row(self, cell: Cell, label: str) -> dict[str, Any]:
        return row_values(cell, label, self._language)

    def _charts(self) -> dict[str, charts.Chart]:
        found: dict[str, charts.Chart] = {}
        for rating in RATINGS:
            found[f"{rating}-times"] = self._in_time(rating)
            found[f"{rating}-branches"] = self._by_place(rating, self._answers.branches)
            if self._answers.services:
                found[f"{rating}-services"] = self._by_place(rating, self._answers.services)
        return found | {"response-times": self._response()}

    def _in_time(self, rating: str) -> charts.Chart:
        marks = self._in_time_marks(lambda cell: figure_text(rating, cell, self._language))
        return charts.shares_in_time(rating, marks, self._described(rating), self._language.tick)

    def _by_place(self, rating: str, cells: Sequence[Cell]) -> charts.Chart:
        marks = [
            charts.Mark(name, "", cell, f"{name}: {figure_text(rating, cell, self._language)}")
            for cell in cells
            for name in (self._language.name_of(cell),)
        ]
        whole = getattr(as_one(cells), rating) if cells else None
        return charts.shares_by_place(rating, marks, whole, self._described(rating), self._language.tick)

    def _response(self) -> charts.Chart:
        _ = self._language.gettext
        marks = self._in_time_marks(lambda cell: response_text(cell, self._language))
        return charts.response_in_time(marks, _("Response rate, period by period"), self._language.tick)

    def _described(self, rating: str) -> str:
        return share_described(rating, self._language)


def row_values(cell: Cell, label: str, language: Language) -> dict[str, Any]:
    """A cell as the tiles and tables show it."""
    return {
        "label": label,
        "cell": cell,
        "few": 0 < cell.votes < FEW_VOTES,
        "figures": {rating: _figure_values(getattr(cell, rating), language) for rating in RATINGS},
    }


def _figure_values(figure: RatingFigure, language: Language) -> dict[str, Any]:
    has_share = figure.low is not None and figure.high is not None
    return {
        "share": language.share(figure.share),
        "interval": language.interval(figure.low or 0, figure.high or 0) if has_share else "",
        "count": figure.count,
        "figure": figure,
    }


def share_described(rating: str, language: Language) -> str:
    """What a chart of a rating's shares is, for those who do not see it."""
    text = language.gettext("Share of the rating “%(rating)s” with 95% confidence intervals")
    return text.replace("%(rating)s", rating_names(language)[rating])


def figure_text(rating: str, cell: Cell, language: Language) -> str:
    """A share with everything that belongs to it, in one line."""
    figure: RatingFigure = getattr(cell, rating)
    if figure.share is None or figure.low is None or figure.high is None:
        return language.gettext("no votes")
    said = language.gettext("%(share)s, 95%% interval %(interval)s") % {
        "share": language.share(figure.share),
        "interval": language.interval(figure.low, figure.high),
    }
    return f"{said}; {response_text(cell, language)}"


def response_text(cell: Cell, language: Language) -> str:
    """How many voted, of how many who could."""
    votes = language.ngettext("%(n)s vote", "%(n)s votes", cell.votes) % {"n": language.number(cell.votes)}
    rate = language.gettext("response rate %(rate)s") % {"rate": language.share(cell.response_rate.share, digits=0)}
    return f"{votes}, {rate}"


def left_out_words(out: LeftOut, language: Language) -> list[str]:
    """How many clients could not vote and why, a phrase a reason that there was; the reasons in a fixed order."""
    number = language.number
    phrases = (
        (out.absent, language.ngettext("%(n)s did not come", "%(n)s did not come", out.absent)),
        (
            out.passed_on,
            language.ngettext(
                "%(n)s was passed on and counts where the visit ended",
                "%(n)s were passed on and count where their visits ended",
                out.passed_on,
            ),
        ),
        (out.withdrawn, language.ngettext("%(n)s call was taken back", "%(n)s calls were taken back", out.withdrawn)),
        (out.unlit, language.ngettext("%(n)s found no pad alight", "%(n)s found no pad alight", out.unlit)),
        (
            out.unrated,
            language.ngettext(
                "%(n)s came for a service that is not rated", "%(n)s came for services that are not rated", out.unrated
            ),
        ),
        (
            out.unknown,
            language.ngettext("of %(n)s the reason was not kept", "of %(n)s the reasons were not kept", out.unknown),
        ),
    )
    return [phrase % {"n": number(n)} for n, phrase in phrases if n]


def rating_names(language: Language) -> dict[str, str]:
    """What stands on the three buttons (order P2.1)."""
    return {
        "bad": language.pgettext("rating", "Bad"),
        "good": language.pgettext("rating", "Good"),
        "exemplary": language.pgettext("rating", "Exemplary"),
    }


def selectors(
    asked: Asked, register: Register, language: Language, today: date, limits: Limits = NO_LIMITS
) -> dict[str, Any]:
    """The choices of the form that are the reader's, with what was asked marked: what is no more has figures too."""
    _ = language.gettext
    periods = {
        Period.MONTH: _("Month"),
        Period.QUARTER: _("Quarter"),
        Period.YEAR: _("Year"),
        Period.WEEK: _("Week"),
        Period.DAY: _("Day"),
    }
    return {
        "periods": [
            (str(period), name) for period, name in periods.items() if limits.operator is None or period is Period.MONTH
        ],
        "branch_choices": [
            (each.id, language.name_of(each))
            for each in known_by(register, "branches", today)
            if limits.branches is None or each.id in limits.branches
        ],
        "service_choices": [
            (each.id, language.name_of(each))
            for each in known_by(register, "services", today)
            if limits.operator is None and (limits.directions is None or each.direction in limits.directions)
        ],
        "any_branch": limits.branches is None,
        "any_service": limits.directions is None,
        "asked": dict(asked.values),
    }
