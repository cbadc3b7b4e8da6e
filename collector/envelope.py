"""From bytes to messages on the way in, and to receipts on the way out. It knows neither the register nor any call."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from collector.decoding import decode
from collector.model import MALFORMED, TOPIC, VERSION, Answer, Arrival
from protocol import topics
from protocol.errors import BadTopic, ProtocolError, UnknownVersion
from protocol.fields import UNIX_MS
from protocol.messages import Ack, Health, Message, PadStatus, QueueEvent, Vote

_HEARD = (Vote, QueueEvent, PadStatus, Health)
_parse_topic = lru_cache(maxsize=8192)(topics.parse)  # a few thousand topics at most, each of them again and again


@dataclass(frozen=True, slots=True)
class Refused:
    """Why an arrival is none of our messages: the reason to keep it for, and a sentence."""

    reason: str
    problem: str


class Item(NamedTuple):
    """An arrival and the message in it."""

    arrival: Arrival
    name: str  # the desk's or the branch's
    message: Message | Refused


def read(arrival: Arrival) -> Item:
    """The message in ``arrival``, or why there is none; never an exception, whatever the bytes are."""
    try:
        _, name, kind = _parse_topic(arrival.topic)
        message = decode(kind, arrival.payload)
    except BadTopic as error:
        return Item(arrival, "", Refused(TOPIC, str(error)))
    except UnknownVersion as error:
        return Item(arrival, "", Refused(VERSION, str(error)))
    except ProtocolError as error:
        return Item(arrival, "", Refused(MALFORMED, str(error)))
    if not isinstance(message, _HEARD):
        return Item(arrival, "", Refused(TOPIC, f"nobody tells the collector of a {kind}"))
    return Item(arrival, name, message)


def receipts(answers: Sequence[Answer]) -> list[tuple[str, Ack]]:
    """What to publish once ``answers`` are committed: of each writer's journal only the highest number."""
    highest: dict[tuple[str, str], Ack] = {}
    for answer in reversed(answers):
        if answer.ack is None:
            continue
        topic, ack = answer.ack
        other = highest.get((topic, ack.journal))
        if other is None or ack.seq > other.seq:
            highest[topic, ack.journal] = ack
    # In the order of the last word of each: a broker keeps only the last receipt on a topic.
    return [(topic, ack) for (topic, _), ack in reversed(highest.items())]


def receipt(room: str, item: Item, message: Vote | QueueEvent) -> tuple[str, Ack]:
    """The topic and the receipt for the writer of ``message``; ``room`` is "desk" or "queue"."""
    # A host whose clock is not set yet must not stop the receipts: its time is only a hint to the pad.
    at_unix_ms = item.arrival.received_unix_ms
    if not UNIX_MS.low <= at_unix_ms <= UNIX_MS.high:
        at_unix_ms = min(max(at_unix_ms, UNIX_MS.low), UNIX_MS.high)
    return _ack_topic(room, item.name), Ack(message.journal, message.seq, at_unix_ms)


@lru_cache(maxsize=4096)
def _ack_topic(room: str, name: str) -> str:
    return topics.desk(name, "ack") if room == "desk" else topics.queue(name, "ack")
