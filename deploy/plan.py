"""What is to be installed and where: one value, from which every generated text follows. It writes nothing."""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deploy.errors import DeployError
from protocol.access import COLLECTORS, branch_user

KINDS = ("office", "centre", "branch")
PORTS = {
    "pads": 8883,  # TLS: pads, bridges, and programs on other machines
    "servers": 1883,  # plain, on loopback: programs on the broker's machine
    "feed": 8085,
    "api": 8080,
    "collector-metrics": 9101,  # of several 9101, 9102, ...
    "fleet-metrics": 9100,
}
_HOST = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*")


@dataclass(frozen=True, slots=True)
class Plan:
    """One machine's installation.

    Args:
        kind: one of KINDS.
        domain: the broker's name, which its certificate must bear; also the api's.
        out: where the configuration lies, and stays: generated files name one another by absolute paths.
        state: where databases, backups and the broker's memory lie.
        code: the checkout with its ``.venv``.
        branches: for each branch's id its desks' ids; of a branch's machine only that branch.
        collectors: how many share the load; more than one need PostgreSQL.
        database: "sqlite", "postgresql" (on this machine), or a database's URL.
        centre: host and port of the centre's broker; a branch's machine only.
        broker_user: whom Mosquitto runs as.
    """

    kind: str
    domain: str
    out: Path
    state: Path
    code: Path
    branches: Mapping[str, tuple[str, ...]]
    collectors: int = 1
    database: str = "sqlite"
    centre: tuple[str, int] | None = None
    broker_user: str = "mosquitto"
    ports: Mapping[str, int] = field(default_factory=lambda: PORTS)

    def __post_init__(self) -> None:
        if not is_host(self.domain):
            raise DeployError(f"--domain: {self.domain!r} is neither a host name nor an address")
        if self.collectors > 1 and self.database.startswith("sqlite"):
            raise DeployError("--collectors: several need --database postgresql; SQLite has one writer")
        if re.search(r"//[^/@]*:[^/@]*@", self.database):
            raise DeployError(
                "--database: no password here, it would stand in files; put ?passfile=FILE behind the URL"
            )
        if not 1 <= self.collectors <= len(COLLECTORS):
            raise DeployError(f"--collectors: from 1 to {len(COLLECTORS)}")
        for name, path in (("--out", self.out), ("--state", self.state), ("the checkout", self.code)):
            if not re.fullmatch(r"[A-Za-z0-9/._+-]+", str(path)):
                raise DeployError(f"{name}: {path} has characters that units and configurations would have to quote")

    @property
    def branch(self) -> str:
        """The one branch of a branch's machine."""
        (only,) = self.branches
        return only

    @property
    def has_centre(self) -> bool:
        """Whether collector, fleet service, api and database run here."""
        return self.kind != "branch"

    @property
    def has_feed(self) -> bool:
        """A centre's branches have feeds of their own, and its own desks, if any, are a branch too."""
        return self.kind != "centre"

    @property
    def feed_user(self) -> str:
        return branch_user("feed", self.branch) if self.kind == "branch" else "feed"

    @property
    def collector_users(self) -> tuple[str, ...]:
        return ("collector",) if self.collectors == 1 else COLLECTORS[: self.collectors]

    @property
    def desks(self) -> int:
        return sum(len(desks) for desks in self.branches.values())

    @property
    def server_users(self) -> tuple[str, ...]:
        """Everybody but pads who logs in at this machine's broker."""
        if self.kind == "branch":
            return (self.feed_user,)
        users = (*self.collector_users, "it")
        if self.kind == "office":
            return (*users, "feed")
        return (*users, *(branch_user("bridge", branch) for branch in self.branches))

    @property
    def programs(self) -> tuple[str, ...]:
        centre = ("collector", "fleet", "api") if self.has_centre else ()
        return (*centre, "feed") if self.has_feed else centre

    def file(self, name: str) -> Path:
        return self.out / name

    def secret(self, name: str) -> Path:
        return self.out / "secrets" / name


def is_host(text: str) -> bool:
    """Whether ``text`` can be a host's name or address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return _HOST.fullmatch(text) is not None
    return True
