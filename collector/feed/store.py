"""The feed's own store: the only file of the feed that knows SQLAlchemy. It decides nothing.

Everything that belongs to one acceptance (ids received, calls, numbered facts) is written in one transaction.
Numbers are given inside it, so a number is used for one fact only and none is skipped.
"""

import secrets
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields

from sqlalchemy import Connection, Engine, Table, delete, func, insert, select, tuple_, update

from collector.feed.clock import Clock
from collector.feed.model import BranchState, DeskCall, Fact, PastCall
from collector.store.engine import make_engine, reading, writing
from collector.store.migrate import upgrade
from protocol import codec
from protocol.messages import QueueEvent
from schemas.tables import (
    feed_call,
    feed_clock,
    feed_journal,
    feed_outbox,
    feed_past,
    feed_received,
    feed_source,
    feed_unplaced,
)

_CALL_COLUMNS, _PAST_COLUMNS = ([table.c[each.name] for each in fields(DeskCall)] for table in (feed_call, feed_past))
_CLOCK_COLUMNS = [feed_clock.c[each.name] for each in fields(Clock)]
_IDS_A_QUERY = 400  # SQLite's oldest limit on parameters is 999


@dataclass(frozen=True, slots=True)
class Unplaced:
    """So many calls of an operator went to a desk that nobody could name; ``operator`` is "" if not said."""

    branch: str
    operator: str
    times: int
    first_unix_ms: int
    last_unix_ms: int


class Transaction:
    """What may be read and written within one acceptance; made by FeedStore.transaction only."""

    def __init__(self, connection: Connection):
        self._connection = connection

    def known(self, branch: str, events: Sequence[str]) -> set[str]:
        """Those of ``events`` that were received before."""
        found: set[str] = set()
        for part in _parts(events):
            query = select(feed_received.c.event).where(
                feed_received.c.branch == branch, feed_received.c.event.in_(part)
            )
            found.update(self._connection.scalars(query))
        return found

    def remember(self, branch: str, events: Iterable[str], now_unix_ms: int) -> None:
        rows = [{"branch": branch, "event": event, "received_unix_ms": now_unix_ms} for event in events]
        if rows:
            self._connection.execute(insert(feed_received), rows)

    def forget_received(self, before_unix_ms: int) -> None:
        self._connection.execute(delete(feed_received).where(feed_received.c.received_unix_ms < before_unix_ms))

    def forget_past(self, before_unix_ms: int) -> None:
        """Of calls called before that moment nobody says anything any more."""
        self._connection.execute(delete(feed_past).where(feed_past.c.called_unix_ms < before_unix_ms))

    def state(self, branch: str, tickets: Collection[str] = ()) -> BranchState:
        """The last call at each desk, and the earlier calls of ``tickets``, by their keys."""
        query = select(feed_call.c.desk, *_CALL_COLUMNS).where(feed_call.c.branch == branch)
        last = {row[0]: DeskCall(*row[1:]) for row in self._connection.execute(query)}
        past: dict[str, PastCall] = {}
        for some in _parts(sorted(tickets)):
            its = (feed_past.c.branch == branch) & feed_past.c.ticket_key.in_(some)
            for row in self._connection.execute(select(feed_past.c.desk, *_PAST_COLUMNS).where(its)):
                call = DeskCall(*row[1:])
                past[call.call] = PastCall(row[0], call)
        return BranchState(last, past)

    def save(self, branch: str, before: BranchState, after: BranchState) -> None:
        for desk, call in after.calls.items():
            if before.calls.get(desk) != call:
                self._put(feed_call, {"desk": desk}, {"branch": branch, **asdict(call)})
        for call_id, past in after.past.items():
            if before.past.get(call_id) != past:
                row = {"branch": branch, "desk": past.desk, **asdict(past.call)}
                del row["call"]
                self._put(feed_past, {"call": call_id}, row)

    def clock(self, branch: str) -> Clock | None:
        row = self._connection.execute(select(*_CLOCK_COLUMNS).where(feed_clock.c.branch == branch)).first()
        return Clock(*row) if row else None

    def save_clock(self, branch: str, clock: Clock) -> None:
        self._put(feed_clock, {"branch": branch}, asdict(clock))

    def unplaced(self, branch: str, operator: str, now_unix_ms: int) -> None:
        """``operator``, "" if nobody knows whom, has called a client to a desk that nobody could name."""
        its = (feed_unplaced.c.branch == branch) & (feed_unplaced.c.operator == operator)
        more = {"times": feed_unplaced.c.times + 1, "last_unix_ms": now_unix_ms}
        if self._connection.execute(update(feed_unplaced).where(its).values(more)).rowcount == 0:
            row = {"branch": branch, "operator": operator, "times": 1}
            moments = {"first_unix_ms": now_unix_ms, "last_unix_ms": now_unix_ms}
            self._connection.execute(insert(feed_unplaced).values({**row, **moments}))

    def post(self, branch: str, facts: Sequence[Fact], now_unix_ms: int) -> None:
        """Numbers ``facts`` and lays them in the outbox. The branch's first ever begins a journal."""
        if not facts:
            return
        journal, first = self._journal(branch, now_unix_ms)
        rows = [
            {
                "branch": branch,
                "seq": seq,
                "payload": codec.encode(QueueEvent(journal=journal, seq=seq, **asdict(fact))),
            }
            for seq, fact in enumerate(facts, first)
        ]
        self._connection.execute(insert(feed_outbox), rows)
        self._connection.execute(
            update(feed_journal).where(feed_journal.c.branch == branch).values(next_seq=first + len(facts))
        )

    def keep_source(self, source: str, snapshot: bytes) -> None:
        """What a polled source looked like when the events of this transaction were taken from it."""
        self._put(feed_source, {"source": source}, {"snapshot": snapshot})

    def _put(self, table: Table, key: Mapping[str, str], row: Mapping[str, object]) -> None:
        its = [table.c[name] == value for name, value in key.items()]
        if self._connection.execute(update(table).where(*its).values(dict(row))).rowcount == 0:
            self._connection.execute(insert(table).values({**key, **row}))

    def _journal(self, branch: str, now_unix_ms: int) -> tuple[str, int]:
        query = select(feed_journal.c.journal, feed_journal.c.next_seq).where(feed_journal.c.branch == branch)
        row = self._connection.execute(query).first()
        if row is not None:
            return row[0], row[1]
        journal, first = _new_journal(now_unix_ms)
        self._connection.execute(insert(feed_journal).values(branch=branch, journal=journal, next_seq=first))
        return journal, first


