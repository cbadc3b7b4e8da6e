"""The demonstration's bench: one line to the simulator, over which desks are played. It exists nowhere else.

JSON lines over TCP. We send ``{"token"}`` and requests ``{"id", "do", "desk", ...}``; the simulator answers the
greeting with ``{"desks": [{"desk", "branch"}]}``, each request with ``{"id", "ok"}`` or ``{"id", "error"}``, and pushes
``{"desk", "lamps", "connected"}``. The line is opened again whenever it breaks.
"""

import asyncio
import contextlib
import json
import logging
from collections.abc import Callable, Iterable
from itertools import count

from api.errors import BenchAway, BenchRefused
from schemas.resources import LampState

log = logging.getLogger("api.bench")

ANSWER_S = 5.0
PAUSES_S = (0.2, 0.5, 1.0, 2.0, 5.0)
LINE_BYTES = 65536
LINE_BROKEN = (OSError, EOFError, ValueError, KeyError, TypeError, TimeoutError)


class Bench:
    """The line and what is known over it. ``run`` is its background task; it lives in the event loop."""

    def __init__(self, host: str, port: int, token: str, *, on_lamps: Callable[[Iterable[LampState]], None]):
        self._address = (host, port)
        self._token = token
        self._on_lamps = on_lamps
        self._writer: asyncio.StreamWriter | None = None
        self._asked: dict[int, asyncio.Future[str | None]] = {}
        self._ids = count(1)
        self.desks: dict[str, str] = {}  # desk -> branch, while connected
        self.lamps: dict[str, LampState] = {}

    @property
    def connected(self) -> bool:
        return self._writer is not None

    async def run(self) -> None:
        """Keep the line open until cancelled."""
        failures = 0
        while True:
            try:
                reader, writer = await asyncio.open_connection(*self._address, limit=LINE_BYTES)
                try:
                    await self._greet(reader, writer)
                    failures = 0
                    await self._listen(reader)
                finally:
                    self._hang_up(writer)
            except LINE_BROKEN as error:
                if failures == 0:
                    log.warning("the demonstration's bench does not answer: %s", error or type(error).__name__)
            await asyncio.sleep(PAUSES_S[min(failures, len(PAUSES_S) - 1)])
            failures += 1

    async def do(self, desk: str, action: str, button: int | None = None) -> None:
        """Have the simulator do ``action`` at ``desk``. Raises BenchAway or BenchRefused."""
        writer = self._writer
        if writer is None:
            raise BenchAway("Try again in a moment.", retry_after_s=1)
        number = next(self._ids)
        request: dict[str, object] = {"id": number, "do": action, "desk": desk}
        if button is not None:
            request["button"] = button
        answer = self._asked[number] = asyncio.get_running_loop().create_future()
        try:
            writer.write(json.dumps(request).encode() + b"\n")
            await writer.drain()
            refusal = await asyncio.wait_for(answer, ANSWER_S)
        except (TimeoutError, OSError):
            raise BenchAway("It took too long.", retry_after_s=1) from None
        finally:
            self._asked.pop(number, None)
        if refusal is not None:
            raise BenchRefused(refusal)

    async def _greet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(json.dumps({"token": self._token}).encode() + b"\n")
        async with asyncio.timeout(ANSWER_S):
            greeting = await _line(reader)
        self.desks = {str(each["desk"]): str(each["branch"]) for each in greeting["desks"]}  # type: ignore[attr-defined]
        self._writer = writer

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        while True:
            message = await _line(reader)
            if "id" in message:
                answer = self._asked.get(int(str(message["id"])))
                if answer is not None and not answer.done():
                    answer.set_result(None if message.get("ok") else str(message.get("error", "It was refused.")))
            else:
                lamp = LampState.model_validate(message)
                self.lamps[lamp.desk] = lamp
                self._on_lamps([lamp])

    def _hang_up(self, writer: asyncio.StreamWriter) -> None:
        self._writer = None
        self.desks = {}
        for answer in self._asked.values():
            if not answer.done():
                answer.set_exception(BenchAway("The line to it broke.", retry_after_s=1))
        dark = [LampState(desk=each, lamps="000", connected=False) for each in self.lamps]
        self.lamps.update((each.desk, each) for each in dark)
        self._on_lamps(dark)
        with contextlib.suppress(OSError):
            writer.close()


async def _line(reader: asyncio.StreamReader) -> dict[str, object]:
    line = await reader.readline()
    if not line:
        raise EOFError("it hung up")
    message = json.loads(line)
    if not isinstance(message, dict):
        raise ValueError("not a JSON object")
    return message
