"""What things were called, and where people belonged, on the days of a figure. Pure.

A figure carries the names of its own days. A thing that was renamed within them carries both, old before new.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from schemas.register import Branch, Operator, Register
from schemas.register_rules import begins, ends

ARROW = " → "
Names = tuple[str, str]  # Ukrainian, English


def by_id(rows: Iterable[Any]) -> dict[str, list[Any]]:
    """The rows of each thing, oldest first; things in the register's order."""
    found: dict[str, list[Any]] = {}
    for row in rows:
        found.setdefault(row.id, []).append(row)
    for mine in found.values():
        mine.sort(key=begins)
    return found


def in_days(rows: Sequence[Any], first: date, last: date) -> list[Any]:
    """Those of a thing's rows, oldest first, that are valid on any of these days; without one, the nearest before."""
    within = [row for row in rows if begins(row) <= last and first <= ends(row)]
    before = [row for row in rows if ends(row) < first]
    return within or before[-1:] or list(rows[:1])


def names_in(rows: Sequence[Any], first: date, last: date) -> Names:
    """A thing's names on these days: "old → new" if it was renamed within them."""
    valid = in_days(rows, first, last)
    return joined(row.name for row in valid), joined(row.name_en for row in valid)


def labels_in(rows: Sequence[Any], first: date, last: date) -> str:
    """The same of a desk, which has a label."""
    return joined(row.label for row in in_days(rows, first, last))


def joined(names: Iterable[str]) -> str:
    """Names one after another, each once; what was joined before comes apart again."""
    return ARROW.join(dict.fromkeys(part for name in names for part in name.split(ARROW)))


def merged_into(branches: Iterable[Branch]) -> Mapping[str, str]:
    """Of the branches that were merged: where they are now, through any number of mergers."""
    step = {row.id: row.merged_into for row in branches if row.merged_into is not None}
    found = {}
    for name in step:
        target, passed = step[name], {name}
        while target in step and target not in passed:
            passed.add(target)
            target = step[target]
        found[name] = target
    return found


class Employers:
    """Which organisation an operator belonged to on a day."""

    def __init__(self, register: Register):
        self._rows: dict[str, list[Operator]] = by_id(register.operators)

    def of(self, operator: str, day: date) -> str | None:
        """The participant's id; None for the centre's own people and for whom the register does not know."""
        for row in self._rows.get(operator, ()):
            if row.holds(day):
                return row.participant
        return None


def known_by(register: Register, part: str, day: date) -> tuple[Any, ...]:
    """One row of every thing there ever was: the one of ``day``, else the nearest before, else the first."""
    return tuple(in_days(rows, day, day)[0] for rows in by_id(getattr(register, part)).values())
