"""The call machine: every edge case of the queue systems study, section 5.1, and what holds for any sequence."""

from dataclasses import replace
from datetime import UTC, datetime, time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.feed import calls
from collector.feed.calls import expire, take
from collector.feed.model import Branch, BranchState, Event, Fact
from collector.feed.steps import Step, call_id, desks_changed, on_desk, until
from protocol.fields import CALL_ID
from protocol.messages import CallClosed, CallOpened

BRANCH = Branch(
    id="centre", timezone="Europe/Kyiv", day_ends=time(20), call_hours=4, no_call_services=frozenset({"back-office"})
)
NINE = int(datetime(2026, 11, 23, 9, tzinfo=UTC).timestamp() * 1000)  # 11:00 in Kyiv
MINUTE = 60_000
DAY = 86_400_000
ENDS_A_CALL = (*calls.ENDINGS, "closed")


class Desks:
    """A branch under test: says things at minutes after nine, remembers every fact."""

    def __init__(self) -> None:
        self.state = BranchState()
        self.facts: list[Fact] = []

    def say(
        self, kind: str, ticket: str | None = "A1", desk: str | None = "d1", *, at: float, **more: str
    ) -> list[Fact]:
        event = Event(
            event=f"e{len(self.facts)}",
            type=kind,
            occurred_unix_ms=NINE + round(at * MINUTE),
            desk=desk,
            ticket_key=ticket,
            ticket=ticket and "of-" + ticket,
            **more,
        )
        step = take(BRANCH, self.state, event)
        self.state = step.state
        self.facts.extend(step.facts)
        return list(step.facts)

    def open(self) -> dict[str, str]:
        return {desk: call.ticket_key for desk, call in self.state.calls.items() if call.open}

    def said(self, *fields: str) -> list[tuple[object, ...]]:
        return [tuple(getattr(fact, name) for name in fields) for fact in self.facts]


@pytest.fixture
def desks() -> Desks:
    return Desks()


def test_a_called_ticket_opens_a_call_with_everything_known_of_it(desks: Desks) -> None:
    [fact] = desks.say("called", at=0, operator="op", service="passport")
    assert fact == Fact(
        event="e0",
        type="called",
        occurred_unix_ms=NINE,
        call=call_id("centre", "d1", "A1", NINE),
        called_unix_ms=NINE,
        desk="d1",
        operator="op",
        service="passport",
        ticket="of-A1",
    )
    assert on_desk(desks.state.calls["d1"]) == CallOpened(
        call_id("centre", "d1", "A1", NINE), NINE, NINE + 4 * 3_600_000
    )


def test_a_recall_goes_on_with_the_same_call(desks: Desks) -> None:
    [called] = desks.say("called", at=0)
    before = desks.state
    for kind in ("called", "recalled"):
        [again] = desks.say(kind, at=1)
        assert (again.type, again.call, again.called_unix_ms) == ("recalled", called.call, NINE)
    assert desks_changed(before, desks.state) == ()


def test_a_recall_that_overtook_its_call_opens_it_and_the_call_then_is_the_recall(desks: Desks) -> None:
    [first] = desks.say("recalled", at=1)
    [second] = desks.say("called", at=0)
    assert first.call == second.call is not None


def test_a_call_without_finish_is_closed_by_the_next(desks: Desks) -> None:
    [first] = desks.say("called", "A1", at=0)
    closed, called = desks.say("called", "A2", at=5)
    assert (closed.type, closed.reason, closed.call) == ("closed", "next_call", first.call)
    assert (closed.occurred_unix_ms, closed.ticket) == (NINE + 5 * MINUTE, "of-A1")
    assert called.call not in (None, first.call)
    assert desks.open() == {"d1": "A2"}


def test_one_click_that_ends_one_ticket_and_calls_the_next_within_a_second_opens_the_next(desks: Desks) -> None:
    desks.say("called", "A1", at=0)
    desks.say("no_show", "A1", at=5)
    desks.say("called", "A2", at=5)
    assert desks.open() == {"d1": "A2"}


