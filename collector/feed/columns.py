"""What a row of somebody's table means, by a description in the settings: pure translation into our events.

For the many local systems with a log of their calls in a database or a CSV file (sql.py, csv_file.py). Two shapes:

    a row an event     ``time`` and ``event`` are columns; ``words`` says which of our events each of their words is
    a row a ticket     ``moments``: columns of times, each of which, when it is filled, is one of our events

A row may be shown any number of times: an event's id is made of the row's key, the kind and the moment. Ticket numbers
come back every day: the key of a ticket holds the day of its issue, or, where no column tells, of the event itself.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, model_validator

from collector.feed.body import ABOUT_OPERATORS, ABOUT_TICKETS
from collector.feed.calls import SUMMONS, pseudonym
from collector.feed.errors import BadSettings
from collector.feed.model import Event
from collector.feed.source import Replay, Site
from collector.feed.speech import Speech, shown
from protocol.fields import UNIX_MS
from schemas.register import Timezone
from schemas.webhook import NewsType
from schemas.wire import Name

MOST_AHEAD_MS = 86_400_000
Column = Annotated[str, Field(min_length=1, max_length=80)]


class Columns(BaseModel):
    """Which column says what, by the names in the query's or the file's first line; a file without one numbers from 1.

    [csv.columns]
    key = ["id"]              # tells a row from every other; without it, the whole row does
    time = "ts"
    event = "action"
    ticket = "number"
    desk = "window"           # or only `operator`, and the register says where they sit
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: tuple[Column, ...] = ()
    ticket: Column
    issued: Column | None = None
    time: Column | None = None
    event: Column | None = None
    moments: dict[Column, NewsType] = {}
    branch: Column | None = None
    desk: Column | None = None
    operator: Column | None = None
    service: Column | None = None

    @model_validator(mode="after")
    def _one_shape(self) -> Self:
        if bool(self.moments) == (self.time is not None or self.event is not None):
            raise ValueError("either `time` and `event`, for a row an event, or `moments`, for a row a ticket")
        if not self.moments and (self.time is None or self.event is None):
            raise ValueError("`time` and `event` go together")
        if self.desk is None and self.operator is None:
            raise ValueError("`desk` or `operator`: without either no pad is ever armed")
        return self

    def all(self) -> frozenset[str]:
        single = (self.ticket, self.issued, self.time, self.event, self.branch, self.desk, self.operator, self.service)
        return frozenset((*self.key, *self.moments, *(name for name in single if name is not None)))


