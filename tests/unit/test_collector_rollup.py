"""What calls and votes count for, and that any change is exactly the difference of before and after."""

import pytest

from collector.model import CallRow, VoteRow
from collector.rollup import CUTS, NOBODY, NOT_ELIGIBLE, STALE_AFTER_MS, Joined, amounts, differences, keys

OUTCOMES = (None, "finished", "left", "next_call", "end_of_day", "operator_closed", "reset", *sorted(NOT_ELIGIBLE))


def call(outcome: str | None = None, operator: str | None = "op-1", service: str | None = "passport") -> CallRow:
    return CallRow(
        "01kb3x9c00000001",
        "centre",
        "centre-01",
        operator,
        service,
        "t1",
        1795341600000,
        20261122,
        None,
        None,
        outcome,
        1,
        None,
    )


def vote(rating: int) -> VoteRow:
    return VoteRow("01kb3x9c00000001", "centre-01", rating, 2500, "11111111", 1, 1, 1795341600000)


@pytest.mark.parametrize("outcome", OUTCOMES)
@pytest.mark.parametrize("rating", [1, 2, 3])
def test_a_vote_counts_whatever_became_of_the_call(outcome: str | None, rating: int) -> None:
    counted = amounts(call(outcome), vote(rating))
    assert counted[:2] == (1, 1)
    assert counted[2:] == tuple(int(place == rating) for place in (1, 2, 3))


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_a_silent_call_is_eligible_unless_nobody_was_served(outcome: str | None) -> None:
    assert amounts(call(outcome), None) == (1, 0 if outcome in NOT_ELIGIBLE else 1, 0, 0, 0)


def test_every_call_is_once_in_every_cut_even_if_the_queue_did_not_say_whose_it_was() -> None:
    assert [key[0] for key in keys(call())] == list(CUTS)
    assert keys(call(operator=None, service=None)) == (
        ("branch", "centre", "", 20261122),
        ("service", "centre", "", 20261122),
        ("operator", "centre", "", 20261122),
        ("desk", "centre", "centre-01", 20261122),
    )


def test_a_new_call_with_its_vote_adds_to_four_rows_in_order_of_their_keys() -> None:
    found = differences([(NOBODY, Joined(call("finished"), vote(3)))])
    assert [key for key, _ in found] == sorted(keys(call()))
    assert {more for _, more in found} == {(1, 1, 0, 0, 1)}


def test_what_does_not_change_a_figure_writes_nothing() -> None:
    assert differences([(Joined(call(), vote(2)), Joined(call("finished"), vote(2)))]) == []
    assert differences([(NOBODY, NOBODY)]) == []


def test_an_operator_named_later_takes_the_call_along() -> None:
    found = dict(differences([(Joined(call(operator=None), vote(1)), Joined(call(), vote(1)))]))
    assert found == {
        ("operator", "centre", "", 20261122): (-1, -1, -1, 0, 0),
        ("operator", "centre", "op-1", 20261122): (1, 1, 1, 0, 0),
    }


def test_a_no_show_takes_a_silent_call_out_of_the_eligible_but_no_vote_out_of_anything() -> None:
    silent = differences([(Joined(call()), Joined(call("no_show")))])
    assert {more for _, more in silent} == {(0, -1, 0, 0, 0)}
    assert differences([(Joined(call(), vote(1)), Joined(call("no_show"), vote(1)))]) == []


def test_a_silent_call_without_a_lit_pad_is_not_eligible_but_a_vote_in_it_counts() -> None:
    assert amounts(call("finished"), None, unavailable=True) == (1, 0, 0, 0, 0)
    assert amounts(call("finished"), vote(1), unavailable=True) == (1, 1, 1, 0, 0)
    flagged = differences([(Joined(call()), Joined(call(), unavailable=True))])
    assert {more for _, more in flagged} == {(0, -1, 0, 0, 0)}


def test_a_press_long_after_the_next_client_was_called_counts_for_nobody() -> None:
    lit = vote(1)._replace(after_ms=60_000)
    over = call("next_call")
    still_his = over._replace(ended_unix_ms=over.called_unix_ms + lit.after_ms - STALE_AFTER_MS)
    long_over = still_his._replace(ended_unix_ms=still_his.called_unix_ms + lit.after_ms - STALE_AFTER_MS - 1)
    assert amounts(still_his, lit) == (1, 1, 1, 0, 0)
    assert amounts(long_over, lit) == (1, 1, 0, 0, 0)  # his call, in which he did not vote


def test_only_a_next_call_makes_a_press_stale_not_an_end_that_the_pad_was_told_late() -> None:
    over = call()._replace(ended_unix_ms=call().called_unix_ms + 1)
    for outcome in OUTCOMES:
        counted = amounts(over._replace(outcome=outcome), vote(2)._replace(after_ms=600_000))
        if outcome in ("absent", "void"):  # their ends are the next call too, and silence says nothing in them
            assert counted == (1, 0, 0, 0, 0)
        elif outcome != "next_call":
            assert counted == (1, 1, 0, 1, 0)


def test_the_next_call_heard_of_later_takes_a_stale_vote_out_of_the_figures() -> None:
    lit = vote(3)._replace(after_ms=60_000)
    over = call("next_call")._replace(ended_unix_ms=call().called_unix_ms + 5_000)
    assert {more for _, more in differences([(Joined(call(), lit), Joined(over, lit))])} == {(0, 0, 0, 0, -1)}


def test_a_clock_that_was_set_back_within_a_call_takes_no_vote_out_of_the_figures() -> None:
    over = call("next_call")._replace(ended_unix_ms=call().called_unix_ms - 540_000)
    assert amounts(over, vote(1)._replace(after_ms=5_000)) == (1, 1, 1, 0, 0)
