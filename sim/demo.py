"""``make run``: a whole service centre at work on this machine until Ctrl-C, on data that stay from run to run.

claim the folder -> secrets, register -> firmware -> history -> token -> processes and pads -> a day without end
"""

import asyncio
import contextlib
import logging
import os
import secrets
import time
from dataclasses import dataclass
from pathlib import Path

from collector.errors import CollectorError
from collector.register import read_register
from collector.store import Store, StoreError
from sim import accounts, asked, past, published
from sim.city import CITY, City, Desk, with_fewer_desks
from sim.day import DEMO_SPEED, Day
from sim.errors import NoInterpreter, SettingsError, SimError
from sim.interpreter import Firmware, compile_firmware
from sim.place import Place, Ports
from sim.ports import choose
from sim.screen import Screen
from sim.stack import Stack
from sim.supervisor import supervise

log = logging.getLogger(__name__)

DATA = Path("var/demo")
WANTED = Ports(broker=1883, feed=8085, api=8080)
TOKEN = "demo"
SCOPES = [
    "figures",
    "operators",
    "devices",
    "metrics",
    "try",
    "control",
    "report",
    "register",
    "reports",
    "publish",
    "disclose",
    "signals",
    "access_log",
    "users",
    "evidence",
]
YEAR_DAYS, FAST_DAYS = 396, 35  # thirteen months: each has the same one of last year beside it
_FAREWELL_S = 3.0  # for the people of the day to finish


@dataclass(frozen=True, slots=True)
class Options:
    """``seed``: of the living day; None for another one each time. ``speed``: seconds of the city in a real one.

    ``desks``: how many of the city's; None for all. ``any_ports``: do not even try the usual ones.
    """

    data: Path = DATA
    desks: int | None = None
    any_ports: bool = False
    seed: int | None = None
    speed: float = DEMO_SPEED
    has_history: bool = True
    is_fast: bool = False


def run(options: Options) -> int:
    """The demonstration until it is asked to stop; returns the exit code. Raises SimError."""
    demo = Demo(options, Screen())
    try:
        return supervise(demo.run(), at_once=demo.kill)
    except (CollectorError, OSError) as error:
        raise SimError(str(error)) from error


