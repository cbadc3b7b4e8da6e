"""The door for the page "Try a pad": over it the api plays client and operator at the desks that are reserved for it.

JSON lines over TCP on loopback. The caller sends ``{"token"}`` first and is told ``{"desks": [{"desk", "branch"}]}``;
then every reserved pad's ``{"desk", "lamps", "connected"}``, at once and at every change. A request
``{"id", "do", "desk", "button"}`` is answered with ``{"id", "ok": true}`` or ``{"id", "error"}``. It reaches no desk
but the reserved ones, and a call made here takes the way of every call: through the webhook.
"""

import asyncio
import contextlib
import hmac
import json
import logging
import time
from collections.abc import Sequence
from itertools import count

from protocol.messages import RATINGS
from sim.city import City, Desk
from sim.errors import Refused
from sim.pads import Pads
from sim.ports import HOST
from sim.webhook import QueueNews, Webhook

log = logging.getLogger(__name__)

LINE_BYTES = 4096
_GREETING_S = 5.0
_FEED_S = 4.0  # the api gives up after 5
# What the operator's queue can do, and the event it tells; all but "call" need a client at the desk.
_TOLD = {
    "call": "called",
    "recall": "recalled",
    "finish": "finished",
    "no_show": "no_show",
    "transfer": "transferred",
}
_STAYS = ("call", "recall")


class Bench:
    """Args:
    desks: the reserved ones.
    token: what a caller must show.
    """

    def __init__(self, city: City, desks: Sequence[Desk], pads: Pads, webhook: Webhook, *, token: str):
        self._token = token
        self._pads = pads
        self._seats = {desk.id: _Seat(city, desk, webhook) for desk in desks}
        self._lines: set[asyncio.StreamWriter] = set()
        self._answers: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        pads.subscribe(lambda desk, _lamps: self._push(desk))
        pads.subscribe_connections(self._push)

    async def start(self, port: int) -> int:
        """Listens on loopback; returns the port (any free one for 0)."""
        self._server = await asyncio.start_server(self._receive, HOST, port, limit=LINE_BYTES)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Hangs up and tells the queue that the operators of the reserved desks have gone."""
        if self._server is not None:
            self._server.close()
        for writer in self._lines:
            writer.close()
        for seat in self._seats.values():
            with contextlib.suppress(Refused):
                await seat.leave()

    async def _receive(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if await self._is_known(reader):
                await self._serve(reader, writer)
            else:
                log.warning("refused: a caller without the token")
        except (OSError, ValueError, TimeoutError) as error:  # ValueError: no JSON, or a line that is too long
            log.warning("a line ended: %s", error or type(error).__name__)
        finally:
            self._lines.discard(writer)
            writer.close()

    async def _is_known(self, reader: asyncio.StreamReader) -> bool:
        async with asyncio.timeout(_GREETING_S):
            greeting = _object(await reader.readline())
        return hmac.compare_digest(str(greeting.get("token", "")).encode(), self._token.encode())

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        desks = [{"desk": seat.desk.id, "branch": seat.desk.branch} for seat in self._seats.values()]
        _send(writer, {"desks": desks})
        for desk in self._seats:
            _send(writer, self._shown(desk))
        self._lines.add(writer)
        while line := await reader.readline():
            # Not one after the other: a finger need not wait until the queue has answered.
            task = asyncio.create_task(self._answer(_object(line), writer))
            self._answers.add(task)
            task.add_done_callback(self._answers.discard)

    async def _answer(self, request: dict[str, object], writer: asyncio.StreamWriter) -> None:
        try:
            await self._do(request)
            answer: dict[str, object] = {"id": request.get("id"), "ok": True}
        except Refused as error:
            answer = {"id": request.get("id"), "error": str(error)}
        _send(writer, answer)

    async def _do(self, request: dict[str, object]) -> None:
        """Raises Refused."""
        desk, do, button = str(request.get("desk")), str(request.get("do")), request.get("button")
        seat = self._seats.get(desk)
        if seat is None:
            raise Refused(f"{desk} is not a desk to try")
        if do in _TOLD:
            await seat.tell(do)
        elif do not in ("press", "release"):
            raise Refused(f"{do} is nothing that can be done at a desk")
        elif type(button) is not int or button not in RATINGS:
            raise Refused("a button is 1, 2 or 3")
        elif desk not in self._pads.pids():
            raise Refused("there is no pad at this desk: MicroPython is missing, or the pad is just starting")
        else:
            (self._pads.press if do == "press" else self._pads.release)(desk, button)

    def _push(self, desk: str) -> None:
        if desk in self._seats:
            for writer in self._lines:
                _send(writer, self._shown(desk))

    def _shown(self, desk: str) -> dict[str, object]:
        return {"desk": desk, "lamps": self._pads.lamps(desk), "connected": self._pads.connected(desk)}


class _Seat:
    """A reserved desk, the operator who is played there and the ticket that is there now."""

    def __init__(self, city: City, desk: Desk, webhook: Webhook):
        self.desk = desk
        self._operator = city.operators_of(desk.branch)[-1]
        self._services = [service for service in city.services if service.id in self._operator.services]
        self._webhook = webhook
        self._numbers = count(1)
        self._events = count(1)
        self._ticket: str | None = None
        self._service: str | None = None
        self._turn = asyncio.Lock()

    async def tell(self, do: str) -> None:
        """Raises Refused when there is nobody to do it with, or when the feed does not take it."""
        async with self._turn:
            ticket, service = self._ticket, self._service
            if do == "call":
                number = next(self._numbers)
                ticket = f"{self.desk.id}/try/{_now_unix_ms()}-{number}"
                service = self._services[number % len(self._services)].id
            elif ticket is None:
                raise Refused("nobody has been called to this desk")
            await self._post(_TOLD[do], ticket, service)
            self._ticket, self._service = (ticket, service) if do in _STAYS else (None, None)

    async def leave(self) -> None:
        async with self._turn:
            if self._ticket is not None:
                self._ticket = None
                await self._post("operator_closed", None, None)

    async def _post(self, what: str, ticket: str | None, service: str | None) -> None:
        now_unix_ms = _now_unix_ms()
        news = QueueNews(
            event=f"try-{self.desk.id}-{now_unix_ms}-{next(self._events)}",
            type=what,
            branch=self.desk.branch,
            ticket=ticket,
            occurred_unix_ms=now_unix_ms,
            desk=self.desk.id,
            operator=self._operator.id,
            service=service,
        )
        try:
            async with asyncio.timeout(_FEED_S):
                await self._webhook.post([news])
        except TimeoutError:
            raise Refused("the queue feed does not answer") from None


def _now_unix_ms() -> int:
    return time.time_ns() // 1_000_000


def _object(line: bytes) -> dict[str, object]:
    """Raises ValueError."""
    message = json.loads(line)
    if not isinstance(message, dict):
        raise ValueError("not a JSON object")
    return message


def _send(writer: asyncio.StreamWriter, message: dict[str, object]) -> None:
    if not writer.is_closing():
        writer.write(json.dumps(message).encode() + b"\n")
