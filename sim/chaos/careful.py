"""Clients who touch a pad only if it certainly stands for their own call. Knows the queue, the broker and the lamps.

A pad that is cut off stays lit for the call before, for as long as LOST_MS of firmware/core/pad.py: time enough for a
client to leave, hardly for the next one to be called, come and press. In a day that runs sixty times as fast a whole
row of clients would stand before the old light, and vote in a call that is not theirs; no city is like that. So a
client here presses on three lit buttons only if

1.  the broker has this very call open at the desk (told by the moment of its summons: no id is looked at), and
2.  the lamps came alight after that, and have been so for longer than a message may be on its way.
"""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from protocol import codec, topics
from protocol.errors import ProtocolError
from protocol.messages import CallOpened
from sim.chaos.broker import OBSERVER
from sim.ports import HOST
from sim.webhook import QueueNews
from sim.world import ALL_LIT, Panel, Queue

STEADY_S = 0.6  # longer than injuries.DELAY_S holds any message back
_TOLERANCE_S = 0.1  # the pad may have heard of a call before the observer has
_SUMMONS = ("called", "recalled", "started")
_UNCERTAIN = "???"
_REMEMBERED = 2000


@dataclass(slots=True)
class _Desk:
    """``summoned_unix_ms``: the queue's last call there; the rest in seconds of the monotonic clock."""

    summoned_unix_ms: int = 0
    ticket: str | None = None
    open_unix_ms: int = 0  # the call that the broker has open there
    open_since_s: float = 0.0
    lit_since_s: float = 0.0
    lit_for_unix_ms: int = 0  # what the lamps stand for, once that is certain; until they change


class Observer:
    """Hears everything at the broker, past every broken line, under a name of its own.

    ``heard(topic, payload, retained)`` is called in a thread of the library's.
    """

    def __init__(self, port: int, password: str, heard: Callable[[str, bytes, bool], None]):
        self._client = paho.Client(CallbackAPIVersion.VERSION2, OBSERVER)
        self._client.username_pw_set(OBSERVER, password)
        self._client.reconnect_delay_set(0.05, 0.1)  # type: ignore[arg-type]  # seconds; fractions work
        self._client.on_connect = lambda client, *_: client.subscribe(f"{topics.ROOT}/#", qos=0)
        self._client.on_message = lambda _, __, message: heard(
            message.topic, bytes(message.payload), bool(message.retain)
        )
        self._client.connect_async(HOST, port, keepalive=5)

    def start(self) -> None:
        self._client.loop_start()

    def stop(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def say(self, topic: str, payload: bytes) -> None:
        """Publishes something, if the broker is there."""
        self._client.publish(topic, payload, qos=0)


@dataclass(slots=True)
class Careful:
    """The queue and the pads as the day's people meet them; see the module. ``lamps_changed`` is the pads' listener."""

    queue: Queue
    pads: Panel
    said: deque[tuple[str, bytes]] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))  # votes and events
    _desks: dict[str, _Desk] = field(default_factory=dict)

    def soon(self, news: QueueNews) -> None:
        if news.type in _SUMMONS and news.desk is not None:
            desk = self._of(news.desk)
            if desk.ticket != news.ticket:
                desk.ticket, desk.summoned_unix_ms = news.ticket, news.occurred_unix_ms
        self.queue.soon(news)

    def lamps(self, desk: str) -> str:
        lamps = self.pads.lamps(desk)
        return lamps if lamps != ALL_LIT or self._is_certain(desk) else _UNCERTAIN

    def press(self, desk: str, button: int) -> None:
        if self.lamps(desk) != _UNCERTAIN:
            self.pads.press(desk, button)

    def release(self, desk: str, button: int) -> None:
        self.pads.release(desk, button)

    def lamps_changed(self, desk: str, lamps: str) -> None:
        self._of(desk).lit_for_unix_ms = 0
        if lamps == ALL_LIT:
            self._of(desk).lit_since_s = time.monotonic()

    def heard(self, topic: str, payload: bytes, retained: bool) -> None:
        """Something was said at the broker; may be called in any thread."""
        try:
            room, name, kind = topics.parse(topic)
            message = codec.decode(kind, payload) if (room, kind) == ("desk", "call") else None
        except ProtocolError:
            return
        if kind in ("vote", "event"):
            self.said.append((topic, payload))
        if isinstance(message, CallOpened) and message.opened_unix_ms != self._of(name).open_unix_ms:
            self._of(name).open_since_s = time.monotonic()
            self._of(name).open_unix_ms = message.opened_unix_ms

    def _is_certain(self, name: str) -> bool:
        desk = self._of(name)
        if desk.lit_for_unix_ms != desk.summoned_unix_ms and desk.open_unix_ms == desk.summoned_unix_ms:
            heard_first = desk.lit_since_s >= desk.open_since_s - _TOLERANCE_S
            if heard_first and time.monotonic() >= max(desk.lit_since_s, desk.open_since_s) + STEADY_S:
                desk.lit_for_unix_ms = desk.summoned_unix_ms
        return desk.lit_for_unix_ms == desk.summoned_unix_ms

    def _of(self, desk: str) -> _Desk:
        return self._desks.setdefault(desk, _Desk())
