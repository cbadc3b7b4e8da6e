"""The office's register: branches, services, desks, organisations and operators, each with the days it is valid.

It reads no file and knows no database. Checks across entries stand in schemas/register_rules.py.

Rules of the file
1.  An entry is one row of a thing that its id names, valid from ``valid_from`` to ``valid_to``, both inside it, in
    local days of the branch. Without ``valid_from`` it always was, without ``valid_to`` it goes on. A thing that
    changes has a row before and a row after, with the same id: a renamed service, a desk that moved.
2.  What is true of a call is what is valid on the call's local day.
3.  An id names one thing for ever. What is no more is closed (``valid_to``), not left out.
4.  No person's name is in a register: an operator is an id. Names are apart (collector/store/book.py).
5.  In the TOML file names of lists are singular, as TOML writes lists of tables: ``[organisation]``, ``[[branch]]``,
    ``[[service]]``, ``[[desk]]``. Unknown keys are refused. A file without any dates is a register too.
"""

from collections.abc import Iterable
from datetime import date, time
from typing import Annotated, Literal, Self, TypeVar
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from protocol.fields import NAME
from schemas.register_rules import Unfit, faults_of, weekdays


def _legal_id(value: str) -> str:
    problem = NAME.problem(value)
    if problem:
        raise ValueError(f"the id {problem} (a-z, 0-9 and inner hyphens)")
    return value


def _known_timezone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ValueError, OSError, LookupError):  # illegal path, a directory, no such zone
        raise ValueError(f"{value!r} is not a time zone of the IANA database") from None
    return value


def _legal_time(value: str) -> str:
    try:
        time.fromisoformat(value)
    except ValueError:
        raise ValueError(f"{value!r} is not a time of day HH:MM") from None
    return value


def _printable(value: str) -> str:
    if not value.isprintable():
        raise ValueError("has a character that cannot be printed, perhaps a line break")
    return value


def _legal_days(value: str) -> str:
    weekdays(value)
    return value


Day = Annotated[date, Field(ge=date(2000, 1, 1), le=date(2100, 12, 31))]
Id = Annotated[str, AfterValidator(_legal_id)]
Timezone = Annotated[str, Field(max_length=60), AfterValidator(_known_timezone)]
TimeOfDay = Annotated[str, StringConstraints(pattern=r"^\d\d:\d\d$"), AfterValidator(_legal_time)]
Text = Annotated[
    str, StringConstraints(min_length=1, max_length=120, strip_whitespace=True), AfterValidator(_printable)
]
LongText = Annotated[
    str, StringConstraints(min_length=1, max_length=300, strip_whitespace=True), AfterValidator(_printable)
]
Label = Annotated[
    str, StringConstraints(min_length=1, max_length=40, strip_whitespace=True), AfterValidator(_printable)
]
# One weekday, a range or a list of them: "mon", "mon-fri", "tue,thu".
Weekdays = Annotated[str, Field(max_length=40), AfterValidator(_legal_days)]
# Order P1.2: administrators, state administrators, and employees of the organisations that take part.
OperatorKind = Literal["administrator", "state_administrator", "participant"]


class Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, validate_by_name=True, validate_by_alias=True)


class Dated(Entry):
    """One row of something, valid from ``valid_from`` to ``valid_to``; see the file's rule 1."""

    valid_from: Day | None = None
    valid_to: Day | None = None

    def holds(self, day: date) -> bool:
        return (self.valid_from is None or self.valid_from <= day) and (self.valid_to is None or day <= self.valid_to)


class Organisation(Entry):
    """Whose centre it is. ``simulated`` makes every page say that nothing in it is about anybody."""

    name: Text
    name_en: Text
    simulated: bool = False


class Branch(Dated):
    """A branch; at ``day_ends``, local time, the feed closes what the queue left open.

    ``complaints_book`` tells clients where the book of complaints and proposals lies (order P3.4), in both languages.
    ``merged_into``: the branch that took this one in on the day after its last, ``valid_to``.
    """

    id: Id
    name: Text
    name_en: Text
    timezone: Timezone = "Europe/Kyiv"
    day_ends: TimeOfDay = "20:00"
    complaints_book: LongText | None = None
    complaints_book_en: LongText | None = None
    merged_into: Id | None = None

    @model_validator(mode="after")
    def _both_languages_or_none(self) -> Self:
        if (self.complaints_book is None) != (self.complaints_book_en is None):
            raise ValueError("complaints_book and complaints_book_en: one without the other")
        return self


