"""A line to the broker for the feed and the fleet service: it keeps connected and decides nothing.

Each connection is a fresh paho client. A reused one sends again, after a reconnect, what it had in flight; a retained
call that was overtaken meanwhile would then come last and stand. What matters is told anew instead: calls from the
store, facts from the outbox.
"""

import logging
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from collector.errors import BrokerError
from collector.tls import Trust, why_not

logger = logging.getLogger(__name__)

KEEPALIVE_S = 20
# From the first failure on; half of each pause is random, so that a broker that comes back is not stormed.
PAUSES_S = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)


@dataclass(frozen=True, slots=True)
class Broker:
    host: str
    port: int
    user: str
    password: str | None = field(repr=False)
    client_id: str
    trust: Trust | None = None  # None: a plain line


class Line:
    """A connection that comes back by itself. What it calls, ``on_message`` (topic, payload, whether
    it was retained) among it, runs in a thread of the line's: it only enqueues.

    ``on_up`` comes before the first message of a connection; ``on_hearing`` when the broker has answered every
    subscription: from then on whatever is published arrives, and as it is published.
    """

    def __init__(
        self,
        broker: Broker,
        *,
        subscriptions: tuple[str, ...],
        on_up: Callable[[], None],
        on_message: Callable[[str, bytes, bool], None],
        on_down: Callable[[], None] = lambda: None,
        on_hearing: Callable[[], None] = lambda: None,
    ):
        self._broker = broker
        self._subscriptions = subscriptions
        self._on_up = on_up
        self._on_message = on_message
        self._on_down = on_down
        self._on_hearing = on_hearing
        self._unanswered = 0  # subscriptions of this connection
        self._live: paho.Client | None = None
        self._refused: str | None = None
        self._was_up = False
        self._ended = threading.Event()  # this connection has, or never came to be
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="line", daemon=True)

    @property
    def up(self) -> bool:
        return self._live is not None

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Disconnects politely and ends the thread."""
        self._stopping.set()
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()

    def publish(self, topic: str, payload: bytes, *, retain: bool = False, qos: int = 1) -> bool:
        """Hands a message to the connection; False if there is none. Never waits."""
        client = self._live
        if client is None:
            return False
        return client.publish(topic, payload, qos=qos, retain=retain).rc == paho.MQTT_ERR_SUCCESS

    def _keep(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            was_up = self._connect_once()
            if self._stopping.is_set():
                return
            failures = 0 if was_up else failures + 1
            pause = PAUSES_S[min(failures, len(PAUSES_S) - 1)]
            self._stopping.wait(pause * random.uniform(0.5, 1.0))

    def _connect_once(self) -> bool:
        """One connection from beginning to end; whether it ever was up."""
        self._ended.clear()
        self._was_up = False
        if self._stopping.is_set():
            return False
        try:
            client = self._client()
            client.connect(self._broker.host, self._broker.port, KEEPALIVE_S)
        except OSError as error:
            self._say_down(why_not(error, self._broker.host, self._broker.trust))
            return False
        except BrokerError as error:
            self._say_down(str(error))
            return False
        client.loop_start()
        self._ended.wait()
        self._live = None
        client.disconnect()
        client.loop_stop()
        return self._was_up

    def _client(self) -> paho.Client:
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._broker.client_id,
            protocol=MQTTProtocolVersion.MQTTv311,
            reconnect_on_failure=False,
        )
        client.connect_timeout = 5.0
        if self._broker.trust is not None:
            client.tls_set_context(self._broker.trust.context())
        client.max_inflight_messages_set(1000)
        if self._broker.password is not None:
            client.username_pw_set(self._broker.user, self._broker.password)
        client.on_connect = self._connected
        client.on_disconnect = self._disconnected
        client.on_subscribe = self._subscribed
        client.on_message = lambda _client, _userdata, message: self._on_message(
            message.topic, bytes(message.payload), message.retain
        )
        return client

    def _connected(
        self,
        client: paho.Client,
        userdata: object,
        flags: paho.ConnectFlags,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        if reason.is_failure:
            self._say_down(str(reason))
            self._ended.set()
            return
        self._unanswered = len(self._subscriptions)
        for topic_filter in self._subscriptions:
            client.subscribe(topic_filter, qos=1)
        logger.info("connected to the broker at %s:%d", self._broker.host, self._broker.port)
        self._refused = None
        self._live = client
        self._was_up = True
        self._on_up()

    def _subscribed(self, *_: object) -> None:
        self._unanswered -= 1
        if self._unanswered == 0:
            self._on_hearing()

    def _disconnected(
        self,
        client: paho.Client,
        userdata: object,
        flags: paho.DisconnectFlags,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        if self._live is client:
            self._live = None
            self._on_down()
            if not self._stopping.is_set():
                logger.warning("lost the broker: %s", reason)
        self._ended.set()

    def _say_down(self, why: str) -> None:
        if why != self._refused:  # one line for a change of state, not one for an attempt
            logger.warning("no broker at %s:%d: %s", self._broker.host, self._broker.port, why)
        self._refused = why
