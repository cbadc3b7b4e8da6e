"""MQTT 3.1.1 for a pad: bytes in -> events out, packets out. It has no socket, no clock and no second connection.

A Session is one connection; link.py makes a new one for each. Sessions are clean: what must outlive a connection is
in the pad's journal or retained at the broker, so the table of unconfirmed publishes ends with the connection.

Events, as returned by receive() and tick(); after BROKEN the session does nothing more and the link is to be cut

    (OPENED,)                            the broker took us in
    (SUBSCRIBED,)                        all of the filters are granted
    (MESSAGE, topic, payload, retained)  topic and payload are bytes; QoS 1 has been confirmed already
    (OVERSIZED,)                         a packet beyond PACKET_LIMIT was skipped, and confirmed if it was a publish
    (BROKEN, reason)                     refused, silent, or not speaking MQTT

Why not a library: of those for a tick loop all but one freeze it, and with it the buttons, when a broker stops
answering; that one, chumicro-mqtt, drops a QoS 1 publish after 20 s without a word and takes five times the heap.
Measured by tests/integration/measure_pad_link.py (MicroPython unix, 64 bit, 160 KB heap, keepalive 10 s, shared host);
the other column is an earlier study's, with a similar timeline

                                                               this file           chumicro-mqtt 0.30
    .mpy bytes                                                 3,817               20,900
    heap to import, and once connected                         10,144 + 2,272      47,500 + 17,600
    longest stall of the loop over all that follows            24 ms (an empty     26 ms
                                                               loop then: 27 ms)
    broker stopped for 10 s                                    new connection when it woke
    broker killed / ended, back after 2 s                      back after 2.0 s / 0.5 s
    deaf (half open) / mute (no CONNACK)                       noticed after 9.6 s / 11.9 s
    votes acknowledged / given; copies beyond the first        71 / 71; 2
    vote to acknowledgement, median                            2 ms
"""

import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Event = tuple[object, ...]

OPENED, SUBSCRIBED, MESSAGE, OVERSIZED, BROKEN = "opened", "subscribed", "message", "oversized", "broken"

# The largest message a pad is sent has 256 bytes (protocol/codec.py), its topic 63.
PACKET_LIMIT = 1024
# Unconfirmed QoS 1 publishes. A pad has one vote and one status under way; the rest is reserve.
IN_FLIGHT_LIMIT = 8
CONNACK_TIMEOUT_MS = 10000
# TCP does not lose packets, brokers do: a publish is repeated on the same connection, as 3.1.1 §4.4 allows.
RESEND_MS = 10000

_CONNECT, _PUBACK, _SUBSCRIBE, _PINGREQ = 0x10, 0x40, 0x82, 0xC0
_PUBLISH, _DUP, _RETAIN = 0x30, 0x08, 0x01
# What a broker may send besides PUBLISH: CONNACK, PUBACK, SUBACK, PINGRESP, all without flags (§2.2.2).
_ANSWERS = (0x20, 0x40, 0x90, 0xD0)
_OPENING, _OPEN, _BROKEN = 0, 1, 2


class _Violation(Exception):
    """The peer broke the protocol; str() says how."""


