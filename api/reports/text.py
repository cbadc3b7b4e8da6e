"""Everything that a report says in one language, as plain values: the paper and the workbook only set it. No figure is
made here: numbers come as they are (api/reports/content.py) and leave as the language writes them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from babel.numbers import format_decimal

from api.figures import LOW_RESPONSE, Tally, left_out, rating_figure
from api.figures_page import RATINGS, left_out_words, rating_names
from api.i18n import Language
from api.reports.changes import Shift, response_shifts, shifts
from api.reports.content import FEW_VOTES, Content, Line, Named, Time
from api.role_words import purpose_names
from api.statistics import worst_case
from schemas.resources import RatingFigure

MOST_SENTENCES = 8
EMPTY = "–"


@dataclass(frozen=True)
class Key:
    """One rating of the whole, as the first page shows it."""

    rating: str
    name: str
    share: str
    interval: str
    votes: str
    worst: str


class Text:
    """A report's words and written numbers."""

    def __init__(self, content: Content, language: Language):
        self.content = content
        self.language = language
        self.names = rating_names(language)
        self._zone = ZoneInfo(content.timezone)

    # ---- what it is
    @property
    def title(self) -> str:
        return self.language.gettext("Ratings of services")

    @property
    def place(self) -> str:
        _ = self.language.gettext
        content = self.content
        if content.order.cut == "operator":
            where = self.name(content.place) if content.order.key else _("the whole centre")
            return _("Operators: %(place)s") % {"place": where}
        return self.name(content.place) if content.order.key else _("The whole centre")

    @property
    def period(self) -> str:
        words = self.language.period(self.content.span.first, self.content.order.period)
        return words[:1].upper() + words[1:]

    @property
    def full_title(self) -> str:
        return f"{self.title}. {self.place}. {self.period}"

    @property
    def organisation(self) -> str:
        return self.name(self.content.organisation)

    def about(self) -> list[tuple[str, str]]:
        """What stands beneath the title: how far it counts, when and for whom it was made."""
        _ = self.language.gettext
        content, language = self.content, self.language
        made = datetime.fromtimestamp(content.made_unix_ms / 1000, UTC).astimezone(self._zone)
        rows = [
            (_("Days"), f"{language.day(content.span.first)} – {language.day(content.span.last)}"),
            (_("Counted up to"), language.day(content.figures_end)),
            (_("Made"), language.moment(made)),
            (_("Register"), _("revision %(number)s") % {"number": language.number(content.revision)}),
        ]
        if content.order.made_by:
            rows.append((_("Made by"), content.order.made_by))
        if content.order.ordered_by:
            rows.append((_("On the instruction of"), content.order.ordered_by))
        if content.order.instruction:
            rows.append((_("Instruction"), content.order.instruction))
        purpose = purpose_names(language).get(content.order.purpose or "")
        if purpose is not None:
            rows.append((_("Purpose (point 4.7 of the order)"), purpose))
        return rows

    def warnings(self) -> list[str]:
        """What must be read before the figures."""
        _ = self.language.gettext
        found = []
        if self.content.simulated:
            found.append(_("Simulated data: no real clients or staff stand behind these figures."))
        if self.content.order.is_about_people:
            found.append(
                _(
                    "Under point 4.8 of the order these results may not be a basis for disciplinary or other "
                    "penalties. Every reading of them is recorded with its purpose. They are no ranking."
                )
            )
        if not self.content.is_over:
            found.append(_("The period is not over yet: numbers of calls and votes will grow, and shares may move."))
        return found

    # ---- what changed
    def summary(self) -> list[str]:
        """What changed beyond noise, a sentence each; nothing else."""
        language, content = self.language, self.content
        _ = language.gettext
        if content.order.cut == "operator":
            return []
        if not content.now.votes:
            called = language.ngettext(
                "%(n)s client was called, none voted.", "%(n)s clients were called, none voted.", content.now.calls
            )
            return [called % {"n": language.number(content.now.calls)}]
        if content.before is None and content.year_ago is None:
            return [_("There is no earlier period to compare with.")]
        found = shifts(content)
        sentences = [self._shift(each) for each in found.found[:MOST_SENTENCES]]
        left = len(found.found) - len(sentences)
        if left:
            more = language.ngettext(
                "%(n)s more change is in the workbook.", "%(n)s more changes are in the workbook.", left
            )
            sentences.append(more % {"n": language.number(left)})
        return (sentences or [_("No share changed by more than chance alone explains.")]) + self._responses()

    def summary_note(self) -> str:
        """How many comparisons stand behind the summary."""
        n = shifts(self.content).compared
        if not n:
            return ""
        text = self.language.ngettext(
            "%(n)s difference was looked at, of “Bad” and “Exemplary”.",
            "%(n)s differences were looked at, of “Bad” and “Exemplary”: all of it with the period before and with "
            "that of last year, each branch and service with the period before. In one report of twenty one of them "
            "would be named by chance.",
            n,
        )
        return text % {"n": self.language.number(n)}

    def _shift(self, shift: Shift) -> str:
        language = self.language
        _ = language.gettext
        assert shift.change.difference is not None
        assert shift.change.low is not None
        assert shift.change.high is not None
        rose = shift.change.difference > 0
        values = {
            "rating": self.names[shift.rating],
            "now": language.share(shift.now_share),
            "then": language.share(shift.then_share),
            "when": self.when(shift.then),
            "points": self.points(shift.change.difference),
            "low": self.points(shift.change.low),
            "high": self.points(shift.change.high),
        }
        if shift.place is None:
            text = (
                _(
                    "The share of “%(rating)s” rose from %(then)s (%(when)s) to %(now)s: %(points)s points "
                    "(95%%: %(low)s to %(high)s)."
                )
                if rose
                else _(
                    "The share of “%(rating)s” fell from %(then)s (%(when)s) to %(now)s: %(points)s points "
                    "(95%%: %(low)s to %(high)s)."
                )
            )
            return text % values
        values["place"] = self.name(shift.place)
        text = (
            _("%(place)s: the share of “%(rating)s” rose from %(then)s to %(now)s (%(points)s points).")
            if rose
            else _("%(place)s: the share of “%(rating)s” fell from %(then)s to %(now)s (%(points)s points).")
        )
        return text % values

    def _responses(self) -> list[str]:
        _ = self.language.gettext
        share = self.language.share
        rose = _("The response rate rose from %(then)s (%(when)s) to %(now)s.")
        fell = _("The response rate fell from %(then)s (%(when)s) to %(now)s.")
        moved = [
            (rose if each.now_share > each.then_share else fell)
            % {"then": share(each.then_share), "when": self.when(each.then), "now": share(each.now_share)}
            for each in response_shifts(self.content)
        ]
        if moved:
            moved[-1] += " " + _("Those who vote may be others than before.")
        return moved

    # ---- the whole
    def keyed(self) -> list[Key]:
        """The three shares; “Bad” and “Exemplary” lead."""
        _ = self.language.gettext
        now = self.content.now
        found = []
        for rating in RATINGS:
            count = getattr(now, rating)
            bounds = worst_case(count, now.votes, now.eligible)
            low_high = {"low": self.language.share(bounds[0]), "high": self.language.share(bounds[1])} if bounds else {}
            found.append(
                Key(
                    rating,
                    self.names[rating],
                    self.share(rating_figure(count, now.votes)),
                    self.interval(rating_figure(count, now.votes)),
                    self.count_of_votes(count),
                    _("worst case: %(low)s to %(high)s") % low_high if low_high else "",
                )
            )
        return found

    def worst_note(self) -> str:
        return self.language.gettext(
            "Worst case: between which shares of all clients who could vote the truth lies, whatever those think who "
            "did not vote."
        )

    def caution(self) -> str:
        """Whether there are too few votes, or too few of those who could vote, to say much."""
        _ = self.language.gettext
        now = self.content.now
        if 0 < now.votes < FEW_VOTES:
            return _("Few votes: these shares say next to nothing.")
        if now.eligible and now.votes / now.eligible < LOW_RESPONSE:
            return _("Low response rate: most clients did not vote, and they may think otherwise.")
        return ""

    def counts(self) -> list[tuple[str, str]]:
        """Calls, those left out, who could vote, votes, response rate."""
        _ = self.language.gettext
        now, number = self.content.now, self.language.number
        return [
            (_("Clients called"), number(now.calls)),
            (_("Could not vote"), number(now.calls - now.eligible)),
            (_("Could vote"), number(now.eligible)),
            (_("Voted"), number(now.votes)),
            (_("Response rate"), self.response(now)),
        ]

    def left_out_note(self) -> list[str]:
        """Why clients could not vote, in one sentence; nothing where all of them could."""
        now = self.content.now
        parts = left_out_words(left_out(now), self.language)
        if not parts:
            return []
        n = now.calls - now.eligible
        heading = self.language.ngettext(
            "%(n)s client who was called could not vote:", "%(n)s clients who were called could not vote:", n
        )
        return [f"{heading % {'n': self.language.number(n)}} {'; '.join(parts)}."]

    # ---- how things are written
    def name(self, thing: Named) -> str:
        return self.language.name_of(thing)

    def when(self, time: Time | None) -> str:
        return "" if time is None else self.language.period(time.span.first, self.content.order.period)

    def points(self, difference: float) -> str:
        """A difference of shares in percentage points, with its sign."""
        return format_decimal(difference * 100, format="+0.0;−0.0", locale=self.language.locale)

    def share(self, figure: RatingFigure) -> str:
        return self.language.share(figure.share)

    def interval(self, figure: RatingFigure) -> str:
        if figure.low is None or figure.high is None:
            return ""
        return self.language.interval(figure.low, figure.high)

    def bare(self, value: float | None) -> str:
        """A share in per cent without the sign, for a column that says so in its head."""
        if value is None:
            return EMPTY
        return format_decimal(value * 100, format="#,##0.0", locale=self.language.locale)

    def bare_interval(self, figure: RatingFigure) -> str:
        if figure.low is None or figure.high is None:
            return ""
        return f"{self.bare(figure.low)}–{self.bare(figure.high)}"

    def response(self, tally: Tally) -> str:
        return self.language.share(tally.votes / tally.eligible if tally.eligible else None)

    def count_of_votes(self, n: int) -> str:
        return self.language.ngettext("%(n)s vote", "%(n)s votes", n) % {"n": self.language.number(n)}

    def described(self, heading: str, values: Iterable[tuple[str, RatingFigure]]) -> str:
        """A chart for those who do not see it: what it shows, and every figure of it."""
        said = [f"{label}: {self.share(figure)}" for label, figure in values]
        return f"{heading}. " + "; ".join(said) + "."


def without_empty(lines: Sequence[Line]) -> list[Line]:
    """Lines that have a call, or stand for one that is hidden."""
    return [each for each in lines if each.hidden or each.now.calls]
