"""The integrity signals' null models against SciPy and statsmodels, their vectors, and what they must leave alone."""

from dataclasses import replace
from itertools import product
from random import Random

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from api.integrity import devices
from api.integrity.chore import onsets
from api.integrity.month import Month, Weeks
from api.integrity.peers import (
    MIN_PEERS,
    Expected,
    Trials,
    count_above,
    drawn_in,
    expectations,
    share_above,
    share_below,
    share_scatter,
)
from api.integrity.registry import BY_ID, SIGNALS
from api.integrity.rhythm import longest_run, run_probability
from api.integrity.scan import adjusted, scan, votes_of
from api.integrity.silence import rate_score_coupling
from collector.store import PadDay, Served
from sim.city import CITY
from sim.gaming import Gamer
from sim.gaming_centre import Centre

CALLS = 300_000


@pytest.fixture(scope="module")
def centre() -> Centre:
    return Centre(CITY, seed=20, calls=CALLS, weeks=5)


@pytest.fixture(scope="module")
def honest(centre: Centre) -> Month:
    return centre.month(202604)


# ---- runs
@pytest.mark.parametrize(
    ("n", "length", "rate", "p"), [(200, 30, 0.9, 0.58), (200, 50, 0.9, 0.08), (200, 10, 0.6, 0.38)]
)
def test_runs_are_as_likely_as_in_the_study(n: int, length: int, rate: float, p: float) -> None:
    assert run_probability(n, length, rate) == pytest.approx(p, abs=0.006)


@given(st.integers(1, 9), st.integers(1, 9), st.floats(0.05, 0.95))
def test_a_run_is_as_likely_as_counting_every_outcome_says(n: int, length: int, rate: float) -> None:
    counted = 0.0
    for outcome in product((0, 1), repeat=n):
        if "1" * length in "".join(map(str, outcome)):
            counted += rate ** sum(outcome) * (1 - rate) ** (n - sum(outcome))
    assert run_probability(n, length, rate) == pytest.approx(counted, abs=1e-9)


@given(st.lists(st.integers(1, 3), min_size=1, max_size=30))
def test_the_longest_run_is_found_where_it_is(values: list[int]) -> None:
    start, length, value = longest_run(values)
    assert values[start : start + length] == [value] * length
    text = "".join(map(str, values))
    assert not any(str(each) * (length + 1) in text for each in (1, 2, 3))


# ---- null models
EXPECTED = st.integers(1, 200).flatmap(
    lambda n: st.builds(Expected, st.integers(0, n), st.just(n), st.floats(0.01, 0.99).map(lambda share: share * n))
)


@given(EXPECTED, st.one_of(st.just(0.0), st.floats(0.001, 0.4)))
def test_tails_of_shares_are_those_of_scipy(each: Expected, scatter: float) -> None:
    p = each.expected / each.n
    model = (
        stats.betabinom(each.n, p * (1 - scatter) / scatter, (1 - p) * (1 - scatter) / scatter)
        if scatter
        else stats.binom(each.n, p)
    )
    assert share_above(each, scatter) == pytest.approx(model.sf(each.hits - 1), abs=1e-8)
    assert share_below(each, scatter) == pytest.approx(model.cdf(each.hits), abs=1e-8)


@given(st.integers(0, 80), st.floats(0.1, 60), st.one_of(st.just(0.0), st.floats(0.01, 3)))
def test_tails_of_counts_are_those_of_scipy(count: int, expected: float, scatter: float) -> None:
    size = 1 / scatter if scatter else 0
    model = stats.nbinom(size, size / (size + expected)) if scatter else stats.poisson(expected)
    assert count_above(Expected(count, 1, expected), scatter) == pytest.approx(model.sf(count - 1), abs=1e-8)


@given(st.integers(2, 30), st.data())
def test_bad_days_of_one_desk_are_hypergeometric(days: int, data: st.DataObject) -> None:
    troubled, own = data.draw(st.integers(0, days)), data.draw(st.integers(1, days))
    count = data.draw(st.integers(0, min(troubled, own)))
    theirs = stats.hypergeom(days, troubled, own).sf(count - 1)
    assert devices._at_least(count, [(days, troubled, own)]) == pytest.approx(theirs, abs=1e-9)


def test_scatter_that_is_chance_alone_counts_as_none_and_the_outermost_do_not_count() -> None:
    dice = numpy.random.default_rng(4)
    terms = list(dice.chisquare(1, size=20_000))
    assert drawn_in(terms) == pytest.approx(1, abs=0.02)
    assert drawn_in([*terms[:900], *[1e9] * 100]) < 1.5


def test_people_who_differ_without_any_offence_are_allowed_for() -> None:
    """Shares scattered as Beta(8, 12): plain binomial tails would point at a third of them."""
    dice = numpy.random.default_rng(7)
    people = [Expected(int(dice.binomial(300, share)), 300, 120.0) for share in dice.beta(8, 12, size=400)]
    scatter = share_scatter(people)
    assert scatter == pytest.approx(1 / 21, rel=0.25)
    assert sum(share_below(each, scatter) < 0.01 for each in people) / 400 < 0.025
    assert sum(share_below(each, 0.0) < 0.01 for each in people) / 400 > 0.25


