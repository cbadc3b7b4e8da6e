"""The work of the night on integrity signals: months that are over are read, scanned and kept. It decides nothing.

A month is computed when it is over, and again whenever late votes have changed it; only the newest six, for a signal
is a reason to ask somebody, and of last winter nobody remembers. The first two months that an office computes are for
learning how often what occurs, and their signals are shown to nobody (domain study 6.6).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import astuple
from datetime import date, timedelta

from api.integrity.devices import pad_days
from api.integrity.month import WEEKS, Month, Weeks
from api.integrity.scan import Scan, scan, votes_of
from api.settings import Settings
from collector.store import MarkedVotes, NewSignal, Served, SignalMonth, SignalRate, Store
from schemas.months import later, month_name
from schemas.periods import day_date, day_key, day_of

MONTHS, LOG_ONLY_MONTHS = 6, 2
_HALF_A_DAY_MS = 12 * 3600 * 1000


def run(store: Store, settings: Settings, now_unix_ms: int) -> list[str]:
    """The chore: pads' counters of the day that ended, and every closed month whose figures are not what they were."""
    zone = store.register().timezone
    # At night that is the day before; in a night that is made up for late, the day as far as it has gone.
    store.signals.sample_pads(day_of(now_unix_ms - _HALF_A_DAY_MS, zone))
    this_month = day_of(now_unix_ms, zone) // 100
    said = []
    for month in store.signals.months_with_calls():
        if later(this_month, -MONTHS) <= month < this_month and not store.signals.is_archived(month):
            said += compute(store, month, now_unix_ms)
    return said


def compute(store: Store, month: int, now_unix_ms: int) -> list[str]:
    """Computes one month unless nothing has changed since; a sentence if something stands out."""
    known = {each.month: each for each in store.signals.months()}
    digest, before = store.signals.digest(month), known.get(month)
    if before is not None and before.digest == digest:
        return []
    earlier = sum(1 for each in known if each < month)
    log_only = before.log_only if before is not None else earlier < LOG_ONLY_MONTHS
    calls = store.signals.served(month)
    seen = month_seen(store, month, calls)
    found = scan(seen)
    store.signals.keep(
        SignalMonth(month, now_unix_ms, digest, len(seen.by_operator), len(calls), log_only),
        new_signals(seen, found),
        rates=[SignalRate(month, *astuple(each)) for each in found.rates],
        marked=[MarkedVotes(month, each.operator, *each.votes, *each.marked) for each in found.marked],
    )
    return [] if not found.standing_out or log_only else [_sentence(month, found)]


def month_seen(store: Store, month: int, calls: list[Served]) -> Month:
    """The month with what surrounds it."""
    first, last = day_date(month * 100 + 1), day_date(later(month) * 100 + 1) - timedelta(days=1)
    days = [day_key(first + timedelta(days=n)) for n in range((last - first).days + 1)]
    samples = store.signals.pad_counts(days[0], days[-1])
    dark = {(call.desk, call.day) for call in calls if call.unavailable}
    return Month(
        calls,
        weeks=_weeks(store, last),
        pads=[each for each in pad_days(samples) if each.day >= days[0]],
        troubled=frozenset(store.signals.troubled(month, store.register().timezone) | onsets(dark)),
    )


def onsets(troubled: Iterable[tuple[str, int]]) -> set[tuple[str, int]]:
    """Of (desk, day) with trouble those whose day before had none: a fault that lasts is one."""
    known = set(troubled)
    return {(desk, day) for desk, day in known if (desk, day_key(day_date(day) - timedelta(days=1))) not in known}


def new_signals(month: Month, found: Scan) -> list[NewSignal]:
    """What stands out, as it is kept."""
    kept = []
    for each in found.standing_out:
        one = each.found
        bad, good, exemplary = votes_of(month, one)
        kept.append(
            NewSignal(
                one.signal, one.operator, one.branch, one.desk, one.statistic, one.expected, one.n, one.p, each.q,
                bad, good, exemplary, one.numbers,
            )
        )  # fmt: skip
    return kept


def _weeks(store: Store, last: date) -> Mapping[str, list[Weeks | None]]:
    begin = last - timedelta(weeks=WEEKS) + timedelta(days=1)
    sums: dict[str, list[list[int]]] = defaultdict(lambda: [[0, 0, 0] for _ in range(WEEKS)])
    for row in store.rollups("operator", day_key(begin), day_key(last)):
        if row.key:
            own = sums[row.key][(day_date(row.day) - begin).days // 7]
            own[0] += row.eligible
            own[1] += row.bad + row.good + row.exemplary
            own[2] += row.exemplary
    return {name: [Weeks(*own) if own[0] else None for own in weeks] for name, weeks in sums.items()}


def _sentence(month: int, found: Scan) -> str:
    people = len({each.found.operator for each in found.standing_out})
    return f"{month_name(month)}: {len(found.standing_out)} signals at {people} operators wait for a person to look"
