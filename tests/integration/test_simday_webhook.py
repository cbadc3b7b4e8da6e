"""The queue system's side of the webhook against a small HTTP server that answers what a test wants it to."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from collector.feed.body import Reader
from sim.errors import Refused
from sim.webhook import BATCH_MAX, QueueNews, Receipt, Webhook

NOON = 1_791_450_000_000
TOKEN = "a-token"


def news(number: int) -> QueueNews:
    return QueueNews(f"e-{number}", "called", "tsentr", f"А-{number:03}", NOON, "tsentr-01", "op-01", "passport")


class Feed(BaseHTTPRequestHandler):
    """Answers with the next status of ``server.script`` (202 when it is over); 0 hangs up without a word."""

    server: Any

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append((self.headers["Authorization"], json.loads(content)))
        status = self.server.script.pop(0) if self.server.script else 202
        if not status:
            self.connection.close()
            self.close_connection = True
            return
        body = json.dumps({"accepted": len(json.loads(content)), "repeated": 0}).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        pass


@contextmanager
def feed(*script: int) -> Iterator[Any]:
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), Feed)
    server.script, server.received = list(script), []
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def address(server: Any) -> str:
    return f"http://127.0.0.1:{server.server_port}"


def ids(server: Any) -> list[list[str]]:
    return [[each["event"] for each in body] for _, body in server.received]


async def post(server: Any, *events: QueueNews) -> Receipt:
    async with Webhook(address(server), TOKEN) as webhook:
        return await webhook.post(events)


def test_an_event_that_meets_faults_of_the_server_is_sent_again_under_its_own_id() -> None:
    with feed(503, 0, 500, 429) as server:
        receipt = asyncio.run(post(server, news(1), news(2)))
        assert receipt == Receipt(2, 0)
        assert ids(server) == [["e-1", "e-2"]] * 5
        assert {authorization for authorization, _ in server.received} == {f"Bearer {TOKEN}"}


@pytest.mark.parametrize("status", [400, 401, 413, 422])
def test_what_the_feed_refuses_is_not_sent_again(status: int) -> None:
    with feed(status) as server:
        with pytest.raises(Refused, match=str(status)):
            asyncio.run(post(server, news(1)))
        assert len(server.received) == 1


def test_events_given_away_leave_in_order_and_in_batches() -> None:
    async def give(server: Any) -> Webhook:
        async with Webhook(address(server), TOKEN) as webhook:
            for number in range(BATCH_MAX + 50):
                webhook.soon(news(number))
            assert webhook.waiting == BATCH_MAX + 50
            await webhook.delivered_all()
            return webhook

    with feed(503) as server:
        webhook = asyncio.run(give(server))
        assert webhook.waiting == 0 and webhook.delivered == BATCH_MAX + 50
        assert all(len(batch) <= BATCH_MAX for batch in ids(server))
        sent = [name for batch in ids(server)[1:] for name in batch]  # the first answer was a fault
        assert sent == [f"e-{number}" for number in range(BATCH_MAX + 50)]


def test_a_refused_batch_does_not_stop_the_events_after_it() -> None:
    async def give(server: Any) -> Webhook:
        async with Webhook(address(server), TOKEN) as webhook:
            webhook.soon(news(1))
            await webhook.delivered_all()
            webhook.soon(news(2))
            await webhook.delivered_all()
            return webhook

    with feed(422) as server:
        webhook = asyncio.run(give(server))
        assert (webhook.refused, webhook.delivered) == (1, 1)


def test_giving_an_event_away_does_not_wait_for_a_feed_that_is_down() -> None:
    async def give() -> int:
        async with Webhook("http://127.0.0.1:1", TOKEN) as webhook:
            webhook.soon(news(1))
            await asyncio.sleep(0)
            return webhook.waiting

    assert asyncio.run(give()) == 1


def test_the_feed_reads_a_body_as_it_was_meant() -> None:
    reader = Reader({"tsentr-01": "tsentr"}, frozenset({"tsentr"}), "a secret of the test")
    for moment in range(NOON, NOON + 1000):  # every millisecond survives the way through a text
        said = QueueNews("e-1", "called", "tsentr", "А-001", moment, "tsentr-01", "op-01", "passport", label="А-001")
        taken = reader.read(json.dumps(said.body()).encode(), NOON + 1000)
        assert isinstance(taken, dict), taken
        [event] = taken["tsentr"]
        assert (event.occurred_unix_ms, event.desk, event.ticket_key) == (moment, "tsentr-01", "А-001")


def test_a_token_does_not_show_in_the_name_of_its_holder() -> None:
    assert TOKEN not in repr(Webhook("http://127.0.0.1:1", TOKEN))