def test_nobody_is_compared_with_oneself_and_a_thin_cell_leans_on_a_wider_one() -> None:
    people = {name: {("passport", "centre"): Trials(10, 100)} for name in "abcdefg"}
    people["h"] = {("passport", "centre"): Trials(90, 100), ("land", "centre"): Trials(0, 10)}
    told = expectations(people)
    assert told["h"].expected == pytest.approx(110 * 0.1, rel=0.05)
    assert told["h"].n == 110


# ---- many tests at once
@given(st.lists(st.floats(0, 1), min_size=1, max_size=60))
def test_adjusted_probabilities_are_those_of_statsmodels(p_values: list[float]) -> None:
    assert adjusted(p_values) == pytest.approx(list(multipletests(p_values, method="fdr_bh")[1]), abs=1e-12)


# ---- the whole scan
def test_an_honest_month_gives_nobody_a_reason_to_look(honest: Month) -> None:
    found = scan(honest)
    assert len(honest.by_operator) == 35
    assert [each.found for each in found.standing_out] == []
    by_signal = {rate.signal: rate for rate in found.rates}
    for signal in SIGNALS:
        rate = by_signal[signal.id]
        assert (rate.tests > 0) is (signal.test is not None and signal.id != "rate_score_coupling"), signal.id
        assert rate.below_5_percent <= 6, signal.id


# Which signals are meant for which way; any of them will do.
MEANT = {
    "presses_after_call": {"fast_vote"},
    "presses_at_the_end": {"last_second_vote"},
    "calls_ghosts": {"empty_service", "fast_vote"},
    "calls_ghosts_in_a_row": {"burst", "empty_service"},
    "covers_the_pad": {"silent_calls", "selective_silence", "zero_bad"},
    "covers_the_pad_always": {"silent_calls"},
    "unplugs_the_pad": {"console_shadow", "silent_calls"},
    "presses_again": {"repeats"},
    "plays_with_the_pad": {"no_call_presses"},
}


@pytest.mark.parametrize("ways", [list(MEANT)[:3], list(MEANT)[3:6], list(MEANT)[6:]], ids=", ".join)
def test_who_games_shamelessly_stands_out_and_nobody_beside_them(centre: Centre, ways: list[str]) -> None:
    gamers = {name: Gamer(way, 0.8) for name, way in zip(("op-03", "op-09", "op-15"), ways, strict=True)}
    month = centre.month(202604, gamers)
    found = scan(month).standing_out
    for name, gamer in gamers.items():
        assert {each.found.signal for each in found if each.found.operator == name} & MEANT[gamer.way], gamer
    assert {each.found.operator for each in found} <= set(gamers)


def test_the_votes_in_question_are_counted_once_and_stay_what_they_are(centre: Centre) -> None:
    month = centre.month(202604, {"op-03": Gamer("calls_ghosts", 0.8)})
    before = list(month.calls)
    found = scan(month)
    assert month.calls == before
    (marked,) = [each for each in found.marked if each.operator == "op-03"]
    singles = [votes_of(month, each.found) for each in found.standing_out if each.found.operator == "op-03"]
    assert len(singles) > 1
    for level in range(3):
        assert marked.marked[level] <= marked.votes[level]
        assert max(each[level] for each in singles) <= marked.marked[level] <= sum(each[level] for each in singles)
    ratings = [call.rating for call in month.by_operator["op-03"]]
    assert marked.votes == (ratings.count(1), ratings.count(2), ratings.count(3))


def test_no_signal_depends_on_the_order_of_rows_nor_on_what_people_are_called(honest: Month) -> None:
    dice = Random(1)
    calls = [call._replace(operator=f"z{call.operator}") for call in honest.calls]
    dice.shuffle(calls)
    renamed = Month(calls, {f"z{name}": weeks for name, weeks in honest.weeks.items()}, honest.pads, honest.troubled)
    one = {(each.found.signal, each.found.operator): each.found.p for each in scan(honest).judged}
    other = {(each.found.signal, each.found.operator[1:]): each.found.p for each in scan(renamed).judged}
    assert other == pytest.approx(one)


def test_of_too_few_people_nothing_is_said(honest: Month) -> None:
    few = sorted(honest.by_operator)[: MIN_PEERS - 1]
    small = replace(honest, calls=[call for call in honest.calls if call.operator in few], pads=[])
    told = {each.found.signal for each in scan(small).judged}
    assert told <= {"long_run", "rate_score_coupling", "console_shadow"}


def test_an_empty_month_and_calls_of_nobody_are_no_trouble() -> None:
    assert scan(Month([])).judged == []
    call = Served("centre", "centre-1", None, None, 20260401, 1, None, None, None, True, False, 3, 2)
    assert scan(Month([call] * 50)).judged == []


