"""One change to a register, as a person asks for it: rename from a day, move, close, add. Pure.

What comes out is not yet checked as a whole: that is Register's own work (``Register.model_validate``). What goes on
with a closed thing is seen to here: a closed branch's desks close with it or move to the branch it was merged into,
and nobody stays assigned to a desk that is no more.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from schemas.register import Assignment, Dated, Entry, Register
from schemas.register_names import by_id, in_days
from schemas.register_rules import begins, ends

_DAY = timedelta(days=1)


class CannotEdit(ValueError):
    """What is asked makes no sense for this entry; str() says why, ``rule`` in one word."""

    def __init__(self, text: str, rule: str):
        super().__init__(text)
        self.rule = rule


def added(register: Register, part: str, entry: Entry) -> Register:
    """With one more row at the end. Raises CannotEdit if its id is taken."""
    name = getattr(entry, "id", None)
    if name is not None and name in by_id(getattr(register, part)):
        raise CannotEdit(f"the id {name!r} is taken, and an id names one thing for ever", "taken")
    return _with(register, part, (*getattr(register, part), entry))


def changed(register: Register, part: str, name: str, day: date | None, values: Mapping[str, Any]) -> Register:
    """With other ``values`` from ``day`` on, up to the next change that is planned already.

    Without a day its first row is corrected, and so is one that begins on that very day. Raises CannotEdit for an
    unknown thing, and pydantic's ValidationError for a value.
    """
    rows = _rows_of(register, part, name)
    row = in_days(rows, day, day)[-1] if day else rows[0]
    if day is None or row.valid_from == day:
        return _replaced(register, part, row, [_made(row, values)])
    if begins(row) > day:
        earlier = _made(row, {**values, "valid_from": day, "valid_to": begins(row) - _DAY, **_not_merged(row)})
        return _replaced(register, part, row, [earlier, row])
    if ends(row) < day:  # it was closed, and opens again
        reopened = _made(row, {**values, "valid_from": day, "valid_to": None, **_not_merged(row)})
        return _replaced(register, part, row, [row, reopened])
    before = row.model_copy(update={"valid_to": day - _DAY, **_not_merged(row)})
    return _replaced(register, part, row, [before, _made(row, {**values, "valid_from": day})])


def closed(register: Register, part: str, name: str, last: date, merged_into: str | None = None) -> Register:
    """With ``last`` as its last day; what was planned for later is dropped. Raises CannotEdit."""
    kept = [row for row in _rows_of(register, part, name) if begins(row) <= last]
    if not kept:
        raise CannotEdit("it begins only after that day", "later")
    end = kept[-1].model_copy(update={"valid_to": last})
    if part == "branches":
        end = end.model_copy(update={"merged_into": merged_into})
    rows = [row for row in getattr(register, part) if row.id != name or begins(row) <= last]
    register = _with(register, part, tuple(end if row is kept[-1] else row for row in rows))
    if part == "branches":
        register = _desks_follow(register, name, last, merged_into)
    return _seats_follow(register)


def assigned(register: Register, operator: str, desk: str | None, day: date) -> Register:
    """With ``operator`` at another desk from ``day`` on, or at none."""
    rows = []
    for row in register.assignments:
        if row.operator != operator or ends(row) < day:
            rows.append(row)
        elif begins(row) < day:
            rows.append(row.model_copy(update={"valid_to": day - _DAY}))
    if desk is not None:
        rows.append(Assignment(operator=operator, desk=desk, valid_from=day))
    return _with(register, "assignments", tuple(rows))


def without(register: Register, part: str, index: int) -> Register:
    """Without one row of what no figure rests on: hours and calendar. Raises CannotEdit."""
    rows = getattr(register, part)
    if part not in ("hours", "calendar") or not 0 <= index < len(rows):
        raise CannotEdit("there is no such row", "unknown")
    return _with(register, part, (*rows[:index], *rows[index + 1 :]))


def _rows_of(register: Register, part: str, name: str) -> list[Any]:
    rows = by_id(getattr(register, part)).get(name)
    if not rows:
        raise CannotEdit(f"there is no {name!r} in the register", "unknown")
    return rows


def _desks_follow(register: Register, branch: str, last: date, merged_into: str | None) -> Register:
    desks = []
    for desk in register.desks:
        if desk.branch != branch or ends(desk) <= last:
            desks.append(desk)
            continue
        if begins(desk) <= last:
            desks.append(desk.model_copy(update={"valid_to": last}))
        if merged_into is not None:
            day = max(begins(desk), last + _DAY)
            desks.append(desk.model_copy(update={"branch": merged_into, "valid_from": day}))
    return _with(register, "desks", tuple(desks))


def _seats_follow(register: Register) -> Register:
    """Assignments end with their operator or desk."""
    operators, desks = by_id(register.operators), by_id(register.desks)
    rows = []
    for row in register.assignments:
        others = [each[-1] for each in (operators.get(row.operator), desks.get(row.desk)) if each]
        last = min((ends(each) for each in others), default=ends(row))
        if begins(row) <= last:
            rows.append(row if ends(row) <= last else row.model_copy(update={"valid_to": last}))
    return _with(register, "assignments", tuple(rows))


def _made(row: Dated, values: Mapping[str, Any]) -> Dated:
    return type(row).model_validate({**dict(row), **values})


def _not_merged(row: Dated) -> dict[str, None]:
    return {"merged_into": None} if "merged_into" in type(row).model_fields else {}


def _replaced(register: Register, part: str, row: Dated, rows: list[Dated]) -> Register:
    found: list[Dated] = []
    for each in getattr(register, part):
        found += rows if each is row else [each]
    return _with(register, part, tuple(found))


def _with(register: Register, part: str, rows: tuple[Any, ...]) -> Register:
    return register.model_copy(update={part: rows})
