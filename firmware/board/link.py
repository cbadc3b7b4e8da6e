"""The pad's connection through all of its life: connect, sign in, stay, fail, back off. It does not know a vote.

                 open() begun       stream ready      CONNACK
    WAITING ────────────► CONNECTING ───────► SIGNING_IN ───────► ONLINE
       ▲                       │                   │                 │
       └───── any failure: close, and wait a random time up to the back-off ┘

CONNECTING includes looking up the broker's name (resolver.py), SIGNING_IN the TLS handshake: nothing here blocks.

A step of a handshake does keep the loop busy, though: 10 ms on a PC, perhaps a second on a chip (tls.py). So none is
begun while a client stands before an armed pad; but only for so long, because a pad without a connection does not
hear that the call is over.
"""

from firmware.board import mqtt
from protocol import codec, topics

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from firmware.board.config import Config
    from firmware.board.contract import Board, Stream
    from protocol.messages import Message, PadStatus

    Event = tuple[object, ...]

WAITING, CONNECTING, SIGNING_IN, ONLINE = "waiting", "connecting", "signing in", "online"
# Events: (UP,), (DOWN, reason), (ARRIVED, kind, payload, retained), (REFUSED,)
UP, DOWN, ARRIVED, REFUSED = "up", "down", "arrived", "refused"

_READS = ("call", "ack", "command", "update", "piece", "settings")
_CONNECT_TIMEOUT_MS = 10000
# A broker that restarts in no time meets a whole city's pads within this: tests/bench/bench_reconnect.py, 1,000 pads,
# the busiest second: 895 of them with 1 s, 258 with 5 s. A pad alone pays for it with 2.5 s on average.
_FIRST_BACKOFF_MS = 5000
# A connection that lasted this long was a good one: the next pause is short again.
_STEADY_MS = 10000
# For so long a client's finger goes before the network.
_ARMED_PATIENCE_MS = 10000
_POLITE_LOOK_MS = 100
# Per turn of the loop, so that a flood of packets cannot keep a finger waiting.
_READS_PER_STEP = 4


