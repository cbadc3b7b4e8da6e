"""The page for citizens in words and lines, in one language: values of public.html. It asks nothing of the store."""

from collections.abc import Sequence
from datetime import date
from typing import Any, Protocol

from api.figures import Tally, rating_figure, response_rate
from api.figures_page import RATINGS, rating_names
from api.i18n import Language
from api.statistics import Change, compare
from api.statistics.case_mix import Rating
from schemas.edition_resources import EditionContent, PublishedCell
from schemas.periods import Period
from schemas.resources import RatingFigure

COMPARED: tuple[Rating, ...] = ("bad", "exemplary")
CHART_MONTHS = 13
WIDTH, HEIGHT = 720, 150
_KINDS = {"month": Period.MONTH, "quarter": Period.QUARTER, "year": Period.YEAR}
_CUTS = ("branch", "direction", "service")


class Dated(Protocol):
    """A content or a head of an edition."""

    @property
    def kind(self) -> str: ...
    @property
    def first(self) -> date: ...


def period_words(edition: Dated, language: Language) -> str:
    return language.period(edition.first, _KINDS[edition.kind])


def code_words(language: Language) -> list[tuple[str, str]]:
    """Every code with a sentence for people."""
    _ = language.gettext
    return [
        ("published", _("The figure is published.")),
        ("none", _("No client was called, so all counts are zero.")),
        ("small", _("Fewer than 10 clients voted: so few could be recognised, and their share says little.")),
        (
            "few_operators",
            _("The votes are those of fewer than three employees, or nearly all of one: it would be their figure."),
        ),
        ("alike", _("All votes were the same, so each client’s would be known. Only “more than 95%” is told.")),
        ("secondary", _("Withheld for the sake of another figure, which could be worked out from this one.")),
        ("withheld", _("Withheld; the reason itself would tell too much, as in a comparison with an earlier edition.")),
    ]


