"""Polls QSystem (Apertum) for its list of operators; what it means is in qsystem_users.py. It asks nothing else.

One request a TCP connection: JSON, URL-encoded, whose method is a Russian sentence. The answer comes in the same dress
and ends with the connection. Never ask TASK_GET_SELF_SERVICES: the server tells an operator's program only what changed
since the last question, so ours would take the answer away from it. The list of operators has no such memory.
The answer holds every operator's password in clear: it is read here and goes no further, nor into any log.
"""

import json
import socket
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Annotated, Self
from urllib.parse import quote_plus, unquote_plus

from pydantic import BaseModel, ConfigDict, Field, model_validator

from collector.feed.errors import BadSettings, SourceDown
from collector.feed.model import Event
from collector.feed.qsystem_users import Look, Names, Snapshot, User, dump, read_answer, restore, translate
from collector.feed.source import Means, Poller, Replay, Site
from schemas.register import Timezone
from schemas.wire import Name

LIST_OPERATORS = "Получить перечень пользователей"  # Uses.TASK_GET_USERS
CONNECT_S = 5.0
ANSWER_S = 20.0
MOST_BYTES = 16 * 1024 * 1024
WAKES_APART_S = 0.2  # the server sleeps a quarter of a second over each request


class QSystem(BaseModel):
    """One QSystem server to poll, a ``[[qsystem]]`` table; the keys of its tables are QSystem's own words.

        [[qsystem]]
        name = "main"
        host = "192.0.2.8"
        desks = {"1" = "centre-1", "Вікно 2" = "centre-2"}   # the operator's "point", our desk
        operators = {4 = "op-4"}                             # the operator's number, our pseudonym
        services = {17 = "passport"}
        timezone = "Europe/Kyiv"                             # of the server

    ``wake_port``: also listen for the server's UDP broadcasts (3129), as a sign to look at once.
    ``twice_encoded``: for British Columbia's version 17, whose sentences were encoded twice.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[Name, Field(max_length=12)]
    host: Annotated[str, Field(min_length=1, max_length=255)]
    port: Annotated[int, Field(ge=1, le=65535)] = 3128
    desks: dict[str, Name]
    operators: dict[str, Name] = {}
    services: dict[str, Name] = {}
    timezone: Timezone = "Europe/Kyiv"
    poll_seconds: Annotated[float, Field(ge=0.2, le=60)] = 1.0
    wake_port: Annotated[int | None, Field(ge=1, le=65535)] = None
    twice_encoded: bool = False

    @model_validator(mode="after")
    def _some_desk(self) -> Self:
        if not self.desks:
            raise ValueError("desks: is empty, so no pad would ever be armed")
        return self


class Client:
    """The one question."""

    def __init__(self, host: str, port: int, *, twice_encoded: bool = False):
        sentence = LIST_OPERATORS.encode().decode("cp1252") if twice_encoded else LIST_OPERATORS
        self._host, self._port, self._sentence = host, port, sentence

    def ask(self) -> str:
        """The answer, decoded. Raises SourceDown."""
        request = json.dumps({"jsonrpc": "2.0", "id": "1", "method": self._sentence}, ensure_ascii=False)
        deadline = time.monotonic() + ANSWER_S
        try:
            with socket.create_connection((self._host, self._port), CONNECT_S) as line:
                line.settimeout(CONNECT_S)
                line.sendall(quote_plus(request).encode())
                answer = bytearray()
                while part := line.recv(65536):
                    answer += part
                    if len(answer) > MOST_BYTES or time.monotonic() > deadline:
                        raise SourceDown("its answer has no end")
        except OSError as error:
            raise SourceDown(f"no answer: {type(error).__name__}") from None
        if not answer:
            raise SourceDown("it ended the connection without an answer")
        return unquote_plus(answer.decode("ascii", "replace"))


class QSystemPoller(Poller):
    KIND = "qsystem"
    LABEL = "QSystem"

    def __init__(self, table: QSystem, names: Names, means: Means):
        branches = frozenset(names.desk_branches[desk] for desk in names.desks.values())
        super().__init__(table.name, branches, means.clock, poll_seconds=table.poll_seconds)
        self._client = Client(table.host, table.port, twice_encoded=table.twice_encoded)
        self._names = names
        self._means = means
        self._snapshot: Snapshot | None = None
        self._begun = False
        self._wake_port = table.wake_port

    def start(self) -> None:
        super().start()
        if self._wake_port is not None:
            threading.Thread(
                target=self._listen, args=(self._wake_port,), name=f"wake-{self.name}", daemon=True
            ).start()

    def poll(self) -> None:
        if not self._begun:
            self._snapshot, self._begun = self._kept(), True
        try:
            look = read_answer(self._client.ask())
        except ValueError as error:
            raise SourceDown(str(error)) from None
        self.record(to_record(self._names, look), changes_only=True)
        now = self._clock()
        said = translate(self._names, self._snapshot, look, now)
        if said.events or self._snapshot is None or said.snapshot.users != self._snapshot.users:
            self._means.intake.accept(said.events, source=(self.name, dump(said.snapshot)))
        self._snapshot = said.snapshot
        self.unreadable += look.unreadable
        self.wonder(said.unknown)

    def _kept(self) -> Snapshot | None:
        kept = self._means.store.source(self.name)
        try:
            return restore(kept) if kept is not None else None
        except ValueError:
            self.log.error("%s: the snapshot kept of it cannot be read; beginning anew", self.name)
            return None

    def _listen(self, port: int) -> None:
        """Any broadcast is a sign to look, whatever it says."""
        try:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear:
                ear.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                ear.bind(("", port))
                ear.settimeout(0.5)
                while not self.stopping:
                    try:
                        ear.recv(2048)
                    except TimeoutError:
                        continue
                    self.wake()
                    self._stopping.wait(WAKES_APART_S)
        except OSError as error:
            self.log.warning(
                "QSystem %s: no broadcasts on port %d: %s; it is polled all the same", self.name, port, error
            )


def open_qsystem(table: QSystem, means: Means) -> QSystemPoller:
    return QSystemPoller(table, names_of(table, means.site), means)


def replay_qsystem(table: QSystem, site: Site) -> Replay:
    """Reads recordings of looks: {"users": [...]}, as ``to_record`` makes them."""
    names = names_of(table, site)
    snapshot: Snapshot | None = None

    def replay(at_unix_ms: int, value: object) -> tuple[Mapping[str, Sequence[Event]], frozenset[str]]:
        nonlocal snapshot
        said = translate(names, snapshot, from_record(value), at_unix_ms)
        snapshot = said.snapshot
        return said.events, said.unknown

    return replay


def to_record(names: Names, look: Look) -> dict[str, object]:
    """A look as it may be recorded: without names, passwords and ticket numbers, and without the running clock."""
    users = []
    for user in look.users:
        row = user.model_dump(by_alias=True, exclude_none=True)
        if user.shadow is not None:
            row["shadow"] |= {"old_pref": "", "old_nom": int(names.tag(user.shadow), 16)}
        users.append(row)
    return {"users": users}


def from_record(value: object) -> Look:
    """Raises ValueError for what ``to_record`` did not make."""
    if not isinstance(value, dict) or not isinstance(value.get("users"), list):
        raise ValueError("no recorded look at QSystem's operators")
    return Look(None, [User.model_validate(user) for user in value["users"]])


def names_of(table: QSystem, site: Site) -> Names:
    for point, desk in table.desks.items():
        if desk not in site.desks:
            raise BadSettings(f"qsystem.{table.name}.desks.{point}: no desk of this feed is called {desk!r}")
    return Names(
        source=table.name,
        timezone=table.timezone,
        desks=table.desks,
        operators=table.operators,
        services=table.services,
        desk_branches=site.desks,
        ticket_secret=site.ticket_secret,
    )