class Link:
    """Keeps one MQTT session with the broker. ``make_will`` gives the status to leave behind at each connect."""

    def __init__(self, config: "Config", board: "Board", make_will: "Callable[[], PadStatus]"):
        self.state = WAITING
        self.connects = 0
        self._config = config
        self._board = board
        self._make_will = make_will
        self._topics = {kind: topics.desk(config.desk, kind) for kind in topics.DESK_KINDS}
        self._stream: Stream | None = None
        self._session: mqtt.Session | None = None
        self._buffer = bytearray(512)
        self._entered_ticks = board.ticks_ms()
        self._backoff_ms = self._first_backoff_ms = min(_FIRST_BACKOFF_MS, 1000 * config.reconnect_max_s)
        self._pause_ms = 0
        self._more = False  # the last step left something unread: what TLS holds decrypted wakes no poll
        self._failure: OSError | None = None  # met while publishing
        self._is_polite = False  # waits for a client's press before it connects

    def step(self, ticks_ms: int, armed: bool = False) -> "list[Event]":
        """Moves the connection on as far as it goes without waiting; ``armed``: a client is about to press."""
        self._more = False
        try:
            if self._failure:
                raise self._failure
            if self.state == WAITING:
                self._try_to_open(ticks_ms, armed)
            elif self.state == CONNECTING:
                self._try_to_sign_in(ticks_ms)
            if self._session:
                return self._talk(ticks_ms)
        except OSError as error:
            return self.drop(" ".join([str(part) for part in error.args]), ticks_ms)
        return []

    def publish(self, message: "Message", retain: bool, qos: int, ticks_ms: int) -> "int | None":
        """The packet's id (0 at QoS 0), or None if it cannot go out now."""
        if self.state != ONLINE or not self._session:
            return None
        topic = self._topics[message.KIND]
        packet_id = self._session.publish(topic, codec.encode(message), qos, retain, ticks_ms)
        try:
            self._flush()
        except OSError as error:
            self._failure = error  # step() cuts the connection: whoever publishes need not know how to
        return packet_id

    def is_in_flight(self, packet_id: int) -> bool:
        """Whether the broker has not yet confirmed a publish of this connection."""
        return self._session is not None and self._session.is_in_flight(packet_id)

    def drop(self, reason: str, ticks_ms: int) -> "list[Event]":
        """Cuts the connection and schedules the next attempt."""
        lasted_ms = self._board.ticks_diff(ticks_ms, self._entered_ticks)
        if self.state == ONLINE and lasted_ms >= _STEADY_MS:
            self._backoff_ms = self._first_backoff_ms
        # Full jitter: after a broker's restart a whole city's pads come back, and not in the same second.
        self._pause_ms = 1 + int.from_bytes(self._board.random_bytes(3), "big") % self._backoff_ms
        self._backoff_ms = min(2 * self._backoff_ms, 1000 * self._config.reconnect_max_s)
        if self._stream:
            self._stream.close()
        self._stream = self._session = self._failure = None
        self._enter(WAITING, ticks_ms)
        return [(DOWN, reason)]

    def due_ms(self, ticks_ms: int, otherwise_ms: int) -> int:
        """In how many milliseconds step() must be called again even if nothing arrives."""
        if self._more or self._failure:
            return 0
        if self.state != WAITING or not self._board.connector.is_up:
            return otherwise_ms
        left_ms = self._pause_ms - self._board.ticks_diff(ticks_ms, self._entered_ticks)
        if self._is_polite:
            left_ms = max(left_ms, _POLITE_LOOK_MS)
        return max(0, min(left_ms, otherwise_ms))

    def _try_to_open(self, ticks_ms: int, armed: bool) -> None:
        waited_ms = self._board.ticks_diff(ticks_ms, self._entered_ticks)
        connector = self._board.connector
        self._is_polite = armed and connector.stalls and waited_ms < _ARMED_PATIENCE_MS
        if waited_ms >= self._pause_ms and connector.is_up and not self._is_polite:
            self._enter(CONNECTING, ticks_ms)
            self._stream = connector.open(self._config.broker_host, self._config.broker_port)

    def _try_to_sign_in(self, ticks_ms: int) -> None:
        assert self._stream
        if self._stream.ready():
            session = mqtt.Session(self._config.keepalive_s, ticks_ms, self._board.ticks_diff)
            will = codec.encode(self._make_will())
            session.connect(self._config.desk, self._config.password, self._topics["status"], will)
            self._session = session
            self._enter(SIGNING_IN, ticks_ms)
        elif self._board.ticks_diff(ticks_ms, self._entered_ticks) >= _CONNECT_TIMEOUT_MS:
            raise OSError(110, "connect")  # ETIMEDOUT

    def _talk(self, ticks_ms: int) -> "list[Event]":
        assert self._session and self._stream
        session, stream = self._session, self._stream
        events: list[Event] = []
        for _ in range(_READS_PER_STEP):
            count = stream.receive(self._buffer)
            if not count:
                break
            for event in session.receive(memoryview(self._buffer)[:count], ticks_ms):
                events.extend(self._on_event(event, ticks_ms))
            if self._session is not session:
                return events  # dropped; session and stream are the old ones
        else:
            self._more = True
        for event in session.tick(ticks_ms):
            events.extend(self._on_event(event, ticks_ms))
        self._flush()
        return events

    def _on_event(self, event: "mqtt.Event", ticks_ms: int) -> "list[Event]":
        if event[0] == mqtt.MESSAGE:
            for kind in _READS:
                if event[1] == self._topics[kind].encode():
                    return [(ARRIVED, kind, event[2], event[3])]
            return [(REFUSED,)]
        if event[0] == mqtt.OPENED:
            assert self._session
            self.connects += 1
            self._enter(ONLINE, ticks_ms)
            self._session.subscribe(tuple([self._topics[kind] for kind in _READS]), ticks_ms)
            return [(UP,)]
        if event[0] == mqtt.BROKEN:
            return self.drop(str(event[1]), ticks_ms)
        return [(REFUSED,)] if event[0] == mqtt.OVERSIZED else []

    def _flush(self) -> None:
        """Hands packets to the stream, each with one send(): Nagle's wait would cost 40 ms a packet."""
        while self._stream and self._session and self._session.packets:
            packet = self._session.packets[0]
            sent = self._stream.send(packet)
            if sent < len(packet):
                self._session.packets[0] = packet[sent:]
                return
            self._session.packets.pop(0)

    def _enter(self, state: str, ticks_ms: int) -> None:
        self.state = state
        self._entered_ticks = ticks_ms
