"""The embedded broker: amqtt as a process of its own on loopback, for demonstrations. An office runs Mosquitto.

amqtt alone is not safe enough to stand behind two dozen pads; what is added here, and why (amqtt 0.12.1, measured):

1.  Door: amqtt touches sessions before it knows who asks. A CONNECT with a wrong password ends the session of that
    client id, a second session of the same id leaves the first without messages, a last will goes to any topic, a
    silent client is never declared gone, and a packet may have 256 MB. So a CONNECT is read and judged first.
2.  Rooms: protocol.access decides who may publish and subscribe; there is no anonymous user.
3.  SteadyBroker: amqtt sends every retained message that *anyone* subscribed to whoever connects, loses a message if
    someone subscribes while it is handed out, and drops what a client sent if that client leaves at once.

Nothing is kept on disk: after a restart the feed and the pads publish what they hold (DESIGN section 1, point 2).
"""

import asyncio
import logging
import os
from pathlib import Path
from typing import Any, ClassVar

from amqtt.adapters import ReaderAdapter, StreamWriterAdapter
from amqtt.broker import Broker
from amqtt.contexts import Action, BrokerConfig, ListenerConfig, ListenerType
from amqtt.mqtt.connack import (
    BAD_USERNAME_PASSWORD,
    NOT_AUTHORIZED,
    UNACCEPTABLE_PROTOCOL_VERSION,
    ConnackPacket,
)
from amqtt.mqtt.connect import ConnectPacket
from amqtt.plugins.base import BaseAuthPlugin, BaseTopicPlugin
from pydantic import Field
from pydantic_settings import SettingsConfigDict

from collector.errors import RegisterError
from collector.register import read_register
from protocol.access import READ, WRITE, may
from schemas.register import desks_by_branch
from schemas.settings import BadSettings, ProgramSettings, read_settings
from sim.errors import SettingsError
from sim.passwords import PasswordFile, owns_client_id

PREFIX = "ZRAZKOVO_BROKER_"
# The largest message of ours has 1,024 bytes (protocol.codec.SIZE_LIMITS), the longest topic 80.
PACKET_BYTES = 4096
CONNECT_WITHIN_S = 10.0
_MQTT_3_1_1 = 4

log = logging.getLogger("sim.broker")


class Settings(ProgramSettings):
    model_config = SettingsConfigDict(env_prefix=PREFIX)

    listen_host: str = "127.0.0.1"
    listen_port: int = Field(1883, ge=0, le=65535)  # 0: any free one, named in the ready line
    password_file: Path
    register_file: Path | None = None  # for feeds that may reach one branch only


def load_settings(file: Path) -> Settings:
    """Raises SettingsError naming the key at fault."""
    try:
        return read_settings(Settings, file, os.environ)
    except BadSettings as error:
        raise SettingsError(str(error)) from None


class Rooms(BaseAuthPlugin, BaseTopicPlugin):  # type: ignore[misc]
    """amqtt's question "may this session?" put to protocol.access."""

    branches: ClassVar[dict[str, tuple[str, ...]]] = {}  # amqtt makes the plugin by itself: it cannot be handed over

    async def authenticate(self, *, session: Any) -> bool:
        # Only what Door has let in reaches amqtt: its listener is "external" and opens no port.
        return session.username is not None

    async def topic_filtering(self, *, session: Any = None, topic: str | None = None, action: Any = None) -> bool:
        if session is None or not session.username or topic is None:
            return False
        wish = WRITE if action == Action.PUBLISH else READ
        allowed = may(session.username, wish, topic, self.branches)
        if not allowed and action != Action.RECEIVE:
            log.warning("refused: %s may not %s %.80r", session.username, action, topic)
        return allowed


class _SteadyDict(dict[str, Any]):
    """amqtt awaits inside its loops over the subscriptions, while others subscribe: give it copies to loop over."""

    def __iter__(self) -> Any:
        return iter(list(super().__iter__()))

    def items(self) -> Any:
        return list(super().items())


class SteadyBroker(Broker):  # type: ignore[misc]
    """amqtt's broker without the defects under point 3 above."""

    def __init__(self, config: BrokerConfig):
        super().__init__(config)
        self._subscriptions = _SteadyDict()

    async def _publish_retained_messages_for_subscription(self, subscription: Any, session: Any) -> None:
        subscribers = self._subscriptions.get(subscription[0], ())
        if any(subscriber is session for subscriber, _ in subscribers):
            await super()._publish_retained_messages_for_subscription(subscription, session)

    async def _handle_disconnect(self, session: Any, handler: Any, waiter: Any) -> None:
        while not session.delivered_message_queue.empty():
            accepted: asyncio.Future[Any] = asyncio.Future()
            accepted.set_result(session.delivered_message_queue.get_nowait())
            await self._handle_message_delivery(session, handler, accepted)
        await super()._handle_disconnect(session, handler, waiter)


