"""Counts again from the rows, to prove that the roll-ups say the same; puts a roll-up right only when told to.

The rows are read once, in the order of their ids, which is that of time. What was counted and what is stored meet in
one balance that holds only what does not cancel out: the days under way, and the differences. So the memory needed
does not grow with the number of calls; and a call out of order, whatever its id, still finds its day in the end.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from itertools import chain
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, Table, delete, func, insert, select, update

from collector.model import CallRow, VoteRow
from collector.rollup import AMOUNTS, CUTS, NOBODY, NOTHING, Amounts, Joined, Key, differences
from collector.served import Sums
from collector.store import months, served
from collector.store.archive import boundary
from schemas.fleet_tables import console_unavailable
from schemas.months import later
from schemas.periods import day_date, day_key
from schemas.tables import archived, call, rollup_day, vote, waiting

_AT_ONCE = 2_000
_KEY = (rollup_day.c.cut, rollup_day.c.branch, rollup_day.c.key, rollup_day.c.day)
_COUNTED = tuple(rollup_day.c[name] for name in AMOUNTS)


class Scope(NamedTuple):
    """What to count again; days are ``yyyymmdd``, both ends included, None for all."""

    branch: str | None = None
    first_day: int | None = None
    last_day: int | None = None
    cut: str | None = None
    # Calls with smaller ids are not read: quick, for who knows that ids are of time and looks at the last days only.
    from_id: str | None = None

    @property
    def is_everything(self) -> bool:
        return self == EVERYTHING

    def __str__(self) -> str:
        parts = [f"branch {self.branch}" if self.branch else "", f"cut {self.cut}" if self.cut else ""]
        if self.first_day or self.last_day:
            parts.append(f"{_day(self.first_day)} to {_day(self.last_day)}")
        return ", ".join(part for part in parts if part) or "everything"


EVERYTHING = Scope()


class Difference(NamedTuple):
    """A row of the roll-up that the rows do not bear out."""

    key: Key
    stored: Amounts
    counted: Amounts

    def __str__(self) -> str:
        return f"{name(self.key)}: the roll-up has {self._words(self.stored)}, the rows {self._words(self.counted)}"

    def _words(self, amounts: Amounts) -> str:
        """Of those amounts only that differ."""
        trio = zip(AMOUNTS, amounts, self.stored, self.counted, strict=True)
        return " and ".join(f"{amount} {kind}" for kind, amount, stored, counted in trio if stored != counted)


class Recounted(NamedTuple):
    """``waiting`` holds a sentence for each vote that waits in vain, or whose waiting is not known."""

    calls: int
    votes: int
    last_vote_unix_ms: int | None  # when the newest vote among them was received
    differences: list[Difference]
    waiting: list[str]
    first_day: int | None = None  # days before it are archived, and were not counted again
    # Of all: longer periods that are not the sum of their days, by the month whose making anew mends them.
    months: tuple[tuple[int, str], ...] = ()
    served: tuple[tuple[int, str], ...] = ()  # of all: what is kept of a month's calls otherwise than they say
    sums: Sums | None = None  # of all: what should be kept

    @property
    def sentences(self) -> list[str]:
        return [
            *(str(each) for each in self.differences),
            *(said for _, said in (*self.months, *self.served)),
            *self.waiting,
        ]


Progress = Callable[[int, int], None]  # calls counted, calls that there are, about


def recount(
    connection: Connection,
    scope: Scope = EVERYTHING,
    progress: Progress = lambda done, of: None,
    filed: Iterable[Joined] | None = None,
) -> Recounted:
    """What in ``scope`` is not borne out by the rows. One snapshot must span the transaction of ``connection``.

    Args:
        filed: the calls of all archived months, in the order of their ids; without them their days are left out.
    """
    whole, edge = scope.is_everything, None
    if filed is None:
        edge = _first_whole_day(connection)
        scope = scope._replace(first_day=max(scope.first_day or 0, edge)) if edge else scope
    balance, sums, end = _Balance(connection, scope), Sums(), months.edge(connection) if whole else 0
    about = expected(connection, scope)
    calls = votes = 0
    last: int | None = None
    for chunk in _chunks(chain(_of_scope(filed or (), scope), joined(connection, scope))):
        balance.count(chunk)
        for each in chunk:
            if each.call is not None and each.call.day < end:
                sums.add(each.call)
        calls += len(chunk)
        received = [joined.vote.received_unix_ms for joined in chunk if joined.vote is not None]
        votes += len(received)
        last = max([last or 0, *received]) if received else last
        progress(calls, max(about, calls))
    return Recounted(
        calls,
        votes,
        last,
        balance.differences(),
        _waiting(connection) if whole else [],
        edge,
        tuple(_months(connection)) if whole else (),
        tuple(_served(connection, sums, edge)) if whole else (),
        sums if whole else None,
    )


def _first_whole_day(connection: Connection) -> int | None:
    """The first local day of which no call can be archived: somewhere the first of a month begins in the one before."""
    newest: int | None = connection.execute(select(func.max(archived.c.month))).scalar()
    return later(newest) * 100 + 2 if newest else None


def _of_scope(filed: Iterable[Joined], scope: Scope) -> Iterator[Joined]:
    """Of files what ``joined`` gives of the database."""
    for each in filed:
        row = each.call
        if row is None or (scope.branch is not None and row.branch != scope.branch):
            continue
        if (scope.first_day or 0) <= row.day <= (scope.last_day or row.day) and row.id >= (scope.from_id or ""):
            yield each


def expected(connection: Connection, scope: Scope) -> int:
    """How many calls the roll-up says are in ``scope``."""
    question = select(func.sum(rollup_day.c.calls)).where(rollup_day.c.cut == "branch", *_within(rollup_day, scope))
    return int(connection.execute(question).scalar() or 0)


def correct(connection: Connection, found: Iterable[Difference]) -> None:
    """Writes what was counted into the roll-up and all that adds it up; nobody else may write to them meanwhile."""
    found = list(found)
    _correct_days(connection, found)
    end = months.edge(connection)
    for month in sorted({each.key[3] // 100 for each in found if each.key[3] < end}):
        months.make(connection, month, end)


def _correct_days(connection: Connection, found: Iterable[Difference]) -> None:
    for each in found:
        cut, branch, key, day = each.key
        where = (rollup_day.c.cut == cut) & (rollup_day.c.branch == branch)
        where &= (rollup_day.c.key == key) & (rollup_day.c.day == day)
        amounts = dict(zip(AMOUNTS, each.counted, strict=True))
        if each.counted == NOTHING:
            connection.execute(delete(rollup_day).where(where))
        elif each.stored == NOTHING and connection.execute(select(rollup_day.c.day).where(where)).first() is None:
            place = {"cut": cut, "branch": branch, "key": key, "day": day}
            connection.execute(insert(rollup_day).values(place | amounts))
        else:
            connection.execute(update(rollup_day).where(where).values(amounts))


def name(key: Key) -> str:
    """The row of the roll-up in words."""
    cut, branch, key_name, day = key
    whose = f"branch {branch}" if cut == "branch" else f"{cut} {key_name or '(not told)'} of branch {branch}"
    return f"{whose} on {_day(day)}"


class _Balance:
    """Counted less stored, by row of the roll-up; rows that agree are not kept."""

    def __init__(self, connection: Connection, scope: Scope):
        self._connection, self._scope = connection, scope
        self._sums: dict[Key, Amounts] = {}
        self._stored_to = 0  # the stored rows of all days up to this one are in

    def count(self, chunk: list[Joined]) -> None:
        for key, more in differences((NOBODY, joined) for joined in chunk):
            if self._scope.cut in (None, key[0]):
                self._add(key, more, 1)
        days = [joined.call.day for joined in chunk if joined.call is not None]
        if days:
            # Branches of other time zones, and calls told of late, lie a day or two apart at most.
            self._store(day_key(day_date(min(days)) - timedelta(days=2)))

    def differences(self) -> list[Difference]:
        self._store(99991231)
        found = []
        for key, sums in sorted(self._sums.items()):
            stored = self._row(key)
            found.append(Difference(key, stored, _sum(stored, sums, 1)))
        return found

    def _store(self, day: int) -> None:
        """Sets the stored rows up to ``day`` against what was counted."""
        if day <= self._stored_to:
            return
        between = rollup_day.c.day.between(self._stored_to + 1, day)
        wanted = (rollup_day.c.cut.in_(CUTS), between, *_within(rollup_day, self._scope))
        if self._scope.cut:
            wanted = (*wanted, rollup_day.c.cut == self._scope.cut)
        for row in self._connection.execute(select(*_KEY, *_COUNTED).where(*wanted)):
            self._add((row[0], row[1], row[2], row[3]), tuple(row[4:]), -1)
        self._stored_to = day

    def _add(self, key: Key, amounts: Amounts, sign: int) -> None:
        sums = _sum(self._sums.get(key, NOTHING), amounts, sign)
        if any(sums):
            self._sums[key] = sums
        else:
            self._sums.pop(key, None)

    def _row(self, key: Key) -> Amounts:
        cut, branch, key_name, day = key
        where = (rollup_day.c.cut == cut, rollup_day.c.branch == branch, rollup_day.c.key == key_name)
        row = self._connection.execute(select(*_COUNTED).where(*where, rollup_day.c.day == day)).first()
        return tuple(row) if row else NOTHING


def _sum(one: Amounts, other: Amounts, sign: int) -> Amounts:
    return tuple(each + sign * more for each, more in zip(one, other, strict=True))


def _within(table: Table, scope: Scope) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if scope.branch is not None:
        found.append(table.c.branch == scope.branch)
    if scope.first_day is not None:
        found.append(table.c.day >= scope.first_day)
    if scope.last_day is not None:
        found.append(table.c.day <= scope.last_day)
    return found


def joined(connection: Connection, scope: Scope, before_id: str | None = None) -> Iterator[Joined]:
    """The calls of ``scope`` that are not archived, with their votes, in the order of their ids.

    ``before_id`` bounds the ids from above.
    """
    width, flag = len(call.c), console_unavailable
    question = (
        select(call, flag.c.call.is_not(None), vote)
        .outerjoin_from(call, vote, (vote.c.call == call.c.id) & (vote.c.desk == call.c.desk))
        .outerjoin(flag, (flag.c.call == call.c.id) & (flag.c.desk == call.c.desk))
        .where(*_within(call, scope))
        # What is filed and on its way out of the database is counted from the files, or not at all.
        .where(call.c.id >= boundary(connection))
        .order_by(call.c.id)
    )
    if scope.from_id is not None:
        question = question.where(call.c.id >= scope.from_id)
    if before_id is not None:
        question = question.where(call.c.id < before_id)
    for row in connection.execute(question, execution_options={"yield_per": _AT_ONCE}):
        of_vote = row[width + 1 :]
        yield Joined(CallRow(*row[:width]), VoteRow(*of_vote) if of_vote[0] is not None else None, bool(row[width]))


def _chunks(joined: Iterable[Joined]) -> Iterator[list[Joined]]:
    chunk: list[Joined] = []
    for each in joined:
        chunk.append(each)
        if len(chunk) == _AT_ONCE:
            yield chunk
            chunk = []
    yield chunk


def _months(connection: Connection) -> Iterator[tuple[int, str]]:
    for month, said in months.wrong(connection).items():
        yield from ((month, sentence) for sentence in said)


def _served(connection: Connection, sums: Sums, first_day: int | None) -> Iterator[tuple[int, str]]:
    """Of whole months: of the one in which the first day that is not archived lies, some rows are in files."""
    for month, said in served.wrong(connection, sums, later(first_day // 100) if first_day else 0).items():
        yield from ((month, sentence) for sentence in said)


def _waiting(connection: Connection) -> list[str]:
    """A vote waits exactly while its call is unknown."""
    waits = select(waiting.c.call, waiting.c.desk)
    in_vain = waits.join(call, call.c.id == waiting.c.call)
    callless = select(vote.c.call, vote.c.desk).outerjoin(call, call.c.id == vote.c.call).where(call.c.id.is_(None))
    unnoticed = callless.except_(waits)
    return [
        *(f"call {row.call}, desk {row.desk}: waits, but the call is known" for row in connection.execute(in_vain)),
        *(f"call {row.call}, desk {row.desk}: is not known to wait" for row in connection.execute(unnoticed)),
    ]


def _day(day: int | None) -> str:
    return day_date(day).isoformat() if day else "..."
