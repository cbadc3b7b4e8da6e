"""Stands in for the analytics collector that TheQ (bcgov/queue-management) tells its events; see theq_events.py.

TheQ is set up for it by its own environment, without a change of code: THEQ_SNOWPLOW_CALLFLAG=True, an APPID, a
NAMESPACE, and THEQ_SNOWPLOW_ENDPOINT=host/theq/<name>/<secret>. Its tracker 0.9.1 then sends ``GET .../i`` by HTTPS, an
event a request; newer trackers post lists to ``.../com.snowplowanalytics.snowplow/tp2``. A tracker has no credentials:
the secret in the path is what tells TheQ from anybody else.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated
from urllib.parse import parse_qsl

import orjson
from pydantic import BaseModel, ConfigDict, Field

from collector.feed.errors import BadSettings
from collector.feed.inbox import Inbox, knows, problem_of, secret_of
from collector.feed.model import Event
from collector.feed.source import Means, Replay, Reply, Request, Route, Site
from collector.feed.theq_events import Names, Snapshot, Tracked, dump, read_tracked, restore, translate
from schemas.wire import Name

TP2 = "com.snowplowanalytics.snowplow/tp2"
MOST_EVENTS = 500  # in one POST
# A transparent GIF of one pixel, as a browser that tracks would like to see it.
PIXEL = bytes.fromhex("47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b")


class TheQ(BaseModel):
    """One TheQ that tells us its events, a ``[[theq]]`` table; the keys of its tables are TheQ's own numbers.

    [[theq]]
    name = "theq"                         # its secret: ZRAZKOVO_FEED_SOURCE_SECRETS='{"theq": "..."}'
    offices = {61 = "centre"}             # office_number, our branch
    operators = {7 = "op-7"}              # csr_id, our pseudonym; where they sit says the register
    services = {"MSP001" = "passport"}    # service_code
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[Name, Field(max_length=12)]
    offices: Annotated[dict[str, Name], Field(min_length=1)]
    operators: Annotated[dict[str, Name], Field(min_length=1)]
    services: dict[str, Name] = {}
    channels: frozenset[str] = frozenset({"in-person"})

    @staticmethod
    def secret_problem(secret: str | None) -> str | None:
        return problem_of(secret)


class TheQInbox(Inbox[Tracked]):
    KIND = "theq"
    LABEL = "TheQ"

    def __init__(self, table: TheQ, names: Names, means: Means):
        super().__init__(table.name, frozenset(names.offices.values()), means.clock)
        self._names = names
        self._means = means
        self._secret = secret_of(means, self.KIND, table.name)
        self._snapshot: Snapshot | None = None
        here = f"/theq/{table.name}/{{secret}}"
        self.routes = (Route("GET", f"{here}/i", self.get), Route("POST", f"{here}/{TP2}", self.post))

    def get(self, request: Request) -> Reply:
        if not knows(request.path, self._secret, 3):
            return Reply(404)
        full = not self._read([dict(parse_qsl(request.query))])
        return Reply(503) if full else Reply(200, PIXEL, "image/gif")

    def post(self, request: Request) -> Reply:
        if not knows(request.path, self._secret, 3):
            return Reply(404)
        try:
            pairs = payload(request.body)
        except ValueError as error:
            self.garbled(error)
            return Reply(200, b"ok")  # a tracker would send it again and again
        return Reply(200, b"ok") if self._read(pairs) else Reply(503)

    def take_in(self, items: Sequence[Tracked]) -> None:
        if self._snapshot is None:
            self._snapshot = self._kept()
        for item in items:
            self.record(item.model_dump(mode="json"))
        said = translate(self._names, self._snapshot, items, self._clock())
        self._means.intake.accept(said.events, source=(self.name, dump(said.snapshot)))
        self._snapshot = said.snapshot
        self.wonder(said.unknown)

    def _read(self, all_pairs: Sequence[Mapping[str, str]]) -> bool:
        found = []
        for pairs in all_pairs:
            try:
                tracked = read_tracked(pairs)
            except ValueError as error:
                self.garbled(error)
                continue
            if tracked is not None:
                found.append(tracked)
        return self.put(found)

    def _kept(self) -> Snapshot:
        kept = self._means.store.source(self.name)
        try:
            return restore(kept) if kept is not None else Snapshot()
        except ValueError:
            self.log.error("%s: the snapshot kept of it cannot be read; beginning anew", self.name)
            return Snapshot()


def payload(body: bytes) -> list[dict[str, str]]:
    """The events' pairs in the body of a POST to tp2. Raises ValueError."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise ValueError("it is not JSON") from None
    data = value.get("data") if isinstance(value, dict) else None
    if not isinstance(data, list) or len(data) > MOST_EVENTS:
        raise ValueError(f"it is not a list of up to {MOST_EVENTS} events")
    return [{str(key): str(each[key]) for key in each} for each in data if isinstance(each, dict)]


def open_theq(table: TheQ, means: Means) -> TheQInbox:
    return TheQInbox(table, names_of(table, means.site), means)


def replay_theq(table: TheQ, site: Site) -> Replay:
    """Reads recordings of single events: the tracker's name-value pairs, or what ``read_tracked`` made of them."""
    names = names_of(table, site)
    snapshot = Snapshot()

    def replay(at_unix_ms: int, value: object) -> tuple[Mapping[str, Sequence[Event]], frozenset[str]]:
        nonlocal snapshot
        if not isinstance(value, dict):
            raise ValueError("no recorded event of TheQ")
        tracked = Tracked.model_validate(value) if "citizen" in value else read_tracked(value)
        said = translate(names, snapshot, [tracked] if tracked else [], at_unix_ms)
        snapshot = said.snapshot
        return said.events, said.unknown

    return replay


def names_of(table: TheQ, site: Site) -> Names:
    for office, branch in table.offices.items():
        if branch not in site.branches:
            raise BadSettings(f"theq.{table.name}.offices.{office}: no branch of this feed is called {branch!r}")
    return Names(
        source=table.name,
        offices=table.offices,
        operators=table.operators,
        services=table.services,
        channels=table.channels,
        seats=site.seats,
        desk_branches=site.desks,
        ticket_secret=site.ticket_secret,
    )
