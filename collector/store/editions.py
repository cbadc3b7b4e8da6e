"""``Store.editions``: what was published, and the counts of a closed month that it is made of. Only ever added to.

What a content or a basis says is api/publication's business; here both are bytes. That nothing of them is changed is
not left to this file: the database itself refuses (migration 0012).
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, func, insert, select

from collector.errors import NotThere, OutOfTurn
from collector.rollup import amounts
from collector.store.engine import reading, snapshot, writing
from collector.store.recount import Scope, joined
from schemas.edition_tables import edition, edition_basis

Five = tuple[int, int, int, int, int]


class Counted(NamedTuple):
    """Counts of a month, ``yyyymm``, of one branch, service and giver: the operator, or the desk if none was named."""

    month: int
    branch: str
    service: str
    giver: str
    calls: int
    eligible: int
    bad: int
    good: int
    exemplary: int


@dataclass(frozen=True, slots=True)
class NewEdition:
    """What is to be published. ``reason``: of a correction. ``basis``: what it was made of, never shown."""

    period: str
    number: int
    made_unix_ms: int
    made_by: str
    reason: str
    revision: int
    ruleset: str
    method: str
    content: bytes
    basis: bytes


@dataclass(frozen=True, slots=True)
class Edition:
    """An edition without its content; ``digest`` is the content's SHA-256."""

    id: int
    period: str
    number: int
    made_unix_ms: int
    made_by: str
    reason: str
    revision: int
    ruleset: str
    method: str
    digest: str


_COLUMNS = [edition.c[field.name] for field in fields(Edition)]


class Editions:
    """Made by Store only. Every method is one transaction and raises as Store's do."""

    def __init__(self, engine: Engine):
        self._engine = engine

    # ---- for everybody
    def all(self) -> list[Edition]:
        """Every edition there is, in the order in which they were made."""
        with reading(self._engine) as connection:
            return [Edition(*row) for row in connection.execute(select(*_COLUMNS).order_by(edition.c.id))]

    def content(self, period: str, number: int) -> tuple[Edition, bytes]:
        """An edition with its content. Raises NotThere."""
        question = select(*_COLUMNS, edition.c.content).where(edition.c.period == period, edition.c.number == number)
        with reading(self._engine) as connection:
            row = connection.execute(question).one_or_none() if 0 < number < 2**31 else None
        if row is None:
            raise NotThere(f"there is no edition {number} of {period}")
        return Edition(*row[:-1]), bytes(row[-1])

    # ---- for whoever decides the next one
    def bases(self, year: int) -> list[tuple[Edition, bytes]]:
        """Every edition of a year's periods with what it was made of, in the order in which they were made."""
        question = (
            select(*_COLUMNS, edition_basis.c.basis)
            .join(edition_basis, edition_basis.c.edition == edition.c.id)
            .where(edition.c.period.startswith(f"{year:04}"))
            .order_by(edition.c.id)
        )
        with reading(self._engine) as connection:
            return [(Edition(*row[:-1]), bytes(row[-1])) for row in connection.execute(question)]

    def publish(self, new: Sequence[NewEdition]) -> list[Edition]:
        """Publishes them, all or none. Raises OutOfTurn if one of that period and number is there, or the one before is
        not: somebody else was faster.
        """
        with writing(self._engine) as connection:
            return [_publish(connection, each) for each in new]

    def counted(self, first_day: int, last_day: int) -> list[Counted]:
        """What happened on these local days, ``yyyymmdd``, both included, added up by month, branch, service and giver.

        It is counted from the rows as the roll-up counts them (collector/rollup.py); months that are archived are not
        in it.
        """
        scope = Scope(first_day=first_day, last_day=last_day)
        sums: dict[tuple[int, str, str, str], Five] = {}
        with snapshot(self._engine) as connection:
            for row, vote, unavailable in joined(connection, scope):
                if row is None:
                    continue
                key = (row.day // 100, row.branch, row.service or "", row.operator or f"desk {row.desk}")
                calls, eligible, bad, good, exemplary, *_ = amounts(row, vote, unavailable)
                sums[key] = _added(sums.get(key), (calls, eligible, bad, good, exemplary))
        return [Counted(*key, *more) for key, more in sorted(sums.items())]


def _publish(connection: Connection, new: NewEdition) -> Edition:
    highest = connection.execute(select(func.max(edition.c.number)).where(edition.c.period == new.period)).scalar() or 0
    if new.number != highest + 1:
        raise OutOfTurn(f"{new.period} has {highest} editions by now, and this would be number {new.number}")
    values: dict[str, Any] = {field.name: getattr(new, field.name) for field in fields(NewEdition)}
    basis = values.pop("basis")
    values["digest"] = hashlib.sha256(new.content).hexdigest()
    made = Edition(*connection.execute(insert(edition).values(values).returning(*_COLUMNS)).one())
    connection.execute(insert(edition_basis).values(edition=made.id, basis=basis))
    return made


def _added(one: Five | None, other: Five) -> Five:
    if one is None:
        return other
    return (one[0] + other[0], one[1] + other[1], one[2] + other[2], one[3] + other[3], one[4] + other[4])
