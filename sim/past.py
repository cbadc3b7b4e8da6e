"""Which days of history a demonstration lacks, and laying them down in a process of its own. It invents nothing.

The process (``python -m sim history``) tells its progress in lines ``<fraction> <day>`` on stdout; it can be stopped at
any moment: a day is one transaction, and the next run goes on after the last whole one.
"""

import asyncio
import signal
import sys
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sim import history
from sim.children import ROOT, inherited_environ
from sim.city import CITY, TIMEZONE, with_fewer_desks
from sim.errors import ChildFailed
from sim.gaming import Gamer
from sim.place import Place
from sim.rare import SIGNS
from sim.screen import Told

SEED = 2026
# So that the Signals page of the demonstration has something to show. Nobody of a real office is meant.
GAMERS = {
    "op-07": Gamer("presses_at_the_end", 0.12),
    "op-18": Gamer("covers_the_pad", 0.7),
    "op-26": Gamer("calls_ghosts_in_a_row", 0.25),
}
_LAST_LINES = 5


def missing_days(place: Place, days: int) -> tuple[date, date] | None:
    """The first and the last day to lay down so that the history reaches to yesterday, or None.

    Args:
        days: how long a history is that begins now.
    """
    yesterday = datetime.now(ZoneInfo(TIMEZONE)).date() - timedelta(days=1)
    begins = place.history_begins
    first = yesterday - timedelta(days=days - 1) if begins is None else history.next_day(place.database_url) or begins
    return (first, yesterday) if first <= yesterday else None


async def lay_down(place: Place, first: date, last: date, told: Told, *, desks: int) -> None:
    """Runs the process and passes its progress on. Raises ChildFailed; a cancelled call stops the process."""
    place.history_begins = place.history_begins or first
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sim.tether", "sim", "history", "--data", str(place.root)),
        *("--first", first.isoformat(), "--last", last.isoformat(), "--desks", str(desks)),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=inherited_environ(),
        start_new_session=True,
    )
    assert process.stdout
    others: list[str] = []
    try:
        async for line in process.stdout:
            word, _, day = line.decode(errors="replace").strip().partition(" ")
            try:
                told(float(word), day)
            except ValueError:
                others.append(f"\n    {word} {day}")
        if await process.wait():
            raise ChildFailed("the history could not be laid down" + "".join(others[-_LAST_LINES:]))
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
            await process.wait()


def run(place: Place, first: date, last: date, *, desks: int) -> None:
    """What the process does: lays down both days and all between them, and says how far it is."""
    history.lay_down(
        place.database_url,
        with_fewer_desks(CITY, desks),
        first_day=first,
        last_day=last,
        seed=SEED,
        calls=history.CALLS_A_YEAR * desks // len(CITY.desks),
        gamers=GAMERS,
        rare=SIGNS,
        progress=lambda fraction, day: print(f"{fraction:.4f} {day}", flush=True),
    )
