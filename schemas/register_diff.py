"""What one register says and another does not, row by row and field by field. Pure; it writes no sentences.

A row is found again by its key: what it names and the day it begins. Rows without a partner are paired once more by
what they name alone, so that a corrected first day reads as a change of that day and not as one row less and one more.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from schemas.register import Entry, Register

Kind = Literal["added", "changed", "closed", "removed", "reordered"]
# The fields that name the thing of a row; with its first day they are its key.
NAMING: Mapping[str, tuple[str, ...]] = {
    "branches": ("id",),
    "directions": ("id",),
    "services": ("id",),
    "desks": ("id",),
    "participants": ("id",),
    "operators": ("id",),
    "assignments": ("operator", "desk"),
    "hours": ("branch", "days", "opens"),
    "calendar": ("day", "branch", "opens"),
}


@dataclass(frozen=True, slots=True)
class FieldChange:
    field: str
    old: Any
    new: Any


@dataclass(frozen=True, slots=True)
class Change:
    """One row that differs; ``part`` is a field of Register, ``name`` what the row is about, in its own words.

    Of an added or removed row ``fields`` has every value that is not empty, of a changed one those that differ.
    """

    part: str
    kind: Kind
    name: tuple[Any, ...]
    fields: tuple[FieldChange, ...]


def differences(before: Register, after: Register) -> list[Change]:
    """Everything that turns ``before`` into ``after``, part by part; empty exactly if they are equal."""
    found: list[Change] = []
    organisation = _changed_fields(before.organisation, after.organisation)
    if organisation:
        found.append(Change("organisation", "changed", (), organisation))
    for part in NAMING:
        found += _of_part(part, getattr(before, part), getattr(after, part))
    return found


def _of_part(part: str, before: Sequence[Entry], after: Sequence[Entry]) -> list[Change]:
    old, new = _keyed(part, before), _keyed(part, after)
    pairs = {new_key: (old[new_key], new[new_key]) for new_key in new if new_key in old}
    lone = [key for key in old if key not in new]
    for key in new:
        if key in old:
            continue
        partner = next((each for each in lone if each[:-1] == key[:-1]), None)
        if partner is not None:
            lone.remove(partner)
            pairs[key] = (old[partner], new[key])
    found = []
    for key, row in new.items():
        if key not in pairs:
            found.append(Change(part, "added", _name(part, row), _all_fields(row, added=True)))
        elif changed := _changed_fields(*pairs[key]):
            found.append(Change(part, _kind(changed), _name(part, row), changed))
    found += [Change(part, "removed", _name(part, old[key]), _all_fields(old[key], added=False)) for key in lone]
    if not found and tuple(before) != tuple(after):
        found.append(Change(part, "reordered", (), ()))
    return found


def _kind(changed: tuple[FieldChange, ...]) -> Kind:
    ends = [each for each in changed if each.field == "valid_to"]
    is_closed = bool(ends) and ends[0].old is None and {each.field for each in changed} <= {"valid_to", "merged_into"}
    return "closed" if is_closed else "changed"


def _keyed(part: str, rows: Iterable[Entry]) -> dict[tuple[Any, ...], Entry]:
    # A calendar's day is no first day, but it stands in its name already.
    return {(*_name(part, row), getattr(row, "valid_from", None)): row for row in rows}


def _name(part: str, row: Entry) -> tuple[Any, ...]:
    return tuple(getattr(row, field) for field in NAMING[part])


def _changed_fields(old: Entry, new: Entry) -> tuple[FieldChange, ...]:
    before, after = dict(old), dict(new)
    return tuple(FieldChange(name, before[name], after[name]) for name in before if before[name] != after[name])


def _all_fields(row: Entry, *, added: bool) -> tuple[FieldChange, ...]:
    values = [(name, value) for name, value in dict(row).items() if value not in (None, False)]
    return tuple(FieldChange(name, None if added else value, value if added else None) for name, value in values)
