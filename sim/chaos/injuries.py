"""How each injury is inflicted, and healed. When, and to whom, is the schedule's.

An injury's coroutine returns when it is over: what comes after is recovery. Injuries may overlap; none fails because
its victim is down already.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from random import Random

import psycopg

from sim.chaos.centre import Centre
from sim.chaos.database import PostgreSql, Unable
from sim.chaos.schedule import Injury
from sim.errors import ChildFailed
from sim.oracle import Oracle

DELAY_S = 0.25  # each way, on a slow line
_KILLS = 3  # in a storm
_COMMIT_WITHIN_S = 3.0
_COMMIT_LASTS_S = 0.004
_REPEATED = 200  # messages that are said again
_TRY_EVERY_S = 0.3
_HOURS = (-12, -3, -1, 1, 2, 3, 5, 12)
_CLOCK_READ_S = 2.5  # libfaketime reads the offset once a second, the feed ticks once a second
_TRY_WITHIN_S = 60.0


class Surgeon:
    """Inflicts what the schedule says on one centre."""

    def __init__(self, centre: Centre, oracle: Oracle, report: Callable[[str], None]):
        self._centre = centre
        self._oracle = oracle
        self._report = report
        self._alone = asyncio.Lock()  # with the database
        self._voted: set[tuple[str, int]] = set()
        self._how: dict[str, Callable[[Injury], Awaitable[None]]] = {
            "kill": self._kill,
            "kill_broker": self._kill,
            "kill_commit": self._kill_commit,
            "kill_pad": self._kill_pad,
            "replace_pad": self._replace_pad,
            "kill_database": self._kill,
            "kill_backend": self._kill_backend,
            "freeze": self._freeze,
            "restart": self._restart,
            "wipe": self._wipe,
            "cut": self._cut,
            "hold": self._hold,
            "swallow": self._swallow,
            "delay": self._delay,
            "repeat": self._repeat,
            "disconnect": self._disconnect,
            "lock": self._lock,
            "full": self._full,
            "read_only": self._read_only,
            "restore": self._restore,
            "clock": self._clock,
        }

    async def inflict(self, injury: Injury) -> None:
        await self._how[injury.kind](injury)

    # ---- processes
    async def _kill(self, injury: Injury) -> None:
        self._centre.kill(injury.target)

    async def _kill_commit(self, injury: Injury) -> None:
        """Kills a collector in the moments after the database began to write, again and again."""
        dice = Random(injury.dice)
        for _ in range(_KILLS):
            await asyncio.to_thread(self._await_commit, dice.uniform(0.0, _COMMIT_LASTS_S))
            self._centre.kill(injury.target)
            await asyncio.sleep(_TRY_EVERY_S)

    def _await_commit(self, then_s: float) -> None:
        before, deadline = self._centre.database.commits(), time.monotonic() + _COMMIT_WITHIN_S
        while self._centre.database.commits() == before and time.monotonic() < deadline:
            time.sleep(0.0005)
        time.sleep(then_s)

    async def _kill_pad(self, injury: Injury) -> None:
        self._oracle.power_cut(injury.target)
        self._centre.pads.kill(injury.target)
        await asyncio.sleep(injury.lasts_s)
        try:
            await self._centre.pads.restart(injury.target)
        except ChildFailed as error:
            self._report(str(error))

    async def _replace_pad(self, injury: Injury) -> None:
        """Another pad takes the desk: with the old one's journal (``replace``), or without (``replace --dead``)."""
        self._oracle.power_cut(injury.target)
        self._centre.pads.kill(injury.target)
        while injury.target in self._centre.pads.pids():
            await asyncio.sleep(_TRY_EVERY_S)
        await asyncio.sleep(injury.lasts_s)
        if injury.dice % 2:
            self._centre.swap_flash(injury.target, carry=True)
        elif await self._tried(lambda: self._voted.update(self._centre.voted())):
            self._oracle.flash_lost(injury.target, self._voted)
            self._centre.swap_flash(injury.target, carry=False)
        try:
            await self._centre.pads.restart(injury.target)
        except ChildFailed as error:
            self._report(str(error))

    async def _freeze(self, injury: Injury) -> None:
        self._centre.freeze(injury.target)
        try:
            await asyncio.sleep(injury.lasts_s)
        finally:
            self._centre.thaw(injury.target)

    async def _restart(self, injury: Injury) -> None:
        """In good order, as an administrator does it."""
        async with self._held_down(injury.target):
            self._centre.ask_to_stop(injury.target)
            await self._centre.children[injury.target].ended()
            await asyncio.sleep(injury.lasts_s)

    async def _wipe(self, injury: Injury) -> None:
        """The broker comes back with empty hands: no session, no queued message, no retained call or ack."""
        async with self._held_down("broker"):
            self._centre.kill("broker")
            await self._centre.children["broker"].ended()
            self._centre.broker.wipe()
            await asyncio.sleep(injury.lasts_s)

    async def _clock(self, injury: Injury) -> None:
        """The clock of one process is hours wrong for a while; the feed's only ahead (see sim/chaos/__init__.py)."""
        hours = Random(injury.dice).choice(_HOURS)
        is_feed = injury.target == "feed"
        if is_feed:
            self._oracle.feed_clock_ahead(True)
        self._centre.clocks.set(injury.target, abs(hours) if is_feed else hours)
        await asyncio.sleep(injury.lasts_s)
        self._centre.clocks.set(injury.target, 0)
        if is_feed:
            await self._centre.feed_clock_right()
            await asyncio.sleep(_CLOCK_READ_S)
            self._oracle.feed_clock_ahead(False)

    # ---- lines
    async def _cut(self, injury: Injury) -> None:
        line = self._centre.lines[injury.target]
        line.accepts = False
        line.cut(reset=bool(injury.dice % 2))
        await asyncio.sleep(injury.lasts_s)
        line.accepts = True

    async def _hold(self, injury: Injury) -> None:
        """Nothing arrives for a while, and then everything at once, also from connections long given up."""
        self._centre.lines[injury.target].hold_back()
        await asyncio.sleep(injury.lasts_s)
        self._centre.lines[injury.target].let_go()

    async def _swallow(self, injury: Injury) -> None:
        """The connections of this while are half open, and stay so until somebody notices."""
        self._centre.lines[injury.target].swallow()
        await asyncio.sleep(injury.lasts_s)
        self._centre.lines[injury.target].heal()

    async def _delay(self, injury: Injury) -> None:
        self._centre.lines[injury.target].delay_s = DELAY_S
        await asyncio.sleep(injury.lasts_s)
        self._centre.lines[injury.target].delay_s = 0.0

    async def _repeat(self, injury: Injury) -> None:
        """What was said today is said again, some of it twice, in another order."""
        dice = Random(injury.dice)
        said = list(self._centre.careful.said)
        for topic, payload in dice.choices(said, k=min(_REPEATED, 2 * len(said))) if said else ():
            self._centre.observer.say(topic, payload)

    # ---- the database and its disk
    async def _disconnect(self, injury: Injury) -> None:
        await self._postgresql.terminate()

    async def _kill_backend(self, injury: Injury) -> None:
        await self._postgresql.kill_backend(injury.dice)

    async def _lock(self, injury: Injury) -> None:
        await self._centre.database.lock(injury.lasts_s)

    async def _full(self, injury: Injury) -> None:
        room = self._centre.feed_room if injury.target == "feed" else self._centre.database.room
        await asyncio.to_thread(room.fill)
        await asyncio.sleep(injury.lasts_s)
        room.clear()

    async def _read_only(self, injury: Injury) -> None:
        if isinstance(self._centre.database, PostgreSql):
            await self._switch_read_only(on=True)
            await asyncio.sleep(injury.lasts_s)
            while not await self._switch_read_only(on=False):
                await asyncio.sleep(_TRY_EVERY_S)
            return
        room = self._centre.database.room
        async with self._database_to_ourselves():  # whoever has the file open for writing could go on
            if not await asyncio.to_thread(room.set_writable, False):
                self._report("somebody else had the database open: it could not be made read-only")
        await asyncio.sleep(injury.lasts_s)
        await asyncio.to_thread(room.set_writable, True)

    async def _restore(self, injury: Injury) -> None:
        """The database is put back from a backup of a while ago, and the spools are taken in again."""
        file = self._centre.place.root / f"{injury.dice}.backup"
        if not await self._tried(lambda: self._centre.administer("backup", file)):
            return
        await asyncio.sleep(injury.lasts_s)
        async with self._database_to_ourselves():
            if await self._tried(lambda: self._centre.administer("restore", file, "--force")):
                await self._tried(lambda: self._centre.administer("replay", self._centre.spools))
                await self._tried(self._centre.forget_older)

    async def _tried(self, work: Callable[[], None]) -> bool:
        """Does ``work`` as soon as it can be done; False if that is not soon."""
        deadline = time.monotonic() + _TRY_WITHIN_S
        while True:
            try:
                await asyncio.to_thread(work)
                return True
            except Unable as error:
                if time.monotonic() > deadline:
                    self._report(f"given up: {error}")
                    return False
            await asyncio.sleep(_TRY_EVERY_S)

    @contextlib.asynccontextmanager
    async def _database_to_ourselves(self) -> AsyncIterator[None]:
        """Inside, nobody has the database open."""
        children = self._centre.children
        users = [name for name in children if name.startswith("collector") or name in ("fleet", "api")]
        async with self._alone, contextlib.AsyncExitStack() as held:
            for name in users:
                await held.enter_async_context(self._held_down(name))
                self._centre.kill(name)
            for name in users:
                await children[name].ended()
            yield

    async def _switch_read_only(self, *, on: bool) -> bool:
        try:
            await self._postgresql.set_read_only(on)
        except psycopg.Error:
            return False
        return True

    @property
    def _postgresql(self) -> PostgreSql:
        assert isinstance(self._centre.database, PostgreSql)
        return self._centre.database

    @contextlib.asynccontextmanager
    async def _held_down(self, name: str) -> AsyncIterator[None]:
        with self._centre.children[name].held_down():
            yield
