"""The reference model: what must come out of a day, known from what people did and what lamps showed.

It shares no code with the feed, the collector or the store, and reads the collector's database by itself (ledger.py).

Rules of the file
1.  A call is named by its desk and the millisecond of its summons; ids of the system are never computed here.
2.  A press is a vote if all three lamps were lit before and only its own is lit after it (order P2.6): whoever
    stands at the pad knows no more than that, and it must be enough.
"""

import math
import time
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from datetime import time as time_of_day
from zoneinfo import ZoneInfo

from sim.city import TIMEZONE
from sim.ledger import Ledger, Recorded
from sim.webhook import QueueNews

_SUMMONS = ("called", "recalled", "recovered", "started")
_ENDINGS = ("finished", "no_show", "left", "transferred", "held", "removed")
# Why a client who did not vote could not: he did not come, was served elsewhere or later, or was never meant.
_NOT_THERE = ("no_show", "absent")
_SERVED_ELSEWHERE = ("transferred", "held", "resumed", "called_elsewhere")
_NEVER_MEANT = ("void", "removed")
_CLIENT_STILL_WAITS = ("next_call", "operator_closed")  # if called again after that
_TAKEN_BACK_MS = 3_000  # the feed's void_seconds, as set out of the box
_LIT_ALONE = {"100": 1, "010": 2, "001": 3}
_ALL_LIT = "111"
# A vote is in flash a few milliseconds after the lamps have shown it; on a machine that is busy killing, later.
_WRITING_S = 2.0
_DELAYED_MS = 60_000  # longer than any injury keeps the feed from hearing of something
_TRUSTED_MS = 4 * 3_600_000  # the feed's call_hours


@dataclass(slots=True)
class TrueCall:
    """A call as it was. ``rating`` is 0 as long as no press in it was taken."""

    branch: str
    desk: str
    ticket: str
    operator: str
    service: str
    called_unix_ms: int
    outcome: str | None = None
    rating: int = 0
    lit: bool = False  # all three lamps were seen alight while it was open
    given_s: float = 0.0  # when the press was taken, by the monotonic clock
    heard: bool = False  # the queue said something of it after it was called
    may_end: set[str] = field(default_factory=set)  # outcomes that are as right, by what was broken and when
    until_unix_ms: int = 0  # not trusted any longer
    ended_s: float = 0.0  # when the queue said so, by the monotonic clock
    optional: bool = False  # a clock was hours wrong: it may have been taken for late
    may_rate: set[int] = field(default_factory=set)  # ratings that are as right: the pad died as it wrote the vote
    is_forgotten: bool = False  # by the pad, with its flash: its client may press again

    @property
    def name(self) -> tuple[str, int]:
        return self.desk, self.called_unix_ms

    @property
    def day(self) -> int:
        return int(datetime.fromtimestamp(self.called_unix_ms / 1000, UTC).astimezone(_KYIV).strftime("%Y%m%d"))


@dataclass(slots=True)
class TruePress:
    desk: str
    button: int
    call: TrueCall | None
    taken: bool = False


@dataclass(slots=True)
class Difference:
    """Something that is not as it was: ``kind`` is lost, doubled, misattributed, invented, wrong or broken."""

    kind: str
    text: str


_KYIV = ZoneInfo(TIMEZONE)