class Table(BaseModel):
    """What [[sql]] and [[csv]] have in common. The keys of the tables are their words, the values ours."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[Name, Field(max_length=12)]
    columns: Columns
    words: dict[str, NewsType] = {}
    ignored: frozenset[str] = frozenset()  # words that mean nothing to us, so that they are not wondered at
    time_format: str = "iso"  # or unix, unix_ms, or as strptime has it: "%d.%m.%Y %H:%M:%S"
    timezone: Timezone = "Europe/Kyiv"  # of times that do not say it
    branch: Name | None = None  # of all rows, where no column tells
    branches: dict[str, Name] = {}
    desks: dict[str, Name] = {}
    operators: dict[str, Name] = {}
    services: dict[str, Name] = {}
    poll_seconds: Annotated[float, Field(ge=0.2, le=3600)] = 2.0
    late_hours: Annotated[int, Field(ge=1, le=168)] = 12  # what happened longer ago is not news any more

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if not self.columns.moments and not self.words:
            raise ValueError("words: which of our events is each word of the column `event`?")
        if self.branch is None and self.columns.branch is None and self.columns.desk is None:
            raise ValueError("branch: is missing, and no column `branch` or `desk` tells it")
        return self


@dataclass(frozen=True, slots=True)
class Said:
    events: Mapping[str, list[Event]]
    unknown: frozenset[str] = frozenset()
    unreadable: int = 0


Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Layout:
    """A table of the settings at this site. Raises BadSettings for names that the register does not have."""

    table: Table
    site: Site = field(repr=False)

    def __post_init__(self) -> None:
        table, site = self.table, self.site
        for key, branch in (("branch", table.branch), *((f"branches.{k}", v) for k, v in table.branches.items())):
            if branch is not None and branch not in site.branches:
                raise BadSettings(f"{table.name}.{key}: no branch of this feed is called {branch!r}")
        for key, desk in table.desks.items():
            if desk not in site.desks:
                raise BadSettings(f"{table.name}.desks.{key}: no desk of this feed is called {desk!r}")

    @property
    def spoken_branches(self) -> frozenset[str]:
        """The branches that rows of this table may be about."""
        named = {*self.table.branches.values(), *(self.site.desks[desk] for desk in self.table.desks.values())}
        return frozenset(named | ({self.table.branch} if self.table.branch else set())) or frozenset(self.site.branches)

    def translate(self, rows: Iterable[Row], now_unix_ms: int) -> Said:
        """What these rows say. A row that cannot be read is counted; a word that no table knows is wondered at."""
        speech, unreadable = Speech(self.table.name, self.site.ticket_secret), 0
        for row in rows:
            try:
                self._tell(speech, row, now_unix_ms)
            except ValueError as error:
                unreadable += 1
                speech.wonder(f"a row: {error}")
        events = {branch: _apart(said) for branch, said in speech.events.items()}
        return Said(events, frozenset(speech.unknown), unreadable)

    def to_record(self, rows: Iterable[Row]) -> list[dict[str, str | int | None]]:
        """Rows as they may be recorded: the columns we know, and a ticket's number as a pseudonym."""
        columns = self.table.columns
        found = []
        for row in rows:
            kept = {name: _plain(row[name]) for name in sorted(columns.all() & row.keys())}
            ticket = _text(row.get(columns.ticket))
            if ticket is not None and columns.ticket in kept:
                kept[columns.ticket] = pseudonym(self.site.ticket_secret, self.table.name, ticket)
            found.append(kept)
        return found

    def moment(self, value: object) -> int:
        """A time of theirs in Unix milliseconds. Raises ValueError."""
        if isinstance(value, datetime):
            at = value
        elif self.table.time_format in ("unix", "unix_ms"):
            number = Decimal(_text(value) or "x") if _is_number(value) else None
            if number is None:
                raise ValueError("a time that is no number")
            return int(number * (1000 if self.table.time_format == "unix" else 1))
        else:
            at = self._parsed(_text(value) or "")
        local = at if at.tzinfo else at.replace(tzinfo=ZoneInfo(self.table.timezone))
        return int(local.timestamp() * 1000)

    def _parsed(self, text: str) -> datetime:
        try:
            if self.table.time_format == "iso":
                return datetime.fromisoformat(text)
            return datetime.strptime(text, self.table.time_format)  # noqa: DTZ007 - the zone comes after
        except ValueError:
            raise ValueError("a time of another form than time_format says") from None

    def _tell(self, speech: Speech, row: Row, now_unix_ms: int) -> None:
        columns = self.table.columns
        missing = columns.all() - row.keys()
        if missing:
            raise ValueError(f"it has no column {shown(sorted(missing)[0])}")
        if columns.time is not None and columns.event is not None:
            word = _text(row[columns.event])
            if word in self.table.ignored:
                return
            kind = self.table.words.get(word or "")
            if kind is None:
                speech.wonder(f"the event {shown(word)} (left out)")
                return
            self._say(speech, row, kind, self.moment(row[columns.time]), now_unix_ms)
        for column, kind in columns.moments.items():
            if _text(row[column]) is not None:
                self._say(speech, row, kind, self.moment(row[column]), now_unix_ms)

    def _say(self, speech: Speech, row: Row, kind: str, at: int, now_unix_ms: int) -> None:
        if at > now_unix_ms + MOST_AHEAD_MS or UNIX_MS.problem(at):
            raise ValueError("a time before 2020, or more than a day ahead: time_format or timezone?")
        if at < now_unix_ms - self.table.late_hours * 3_600_000:
            return
        place = self._place(speech, row, kind, at)
        if place is None:
            return
        branch, desk, operator = place
        ticket = _text(row[self.table.columns.ticket])
        if ticket is None and kind in ABOUT_TICKETS:
            raise ValueError("it names no ticket")
        if kind in ABOUT_OPERATORS and desk is None and operator is None:
            return
        speech.say(
            branch,
            kind,
            at,
            (self._row_key(row), kind, at),
            ticket_key=self._ticket_key(branch, row, ticket, at) if ticket and kind in ABOUT_TICKETS else None,
            desk=desk,
            operator=operator,
            service=self._named(speech, row, "service", "its calls name no service"),
        )

    def _place(self, speech: Speech, row: Row, kind: str, at: int) -> tuple[str, str | None, str | None] | None:
        """Branch, desk and operator of a row; None, and wondered at, if it cannot be placed."""
        named = self._named(speech, row, "branch", "left out")
        if named is None and self.table.columns.branch is not None and _text(row[self.table.columns.branch]):
            return None
        operator = self._named(speech, row, "operator", "calls name no operator")
        desk = self._named(speech, row, "desk", "no pad is armed")
        if self.table.columns.desk is None and operator is not None and kind in (*SUMMONS, *ABOUT_OPERATORS):
            desk = self.site.seats.desk_of(self.table.name, operator, at)
        branch = named or self.table.branch or (self.site.desks[desk] if desk else None)
        if branch is None:
            return None
        if desk is not None and self.site.desks.get(desk) != branch:
            speech.wonder(f"desk {shown(desk)} in branch {branch} (no pad is armed)")
            desk = None
        if desk is None and kind in SUMMONS:
            if self.table.columns.desk is None:
                speech.wonder(f"where operator {shown(operator)} sits (no pad is armed)")
            return None
        return branch, desk, operator

    def _named(self, speech: Speech, row: Row, what: str, effect: str) -> str | None:
        column: str | None = getattr(self.table.columns, what)
        if column is None:
            return None
        table: Mapping[str, str] = getattr(self.table, "branches" if what == "branch" else what + "s")
        return speech.named(table, what, _text(row[column]), effect)

    def _row_key(self, row: Row) -> str:
        key = "\0".join(_text(row[name]) or "" for name in self.table.columns.key)
        whole = key if key.strip("\0") else "\0".join(_text(row[name]) or "" for name in sorted(row))
        if whole is key and len(key) <= 20 and key.isascii() and key.isalnum():
            return whole
        return hashlib.sha256(whole.encode(errors="surrogatepass")).hexdigest()[:24]

    def _ticket_key(self, branch: str, row: Row, ticket: str, at: int) -> str:
        issued = self.table.columns.issued
        if issued is not None and _text(row[issued]) is not None:
            at = self.moment(row[issued])
        zone = ZoneInfo(self.site.branches[branch].timezone)
        day = datetime.fromtimestamp(at / 1000, zone).date()
        secret = self.site.ticket_secret  # a ticket's number is stored nowhere as it is
        return f"{self.table.name}:{pseudonym(secret, branch, f'{ticket}/{day.isoformat()}')}"


