"""Who sat at which desk when: for queue systems that know operators and no desks. Pure.

An assignment holds from its first moment up to, and without, its last. Where two hold at once the one that began later
counts: a day's stand-in is written beside the lasting one and need not interrupt it. For a source that has a table of
its own, that table alone counts.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

ALWAYS_UNIX_MS, NEVER_UNIX_MS = 0, 1 << 62


@dataclass(frozen=True, slots=True)
class Seat:
    """Who it was, in our names, and at which of our desks, in ``from_unix_ms <= moment < to_unix_ms``."""

    operator: str
    desk: str
    from_unix_ms: int = ALWAYS_UNIX_MS
    to_unix_ms: int = NEVER_UNIX_MS


@dataclass(frozen=True, slots=True)
class Seats:
    """``by_operator``: the register's; ``by_source``: a source's own, by its name."""

    by_operator: Mapping[str, tuple[Seat, ...]] = field(default_factory=dict)
    by_source: Mapping[str, Mapping[str, tuple[Seat, ...]]] = field(default_factory=dict)

    @classmethod
    def of(cls, register: Iterable[Seat], sources: Mapping[str, Iterable[Seat]] | None = None) -> "Seats":
        return cls(_grouped(register), {name: _grouped(seats) for name, seats in (sources or {}).items()})

    def desk_of(self, source: str, operator: str, at_unix_ms: int) -> str | None:
        """Where ``operator`` sat at that moment; None if nobody has written it down: then no pad is meant."""
        table = self.by_source.get(source, self.by_operator)
        seat = seat_at(table.get(operator, ()), at_unix_ms)
        return seat.desk if seat else None


def seat_at(seats: Iterable[Seat], at_unix_ms: int) -> Seat | None:
    """The one of ``seats`` that held at that moment."""
    holding = [seat for seat in seats if seat.from_unix_ms <= at_unix_ms < seat.to_unix_ms]
    return max(holding, key=lambda seat: seat.from_unix_ms, default=None)


def days(first: date | None, last: date | None, timezone: str) -> tuple[int, int]:
    """From the first moment of the first day up to the end of the last, local; without a date it is open."""
    ends = last + timedelta(days=1) if last else None
    return _midnight(first, timezone, ALWAYS_UNIX_MS), _midnight(ends, timezone, NEVER_UNIX_MS)


def _midnight(day: date | None, timezone: str, without_unix_ms: int) -> int:
    if day is None:
        return without_unix_ms
    return int(datetime.combine(day, time(), ZoneInfo(timezone)).timestamp() * 1000)


def _grouped(seats: Iterable[Seat]) -> dict[str, tuple[Seat, ...]]:
    found: dict[str, tuple[Seat, ...]] = {}
    for seat in seats:
        found[seat.operator] = (*found.get(seat.operator, ()), seat)
    return found
