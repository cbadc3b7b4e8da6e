"""The bench's door, spoken to over its socket; the feed behind it is an HTTP server that keeps what it gets."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from sim.bench import LINE_BYTES, Bench
from sim.city import CITY
from sim.pads import Pads
from sim.webhook import Webhook

TOKEN = "the token of the bench"
DESK = CITY.desks[0]


class Feed:
    """Answers every webhook request with ``status`` and keeps the events."""

    def __init__(self) -> None:
        self.status = 202
        self.events: list[dict[str, object]] = []

    async def receive(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.readline():
            length = 0
            while (line := await reader.readline()).strip():
                name, _, value = line.decode().partition(":")
                length = int(value) if name.lower() == "content-length" else length
            assert head.startswith(b"POST /v1/queue-events ")
            news = json.loads(await reader.readexactly(length))
            self.events += news
            body = json.dumps({"accepted": len(news), "repeated": 0}).encode()
            writer.write(b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n" % (self.status, len(body)) + body)
        writer.close()


class Line:
    """The api's end of the line."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        self._reader = reader
        self._writer = writer

    def send(self, message: object) -> None:
        self._writer.write(json.dumps(message).encode() + b"\n")

    async def next(self) -> dict[str, object]:
        async with asyncio.timeout(60):
            message: dict[str, object] = json.loads(await self._reader.readline())
        return message

    async def ask(self, **request: object) -> dict[str, object]:
        self.send({"id": 1, **request})
        return await self.next()

    async def is_hung_up(self) -> bool:
        async with asyncio.timeout(60):
            return await self._reader.read() == b""


@asynccontextmanager
async def bench(tmp_path: Path) -> AsyncIterator[tuple[int, Feed]]:
    feed = Feed()
    server = await asyncio.start_server(feed.receive, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with Webhook(url, "token") as webhook:
        door = Bench(CITY, [DESK], Pads(tmp_path, None, ("127.0.0.1", 1)), webhook, token=TOKEN)
        yield await door.start(0), feed
        await door.stop()
    server.close()


async def greeted(port: int) -> Line:
    line = Line(*await asyncio.open_connection("127.0.0.1", port))
    line.send({"token": TOKEN})
    assert await line.next() == {"desks": [{"desk": DESK.id, "branch": DESK.branch}]}
    assert await line.next() == {"desk": DESK.id, "lamps": "000", "connected": False}
    return line


def play(tmp_path: Path, scene: Callable[[int, Feed], Awaitable[None]]) -> None:
    async def run() -> None:
        async with bench(tmp_path) as (port, feed):
            await scene(port, feed)

    asyncio.run(run())


@pytest.mark.parametrize(
    "greeting",
    [
        b'{"token": "wrong"}\n',
        b"{}\n",
        b'{"token": null}\n',
        b"[]\n",
        b"hello\n",
        b"\n",
        b"\xff\n",
        b"x" * 2 * LINE_BYTES,
    ],
    ids=["wrong", "none", "null", "list", "text", "empty", "bytes", "long"],
)
def test_whoever_does_not_show_the_token_is_hung_up_on(tmp_path: Path, greeting: bytes) -> None:
    async def scene(port: int, _: Feed) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(greeting)
        assert await Line(reader, writer).is_hung_up()

    play(tmp_path, scene)


def test_a_call_and_its_end_go_through_the_webhook(tmp_path: Path) -> None:
    async def scene(port: int, feed: Feed) -> None:
        line = await greeted(port)
        for do in ("call", "recall", "finish", "call", "no_show", "call", "transfer"):
            assert await line.ask(do=do, desk=DESK.id) == {"id": 1, "ok": True}
        told = ["called", "recalled", "finished", "called", "no_show", "called", "transferred"]
        assert [event["type"] for event in feed.events] == told
        assert {event["desk"] for event in feed.events} == {DESK.id}
        tickets = [event["ticket"] for event in feed.events]
        assert tickets[0] == tickets[1] == tickets[2] != tickets[3]
        assert len({event["event"] for event in feed.events}) == 7

    play(tmp_path, scene)


@pytest.mark.parametrize("do", ["recall", "finish", "no_show", "transfer"])
def test_without_a_client_at_the_desk_only_a_call_is_possible(tmp_path: Path, do: str) -> None:
    async def scene(port: int, feed: Feed) -> None:
        line = await greeted(port)
        assert "nobody" in str((await line.ask(do=do, desk=DESK.id))["error"])
        assert feed.events == []

    play(tmp_path, scene)


@pytest.mark.parametrize(
    ("request_", "named"),
    [
        ({"do": "call", "desk": CITY.desks[1].id}, "not a desk to try"),
        ({"do": "call"}, "not a desk to try"),
        ({"do": "reset", "desk": DESK.id}, "reset"),
        ({"desk": DESK.id}, "nothing that can be done"),
        ({"do": "press", "desk": DESK.id}, "1, 2 or 3"),
        ({"do": "press", "desk": DESK.id, "button": 0}, "1, 2 or 3"),
        ({"do": "press", "desk": DESK.id, "button": 4}, "1, 2 or 3"),
        ({"do": "press", "desk": DESK.id, "button": True}, "1, 2 or 3"),
        ({"do": "press", "desk": DESK.id, "button": "3"}, "1, 2 or 3"),
        ({"do": "press", "desk": DESK.id, "button": 3}, "no pad"),
    ],
)
def test_what_cannot_be_done_is_refused_with_its_reason(
    tmp_path: Path, request_: dict[str, object], named: str
) -> None:
    async def scene(port: int, feed: Feed) -> None:
        line = await greeted(port)
        assert named in str((await line.ask(**request_))["error"])
        assert feed.events == []

    play(tmp_path, scene)


def test_a_line_that_is_no_request_ends_only_that_line(tmp_path: Path) -> None:
    async def scene(port: int, _: Feed) -> None:
        bad, good = await greeted(port), await greeted(port)
        bad.send("not an object")
        assert await bad.is_hung_up()
        assert await good.ask(do="call", desk=DESK.id) == {"id": 1, "ok": True}

    play(tmp_path, scene)


def test_what_the_feed_refuses_is_told_to_the_one_who_asked(tmp_path: Path) -> None:
    async def scene(port: int, feed: Feed) -> None:
        line = await greeted(port)
        feed.status = 401
        assert "401" in str((await line.ask(do="call", desk=DESK.id))["error"])

    play(tmp_path, scene)


def test_the_operator_of_the_bench_goes_when_the_demonstration_stops(tmp_path: Path) -> None:
    kept: list[Feed] = []

    async def scene(port: int, feed: Feed) -> None:
        kept.append(feed)
        await (await greeted(port)).ask(do="call", desk=DESK.id)

    play(tmp_path, scene)
    assert [event["type"] for event in kept[0].events] == ["called", "operator_closed"]
