"""Polls FQM (Flask Queue Manager) for its processed tickets; what they mean is in fqm_rows.py. It never pulls.

FQM's ``GET /tickets/pull`` calls a client: there is no code for it here. FQM serves everybody from one thread, so one
request is under way at a time and the pause begins when the answer has come.
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated

import httpx2
from pydantic import BaseModel, ConfigDict, Field

from collector.feed.errors import BadSettings, SourceDown
from collector.feed.fqm_rows import Names, Pull, Snapshot, dump, read_rows, restore, translate
from collector.feed.model import Event
from collector.feed.seats import Seat, days
from collector.feed.source import Means, Poller, Replay, Site
from schemas.wire import Name

logger = logging.getLogger(__name__)

TIMEOUT_S = 20.0  # beside one clicking operator an answer took 4.7 s; a locked database answers after 5 s
CHUNK = 30  # rows of one answer; FQM's own number
MOST_CHUNKS = 1000
# A ticket that waited long, or was held, lies far from the end when it is called. Up to FEW_CHUNKS (about 0.15 s of
# FQM's time, a day or two of tickets) every sweep is whole; beyond, one in WHOLE_EVERY, the others read the end only.
FEW_CHUNKS = 20
WHOLE_EVERY = 5
END_CHUNKS = 3
_ODD_ROW = frozenset({"a row of another form"})


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


class FqmSeat(BaseModel):
    """Who an FQM user is, in our names, and at which desk, on which days (both inside; the desk's branch's own)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    operator: Name
    desk: Name
    valid_from: date | None = None
    valid_to: date | None = None


class Fqm(BaseModel):
    """One FQM to poll, a ``[[fqm]]`` table; the keys of its tables are FQM's own numbers.

        [[fqm]]
        name = "main"                         # its token: ZRAZKOVO_FEED_FQM_TOKENS='{"main": "..."}'
        url = "http://192.0.2.7:5000"         # the very name that FQM was started with
        offices = {1 = "centre"}              # our branch
        tasks = {1 = "passport"}              # our service
        operators = {3 = {operator = "op-3", desk = "centre-1"}}   # who pulls, and where; or a list with days:
        # operators = {3 = [{operator = "op-3", desk = "centre-1", valid_to = 2026-11-15},
        #                   {operator = "op-3", desk = "centre-4", valid_from = 2026-11-16}]}

    A call pulled by anybody else arms no pad. FQM writes an API token's number where it writes a user's: a token that
    pulls must not share its number with an operator named here.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[Name, Field(max_length=12)]
    url: Annotated[str, Field(pattern=r"^https?://[^/\s]+/?$")]
    offices: dict[int, Name]
    operators: dict[int, FqmSeat | tuple[FqmSeat, ...]]
    tasks: dict[int, Name] = {}
    poll_seconds: Annotated[float, Field(ge=0.2, le=60)] = 1.0


class FqmPoller(Poller):
    """One FQM."""

    KIND, LABEL = "fqm", "FQM"

    def __init__(self, client: Client, names: Names, means: Means, *, poll_seconds: float):
        super().__init__(names.source, frozenset(names.offices.values()), means.clock, poll_seconds=poll_seconds)
        self._client = client
        self._names = names
        self._intake = means.intake
        self._store = means.store
        self._snapshot: Snapshot | None = None
        self._chunks = 1
        self._sweeps = 0

    def close(self) -> None:
        self._client.close()

    def poll(self) -> None:
        """One sweep, taken in. Raises SourceDown or StoreError; then the next sweep says the same again."""
        if self._snapshot is None:
            self._snapshot = self._kept()
        whole = self._chunks <= FEW_CHUNKS or self._sweeps % WHOLE_EVERY == 0
        pulls = self._sweep(1 if whole else max(1, self._chunks - END_CHUNKS + 1))
        if whole:
            self.record([{"p": True, **pull.model_dump(by_alias=True)} for pull in pulls], changes_only=True)
        said = translate(self._names, self._snapshot, pulls, whole=whole, now_unix_ms=self._clock())
        if said.snapshot != self._snapshot:
            self._intake.accept(said.events, source=(self._names.source, dump(said.snapshot)))
        self._snapshot = said.snapshot
        self._sweeps += 1
        self.wonder(said.unknown)

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
            self.wonder(_ODD_ROW)
        return pulls

    def _kept(self) -> Snapshot | None:
        kept = self._store.source(self._names.source)
        try:
            return restore(kept) if kept is not None else None
        except ValueError:
            logger.error("%s: the snapshot kept of it cannot be read; beginning anew", self._names.source)
            return None


def open_fqm(table: Fqm, means: Means) -> FqmPoller:
    """Raises BadSettings."""
    client = Client(table.url, means.secret or "")
    return FqmPoller(client, names_of(table, means.site), means, poll_seconds=table.poll_seconds)


def replay_fqm(table: Fqm, site: Site) -> Replay:
    """Reads recorded sweeps: each the list of all rows that FQM answered with, of whatever chunks."""
    names, snapshot = names_of(table, site), None

    def replay(at_unix_ms: int, rows: object) -> tuple[Mapping[str, Sequence[Event]], frozenset[str]]:
        nonlocal snapshot
        if not isinstance(rows, list):
            raise ValueError("a sweep of FQM's is a list of tickets")
        pulls, unreadable = read_rows(rows)
        said = translate(names, snapshot, pulls, whole=True, now_unix_ms=at_unix_ms)
        snapshot = said.snapshot
        return said.events, said.unknown | (_ODD_ROW if unreadable else frozenset())

    return replay


def _seat(seat: FqmSeat, site: Site) -> Seat:
    timezone = site.branches[site.desks[seat.desk]].timezone
    return Seat(seat.operator, seat.desk, *days(seat.valid_from, seat.valid_to, timezone))


def names_of(table: Fqm, site: Site) -> Names:
    """Raises BadSettings for a branch or desk that is none of this feed's."""
    for office, branch in table.offices.items():
        if branch not in site.branches:
            raise BadSettings(f"fqm.{table.name}.offices.{office}: no branch of this feed is called {branch!r}")
    seats = {user: (each,) if isinstance(each, FqmSeat) else each for user, each in table.operators.items()}
    for user, some in seats.items():
        for seat in some:
            if seat.desk not in site.desks:
                raise BadSettings(f"fqm.{table.name}.operators.{user}: no desk of this feed is called {seat.desk!r}")
    return Names(
        source=table.name,
        offices=table.offices,
        seats={user: [_seat(seat, site) for seat in some] for user, some in seats.items()},
        services=table.tasks,
        desk_branches=site.desks,
        ticket_secret=site.ticket_secret,
    )
