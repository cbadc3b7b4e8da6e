"""The queue system's side of the webhook: posts canonical queue events to the feed. It decides nothing about calls.

Rules of the file
1.  An event keeps its id through every retry, so that the feed can tell a repeat (the feed is idempotent by it).
2.  ``soon`` never makes the caller wait: the queue does not wait for rating pads (DESIGN section 3, point 6).
3.  Events leave in the order in which they were given, one request at a time.
"""

import asyncio
import json
import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from types import TracebackType
from typing import Self

import httpx2

from sim.errors import Refused

log = logging.getLogger(__name__)

BATCH_MAX = 500  # events a request, the feed's limit
_PAUSES_S = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)  # between tries; the last one repeats
_BACKLOG_MAX = 100_000


@dataclass(frozen=True, slots=True)
class QueueNews:
    """One queue event as the webhook's body knows it; ``occurred_unix_ms`` is the queue system's clock."""

    event: str
    type: str
    branch: str
    ticket: str | None
    occurred_unix_ms: int
    desk: str | None = None
    operator: str | None = None
    service: str | None = None
    label: str | None = None

    def body(self) -> dict[str, object]:
        at = datetime.fromtimestamp(self.occurred_unix_ms / 1000, UTC)
        ticket = None if self.ticket is None else {"key": self.ticket}
        if ticket is not None and self.label is not None:
            ticket["label"] = self.label
        return {
            "event": self.event,
            "type": self.type,
            "occurred_at": at.isoformat(timespec="milliseconds"),
            "branch": self.branch,
            "desk": self.desk,
            "ticket": ticket,
            "operator": self.operator,
            "service": self.service,
        }


@dataclass(frozen=True, slots=True)
class Receipt:
    accepted: int
    repeated: int


class Webhook:
    """A client of ``POST /v1/queue-events``; an async context manager.

    Args:
        url: the feed's address, such as ``http://127.0.0.1:8085``.
        token: the bearer token; never logged.
    """

    def __init__(self, url: str, token: str):
        self._client = httpx2.AsyncClient(
            base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=10.0, trust_env=False
        )
        self._backlog: deque[QueueNews] = deque()
        self._wake = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()
        self._worker: asyncio.Task[None] | None = None
        self._sending = 0
        self.delivered = 0
        self.refused = 0

    async def __aenter__(self) -> Self:
        self._worker = asyncio.create_task(self._deliver(), name="webhook")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._worker is not None:
            self._worker.cancel()
            await asyncio.gather(self._worker, return_exceptions=True)
        await self._client.aclose()

    async def post(self, news: Sequence[QueueNews]) -> Receipt:
        """Posts up to BATCH_MAX events, again and again until the feed has them.

        Raises Refused when the feed says that they are wrong (any 4xx but 408 and 429).
        """
        content = json.dumps([each.body() for each in news], ensure_ascii=False).encode()
        for attempt in count():
            try:
                answer = await self._client.post(
                    "/v1/queue-events", content=content, headers={"Content-Type": "application/json"}
                )
            except httpx2.TransportError as error:
                log.info("the feed cannot be reached: %s", error or type(error).__name__)
            else:
                if answer.is_success:
                    body = answer.json()
                    return Receipt(body["accepted"], body["repeated"])
                if answer.status_code < 500 and answer.status_code not in (408, 429):
                    raise Refused(f"the feed answers {answer.status_code}: {answer.text[:300]}")
                log.info("the feed answered %d", answer.status_code)
            await asyncio.sleep(_PAUSES_S[min(attempt, len(_PAUSES_S) - 1)])
        raise AssertionError("count() never ends")

    def soon(self, news: QueueNews) -> None:
        """Gives an event to the background delivery and returns at once; a full backlog drops its oldest event."""
        if len(self._backlog) >= _BACKLOG_MAX:
            self._backlog.popleft()
            self.refused += 1
        self._backlog.append(news)
        self._empty.clear()
        self._wake.set()

    @property
    def waiting(self) -> int:
        """Events given to soon() that the feed does not have yet."""
        return len(self._backlog) + self._sending

    async def delivered_all(self) -> None:
        """Returns when the feed has everything that was given to soon()."""
        await self._empty.wait()

    async def _deliver(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._backlog:
                batch = [self._backlog.popleft() for _ in range(min(BATCH_MAX, len(self._backlog)))]
                self._sending = len(batch)
                try:
                    await self.post(batch)
                    self.delivered += len(batch)
                except Refused as error:
                    self.refused += len(batch)
                    log.error("%s", error)
                self._sending = 0
            self._empty.set()