@dataclass(slots=True)
class Oracle:
    """A witness of a day (sim/world.py); ``lamps_changed`` is to be told every change of every pad's lamps.

    ``injured``: somebody breaks things, so that dark lamps are no fault of the system's, and reports what he does to
    power_cut() and feed_clock_ahead().
    """

    injured: bool = False
    day_ends: Mapping[str, str] = field(default_factory=dict)  # local time, by branch; of others unknown
    calls: list[TrueCall] = field(default_factory=list)
    presses: list[TruePress] = field(default_factory=list)
    broken: list[Difference] = field(default_factory=list)
    replaced: set[str] = field(default_factory=set)  # desks whose pad has lost its flash
    _open: dict[str, TrueCall] = field(default_factory=dict)
    _latest: dict[tuple[str, str], TrueCall] = field(default_factory=dict)  # by desk and ticket
    _last: dict[tuple[str, str], TrueCall] = field(default_factory=dict)  # by branch and ticket
    _is_ahead: bool = False
    _told_unix_ms: int = 0
    _pressed: dict[tuple[str, int], TruePress] = field(default_factory=dict)
    _lamps: dict[str, str] = field(default_factory=dict)
    _latest_vote: dict[str, TrueCall] = field(default_factory=dict)
    _cut_s: dict[str, float] = field(default_factory=dict)

    def told(self, news: QueueNews) -> None:
        """The queue said something: which call is open at which desk from now on."""
        self._told_unix_ms = news.occurred_unix_ms
        self.expire(news.occurred_unix_ms, news.branch)
        if news.type in _SUMMONS:
            self._summoned(news)
        elif news.type in _ENDINGS:
            self._ended(news)
        elif news.type == "service_switched" and self._is_open(news):
            self._open[str(news.desk)].service = str(news.service)
        elif news.type == "operator_closed" and news.desk is not None:
            self._close(news.desk, news.type)
        elif news.type == "reset":
            for desk in [desk for desk, call in self._open.items() if call.branch == news.branch]:
                self._close(desk, news.type)

    def expire(self, now_unix_ms: int, branch: str | None = None) -> None:
        """The clock closes what may not be trusted any longer (queue-systems study, section 5.1: end of day)."""
        for desk, call in list(self._open.items()):
            if call.until_unix_ms <= now_unix_ms and branch in (None, call.branch):
                self._close(desk, "end_of_day")

    def feed_clock_ahead(self, is_ahead: bool) -> None:
        """The feed believes that it is hours later: whatever is open may end for it as at the end of a day."""
        self._is_ahead = is_ahead
        lately_s = time.monotonic() - _DELAYED_MS / 1000
        for call in self.calls:  # of what has ended lately the feed may not have heard yet
            if call.outcome is None or call.ended_s > lately_s:
                call.may_end.add("end_of_day")

    def pressing(self, desk: str, button: int, ticket: str | None) -> None:
        press = TruePress(desk, button, self._latest.get((desk, ticket)) if ticket else None)
        self.presses.append(press)
        self._pressed[desk, button] = press

    def found_no_light(self, desk: str, ticket: str) -> None:
        call = self._latest[desk, ticket]
        if not call.rating and not self.injured:
            self._break(f"{_name(call)}: the client looked for lit buttons and found {self._lamps.get(desk)}")

    def power_cut(self, desk: str) -> None:
        """A pad dies now: the vote that it took a moment ago may not be in its flash yet (invariant 2 of DESIGN)."""
        now = time.monotonic()
        self._cut_s[desk] = now
        call = self._latest_vote.get(desk)
        if call is not None and now - call.given_s < _WRITING_S:
            call.may_rate.add(0)

    def flash_lost(self, desk: str, voted: Collection[tuple[str, int]]) -> None:
        """Another pad, with an empty flash, takes the place of one that is dead; ``voted``: what the database has.

        What the dead pad had not delivered may be gone with it, and nothing else. Of the open call the new one does not
        know that there is a vote already: a second one of its client is kept apart by the collector.
        """
        self.replaced.add(desk)
        for call in self.calls:
            if call.desk == desk and call.rating:
                call.is_forgotten = True
                if call.name not in voted:
                    call.may_rate.add(0)

    def lamps_changed(self, desk: str, lamps: str) -> None:
        before, self._lamps[desk] = self._lamps.get(desk), lamps
        open_call = self._open.get(desk)
        if lamps == _ALL_LIT and open_call is not None:
            open_call.lit = True
        rating = _LIT_ALONE.get(lamps)
        if rating is None or before == lamps:
            return
        if before == _ALL_LIT:
            self._taken(desk, rating)
        elif not self._shows(desk, rating):
            self._break(f"{desk}: only button {rating} is lit, which nobody pressed in this call")

    def given(self) -> dict[tuple[str, int], float]:
        """When each vote was given, by the name of its call, in seconds of the monotonic clock."""
        return {call.name: call.given_s for call in self.calls if call.rating}

    @property
    def votes(self) -> int:
        """How many presses were taken."""
        return sum(press.taken for press in self.presses)

    def _summoned(self, news: QueueNews) -> None:
        assert news.desk and news.ticket and news.operator and news.service
        if self._is_open(news):
            call = self._open[news.desk]
            call.heard, call.service = call.heard or news.occurred_unix_ms > call.called_unix_ms, news.service
            return  # a recall
        before = self._open.get(news.desk)
        quickly = before and not before.heard and news.occurred_unix_ms - before.called_unix_ms < _TAKEN_BACK_MS
        self._close(news.desk, "void" if quickly else "next_call")
        for desk, call in list(self._open.items()):
            if call.ticket == news.ticket:
                self._close(desk, "called_elsewhere")
        earlier = self._last.get((news.branch, news.ticket))
        if earlier is not None and earlier.outcome in _CLIENT_STILL_WAITS:
            earlier.outcome = "resumed"
        call = TrueCall(news.branch, news.desk, news.ticket, news.operator, news.service, news.occurred_unix_ms)
        call.until_unix_ms = _until(call.called_unix_ms, self.day_ends.get(news.branch))
        if self._is_ahead:
            call.may_end.add("end_of_day")
        call.optional = earlier is not None and (earlier.optional or "end_of_day" in earlier.may_end)
        self.calls.append(call)
        self._open[news.desk] = self._latest[news.desk, news.ticket] = self._last[news.branch, news.ticket] = call

    def _ended(self, news: QueueNews) -> None:
        """The queue says how a call ended; perhaps later than we could conclude it."""
        if self._is_open(news):
            self._close(str(news.desk), news.type)
            return
        call = self._latest.get((str(news.desk), str(news.ticket)))
        if call is not None and call.outcome not in _ENDINGS and call.outcome != "called_elsewhere":
            call.outcome = news.type

    def _is_open(self, news: QueueNews) -> bool:
        call = self._open.get(str(news.desk))
        return call is not None and call.ticket == news.ticket

    def _shows(self, desk: str, rating: int) -> bool:
        """Whether a pad that comes alight may show this vote.

        One that is cut off, or whose broker has come back from a crash with an older call, shows an earlier one of it.
        """
        if self.injured:
            return any(call.desk == desk and call.rating == rating for call in self.calls)
        call = self._open.get(desk)
        return call is not None and call.rating == rating

    def _close(self, desk: str, outcome: str) -> None:
        call = self._open.pop(desk, None)
        if call is None:
            return
        call.outcome, call.ended_s = outcome, time.monotonic()
        # What ended it may reach the feed only when the clock has ended it already.
        if self.injured and call.until_unix_ms - self._told_unix_ms < _DELAYED_MS:
            call.may_end.add("end_of_day")

    def _taken(self, desk: str, rating: int) -> None:
        press = self._pressed.get((desk, rating))
        if press is None or press.taken:
            self._break(f"{desk}: button {rating} went alight though nobody pressed it")
        elif press.call is None:
            self._break(f"{desk}: a press without a client was taken for a vote")
        elif press.call.rating and not press.call.may_rate and not press.call.is_forgotten:
            self._break(f"{_name(press.call)}: a second press was taken for a vote")
        elif press.call.rating and not press.call.may_rate:
            self._latest_vote[desk] = press.call  # the first one counts, which the database has
        else:
            self._votes(press.call, rating)
            press.taken = True

    def _votes(self, call: TrueCall, rating: int) -> None:
        now = time.monotonic()
        # Had the pad forgotten, the first vote may still be on its way; else it is known to have died with the pad.
        call.may_rate = {call.rating} if call.is_forgotten and call.rating else set()
        call.rating, call.given_s = rating, now
        # What a dead pad's lamps had shown may be read off its wires a moment after its end.
        if now - self._cut_s.get(call.desk, -math.inf) < _WRITING_S:
            call.may_rate.add(0)
        self._latest_vote[call.desk] = call

    def _break(self, text: str) -> None:
        self.broken.append(Difference("broken", text))


