"""Counts everything again from the rows, to prove that the roll-ups say the same. Changes nothing."""

from collections.abc import Iterable, Iterator

from sqlalchemy import Connection, select

from collector.model import CallRow, VoteRow
from collector.rollup import NOBODY, NOTHING, Amounts, Joined, Key, differences
from schemas.fleet_tables import console_unavailable
from schemas.tables import call, rollup_day, vote, waiting

_AT_ONCE = 10_000


def recount(connection: Connection) -> list[str]:
    """One sentence for each row of the roll-up, and each waiting vote, that the rows do not bear out; [] is good."""
    counted = _counted(connection)
    found = []
    for key, stored in _stored(connection):
        truth = counted.pop(key, NOTHING)
        if truth != stored:
            found.append(f"{_name(key)}: the roll-up says {stored}, the rows say {truth}")
    found.extend(f"{_name(key)}: the roll-up lacks {truth}" for key, truth in sorted(counted.items()))
    return found + _waiting(connection)


def _counted(connection: Connection) -> dict[Key, Amounts]:
    totals: dict[Key, Amounts] = {}
    for chunk in _chunks(_joined(connection)):
        for key, more in differences((NOBODY, joined) for joined in chunk):
            old = totals.get(key, NOTHING)
            totals[key] = (
                old[0] + more[0], old[1] + more[1], old[2] + more[2], old[3] + more[3], old[4] + more[4]
            )  # fmt: skip
    return totals


def _joined(connection: Connection) -> Iterator[Joined]:
    width, flag = len(call.c), console_unavailable
    question = (
        select(call, flag.c.call.is_not(None), vote)
        .outerjoin_from(call, vote, (vote.c.call == call.c.id) & (vote.c.desk == call.c.desk))
        .outerjoin(flag, (flag.c.call == call.c.id) & (flag.c.desk == call.c.desk))
    )
    for row in connection.execution_options(yield_per=_AT_ONCE).execute(question):
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


def _stored(connection: Connection) -> Iterator[tuple[Key, Amounts]]:
    for row in connection.execute(select(rollup_day)):
        stored = (row.calls, row.eligible, row.bad, row.good, row.exemplary)
        yield (row.cut, row.branch, row.key, row.day), stored


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


def _name(key: Key) -> str:
    cut, branch, name, day = key
    return f"{cut} {branch} {name or '-'} {day}"
