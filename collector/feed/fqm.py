"""Polls FQM (Flask Queue Manager) for its processed tickets; what they mean is in fqm_rows.py. It never pulls.

FQM's ``GET /tickets/pull`` calls a client: there is no code for it here. FQM serves everybody from one thread, so one
request is under way at a time and the pause begins when the answer has come.
"""

import logging
import threading
from collections.abc import Callable, Sequence

import httpx2

from collector.errors import StoreError
from collector.feed.errors import SourceDown
from collector.feed.fqm_rows import Names, Pull, Snapshot, dump, read_rows, restore, translate
from collector.feed.intake import Intake
from collector.feed.store import FeedStore

logger = logging.getLogger(__name__)

TIMEOUT_S = 20.0  # beside one clicking operator an answer took 4.7 s; a locked database answers after 5 s
CHUNK = 30  # rows of one answer; FQM's own number
MOST_CHUNKS = 1000
# A ticket that waited long, or was held, lies far from the end when it is called. Up to FEW_CHUNKS (about 0.15 s of
# FQM's time, a day or two of tickets) every sweep is whole; beyond, one in WHOLE_EVERY, the others read the end only.
FEW_CHUNKS = 20
WHOLE_EVERY = 5
END_CHUNKS = 3
PAUSES_S = (2.0, 4.0, 8.0, 15.0, 30.0)


class Client:
    """FQM's REST API, as far as a reader needs it."""

    def __init__(self, url: str, token: str):
        # Kept-alive connections are slower here: FQM sends head and body apart, and the second waits for an ack.
        headers = {"Authorization": "Bearer " + token, "Connection": "close"}
        self._http = httpx2.Client(base_url=url, headers=headers, timeout=TIMEOUT_S, follow_redirects=False)

    def close(self) -> None:
        self._http.close()

    def processed(self, chunk: int) -> list[object]:
        """Rows of one chunk, the first being 1. Raises SourceDown for whatever is not a list of them."""
        try:
            answer = self._http.get("/api/v1/tickets/", params={"processed": "true", "chunk": chunk})
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise SourceDown(f"no answer: {type(error).__name__}") from None
        if answer.status_code != 200:
            raise SourceDown(f"it answered with HTTP {answer.status_code}")
        try:
            rows = answer.json()
        except ValueError:
            raise SourceDown("its answer is not JSON") from None
        if not isinstance(rows, list):
            raise SourceDown("its answer is not a list of tickets")
        return rows


class Poller:
    """One FQM, polled in a thread of its own until ``stop``."""

    def __init__(
        self,
        client: Client,
        names: Names,
        intake: Intake,
        store: FeedStore,
        *,
        poll_seconds: float,
        clock: Callable[[], int],
    ):
        self.up = False
        self.unknown: set[str] = set()  # numbers of FQM's that our table does not know
        self._client = client
        self._names = names
        self._intake = intake
        self._store = store
        self._poll_seconds = poll_seconds
        self._clock = clock
        self._snapshot: Snapshot | None = None
        self._chunks = 1
        self._sweeps = 0
        self._trouble: str | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="fqm-" + names.source, daemon=True)

    @property
    def source(self) -> str:
        return self._names.source

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread; an answer that is awaited is given up."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(1.0)
        self._client.close()

    def poll(self) -> None:
        """One sweep, taken in. Raises SourceDown or StoreError; then the next sweep says the same again."""
        if self._snapshot is None:
            self._snapshot = self._kept()
        whole = self._chunks <= FEW_CHUNKS or self._sweeps % WHOLE_EVERY == 0
        pulls = self._sweep(1 if whole else max(1, self._chunks - END_CHUNKS + 1))
        said = translate(self._names, self._snapshot, pulls, whole=whole, now_unix_ms=self._clock())
        if said.snapshot != self._snapshot:
            self._intake.accept(said.events, source=(self._names.source, dump(said.snapshot)))
        self._snapshot = said.snapshot
        self._sweeps += 1
        self._wonder(said.unknown)

    def _sweep(self, first: int) -> Sequence[Pull]:
        rows: list[object] = []
        for chunk in range(first, first + MOST_CHUNKS):
            more = self._client.processed(chunk)
            rows.extend(more)
            if len(more) < CHUNK:
                self._chunks = chunk if more or chunk == first else chunk - 1
                break
        if not rows:
            self._chunks = 1  # fewer than there were: the next sweep is whole
        pulls, unreadable = read_rows(rows)
        if unreadable:
            self._wonder(frozenset({"a row of another form"}))
        return pulls

    def _kept(self) -> Snapshot | None:
        kept = self._store.source(self._names.source)
        try:
            return restore(kept) if kept is not None else None
        except ValueError:
            logger.error("%s: the snapshot kept of it cannot be read; beginning anew", self._names.source)
            return None

    def _run(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            try:
                self.poll()
                self._say(None)
                failures = 0
            except (SourceDown, StoreError) as error:
                self._say(str(error))
                failures += 1
            except Exception:
                if self._stopping.is_set():
                    return
                logger.exception("%s: an error of ours; polling goes on", self._names.source)
                failures += 1
            self._stopping.wait(PAUSES_S[min(failures, len(PAUSES_S)) - 1] if failures else self._poll_seconds)

    def _say(self, trouble: str | None) -> None:
        """One line for a change of state, not one for a poll."""
        if self._stopping.is_set():
            return
        if trouble is not None and trouble != self._trouble:
            logger.warning("FQM %s: %s", self._names.source, trouble)
        elif trouble is None and not self.up:
            logger.info("FQM %s: polling", self._names.source)
        self._trouble, self.up = trouble, trouble is None

    def _wonder(self, unknown: frozenset[str]) -> None:
        for what in sorted(unknown - self.unknown):
            logger.warning("FQM %s: our table does not know %s", self._names.source, what)
        self.unknown |= unknown
