"""The rules of the join, one by one. Any order of everything is in test_join_properties.py."""

from itertools import permutations

import pytest

from collector import join
from collector.model import KNOWN, REPEAT, REUSED_NUMBER, TAKEN, WAITING, WRONG_DESK, CallRow, VoteRow
from protocol.messages import CLOSE_REASONS, EVENT_TYPES, QueueEvent

CALL, OTHER = "01kb3x9c00000001", "01kb3x9c00000002"
CALLED = 1795341600000


def event(type: str, seq: int, at_s: int = 0, **changes: object) -> QueueEvent:  # noqa: A002 - the wire's name
    fields: dict[str, object] = {
        "event": f"e{seq}",
        "journal": "0badcafe",
        "seq": seq,
        "type": type,
        "occurred_unix_ms": CALLED + at_s * 1000,
        "call": CALL,
        "called_unix_ms": CALLED,
        "desk": "centre-01",
        "operator": "op-1",
        "service": "passport",
        "ticket": "t1",
    }
    return QueueEvent(**(fields | changes))  # type: ignore[arg-type]


def row_of(*events: QueueEvent) -> CallRow:
    first, *others = events
    row = join.first_word(first, "centre", 20261122)
    for each in others:
        row = join.merge(row, each)
    return row


def vote(seq: int = 1, rating: int = 3, *, call: str = CALL, desk: str = "centre-01") -> VoteRow:
    return VoteRow(call, desk, rating, 2500, "11111111", 1, seq, CALLED)


def test_every_order_of_events_leaves_the_same_call() -> None:
    events = (
        event("called", 1),
        event("started", 2, 20),
        event("started", 3, 25),
        event("recalled", 4, 30, operator="op-2"),
        event("finished", 5, 300, operator="op-3"),
    )
    rows = {row_of(*order) for order in permutations(events)}
    (row,) = rows
    assert (row.operator, row.started_unix_ms, row.outcome, row.ended_unix_ms) == (
        "op-3",
        CALLED + 20_000,
        "finished",
        CALLED + 300_000,
    )


def test_an_event_heard_again_changes_nothing() -> None:
    row = row_of(event("called", 1), event("finished", 2, 60))
    assert join.merge(row, event("finished", 2, 60)) is row
    assert join.merge(row, event("called", 1)) is row


def test_of_two_endings_the_one_with_the_higher_number_holds() -> None:
    ended = row_of(event("called", 1), event("no_show", 3, 60), event("finished", 2, 50))
    assert (ended.outcome, ended.ended_unix_ms) == ("no_show", CALLED + 60_000)


@pytest.mark.parametrize("reason", CLOSE_REASONS)
def test_a_closed_call_has_its_reason_as_outcome(reason: str) -> None:
    assert row_of(event("called", 1), event("closed", 2, 60, reason=reason)).outcome == reason


@pytest.mark.parametrize("type", ["called", "recalled", "started", "requeued", "issued", "operator_paused"])
def test_a_call_is_open_until_an_event_ends_it(type: str) -> None:  # noqa: A002
    assert row_of(event("called", 1), event(type, 2, 10)).outcome is None


@pytest.mark.parametrize("type", [each for each in EVENT_TYPES if each != "closed"])
def test_any_event_that_names_a_call_is_enough_to_know_it(type: str) -> None:  # noqa: A002
    row = row_of(event(type, 9, 60))
    assert (row.id, row.desk, row.operator, row.service, row.called_unix_ms) == (
        CALL,
        "centre-01",
        "op-1",
        "passport",
        CALLED,
    )


def test_an_event_that_contradicts_its_call_is_refused() -> None:
    row = row_of(event("called", 1))
    assert join.contradiction(row, event("finished", 2), "centre") is None
    assert join.contradiction(row, event("finished", 2), "zamostia") == "the call belongs to the branch centre"
    assert (
        join.contradiction(row, event("finished", 2, desk="centre-02"), "centre") == "the call is at the desk centre-01"
    )
    moved = join.contradiction(row, event("finished", 2, called_unix_ms=CALLED + 1), "centre")
    assert moved == f"the call was called at {CALLED}"


def test_an_event_that_names_a_call_must_say_where_and_when() -> None:
    assert join.problem_of(event("called", 1)) is None
    assert join.problem_of(event("called", 1, desk=None)) == "names a call but no desk"
    assert join.problem_of(event("called", 1, called_unix_ms=None)) == "names a call but not when it was called"
    assert join.problem_of(event("closed", 1)) == "closes a call without a reason"


def test_the_first_vote_of_a_call_is_taken() -> None:
    assert join.judge(vote(), row_of(event("called", 1)), None, None) == TAKEN


def test_a_vote_after_the_end_of_its_call_is_taken_all_the_same() -> None:
    assert join.judge(vote(), row_of(event("called", 1), event("closed", 2, reason="next_call")), None, None) == TAKEN


def test_a_vote_before_its_call_waits() -> None:
    assert join.judge(vote(), None, None, None) == WAITING


def test_the_same_vote_again_is_known_with_or_without_its_call() -> None:
    assert join.judge(vote(), row_of(event("called", 1)), vote(), vote()) == KNOWN
    assert join.judge(vote(), None, vote(), vote()) == KNOWN


def test_a_second_vote_in_a_call_is_a_repeat() -> None:
    assert join.judge(vote(2), row_of(event("called", 1)), vote(1), None) == REPEAT
    assert join.judge(vote(2), None, vote(1), None) == REPEAT


def test_a_copy_of_the_vote_under_another_number_is_known_and_no_repeat() -> None:
    first = vote(1)
    assert join.judge(first._replace(journal="99999999", seq=77), None, first, None) == KNOWN
    for other in ({"boot": 9}, {"after_ms": 9}, {"rating": 2}):
        assert join.judge(first._replace(journal="99999999", **other), None, first, None) == REPEAT


def test_a_vote_for_another_desks_call_is_refused() -> None:
    assert join.judge(vote(desk="centre-02"), row_of(event("called", 1)), None, None) == WRONG_DESK


@pytest.mark.parametrize("earlier", [vote(1, call=OTHER), vote(1, rating=1)])
def test_a_number_that_a_pad_used_for_another_vote_is_not_mistaken_for_it(earlier: VoteRow) -> None:
    assert join.judge(vote(1), row_of(event("called", 1)), None, earlier) == REUSED_NUMBER
