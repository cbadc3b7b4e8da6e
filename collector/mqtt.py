"""One connection to the broker: what arrived since it was last asked, and what to acknowledge. It knows no votes.

MQTT 3.1.1. Alone, with a session that the broker keeps (fixed client id, no clean session): what is not acknowledged
when this process dies comes again. In a group of equal collectors (shared subscriptions), with a session that ends with
the connection. Measured with Mosquitto 2.0.11: whatever the session and the version of MQTT, what a killed member had
in flight and in its queue goes to no other; and a session that is kept goes on taking half of what comes to a group of
two, for nobody. So in a group it is the writers who send again what has no receipt, and that reaches somebody who is
there. MQTT 5 would add nothing but 1.75 times the CPU (paho).

Everything happens in the caller's thread. A thread for writing to the database beside one for the socket was measured,
and slower: they share one interpreter lock, and its hand-overs cost more than the commit.

paho is the protocol, but the socket that it reads is ours (collector/buffered.py), for its own way of reading and
writing costs as much as all the rest. It has no public place to put a socket in: ``_Client`` overrides the one method
that makes it. To take the messages out of the stream before paho sees them was tried, and took a third off the cost of
each; but a codec of MQTT is not ours to keep, and with paho the goal is reached.
"""

import select
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from operator import attrgetter
from typing import NamedTuple, cast

from paho.mqtt.client import Client, ConnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from collector.buffered import BufferedSocket
from collector.errors import BrokerError
from collector.model import Arrival
from collector.tls import Trust, why_not
from protocol import codec, topics
from protocol.messages import Ack

SUBSCRIPTIONS = (
    (topics.every_desk("vote"), 1),
    (topics.every_desk("status"), 1),
    (topics.every_desk("health"), 0),
    (topics.every_queue("event"), 1),
)
# Retained, so each member of a group gets all of it: a shared subscription gives no retained message to anybody.
_TOLD_TO_ALL = topics.every_desk("status")
# One transaction takes this much at most: enough to make the commit cheap, and well under a second of work.
BATCH_MESSAGES = 1000
_KEEPALIVE_S = 30
_GREETING_S = 10  # for the broker to accept the connection, and again to grant the subscriptions
# Receipts that the broker has not confirmed. While it sends a backlog it confirms nothing: measured with Mosquitto
# 2.0.11, 25,000 were under way at the end of a million messages. Of the others only the last of each writer is held.
RECEIPTS_UNDERWAY = 1000
_LOST = "the connection to the broker is lost"


def subscriptions(group: str | None) -> list[tuple[str, int]]:
    """Filters and their QoS, for a collector alone (None) or in ``group``."""
    if group is None:
        return list(SUBSCRIPTIONS)
    return [(each if each == _TOLD_TO_ALL else topics.shared(group, each), qos) for each, qos in SUBSCRIPTIONS]


class Delivery(NamedTuple):
    """An arrival and the broker's name for it; ``qos`` 0 needs no acknowledgement."""

    arrival: Arrival
    mid: int
    qos: int


class _Client(Client):
    """paho on a buffered socket. tests/integration/test_collector_syscalls.py fails if paho makes its otherwise."""

    buffered: BufferedSocket | None = None

    def _create_socket(self) -> BufferedSocket:
        self.buffered = BufferedSocket(cast(socket.socket, super()._create_socket()))
        return self.buffered