def test_a_transferred_ticket_is_closed_here_and_a_new_call_there(desks: Desks) -> None:
    [first] = desks.say("called", at=0)
    [over] = desks.say("transferred", at=3)
    assert (over.call, over.type) == (first.call, "transferred")
    assert isinstance(on_desk(desks.state.calls["d1"]), CallClosed)
    [second] = desks.say("called", desk="d2", at=3)
    assert second.call not in (None, first.call)
    assert desks.open() == {"d2": "A1"}


def test_a_ticket_that_returns_to_the_same_desk_is_a_new_call(desks: Desks) -> None:
    [first] = desks.say("called", at=0)
    desks.say("transferred", at=3)
    [second] = desks.say("called", at=30)
    assert second.call not in (None, first.call)


def test_a_ticket_that_was_held_and_is_called_again_is_a_new_call(desks: Desks) -> None:
    [first] = desks.say("called", at=0)
    [held] = desks.say("held", at=1)
    desks.say("called", "A2", at=2)
    desks.say("requeued", "A1", None, at=3)
    closed, second = desks.say("called", at=9)
    assert held.call == first.call != second.call
    assert closed.ticket == "of-A2"


def test_service_resumed_from_hold_without_a_call_opens_one(desks: Desks) -> None:
    desks.say("called", at=0)
    desks.say("held", at=1)
    [resumed] = desks.say("started", at=5)
    assert resumed.call is not None
    assert desks.open() == {"d1": "A1"}


def test_a_no_show_ends_the_call(desks: Desks) -> None:
    [called] = desks.say("called", at=0)
    [over] = desks.say("no_show", at=2)
    assert (over.call, over.type) == (called.call, "no_show")
    assert desks.open() == {}


@pytest.mark.parametrize("kind", calls.ENDINGS)
def test_every_ending_ends_its_own_call_only(desks: Desks, kind: str) -> None:
    desks.say("called", "A1", "d1", at=0)
    desks.say("called", "A2", "d2", at=0)
    assert [fact.call for fact in desks.say(kind, "A2", "d1", at=1)] == [None]
    [over] = desks.say(kind, "A1", "d1", at=1)
    assert over.call is not None
    assert desks.open() == {"d2": "A2"}


def test_an_ending_that_names_no_desk_ends_the_call_wherever_it_is(desks: Desks) -> None:
    desks.say("called", "A1", "d2", at=0)
    [over] = desks.say("left", "A1", None, at=1)
    assert over.desk == "d2"
    assert desks.open() == {}


def test_a_service_without_calls_never_arms_but_ends_what_was_open(desks: Desks) -> None:
    desks.say("called", "A1", at=0)
    closed, called = desks.say("called", "B1", at=1, service="back-office")
    assert (closed.reason, called.call, called.desk) == ("next_call", None, "d1")
    [started] = desks.say("started", "B1", at=2, service="back-office")
    assert started.call is None
    assert desks.open() == {}


def test_started_without_a_call_opens_one(desks: Desks) -> None:
    [started] = desks.say("started", at=0)
    assert (started.type, started.called_unix_ms) == ("started", NINE)
    assert desks.open() == {"d1": "A1"}


def test_started_after_called_is_the_same_call_and_may_name_another_service(desks: Desks) -> None:
    [called] = desks.say("called", at=0, operator="first", service="passport")
    [started] = desks.say("started", at=1, service="residence")
    assert (started.call, started.operator, started.service) == (called.call, "first", "residence")


def test_an_older_word_about_an_open_call_does_not_undo_a_newer_one(desks: Desks) -> None:
    desks.say("called", at=0, service="passport")
    desks.say("started", at=2, service="residence")
    [late] = desks.say("recalled", at=1, service="passport")
    assert late.service == "residence"


