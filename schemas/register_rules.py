"""What must be true across the entries of a register. Pure: it names every entry at fault, and changes none.

Each rule is a generator of faults over the whole register; ``faults_of`` runs them all, so that a person who mends a
file sees everything at once.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from protocol.access import is_reserved

if TYPE_CHECKING:
    from schemas.register import Dated, Register

# Far outside the days that an entry may name, and with room for a day before and a day after.
ALWAYS, FOR_EVER = date(1900, 1, 1), date(2999, 12, 31)
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong with the ``index``-th entry of ``part`` (a field of Register), in ``field`` if it is one."""

    part: str
    index: int
    field: str
    text: str
    rule: str = ""  # which rule of this file, for whoever says it in other words
    about: str = ""  # the id of what the entry is about


class Unfit(ValueError):
    """Entries that do not fit together; ``faults`` has each of them."""

    def __init__(self, faults: "Sequence[Fault]"):
        super().__init__("; ".join(fault.text for fault in faults))
        self.faults = tuple(faults)


# What a part of the register is called in words, and the field that names a thing of it.
WORDS = {
    "branches": "branch",
    "directions": "direction",
    "services": "service",
    "desks": "desk",
    "participants": "participant",
    "operators": "operator",
}
# What must not differ when a closed thing is opened again: else the id would name something new.
_SAME = {
    "branches": ("name",),
    "directions": ("name",),
    "services": ("name",),
    "desks": ("branch",),
    "participants": ("name",),
    "operators": (),
}
# part, field, the part it names, and whether the row may only be valid while that is.
_REFERENCES = (
    ("branches", "merged_into", "branches", False),
    ("services", "direction", "directions", True),
    ("desks", "branch", "branches", True),
    ("operators", "participant", "participants", True),
    ("assignments", "operator", "operators", True),
    ("assignments", "desk", "desks", True),
    ("hours", "branch", "branches", False),
    ("calendar", "branch", "branches", False),
)


def faults_of(register: "Register") -> list[Fault]:
    """Everything that does not fit together, rule by rule."""
    return [
        replace(fault, rule=rule.__name__.strip("_"), about=_about(getattr(register, fault.part)[fault.index]))
        for rule in _RULES
        for fault in rule(register)
    ]


def weekdays(days: str) -> tuple[int, ...]:
    """The weekdays of "mon-fri" or "tue,thu", Monday is 0. Raises ValueError for anything else."""
    found: set[int] = set()
    for part in days.split(","):
        first, _, last = part.strip().partition("-")
        try:
            begin, end = WEEKDAYS.index(first), WEEKDAYS.index(last or first)
        except ValueError:
            raise ValueError(f"{part.strip()!r} is no weekday: mon, tue, wed, thu, fri, sat, sun, or mon-fri") from None
        if end < begin:
            raise ValueError(f"{part.strip()!r} runs backwards")
        found.update(range(begin, end + 1))
    return tuple(sorted(found))


def begins(row: "Dated") -> date:
    return row.valid_from or ALWAYS


def ends(row: "Dated") -> date:
    return row.valid_to or FOR_EVER


def _backwards(register: "Register") -> Iterator[Fault]:
    for part in (*WORDS, "assignments", "hours"):
        for index, row in enumerate(getattr(register, part)):
            if ends(row) < begins(row):
                yield Fault(part, index, "valid_to", f"{_called(part, row)} ends before it begins")


def _one_row_a_day(register: "Register") -> Iterator[Fault]:
    for part, word in WORDS.items():
        for name, rows in _by_id(getattr(register, part)).items():
            for (_, before), (index, after) in pairwise(rows):
                if begins(before) == begins(after):
                    yield Fault(part, index, "valid_from", f"the {word} {name!r} is there twice")
                elif ends(before) >= begins(after):
                    yield Fault(
                        part, index, "valid_from", f"the {word} {name!r} has two rows for {begins(after)}: "
                        f"the one before must end on {begins(after) - _DAY}",
                    )  # fmt: skip


def _ids_keep_their_meaning(register: "Register") -> Iterator[Fault]:
    for part, word in WORDS.items():
        for name, rows in _by_id(getattr(register, part)).items():
            for (_, before), (index, after) in pairwise(rows):
                if ends(before) >= begins(after) - _DAY:
                    continue
                for field in _SAME[part]:
                    if getattr(before, field) != getattr(after, field):
                        yield Fault(
                            part, index, field, f"the {word} {name!r} was closed on {ends(before)} and cannot come "
                            f"back as something else ({field}): give it a new id",
                        )  # fmt: skip


def _references(register: "Register") -> Iterator[Fault]:
    known: dict[str, dict[str, list[tuple[int, Any]]]] = {}
    for part, field, other, within in _REFERENCES:
        things = known.setdefault(other, _by_id(getattr(register, other)))
        for index, row in enumerate(getattr(register, part)):
            name = getattr(row, field)
            if name is None:
                continue
            if name not in things:
                yield Fault(part, index, field, f"{_called(part, row)} names an unknown {WORDS[other]} {name!r}")
            elif within:
                gap = _gap(begins(row), ends(row), [each for _, each in things[name]])
                if gap:
                    yield Fault(
                        part, index, field, f"{_called(part, row)} is valid {_when(gap)}, "
                        f"when there is no {WORDS[other]} {name!r}: end it before, or move it",
                    )  # fmt: skip


