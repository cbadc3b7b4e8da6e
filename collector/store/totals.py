"""``Store.totals``: the coarser roll-ups that the night makes out of the daily one, and the comparison of all of them.

consolidate()               the days of before today, into the coarser levels (collector/store/months.py), and how long
                            their calls took and who was called for (collector/store/served.py)
mix(), make_mix()           what was rated how by operator, service and hour (collector/store/mix.py)
reconcile(), reconciled()   sums against sums, periods against days (collector/store/reconcile.py); it repairs nothing
"""

import time
from collections.abc import Iterator

from sqlalchemy import Engine

from collector.store import mix, months, reconcile, served
from collector.store.engine import reading, snapshot, writing
from collector.store.mix import MixRow
from collector.store.reconcile import Reconciliation
from schemas.months import later, month_of
from schemas.periods import day_of

# The month that has begun anywhere.
_HALF_A_DAY_MS = 12 * 3_600_000


class Totals:
    """Made by Store only; raises as Store's methods do."""

    def __init__(self, engine: Engine):
        self._engine = engine

    def consolidate(self, now_unix_ms: int) -> list[int]:
        """Takes all days before this one (UTC) into the figures by week, month, quarter and year, a month in a
        transaction; gives the months that were added to.
        """
        today, taken = day_of(now_unix_ms, "UTC"), []
        with reading(self._engine) as connection:
            begin = months.edge(connection) or months.first_day(connection) or today
        month = begin // 100
        while begin < today and month * 100 + 1 < today:
            with writing(self._engine) as connection:
                days = months.consolidate(connection, month, today)
                if days is not None:
                    served.take_in(connection, *days)
            taken.append(month)
            month = later(month)
        return taken

    def make_mix(self, now_unix_ms: int) -> list[int]:
        """Brings the mix of the last MIX_MONTHS up to date, a branch's month a transaction; gives those made anew."""
        present, made = month_of(now_unix_ms + _HALF_A_DAY_MS), []
        for month in _last_months(present, mix.MIX_MONTHS):
            with snapshot(self._engine) as connection:
                if not mix.is_stale(connection, month, present):
                    continue
                branches = mix.by_branch(connection, month, mix.counted(connection, month))
            for branch, rows in branches.items():
                with writing(self._engine) as connection:
                    mix.write(connection, month, branch, rows)
            made.append(month)
        with writing(self._engine) as connection:
            mix.forget(connection, later(present, 1 - mix.MIX_MONTHS))
        return made

    def mix(
        self, first_month: int, last_month: int, *, branch: str | None = None, operator: str | None = None
    ) -> list[MixRow]:
        """Eligible calls and ratings by month (``yyyymm``, both ends included), branch, operator, service and hour."""
        with reading(self._engine) as connection:
            return mix.read(connection, (first_month, last_month), branch=branch, operator=operator)

    def reconcile(self, now_unix_ms: int) -> Reconciliation:
        """Compares, as everything is at one moment, and keeps the result."""
        began = time.monotonic()
        with snapshot(self._engine) as connection:
            found = reconcile.compared(connection)
        took_ms = int((time.monotonic() - began) * 1000)
        with writing(self._engine) as connection:
            return reconcile.keep(connection, found, now_unix_ms, took_ms)

    def reconciled(self, limit: int = 1) -> list[Reconciliation]:
        """The last comparisons, the newest first."""
        with reading(self._engine) as connection:
            return reconcile.kept(connection, limit)


def _last_months(present: int, number: int) -> Iterator[int]:
    for back in range(number - 1, -1, -1):
        yield later(present, -back)
