"""``Store.upkeep``: what those who run the collector ask of its database, and the book of what they did to it.

vitals()             what ``/metrics`` shows of the database, cheap at any size
recount(), repair()  the figures against the rows; only ``repair`` changes one, and enters each change in the book
gaps()               numbers of votes that are missing, as after a backup was put back
note(), last()       the book: backups, restores, recounts, corrections
"""

import time
from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import Connection, Engine, func, insert, select

from collector.gaps import Gap
from collector.rollup import Joined
from collector.served import Sums
from collector.store import months, numbers, served
from collector.store.engine import reading, snapshot, writing
from collector.store.ledger import lock_everything
from collector.store.recount import EVERYTHING, Difference, Progress, Recounted, Scope, correct, recount
from schemas.tables import call, kept, waiting
from schemas.upkeep_tables import upkeep

BACKUP, RESTORE, RECOUNT, REPAIR = WHATS = ("backup", "restore", "recount", "repair")


class Entry(NamedTuple):
    """One entry of the book; ``amount``: bytes saved, differences found, rows corrected, votes put back."""

    at_unix_ms: int
    what: str
    who: str
    ok: bool
    amount: int
    detail: str


class Vitals(NamedTuple):
    """``kept``: rows by reason, ``kept_times``: how often they came; ``book``: the last entry of each kind."""

    waiting: int
    oldest_waiting_unix_ms: int | None
    kept: dict[str, int]
    kept_times: dict[str, int]
    book: dict[str, Entry]
    last_backup_unix_ms: int | None  # the last that succeeded


class Upkeep:
    """Made by Store only. Every method is one transaction and raises as Store's do."""

    def __init__(self, engine: Engine):
        self._engine = engine

    def vitals(self) -> Vitals:
        with reading(self._engine) as connection:
            number, oldest = connection.execute(select(func.count(), func.min(waiting.c.since_unix_ms))).one()
            by_reason = connection.execute(
                select(kept.c.reason, func.count(), func.sum(kept.c.times)).group_by(kept.c.reason)
            ).all()
            book = {what: entry for what in WHATS if (entry := _last(connection, what))}
            good = _last(connection, BACKUP, ok=True)
        return Vitals(
            number,
            oldest,
            {reason: rows for reason, rows, _ in by_reason},
            {reason: int(times) for reason, _, times in by_reason},
            book,
            good.at_unix_ms if good else None,
        )

    def recount(
        self,
        scope: Scope = EVERYTHING,
        progress: Progress = lambda done, of: None,
        filed: Iterable[Joined] | None = None,
    ) -> Recounted:
        """Counts ``scope`` again, as it is at one moment, while others may go on writing. Changes nothing.

        ``filed`` holds the calls of all archived months (collector/archive.py); without it their days are left out.
        """
        with snapshot(self._engine) as connection:
            return recount(connection, scope, progress, filed)

    def repair(
        self,
        who: str,
        scope: Scope = EVERYTHING,
        progress: Progress = lambda done, of: None,
        filed: Iterable[Joined] | None = None,
    ) -> list[Difference]:
        """Counts ``scope`` again while nobody else can write, and makes the roll-up say what the rows do.

        ``filed`` as for ``recount``. Every change is entered in the book with what stood there before.
        """
        with writing(self._engine) as connection:
            lock_everything(connection)
            counted = recount(connection, scope, progress, filed)
            correct(connection, counted.differences)
            for month in sorted({month for month, _ in counted.months}):
                months.make(connection, month, months.edge(connection))
            for month in sorted({month for month, _ in counted.served}):
                served.write(connection, month, counted.sums or Sums())
            now = time.time_ns() // 1_000_000
            for said in (
                *map(str, counted.differences),
                *(sentence for _, sentence in (*counted.months, *counted.served)),
            ):
                note(connection, Entry(now, REPAIR, who, True, 1, said))
        return counted.differences

    def branches_called_since(self, call_id: str) -> set[str]:
        """Branches of calls whose ids are not less than ``call_id``."""
        with reading(self._engine) as connection:
            return set(connection.scalars(select(call.c.branch).where(call.c.id >= call_id).distinct()))

    def gaps(self, since_unix_ms: int = 0) -> list[Gap]:
        """Numbers that no vote and nothing kept has, among votes for calls from ``since_unix_ms`` on."""
        with snapshot(self._engine) as connection:
            return numbers.gaps(connection, since_unix_ms)

    def note(self, what: str, who: str, *, ok: bool, amount: int, detail: str = "") -> None:
        """Enters into the book that ``who`` did ``what`` now."""
        with writing(self._engine) as connection:
            note(connection, Entry(time.time_ns() // 1_000_000, what, who, ok, amount, detail))

    def last(self, what: str, *, ok: bool | None = None) -> Entry | None:
        """The newest entry about ``what``, if asked only of those that went well or wrong."""
        with reading(self._engine) as connection:
            return _last(connection, what, ok=ok)


def note(connection: Connection, entry: Entry) -> None:
    fields = entry._asdict() | {"who": entry.who[:80], "detail": entry.detail[:400]}
    connection.execute(insert(upkeep).values(fields))


def _last(connection: Connection, what: str, *, ok: bool | None = None) -> Entry | None:
    question = select(*[upkeep.c[name] for name in Entry._fields]).where(upkeep.c.what == what)
    if ok is not None:
        question = question.where(upkeep.c.ok.is_(ok))
    row = connection.execute(question.order_by(upkeep.c.at_unix_ms.desc(), upkeep.c.id.desc()).limit(1)).first()
    return Entry(*row) if row else None
