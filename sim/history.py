"""Lays down past days through the collector's own join and store: what sim/year.py invents, told as the wire tells it.

It writes no row itself: every figure it leaves behind came through ``Store.ingest``, as a feed's and a pad's messages.

Rules of the file
1.  One day is one ingest, hence one transaction: an interrupted run leaves whole days.
2.  A feed's journal and a pad's journal are born with the run that lays down; the feed's numbers begin at the Unix
    time of its first day (protocol/__init__.py), so those of a later run are always higher.
3.  Payloads are written by templates, for speed; tests hold them against protocol.codec.
"""

import gc
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import blake2b
from zoneinfo import ZoneInfo

from collector.feed.steps import call_id
from collector.store import Arrival, Store
from protocol import topics
from protocol.words import CLOSE_REASONS
from schemas.periods import Period, day_date
from sim.city import TIMEZONE, City
from sim.gaming import Gamer, gamed
from sim.rare import RareService, with_rare
from sim.year import PastCall, calls_of_day

# Clients; transfers and returns make about three calls of a hundred more.
CALLS_A_YEAR = 300_000
YEAR = timedelta(days=365)
_RESTART_DAYS = 23  # a pad is restarted about as often
# A day is thousands of values that all live until its end and form no cycles; looking for some cost a seventh.
_RARELY = (50_000, 20, 50)

_EVENT = (
    '{"v": 1, "event": "%s", "journal": "%s", "seq": %d, "type": "%s", "occurred_unix_ms": %d, "call": "%s", '
    '"called_unix_ms": %d, "desk": "%s", "operator": "%s", "service": "%s", "ticket": "%s", "reason": %s}'
)
_VOTE = '{"v": 1, "call": "%s", "rating": %d, "after_ms": %d, "journal": "%s", "boot": %d, "seq": %d}'
_CLOSING = {reason: f'"{reason}"' for reason in CLOSE_REASONS}


class Telling:
    """Turns a day's calls into arrivals in order of time, numbering them as one feed a branch and one pad a desk."""

    def __init__(self, city: City, *, first_day: date, seed: int):
        born = f"{seed}/{first_day.isoformat()}/"
        begins = int(datetime(first_day.year, first_day.month, first_day.day, tzinfo=ZoneInfo(TIMEZONE)).timestamp())
        self._first_day = first_day
        self._queues = {
            branch.id: _Writer(topics.queue(branch.id, "event"), _journal(born + branch.id), begins)
            for branch in city.branches
        }
        self._pads = {
            desk.id: _Writer(topics.desk(desk.id, "vote"), _journal(born + desk.id), 1) for desk in city.desks
        }

    def arrivals(self, day: date, calls: list[PastCall]) -> list[Arrival]:
        """What the collector would have received of ``calls``; to be called day by day, in order."""
        boot = 1 + (day - self._first_day).days // _RESTART_DAYS
        happened: list[tuple[int, int, str, str, PastCall]] = []
        for call in calls:
            name = call_id(call.branch, call.desk, call.ticket, call.called_ms)
            happened.append((call.called_ms, 1, name, "called", call))
            if call.rating:
                happened.append((call.pressed_ms, 2, name, "vote", call))
            # The feed closes the open call before it opens the next one of the same moment.
            happened.append((call.ended_ms, 0, name, call.outcome, call))
        happened.sort(key=lambda each: each[:3])
        return [
            self._vote(name, call, at_ms, boot) if what == "vote" else self._event(name, call, at_ms, what)
            for at_ms, _, name, what, call in happened
        ]

    def _event(self, name: str, call: PastCall, at_ms: int, what: str) -> Arrival:
        queue = self._queues[call.branch]
        reason = _CLOSING.get(what, "null")
        kind = what if reason == "null" else "closed"
        payload = _EVENT % (
            f"{kind}:{name}", queue.journal, queue.seq, kind, at_ms, name,
            call.called_ms, call.desk, call.operator, call.service, call.ticket, reason,
        )  # fmt: skip
        queue.seq += 1
        return Arrival(queue.topic, payload.encode(), at_ms + 40)

    def _vote(self, name: str, call: PastCall, at_ms: int, boot: int) -> Arrival:
        pad = self._pads[call.desk]
        # The pad counts from arming, which is a moment after the call.
        payload = _VOTE % (name, call.rating, at_ms - call.called_ms - 150, pad.journal, boot, pad.seq)
        pad.seq += 1
        return Arrival(pad.topic, payload.encode(), at_ms + 90)


@dataclass(slots=True)
class _Writer:
    topic: str
    journal: str
    seq: int


def lay_down(
    store_url: str,
    city: City,
    *,
    first_day: date,
    last_day: date,
    seed: int,
    calls: int = CALLS_A_YEAR,
    gamers: Mapping[str, Gamer] | None = None,
    rare: RareService | None = None,
    progress: Callable[[float, str], None] = lambda fraction, text: None,
) -> int:
    """Ingests the history of ``first_day`` to ``last_day``, both included; returns how many calls that were.

    The register must already be loaded. Days laid down before are not noticed: see ``next_day``.

    Args:
        calls: how many clients a whole year would bring.
        gamers: operators who help their figures along, by id (sim/gaming.py).
        rare: a service that hardly anybody asks for (sim/rare.py).
        progress: told after every day the fraction done, 0..1, and the day.
    """
    store = Store.open(store_url)
    thresholds = gc.get_threshold()
    gc.set_threshold(*_RARELY)
    try:
        began = _first_day_known(store) or first_day
        telling = Telling(city, first_day=first_day, seed=seed)
        days, told = (last_day - first_day).days + 1, 0
        for number in range(days):
            day = first_day + timedelta(days=number)
            drift = (day - began) / YEAR
            asked = with_rare(calls_of_day(city, day, seed=seed, calls=calls, progress=drift), rare)
            happened = gamed(asked, gamers or {}, seed=seed)
            if happened:
                store.ingest(telling.arrivals(day, happened))
            told += len(happened)
            progress((number + 1) / days, day.isoformat())
        return told
    finally:
        gc.set_threshold(*thresholds)
        store.close()


def next_day(store_url: str) -> date | None:
    """The first day after the last one that has any call, or None when there is no call at all."""
    store = Store.open(store_url)
    try:
        days = [row.day for row in store.rollups("branch", 19700101, 99991231, period=Period.MONTH)]
        if not days:
            return None
        month = max(days) * 100
        return day_date(max(row.day for row in store.rollups("branch", month + 1, month + 31))) + timedelta(days=1)
    finally:
        store.close()


def _first_day_known(store: Store) -> date | None:
    months = [row.day for row in store.rollups("branch", 19700101, 99991231, period=Period.MONTH)]
    if not months:
        return None
    month = min(months) * 100
    return day_date(min(row.day for row in store.rollups("branch", month + 1, month + 31)))


def _journal(name: str) -> str:
    return blake2b(name.encode(), digest_size=4).hexdigest()
