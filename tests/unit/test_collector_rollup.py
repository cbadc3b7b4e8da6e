"""What calls and votes count for, and that any change is exactly the difference of before and after."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.model import CallRow, VoteRow
from collector.rollup import (
    AMOUNTS,
    CUTS,
    NOBODY,
    NOT_ELIGIBLE,
    REASON_OF,
    REASONS,
    STALE_AFTER_MS,
    Amounts,
    Joined,
    amounts,
    differences,
    keys,
)
from schemas.tables import LEFT_OUT, rollup_day

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


def of(*names: str, **amounts: int) -> Amounts:
    """Once each of ``names``, and the amounts given."""
    return tuple(amounts.get(name, int(name in names)) for name in AMOUNTS)


@pytest.mark.parametrize("outcome", OUTCOMES)
@pytest.mark.parametrize("rating", [1, 2, 3])
def test_a_vote_counts_whatever_became_of_the_call(outcome: str | None, rating: int) -> None:
    counted = amounts(call(outcome), vote(rating))
    assert counted[:2] == (1, 1)
    assert counted[2:5] == tuple(int(place == rating) for place in (1, 2, 3))
    assert not any(counted[5:])


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_a_silent_call_is_eligible_unless_nobody_was_served(outcome: str | None) -> None:
    reason = REASON_OF.get(outcome or "")
    assert amounts(call(outcome), None) == of("calls", reason or "eligible")


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
    assert {more for _, more in found} == {of("calls", "eligible", "exemplary")}


def test_what_does_not_change_a_figure_writes_nothing() -> None:
    assert differences([(Joined(call(), vote(2)), Joined(call("finished"), vote(2)))]) == []
    assert differences([(NOBODY, NOBODY)]) == []


def test_an_operator_named_later_takes_the_call_along() -> None:
    found = dict(differences([(Joined(call(operator=None), vote(1)), Joined(call(), vote(1)))]))
    assert found == {
        ("operator", "centre", "", 20261122): of(calls=-1, eligible=-1, bad=-1),
        ("operator", "centre", "op-1", 20261122): of("calls", "eligible", "bad"),
    }


def test_a_no_show_takes_a_silent_call_out_of_the_eligible_but_no_vote_out_of_anything() -> None:
    silent = differences([(Joined(call()), Joined(call("no_show")))])
    assert {more for _, more in silent} == {of("absent", eligible=-1)}
    assert differences([(Joined(call(), vote(1)), Joined(call("no_show"), vote(1)))]) == []


def test_a_silent_call_without_a_lit_pad_is_not_eligible_but_a_vote_in_it_counts() -> None:
    assert amounts(call("finished"), None, unavailable=True) == of("calls", "unlit")
    assert amounts(call("finished"), vote(1), unavailable=True) == of("calls", "eligible", "bad")
    flagged = differences([(Joined(call()), Joined(call(), unavailable=True))])
    assert {more for _, more in flagged} == {of("unlit", eligible=-1)}


def test_a_press_long_after_the_next_client_was_called_counts_for_nobody() -> None:
    lit = vote(1)._replace(after_ms=60_000)
    over = call("next_call")
    still_his = over._replace(ended_unix_ms=over.called_unix_ms + lit.after_ms - STALE_AFTER_MS)
    long_over = still_his._replace(ended_unix_ms=still_his.called_unix_ms + lit.after_ms - STALE_AFTER_MS - 1)
    assert amounts(still_his, lit) == of("calls", "eligible", "bad")
    assert amounts(long_over, lit) == of("calls", "eligible")  # his call, in which he did not vote


def test_only_a_next_call_makes_a_press_stale_not_an_end_that_the_pad_was_told_late() -> None:
    over = call()._replace(ended_unix_ms=call().called_unix_ms + 1)
    for outcome in OUTCOMES:
        counted = amounts(over._replace(outcome=outcome), vote(2)._replace(after_ms=600_000))
        if outcome in ("absent", "void"):  # their ends are the next call too, and silence says nothing in them
            assert counted == of("calls", REASON_OF[outcome])
        elif outcome != "next_call":
            assert counted == of("calls", "eligible", "good")


def test_the_next_call_heard_of_later_takes_a_stale_vote_out_of_the_figures() -> None:
    lit = vote(3)._replace(after_ms=60_000)
    over = call("next_call")._replace(ended_unix_ms=call().called_unix_ms + 5_000)
    assert {more for _, more in differences([(Joined(call(), lit), Joined(over, lit))])} == {of(exemplary=-1)}


def test_a_clock_that_was_set_back_within_a_call_takes_no_vote_out_of_the_figures() -> None:
    over = call("next_call")._replace(ended_unix_ms=call().called_unix_ms - 540_000)
    assert amounts(over, vote(1)._replace(after_ms=5_000)) == of("calls", "eligible", "bad")


def test_a_silent_call_of_a_service_that_is_not_rated_is_left_out_for_that_reason_whatever_its_end() -> None:
    for outcome in OUTCOMES:
        assert amounts(call(outcome)._replace(unrated=True), None, unavailable=True) == of("calls", "unrated")
    assert amounts(call()._replace(unrated=True), vote(2)) == of("calls", "eligible", "good")


def test_of_two_reasons_the_clients_own_is_told() -> None:
    assert amounts(call("no_show"), None, unavailable=True) == of("calls", "absent")


def test_the_table_has_a_column_for_every_amount() -> None:
    assert tuple(rollup_day.c.keys()) == ("cut", "branch", "key", "day", *AMOUNTS)
    assert LEFT_OUT == REASONS


lives = st.builds(
    lambda outcome, operator, rating, unlit, unrated: Joined(
        call(outcome, operator=operator)._replace(unrated=unrated), vote(rating) if rating else None, unlit
    ),
    st.sampled_from(OUTCOMES),
    st.sampled_from((None, "op-1", "op-2")),
    st.integers(0, 3),
    st.booleans(),
    st.sampled_from((None, False, True)),
)


@given(st.lists(st.one_of(st.just(NOBODY), lives), min_size=2, max_size=6))
def test_a_call_is_always_either_eligible_or_left_out_for_one_reason(life: list[Joined]) -> None:
    """Through any life of a call its rows add up, and what its steps add is what its end counts for."""
    sums: dict[tuple[str, str, str, int], list[int]] = {}
    for before, after in zip([NOBODY, *life], life, strict=False):
        if after.call is None and before.call is not None:
            break  # no call goes away again
        for key, more in differences([(before, after)]):
            row = sums.setdefault(key, [0] * len(AMOUNTS))
            sums[key] = [old + new for old, new in zip(row, more, strict=True)]
        named = {key: dict(zip(AMOUNTS, row, strict=True)) for key, row in sums.items() if any(row)}
        for row in named.values():
            assert row["calls"] == row["eligible"] + sum(row[reason] for reason in REASONS) == 1
            assert row["eligible"] >= row["bad"] + row["good"] + row["exemplary"]
        counted = amounts(*after)
        assert {key: tuple(row.values()) for key, row in named.items()} == (
            dict.fromkeys(keys(after.call), counted) if after.call is not None else {}
        )
