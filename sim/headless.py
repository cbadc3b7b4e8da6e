"""``make sim``: one bounded day in a whole service centre without a browser, after which every press is accounted for.

Real broker, feed, collector, api and pads (sim/stack.py); invented people (sim/day.py); then the database is compared
row by row with what the people know (sim/oracle.py). Exit code 1 when anything differs.
"""

import asyncio
import contextlib
import os
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sim.city import CITY, City, closing_far_from, with_fewer_desks
from sim.day import Day
from sim.errors import ChildFailed, SettingsError
from sim.interpreter import compile_firmware
from sim.ledger import Ledger
from sim.oracle import Difference, Oracle, compare
from sim.place import Place, Ports
from sim.ports import choose_lasting
from sim.screen import Screen, Told
from sim.stack import Stack
from sim.supervisor import supervise
from sim.verdict import show

_CONNECTED_S = 60.0
_JOINED_S = 60.0
_LOOK_EVERY_S = 0.1


@dataclass(frozen=True, slots=True)
class Options:
    """``speed``: seconds of the city in a real one. ``data``: an empty folder to keep, or None for one that goes."""

    seed: int = 7
    minutes: float = 1.0
    speed: float = 60.0
    desks: int = len(CITY.desks)
    data: Path | None = None


@dataclass(slots=True)
class Outcome:
    """What a run found: ``joined_s`` is how long after the desks closed everything was in the database."""

    oracle: Oracle
    differences: list[Difference]
    rollups: dict[tuple[str, str, str, int], tuple[int, ...]]
    joined_s: float


def run(options: Options) -> int:
    """Lives a day, says what it found, and returns the exit code. Raises SimError when the centre does not start."""
    outcomes: list[Outcome] = []
    city, screen = _city(options), Screen()

    async def work() -> None:
        with kept_or_temporary(options.data, "zrazkovo-day-") as folder:
            outcomes.append(await live(options, city, folder, screen))

    supervise(work(), at_once=lambda: None)
    for outcome in outcomes:
        show(city, outcome.oracle, outcome.differences, outcome.rollups)
        screen.say(f"everything was joined {outcome.joined_s:.1f} s after the desks were closed")
    return 0 if outcomes and not outcomes[0].differences else 1


async def live(options: Options, city: City, folder: Path, screen: Screen) -> Outcome:
    """Starts everything in ``folder``, lives the day, compares, stops everything."""
    oracle = Oracle()
    async with _running(city, folder, screen) as stack:
        stack.pads.subscribe(oracle.lamps_changed)
        await _connected(stack)
        day = Day(city, stack.webhook, stack.pads, seed=options.seed, speed=options.speed, witness=oracle)
        with screen.progress(f"{len(city.desks)} desks at work") as told:
            await _day(day, 60 * options.minutes, oracle, told)
        screen.say("the desks are closed; waiting until everything is joined")
        ledger = Ledger(folder / "zrazkovo.db")
        with contextlib.closing(ledger):
            joined_s = await _joined(oracle, ledger, stack)
            return Outcome(oracle, compare(oracle, ledger), ledger.rollups(), joined_s)


@contextlib.asynccontextmanager
async def _running(city: City, folder: Path, screen: Screen) -> AsyncIterator[Stack]:
    place = Place(folder)
    place.claim()
    secrets = place.prepare(city)
    firmware = compile_firmware(place.firmware, os.environ)
    ports = Ports(broker=choose_lasting(), feed=choose_lasting(), api=choose_lasting())
    stack = Stack(place, city, ports=ports, secrets=secrets, firmware=firmware, report=screen.say)
    try:
        await stack.start()
        yield stack
    finally:
        await stack.stop()


async def _day(day: Day, seconds: float, oracle: Oracle, told: Told) -> None:
    over = asyncio.Event()
    living = asyncio.create_task(day.run(over))
    begun = time.monotonic()
    while not living.done():
        passed = time.monotonic() - begun
        if passed >= seconds:
            over.set()
        told(min(passed / seconds, 1.0), f"{len(oracle.calls)} calls, {len(oracle.presses)} presses")
        await asyncio.wait([living], timeout=0.5)
    await living


async def _connected(stack: Stack) -> None:
    """Raises ChildFailed when a pad does not find its broker in time."""
    deadline = time.monotonic() + _CONNECTED_S
    while missing := [desk.id for desk in stack.city.desks if not stack.pads.connected(desk.id)]:
        if time.monotonic() > deadline:
            raise ChildFailed(f"the pads of {', '.join(missing)} do not find their broker (logs: {stack.place.logs})")
        await asyncio.sleep(_LOOK_EVERY_S)


async def _joined(oracle: Oracle, ledger: Ledger, stack: Stack) -> float:
    """Waits until the database has as many calls, endings and votes as there were; returns the seconds it took."""
    begun = time.monotonic()
    await asyncio.wait_for(stack.webhook.delivered_all(), _JOINED_S)
    wanted = (len(oracle.calls), sum(call.outcome is not None for call in oracle.calls), oracle.votes)
    while ledger.counts() != wanted and time.monotonic() < begun + _JOINED_S:
        await asyncio.sleep(_LOOK_EVERY_S)
    return time.monotonic() - begun


@contextlib.contextmanager
def kept_or_temporary(data: Path | None, prefix: str) -> Iterator[Path]:
    """``data``, which must be empty, or a folder that goes again. Raises SettingsError."""
    if data is None:
        with tempfile.TemporaryDirectory(prefix=prefix) as name:
            yield Path(name)
        return
    if data.exists() and any(data.iterdir()):
        raise SettingsError(f"{data}: the folder is not empty, and a day must begin with nothing")
    yield data


def _city(options: Options) -> City:
    """The city with so many desks, and no call of it cut off midway by the end of the day."""
    try:
        return closing_far_from(datetime.now(UTC), with_fewer_desks(CITY, options.desks))
    except ValueError as error:
        raise SettingsError(f"--desks: {error}") from None