class Session:
    """One MQTT connection, from CONNECT on. ``packets`` are to be sent, each with one send()."""

    def __init__(self, keepalive_s: int, ticks_ms: int, ticks_diff: "Callable[[int, int], int]"):
        self.packets: list[bytes] = []
        self._state = _OPENING
        self._keepalive_s = keepalive_s
        self._ticks_diff = ticks_diff
        self._started_ticks = ticks_ms
        self._heard_ticks = ticks_ms
        self._said_ticks = ticks_ms
        self._pinged_ticks: int | None = None
        self._in_flight: dict[int, tuple[bytes, int]] = {}
        self._last_id = 0
        self._subscribe_id = 0
        self._filters = 0
        self._reader = _Reader()

    def connect(self, client_id: str, password: str, will_topic: str, will_payload: bytes) -> None:
        """Asks to be let in; the user name is the client id. The will is retained, QoS 1."""
        flags = 0x80 | 0x40 | 0x20 | 0x08 | 0x04 | 0x02  # user, password, will retained at QoS 1, clean session
        fields = [client_id.encode(), will_topic.encode(), will_payload, client_id.encode(), password.encode()]
        body = b"\x00\x04MQTT\x04" + struct.pack("!BH", flags, self._keepalive_s)
        self.packets.append(_packet(_CONNECT, body + b"".join([_string(field) for field in fields])))

    def subscribe(self, topics: "tuple[str, ...]", ticks_ms: int) -> None:
        """Asks for ``topics`` at QoS 1."""
        self._subscribe_id = self._new_id()
        self._filters = len(topics)
        body = struct.pack("!H", self._subscribe_id) + b"".join([_string(t.encode()) + b"\x01" for t in topics])
        self._say(_packet(_SUBSCRIBE, body), ticks_ms)

    def publish(self, topic: str, payload: bytes, qos: int, retain: bool, ticks_ms: int) -> "int | None":
        """The packet's id (0 at QoS 0), or None if it cannot be taken now."""
        if self._state != _OPEN or (qos and len(self._in_flight) >= IN_FLIGHT_LIMIT):
            return None
        packet_id = self._new_id() if qos else 0
        middle = struct.pack("!H", packet_id) if qos else b""
        first = _PUBLISH | qos << 1 | (_RETAIN if retain else 0)
        packet = _packet(first, _string(topic.encode()) + middle + payload)
        if qos:
            self._in_flight[packet_id] = (packet, ticks_ms)
        self._say(packet, ticks_ms)
        return packet_id

    def is_in_flight(self, packet_id: int) -> bool:
        return packet_id in self._in_flight

    def receive(self, data: "bytes | memoryview", ticks_ms: int) -> "list[Event]":
        """Takes what came from the socket, in pieces of any size."""
        events: list[Event] = []
        if self._state == _BROKEN:
            return events
        self._heard_ticks = ticks_ms
        try:
            at = 0
            while at < len(data):
                at = self._reader.feed(data, at)
                if self._reader.complete:
                    events.extend(self._handle(ticks_ms))
        except _Violation as violation:
            events.append(self._break(str(violation)))
        return events

    def tick(self, ticks_ms: int) -> "list[Event]":
        """Time has passed: notices silence, keeps the connection alive, repeats what was not confirmed."""
        if self._state == _OPENING:
            if self._ticks_diff(ticks_ms, self._started_ticks) >= CONNACK_TIMEOUT_MS:
                return [self._break("no answer to CONNECT")]
        elif self._state == _OPEN:
            if self._keep_alive(ticks_ms):
                return [self._break("no answer to PINGREQ")]
            self._resend(ticks_ms)
        return []

    def _keep_alive(self, ticks_ms: int) -> bool:
        """Whether the peer is dead. Pings when either side was silent for half of the keepalive."""
        half_ms = self._keepalive_s * 500
        if self._pinged_ticks is not None:
            return self._ticks_diff(ticks_ms, self._pinged_ticks) >= half_ms
        silent_ms = max(self._ticks_diff(ticks_ms, self._heard_ticks), self._ticks_diff(ticks_ms, self._said_ticks))
        if silent_ms >= half_ms:
            self._pinged_ticks = ticks_ms
            self._say(_packet(_PINGREQ, b""), ticks_ms)
        return False

    def _resend(self, ticks_ms: int) -> None:
        for packet_id, (sent, sent_ticks) in list(self._in_flight.items()):
            if self._ticks_diff(ticks_ms, sent_ticks) >= RESEND_MS:
                packet = bytes([sent[0] | _DUP]) + sent[1:]
                self._in_flight[packet_id] = (packet, ticks_ms)
                self._say(packet, ticks_ms)

    def _handle(self, ticks_ms: int) -> "list[Event]":
        """One whole packet is in the reader."""
        first, body = self._reader.take()
        kind = first >> 4
        if (self._state == _OPENING) != (kind == 2):
            raise _Violation("CONNACK must come first, and once")  # §3.2
        if kind == 3:
            return self._on_publish(first, body, ticks_ms)
        if len(body) != {2: 2, 4: 2, 9: 2 + self._filters, 13: 0}[kind]:
            raise _Violation("packet 0x%02x of a wrong length" % first)
        if kind == 2:
            return self._on_connack(body)
        if kind == 9:
            return self._on_suback(body)
        if kind == 4:
            # A second PUBACK for the same id is normal after a repeat.
            self._in_flight.pop(body[0] << 8 | body[1], None)
        else:
            self._pinged_ticks = None
        return []

    def _on_connack(self, body: "memoryview") -> "list[Event]":
        if body[0] > 1:
            raise _Violation("reserved flags in CONNACK")
        if body[1]:
            raise _Violation("refused with code %d" % body[1])  # 4 and 5: credentials (table 3.1)
        self._state = _OPEN
        return [(OPENED,)]

    def _on_suback(self, body: "memoryview") -> "list[Event]":
        if not self._filters or body[0] << 8 | body[1] != self._subscribe_id:
            raise _Violation("SUBACK for nothing")
        self._filters = 0
        for code in body[2:]:
            if code > 1:
                raise _Violation("subscription refused with code %d" % code)
        return [(SUBSCRIBED,)]

    def _on_publish(self, first: int, body: "memoryview", ticks_ms: int) -> "list[Event]":
        qos = first >> 1 & 3
        if qos > 1 or (not qos and first & _DUP):
            raise _Violation("flags of PUBLISH")  # §3.3.1; QoS 2 was not asked for
        start = 2 + (body[0] << 8 | body[1]) if len(body) >= 2 else 0
        end = start + 2 * qos
        if start < 3 or end > len(body):
            raise _Violation("topic of PUBLISH")
        if qos:
            if not body[start] and not body[start + 1]:
                raise _Violation("packet id 0")  # §2.3.1
            self._say(_packet(_PUBACK, bytes(body[start:end])), ticks_ms)
        if self._reader.skipped:
            return [(OVERSIZED,)]
        return [(MESSAGE, bytes(body[2:start]), bytes(body[end:]), bool(first & _RETAIN))]

    def _break(self, reason: str) -> "Event":
        self._state = _BROKEN
        return (BROKEN, reason)

    def _say(self, packet: bytes, ticks_ms: int) -> None:
        self._said_ticks = ticks_ms
        self.packets.append(packet)

    def _new_id(self) -> int:
        while True:
            self._last_id = self._last_id % 65535 + 1
            if self._last_id not in self._in_flight:
                return self._last_id