class Direction(Dated):
    """A direction of services: the cut in which order P4.3 asks for reports."""

    id: Id
    name: Text
    name_en: Text


class Service(Dated):
    """``no_call``: its clients are called but not served at a desk, so there is nothing to rate (a form handed out)."""

    id: Id
    name: Text
    name_en: Text
    direction: Id | None = None
    no_call: bool = False


class Desk(Dated):
    """A desk; ``label`` is what stands on it. Its id is the pad's name at the broker, unique in the organisation."""

    id: Id
    branch: str
    label: Label


class Participant(Dated):
    """An organisation that works in the centre with employees of its own (order P1.1)."""

    id: Id
    name: Text
    name_en: Text


class Operator(Dated):
    """Somebody who serves, under a pseudonym; ``participant`` employs them, or the centre itself if there is none."""

    id: Id
    kind: OperatorKind = "administrator"
    participant: Id | None = None


class Assignment(Dated):
    """Who sits where, for queue systems that know operators but no desks."""

    operator: Id
    desk: Id


class Hours(Dated):
    """When a branch serves on some weekdays, local time; a lunch break makes two of them."""

    branch: Id
    days: Weekdays
    opens: TimeOfDay
    closes: TimeOfDay


class CalendarDay(Entry):
    """A day unlike its weekday: closed, or open at other hours or as another weekday; everywhere without ``branch``.

    Whether a public holiday is a day off is for the office to say, never for the program: under martial law it is not.
    """

    day: Day
    kind: Literal["closed", "open"]
    branch: Id | None = None
    as_day: Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"] | None = None
    opens: TimeOfDay | None = None
    closes: TimeOfDay | None = None
    note: Text | None = None


class Register(Entry):
    """Every row of everything, in the file's order; ``on`` gives the register as it stands on one day."""

    organisation: Organisation
    branches: tuple[Branch, ...] = Field(default=(), alias="branch", strict=False)
    directions: tuple[Direction, ...] = Field(default=(), alias="direction", strict=False)
    services: tuple[Service, ...] = Field(default=(), alias="service", strict=False)
    desks: tuple[Desk, ...] = Field(default=(), alias="desk", strict=False)
    participants: tuple[Participant, ...] = Field(default=(), alias="participant", strict=False)
    operators: tuple[Operator, ...] = Field(default=(), alias="operator", strict=False)
    assignments: tuple[Assignment, ...] = Field(default=(), alias="assignment", strict=False)
    hours: tuple[Hours, ...] = Field(default=(), strict=False)
    calendar: tuple[CalendarDay, ...] = Field(default=(), strict=False)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        faults = faults_of(self)
        if faults:
            raise Unfit(faults)
        return self

    @property
    def timezone(self) -> str:
        """The office's own: its first branch's, and UTC as long as there is none."""
        return self.branches[0].timezone if self.branches else "UTC"

    def on(self, day: date) -> "Register":
        """The register of one day: of every thing the row valid on it, and nothing that is not there on it."""
        kept = {name: valid_on(getattr(self, name), day) for name in DATED}
        return self.model_copy(update=kept)


E = TypeVar("E", bound=Dated)
# The lists of a register whose rows have days; the calendar has its own.
DATED = ("branches", "directions", "services", "desks", "participants", "operators", "assignments", "hours")


def valid_on(rows: Iterable[E], day: date) -> tuple[E, ...]:
    return tuple(row for row in rows if row.holds(day))


def desks_by_branch(register: Register) -> dict[str, tuple[str, ...]]:
    """Each branch's desks, as protocol.access wants them: all that were ever there, for a late vote finds its way."""
    desks = {
        branch.id: dict.fromkeys(d.id for d in register.desks if d.branch == branch.id) for branch in register.branches
    }
    return {branch: tuple(names) for branch, names in desks.items()}
