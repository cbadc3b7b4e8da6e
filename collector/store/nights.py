"""``Store.nights``: which work of the night was done, and that one process at a time does it.

A night is a local day, ``yyyymmdd``. Whoever wants to do its work takes the lease, renews it while at work and ends it;
a lease that is not renewed ends by itself, so that another process goes on where a dead one stopped.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, Row, func, insert, select, update

from collector.store.engine import reading, writing
from schemas.figure_tables import nightly_lease, nightly_run

# A chore that was broken off so often in one night is left alone: it may be what breaks its process off.
MOST_STARTS = 3
_KEPT_CHARACTERS, _KEPT_SENTENCES = 400, 100


@dataclass(frozen=True, slots=True)
class Night:
    """A chore's run. ``ok`` and ``ended_unix_ms`` are None while it runs, and for ever if its process died."""

    what: str
    night: int
    started_unix_ms: int
    ended_unix_ms: int | None
    ok: bool | None
    sentences: tuple[str, ...]


class Nights:
    """Made by Store only. Every method is one transaction and raises as Store's do."""

    def __init__(self, engine: Engine):
        self._engine = engine

    def take(self, night: int, holder: str, now_unix_ms: int, lease_ms: int, *, again: bool = False) -> bool:
        """Whether the work of ``night`` is ``holder``'s now: False if it is done (but for ``again``) or another's."""
        values = {"night": night, "done": False, "holder": holder, "until_unix_ms": now_unix_ms + lease_ms}
        with reading(self._engine) as connection:  # asked every minute: no writer need wait for the usual answer
            row = connection.execute(select(nightly_lease)).one_or_none()
            if row is not None and row.night >= night and row.done and not again:
                return False
        with writing(self._engine) as connection:
            row = connection.execute(select(nightly_lease).with_for_update()).one_or_none()
            if row is None:  # two at once: the second one's insertion fails, and it asks again a little later
                connection.execute(insert(nightly_lease).values(id=1, **values))
                return True
            if row.holder != holder and row.until_unix_ms > now_unix_ms:
                return False
            if row.night >= night and row.done and not again:
                return False
            connection.execute(update(nightly_lease).values(values))
        return True

    def renew(self, holder: str, now_unix_ms: int, lease_ms: int) -> bool:
        """False if the lease has become another's meanwhile."""
        its = nightly_lease.c.holder == holder
        with writing(self._engine) as connection:
            renewed = connection.execute(update(nightly_lease).where(its).values(until_unix_ms=now_unix_ms + lease_ms))
        return renewed.rowcount == 1

    def finish(self, holder: str, *, done: bool) -> None:
        """Gives the lease up; ``done``: every chore of the night had its turn."""
        its = nightly_lease.c.holder == holder
        with writing(self._engine) as connection:
            connection.execute(update(nightly_lease).where(its).values(until_unix_ms=0, done=done))

    def begin(self, what: str, night: int, now_unix_ms: int) -> int:
        """Enters a run; gives its number for ``end``."""
        values = {"what": what, "night": night, "started_unix_ms": now_unix_ms, "sentences": "[]"}
        with writing(self._engine) as connection:
            key = connection.execute(insert(nightly_run).values(values)).inserted_primary_key
        assert key is not None
        return int(key[0])

    def end(self, run: int, now_unix_ms: int, *, ok: bool, sentences: Sequence[str]) -> None:
        kept = [sentence[:_KEPT_CHARACTERS] for sentence in sentences[:_KEPT_SENTENCES]]
        values = {"ended_unix_ms": now_unix_ms, "ok": ok, "sentences": json.dumps(kept, ensure_ascii=False)}
        with writing(self._engine) as connection:
            connection.execute(update(nightly_run).where(nightly_run.c.id == run).values(values))

    def settled(self, night: int) -> set[str]:
        """The chores that are not to be started any more in that night: ended, or broken off too often."""
        its = nightly_run.c.night == night
        question = select(nightly_run.c.what, func.count(), func.count(nightly_run.c.ended_unix_ms)).where(its)
        with reading(self._engine) as connection:
            rows = connection.execute(question.group_by(nightly_run.c.what)).all()
        return {what for what, started, ended in rows if ended or started >= MOST_STARTS}

    def runs(self, what: str, limit: int = 100) -> list[Night]:
        """The runs of a chore, the newest first."""
        question = _RUNS.where(nightly_run.c.what == what).order_by(nightly_run.c.id.desc()).limit(limit)
        with reading(self._engine) as connection:
            return [_night(row) for row in connection.execute(question)]

    def last(self) -> dict[str, Night]:
        """The newest run that came to its end, by chore."""
        newest = select(func.max(nightly_run.c.id)).where(nightly_run.c.ended_unix_ms.is_not(None))
        question = _RUNS.where(nightly_run.c.id.in_(newest.group_by(nightly_run.c.what)))
        with reading(self._engine) as connection:
            return {row.what: _night(row) for row in connection.execute(question)}


_RUNS = select(*[column for column in nightly_run.c if column.name != "id"])


def _night(row: Row[Any]) -> Night:
    return Night(**dict(row._mapping) | {"sentences": tuple(json.loads(row.sentences))})
