"""Knocks at the broker for ``python -m collector doctor``: who is there, whether we are let in, what we may say.

``knock`` only opens a connection. ``login`` takes the collector's place at the broker for a moment, because a broker
tells by a user's name which session is whose: a collector that runs is cut off and comes back within a second. Nothing
is lost by it: what is delivered meanwhile is not acknowledged, and comes again.
"""

import socket
import ssl
import threading
from typing import Any, NamedTuple

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from collector.errors import BrokerError
from collector.mqtt import subscriptions
from collector.tls import Trust, why_not
from protocol import topics

_WAIT_S = 5.0
_KEEP = 0xFFFFFFFF  # seconds: a session that is kept, as the collector's own is
_NOBODY = "doctor-probe"  # no desk is called so; what is published there reaches nobody
_NOT_AUTHORISED = 0x87


class Rights(NamedTuple):
    """What the access list lets us do: ``None`` where the broker gave no answer."""

    subscribes: bool
    acknowledges: bool | None  # must
    calls: bool | None  # must not: whoever may, can light any pad


def knock(address: tuple[str, int], trust: Trust | None) -> bytes | None:
    """The certificate that the broker shows, checked; None on a plain line. Raises BrokerError saying what to do."""
    try:
        with socket.create_connection(address, _WAIT_S) as line:
            if trust is None:
                return None
            with trust.context().wrap_socket(line, server_hostname=address[0]) as safe:
                return safe.getpeercert(binary_form=True)
    except OSError as error:
        why = why_not(error, address[0], trust) if isinstance(error, ssl.SSLError | ConnectionResetError) else error
        raise BrokerError(f"{address[0]}:{address[1]}: {why}") from None


def login(
    address: tuple[str, int], trust: Trust | None, *, user: str, password: str, session: str, group: str | None
) -> Rights:
    """Logs in as the collector does and asks for what it needs. Raises BrokerError if it is not let in."""
    client = paho.Client(
        CallbackAPIVersion.VERSION2, session, protocol=MQTTProtocolVersion.MQTTv5, manual_ack=True,
        reconnect_on_failure=False,
    )  # fmt: skip
    client.username_pw_set(user, password)
    if trust is not None:
        client.tls_set_context(trust.context())
    heard = _Heard(client)
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.SessionExpiryInterval = _KEEP if group is None else 0
    try:
        client.connect(*address, keepalive=30, clean_start=group is not None, properties=properties)
    except OSError as error:
        raise BrokerError(f"{address[0]}:{address[1]}: {why_not(error, address[0], trust)}") from None
    client.loop_start()
    try:
        refused = heard.of("connect")
        if refused is None or refused.is_failure:
            raise BrokerError(f"the broker does not let {user!r} in: {refused or 'no answer'}")
        client.subscribe(subscriptions(group))
        granted = heard.of("subscribe")
        return Rights(
            granted is not None and not any(each.is_failure for each in granted),
            _may_say(client, heard, topics.desk(_NOBODY, "ack")),
            _may_say(client, heard, topics.desk(_NOBODY, "call")),
        )
    finally:
        client.disconnect()
        client.loop_stop()


def _may_say(client: paho.Client, heard: "_Heard", topic: str) -> bool | None:
    heard.forget("publish")
    client.publish(topic, b"", qos=1)
    answer = heard.of("publish")
    return None if answer is None else answer.value != _NOT_AUTHORISED


class _Heard:
    """The broker's answers, by what they answer."""

    def __init__(self, client: paho.Client):
        self._answers: dict[str, Any] = {}
        self._changed = threading.Condition()
        client.on_connect = lambda _c, _u, _f, reason, _p: self._put("connect", reason)
        client.on_subscribe = lambda _c, _u, _m, reasons, _p: self._put("subscribe", reasons)
        client.on_publish = lambda _c, _u, _m, reason, _p: self._put("publish", reason)

    def of(self, what: str) -> Any:
        """None if none came in time."""
        with self._changed:
            self._changed.wait_for(lambda: what in self._answers, _WAIT_S)
            return self._answers.get(what)

    def forget(self, what: str) -> None:
        with self._changed:
            self._answers.pop(what, None)

    def _put(self, what: str, answer: Any) -> None:
        with self._changed:
            self._answers[what] = answer
            self._changed.notify_all()
