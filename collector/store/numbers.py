"""The numbers of votes in the database, for collector/gaps.py. Only journals with holes are read one by one."""

from collections import defaultdict
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
    excused = _kept(connection, since_id)
    number, at = vote.c.seq, vote.c.received_unix_ms
    question = select(
        vote.c.desk, vote.c.journal, func.min(number), func.max(number), func.count(), func.min(at), func.max(at)
    ).group_by(vote.c.desk, vote.c.journal)
    spans = []
    for desk, journal, low, high, count, first, last in connection.execute(question.where(vote.c.call >= since_id)):
        there: tuple[range, ...] = (range(low, high + 1),)
        also = excused.pop((desk, journal), ())
        if also or count < high - low + 1:
            its = (vote.c.desk == desk, vote.c.journal == journal, number.between(low, high))
            there = ranges([*connection.scalars(select(number).where(*its)), *(each.seq for each in also)])
        moments = [first, last, *(each.at_unix_ms for each in also)]
        spans.append(Span(desk, journal, there, min(moments), max(moments)))
    for (desk, journal), alone in excused.items():
        at_unix_ms = [each.at_unix_ms for each in alone]
        spans.append(Span(desk, journal, ranges(each.seq for each in alone), min(at_unix_ms), max(at_unix_ms)))
    return find_gaps(spans)


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
