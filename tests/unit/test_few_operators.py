"""What is hidden for the sake of two operators or fewer stays hidden from whoever holds all papers and subtracts."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.few_operators import LEAST_OPERATORS, Hidden, Part, hidden_in, hidden_over

Months = dict[int, list[Part]]
JANUARY, FEBRUARY, MARCH = 202601, 202602, 202603
QUARTER = [JANUARY, FEBRUARY, MARCH]
YEAR = list(range(202601, 202613))
QUARTERS = [YEAR[begin : begin + 3] for begin in range(0, 12, 3)]


def part(key: str, weight: int, who: str, group: str | None = None) -> Part:
    """``who``: a letter an operator."""
    return Part(key, weight, frozenset(who), group)


def keys(found: Hidden) -> list[str]:
    return sorted(found.keys)


# ---- one period
def test_what_fewer_than_three_stand_behind_is_hidden_and_a_second_part_with_it() -> None:
    assert keys(hidden_in([part("a", 50, "abcde"), part("b", 40, "ab"), part("c", 30, "abc")])) == ["b", "c"]


def test_two_small_parts_hide_each_other() -> None:
    assert keys(hidden_in([part("a", 50, "abcde"), part("b", 40, "ab"), part("c", 30, "c")])) == ["b", "c"]


def test_two_small_parts_of_the_same_operator_do_not_hide_each_other_for_their_sum_is_theirs() -> None:
    parts = [part("a", 50, "opqr"), part("b", 40, "x"), part("c", 30, "x"), part("d", 60, "petro")]
    assert keys(hidden_in(parts)) == ["a", "b", "c"]


def test_where_nobody_voted_there_is_nothing_to_hide() -> None:
    assert keys(hidden_in([part("a", 50, "abcde"), part("b", 0, "a"), part("c", 30, "abc")])) == []


def test_not_to_know_who_served_is_not_to_show() -> None:
    assert keys(hidden_in([part("a", 50, ""), part("b", 40, "abcd")])) == ["a", "b"]


def test_the_second_part_is_of_the_same_group_for_the_groups_sum_is_shown() -> None:
    parts = [part("a", 50, "a", "land"), part("b", 400, "abcdefghi", "land"), part("c", 30, "abcdefghi", "social")]
    assert hidden_in(parts) == Hidden(frozenset("ab"), frozenset())


def test_a_group_that_is_two_peoples_has_no_sum_nor_has_a_second_one_whose_parts_would_give_it_away() -> None:
    parts = [
        part("deeds", 50, "xy", "land"), part("aid", 90, "abc", "social"), part("care", 80, "abc", "social"),
        part("passport", 900, "abcd", "papers"),
    ]  # fmt: skip
    assert hidden_in(parts) == Hidden(frozenset({"deeds", "care"}), frozenset({"land", "social"}))


# ---- longer periods
def test_a_quarter_does_not_give_away_the_month_in_which_a_service_was_one_clerks() -> None:
    months = {
        JANUARY: [part("a", 50, "abc"), part("b", 40, "abc"), part("c", 90, "abcd")],
        FEBRUARY: [part("a", 50, "a"), part("b", 40, "abc"), part("c", 90, "abcd")],
        MARCH: [part("a", 50, "abc"), part("b", 40, "abc"), part("c", 90, "abcd")],
    }
    assert keys(hidden_over(months, [QUARTER])) == ["a", "b"]


def test_months_that_hide_each_other_are_shown_together() -> None:
    months = {
        JANUARY: [part("a", 50, "ab"), part("b", 40, "cd"), part("c", 90, "abcd")],
        FEBRUARY: [part("a", 50, "ef"), part("b", 40, "gh"), part("c", 90, "abcd")],
        MARCH: [part("a", 50, "abc"), part("b", 40, "abc"), part("c", 90, "abcd")],
    }
    assert keys(hidden_over(months, [QUARTER])) == []


def test_months_of_the_same_two_clerks_are_not() -> None:
    months = {month: [part("a", 50, "ab"), part("b", 40, "cd"), part("c", 90, "abcd")] for month in QUARTER}
    assert keys(hidden_over(months, [QUARTER])) == ["a", "b"]


def test_a_part_that_was_hidden_for_anothers_sake_does_not_come_to_light_by_the_quarter() -> None:
    """``b`` is everybody's; its January by the quarter would be ``a``'s by January's sum."""
    months = {
        JANUARY: [part("a", 50, "a"), part("b", 40, "abcd"), part("c", 90, "abcd")],
        FEBRUARY: [part("a", 50, "abc"), part("b", 40, "abcd"), part("c", 90, "abcd")],
        MARCH: [part("a", 50, "abc"), part("b", 40, "abcd"), part("c", 90, "abcd")],
    }
    assert keys(hidden_over(months, [QUARTER])) == ["a", "b"]