def test_a_late_call_never_closes_a_newer_one(desks: Desks) -> None:
    desks.say("called", "A2", at=5)
    [late] = desks.say("called", "A1", at=4)
    assert (late.call, late.desk) == (None, "d1")
    assert desks.open() == {"d1": "A2"}


def test_of_two_tickets_called_to_a_desk_at_one_moment_the_first_to_come_stands(desks: Desks) -> None:
    desks.say("called", "A1", at=0)
    desks.say("finished", "A1", at=1)
    assert [fact.call for fact in desks.say("called", "A2", at=0)] == [None]
    assert desks.open() == {}


def test_a_call_older_than_the_service_that_goes_on_is_late(desks: Desks) -> None:
    desks.say("called", "A1", at=0)
    desks.say("started", "A1", at=5)
    assert [fact.call for fact in desks.say("called", "A2", at=3)] == [None]
    assert desks.open() == {"d1": "A1"}


def test_a_late_call_to_an_idle_desk_does_not_take_the_ticket_from_where_it_is(desks: Desks) -> None:
    desks.say("called", "A1", "d2", at=5)
    assert [fact.call for fact in desks.say("called", "A1", "d1", at=4)] == [None]
    assert desks.open() == {"d2": "A1"}


def test_a_call_ends_no_earlier_than_the_last_that_was_heard_of_it(desks: Desks) -> None:
    desks.say("called", at=0)
    desks.say("started", at=5)
    desks.say("finished", at=3)
    over = on_desk(desks.state.calls["d1"])
    assert isinstance(over, CallClosed)
    assert over.closed_unix_ms == NINE + 5 * MINUTE
    assert [fact.call for fact in desks.say("called", at=5)] == [None]


def test_a_colleague_who_starts_recalls_or_finishes_does_not_inherit_the_call(desks: Desks) -> None:
    desks.say("called", at=0, operator="first")
    [again] = desks.say("called", at=1, operator="colleague")
    [started] = desks.say("started", at=2, operator="colleague")
    [over] = desks.say("finished", at=3, operator="colleague")
    assert (again.operator, started.operator, over.operator) == ("first", "first", "first")


def test_a_no_show_and_the_next_call_may_fall_into_one_and_the_same_second(desks: Desks) -> None:
    desks.say("called", "A1", at=5)
    desks.say("no_show", "A1", at=5)
    desks.say("called", "A2", at=5)
    assert desks.open() == {"d1": "A2"}


def test_an_ending_may_be_the_first_to_name_operator_and_service(desks: Desks) -> None:
    desks.say("called", at=0)
    [over] = desks.say("finished", at=5, operator="op-2", service="passport")
    assert (over.operator, over.service) == ("op-2", "passport")


def test_a_late_recall_never_reopens_a_closed_call(desks: Desks) -> None:
    desks.say("called", at=0)
    desks.say("finished", at=5)
    for kind in ("called", "recalled", "recovered"):
        assert [fact.call for fact in desks.say(kind, at=4)] == [None]
    assert desks.open() == {}


def test_a_late_ending_of_an_earlier_call_leaves_the_new_one_of_the_same_ticket_open(desks: Desks) -> None:
    desks.say("called", at=0)
    desks.say("transferred", at=1)
    desks.say("called", at=10)
    assert [fact.call for fact in desks.say("finished", at=9)] == [None]
    assert desks.open() == {"d1": "A1"}


def test_a_call_that_the_queue_ended_is_not_ended_a_second_time(desks: Desks) -> None:
    desks.say("called", "A1", at=0)
    desks.say("finished", "A1", at=5)
    assert [fact.call for fact in desks.say("no_show", "A1", at=6)] == [None]


