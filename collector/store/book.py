"""``Store.book``: the register with its history: reading it, changing it as a whole, going back to what it was.

Every change is a new revision, all or nothing, with its author. What has figures or votes cannot be left out, only
closed: its id must go on meaning what it meant. Names of operators are beside the register, in no revision.
"""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, Engine, exists, func, insert, select

from collector.errors import Declined, NotThere, OutOfTurn
from collector.store import names as operator_names
from collector.store import people, registry
from collector.store.engine import reading, writing
from schemas.periods import day_date, day_of
from schemas.register import Register
from schemas.register_tables import organisation, register_revision
from schemas.tables import rollup_day, vote

How = Literal["file", "import", "edit", "revert", "found"]
# The parts whose ids figures are kept under, and the cut and column of the roll-up that has them.
_COUNTED = (
    ("branches", "branch", "branch", rollup_day.c.branch),
    ("services", "service", "service", rollup_day.c.key),
    ("operators", "operator", "operator", rollup_day.c.key),
    ("desks", "desk", "desk", rollup_day.c.key),
)
_NOTE_CHARACTERS = 300


class Stale(OutOfTurn):
    """The register was changed meanwhile by somebody else."""


@dataclass(frozen=True, slots=True)
class Lost:
    """Something with figures that a new register leaves out: a part of Register and an id."""

    part: str
    word: str
    id: str


@dataclass(frozen=True, slots=True)
class Revision:
    """One register there was. ``how``: file, import, edit, revert, or found (of before revisions were kept)."""

    number: int
    at_unix_ms: int
    author: str
    how: str
    note: str


class Book:
    """Made by Store only. Safe to share between threads; every method is one transaction."""

    def __init__(self, engine: Engine):
        self._engine = engine
        self._whole: tuple[int, Register] | None = None
        self._view: tuple[int, int, Register] | None = None  # revision, day, register of that day

    # ---- reading
    def whole(self) -> tuple[int, Register]:
        """The revision and every row, past and future."""
        with reading(self._engine) as connection:
            current = registry.revision(connection)
            known = self._whole
            if known is None or known[0] != current:
                # Read after the number: if somebody writes in between, this copy is the one that looks old.
                known = self._whole = (current, registry.read(connection))
            return known

    def today(self, now_unix_ms: int | None = None) -> Register:
        """The register as it stands on the local day of its first branch."""
        current, register = self.whole()
        day = day_of(_now_unix_ms() if now_unix_ms is None else now_unix_ms, register.timezone)
        view = self._view
        if view is None or view[:2] != (current, day):
            view = self._view = (current, day, register.on(day_date(day)))
        return view[2]

    def revisions(self, limit: int = 100) -> list[Revision]:
        """The newest first."""
        columns = [column for column in register_revision.c if column.name != "snapshot"]
        question = select(*columns).order_by(register_revision.c.number.desc()).limit(limit)
        with reading(self._engine) as connection:
            return [Revision(*row) for row in connection.execute(question)]

    def at(self, number: int) -> Register:
        """The register of a revision. Raises NotThere."""
        with reading(self._engine) as connection:
            return _snapshot(connection, number)

    def lost(self, register: Register) -> list[Lost]:
        """What ``register`` leaves out although there are figures of it."""
        with reading(self._engine) as connection:
            return _lost(connection, registry.read(connection), register)

    # ---- changing
    def save(
        self,
        register: Register,
        *,
        author: str,
        how: How,
        note: str = "",
        expected: int | None = None,
        names: Mapping[str, str] | None = None,
    ) -> int:
        """Makes ``register`` the register; returns its revision, which is the one before if nothing changes.

        Args:
            expected: the revision that the change was made from.
            names: of all operators, to be known from now on; without it they stay as they are.

        Raises:
            Stale: ``expected`` is not the current revision.
            Declined: something with figures is left out.
        """
        with writing(self._engine) as connection:
            number = _save(connection, register, author=author, how=how, note=note, expected=expected)
            if names is not None:
                named = operator_names.read(connection)
                operator_names.write(connection, names, _ids(register.operators))
                if named != operator_names.read(connection):
                    _log(connection, author, "names of operators: changed")
            return number

    def names(self, reader: str) -> dict[str, str]:
        """The names of operators by id, once the reading is written down (order P4.8)."""
        with writing(self._engine) as connection:
            _log(connection, reader, "names of operators: read")
            return operator_names.read(connection)

    def name(self, operator: str, person: str, *, author: str) -> None:
        """Says who one operator is, or with "" forgets it; what others say of other operators meanwhile stays.

        Raises NotThere.
        """
        with writing(self._engine) as connection:
            connection.execute(select(organisation.c.revision).with_for_update())  # as _save does, for PostgreSQL
            known = _ids(registry.read(connection).operators)
            if operator not in known:
                raise NotThere(f"there is no operator {operator!r} in the register")
            before = operator_names.read(connection)
            after = {each: name for each, name in (before | {operator: person}).items() if name}
            if after != before:
                operator_names.write(connection, after, known)
                _log(connection, author, "names of operators: changed")

    def revert(self, number: int, *, author: str, expected: int | None = None) -> int:
        """Makes an earlier register the register again, as a new revision. Raises as ``save`` and ``at`` do."""
        with writing(self._engine) as connection:
            before = _snapshot(connection, number)
            note = f"as in revision {number}"
            return _save(connection, before, author=author, how="revert", note=note, expected=expected)

    def load_file(self, register: Register) -> int | None:
        """What a start does with its register file: loads it if it is new, keeps what was changed since if it is not.

        Returns the revision; None if both the file and the register changed, and the register was left as it is.
        """
        last_file = select(register_revision).where(register_revision.c.how == "file")
        with writing(self._engine) as connection:
            last = connection.execute(last_file.order_by(register_revision.c.number.desc()).limit(1)).one_or_none()
            if last is not None:
                file = registry.unpack(last.snapshot)
                if file == register:
                    return registry.revision(connection)
                if registry.read(connection) not in (file, register):
                    return None
            return _save(connection, register, author="register_file", how="file", note="", expected=None)


