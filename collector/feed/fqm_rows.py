"""What FQM's ticket rows mean: pure translation of a sweep over its processed tickets into our events. It asks nobody.

FQM has one transition, the pull: a row turns processed and gets a new ``pdt``. It knows no start, finish or desk. Which
desk it was follows from who pulled, by the office's own table; who is not in it arms no pad, never a random one.

    seen in a sweep                                 says
    a ticket not seen before                        called
    known, another pdt, same operator and office    recalled
    known, another pdt, other operator or office    called; transferred first, if it left its branch or all known desks
    known, another pdt, after it had left           called
    Unattended since the last sweep                 no_show, at the moment we saw it
    gone from two whole sweeps in a row             removed: set back to waiting, deleted, or its office was reset
    anything else, on_hold among it                 nothing

A ticket is (id, timestamp): after a wipe FQM gives ids and numbers anew. The client's name, which a row may hold, is
left out where the row is read and goes nowhere.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from collector.feed.calls import pseudonym
from collector.feed.model import Event
from collector.feed.seats import Seat, seat_at

GONE_AFTER = 2  # whole sweeps: one is not a snapshot, and a row may slip through between two of its requests
RECOVERED_MS = 4 * 3_600_000  # a first sweep takes a call that is younger for one that still goes on
KEPT_MS = 7 * 86_400_000  # a ticket pulled longer ago is neither remembered nor looked at; some offices never wipe


def _unix_ms(text: str) -> int:
    """FQM's times are naive and mean UTC."""
    moment = datetime.fromisoformat(text)
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def _time(text: str) -> str:
    _unix_ms(text)
    return text


class Pull(BaseModel):
    """One processed ticket, as far as we may and need to know it."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore", validate_by_name=True, validate_by_alias=True)

    id: Annotated[int, Field(ge=0, le=9_999_999_999)]
    timestamp: Annotated[str, Field(max_length=32), AfterValidator(_time)]
    pdt: Annotated[str, Field(max_length=32), AfterValidator(_time)]
    user: Annotated[int | None, Field(alias="pulledBy")]
    office: Annotated[int, Field(alias="office_id")]
    task: Annotated[int | None, Field(alias="task_id")]
    status: str

    @property
    def key(self) -> str:
        return f"{self.id}@{self.timestamp}"

    @property
    def unattended(self) -> bool:
        return self.status == "Unattended"


class Seen(BaseModel):
    """A ticket as the last sweep left it, and from how many whole sweeps it has been missing since."""

    model_config = ConfigDict(frozen=True)

    pull: Pull
    missing: int = 0

    @property
    def gone(self) -> bool:
        return self.missing >= GONE_AFTER


Snapshot = Mapping[str, Seen]
_SNAPSHOT = TypeAdapter(dict[str, Seen])


@dataclass(frozen=True, slots=True)
class Names:
    """One FQM's numbers in our names. ``desk_branches`` says where each of our desks stands, ``seats`` who a user of
    FQM's is here and at which of them, when.
    """

    source: str
    offices: Mapping[int, str]
    seats: Mapping[int, Sequence[Seat]]
    services: Mapping[int, str]
    desk_branches: Mapping[str, str]
    ticket_secret: str = field(repr=False)

    def branch(self, pull: Pull) -> str | None:
        return self.offices.get(pull.office)

    def seat(self, pull: Pull) -> Seat | None:
        """The seat of whoever pulled; None if nobody knows it, or if it stands in another branch than the ticket."""
        seat = seat_at(self.seats.get(pull.user, ()), _unix_ms(pull.pdt)) if pull.user is not None else None
        return seat if seat and self.desk_branches[seat.desk] == self.branch(pull) else None


@dataclass(frozen=True, slots=True)
class Said:
    """What a sweep says: events by branch, the new snapshot, and which of FQM's numbers our table does not know."""

    snapshot: Snapshot
    events: Mapping[str, Sequence[Event]]
    unknown: frozenset[str] = frozenset()


def read_rows(rows: Sequence[object]) -> tuple[list[Pull], int]:
    """The processed tickets among rows of FQM's list, and how many rows could not be read."""
    pulls, unreadable = [], 0
    for row in rows:
        if isinstance(row, dict) and (row.get("p") is not True or row.get("pdt") is None):
            continue  # waiting, or one of FQM's own
        try:
            pulls.append(Pull.model_validate(row))
        except ValidationError:
            unreadable += 1
    return pulls, unreadable


