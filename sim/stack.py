"""All processes of a service centre on this machine, started in order and stopped in reverse. It plays no client.

    broker ─► feed, collector, fleet, api ─► pads        (and the bench, which the api finds when both are there)

One that dies by itself is reported and started again; they all depend on one another only through the broker and
the databases, and are built to miss one another for a while.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence

from sim.bench import Bench
from sim.children import Child
from sim.city import City, Desk
from sim.interpreter import Firmware
from sim.pads import Pads, PadSpec
from sim.passwords import new_secret
from sim.place import Place, Ports, Secrets
from sim.ports import HOST
from sim.webhook import Webhook

# What the pads leave behind still travels to the collector: or else its database would have them online.
_LAST_WILLS_S = 0.5
_COMMANDS = {
    "broker": ("sim", "broker"),
    "feed": ("collector.feed",),
    "collector": ("collector",),
    "fleet": ("collector.fleet",),
    "api": ("api",),
}


class Stack:
    """Args:
    firmware: what the pads run, or None to go without pads.
    reserved: desks for people to try.
    report: is told in one sentence what people should know.
    """

    def __init__(
        self,
        place: Place,
        city: City,
        *,
        ports: Ports,
        secrets: Secrets,
        firmware: Firmware | None,
        reserved: Sequence[Desk] = (),
        report: Callable[[str], None] = lambda text: None,
    ):
        self.place = place
        self.city = city
        self.ports = ports
        self.webhook = Webhook(f"http://{HOST}:{ports.feed}", secrets.webhook_token)
        self.pads = Pads(place.pads, firmware, (HOST, ports.broker))
        self.children: dict[str, Child] = {}
        self._secrets = secrets
        self._bench_token = new_secret()
        self._bench = Bench(city, reserved, self.pads, self.webhook, token=self._bench_token)
        self._report = report
        self._watching: list[asyncio.Task[None]] = []
        self._closing = contextlib.AsyncExitStack()

    @property
    def address(self) -> str:
        return f"http://{HOST}:{self.ports.api}"

    async def start(self) -> None:
        """Returns when everything serves and every pad shows its lamps. Raises ChildFailed."""
        self.place.configure(self._secrets, self.ports, await self._bench.start(0))
        self._make_children()
        self._report("starting the broker")
        await self._start("broker")
        self._report("starting feed, collector and pages")
        await asyncio.gather(*(self._start(name) for name in ("feed", "collector", "fleet", "api")))
        await self._closing.enter_async_context(self.webhook)
        self._report(f"starting {len(self.city.desks)} pads")
        await self.pads.start(PadSpec(desk.id, self._secrets.passwords[desk.id]) for desk in self.city.desks)

    async def stop(self) -> None:
        """Stops what was started, in reverse order; nothing is left when it returns."""
        await self._bench.stop()
        await self._closing.aclose()
        await self.pads.stop()
        await asyncio.sleep(_LAST_WILLS_S)
        for task in self._watching:
            task.cancel()
        await asyncio.gather(*self._watching, return_exceptions=True)
        names = [name for name in ("api", "fleet", "collector", "feed") if name in self.children]
        await asyncio.gather(*(self.children[name].stop() for name in names))
        if "broker" in self.children:
            await self.children["broker"].stop()

    def kill(self) -> None:
        """Ends every process at once, for somebody who cannot wait."""
        for desk in self.pads.pids():
            self.pads.kill(desk)
        for child in self.children.values():
            child.kill()

    async def _start(self, name: str) -> None:
        child = self.children[name]
        await child.start()
        self._watching.append(asyncio.create_task(child.watch(self._report), name=name))

    def _make_children(self) -> None:
        passwords = self._secrets.passwords
        secrets = {
            "broker": {},
            "feed": {
                "ZRAZKOVO_FEED_BROKER_PASSWORD": passwords["feed"],
                "ZRAZKOVO_FEED_TICKET_SECRET": self._secrets.ticket_secret,
            },
            "collector": {"ZRAZKOVO_COLLECTOR_BROKER_PASSWORD": passwords["collector"]},
            "fleet": {"ZRAZKOVO_FLEET_BROKER_PASSWORD": passwords["it"]},
            "api": {"ZRAZKOVO_API_BENCH_TOKEN": self._bench_token},
        }
        for name, command in _COMMANDS.items():
            arguments = [*command, "--config", self.place.config_of(name)]
            log_file = self.place.logs / f"{name}.log"
            self.children[name] = Child(name, arguments, environ=secrets[name], log_file=log_file)
