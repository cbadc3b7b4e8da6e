"""All processes of the campaign's centre, the lines between them, and whatever dies is started again. It plays nobody.

pads ═══TLS═line══╗
feed ═══TLS═line══╬══ Mosquitto ══line═TLS══ collector-1..n ── database ── fleet, api
queue ─ webhook ─ feed          (every line is a proxy that can be cut: sim/bad_network.py)
"""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psycopg

from sim.bad_network import BadNetwork
from sim.chaos.broker import OBSERVER, Broker
from sim.chaos.careful import Careful, Observer
from sim.chaos.clocks import Clocks, find_library
from sim.chaos.database import PostgreSql, Sqlite, Unable
from sim.chaos.flash import carry_journal
from sim.chaos.programs import PAUSES_S
from sim.chaos.room import Room
from sim.chaos.schedule import LINES, POSTGRESQL, Options, collectors
from sim.children import ROOT, Child, inherited_environ
from sim.city import City
from sim.errors import ChildFailed
from sim.interpreter import compile_firmware
from sim.ledger import Ledger, Unreadable
from sim.pads import Pads, PadSpec
from sim.passwords import digest, new_secret
from sim.place import Place
from sim.ports import HOST, choose_lasting
from sim.webhook import Webhook

CONNECTED_S = 60.0
_CLOCK_S = 60.0
_FEED_MEGABYTES = 16
_LOOK_EVERY_S = 0.1