def test_votes_that_fall_while_figures_rise_are_seen_over_the_weeks() -> None:
    dice = numpy.random.default_rng(3)
    weeks: dict[str, list[Weeks | None]] = {}
    for name in ("honest", "other", "gamer"):
        weeks[name] = []
        for week in range(26):
            covered = name == "gamer" and week % 2
            votes = int(dice.binomial(150, 0.4 if covered else 0.55))
            weeks[name].append(Weeks(150, votes, int(dice.binomial(votes, 0.9 if covered else 0.7))))
    calls = [
        Served("centre", "centre-1", name, None, 20260401, 1, None, None, None, True, False, 3, 2) for name in weeks
    ]
    found = {each.operator: each for each in rate_score_coupling(Month(calls, weeks=weeks))}
    assert found["gamer"].p < 1e-3
    assert found["gamer"].numbers["high"] < 0
    assert found["honest"].p > 0.01


SERVED = st.builds(
    Served,
    branch=st.sampled_from(["centre", "vyshenka"]),
    desk=st.sampled_from(["centre-1", "centre-2"]),
    operator=st.sampled_from([None, *"abcdefghijk"]),
    service=st.sampled_from([None, "passport", "land"]),
    day=st.sampled_from([20260401, 20260402, 20260430]),
    called_unix_ms=st.integers(0, 10**6),
    started_unix_ms=st.none() | st.integers(0, 10**6),
    ended_unix_ms=st.none() | st.integers(-(10**6), 2 * 10**6),
    outcome=st.sampled_from([None, "finished", "no_show", "next_call", "void"]),
    eligible=st.booleans(),
    unavailable=st.booleans(),
    rating=st.integers(0, 3),
    after_ms=st.integers(0, 10**6),
)
WEEKS = st.none() | st.integers(0, 90).map(lambda n: Weeks(n, n // 2, n // 3))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(SERVED, min_size=1, max_size=12),
    st.integers(1, 120),
    st.dictionaries(st.sampled_from("abcdefghijk"), st.lists(WEEKS, min_size=26, max_size=26)),
    st.lists(st.builds(PadDay, st.sampled_from(["centre-1", "centre-2"]), st.sampled_from([20260401, 20260402]),
                       st.just("j"), st.just(1), *[st.integers(0, 400)] * 3), max_size=8),
    st.frozensets(st.tuples(st.sampled_from(["centre-1", "centre-2"]), st.sampled_from([20260401, 20260402]))),
)  # fmt: skip
def test_whatever_a_month_holds_the_scan_answers_and_leaves_every_row_alone(
    calls: list[Served],
    times: int,
    weeks: dict[str, list[Weeks | None]],
    pads: list[PadDay],
    troubled: frozenset[tuple[str, int]],
) -> None:
    month = Month([*calls * times], weeks, pads, troubled)
    before = (list(month.calls), list(pads), {name: list(each) for name, each in weeks.items()})
    found = scan(month)
    assert (list(month.calls), list(pads), weeks) == before
    for each in found.judged:
        assert 0 <= each.found.p <= each.q + 1e-12 <= 1 + 1e-9
        assert each.found.operator in month.by_operator
        own = month.by_operator[each.found.operator]
        assert all(own[place].rating for place in each.found.marked)
    for row in found.marked:
        assert all(marked <= votes for marked, votes in zip(row.marked, row.votes, strict=True))


# ---- what pads count
def test_counters_become_days_and_a_restarted_pad_counts_from_zero() -> None:
    samples = [
        PadDay("a", 20260401, "j1", 1, 10, 1, 5),
        PadDay("a", 20260402, "j1", 1, 25, 2, 5),
        PadDay("a", 20260403, "j2", 2, 7, 0, 1),
        PadDay("b", 20260403, "j9", 4, 3, 0, 0),
    ]
    assert devices.pad_days(samples) == [
        PadDay("a", 20260402, "j1", 1, 15, 1, 0),
        PadDay("a", 20260403, "j2", 2, 7, 0, 1),
    ]


def test_counters_that_run_backwards_say_nothing() -> None:
    samples = [PadDay("a", 20260401, "j1", 1, 10, 1, 5), PadDay("a", 20260402, "j1", 1, 4, 2, 5)]
    assert devices.pad_days(samples) == []


def test_trouble_that_lasts_begins_once() -> None:
    assert onsets({("a", 20260331), ("a", 20260401), ("a", 20260403), ("b", 20260401)}) == {
        ("a", 20260331),
        ("a", 20260403),
        ("b", 20260401),
    }


# ---- what every signal says of itself
def test_every_signal_has_innocent_reasons_and_says_what_it_lacks() -> None:
    assert len(BY_ID) == len(SIGNALS) == 13  # domain study 6.6
    for signal in SIGNALS:
        assert signal.innocent, signal.id
        assert bool(signal.missing) is (signal.test is None), signal.id
        assert len(signal.id) <= 24
        said = " ".join((signal.name, signal.looks_at, signal.threshold)).lower()
        assert not any(word in said for word in ("cheat", "fraud", "guilty", "violat", "manipul"))