def compare(oracle: Oracle, ledger: Ledger) -> list[Difference]:
    """Everything in the database that is not as it was, and everything that was and is not in it."""
    recorded: dict[tuple[str, int], Recorded] = {}
    found = list(oracle.broken)
    for row in ledger.recorded():
        if recorded.setdefault(row.name, row) is not row:
            found.append(Difference("doubled", f"{row.desk} at {row.called_unix_ms} is there as {row.id} too"))
    there = [
        _as_it_may_be(call, recorded.get(call.name))
        for call in oracle.calls
        if call.name in recorded or not call.optional
    ]
    for call in there:
        found += _of_call(call, recorded.pop(call.name, None))
    found += [Difference("invented", f"call {row.id} at {row.desk}") for row in recorded.values()]
    found += [Difference("wrong", f"a vote without its call: {vote}") for vote in ledger.strays()]
    found += [
        Difference("wrong", f"kept apart: {reason}, {topic}, {problem}")
        for reason, topic, problem in ledger.kept()
        if reason != "repeat" or not any(f"/{desk}/" in topic for desk in oracle.replaced)
    ]
    unavailable = ledger.unavailable()
    found += [
        Difference("wrong", f"{_name(call)} was flagged as without a lit pad, and all its lamps were seen alight")
        for call in oracle.calls
        if call.lit and not oracle.injured and call.name in unavailable
    ]
    return found + _of_rollups(recount(there, unavailable), ledger.rollups())


