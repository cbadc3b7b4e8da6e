"""A simulated centre in memory, month by month, for trying the integrity signals: honest, or with operators who game.

Calls become rows by the collector's own counting rules (collector.store.signals.served), without a broker or a
database: a test holds these rows against those that come out of a store. What pads count and how they fail is invented
here, with desks that differ as real ones do.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from math import exp
from random import Random

from api.integrity.month import WEEKS, Month, Weeks
from collector.model import CallRow, VoteRow
from collector.store import PadDay, Served
from collector.store.signals import served
from schemas.months import later
from schemas.periods import day_date, day_key
from sim.city import City
from sim.gaming import Gamer, gamed, gamed_by
from sim.year import PastCall, calls_of_day

_ARMED_MS = 150  # from the call until the pad counts
# How often a client presses again, a pad is pressed with nobody called, and trouble begins, on a day of a usual desk.
_AGAIN, _NOBODY, _TROUBLE = 0.06, 0.8, 0.012


class Centre:
    """``city`` with ``calls`` clients a year; days are made once and kept.

    Who games is a gaming.Gamer, of a way of gaming.WAYS, or ``presses_again`` or ``plays_with_the_pad``, which only
    counters show. ``progress`` is how far the year's drift has come (people.mood). ``weeks`` of the half year before a
    month are made; the rest of it is as if the centre had been shut.
    """

    def __init__(self, city: City, *, seed: int, calls: int, weeks: int = WEEKS, progress: float = 0.5):
        self._city, self._seed, self._calls, self._made_weeks = city, seed, calls, weeks
        self._progress = progress
        self._days: dict[int, list[PastCall]] = {}
        self._tallies: dict[int, dict[str, Weeks]] = {}

    def month(self, month: int, gamers: Mapping[str, Gamer] = {}) -> Month:
        """The month ``yyyymm`` as signals see it; who games has done so for the half year before it too."""
        first, last = day_date(month * 100 + 1), day_date(later(month) * 100 + 1) - timedelta(days=1)
        calls, rows = [], []
        for day in _days(first, last):
            played = self._played(day, gamers)
            calls += played
            rows += [_row(call, day) for call in played]
        begin = last - timedelta(weeks=WEEKS) + timedelta(days=1)
        return Month(
            rows,
            weeks=self._weeks(begin, last, gamers),
            pads=self._pads(rows, gamers),
            troubled=self._troubled(calls, rows),
        )

    def rows(self, day: date) -> list[Served]:
        """The calls of one honest day as signals see them."""
        return [_row(call, day) for call in self._honest(day)]

    def forget(self, before_month: int) -> None:
        """Lets go of the days before a month: a long history would fill the memory."""
        for day in [day for day in self._days if day < before_month * 100]:
            del self._days[day]
            self._tallies.pop(day, None)

    def _honest(self, day: date) -> list[PastCall]:
        key = day_key(day)
        if key not in self._days:
            self._days[key] = calls_of_day(self._city, day, seed=self._seed, calls=self._calls, progress=self._progress)
        return self._days[key]

    def _played(self, day: date, gamers: Mapping[str, Gamer]) -> list[PastCall]:
        return gamed(self._honest(day), gamers, seed=self._seed)

    def _weeks(self, begin: date, last: date, gamers: Mapping[str, Gamer]) -> dict[str, list[Weeks | None]]:
        sums: dict[str, list[list[int]]] = defaultdict(lambda: [[0, 0, 0] for _ in range(WEEKS)])
        for day in _days(max(begin, last - timedelta(weeks=self._made_weeks) + timedelta(days=1)), last):
            key, week = day_key(day), (day - begin).days // 7
            if key not in self._tallies:
                self._tallies[key] = _tallies(self._honest(day), day)
            told = self._tallies[key]
            for name, gamer in gamers.items():
                own = [call for call in self._honest(day) if call.operator == name]
                told = {**told, **_tallies(gamed_by(own, name, gamer, seed=self._seed), day)}
            for name, counts in told.items():
                for place, amount in enumerate(counts):
                    sums[name][week][place] += amount
        return {name: [Weeks(*own) if own[0] else None for own in weeks] for name, weeks in sums.items()}

    def _pads(self, rows: Iterable[Served], gamers: Mapping[str, Gamer]) -> list[PadDay]:
        votes: dict[tuple[str, int], int] = defaultdict(int)
        who: dict[tuple[str, int], str] = {}
        for row in rows:
            votes[row.desk, row.day] += bool(row.rating)
            who[row.desk, row.day] = row.operator or ""
        found = []
        for (desk, day), count in sorted(votes.items()):
            dice = Random(f"{self._seed}/{desk}/{day}/pad")
            worn = exp(Random(f"{self._seed}/{desk}").gauss(0, 0.4))
            again, nobody = _poisson(dice, _AGAIN * count * worn), _poisson(dice, _NOBODY * worn)
            gamer = gamers.get(who[desk, day])
            if gamer is not None and gamer.way == "presses_again":
                again += sum(dice.random() < gamer.zeal for _ in range(count))
            if gamer is not None and gamer.way == "plays_with_the_pad":
                nobody += _poisson(dice, 10 * gamer.zeal)
            found.append(PadDay(desk, day, "00000001", 1, count, again, nobody))
        return found

    def _troubled(self, calls: Iterable[PastCall], rows: Iterable[Served]) -> frozenset[tuple[str, int]]:
        """Days on which trouble began: by chance, or because somebody pulled a plug."""
        places = {(row.desk, row.day) for row in rows}
        found = {(desk, day) for desk, day in places if Random(f"{self._seed}/{desk}/{day}/fault").random() < _TROUBLE}
        found |= {(row.desk, row.day) for row, call in zip(rows, calls, strict=True) if call.dark}
        return frozenset(found)


def _row(call: PastCall, day: date) -> Served:
    of_call = CallRow(
        "", call.branch, call.desk, call.operator, call.service, call.ticket, call.called_ms, day_key(day), None,
        call.ended_ms, call.outcome, 1, 1,
    )  # fmt: skip
    its_vote = None
    if call.rating:
        after_ms = max(0, call.pressed_ms - call.called_ms - _ARMED_MS)
        its_vote = VoteRow("", call.desk, call.rating, after_ms, "00000001", 1, 1, call.pressed_ms)
    return served(of_call, its_vote, call.dark)


def _tallies(calls: Iterable[PastCall], day: date) -> dict[str, Weeks]:
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for call in calls:
        row = _row(call, day)
        if row.eligible and row.operator:
            own = sums[row.operator]
            own[0] += 1
            own[1] += bool(row.rating)
            own[2] += row.rating == 3
    return {name: Weeks(*own) for name, own in sums.items()}


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def _poisson(dice: Random, mean: float) -> int:
    count, product = 0, dice.random()
    while product > exp(-mean):
        product *= dice.random()
        count += 1
    return count