def test_when_two_operators_call_one_client_the_last_call_wins(desks: Desks) -> None:
    [first] = desks.say("called", "A1", "d1", at=0)
    closed, second = desks.say("called", "A1", "d2", at=1)
    assert (closed.call, closed.reason, closed.desk) == (first.call, "called_elsewhere", "d1")
    assert second.desk == "d2"
    assert desks.open() == {"d2": "A1"}
    [late] = desks.say("recalled", "A1", "d1", at=0.5)
    assert late.call is None


def test_a_call_elsewhere_also_ends_what_is_open_there(desks: Desks) -> None:
    desks.say("called", "A1", "d1", at=0)
    desks.say("called", "A2", "d2", at=0)
    facts = desks.say("called", "A1", "d2", at=1)
    assert {(fact.desk, fact.reason) for fact in facts[:2]} == {("d1", "called_elsewhere"), ("d2", "next_call")}
    assert desks.open() == {"d2": "A1"}


def test_the_end_of_the_day_closes_what_is_open_at_that_moment(desks: Desks) -> None:
    [called] = desks.say("called", at=8 * 60 + 59)  # 19:59 in Kyiv
    eight = NINE + 9 * 60 * MINUTE
    assert expire(BRANCH, desks.state, eight - 1).facts == ()
    assert len(expire(BRANCH, desks.state, eight).facts) == 1
    step = expire(BRANCH, desks.state, eight + DAY)
    assert [(fact.call, fact.reason, fact.occurred_unix_ms) for fact in step.facts] == [
        (called.call, "end_of_day", eight)
    ]
    assert expire(BRANCH, step.state, eight + 2 * DAY) == Step(step.state)


def test_a_call_is_over_when_its_hours_are_before_anything_later_is_looked_at(desks: Desks) -> None:
    [first] = desks.say("called", at=0)
    closed, second = desks.say("called", at=4 * 60 + 1)
    assert (closed.call, closed.reason) == (first.call, "end_of_day")
    assert second.call not in (None, first.call)


def test_a_ticket_key_used_again_on_another_day_is_a_new_call_though_nobody_closed_the_old(desks: Desks) -> None:
    [first] = desks.say("called", at=0)
    closed, second = desks.say("called", at=24 * 60)
    assert (closed.call, closed.reason) == (first.call, "end_of_day")
    assert second.type == "called"
    assert second.call not in (None, first.call)


def test_a_reset_closes_everything_that_was_called_before_it(desks: Desks) -> None:
    desks.say("called", "A1", "d1", at=0)
    desks.say("called", "A2", "d2", at=0)
    desks.say("called", "A3", "d3", at=9)
    facts = desks.say("reset", None, None, at=5)
    assert [(fact.type, fact.reason, fact.desk) for fact in facts] == [
        ("reset", None, None),
        ("closed", "reset", "d1"),
        ("closed", "reset", "d2"),
    ]
    assert desks.open() == {"d3": "A3"}


def test_an_operator_who_logs_off_closes_the_call_of_that_desk(desks: Desks) -> None:
    desks.say("called", "A1", "d1", at=0, operator="op-1")
    desks.say("called", "A2", "d2", at=0, operator="op-2")
    _, closed = desks.say("operator_closed", None, "d1", at=1, operator="op-1")
    assert (closed.reason, closed.operator) == ("operator_closed", "op-1")
    assert desks.open() == {"d2": "A2"}


def test_an_operator_who_logs_off_somewhere_closes_the_calls_of_that_operator(desks: Desks) -> None:
    desks.say("called", "A1", "d1", at=0, operator="op-1")
    desks.say("called", "A2", "d2", at=0, operator="op-2")
    desks.say("operator_closed", None, None, at=1, operator="op-2")
    assert desks.open() == {"d1": "A1"}


def test_the_log_off_of_a_former_operator_leaves_the_successors_call_open(desks: Desks) -> None:
    desks.say("called", "A1", "d1", at=0, operator="op-2")
    desks.say("operator_closed", None, "d1", at=1, operator="op-1")
    desks.say("operator_closed", None, "d1", at=-1, operator="op-2")
    assert desks.open() == {"d1": "A1"}