class FeedStore:
    """The feed's database. Safe to use from several threads; one process at a time owns it."""

    def __init__(self, engine: Engine):
        self._engine = engine

    @classmethod
    def open(cls, url: str) -> "FeedStore":
        """Opens the database at an SQLAlchemy ``url``, migrating it forward. Raises StoreError."""
        engine = make_engine(url)
        upgrade(engine, "feed")
        return cls(engine)

    def close(self) -> None:
        self._engine.dispose()

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Everything or nothing, on disk when the block has ended. Raises StoreError."""
        with writing(self._engine) as connection:
            yield Transaction(connection)

    def source(self, source: str) -> bytes | None:
        """The snapshot kept last of a polled source."""
        with reading(self._engine) as connection:
            return connection.scalar(select(feed_source.c.snapshot).where(feed_source.c.source == source))

    def heads(self) -> dict[str, tuple[int, bytes]]:
        """Number and payload of the oldest fact that no ack has covered, by branch."""
        first = select(feed_outbox.c.branch, func.min(feed_outbox.c.seq)).group_by(feed_outbox.c.branch)
        query = select(feed_outbox).where(tuple_(feed_outbox.c.branch, feed_outbox.c.seq).in_(first))
        with reading(self._engine) as connection:
            return {branch: (seq, payload) for branch, seq, payload in connection.execute(query)}

    def begin_journals(self, now_unix_ms: int) -> None:
        """Gives every branch a new journal and its waiting facts new numbers in it: to be called at each start.

        A store that was put back from a backup gives numbers again that the collector has acknowledged for other facts;
        under the old journal that (retained) ack would make the feed forget what nobody has. Facts that the collector
        has already do no harm a second time: it merges them by call.
        """
        with writing(self._engine) as connection:
            for branch, next_seq in connection.execute(select(feed_journal.c.branch, feed_journal.c.next_seq)).all():
                waiting = select(feed_outbox.c.payload).where(feed_outbox.c.branch == branch)
                payloads = connection.scalars(waiting.order_by(feed_outbox.c.seq)).all()
                journal, first = _new_journal(now_unix_ms, next_seq)
                connection.execute(delete(feed_outbox).where(feed_outbox.c.branch == branch))
                if payloads:
                    connection.execute(insert(feed_outbox), _renumbered(branch, journal, first, payloads))
                connection.execute(
                    update(feed_journal)
                    .where(feed_journal.c.branch == branch)
                    .values(journal=journal, next_seq=first + len(payloads))
                )

    def forget(self, branch: str, journal: str, seq: int) -> bool:
        """Drops what an ack for ``seq`` of ``journal`` covers; False if the ack is not for a number we gave."""
        ours = select(feed_journal.c.next_seq).where(feed_journal.c.branch == branch, feed_journal.c.journal == journal)
        with writing(self._engine) as connection:
            next_seq = connection.scalar(ours)
            if next_seq is None or seq >= next_seq:
                return False
            connection.execute(delete(feed_outbox).where(feed_outbox.c.branch == branch, feed_outbox.c.seq <= seq))
        return True

    def clocks(self) -> dict[str, Clock]:
        """How each branch's queue clock goes; branches that nothing was heard of are left out."""
        with reading(self._engine) as connection:
            rows = connection.execute(select(feed_clock.c.branch, *_CLOCK_COLUMNS)).all()
        return {row[0]: Clock(*row[1:]) for row in rows}

    def unplaced(self, since_unix_ms: int) -> list[Unplaced]:
        """Who has called to a desk that nobody could name at ``since_unix_ms`` or later, the latest first."""
        question = select(feed_unplaced).where(feed_unplaced.c.last_unix_ms >= since_unix_ms)
        with reading(self._engine) as connection:
            rows = connection.execute(question.order_by(feed_unplaced.c.last_unix_ms.desc())).all()
        return [Unplaced(*row) for row in rows]

    def depths(self) -> dict[str, int]:
        """How many facts wait for an ack, by branch; branches with none are left out."""
        query = select(feed_outbox.c.branch, func.count()).group_by(feed_outbox.c.branch)
        with reading(self._engine) as connection:
            return {row[0]: row[1] for row in connection.execute(query)}


def _parts(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), _IDS_A_QUERY):
        yield ids[start : start + _IDS_A_QUERY]


def _new_journal(now_unix_ms: int, next_seq: int = 0) -> tuple[str, int]:
    """Its id and its first number: the Unix time, so that numbers go on rising from journal to journal."""
    return secrets.token_hex(4), max(now_unix_ms // 1000, next_seq)


def _renumbered(branch: str, journal: str, first: int, payloads: Sequence[bytes]) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for seq, payload in enumerate(payloads, first):
        fact = codec.decode("event", payload)
        assert isinstance(fact, QueueEvent)
        fact.journal, fact.seq = journal, seq
        rows.append({"branch": branch, "seq": seq, "payload": codec.encode(fact)})
    return rows