def recount(
    calls: list[TrueCall], unavailable: Collection[tuple[str, int]] = ()
) -> dict[tuple[str, str, str, int], tuple[int, ...]]:
    """The daily roll-ups that these calls must make; ``unavailable`` names those without a lit pad (order P3.4).

    Of each: calls, eligible ones, bad, good, exemplary, and those left out: not rated, not there, served elsewhere,
    never meant, in the dark.
    """
    sums: dict[tuple[str, str, str, int], Counter[str]] = {}
    for call in calls:
        counts = ["calls", _standing(call, call.name in unavailable), f"rated {call.rating}"]
        cuts = (("branch", ""), ("service", call.service), ("operator", call.operator), ("desk", call.desk))
        for cut, key in cuts:
            sums.setdefault((cut, call.branch, key, call.day), Counter()).update(counts)
    columns = ("calls", "eligible", "rated 1", "rated 2", "rated 3", "unrated", "absent", "elsewhere", "void", "dark")
    return {key: tuple(amount[each] for each in columns) for key, amount in sums.items()}


def _standing(call: TrueCall, in_the_dark: bool) -> str:
    """Whether the client could vote, or why not."""
    if call.rating:
        return "eligible"
    if call.outcome in _NOT_THERE:
        return "absent"
    if call.outcome in _SERVED_ELSEWHERE:
        return "elsewhere"
    if call.outcome in _NEVER_MEANT:
        return "void"
    return "dark" if in_the_dark else "eligible"


def _as_it_may_be(call: TrueCall, row: Recorded | None) -> TrueCall:
    """The call as ``row`` has it, where more than one thing is right."""
    if row is None:
        return call
    rating = row.rating if row.rating in call.may_rate else call.rating
    return replace(call, rating=rating, outcome=row.outcome if row.outcome in call.may_end else call.outcome)


def _of_call(call: TrueCall, row: Recorded | None) -> list[Difference]:
    if row is None:
        return [Difference("lost", f"{_name(call)} is not in the database")]
    found = []
    if row.rating != call.rating:
        kind = "lost" if not row.rating else "invented" if not call.rating else "misattributed"
        found.append(Difference(kind, f"{_name(call)}: the vote is {row.rating}, and was {call.rating}"))
    for what in ("branch", "operator", "service", "outcome", "day"):
        if getattr(row, what) != getattr(call, what):
            text = f"{_name(call)}: {what} is {getattr(row, what)}, and was {getattr(call, what)}"
            found.append(Difference("wrong", text))
    return found


def _of_rollups(
    true: dict[tuple[str, str, str, int], tuple[int, ...]], shown: dict[tuple[str, str, str, int], tuple[int, ...]]
) -> list[Difference]:
    return [
        Difference("wrong", f"roll-up {key}: {shown.get(key)}, and must be {true.get(key)}")
        for key in sorted(true.keys() | shown.keys())
        if true.get(key) != shown.get(key)
    ]


def _until(called_unix_ms: int, day_ends: str | None) -> int:
    """The end of the branch's day after the call, or four hours after it if that is sooner."""
    if day_ends is None:
        return called_unix_ms + _TRUSTED_MS
    called = datetime.fromtimestamp(called_unix_ms / 1000, UTC)
    end = datetime.combine(called.astimezone(_KYIV).date(), time_of_day.fromisoformat(day_ends), _KYIV)
    while end.astimezone(UTC) <= called:
        end = datetime.combine(end.date() + timedelta(days=1), end.timetz())
    return min(called_unix_ms + _TRUSTED_MS, round(1000 * end.timestamp()))


def _name(call: TrueCall) -> str:
    return f"{call.desk} at {call.called_unix_ms}"