def test_a_call_to_a_desk_nobody_can_name_arms_no_pad(desks: Desks) -> None:
    desks.say("called", "A1", "d1", at=0)
    [stray] = desks.say("called", "A1", None, at=1)
    assert (stray.call, stray.desk) == (None, None)
    [recall] = desks.say("recalled", "A1", None, at=2)
    assert recall.desk == "d1"
    assert desks.open() == {"d1": "A1"}


@pytest.mark.parametrize("kind", ["issued", "requeued", "operator_opened", "operator_paused"])
def test_what_is_not_about_a_call_passes_through_without_one(desks: Desks, kind: str) -> None:
    desks.say("called", at=0)
    before = desks.state
    [fact] = desks.say(kind, at=1, operator="op")
    assert (fact.type, fact.call, fact.ticket, fact.operator) == (kind, None, "of-A1", "op")
    assert desks.state == before


def test_a_call_is_trusted_for_its_hours_but_never_past_the_end_of_the_day() -> None:
    def local(text: str) -> int:
        return int(datetime.fromisoformat(text).timestamp() * 1000)

    cases = {
        "2026-11-23T11:00:00+02:00": "2026-11-23T15:00:00+02:00",
        "2026-11-23T16:30:00+02:00": "2026-11-23T20:00:00+02:00",
        "2026-11-23T20:00:00+02:00": "2026-11-24T00:00:00+02:00",  # after hours: the next day's end bounds it
        "2026-10-25T01:00:00+03:00": "2026-10-25T04:00:00+02:00",  # the night that is an hour longer
    }
    for called, ends in cases.items():
        assert until(BRANCH, local(called)) == local(ends), called
    all_day = replace(BRANCH, call_hours=24)
    assert until(all_day, local("2026-11-23T21:00:00+02:00")) == local("2026-11-24T20:00:00+02:00")


def test_a_call_id_is_legal_sorts_by_time_and_depends_on_all_four() -> None:
    ids = [
        call_id("b", "d", "t", NINE),
        call_id("c", "d", "t", NINE),
        call_id("b", "e", "t", NINE),
        call_id("b", "d", "u", NINE),
        call_id("b", "d", "t", NINE + 1),
    ]
    assert len(set(ids)) == 5
    assert all(CALL_ID.problem(each) is None for each in ids)
    assert ids[4] == max(ids)
    assert call_id("b", "d", "t", NINE) == ids[0]


# ---- for any sequence
events = st.builds(
    lambda kind, minute, desk, ticket, operator, service: Event(
        event="",
        type=kind,
        occurred_unix_ms=NINE + minute * 20 * MINUTE,
        desk=desk,
        ticket_key=ticket,
        ticket=ticket,
        operator=operator,
        service=service,
    ),
    st.sampled_from(("called",) * 6 + ("recalled", "started", *calls.ENDINGS, "operator_closed", "reset", "requeued")),
    st.integers(0, 40),
    st.sampled_from(["d1", "d1", "d2", "d3", None]),
    st.sampled_from(["A1", "A2", "A3", "A4"]),
    st.sampled_from(["op-1", "op-2", None]),
    st.sampled_from(["passport", "back-office", None]),
)


def run(said: list[Event]) -> tuple[list[BranchState], list[Fact]]:
    states: list[BranchState] = [BranchState()]
    facts: list[Fact] = []
    for event in said:
        step = take(BRANCH, states[-1], event)
        states.append(step.state)
        facts.extend(step.facts)
    return states, facts


@given(st.lists(events, max_size=40))
def test_at_most_one_call_is_open_at_a_desk_and_one_desk_has_a_ticket(said: list[Event]) -> None:
    for state in run(said)[0]:
        tickets = [call.ticket_key for call in state.calls.values() if call.open]
        assert len(tickets) == len(set(tickets))


