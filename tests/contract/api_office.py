"""A small office for the api's tests: a real store, filled by real messages through its own door. No test is in it."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import count
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx2
from fastapi import FastAPI
from starlette.testclient import TestClient

from api.app import create_app
from api.serve import listening_socket, make_server
from api.settings import Settings
from collector.store import Arrival, Store
from protocol import topics
from protocol.codec import encode
from protocol.messages import Health, PadStatus, QueueEvent, Vote
from schemas.register import Branch, Desk, Organisation, Register, Service

KYIV = ZoneInfo("Europe/Kyiv")
LISBON = ZoneInfo("Europe/Lisbon")
SCOPES = (
    "figures",
    "operators",
    "devices",
    "metrics",
    "try",
    "control",
    "provision",
    "report",
    "register",
    "names",
    "reports",
    "publish",
    "disclose",
    "signals",
    "access_log",
    "users",
    "evidence",
)
REGISTER = Register(
    organisation=Organisation(name="Прозорий офіс", name_en="Transparent Office", simulated=True),
    branches=(
        Branch(id="centre", name="Центр", name_en="Centre"),
        Branch(id="vyshenka", name="Вишенька", name_en="Vyshenka"),
        Branch(id="lisbon", name="Лісабон", name_en="Lisbon", timezone="Europe/Lisbon"),
    ),
    services=(
        Service(id="passport", name="Паспорт", name_en="Passport"),
        Service(id="address", name="Реєстрація місця проживання", name_en="Registration of residence"),
    ),
    desks=(
        Desk(id="centre-1", branch="centre", label="1"),
        Desk(id="centre-2", branch="centre", label="2"),
        Desk(id="vyshenka-1", branch="vyshenka", label="1"),
        Desk(id="lisbon-1", branch="lisbon", label="1"),
    ),
)
BRANCH_OF = {desk.id: desk.branch for desk in REGISTER.desks}


# For tests of "the last month", whatever day it is: with Lisbon a month is whole two hours later than in Kyiv alone.
IN_ONE_ZONE = REGISTER.model_copy(
    update={"branches": tuple(each.model_copy(update={"timezone": "Europe/Kyiv"}) for each in REGISTER.branches)}
)


class Office:
    """The store of one test, and the hands that fill it."""

    def __init__(self, folder: Path, register: Register = REGISTER):
        self.url = f"sqlite:///{folder / 'office.db'}"
        self.store = Store.open(self.url)
        self.store.load_register(register)
        self._numbers = count(1)
        self._tokens = count(1)

    def call(
        self,
        desk: str,
        at: datetime,
        *,
        rating: int | None = None,
        outcome: str | None = "finished",
        service: str | None = "passport",
        operator: str | None = "olena",
    ) -> str:
        """A client is called at ``at``, perhaps votes, and the call ends with ``outcome`` (None: it stays open)."""
        called_unix_ms = int(at.timestamp() * 1000)
        call = f"{next(self._numbers):016d}"
        arrivals = []
        for kind in ("called", outcome):
            if kind is not None:
                event = QueueEvent(
                    event=f"e{next(self._numbers)}",
                    journal="0000feed",
                    seq=next(self._numbers),
                    type=kind,
                    occurred_unix_ms=called_unix_ms,
                    call=call,
                    called_unix_ms=called_unix_ms,
                    desk=desk,
                    operator=operator,
                    service=service,
                )
                arrivals.append(Arrival(topics.queue(BRANCH_OF[desk], "event"), encode(event), called_unix_ms))
        if rating is not None:
            vote = Vote(call, rating, 4000, "00000001", 1, next(self._numbers))
            arrivals.append(Arrival(topics.desk(desk, "vote"), encode(vote), called_unix_ms))
        self.store.ingest(arrivals)
        return call

    def pad(self, desk: str, phase: str = "dark", *, state: str = "online") -> None:
        """The pad at ``desk`` says what it does."""
        status = PadStatus(state, phase, None, "00000001", 3, "0.1.0", "power", "ok", "ok", "ok")
        self.store.ingest([Arrival(topics.desk(desk, "status"), encode(status), now_unix_ms())])

    def health(self, desk: str) -> None:
        counters = Health(60, 40000, 120000, None, 12, 0, 5, 1, 2, 0, 0, 0)
        self.store.ingest([Arrival(topics.desk(desk, "health"), encode(counters), now_unix_ms())])

    def token(self, *scopes: str) -> str:
        return self.store.create_token(f"reader {next(self._tokens)}", scopes)

    @contextmanager
    def client(self, *scopes: str, https: bool = False) -> Iterator[TestClient]:
        """A client with a token of ``scopes``, or with none."""
        headers = {"Authorization": f"Bearer {self.token(*scopes)}"} if scopes else {}
        app = create_app(Settings(database_url=self.url), self.store)
        base_url = "https://testserver" if https else "http://testserver"
        with TestClient(app, base_url=base_url, headers=headers, raise_server_exceptions=False) as client:
            yield client


@contextmanager
def serving(office: Office, **settings: object) -> Iterator[str]:
    """The application behind a real uvicorn on a free port: for streams, which the in-process client would buffer."""
    made = Settings.model_validate({"database_url": office.url, "listen_port": 0, **settings})
    with serving_app(create_app(made, office.store)) as address:
        yield address


@contextmanager
def serving_app(app: FastAPI) -> Iterator[str]:
    """An application of any store behind a real uvicorn on a free port of this machine."""
    settings: Settings = app.state.parts.settings.model_copy(update={"listen_port": 0})
    bound = listening_socket(settings)
    server = make_server(app, settings)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
    address = f"http://127.0.0.1:{bound.getsockname()[1]}"
    thread.start()
    try:
        until(lambda: server.started)
        yield address
    finally:
        server.should_exit = True
        thread.join(60)
        assert not thread.is_alive(), "the server does not stop"


def until(condition: Callable[[], bool], *, within_s: float = 60.0) -> None:
    """Wait for ``condition()`` to hold, looking every few milliseconds."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.005)


def now_unix_ms() -> int:
    return time.time_ns() // 1_000_000


def events_of(response: httpx2.Response) -> Iterator[tuple[str, str]]:
    """(event, data) pairs of a stream, heartbeats left out."""
    name = ""
    for line in response.iter_lines():
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, line.removeprefix("data: ")