class Centre:
    """Made, then start()ed once. ``careful`` is how people meet it; ``collector`` is the module run as one."""

    def __init__(
        self,
        folder: Path,
        city: City,
        options: Options,
        report: Callable[[str], None],
        *,
        collector: str = "collector",
    ):
        self.place = Place(folder)
        self.place.claim()
        self.city = city
        self.options = options
        self._collector = collector
        self._report = report
        self._secrets = self.place.prepare(city)
        self._passwords = {**self._secrets.passwords, **{name: new_secret() for name in (OBSERVER, *self._names())}}
        self.broker = Broker(folder / "broker", self._passwords, self.place.logs / "broker.log")
        kind = PostgreSql if options.database == POSTGRESQL else Sqlite
        self.database: PostgreSql | Sqlite = kind(folder / "database", self.place.logs)
        self.feed_room = Room(folder / "feed", _FEED_MEGABYTES)
        doors = self.broker.doors
        self.clocks = Clocks(folder / "clocks", find_library() if options.has_clocks else None)
        self.lines = {name: BadNetwork(doors.tls) for name in LINES}
        self._feed_port = choose_lasting()
        self.webhook = Webhook(f"http://{HOST}:{self._feed_port}", self._secrets.webhook_token)
        self._firmware = firmware = compile_firmware(self.place.firmware, os.environ)
        # No winks: the oracle reads lamps, and a wink is meant for the staff (firmware/core/wink.py).
        settings = {"wink": "off", "keepalive_s": 5, "reconnect_max_s": 2}
        address = (HOST, self.lines["pads"].port)
        self.pads = Pads(
            self.place.pads,
            firmware,
            address,
            settings=settings,
            anchor=self.broker.anchor,
            environ=self.clocks.environ("pads"),
        )
        self.careful = Careful(self.webhook, self.pads)
        self.spools = folder / "spool"
        self.observer = Observer(doors.plain, self._passwords[OBSERVER], self.careful.heard)
        self.children: dict[str, Child] = {"broker": self.broker.program}
        self._watching: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Returns when every pad is connected. Raises ChildFailed."""
        await self._start_database()
        await self._start("broker")
        self.observer.start()
        self.children.update(self._servers())
        for name in collectors(self.options):  # the first makes the tables, the others find them
            await self._start(name)
        await asyncio.gather(*(self._start(name) for name in ("feed", "fleet", "api")))
        await self.webhook.__aenter__()
        self.pads.subscribe(self.careful.lamps_changed)
        await self.pads.start(PadSpec(desk.id, self._secrets.passwords[desk.id]) for desk in self.city.desks)
        await self._connected()

    async def stop(self) -> None:
        await self.webhook.__aexit__(None, None, None)
        await self.pads.stop()
        for task in self._watching:
            task.cancel()
        await asyncio.gather(*self._watching, return_exceptions=True)
        self.observer.stop()
        for name, child in reversed(self.children.items()):
            if child.process is not None:
                self.thaw(name)
                await child.stop()
        for line in self.lines.values():
            line.close()
        for room in (self.database.room, self.feed_room):
            room.close()

    # ---- what injuries are made of
    def kill(self, name: str) -> None:
        """SIGKILL; somebody starts it again."""
        self._signal(name, signal.SIGKILL)

    def ask_to_stop(self, name: str) -> None:
        """As an administrator does it."""
        self._signal(name, signal.SIGINT if name == "database" else signal.SIGTERM)

    def freeze(self, name: str) -> None:
        self._signal(name, signal.SIGSTOP)

    def thaw(self, name: str) -> None:
        self._signal(name, signal.SIGCONT)

    def administer(self, *words: object) -> None:
        """``python -m collector WORDS``, as an administrator does it. Raises Unable."""
        first = collectors(self.options)[0]
        command = [sys.executable, "-m", "collector", "--config", self.place.config_of(first), *map(str, words)]
        done = subprocess.run(
            command, cwd=ROOT, env=inherited_environ(), capture_output=True, text=True, check=False, timeout=120
        )
        if done.returncode:
            raise Unable(f"{words[0]}: {done.stdout}{done.stderr}".strip())
        self._report(f"{words[0]}: {done.stdout.strip().splitlines()[-1]}")

    async def feed_clock_right(self) -> None:
        """Returns when the feed reads the right time: a busy machine keeps it waiting. Raises ChildFailed."""
        deadline = time.monotonic() + _CLOCK_S
        while not await asyncio.to_thread(self.clocks.shown_right, self._feed_port):
            if time.monotonic() > deadline:
                raise ChildFailed(f"the feed's clock does not come right: {self.place.logs}")
            await asyncio.sleep(_LOOK_EVERY_S)

    def forget_older(self) -> None:
        """Raises Unable."""
        try:
            self.database.forget_older()
        except (OSError, psycopg.Error) as error:
            raise Unable(str(error)) from error

    def swap_flash(self, desk: str, *, carry: bool) -> None:
        """Another pad's flash at the desk, which is off; ``carry``: with the journal of the one before."""
        flash = self.place.pads / desk / "flash.img"
        old = flash.with_suffix(f".{time.monotonic_ns()}")
        if flash.exists():
            flash.rename(old)
            if carry:
                carry_journal(self._firmware, old, flash)

    def voted(self) -> set[tuple[str, int]]:
        """The calls whose votes the database has. Raises Unable."""
        try:
            with Ledger(self.database.url) as ledger:
                return ledger.voted()
        except Unreadable as error:
            raise Unable(str(error)) from error

    def _signal(self, name: str, number: int) -> None:
        process = self.children[name].process
        if process is not None and process.poll() is None:
            process.send_signal(number)

    # ---- starting
    def _names(self) -> tuple[str, ...]:
        """The collectors' users at the broker: alone it has the plain name."""
        return collectors(self.options) if self.options.collectors > 1 else ("collector",)

    async def _start_database(self) -> None:
        if isinstance(self.database, PostgreSql):
            await asyncio.to_thread(self.database.prepare)
            self.children["database"] = self.database.program
            await self._start("database")
            await asyncio.to_thread(self.database.create)

    def _servers(self) -> dict[str, Child]:
        place, secrets, url = self.place, self._secrets, self.database.url
        place.register.chmod(0o600)
        register = {"register_file": str(place.register)}
        tls = {"broker_host": HOST, "broker_ca": str(self.broker.anchor_pem)}
        line = {name: {"broker_port": each.port, **tls} for name, each in self.lines.items()}
        webhook = {"listen_port": self._feed_port, "tokens": [digest(secrets.webhook_token)]}
        feed_url = f"sqlite:///{self.feed_room.path / 'feed.db'}"
        place.write("feed", database_url=feed_url, **webhook, **register, **line["feed"])
        group = {"shared_group": "collectors"} if self.options.collectors > 1 else {}
        for name, user in zip(collectors(self.options), self._names(), strict=True):
            mine = {"broker_user": user, "spool": str(self.spools / name), **group}
            place.write(name, database_url=url, **mine, **register, **line["collectors"])
        lists = {"password_base": f"{place.config}/passwords-base", "password_file": f"{place.config}/passwords"}
        direct = {"broker_port": self.broker.doors.tls, "releases": str(place.releases), **tls}
        place.write("fleet", database_url=url, **lists, **direct)
        place.write("api", database_url=url, listen_port=choose_lasting())
        feed_secrets = {"BROKER_PASSWORD": self._passwords["feed"], "TICKET_SECRET": secrets.ticket_secret}
        made = [self._child("feed", "collector.feed", "FEED", feed_secrets)]
        for name, user in zip(collectors(self.options), self._names(), strict=True):
            made.append(self._child(name, self._collector, "COLLECTOR", {"BROKER_PASSWORD": self._passwords[user]}))
        made.append(self._child("fleet", "collector.fleet", "FLEET", {"BROKER_PASSWORD": self._passwords["it"]}))
        made.append(self._child("api", "api", "API", {}))
        return {child.name: child for child in made}

    def _child(self, name: str, module: str, prefix: str, secrets: dict[str, str]) -> Child:
        return Child(
            name,
            [module, "--config", self.place.config_of(name)],
            environ={
                **{f"ZRAZKOVO_{prefix}_{key}": value for key, value in secrets.items()},
                **self.clocks.environ(name),
            },
            log_file=self.place.logs / f"{name}.log",
            pauses_s=PAUSES_S,
        )

    async def _start(self, name: str) -> None:
        await self.children[name].start()
        self._watching.append(asyncio.create_task(self.children[name].watch(self._report), name=name))

    async def _connected(self) -> None:
        deadline = asyncio.get_running_loop().time() + CONNECTED_S
        while missing := [desk.id for desk in self.city.desks if not self.pads.connected(desk.id)]:
            if asyncio.get_running_loop().time() > deadline:
                raise ChildFailed(f"the pads of {', '.join(missing)} do not find their broker: {self.place.logs}")
            await asyncio.sleep(_LOOK_EVERY_S)