def test_a_year_is_held_against_its_quarters_too() -> None:
    months = {month: [part("a", 50, "abc"), part("b", 40, "abc"), part("c", 90, "abcd")] for month in YEAR}
    months[202605] = [part("a", 50, "a"), part("b", 40, "bc"), part("c", 90, "abcd")]
    assert keys(hidden_over(months, [QUARTERS[1]])) == ["a", "b"]
    assert keys(hidden_over(months, [*QUARTERS, YEAR])) == ["a", "b"]
    months[202611] = [part("a", 50, "de"), part("b", 40, "fg"), part("c", 90, "abcd")]
    assert keys(hidden_over(months, [QUARTERS[1]])) == ["a", "b"]
    assert keys(hidden_over(months, [*QUARTERS, YEAR])) == []


# ---- the reader who holds everything
def known_sums(months: Months, *, only_totals: bool = False) -> tuple[np.ndarray, list[Part]]:
    """A row for each figure that a year of reports shows, a column for each part of each month."""
    places = [(month, each) for month, parts in months.items() for each in parts]
    papers = [([month], hidden_in(parts)) for month, parts in months.items()]
    papers += [(quarter, hidden_over(months, [quarter])) for quarter in QUARTERS]
    papers += [(YEAR, hidden_over(months, [*QUARTERS, YEAR]))]
    rows = []
    for span, hidden in papers:
        rows.append([int(month in span) for month, _ in places])
        if only_totals:
            continue
        for group in {each.group for _, each in places} - hidden.groups:
            rows.append([int(month in span and each.group == group) for month, each in places])
        for key in {each.key for _, each in places} - hidden.keys:
            rows.append([int(month in span and each.key == key) for month, each in places])
    return np.array(rows), [each for _, each in places]


def told(sums: np.ndarray, parts: Sequence[Part], pair: Iterable[str]) -> int:
    """How many figures can be worked out behind which only these two stand: by any subtraction whatever."""
    others = [number for number, each in enumerate(parts) if not each.behind <= set(pair)]
    outside = np.linalg.matrix_rank(sums[:, others]) if others else 0
    return int(np.linalg.matrix_rank(sums) - outside)


def nothing_is_told(months: Months) -> None:
    """But for what the sums of all services tell, which order P4.1 asks for."""
    sums, parts = known_sums(months)
    totals, _ = known_sums(months, only_totals=True)
    for pair in combinations(sorted(frozenset[str]().union(*(each.behind for each in parts))), LEAST_OPERATORS - 1):
        assert told(sums, parts, pair) == told(totals, parts, pair), (pair, months)


SERVICES = {"a": "land", "b": "land", "c": "social", "d": "social", "e": None}
behind = st.frozensets(st.sampled_from("pqrstu"), min_size=1, max_size=6)


@st.composite
def years(draw: st.DrawFn) -> Months:
    """Of a branch whose clerks mostly do what they do; in some months somebody is away."""
    usual = {key: draw(behind) for key in SERVICES}
    found: Months = {}
    for month in YEAR:
        away = draw(st.frozensets(st.sampled_from("pqrstu"), max_size=2))
        who = {key: usual[key] - away if draw(st.integers(0, 5)) else draw(behind) for key in SERVICES}
        weights = {key: draw(st.integers(1, 90)) for key in SERVICES}
        found[month] = [Part(key, weights[key], who[key], SERVICES[key]) for key in SERVICES if who[key]]
    return found


@settings(max_examples=60, deadline=None)
@given(years())
def test_whoever_holds_all_reports_of_a_year_works_out_nothing_of_two_operators(months: Months) -> None:
    nothing_is_told(months)


def test_the_reader_would_find_what_a_report_that_knows_of_no_other_gives_away() -> None:
    """That the reader of the test above is no fool: with quarters hidden by themselves only, he works it out."""
    months: Mapping[int, list[Part]] = {
        month: [part("a", 50, "a" if month == FEBRUARY else "abc"), part("b", 40, "abc")] for month in QUARTER
    }
    places = [(month, each) for month, parts in months.items() for each in parts]
    rows = [[int(month == each and (total or key.key == "a")) for each, key in places]
            for month in (JANUARY, MARCH) for total in (True, False)]  # fmt: skip
    rows += [[1] * 6, [int(key.key == "a") for _, key in places]]
    assert told(np.array(rows), [each for _, each in places], "ab") == 1


def test_two_months_that_swap_their_clerks_tell_how_much_more_one_did_and_are_not_shown_together() -> None:
    months = {
        JANUARY: [part("a", 50, "ab"), part("b", 40, "cd"), part("c", 90, "abcd")],
        FEBRUARY: [part("a", 50, "cd"), part("b", 40, "ab"), part("c", 90, "abcd")],
        MARCH: [part("a", 50, "abc"), part("b", 40, "abc"), part("c", 90, "abcd")],
    }
    assert keys(hidden_over(months, [QUARTER])) == ["a", "b"]


@pytest.mark.parametrize(("services", "shown"), [(4, True), (27, False)])
def test_so_many_operators_that_not_every_two_can_be_looked_at_leave_hidden_what_a_month_hides(
    services: int, shown: bool
) -> None:
    months = {
        month: [Part(f"s{place:02}", 10, frozenset({f"op-{month}-{place}"})) for place in range(services)]
        for month in QUARTER
    }
    assert (not hidden_over(months, [QUARTER]).keys) is shown