def translate(names: Names, before: Snapshot | None, pulls: Sequence[Pull], *, whole: bool, now_unix_ms: int) -> Said:
    """What changed between ``before`` and this sweep, oldest first.

    Args:
        before: the last snapshot; None at the very first sweep, which says only whom each desk has called last.
        whole: the sweep read every row, so that what is missing from it is missing there.
    """

    def lately(pull: Pull, within_ms: int = KEPT_MS) -> bool:
        return _unix_ms(pull.pdt) >= now_unix_ms - within_ms

    current = {pull.key: pull for pull in sorted(pulls, key=lambda pull: pull.pdt) if lately(pull)}  # once each
    speech = _Speech(names, now_unix_ms)
    if before is None:
        for pull in {pull.user: pull for pull in current.values()}.values():
            if lately(pull, RECOVERED_MS):
                speech.pulled(None, pull)
        return speech.said({key: Seen(pull=pull) for key, pull in current.items()})
    after = {key: seen for key, seen in before.items() if lately(seen.pull)}
    if whole:
        for key in sorted(after.keys() - current.keys()):
            after[key] = Seen(pull=after[key].pull, missing=min(after[key].missing + 1, GONE_AFTER))
            if after[key].gone and not before[key].gone:
                speech.about(after[key].pull, "removed", "gone", now_unix_ms)
    for key, pull in current.items():
        speech.pulled(before.get(key), pull)
        after[key] = Seen(pull=pull)
    return speech.said(after)


def dump(snapshot: Snapshot) -> bytes:
    return _SNAPSHOT.dump_json(dict(snapshot))


def restore(snapshot: bytes) -> Snapshot:
    """Raises ValueError for bytes that ``dump`` did not make."""
    return _SNAPSHOT.validate_json(snapshot)


class _Speech:
    """Collects what one sweep says."""

    def __init__(self, names: Names, now_unix_ms: int):
        self._names = names
        self._now_unix_ms = now_unix_ms
        self._events: dict[str, list[Event]] = {}
        self._unknown: set[str] = set()

    def said(self, snapshot: Snapshot) -> Said:
        return Said(snapshot, self._events, frozenset(self._unknown))

    def pulled(self, seen: Seen | None, pull: Pull) -> None:
        known = seen.pull if seen else None
        if known is None or known.pdt != pull.pdt:
            at = _unix_ms(pull.pdt)
            here = self._names.seat(pull)
            if known and (here is None or self._names.branch(known) != self._names.branch(pull)):
                self.about(known, "transferred", "moved", at)
            same = known and not (seen and seen.gone) and (known.user, known.office) == (pull.user, pull.office)
            if here:
                self.about(pull, "recalled" if same else "called", None, at, here)
            else:
                self._wonder(pull)
        elif known.unattended:
            return
        if pull.unattended:
            self.about(pull, "no_show", "unattended", max(self._now_unix_ms, _unix_ms(pull.pdt)))

    def about(self, pull: Pull, kind: str, suffix: str | None, at_unix_ms: int, seat: Seat | None = None) -> None:
        names, branch = self._names, self._names.branch(pull)
        if branch is None:
            return
        if pull.task is not None and pull.task not in names.services:
            self._unknown.add(f"task {pull.task} (its calls name no service)")
        ticket_key = f"{names.source}:{pull.key}"
        parts = (names.source, pull.id, _unix_ms(pull.timestamp), _unix_ms(pull.pdt), suffix)
        event = Event(
            event=":".join(str(part) for part in parts if part is not None),
            type=kind,
            occurred_unix_ms=at_unix_ms,
            desk=seat.desk if seat else None,
            ticket_key=ticket_key,
            ticket=pseudonym(names.ticket_secret, branch, ticket_key),
            operator=seat.operator if seat else None,
            service=names.services.get(pull.task) if pull.task is not None else None,
        )
        self._events.setdefault(branch, []).append(event)

    def _wonder(self, pull: Pull) -> None:
        if self._names.branch(pull) is None:
            self._unknown.add(f"office {pull.office} (no pad is armed)")
        else:
            self._unknown.add(f"user {pull.user} in office {pull.office} (no pad is armed)")