class PublicWords:
    """Args:
    contents: every edition that holds, for comparisons and the chart.
    edition: the one that is shown.
    """

    def __init__(self, contents: Sequence[EditionContent], edition: EditionContent, language: Language):
        self._contents = {each.period: each for each in contents}
        self._edition = edition
        self._language = language
        self._names = rating_names(language)
        self._codes = dict(code_words(language))
        shown = [cell for cell in edition.cells if cell.cut != "service"]
        self._comparisons = max(1, len(shown) * len(COMPARED) * len(self._earlier()))

    def values(self) -> dict[str, Any]:
        cells = self._edition.cells
        centre = self._place(cells[0])
        return {
            "edition": self._edition,
            "period": period_words(self._edition, self._language),
            "names": self._names,
            "centre": centre,
            "cuts": {cut: [self._place(cell) for cell in cells if cell.cut == cut] for cut in _CUTS},
            "changes": [line for cell in cells if cell.cut != "service" for line in self._changes(cell)],
            "allows_for_days": self._allows_for_days(),
            "compared_with": [period_words(each, self._language) for each in self._earlier()],
            "charts": {rating: self._chart(rating) for rating in COMPARED} if self._months() else {},
            "choices_of_period": self._choices(),
            "corrected": self._edition.number > 1,
            "published": self._language.day(self._edition.published_at.date()),
        }

    def _choices(self) -> list[tuple[str, str, bool]]:
        newest_first = sorted(self._contents.values(), key=lambda each: (each.last, each.first), reverse=True)
        chosen = self._edition.period
        return [(each.period, period_words(each, self._language), each.period == chosen) for each in newest_first]

    # ---- one place
    def _place(self, cell: PublishedCell) -> dict[str, Any]:
        tally = _tally(cell)
        name = self._language.name_of(cell)
        found: dict[str, Any] = {
            "cell": cell,
            "name": name,
            "reason": self._codes[cell.code],
            "figures": None,
            "alike": self._names[cell.alike] if cell.alike else None,
        }
        if tally is None or not tally.votes:
            return found
        rate = response_rate(tally)
        figures = {rating: self._figure(getattr(tally, rating), tally.votes) for rating in RATINGS}
        return found | {
            "figures": figures,
            "votes": tally.votes,
            "eligible": tally.eligible,
            "silent": tally.eligible - tally.votes,
            "response": self._language.share(rate.share, digits=0),
            "low_response": bool(rate.low),
            "worst": {rating: self._worst(getattr(tally, rating), tally) for rating in RATINGS},
        }

    def _figure(self, count: int, votes: int) -> dict[str, Any]:
        figure: RatingFigure = rating_figure(count, votes)
        return {
            "figure": figure,
            "count": count,
            "share": self._language.share(figure.share),
            "interval": self._language.interval(figure.low or 0, figure.high or 0),
        }

    def _worst(self, count: int, tally: Tally) -> tuple[str, str]:
        """Bounds of the share among all who could vote, whatever the silent ones think (domain study 6.2)."""
        silent = tally.eligible - tally.votes
        bounds = (count / tally.eligible, (count + silent) / tally.eligible)
        low, high = (self._language.share(each, digits=0) for each in bounds)
        return low, high

    # ---- against earlier periods
    def _earlier(self) -> list[EditionContent]:
        """The period before, and the same one a year ago, as far as they are published."""
        first, last = self._edition.first, self._edition.last
        months = 12 if self._edition.kind == "year" else 3 if self._edition.kind == "quarter" else 1
        wanted = dict.fromkeys((_months_before(first, months), _months_before(first, 12)))
        same_kind = [each for each in self._contents.values() if each.kind == self._edition.kind and each.last < last]
        return [each for begin in wanted for each in same_kind if each.first == begin]

    def _allows_for_days(self) -> bool:
        """Whether the edition knows how much votes of a day resemble each other; an old one does not."""
        effects = self._edition.design_effects
        return effects is not None and effects.bad is not None and effects.exemplary is not None

    def _changes(self, cell: PublishedCell) -> list[dict[str, Any]]:
        """What is beyond chance, taking into account how many comparisons the page makes."""
        found = []
        now = _tally(cell)
        for earlier in self._earlier():
            then = next((_tally(each) for each in earlier.cells if (each.cut, each.key) == (cell.cut, cell.key)), None)
            if now is None or then is None or not now.votes or not then.votes:
                continue
            for rating in COMPARED:
                effect = getattr(self._edition.design_effects, rating, None)
                change = compare(now, then, rating, comparisons=self._comparisons, design_effect=effect)
                if change.beyond_noise and change.difference is not None:
                    found.append(self._change(cell, earlier, change, (now, then)))
        return found

    def _change(
        self, cell: PublishedCell, earlier: EditionContent, change: Change, tallies: tuple[Tally, Tally]
    ) -> dict[str, Any]:
        _ = self._language.gettext
        rose = (change.difference or 0) > 0
        text = (
            _("“%(rating)s” rose from %(then)s in %(when)s to %(now)s")
            if rose
            else _("“%(rating)s” fell from %(then)s in %(when)s to %(now)s")
        )
        now, then = (self._language.share(getattr(each, change.rating) / each.votes) for each in tallies)
        said = {"rating": self._names[change.rating], "then": then, "now": now}
        return {
            "rating": change.rating,
            "place": self._language.name_of(cell),
            "text": text % (said | {"when": period_words(earlier, self._language)}),
        }

    # ---- the lines of the last months
    def _months(self) -> list[EditionContent]:
        months = sorted(
            (each for each in self._contents.values() if each.kind == "month" and each.last <= self._edition.last),
            key=lambda each: each.last,
        )
        return months[-CHART_MONTHS:] if len(months) > 1 else []

    def _chart(self, rating: Rating) -> dict[str, Any]:
        """Points with their intervals, in the units of the picture; a month that is withheld leaves a gap."""
        months = self._months()
        figures = [self._of_centre(each, rating) for each in months]
        highest = max([0.05, *(figure.high or 0 for figure in figures if figure)])
        top = min(1.0, -(-highest * 1.08 // 0.05) * 0.05)
        step = WIDTH / len(months)
        points = []
        for number, (month, figure) in enumerate(zip(months, figures, strict=True)):
            words = self._language.period_in_year(month.first, Period.MONTH)
            point: dict[str, Any] = {
                "x": round((number + 0.5) * step, 1),
                "label": words,
                "year": month.first.year,
                "words": "",
            }
            if figure is not None and figure.share is not None:
                point |= {
                    "y": _y(figure.share, top),
                    "low": _y(figure.low or 0, top),
                    "high": _y(figure.high or 0, top),
                    "words": f"{period_words(month, self._language)}: {self._language.share(figure.share)}",
                }
            points.append(point)
        return {
            "points": points,
            "lines": _lines(points),
            "top": self._language.share(top, digits=0),
            "half": self._language.share(top / 2, digits=1),
            "width": WIDTH,
            "height": HEIGHT,
        }

    def _of_centre(self, month: EditionContent, rating: Rating) -> RatingFigure | None:
        tally = _tally(month.cells[0])
        return rating_figure(getattr(tally, rating), tally.votes) if tally and tally.votes else None


def _tally(cell: PublishedCell) -> Tally | None:
    if cell.calls is None:
        return None
    return Tally(cell.calls, cell.eligible_calls or 0, cell.bad or 0, cell.good or 0, cell.exemplary or 0)


def _y(share: float, top: float) -> float:
    return round(HEIGHT * (1 - share / top), 1)


def _lines(points: Sequence[dict[str, Any]]) -> list[str]:
    """The runs of months that have a point, as coordinates of a line each."""
    runs: list[list[str]] = [[]]
    for point in points:
        if "y" in point:
            runs[-1].append(f"{point['x']},{point['y']}")
        elif runs[-1]:
            runs.append([])
    return [" ".join(run) for run in runs if len(run) > 1]


def _months_before(day: date, months: int) -> date:
    number = day.year * 12 + day.month - 1 - months
    return date(number // 12, number % 12 + 1, 1)