class _Reader:
    """Finds the packets in a stream. Keeps at most PACKET_LIMIT bytes of one, and counts the rest as skipped."""

    def __init__(self) -> None:
        self.complete = False
        self.skipped = 0
        self._first: int | None = None
        self._missing: int | None = None  # bytes of the body still to come; None: its length is not known yet
        self._length = 0
        self._shift = 0
        self._kept = 0
        self._body = memoryview(bytearray(PACKET_LIMIT))

    def feed(self, data: "bytes | memoryview", at: int) -> int:
        """Reads on from ``data[at]`` to the end of the packet or of the data; returns where it stopped."""
        if self._first is None:
            self._first = data[at]
            at += 1
            if self._first not in _ANSWERS and self._first & 0xF0 != _PUBLISH:
                raise _Violation("unexpected packet 0x%02x" % self._first)
        while self._missing is None and at < len(data):
            self._read_length(data[at])
            at += 1
        if self._missing is None:
            return at
        taken = min(self._missing, len(data) - at)
        kept = min(taken, PACKET_LIMIT - self._kept)
        self._body[self._kept : self._kept + kept] = data[at : at + kept]
        self._kept += kept
        self.skipped += taken - kept
        self._missing -= taken
        self.complete = not self._missing
        return at + taken

    def take(self) -> "tuple[int, memoryview]":
        """First byte and body of the complete packet; valid until the next feed()."""
        assert self._first is not None
        packet = self._first, self._body[: self._kept]
        self._first = self._missing = None
        self._length = self._shift = self._kept = 0
        self.complete = False
        return packet

    def _read_length(self, byte: int) -> None:
        self._length |= (byte & 127) << self._shift
        if not byte & 128:
            assert self._first is not None
            if self._length > PACKET_LIMIT and self._first & 0xF0 != _PUBLISH:
                raise _Violation("packet 0x%02x of a wrong length" % self._first)
            self._missing = self._length
            self.skipped = 0
        elif self._shift == 21:
            raise _Violation("length of more than four bytes")  # §2.2.3
        self._shift += 7


def _string(text: bytes) -> bytes:
    return struct.pack("!H", len(text)) + text


def _packet(first: int, body: bytes) -> bytes:
    head = bytearray([first])
    left = len(body)
    while left > 127:
        head.append(left & 127 | 128)
        left >>= 7
    head.append(left)
    return bytes(head) + body
