"""Waits for a restarted pad's first status: its own words over the cable, and a witness at the other end of the wire.

The cable says early and in detail what goes wrong (no Wi-Fi, password refused); only the witness proves that the
status got where it is read. It changes nothing.
"""

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from firmware.host.device import Device
from firmware.host.errors import PadError, ServerError, UsageError
from firmware.host.server import Server
from protocol import codec, topics
from protocol.errors import ProtocolError
from protocol.messages import PadStatus

IT = "it"
_STARTED = re.compile(r"pad (\S+), journal ([0-9a-f]{8}), boot (\d+)")
_CONNECTED = re.compile(r"(?<!dis)connected\b")
_ASK_EVERY_TURNS = 10


@dataclass(frozen=True, slots=True)
class Start:
    """What the pad printed when it started."""

    firmware: str
    journal: str
    boot: int


class Witness(Protocol):
    """Somebody at the other end of the wire."""

    called: str

    def seen(self, start: Start | None) -> Start | None:
        """The start whose status has arrived there since the witness was called, if it is this one.

        None: the pad's own words were lost, as a board's that must first be found again on its USB port.
        """

    def close(self) -> None: ...


class ServerWitness:
    """Asks the api, which shows what the collector has written of the broker's status messages."""

    called = "the server"

    def __init__(self, server: Server, desk: str):
        self._server = server
        self._desk = desk
        self._before = self._row()

    def seen(self, start: Start | None) -> Start | None:
        try:
            row = self._row()
        except ServerError as error:
            if error.status in (401, 403):
                raise
            return None
        is_new = row.get("state") not in ("offline", "never") and self._mark(row) != self._mark(self._before)
        if not is_new or (start and start.boot != row.get("boot")):
            return None
        return start or Start(str(row.get("firmware")), "", int(row.get("boot") or 0))

    def close(self) -> None:
        pass

    def _row(self) -> dict[str, Any]:
        try:
            return self._server.pad(self._desk) or {}
        except ServerError as error:
            if error.status in (401, 403):
                text = "the token may not read the pads' state; it needs the scope devices, too"
                raise ServerError(text, error.status) from None
            raise

    @staticmethod
    def _mark(row: dict[str, Any]) -> tuple[Any, Any]:
        return row.get("boot"), row.get("changed_at")


class BrokerWitness:
    """Listens at the broker as the user ``it``, for an office without a server.

    Where the fleet service runs, that is it: Mosquitto takes the user's name for the session's, and the two would take
    it from each other in turns. There is an api then: ServerWitness.
    """

    called = "the broker"

    def __init__(self, desk: str, broker: tuple[str, int], password: str, ca_file: str | None):
        """Raises UsageError if the broker does not let ``it`` in."""
        self._seen: list[Start] = []
        self._subscribed = threading.Event()
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id=f"{IT}-flash-{desk}")
        self._client.username_pw_set(IT, password)
        if ca_file:
            self._client.tls_set(ca_file)
        self._client.on_connect = lambda client, *_: client.subscribe(topics.desk(desk, "status"), 1)
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.on_message = self._on_message
        try:
            self._client.connect(*broker)
        except OSError as error:
            raise UsageError(f"the broker {broker[0]}:{broker[1]} does not answer: {error}") from None
        self._client.loop_start()
        if not self._subscribed.wait(10):
            self.close()
            raise UsageError(f"the broker {broker[0]}:{broker[1]} does not let {IT} in: is the password right?")

    def seen(self, start: Start | None) -> Start | None:
        return next((each for each in self._seen if start in (None, each)), None)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _on_message(self, _client: object, _data: object, message: paho.MQTTMessage) -> None:
        try:
            status = codec.decode("status", bytes(message.payload))
        except ProtocolError:
            return
        # A retained status is from before; the pad was stopped meanwhile, so any other is from after its restart.
        if isinstance(status, PadStatus) and status.state == "online" and not message.retain:
            self._seen.append(Start(status.firmware, status.journal, status.boot))


def first_status(device: Device, witness: Witness | None, timeout_s: float, say: Callable[[str], None]) -> Start:
    """Waits until the pad that was just restarted has connected and ``witness`` has its status.

    Raises:
        PadError: time is up; says what the pad said last.
    """
    start: Start | None = None
    connected = False
    last = ""
    for turn, line in enumerate(device.follow(timeout_s), start=1):
        found = _STARTED.search(line)
        if found:
            start = Start(found[1], found[2], int(found[3]))
            connected = False
            say(f"it runs: {found[1]}, start number {found[3]}")
        elif _CONNECTED.search(line):
            if not connected:
                say("it is connected to the broker")
            connected = True
        last = line or last
        # The witness may be a server: it is not asked at every line.
        if witness is None:
            found_start = start if connected else None
        else:
            found_start = witness.seen(start) if turn % _ASK_EVERY_TURNS == 0 else None
        if found_start:
            return found_start
    raise PadError(_what_failed(start, connected, witness, last, timeout_s))


def _what_failed(start: Start | None, connected: bool, witness: Witness | None, last: str, timeout_s: float) -> str:
    said = f'; it last said: "{last}"' if last else "; it said nothing"
    if start is None and not connected:
        return f"the pad's application did not start in {timeout_s:.0f} s{said}"
    if not connected:
        return f"the pad runs but did not reach the broker in {timeout_s:.0f} s{said}"
    where = witness.called if witness else "nobody"
    return f"the pad is connected, but {where} has not seen its status in {timeout_s:.0f} s{said}"