class Demo:
    """One run of the demonstration; ``run`` returns when it is cancelled.

    ``ready`` is set when everything serves; then ``stack`` is what runs, ``token`` opens its pages, and ``password`` is
    that of each account of accounts.LOGINS.
    """

    def __init__(self, options: Options, screen: Screen):
        self._options = options
        self._screen = screen
        self._place = Place(options.data)
        self._city = _city(options.desks)
        self.ready = asyncio.Event()
        self.stack: Stack | None = None
        self.token = ""
        self.password = ""
        self._day: asyncio.Task[None] | None = None
        self._over = asyncio.Event()

    async def run(self) -> None:
        """Raises SimError, CollectorError or OSError when it cannot start, CancelledError when it is asked to stop."""
        try:
            await self._start()
            await asyncio.Event().wait()
        finally:
            await self._stop()

    def kill(self) -> None:
        if self.stack is not None:
            self.stack.kill()

    async def _start(self) -> None:
        place, say = self._place, self._screen.say
        place.claim()
        say(f"preparing {place.root}")
        kept = place.prepare(self._city)
        _log_to(place.logs / "sim.log")
        firmware = await self._firmware()
        await asyncio.to_thread(_load_register, place)
        if self._options.has_history:
            await self._lay_down_history()
        await asyncio.to_thread(_lay_down_requests, place)
        await asyncio.to_thread(_publish_past_months, place)
        self.token = await asyncio.to_thread(_fresh_token, place)
        self.password = await asyncio.to_thread(_open_accounts, place)
        reserved = [self._city.desks[0]]
        self.stack = Stack(
            place, self._city, ports=self._free_ports(), secrets=kept, firmware=firmware, reserved=reserved, report=say
        )
        await self.stack.start()
        self._day = asyncio.create_task(self._live(self.stack, reserved), name="day")
        self._tell(self.stack, reserved[0])
        self.ready.set()

    async def _stop(self) -> None:
        if self.stack is None:
            return
        self._screen.say("stopping; Ctrl-C once more ends everything at once")
        if self._day is not None:
            self._over.set()
            await asyncio.wait([self._day], timeout=_FAREWELL_S)
            self._day.cancel()
            await asyncio.gather(self._day, return_exceptions=True)
        await self.stack.stop()
        self._screen.say(f"stopped; the data stay in {self._place.root}")

    async def _firmware(self) -> Firmware | None:
        try:
            return await asyncio.to_thread(compile_firmware, self._place.firmware, os.environ)
        except NoInterpreter as error:
            self._screen.say(f"no MicroPython, so this demonstration runs with no pads: {error}")
            return None

    async def _lay_down_history(self) -> None:
        days = FAST_DAYS if self._options.is_fast else YEAR_DAYS
        missing = await asyncio.to_thread(past.missing_days, self._place, days)
        if missing is None:
            return
        with self._screen.progress("laying down past days") as told:
            await past.lay_down(self._place, *missing, told, desks=len(self._city.desks))

    async def _live(self, stack: Stack, reserved: list[Desk]) -> None:
        """Day after day; should one break, the next begins, as the offices of a demonstration never close."""
        given = self._options.seed
        while not self._over.is_set():
            day = Day(
                self._city,
                stack.webhook,
                stack.pads,
                seed=secrets.randbits(32) if given is None else given,
                speed=self._options.speed,
                reserved=[desk.id for desk in reserved],
            )
            try:
                await day.run(self._over)
            except Exception:
                log.exception("the simulated day broke")
                self._screen.say(f"the simulated day broke (see {self._place.logs / 'sim.log'}); another begins")
                await asyncio.sleep(1)

    def _free_ports(self) -> Ports:
        chosen = {}
        for name in ("broker", "feed", "api"):
            wanted = 0 if self._options.any_ports else getattr(WANTED, name)
            chosen[name] = choose(wanted)
            if wanted and chosen[name] != wanted:
                self._screen.say(f"port {wanted} is taken: the {name} listens on {chosen[name]} instead")
        return Ports(**chosen)

    def _tell(self, stack: Stack, desk: Desk) -> None:
        branch = next(branch for branch in self._city.branches if branch.id == desk.branch)
        self._screen.panel(
            f"{stack.address}/#token={self.token}",
            [
                f"Everything here is simulated: {CITY.name}.",
                "",
                "Overview   this month against last month and last year: what changed beyond noise",
                "Live       every desk of every branch as a small pad, moving as it happens",
                "Figures    the three shares by month and by branch, with intervals and response rates",
                "Reports    of last month, made by themselves: PDF, XLSX, CSV; Evidence: for CAF and certification",
                "Devices    how every pad is, and what IT asks of it; “No lights?” is the operator's report",
                f"Try a pad  {branch.name}, desk {desk.label}: call a client, press, see the vote arrive",
                "",
                f"People     sign in as {', '.join(accounts.LOGINS.values())}; each sees what the role may",
                f"password   {self.password}   (of all of them, until the next start)",
                f"token      {self.token}",
                f"data, logs {self._place.root}",
                "Ctrl-C stops everything.",
            ],
        )


def _city(desks: int | None) -> City:
    try:
        return CITY if desks is None else with_fewer_desks(CITY, desks)
    except ValueError as error:
        raise SettingsError(f"--desks: {error}") from None


def _load_register(place: Place) -> None:
    with Store.open(place.database_url) as store:
        store.load_register(read_register(place.register))


def _lay_down_requests(place: Place) -> None:
    with Store.open(place.database_url) as store:
        asked.lay_down(store, time.time_ns() // 1_000_000)


def _open_accounts(place: Place) -> str:
    with Store.open(place.database_url) as store:
        return accounts.open_accounts(store)


def _publish_past_months(place: Place) -> None:
    with Store.open(place.database_url) as store:
        published.lay_down(store, time.time_ns() // 1_000_000)


def _fresh_token(place: Place) -> str:
    """A token for this run only: the one of the run before opens nothing any more."""
    with Store.open(place.database_url) as store:
        with contextlib.suppress(StoreError):  # the first run has none to revoke
            store.revoke_token(TOKEN)
        return store.create_token(TOKEN, SCOPES)


def _log_to(file: Path) -> None:
    """What this process logs goes into a file: the terminal is for people."""
    handler = logging.FileHandler(file, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.getLogger().handlers[:] = [handler]
