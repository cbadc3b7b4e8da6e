"""A whole centre for a test: the demonstration's own Stack with real processes and pads, driven by plain functions."""

import asyncio
import os
import threading
import time
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import httpx2

from collector.register import read_register
from collector.store import Store
from sim.city import CITY, closing_far_from, with_fewer_desks
from sim.interpreter import compile_firmware
from sim.place import Place, Ports
from sim.ports import choose_lasting
from sim.stack import Stack
from sim.webhook import QueueNews
from tests.wires import wait_until_felt

T = TypeVar("T")
PATIENCE_S = 60.0
ALL, NONE = "111", "000"
ONE = {1: "100", 2: "010", 3: "001"}
SCOPES = ("figures", "operators", "devices", "metrics", "try", "control", "report", "register")


def eventually(what: str, look: Callable[[], T | None], within_s: float = PATIENCE_S) -> T:
    """The first true answer of ``look``, asked again and again until the deadline."""
    deadline = time.monotonic() + within_s
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < deadline, f"in {within_s:g} s it never came about that {what} (last: {found!r})"
        threading.Event().wait(0.02)


class Centre:
    """Broker, feed, collector, api and pads, alive between enter and exit."""

    def __init__(self, folder: Path, desks: int):
        self.place = Place(folder)
        self.city = closing_far_from(datetime.now(UTC), with_fewer_desks(CITY, desks))
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self.stack: Stack

    def __enter__(self) -> "Centre":
        self._thread.start()
        self.place.claim()
        secrets = self.place.prepare(self.city)
        with Store.open(self.place.database_url) as store:
            store.load_register(read_register(self.place.register))
            self.token = store.create_token("test", SCOPES)
        ports = Ports(broker=choose_lasting(), feed=choose_lasting(), api=choose_lasting())
        firmware = compile_firmware(self.place.firmware, os.environ)
        self.stack = Stack(
            self.place, self.city, ports=ports, secrets=secrets, firmware=firmware, reserved=[self.city.desks[0]]
        )
        self.webhook_token = secrets.webhook_token
        self.feed_address = f"http://127.0.0.1:{ports.feed}"
        self.run(self.stack.start())
        self.api = httpx2.Client(
            base_url=self.stack.address,
            headers={"Authorization": f"Bearer {self.token}"},
            timeout=60.0,
            trust_env=False,
        )
        return self

    def __exit__(self, *_: object) -> None:
        self.api.close()
        self.run(self.stack.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=90)

    # ---- the queue
    def queue(self, type: str, desk: str, ticket: str | None, **more: str) -> str:  # noqa: A002 - the wire's name
        """Posts one queue event now, as the queue system would; returns its id."""
        branch = next(each.branch for each in self.city.desks if each.id == desk)
        news = QueueNews(uuid4().hex, type, branch, ticket, time.time_ns() // 1_000_000, desk=desk, **more)
        self.run(self.stack.webhook.post([news]))
        return news.event

    # ---- the pad
    def press(self, desk: str, button: int) -> None:
        """One push, down and up; the pad has felt it by now."""

        async def push() -> None:
            self.stack.pads.press(desk, button)
            self.stack.pads.release(desk, button)

        self.run(push())
        self.feels(desk)

    def feels(self, desk: str) -> None:
        """Returns when the pad has felt the push that it was last given."""
        process = self.stack.pads._pads[desk].process
        assert process
        wait_until_felt(process)

    def lamps(self, desk: str) -> str:
        return self.stack.pads.lamps(desk)

    def shows(self, desk: str, lamps: str) -> None:
        eventually(f"{desk} shows {lamps}", lambda: self.lamps(desk) == lamps)

    # ---- what people see
    def figures(self, desk: str) -> tuple[int, int, int, int, int]:
        """(calls, eligible, bad, good, exemplary) of one desk this year, through the api."""
        answer = self.api.get(
            "/v1/aggregates", params={"by": "desk", "period": "year", "key": desk, "purpose": "analysis"}
        )
        answer.raise_for_status()
        cells = answer.json()["cells"]
        return (
            sum(cell["calls"] for cell in cells),
            sum(cell["eligible_calls"] for cell in cells),
            *(sum(cell[rating]["count"] for cell in cells) for rating in ("bad", "good", "exemplary")),
        )

    def says(self, desk: str, state: str) -> None:
        """Returns when the api has the pad in ``state``; "voted" is said when the vote is on flash, after the lamp."""

        def said() -> bool:
            rows = self.api.get("/v1/desks").json()["desks"]
            return any(row["desk"] == desk and row["state"] == state for row in rows)

        eventually(f"{desk} is {state}", said)

    def comes_to(self, desk: str, *figures: int) -> None:
        """Returns when the api, which may be starting again, says ``figures``."""

        def come() -> bool:
            try:
                return self.figures(desk) == figures
            except httpx2.TransportError:
                return False

        eventually(f"the figures of {desk} are {figures}", come)

    # ---- what befalls it
    def kill(self, name: str) -> int:
        """kill -9 of a server process; what watches over it starts it again. Returns the dead one's pid."""
        process = self.stack.children[name].process
        assert process is not None
        process.kill()
        process.wait()
        return process.pid

    def is_back(self, name: str, dead: int) -> None:
        """Returns when a new process of that name runs."""

        def running() -> bool:
            process = self.stack.children[name].process
            return process is not None and process.pid != dead and process.poll() is None

        eventually(f"{name} is back", running, within_s=60)
