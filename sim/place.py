"""Where a demonstration lives on disk, its secrets and its configuration files. It starts nothing.

var/demo/secrets/   mode 0700: passwords and tokens that live as long as the data
var/demo/config/    one TOML a process, the register, the broker's password file (digests)
var/demo/log/       one log a process, and the one of the run before
var/demo/pads/      a directory a pad: pad.json and its flash
var/demo/firmware/  the compiled modules of a pad
var/demo/releases/  updates for pads, a folder each: python -m firmware.host release
var/demo/*.db       the collector's database and the feed's own
"""

import fcntl
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from io import TextIOWrapper
from pathlib import Path

from protocol.access import SERVER_RULES
from sim.city import City
from sim.errors import InUse, SettingsError
from sim.office import write_register
from sim.passwords import digest, new_secret, password_file, write_private
from sim.ports import HOST

_GRACE_S = 20.0  # pads on the same machine are back at once


@dataclass(frozen=True, slots=True)
class Ports:
    broker: int
    feed: int
    api: int


@dataclass(frozen=True, slots=True)
class Secrets:
    """What the processes know of one another; none of it may get into arguments or logs."""

    passwords: Mapping[str, str] = field(repr=False)  # at the broker, by user; a pad's user is its desk
    webhook_token: str = field(repr=False)
    ticket_secret: str = field(repr=False)


class Place:
    """The folder of one demonstration."""

    def __init__(self, root: Path):
        self.root = root.absolute()
        self.logs = self.root / "log"
        self.pads = self.root / "pads"
        self.firmware = self.root / "firmware"
        self.releases = self.root / "releases"
        self.config = self.root / "config"
        self.register = self.config / "register.toml"
        self.database_url = f"sqlite:///{self.root / 'zrazkovo.db'}"
        self.feed_database_url = f"sqlite:///{self.root / 'feed.db'}"
        self._secrets = self.root / "secrets" / "secrets.json"
        self._state = self.root / "state.json"
        self._lock: TextIOWrapper | None = None

    def claim(self) -> None:
        """Keeps every other demonstration off this folder for as long as this process lives. Raises InUse."""
        self.root.mkdir(parents=True, exist_ok=True)
        self.root.chmod(0o700)  # pads' flash holds votes; logs and configuration are nobody else's either
        lock = (self.root / "lock").open("a+", encoding="utf-8")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            pid = lock.read().strip() or "?"
            raise InUse(
                f"a demonstration (process {pid}) runs on {self.root} already: stop it with Ctrl-C, "
                "or give this one its own data with --data DIR"
            ) from None
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        self._lock = lock

    def prepare(self, city: City) -> Secrets:
        """Folders, secrets (made once, then kept), register and password file. Raises SettingsError."""
        for folder in (self.logs, self.pads, self.releases, self.config):
            folder.mkdir(parents=True, exist_ok=True)
        self._secrets.parent.mkdir(mode=0o700, exist_ok=True)
        for log in self.logs.glob("*.log"):
            log.replace(log.with_suffix(".log.1"))
        secrets = self._read_secrets([desk.id for desk in city.desks])
        write_register(self.register, city)
        # The fleet service adds the pads that were registered to the second one.
        for name in ("passwords-base", "passwords"):
            write_private(self.config / name, password_file(secrets.passwords))
        return secrets

    def configure(self, secrets: Secrets, ports: Ports, bench_port: int) -> None:
        """Writes the configuration of every process."""
        broker = {"broker_host": HOST, "broker_port": ports.broker}
        register = {"register_file": str(self.register)}
        self.write("broker", listen_port=ports.broker, password_file=str(self.config / "passwords"))
        self.write(
            "feed",
            database_url=self.feed_database_url,
            listen_port=ports.feed,
            tokens=[digest(secrets.webhook_token)],
            **register,
            **broker,
        )
        self.write("collector", database_url=self.database_url, **register, **broker)
        self.write(
            "fleet",
            database_url=self.database_url,
            grace_s=_GRACE_S,
            releases=str(self.releases),
            password_base=str(self.config / "passwords-base"),
            password_file=str(self.config / "passwords"),
            **broker,
        )
        self.write("api", database_url=self.database_url, listen_port=ports.api, bench_host=HOST, bench_port=bench_port)

    def config_of(self, name: str) -> str:
        return str(self.config / f"{name}.toml")

    @property
    def history_begins(self) -> date | None:
        """The first day of the history, or None as long as none was laid down."""
        try:
            return date.fromisoformat(json.loads(self._state.read_bytes())["history_begins"])
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise SettingsError(f"{self._state} is damaged: {error}") from None

    @history_begins.setter
    def history_begins(self, day: date) -> None:
        write_private(self._state, json.dumps({"history_begins": day.isoformat()}))

    def _read_secrets(self, desks: list[str]) -> Secrets:
        try:
            kept = json.loads(self._secrets.read_bytes())
            passwords = dict(kept["passwords"])
            token, ticket_secret = str(kept["webhook_token"]), str(kept["ticket_secret"])
        except FileNotFoundError:
            passwords, token, ticket_secret = {}, new_secret(), new_secret()
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise SettingsError(f"{self._secrets} is damaged ({error}): remove it, new ones are made then") from None
        for user in (*SERVER_RULES, *desks):
            passwords.setdefault(user, new_secret())
        made = {"passwords": passwords, "webhook_token": token, "ticket_secret": ticket_secret}
        write_private(self._secrets, json.dumps(made, indent=1))
        return Secrets(passwords, token, ticket_secret)

    def write(self, name: str, **values: object) -> None:
        """Writes the configuration of one process."""
        # JSON's strings, numbers and lists of strings are TOML's too.
        text = "".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items())
        write_private(Path(self.config_of(name)), text)