class _Reader(ReaderAdapter):  # type: ignore[misc]
    """A client's bytes, first those already read by Door; ends when the client falls silent or asks for too much."""

    def __init__(self, stream: asyncio.StreamReader):
        self.patience_s: float | None = CONNECT_WITHIN_S
        self._stream = stream
        self._recording = True
        self._seen = b""
        self._again = b""
        self._ended = False
        self._heard = asyncio.get_running_loop().time()

    def rewind(self) -> None:
        """What has been read so far will be read once more."""
        self._recording = False
        self._again, self._seen = self._seen, b""

    async def read(self, n: int = -1) -> bytes:
        if self._again:
            data, self._again = self._again[:n], self._again[n:]
            return data
        if self._ended or not 0 <= n <= PACKET_BYTES:
            self._ended = True
            raise asyncio.IncompleteReadError(b"", n)
        loop = asyncio.get_running_loop()
        until = None if self.patience_s is None else self._heard + self.patience_s
        try:
            async with asyncio.timeout_at(until):
                data = await self._stream.readexactly(n)
        except (TimeoutError, OSError):
            self._ended = True
            raise asyncio.IncompleteReadError(b"", n) from None
        self._heard = loop.time()
        if self._recording:
            self._seen += data
        return data

    def feed_eof(self) -> None:
        self._ended = True


class _Guest:
    """A connection that was let in, and the news that it is quite gone."""

    def __init__(self, writer: asyncio.StreamWriter):
        self.writer = writer
        self.gone = asyncio.Event()


class Door:
    """Judges every CONNECT before amqtt sees it, and lets at most one connection a client id in at a time."""

    def __init__(self, broker: SteadyBroker, passwords: PasswordFile):
        self._broker = broker
        self._passwords = passwords
        self._guests: dict[str, _Guest] = {}

    async def receive(self, stream: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reader = _Reader(stream)
        try:
            await self._judge(reader, writer)
        except Exception as error:  # bytes of a stranger may raise anything in amqtt's parser
            log.warning("refused: not an MQTT connection (%s)", type(error).__name__)
        finally:
            writer.close()

    async def _judge(self, reader: _Reader, writer: asyncio.StreamWriter) -> None:
        connect = await ConnectPacket.from_stream(reader)
        code, why = self._objection(connect)
        if code:
            log.warning("refused: %.40r: %s", connect.username, why)
            writer.write(ConnackPacket.build(0, code).to_bytes())
            await writer.drain()
            return
        reader.rewind()
        # MQTT 3.1.1 §3.1.2.10: one and a half times the keep-alive; none means for ever.
        reader.patience_s = 1.5 * connect.keep_alive or None
        await self._let_in(connect.client_id, reader, writer)

    def _objection(self, connect: Any) -> tuple[int, str]:
        """(CONNACK's return code, why); code 0 lets it in."""
        user = connect.username
        if connect.proto_level != _MQTT_3_1_1:
            return UNACCEPTABLE_PROTOCOL_VERSION, "not MQTT 3.1.1"
        if not self._passwords.fit(user, connect.password):
            return BAD_USERNAME_PASSWORD, "no such user or a wrong password"
        if not owns_client_id(user, connect.client_id):
            return NOT_AUTHORIZED, "the client id belongs to another user"
        if connect.will_flag and not may(user, WRITE, connect.will_topic or "", Rooms.branches):
            return NOT_AUTHORIZED, "may not leave a last will there"
        return 0, ""

    async def _let_in(self, client_id: str, reader: _Reader, writer: asyncio.StreamWriter) -> None:
        guest = _Guest(writer)
        while client_id in self._guests:
            # MQTT 3.1.1 §3.1.4-2: the newcomer wins; its session begins when the old one has quite ended.
            self._guests[client_id].writer.transport.abort()
            await self._guests[client_id].gone.wait()
        self._guests[client_id] = guest
        try:
            await self._broker.external_connected(reader, StreamWriterAdapter(writer), "default")
        finally:
            del self._guests[client_id]
            guest.gone.set()


async def serve(settings: Settings, stopping: asyncio.Event) -> None:
    """Runs the broker until ``stopping`` is set. Raises SettingsError or OSError (port taken)."""
    passwords = PasswordFile(settings.password_file)
    if settings.register_file is not None:
        try:
            Rooms.branches = desks_by_branch(read_register(settings.register_file))
        except RegisterError as error:
            raise SettingsError(f"register_file: {error}") from None
    for noisy in ("amqtt", "transitions"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    broker = SteadyBroker(
        BrokerConfig(
            listeners={"default": ListenerConfig(type=ListenerType.EXTERNAL)},
            plugins={f"{__name__}.{Rooms.__name__}": {}},
        )
    )
    await broker.start()
    door = Door(broker, passwords)
    server = await asyncio.start_server(door.receive, settings.listen_host, settings.listen_port)
    host, port = server.sockets[0].getsockname()[:2]
    log.info("ready on %s:%d", host, port)
    await stopping.wait()
    server.close()
    await broker.shutdown()