@given(st.lists(events, max_size=40))
def test_every_call_that_is_spoken_of_is_opened_first_and_ended_by_the_queue_at_most_once(said: list[Event]) -> None:
    states, facts = run(said)
    facts = [*facts, *expire(BRANCH, states[-1], NINE + 3 * DAY).facts]
    closed: set[str] = set()
    by_the_queue: set[str] = set()
    opened: set[str] = set()
    for fact in facts:
        if fact.call is None:
            continue
        assert fact.call not in by_the_queue or fact.type == "started", f"{fact} comes after the call's end"
        if fact.type in ENDS_A_CALL:
            assert fact.call in opened
            assert fact.call not in closed or fact.type != "closed" or fact.reason in ("resumed", "next_call")
            closed.add(fact.call)
            if fact.type != "closed":
                by_the_queue.add(fact.call)
        else:
            assert fact.call in opened or fact.type in calls.SUMMONS
            assert fact.call not in closed or fact.type == "started"
            opened.add(fact.call)
    assert opened == closed


@given(st.lists(events, max_size=40))
def test_a_call_never_changes_its_operator(said: list[Event]) -> None:
    operators: dict[str, str] = {}
    for fact in run(said)[1]:
        if fact.call is not None and fact.operator is not None:
            assert operators.setdefault(fact.call, fact.operator) == fact.operator


@given(st.lists(events, max_size=40))
def test_a_desks_calls_never_go_back_in_time(said: list[Event]) -> None:
    states, _ = run(said)
    for before, after in pairwise(states):
        for desk, call in before.calls.items():
            assert after.calls[desk].called_unix_ms >= call.called_unix_ms
            if call.ending != "end_of_day":  # our clock's word alone, and that may have been wrong
                assert after.calls[desk].changed_unix_ms >= call.changed_unix_ms


@given(st.lists(events, max_size=30), st.data())
def test_what_came_in_order_and_comes_again_changes_nothing(said: list[Event], data: st.DataObject) -> None:
    in_order = [
        replace(event, occurred_unix_ms=NINE + place * MINUTE) for place, event in enumerate(said) if event.desk
    ]
    states, _ = run(in_order)
    again = data.draw(st.integers(0, len(in_order)))
    for event in in_order[:again]:
        step = take(BRANCH, states[-1], event)
        assert desks_changed(states[-1], step.state) == ()
        assert step.state == states[-1]


def test_the_day_ends_once_when_the_clocks_go_back() -> None:
    """03:30 comes twice that night; a call at the second 03:10 is trusted until the day's end after it."""
    branch = Branch("centre", "Europe/Kyiv", time(3, 30))
    second_ten_past_three = 1792890600000  # 2026-10-25 01:10 UTC
    assert second_ten_past_three < until(branch, second_ten_past_three) <= second_ten_past_three + 4 * 3_600_000


def test_our_clock_hours_ahead_for_a_minute_does_not_make_the_queue_late_for_hours(desks: Desks) -> None:
    desks.say("called", "A1", "d1", at=0)
    desks.say("called", "B1", "d2", at=0)
    desks.state = expire(BRANCH, desks.state, NINE + 12 * 60 * MINUTE).state
    assert desks.open() == {}
    desks.say("called", "A2", "d1", at=1)
    desks.say("called", "B1", "d3", at=1)
    assert desks.open() == {"d1": "A2", "d3": "B1"}
    desks.say("called", "A3", "d1", at=2)
    assert desks.open() == {"d1": "A3", "d3": "B1"}
    desks.state = expire(BRANCH, desks.state, NINE + 12 * 60 * MINUTE).state
    desks.say("finished", "A3", "d1", at=3)
    for place, ticket in enumerate(("A4", "A5", "A6"), start=4):
        desks.say("called", ticket, "d1", at=place)
        assert desks.open() == {"d1": ticket}