def _save(connection: Connection, register: Register, *, author: str, how: str, note: str, expected: int | None) -> int:
    # On PostgreSQL the row stays locked: of two who change at once one comes after the other.
    current = connection.execute(select(organisation.c.revision).with_for_update()).scalar() or 0
    if expected is not None and expected != current:
        raise Stale(f"the register is at revision {current} by now, and this was made from revision {expected}")
    before = registry.read(connection)
    if current and before == register:
        return current
    lost = _lost(connection, before, register)
    if lost:
        raise Declined("; ".join(f"the register lacks a {each.word} that has figures: {each.id}" for each in lost))
    now = _now_unix_ms()
    newest = connection.execute(select(func.max(register_revision.c.number))).scalar()
    if current and newest is None:
        _keep(connection, current, before, now, author="", how="found", note="")
    number = max(current, newest or 0) + 1
    registry.write(connection, register, number, now)
    operator_names.write(connection, operator_names.read(connection), _ids(register.operators))
    _keep(connection, number, register, now, author=author, how=how, note=note)
    return number


def _keep(
    connection: Connection, number: int, register: Register, now: int, *, author: str, how: str, note: str
) -> None:
    row = {"number": number, "at_unix_ms": now, "author": author[:80], "how": how, "note": note[:_NOTE_CHARACTERS]}
    connection.execute(insert(register_revision), row | {"snapshot": registry.pack(register)})


def _snapshot(connection: Connection, number: int) -> Register:
    its = select(register_revision.c.snapshot).where(register_revision.c.number == number)
    snapshot = connection.execute(its).scalar() if 0 < number < 2**31 else None
    if snapshot is None:
        raise NotThere(f"there is no revision {number} of the register")
    return registry.unpack(snapshot)


def _lost(connection: Connection, before: Register, after: Register) -> list[Lost]:
    found = []
    for part, word, cut, column in _COUNTED:
        gone = _ids(getattr(before, part)) - _ids(getattr(after, part))
        found += [Lost(part, word, each) for each in sorted(gone) if _has_figures(connection, cut, column, each)]
    return found


def _log(connection: Connection, who: str, what: str) -> None:
    people.log_access(connection, who, None, granted=True, question=what, now_unix_ms=_now_unix_ms())


def _ids(rows: Iterable[Any]) -> set[str]:
    return {row.id for row in rows}


def _has_figures(connection: Connection, cut: str, column: Any, name: str) -> bool:
    counted = exists().where(rollup_day.c.cut == cut, column == name)
    voted = exists().where(vote.c.desk == name)
    return bool(connection.execute(select(counted | voted if cut == "desk" else counted)).scalar())


def _now_unix_ms() -> int:
    return time.time_ns() // 1_000_000
