"""Takes the events that Qmatic Orchestra's connector posts to its hooks, and keeps our hook registered.

orchestra-events drops a hook for good when one POST to it fails, keeps its hooks in memory only, and cannot be asked
which it has. So we register again and again: the same URL twice is one hook. What was posted between a failure and the
next registration is lost; how much cannot be known, only bounded by ``register_seconds``, and noticed by the ends of
visits whose call never came (``missed``). What events mean is in qmatic_events.py.
"""

import threading
from collections.abc import Mapping, Sequence
from typing import Annotated

import httpx2
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from collector.feed.errors import BadSettings, SourceDown
from collector.feed.inbox import Inbox, knows, problem_of, secret_of
from collector.feed.model import Event
from collector.feed.qmatic_events import Names, Posted, Said, read_posted, translate
from collector.feed.source import Means, Replay, Reply, Request, Route, Site
from schemas.wire import Name

REGISTER_S = 5.0
OPEN_MS = 36 * 3_600_000
MOST_OPEN = 20_000
ENDINGS = ("finished", "no_show", "transferred", "held")  # of a visit that was called; a waiting one may be removed
_OPEN = TypeAdapter(dict[str, int])


class Qmatic(BaseModel):
    """One Orchestra whose connector posts events to us, a ``[[qmatic]]`` table; the keys are Orchestra's own numbers.

    [[qmatic]]
    name = "qmatic"                                  # its secret: ZRAZKOVO_FEED_SOURCE_SECRETS
    connector = "http://192.0.2.9:8080/qpevents"     # where orchestra-events is
    hook = "http://192.0.2.10:8085"                  # the feed, as Orchestra reaches it
    branches = {1 = "centre"}                        # branchId
    service_points = {120000000001 = "centre-1"}     # servicePointId
    operators = {5 = "op-5"}                         # userId
    services = {1 = "passport"}
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[Name, Field(max_length=12)]
    connector: Annotated[str, Field(pattern=r"^https?://[^\s?#]+$")]
    hook: Annotated[str, Field(pattern=r"^https?://[^\s?#]+$")]
    branches: Annotated[dict[str, Name], Field(min_length=1)]
    service_points: Annotated[dict[str, Name], Field(min_length=1)]
    operators: dict[str, Name] = {}
    services: dict[str, Name] = {}
    register_seconds: Annotated[float, Field(ge=0.2, le=600)] = 15.0

    @staticmethod
    def secret_problem(secret: str | None) -> str | None:
        return problem_of(secret)


class QmaticInbox(Inbox[Posted]):
    KIND = "qmatic"
    LABEL = "Qmatic Orchestra"

    def __init__(self, table: Qmatic, names: Names, means: Means):
        super().__init__(table.name, frozenset(names.branches.values()), means.clock)
        self._names = names
        self._means = means
        self._secret = secret_of(means, self.KIND, table.name)
        self._open: dict[str, int] | None = None  # visits called and not ended, by their pseudonyms; when
        self._table = table
        self._hook = f"{table.hook.rstrip('/')}/qmatic/{table.name}/{self._secret}"
        self._http = httpx2.Client(timeout=REGISTER_S, follow_redirects=False)
        self._registrar = threading.Thread(target=self._register_again, name=f"hook-{table.name}", daemon=True)
        self.routes = (Route("POST", f"/qmatic/{table.name}/{{secret}}", self.post),)

    def start(self) -> None:
        super().start()
        self.up = False  # until it is registered
        self._registrar.start()

    def stop(self) -> None:
        super().stop()
        self._http.close()

    def post(self, request: Request) -> Reply:
        if not knows(request.path, self._secret, 3):
            return Reply(404)
        try:
            posted = read_posted(request.body)
        except ValueError as error:
            self.garbled(error)
            return Reply(200)
        return Reply(200) if self.put([posted]) else Reply(503)

    def take_in(self, items: Sequence[Posted]) -> None:
        before = self._open if self._open is not None else self._kept()
        for item in items:
            self.record(item.model_dump(mode="json", by_alias=True))
        said = translate(self._names, items)
        after, missed = followed(before, said, self._clock())
        self._means.intake.accept(said.events, source=(self.name, _OPEN.dump_json(after)))
        self._open = after
        if missed:
            self.missed += missed
            self.log.warning("Qmatic Orchestra %s: %d ends of calls that were never posted to us", self.name, missed)
        self.wonder(said.unknown)

    def register(self) -> None:
        """Raises SourceDown."""
        url = self._table.connector.rstrip("/") + "/hooks/register"
        try:
            answer = self._http.get(url, params={"url": self._hook})
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise SourceDown(f"cannot register our hook: {type(error).__name__}") from None
        if not 200 <= answer.status_code < 300:
            raise SourceDown(f"cannot register our hook: HTTP {answer.status_code}")

    def _register_again(self) -> None:
        while not self._stopping.is_set():
            try:
                self.register()
                self.well()
            except SourceDown as error:
                self.trouble(str(error))
            except Exception:
                if self._stopping.is_set():
                    return
                self.log.exception("%s: an error of ours; registering goes on", self.name)
            self._stopping.wait(self._table.register_seconds)

    def _kept(self) -> dict[str, int]:
        kept = self._means.store.source(self.name)
        try:
            return _OPEN.validate_json(kept) if kept is not None else {}
        except ValueError:
            self.log.error("%s: the snapshot kept of it cannot be read; beginning anew", self.name)
            return {}


def followed(before: Mapping[str, int], said: Said, now_unix_ms: int) -> tuple[dict[str, int], int]:
    """Which visits are called and not ended after these events, and how many ended whose call nobody heard of."""
    after = {visit: at for visit, at in before.items() if at > now_unix_ms - OPEN_MS}
    missed = 0
    for event in (each for events in said.events.values() for each in events):
        visit = event.ticket or ""
        if event.type in ("called", "started"):
            after[visit] = now_unix_ms
        elif event.type == "reset":
            after.clear()
        elif event.type in (*ENDINGS, "removed") and after.pop(visit, None) is None:
            missed += event.type in ("finished", "no_show")
    while len(after) > MOST_OPEN:
        del after[next(iter(after))]
    return after, missed


def open_qmatic(table: Qmatic, means: Means) -> QmaticInbox:
    return QmaticInbox(table, names_of(table, means.site), means)


def replay_qmatic(table: Qmatic, site: Site) -> Replay:
    """Reads recordings of single events, as they were posted."""
    names = names_of(table, site)

    def replay(at_unix_ms: int, value: object) -> tuple[Mapping[str, Sequence[Event]], frozenset[str]]:
        if not isinstance(value, dict):
            raise ValueError("no recorded event of Orchestra")
        said = translate(names, [Posted.model_validate(value)])
        return said.events, said.unknown

    return replay


def names_of(table: Qmatic, site: Site) -> Names:
    for number, branch in table.branches.items():
        if branch not in site.branches:
            raise BadSettings(f"qmatic.{table.name}.branches.{number}: no branch of this feed is called {branch!r}")
    for number, desk in table.service_points.items():
        if desk not in site.desks:
            raise BadSettings(f"qmatic.{table.name}.service_points.{number}: no desk of this feed is called {desk!r}")
    return Names(
        source=table.name,
        branches=table.branches,
        service_points=table.service_points,
        operators=table.operators,
        services=table.services,
        timezones={branch.id: branch.timezone for branch in site.branches.values()},
        desk_branches=site.desks,
        ticket_secret=site.ticket_secret,
    )