class Broker:
    """A connection that is open from construction to ``close``, or to the first BrokerError.

    Raises:
        BrokerError: if the broker cannot be reached or does not let us in.
    """

    def __init__(
        self,
        address: tuple[str, int],
        *,
        user: str,
        password: str,
        client_id: str,
        trust: Trust | None = None,
        shared_group: str | None = None,
    ):
        self._inbox: list[Delivery] = []
        self._owed: dict[tuple[str, str], Ack] = {}  # receipts, by topic and journal
        self._underway = 0
        self._refusal: str | None = None
        self._connected = False
        self.subscribed = False  # granted: from now on everything new arrives; what was queued may come before
        self._deadline = 0.0
        self._group = shared_group
        self._client = self._make_client(user, password, client_id)
        if trust is not None:
            self._client.tls_set_context(trust.context())
        try:
            self._client.connect(*address, keepalive=_KEEPALIVE_S)
        except OSError as error:
            where, why = f"{address[0]}:{address[1]}", why_not(error, address[0], trust)
            raise BrokerError(f"the broker at {where} cannot be reached: {why}") from error
        try:
            self._greet()
        except BrokerError:
            self.close()
            raise

    def receive(self, timeout_s: float, wake: socket.socket | None = None) -> list[Delivery]:
        """What has arrived, up to BATCH_MESSAGES; [] after ``timeout_s`` or when ``wake`` becomes readable.

        Raises BrokerError when the connection is lost.
        """
        self._wait(timeout_s if self.subscribed else 1.0, wake)
        self._read()
        if self._owed:
            self._tell(RECEIPTS_UNDERWAY)
        if not self._inbox and not self.subscribed:
            self._check_patience()
        taken, self._inbox = self._inbox[:BATCH_MESSAGES], self._inbox[BATCH_MESSAGES:]
        return taken

    def confirm(self, deliveries: Sequence[Delivery], receipts: Sequence[tuple[str, Ack]]) -> None:
        """Acknowledges what is committed, to the broker and then, by ``receipts``, to who wrote it."""
        for topic, ack in receipts:  # in the order of the last word of each, as they came
            earlier = self._owed.pop((topic, ack.journal), ack)
            self._owed[topic, ack.journal] = max(earlier, ack, key=attrgetter("seq"))
        with _lost(), self._connection().gathering():
            for _, mid, qos in deliveries:
                if qos:
                    self._client.ack(mid, qos)
            self._tell(RECEIPTS_UNDERWAY)

    def close(self) -> None:
        """Takes leave. What was not confirmed stays with the broker; receipts that were held back are told."""
        with suppress(BrokerError):
            self._tell(self._underway + len(self._owed))
        self._client.disconnect()

    @property
    def peer_certificate(self) -> bytes | None:
        """What the broker proved itself with, DER; None on a plain line."""
        return self._client.buffered.peer_certificate() if self._client.buffered else None

    def _tell(self, most: int) -> None:
        """Publishes receipts that are owed, as long as fewer than ``most`` are under way. Raises BrokerError."""
        with _lost(), self._connection().gathering():
            while self._owed and self._underway < most:
                topic, journal = next(iter(self._owed))
                self._underway += 1
                self._client.publish(topic, codec.encode(self._owed.pop((topic, journal))), qos=1, retain=True)

    # ---- the connection
    def _make_client(self, user: str, password: str, client_id: str) -> _Client:
        client = _Client(
            CallbackAPIVersion.VERSION2,
            client_id,
            clean_session=self._group is not None,
            protocol=MQTTProtocolVersion.MQTTv311,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        client.username_pw_set(user, password)
        client.max_inflight_messages_set(0)  # _tell sees to it; paho would look through all of them at each word
        client.on_connect = self._on_connect
        client.on_publish = self._on_confirmed
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        return client

    def _greet(self) -> None:
        self._deadline = time.monotonic() + _GREETING_S
        while not self._connected:
            try:
                self._wait(1.0, None)
                self._read()
            except BrokerError as error:
                hint = " before any greeting: does this port want TLS (broker_ca), or a certificate of ours?"
                raise BrokerError(self._refusal or f"{error}{hint}") from None
            self._check_patience()
        self._deadline = time.monotonic() + _GREETING_S

    def _wait(self, timeout_s: float, wake: socket.socket | None) -> None:
        """Until there is something to read; writes on the way what has to go out."""
        connection = self._connection()
        if self._inbox or connection.pending():
            timeout_s = 0  # what is in a buffer already, select does not see
        if self._client.want_write():  # what was said in a callback
            self._check(self._client.loop_write())
        reading: list[BufferedSocket | socket.socket] = [connection, wake] if wake else [connection]
        _, writable, _ = select.select(reading, [connection] if connection.unsent else [], [], timeout_s)
        if writable:
            with _lost():
                connection.flush()
        self._check(self._client.loop_misc())

    def _read(self) -> None:
        """Takes in everything that the socket holds, up to one batch."""
        connection = self._connection()
        while len(self._inbox) < BATCH_MESSAGES:
            before = len(self._inbox)
            code = self._client.loop_read()
            if code:
                self._check(code)
            if len(self._inbox) == before and not connection.pending():
                return

    def _connection(self) -> BufferedSocket:
        if self._client.socket() is None or self._client.buffered is None or self._refusal:
            raise BrokerError(self._refusal or _LOST)
        return self._client.buffered

    def _check(self, code: MQTTErrorCode) -> None:
        # AGAIN: a full socket buffer. What could not be written stays in line, and _wait writes it.
        if code not in (MQTTErrorCode.MQTT_ERR_SUCCESS, MQTTErrorCode.MQTT_ERR_AGAIN):
            raise BrokerError(self._refusal or _LOST)

    def _check_patience(self) -> None:
        if time.monotonic() > self._deadline:
            raise BrokerError("the broker does not answer")

    # ---- callbacks
    def _on_connect(
        self, client: Client, _: object, __: ConnectFlags, reason: ReasonCode, ___: Properties | None
    ) -> None:
        if reason.is_failure:
            self._refusal = f"the broker refuses the connection: {reason}"
            return
        self._connected = True
        client.subscribe(subscriptions(self._group))

    def _on_subscribe(
        self, _: Client, __: object, ___: int, reasons: list[ReasonCode], ____: Properties | None
    ) -> None:
        if any(reason.is_failure for reason in reasons):
            shared = " and whether it has shared subscriptions (shared_group)" if self._group else ""
            self._refusal = f"the broker refuses a subscription: look at its access list{shared}"
            return
        self.subscribed = True

    def _on_confirmed(self, _: Client, __: object, ___: int, ____: ReasonCode, _____: Properties | None) -> None:
        self._underway -= 1

    def _on_message(self, _: Client, __: object, message: MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:  # no broker that keeps to MQTT 3.1.1 §1.5.3 passes such a topic on
            topic = "(not UTF-8)"
        arrival = Arrival(topic, bytes(message.payload), time.time_ns() // 1_000_000)
        self._inbox.append(Delivery(arrival, message.mid, message.qos))


@contextmanager
def _lost() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise BrokerError(_LOST) from error
