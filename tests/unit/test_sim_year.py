"""Invented past days: the same from the same seed, possible in a real office, and of the ordered size."""

import itertools
from collections import Counter, defaultdict
from datetime import date, timedelta

import pytest

from protocol.messages import CLOSE_REASONS, EVENT_TYPES
from schemas.periods import day_key, day_of
from sim import hours
from sim.city import CITY, TIMEZONE
from sim.year import PastCall, calls_of_day

MONDAY, SATURDAY, SUNDAY = date(2026, 10, 5), date(2026, 10, 10), date(2026, 10, 11)
# The nights before these Sundays have no hour 3 and two hours 3; the days around them must not move.
AROUND_CLOCK_CHANGES = [date(2026, 3, 28), date(2026, 3, 30), date(2026, 10, 24), date(2026, 10, 26)]


def calls(day: date, *, seed: int = 7) -> list[PastCall]:
    return calls_of_day(CITY, day, seed=seed, calls=315_000, progress=0.5)


def test_the_same_seed_makes_the_same_day_and_another_seed_another() -> None:
    assert calls(MONDAY) == calls(MONDAY)
    assert calls(MONDAY) != calls(MONDAY, seed=8)


def test_nobody_is_called_on_a_sunday() -> None:
    assert calls(SUNDAY) == []


@pytest.mark.parametrize("day", [MONDAY, SATURDAY, *AROUND_CLOCK_CHANGES], ids=str)
def test_calls_lie_in_opening_hours_of_their_own_local_day(day: date) -> None:
    opens, closes = hours.opening(day) or (0, 0)
    for call in calls(day):
        assert day_of(call.called_ms, TIMEZONE) == day_of(call.ended_ms, TIMEZONE) == day_key(day)
    first = min(call.called_ms for call in calls(day))
    last = max(call.called_ms for call in calls(day))
    assert (last - first) / 60_000 <= closes - opens + 30


@pytest.mark.parametrize("day", [MONDAY, SATURDAY], ids=str)
def test_no_two_calls_of_one_desk_overlap(day: date) -> None:
    by_desk: dict[str, list[PastCall]] = defaultdict(list)
    for call in calls(day):
        by_desk[call.desk].append(call)
    for sequence in by_desk.values():
        sequence.sort(key=lambda call: call.called_ms)
        for earlier, later in itertools.pairwise(sequence):
            assert earlier.called_ms < earlier.ended_ms <= later.called_ms


def test_a_vote_is_pressed_within_its_call_and_only_where_somebody_was_served() -> None:
    voted = [call for call in calls(MONDAY) if call.rating]
    assert voted
    for call in voted:
        assert call.called_ms + 1000 < call.pressed_ms < call.ended_ms
        assert call.outcome in ("finished", "next_call", "operator_closed", "end_of_day")


def test_every_outcome_is_a_word_of_the_wire_and_the_old_queue_reports_no_end() -> None:
    outcomes = Counter((call.branch == "stare-misto", call.outcome) for call in calls(MONDAY))
    assert {outcome for _, outcome in outcomes} <= {*EVENT_TYPES, *CLOSE_REASONS}
    assert {outcome for old, outcome in outcomes if old} <= set(CLOSE_REASONS)


def test_an_operator_sits_at_one_desk_of_the_own_branch() -> None:
    seats = {(call.operator, call.desk) for call in calls(MONDAY)}
    homes = {operator.id: operator.branch for operator in CITY.operators}
    assert len({operator for operator, _ in seats}) == len(seats)
    assert all(call.branch == homes[call.operator] for call in calls(MONDAY))


def test_a_year_has_at_least_the_calls_that_were_ordered() -> None:
    weeks = [MONDAY + timedelta(days=7 * week + day) for week in (0, 13, 26, 39) for day in range(7)]
    made = sum(len(calls(day)) for day in weeks)
    ordered = 315_000 * sum(hours.load(day) for day in weeks) / hours.loads_a_year()
    assert 0.98 * ordered < made < 1.08 * ordered  # transfers and returns are calls of their own
