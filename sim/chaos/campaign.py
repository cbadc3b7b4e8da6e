"""``make chaos``: one campaign from beginning to verdict. Exit code 1 when the database differs from what was.

start everything -> live the day while injuries come as scheduled -> heal -> wait until all is joined -> compare
"""

import asyncio
import contextlib
import os
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from collector.errors import StoreError
from collector.store import Store
from sim.chaos import report
from sim.chaos.centre import Centre
from sim.chaos.clocks import AFTER_S, find_library, start_of
from sim.chaos.injuries import Surgeon
from sim.chaos.recovery import Recovery, Wound
from sim.chaos.schedule import Injury, Options, plan
from sim.city import CITY, TIMEZONE, City, closing_far_from, with_fewer_desks
from sim.day import Day
from sim.errors import SettingsError
from sim.headless import kept_or_temporary
from sim.ledger import Ledger, Unreadable
from sim.oracle import Difference, Oracle, compare
from sim.screen import Screen
from sim.supervisor import supervise

# Writers repeat themselves after pauses that grow to a minute (collector/feed/publisher.py), so silence is no loss yet.
JOINED_S = 180.0
_LOOK_EVERY_S = 1.0
_CLOCKS_SET_S = 2.5  # libfaketime looks at its file when more than a whole second has passed


@dataclass(slots=True)
class Outcome:
    """What a campaign found. ``joined_s``: how long after the desks closed the database agreed, or was given up."""

    oracle: Oracle
    wounds: list[Wound]
    differences: list[Difference]
    joined_s: float
    lasted_s: float


def run(options: Options, keep: Path | None, schedule_only: bool) -> int:
    """Lives through a campaign and returns the exit code. Raises SimError when the centre does not start."""
    city, screen = city_of(options), Screen()
    try:
        injuries = plan(options, tuple(desk.id for desk in city.desks))
    except ValueError as error:
        raise SettingsError(str(error)) from None
    report.schedule(options, injuries)
    if schedule_only:
        return 0
    outcomes: list[Outcome] = []

    async def work() -> None:
        with kept_or_temporary(keep, "zrazkovo-chaos-") as folder:
            outcomes.append(await live(options, city, injuries, folder, screen))

    supervise(work(), at_once=lambda: None)
    for outcome in outcomes:
        report.verdict(options, outcome.oracle, outcome.wounds, outcome.differences)
        screen.say(f"joined {outcome.joined_s:.1f} s after the desks closed; {outcome.lasted_s:.0f} s in all")
    return 0 if outcomes and not outcomes[0].differences else 1


def able(options: Options) -> Options:
    """The options with what this machine can inflict."""
    return replace(options, has_disks=os.geteuid() == 0, has_clocks=find_library() is not None)


def city_of(options: Options) -> City:
    """The centre; the day of its first branch ends soon after the desks have opened, that of the others far from it."""
    opens = start_of(options.moment, TIMEZONE, datetime.now(UTC))
    city = closing_far_from(opens, with_fewer_desks(CITY, options.desks))
    ends = (opens + timedelta(seconds=AFTER_S)).astimezone(ZoneInfo(TIMEZONE))
    first, *others = city.branches
    return replace(city, branches=(replace(first, day_ends=f"{ends:%H:%M}"), *others))


async def live(
    options: Options,
    city: City,
    injuries: tuple[Injury, ...],
    folder: Path,
    screen: Screen,
    *,
    joined_within_s: float = JOINED_S,
    collector: str = "collector",
) -> Outcome:
    """Starts everything in ``folder``, lives, injures, compares, stops everything.

    Args:
        joined_within_s: how long after the desks have closed something may still be on its way.
        collector: the module that is run as the collector.
    """
    begun = time.monotonic()
    centre = Centre(folder, city, options, screen.say, collector=collector)
    oracle = Oracle(injured=True, day_ends={branch.id: branch.day_ends for branch in city.branches})
    try:
        await centre.start()
        centre.pads.subscribe(oracle.lamps_changed)
        centre.clocks.start_at(start_of(options.moment, TIMEZONE, datetime.now(UTC)))
        await asyncio.sleep(_CLOCKS_SET_S)
        await centre.feed_clock_right()  # or what it hears would lie ahead, and be dated on arrival
        recovery = Recovery(oracle, centre.database.url)
        surgeon = Surgeon(centre, oracle, screen.say)
        day = Day(
            city,
            centre.careful,
            centre.careful,
            seed=options.seed,
            speed=options.speed,
            witness=oracle,
            clock=centre.clocks.now_unix_ms,
        )
        await _injured_day(day, options, injuries, surgeon, recovery, screen)
        screen.say(
            f"the desks are closed: {len(oracle.calls)} calls, {oracle.votes} votes; waiting until all is joined"
        )
        joined_s, differences = await _settled(oracle, centre, joined_within_s)
    finally:
        await centre.stop()
    return Outcome(oracle, recovery.wounds, differences, joined_s, time.monotonic() - begun)


async def _injured_day(
    day: Day,
    options: Options,
    injuries: tuple[Injury, ...],
    surgeon: Surgeon,
    recovery: Recovery,
    screen: Screen,
) -> None:
    over = asyncio.Event()
    watching = asyncio.create_task(recovery.watch(), name="recovery")
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(day.run(over), name="day")
            for injury in injuries:
                tasks.create_task(_inflict(injury, surgeon, recovery, screen), name=injury.kind)
            await asyncio.sleep(60 * options.minutes)
            over.set()
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def _inflict(injury: Injury, surgeon: Surgeon, recovery: Recovery, screen: Screen) -> None:
    await asyncio.sleep(max(0.0, injury.at_s - recovery.now_s()))
    wound = Wound(injury, recovery.now_s())
    recovery.wounds.append(wound)
    screen.say(f"{wound.began_s:6.1f} s  {injury.kind} {injury.target} {injury.lasts_s or ''}")
    await surgeon.inflict(injury)
    wound.ended_s = recovery.now_s()


async def _settled(oracle: Oracle, centre: Centre, within_s: float) -> tuple[float, list[Difference]]:
    """Waits until the database is as it must be; (seconds, what still differs when patience ends)."""
    begun = time.monotonic()
    found = [Difference("lost", "the database could not be read")]
    # What lamps have shown does not heal; what is not in the database may be on its way.
    while any(each.kind != "broken" for each in found) and time.monotonic() < begun + within_s:
        oracle.expire(centre.clocks.now_unix_ms())
        with contextlib.suppress(Unreadable, StoreError):
            found = await asyncio.to_thread(_compared, oracle, centre.database.url)
        if any(each.kind != "broken" for each in found):
            await asyncio.sleep(_LOOK_EVERY_S)
    return time.monotonic() - begun, found


def _compared(oracle: Oracle, database_url: str) -> list[Difference]:
    with Ledger(database_url) as ledger:
        found = compare(oracle, ledger)
    with Store.open(database_url) as store:  # the product's own recount must agree, too
        return found + [Difference("wrong", f"recount: {text}") for text in store.recount()]
