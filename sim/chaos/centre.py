"""All processes of the campaign's centre, the lines between them, and whatever dies is started again. It plays nobody.

pads ══line══╗
feed ══line══╬══ Mosquitto ══line══ collector-1..n ── database ── fleet, api
queue ─ webhook ─ feed          (every line is a proxy that can be cut: sim/bad_network.py)
"""

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path

from sim.bad_network import BadNetwork
from sim.chaos.broker import OBSERVER, Broker
from sim.chaos.careful import Careful, Observer
from sim.chaos.programs import PAUSES_S
from sim.chaos.schedule import Options, collectors
from sim.children import Child
from sim.city import City
from sim.errors import ChildFailed
from sim.interpreter import compile_firmware
from sim.pads import Pads, PadSpec
from sim.passwords import digest, new_secret
from sim.place import Place
from sim.ports import HOST, choose
from sim.webhook import Webhook

CONNECTED_S = 60.0
_LOOK_EVERY_S = 0.1
_LINES = ("pads", "feed", "collectors")


class Centre:
    """Made, then start()ed once. ``careful`` is how people meet it."""

    def __init__(self, folder: Path, city: City, options: Options, report: Callable[[str], None]):
        self.place = Place(folder)
        self.place.claim()
        self.city = city
        self.options = options
        self._report = report
        self._secrets = self.place.prepare(city)
        observer = new_secret()
        passwords = {**self._secrets.passwords, OBSERVER: observer}
        self.broker = Broker(folder / "broker", passwords, self.place.logs / "broker.log")
        doors = self.broker.doors
        self.lines = {name: BadNetwork(doors.tls if name == "pads" else doors.plain) for name in _LINES}
        self._feed_port = choose(0)
        self.webhook = Webhook(f"http://{HOST}:{self._feed_port}", self._secrets.webhook_token)
        firmware = compile_firmware(self.place.firmware, os.environ)
        # No winks: the oracle reads lamps, and a wink is meant for the staff (firmware/core/wink.py).
        settings = {"wink": "off", "keepalive_s": 5, "reconnect_max_s": 2}
        address = (HOST, self.lines["pads"].port)
        self.pads = Pads(self.place.pads, firmware, address, settings=settings, anchor=self.broker.anchor)
        self.careful = Careful(self.webhook, self.pads)
        self.observer = Observer(doors.plain, observer, self.careful.heard)
        self.children: dict[str, Child] = {"broker": self.broker.program, **self._servers()}
        self._watching: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Returns when every pad is connected. Raises ChildFailed."""
        await self._start("broker")
        self.observer.start()
        await self._start("collector-1")  # it makes the tables; the others find them
        await asyncio.gather(*(self._start(name) for name in self.children if name not in ("broker", "collector-1")))
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

    # ---- what injuries are made of
    def kill(self, name: str) -> None:
        """SIGKILL; somebody starts it again."""
        self._signal(name, signal.SIGKILL)

    def ask_to_stop(self, name: str) -> None:
        self._signal(name, signal.SIGTERM)

    def freeze(self, name: str) -> None:
        self._signal(name, signal.SIGSTOP)

    def thaw(self, name: str) -> None:
        self._signal(name, signal.SIGCONT)

    def _signal(self, name: str, number: int) -> None:
        process = self.children[name].process
        if process is not None and process.poll() is None:
            process.send_signal(number)

    # ---- starting
    def _servers(self) -> dict[str, Child]:
        place, secrets = self.place, self._secrets
        register = {"register_file": str(place.register)}
        line = {name: {"broker_host": HOST, "broker_port": each.port} for name, each in self.lines.items()}
        feed = {"listen_port": self._feed_port, "tokens": [digest(secrets.webhook_token)], **register, **line["feed"]}
        place.write("feed", database_url=place.feed_database_url, **feed)
        for name in collectors(self.options):
            more = {**register, **line["collectors"], "client_id": name}
            place.write(name, database_url=place.database_url, **more)
        lists = {"password_base": f"{place.config}/passwords-base", "password_file": f"{place.config}/passwords"}
        direct = {"broker_host": HOST, "broker_port": self.broker.doors.plain, "releases": str(place.releases)}
        place.write("fleet", database_url=place.database_url, **lists, **direct)
        place.write("api", database_url=place.database_url, listen_port=choose(0))
        passwords = secrets.passwords
        feed_secrets = {"BROKER_PASSWORD": passwords["feed"], "TICKET_SECRET": secrets.ticket_secret}
        made = [self._child("feed", "collector.feed", "FEED", feed_secrets)]
        for name in collectors(self.options):
            made.append(self._child(name, "collector", "COLLECTOR", {"BROKER_PASSWORD": passwords["collector"]}))
        made.append(self._child("fleet", "collector.fleet", "FLEET", {"BROKER_PASSWORD": passwords["it"]}))
        made.append(self._child("api", "api", "API", {}))
        return {child.name: child for child in made}

    def _child(self, name: str, module: str, prefix: str, secrets: dict[str, str]) -> Child:
        return Child(
            name,
            [module, "--config", self.place.config_of(name)],
            environ={f"ZRAZKOVO_{prefix}_{key}": value for key, value in secrets.items()},
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
