"""The numbers of votes in the database, for collector/gaps.py: the database finds the holes itself."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple

from sqlalchemy import Connection, func, select

from collector.gaps import Gap, Span, find_gaps, ranges
from collector.model import REPEAT, REUSED_NUMBER, WRONG_DESK
from protocol import codec, topics
from protocol.errors import ProtocolError
from protocol.messages import Vote
from schemas.tables import kept, vote

_BASE32 = "0123456789abcdefghjkmnpqrstvwxyz"  # of call ids, see collector/feed/calls.py
_TIME_CHARACTERS = 9


class _Kept(NamedTuple):
    seq: int
    at_unix_ms: int


def first_id_at(unix_ms: int) -> str:
    """What every id of a call called at ``unix_ms`` or later sorts after."""
    digits = ""
    for _ in range(_TIME_CHARACTERS):
        unix_ms, digit = divmod(unix_ms, len(_BASE32))
        digits = _BASE32[digit] + digits
    return digits


def gaps(connection: Connection, since_unix_ms: int) -> list[Gap]:
    """What is missing among the votes for calls from ``since_unix_ms`` on."""
    since_id = first_id_at(since_unix_ms)
    excused, holes = _kept(connection, since_id), _holes(connection, since_id)
    number, at = vote.c.seq, vote.c.received_unix_ms
    question = select(vote.c.desk, vote.c.journal, func.min(number), func.max(number), func.min(at), func.max(at))
    question = question.where(vote.c.call >= since_id).group_by(vote.c.desk, vote.c.journal)
    spans = []
    for desk, journal, low, high, first, last in connection.execute(question):
        there = _without(holes.get((desk, journal), ()), low, high)
        also = excused.pop((desk, journal), ())
        if also:
            there = ranges([*chain.from_iterable(there), *(each.seq for each in also)])
        moments = [first, last, *(each.at_unix_ms for each in also)]
        spans.append(Span(desk, journal, there, min(moments), max(moments)))
    for (desk, journal), alone in excused.items():
        at_unix_ms = [each.at_unix_ms for each in alone]
        spans.append(Span(desk, journal, ranges(each.seq for each in alone), min(at_unix_ms), max(at_unix_ms)))
    return find_gaps(spans)


def _holes(connection: Connection, since_id: str) -> dict[tuple[str, str], list[tuple[int, int]]]:
    """(The number before a hole, the number after it), by desk and journal; one walk along the index of numbers."""
    before = func.lag(vote.c.seq).over(partition_by=(vote.c.desk, vote.c.journal), order_by=vote.c.seq)
    walk = select(vote.c.desk, vote.c.journal, vote.c.seq, before.label("before")).where(vote.c.call >= since_id)
    numbered = walk.subquery()
    found = defaultdict(list)
    for row in connection.execute(select(numbered).where(numbered.c.seq > numbered.c.before + 1)):
        found[row.desk, row.journal].append((row.before, row.seq))
    return found


def _without(holes: Sequence[tuple[int, int]], low: int, high: int) -> tuple[range, ...]:
    """The numbers from ``low`` to ``high``, both there, but for ``holes``."""
    found = []
    for before, after in sorted(holes):
        found.append(range(low, before + 1))
        low = after
    return (*found, range(low, high + 1))


def _kept(connection: Connection, since_id: str) -> dict[tuple[str, str], list[_Kept]]:
    """Numbers that came with what was kept and acknowledged instead of counted, by desk and journal."""
    found = defaultdict(list)
    acknowledged = kept.c.reason.in_((REPEAT, WRONG_DESK, REUSED_NUMBER))
    for row in connection.execute(select(kept.c.topic, kept.c.payload, kept.c.first_unix_ms).where(acknowledged)):
        try:
            _, desk, kind = topics.parse(row.topic)
            message = codec.decode(kind, row.payload)
        except ProtocolError:  # cut to what is kept of it, or of an older protocol
            continue
        if isinstance(message, Vote) and message.call >= since_id:
            found[desk, message.journal].append(_Kept(message.seq, row.first_unix_ms))
    return dict(found)