def _mergers(register: "Register") -> Iterator[Fault]:
    branches = _by_id(register.branches)
    for index, row in enumerate(register.branches):
        if row.merged_into is None:
            continue
        if row.valid_to is None or branches[row.id][-1][1] is not row:
            yield Fault("branches", index, "merged_into", f"the branch {row.id!r} is merged but goes on: set valid_to")
            continue
        target = branches.get(row.merged_into, [])
        if row.merged_into == row.id or (target and not any(each.holds(row.valid_to + _DAY) for _, each in target)):
            yield Fault(
                "branches", index, "merged_into",
                f"the branch {row.id!r} cannot be merged into {row.merged_into!r}: that is not there the day after",
            )  # fmt: skip


def _time_zones(register: "Register") -> Iterator[Fault]:
    for name, rows in _by_id(register.branches).items():
        for index, row in rows[1:]:
            if row.timezone != rows[0][1].timezone:
                yield Fault(
                    "branches", index, "timezone",
                    f"the branch {name!r} cannot change its time zone: its days would not add up",
                )  # fmt: skip


def _reserved(register: "Register") -> Iterator[Fault]:
    for index, desk in enumerate(register.desks):
        if is_reserved(desk.id):
            yield Fault(
                "desks", index, "id", f"a desk may not be called {desk.id!r}: that is a server's name at the broker"
            )


def _one_seat_a_day(register: "Register") -> Iterator[Fault]:
    seats: dict[str, list[tuple[int, Any]]] = {}
    for index, row in enumerate(register.assignments):
        seats.setdefault(row.operator, []).append((index, row))
    for name, rows in seats.items():
        rows.sort(key=lambda each: begins(each[1]))
        for (_, before), (index, after) in pairwise(rows):
            if ends(before) >= begins(after):
                yield Fault(
                    "assignments", index, "valid_from",
                    f"the operator {name!r} has two desks on {_date(begins(after))}: {before.desk} and {after.desk}",
                )  # fmt: skip


def _hours(register: "Register") -> Iterator[Fault]:
    by_branch: dict[tuple[str, int], list[tuple[int, Any]]] = {}
    for index, row in enumerate(register.hours):
        if row.opens >= row.closes:
            yield Fault("hours", index, "closes", f"{_called('hours', row)} close before they open")
        for weekday in weekdays(row.days):
            others = by_branch.setdefault((row.branch, weekday), [])
            for _, other in others:
                same_time = row.opens < other.closes and other.opens < row.closes
                if same_time and begins(row) <= ends(other) and begins(other) <= ends(row):
                    yield Fault("hours", index, "opens", f"{_called('hours', row)} are there twice")
            others.append((index, row))


def _calendar(register: "Register") -> Iterator[Fault]:
    seen: dict[tuple[date, str | None], list[Any]] = {}
    for index, row in enumerate(register.calendar):
        where = f"the calendar on {row.day}"
        timed = (row.opens is not None, row.closes is not None, row.as_day is not None)
        if row.kind == "closed" and any(timed):
            yield Fault("calendar", index, "kind", f"{where} is closed and has hours")
        elif row.kind == "open" and timed not in ((True, True, False), (False, False, True)):
            yield Fault("calendar", index, "kind", f"{where} needs opens and closes, or as_day")
        elif row.opens is not None and row.closes is not None and row.opens >= row.closes:
            yield Fault("calendar", index, "closes", f"{where} closes before it opens")
        others = seen.setdefault((row.day, row.branch), [])
        if any(each.opens == row.opens or None in (each.opens, row.opens) for each in others):
            yield Fault("calendar", index, "day", f"{where} is there twice")
        others.append(row)


_RULES: tuple[Callable[["Register"], Iterator[Fault]], ...] = (
    _backwards,
    _one_row_a_day,
    _ids_keep_their_meaning,
    _references,
    _mergers,
    _time_zones,
    _reserved,
    _one_seat_a_day,
    _hours,
    _calendar,
)


def _by_id(rows: Sequence[Any]) -> dict[str, list[tuple[int, Any]]]:
    """The rows of each thing with their places, oldest first."""
    found: dict[str, list[tuple[int, Any]]] = {}
    for index, row in enumerate(rows):
        found.setdefault(row.id, []).append((index, row))
    for rows_of_one in found.values():
        rows_of_one.sort(key=lambda each: begins(each[1]))
    return found


def _gap(first: date, last: date, rows: Sequence["Dated"]) -> tuple[date, date] | None:
    """The first days of ``first`` to ``last`` on which none of ``rows``, oldest first, is valid."""
    reached = first
    for row in rows:
        if begins(row) > reached:
            return reached, min(last, begins(row) - _DAY)
        if ends(row) >= last:
            return None
        reached = max(reached, ends(row) + _DAY)
    return (reached, last) if reached <= last else None


def _when(gap: tuple[date, date]) -> str:
    first, last = gap
    if last == FOR_EVER:
        return f"from {_date(first)} on"
    return f"until {last}" if first == ALWAYS else f"from {first} to {last}"


def _date(day: date) -> str:
    return "every day" if day == ALWAYS else day.isoformat()


def _about(row: Any) -> str:
    return next((str(getattr(row, name)) for name in ("id", "operator", "day", "branch") if hasattr(row, name)), "")


def _called(part: str, row: Any) -> str:
    match part:
        case "assignments":
            return f"the assignment of {row.operator!r} to {row.desk!r}"
        case "hours":
            return f"the hours of {row.branch!r} on {row.days} {row.opens}-{row.closes}"
        case "calendar":
            return f"the calendar on {row.day}"
    return f"the {WORDS[part]} {row.id!r}"
