"""A report on paper: its texts and charts laid into report.typ. It makes no figure and no sentence of its own."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from api import printing
from api.figures import Tally, rating_figure
from api.reports import drawing
from api.reports.content import FEW_VOTES, Line, Time
from api.reports.method import method
from api.reports.text import EMPTY, Text, without_empty
from schemas.periods import Period
from schemas.resources import RatingFigure

TEMPLATE = Path(__file__).parent / "report.typ"
# More places than this make no chart: a page of dots is read by nobody, and the table has them all.
MOST_PLACES = 30
MOST_LABELS = 7
MARKS = {"few": "a", "hidden": "b"}
Chart = dict[str, Any]


@dataclass
class _Section:
    """A heading with its charts, its table and its notes."""

    heading: str
    texts: list[str] = field(default_factory=list)
    panels: list[dict[str, Any]] = field(default_factory=list)
    halves: bool = False
    table: dict[str, Any] | None = None
    notes: list[str] = field(default_factory=list)
    keeps: bool = False  # whether the notes stay with the charts


def paper(text: Text) -> bytes:
    """The PDF. Raises CannotPrint."""
    page = _Paper(text)
    values = page.values()
    for panel, drawn in zip(page.panels, printing.svgs([each["chart"] for each in page.panels]), strict=True):
        panel["svg"] = drawn
        del panel["chart"]
    return printing.pdf(TEMPLATE, values, datetime.fromtimestamp(text.content.made_unix_ms / 1000, UTC))


class _Paper:
    def __init__(self, text: Text):
        self._text = text
        self._content = text.content
        self._ = text.language.gettext
        self._decimal = str(text.language.locale.number_symbols["latn"]["decimal"])
        self.panels: list[dict[str, Any]] = []

    def values(self) -> dict[str, Any]:
        text, _ = self._text, self._
        sections = [each for each in self._sections() if each is not None]
        return {
            "language": text.language.code,
            "title": text.full_title,
            "description": " ".join(text.summary())[:500],
            "keywords": [text.title, text.place, text.period],
            "organisation": text.organisation,
            "heading": text.title,
            "place": text.place,
            "period": text.period,
            "running": f"{text.organisation} · {text.title} · {text.place}",
            "foot": self._foot(),
            "about": text.about(),
            "warnings": text.warnings(),
            "summary": {
                "heading": _("What changed"),
                "sentences": text.summary(),
                "note": text.summary_note(),
            },
            "whole": self._whole(),
            "marks": MARKS,
            "sections": [vars(each) for each in sections],
            "method": {"heading": _("How to read these figures"), "paragraphs": method(text.language)},
        }

    def _foot(self) -> str:
        said = self._text.about()
        made = next(value for label, value in said if label == self._("Made"))
        parts = [self._("Made %(when)s") % {"when": made}]
        if self._content.simulated:
            parts.append(self._("Simulated data"))
        return " · ".join(parts)

    def _whole(self) -> dict[str, Any]:
        text = self._text
        keys = [vars(each) for each in text.keyed()] if self._content.now.votes else []
        return {
            "heading": self._("The figures"),
            "keys": keys,
            "counts": text.counts(),
            "caution": text.caution(),
            "notes": [text.worst_note(), *text.left_out_note()] if keys else [],
        }

    # ---- sections
    def _sections(self) -> list[_Section | None]:
        return [
            self._in_time(),
            self._operators(),
            self._branches(),
            self._directions(),
            self._services(),
            self._by_hour(),
            self._pads(),
        ]

    def _in_time(self) -> _Section | None:
        _, content = self._, self._content
        if not any(each.tally.votes for each in content.times) or content.order.cut == "operator":
            return None
        section = _Section(self._heading_in_time(), halves=True, keeps=True)
        for rating in ("bad", "exemplary", "good"):
            self._time_panel(section, rating, self._text.names[rating])
        self._time_panel(section, "response", _("Response rate"))
        section.notes = [
            _(
                "Point: the share. Bar: its 95% interval. Hollow point: the period is not over. Every panel has a "
                "scale of its own, which need not begin at zero."
            )
        ]
        return section

    def _by_hour(self) -> _Section | None:
        _, hours = self._, self._content.hours
        if len(hours) < 2:
            return None
        section = _Section(_("Hour by hour"), halves=True, keeps=True)
        for rating in ("bad", "exemplary"):
            figures = [_figure(each.tally, rating) for each in hours]
            points = [drawing.Point(str(each.hour), (str(each.hour),), figures[n]) for n, each in enumerate(hours)]
            named = [(f"{each.hour}:00", figures[n]) for n, each in enumerate(hours)]
            title = self._text.names[rating]
            alt = self._text.described(_("Share of “%(rating)s”") % {"rating": title}, named)
            self._add(section, drawing.in_time(rating, points, self._decimal), title=title, rating=rating, alt=alt)
        section.notes = [
            _(
                "Calls of the whole period by the local hour at which they were called, without hours of fewer than "
                "ten votes or fewer than three operators."
            )
        ]
        return section

    def _heading_in_time(self) -> str:
        _ = self._
        return {
            Period.DAY: _("Day by day"),
            Period.WEEK: _("Week by week"),
            Period.MONTH: _("Month by month"),
            Period.QUARTER: _("Quarter by quarter"),
            Period.YEAR: _("Year by year"),
        }[self._content.order.period]

    def _time_panel(self, section: _Section, rating: str, title: str) -> None:
        times = self._content.times
        figures = [_figure(each.tally, rating) for each in times]
        points = [
            drawing.Point(each.span.name, self._time_label(each, n), figures[n], each.complete)
            for n, each in enumerate(times)
        ]
        named = [(self._text.when(each), figures[n]) for n, each in enumerate(times)]
        heading = self._("Share of “%(rating)s”") % {"rating": title} if rating != "response" else title
        chart = drawing.in_time(rating, points, self._decimal)
        self._add(section, chart, title=title, rating=rating, alt=self._text.described(heading, named))

    def _time_label(self, time: Time, number: int) -> tuple[str, ...]:
        """On the axis: the last period always, and as many before it as there is room for; years where they begin."""
        period = self._content.order.period
        step = -(-len(self._content.times) // MOST_LABELS)
        if (len(self._content.times) - 1 - number) % step:
            return ("",)
        words = self._text.language.period_in_year(time.span.first, period)
        shown_before = self._content.times[number - step].span.last.year if number >= step else None
        if period in (Period.YEAR, Period.DAY) or shown_before == time.span.last.year:
            return (words,)
        return (words, str(time.span.last.year))

    def _branches(self) -> _Section | None:
        _ = self._
        lines = without_empty(self._content.branches)
        if not lines:
            return None
        section = _Section(_("By branch"))
        self._place_chart(section, lines)
        section.table = self._table(_("Branch"), lines, total=True)
        section.notes = self._notes(lines, [_("In the order of the register, which is no ranking.")])
        return section

    def _directions(self) -> _Section | None:
        _ = self._
        lines = without_empty(self._content.directions)
        if not lines:
            return None
        section = _Section(_("By direction of services"))
        section.table = self._table(_("Direction"), lines)
        section.notes = self._notes(lines, [])
        return section

    def _services(self) -> _Section | None:
        _ = self._
        lines = without_empty(self._content.services)
        if not lines:
            return None
        section = _Section(_("By service"))
        self._place_chart(section, lines)
        section.table = self._table(_("Service"), lines)
        section.notes = self._notes(
            lines,
            [_("Services differ in what clients come for, so their shares differ too. In the order of the register.")],
        )
        return section

    def _operators(self) -> _Section | None:
        _ = self._
        if self._content.order.cut != "operator":
            return None
        lines = without_empty(self._content.operators)
        section = _Section(_("By operator"))
        section.texts = [
            _(
                "Operators bear their pseudonyms and stand in the order of these, whatever their figures. "
                "Figures of single persons come of few votes: read the intervals, and mind that services, branches "
                "and hours differ."
            )
        ]
        section.table = self._table(_("Operator"), lines, total=True)
        section.notes = self._notes(lines, [])
        return section

    def _pads(self) -> _Section | None:
        _, number = self._, self._text.language.number
        rows = self._content.availability
        if not rows:
            return None
        section = _Section(_("The pads"))
        heads = [
            _("Branch"),
            _("Desks"),
            _("Faults open in the period"),
            _("Calls without a lit pad"),
            _("of all calls, %"),
        ]
        body = []
        for each in rows:
            dark = each.dark + each.reported
            share = self._text.bare(dark / each.calls if each.calls else None)
            values = [self._text.name(each.branch), number(each.desks), number(each.faults), number(dark), share]
            body.append([_entry(value) for value in values])
        section.table = _as_table(heads, body, [])
        section.notes = [
            _(
                "A pad was not lit if it did not arm within two seconds of the call, or if the operator reported it. "
                "Such calls do not count against the response rate."
            )
        ]
        return section

    # ---- parts of a section
    def _place_chart(self, section: _Section, lines: Sequence[Line]) -> None:
        _ = self._
        shown = [each for each in lines if not each.hidden and each.now.votes]
        if len(shown) < 2 or len(shown) > MOST_PLACES:
            return
        panels = []
        for rating in ("bad", "exemplary"):
            panels.append(
                [
                    drawing.Point(
                        f"{n}", (self._text.name(each.what),), rating_figure(getattr(each.now, rating), each.now.votes)
                    )
                    for n, each in enumerate(shown)
                ]
            )
        now = self._content.now
        whole = rating_figure(now.bad, now.votes), rating_figure(now.exemplary, now.votes)
        titles = self._text.names["bad"], self._text.names["exemplary"]
        chart = drawing.by_place(panels[0], panels[1], whole, titles=titles, decimal=self._decimal)
        said = "; ".join(
            _("%(place)s: Bad %(bad)s, Exemplary %(exemplary)s")
            % {
                "place": self._text.name(each.what),
                "bad": self._text.share(rating_figure(each.now.bad, each.now.votes)),
                "exemplary": self._text.share(rating_figure(each.now.exemplary, each.now.votes)),
            }
            for each in shown
        )
        self._add(section, chart, title="", rating="", alt=f"{section.heading}. {said}.",)  # fmt: skip

    def _add(self, section: _Section, chart: Chart, *, title: str, rating: str, alt: str) -> None:
        panel = {"chart": chart, "title": title, "rating": rating, "alt": alt, "svg": ""}
        section.panels.append(panel)
        self.panels.append(panel)

    def _table(self, place: str, lines: Sequence[Line], *, total: bool = False) -> dict[str, Any]:
        _, names = self._, self._text.names
        heads = [place, _("Calls"), _("Votes"), _("Response, %")]
        for rating in ("bad", "exemplary", "good"):
            heads += [f"{names[rating]}, %", _("interval")]
        sums = self._row(_("Together"), self._content.now) if total else []
        return _as_table(heads, [self._line(each) for each in lines], sums)

    def _line(self, line: Line) -> list[dict[str, str]]:
        name = self._text.name(line.what)
        if line.hidden:
            return [_entry(name), _entry(EMPTY, "hidden"), *[_entry("") for _ in range(8)]]
        row = self._row(name, line.now)
        if 0 < line.now.votes < FEW_VOTES:
            row[2]["kind"] = "few"
            for entry in row[4:]:
                entry["kind"] = "soft"
        return row

    def _row(self, name: str, tally: Tally) -> list[dict[str, str]]:
        number = self._text.language.number
        response = self._text.bare(tally.votes / tally.eligible if tally.eligible else None)
        row = [_entry(name), _entry(number(tally.calls)), _entry(number(tally.votes)), _entry(response)]
        for rating in ("bad", "exemplary", "good"):
            figure = rating_figure(getattr(tally, rating), tally.votes)
            row += [_entry(self._text.bare(figure.share)), _entry(self._text.bare_interval(figure), "soft")]
        return row

    def _notes(self, lines: Sequence[Line], others: list[str]) -> list[str]:
        _ = self._
        notes = list(others)
        if any(0 < each.now.votes < FEW_VOTES for each in lines):
            notes.append(
                f"{MARKS['few']}  " + _("Fewer than %(n)s votes: such shares say next to nothing.") % {"n": FEW_VOTES}
            )
        if any(each.hidden for each in lines):
            notes.append(
                f"{MARKS['hidden']}  "
                + _("Not shown: fewer than three operators stand behind it, or it would give away such a one.")
            )
        return notes


def _figure(tally: Tally, rating: str) -> RatingFigure:
    if rating == "response":
        return rating_figure(tally.votes, max(tally.votes, tally.eligible))
    return rating_figure(getattr(tally, rating), tally.votes)


def _entry(text: str, kind: str = "") -> dict[str, str]:
    return {"text": text, "kind": kind}


def _as_table(heads: Sequence[str], rows: list[list[dict[str, str]]], total: list[dict[str, str]]) -> dict[str, Any]:
    columns = [{"text": head, "number": n > 0, "wide": n == 0} for n, head in enumerate(heads)]
    return {"columns": columns, "rows": rows, "total": total}