def layout_of(table: Table, site: Site) -> Layout:
    """Raises BadSettings."""
    return Layout(table, site)


def replay_rows(layout: Layout) -> Replay:
    """Reads recordings of rows: each a list of objects, a key a column."""

    def replay(at_unix_ms: int, value: object) -> tuple[Mapping[str, Sequence[Event]], frozenset[str]]:
        if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
            raise ValueError("no recorded rows of a table")
        said = layout.translate(value, at_unix_ms)
        return said.events, said.unknown

    return replay


def _apart(events: Iterable[Event]) -> list[Event]:
    """Of one ticket, and a log of whole seconds, what stands later happened later: by a millisecond."""
    found: dict[str, Event] = {}
    same: dict[tuple[str | None, int], int] = {}
    for event in events:
        if event.event not in found:
            moment = (event.ticket_key, event.occurred_unix_ms)
            found[event.event] = replace(event, occurred_unix_ms=event.occurred_unix_ms + same.get(moment, 0))
            same[moment] = same.get(moment, 0) + 1
    return list(found.values())


def _plain(value: object) -> str | int | None:
    """A cell as JSON may hold it; times in ISO 8601."""
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    return _text(value)


def _text(value: object) -> str | None:
    """A cell as text; None for one that is empty. A whole number in a column of fractions is that number."""
    if value is None:
        return None
    if isinstance(value, float | Decimal) and value == int(value):
        value = int(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat() if value.tzinfo else value.isoformat()
    return str(value).strip() or None


def _is_number(value: object) -> bool:
    try:
        return Decimal(_text(value) or "x").is_finite()
    except ArithmeticError:
        return False
