"""Every edge case of the queue systems study, section 5.1: a named test each. Those that need the store, a clock or
any order of events stand in test_feed_edge_orders.py.

case                                          tests
Recall of same ticket                         test_a_recall_goes_on_with_the_same_call_and_the_pad_hears_nothing
Same ticket called again later                test_a_ticket_called_again_after_a_transfer_or_hold_is_a_new_call
Transfer to other desk                        test_a_transfer_closes_here_and_the_next_call_opens_there
Next called without finish                    test_the_next_call_ends_the_open_one_by_implication,
                                              test_who_was_called_in_vain_is_absent_where_the_office_says_so
Operator logs off with client                 test_an_operator_who_logs_off_leaves_an_abandoned_call_that_stays_theirs
Client never shows                            test_a_no_show_disarms_and_counts_only_with_a_vote_which_is_doubtful,
                                              test_a_no_show_entered_after_the_next_call_corrects_the_ending_alone
Parallel clients of one operator              test_the_pad_follows_whoever_was_called_or_resumed_last_at_the_desk,
                                              test_a_client_served_in_two_halves_is_eligible_once
Several services in one visit                 test_a_visit_of_several_services_is_one_call_of_the_last_said
Press before service starts                   test_the_phase_of_a_press_is_known_from_its_call
No-call services, back office                 test_a_service_that_is_never_called_arms_nothing_while_that_holds
Late vote (pad offline)                       test_a_late_vote_is_joined_by_its_call_id
Pad missed the arm                            test_a_pad_that_missed_its_call_is_told_it_again_with_the_same_id_and_end
Duplicate (QoS 1, retries, TheQ retry)        test_a_repeated_event_changes_nothing
Out of order                                  test_an_older_event_never_reopens_and_a_late_end_still_counts
Phantom call (rolled back)                    test_a_call_taken_back_within_seconds_is_void_unless_it_was_spoken_of
Clock skew                                    test_a_clock_set_back_stops_no_desk_for_longer_than_three_calls,
                                              test_a_clock_that_is_ahead_makes_nothing_late
Reused ids and numbers                        test_a_number_that_comes_back_another_day_is_another_call
Nightly wipe without events                   test_the_end_of_the_day_closes_what_a_wipe_forgot,
                                              test_a_branch_open_round_the_clock_closes_what_is_idle
Desk unknown                                  test_a_call_to_no_known_desk_arms_no_pad_and_is_listed
Two operators call one client                 test_the_last_of_two_operators_wins_and_a_vote_at_the_first_is_doubtful
Adapter restart                               test_a_recovered_call_is_not_armed_anew

Operator moved to another desk                test_an_operator_who_calls_elsewhere_has_left_the_first_desk
"""

import ast
import re
from dataclasses import replace
from pathlib import Path

import pytest

from collector import join, rollup
from collector.feed.model import NoCall
from collector.feed.steps import call_id, on_desk
from collector.model import VoteRow
from protocol.messages import CallClosed, CallOpened
from tests.feed_desks import BRANCH, DAY, HOUR, MINUTE, NINE, SECOND, Desks


@pytest.fixture
def desks() -> Desks:
    return Desks()


def vote(call: str, *, after_ms: int = 1000) -> VoteRow:
    return VoteRow(call, "d1", 1, after_ms, "deadbeef", 1, 1, NINE + 3 * DAY)


def test_a_recall_goes_on_with_the_same_call_and_the_pad_hears_nothing(desks: Desks) -> None:
    desks.say("called", at=0)
    told = desks.told
    for kind in ("called", "recalled", "recovered", "started"):
        desks.say(kind, at=1)
    assert (len(desks.rows), desks.told, desks.pad()) == (1, told, "A1")


@pytest.mark.parametrize("kind", ["transferred", "held"])
def test_a_ticket_called_again_after_a_transfer_or_hold_is_a_new_call(desks: Desks, kind: str) -> None:
    desks.say("called", at=0)
    desks.say(kind, at=1)
    desks.say("called", at=30)
    assert desks.outcomes() == [kind, None]
    assert desks.eligible("A1") == 1  # per visit: the last leg
    assert rollup.amounts(desks.rows[min(desks.rows)], vote(min(desks.rows)))[1] == 1  # per leg: if it was voted on


def test_a_transfer_closes_here_and_the_next_call_opens_there(desks: Desks) -> None:
    desks.say("called", at=0)
    desks.say("transferred", at=3)
    assert desks.pad() is None
    desks.say("called", desk="d2", at=3)
    assert (desks.pad(), desks.pad("d2"), desks.eligible("A1")) == (None, "A1", 1)


def test_the_next_call_ends_the_open_one_by_implication(desks: Desks) -> None:
    desks.say("called", "A1", at=0)
    desks.say("called", "A2", at=5)
    assert desks.outcomes() == ["next_call", None]
    assert (desks.pad(), desks.eligible("A1")) == ("A2", 1)


def test_who_was_called_in_vain_is_absent_where_the_office_says_so() -> None:
    for absent_ms, started, outcome, eligible in (
        (0, False, "next_call", 1),
        (20 * SECOND, False, "absent", 0),
        (20 * SECOND, True, "next_call", 1),
    ):
        desks = Desks(replace(BRANCH, absent_ms=absent_ms))
        desks.say("called", "A1", at=0)
        if started:
            desks.say("started", "A1", at=0.1)
        desks.say("called", "A2", at=0.25)
        assert (desks.outcomes("A1"), desks.eligible("A1")) == ([outcome], eligible)


def test_a_start_heard_too_late_takes_the_absence_back() -> None:
    desks = Desks(replace(BRANCH, absent_ms=20 * SECOND))
    desks.say("called", "A1", at=0)
    desks.say("called", "A2", at=0.25)
    told = desks.told
    desks.say("started", "A1", at=0.1)
    assert (desks.outcomes("A1"), desks.told, desks.pad()) == (["next_call"], told, "A2")
    assert next(row for row in desks.rows.values() if row.ticket == "of-A1").started_unix_ms == NINE + 6 * SECOND


def test_an_operator_who_logs_off_leaves_an_abandoned_call_that_stays_theirs(desks: Desks) -> None:
    desks.say("called", at=0, operator="op-1")
    desks.say("operator_closed", None, at=1, operator="op-1")
    [row] = desks.rows.values()
    assert (row.outcome, row.operator, desks.pad()) == ("operator_closed", "op-1", None)


def test_a_login_taken_over_by_another_abandons_what_was_open(desks: Desks) -> None:
    desks.say("called", at=0, operator="op-1")
    desks.say("operator_opened", None, at=1, operator="op-2")
    assert desks.outcomes() == ["operator_closed"]


def test_a_no_show_disarms_and_counts_only_with_a_vote_which_is_doubtful(desks: Desks) -> None:
    desks.say("called", at=0)
    desks.say("no_show", at=2)
    [row] = desks.rows.values()
    assert (desks.pad(), desks.eligible("A1")) == (None, 0)
    assert rollup.amounts(row, vote(row.id))[1] == 1
    assert join.is_doubtful(row)
    assert not join.is_doubtful(row._replace(outcome="finished"))


def test_a_no_show_entered_after_the_next_call_corrects_the_ending_alone(desks: Desks) -> None:
    desks.say("called", "A1", at=0, operator="op-1")
    desks.say("called", "A2", at=5)
    told, before = desks.told, desks.state.calls
    [late] = desks.say("no_show", "A1", at=9, operator="op-2")
    assert (late.type, late.operator, late.occurred_unix_ms) == ("no_show", "op-1", NINE + 5 * MINUTE)
    assert (desks.outcomes("A1"), desks.eligible("A1")) == (["no_show"], 0)
    assert (desks.told, desks.state.calls) == (told, before)
    assert desks.say("finished", "A1", at=10)[0].call is None  # what the queue has ended is ended


def test_the_pad_follows_whoever_was_called_or_resumed_last_at_the_desk(desks: Desks) -> None:
    desks.say("called", "A1", at=0)
    desks.say("held", "A1", at=1)
    desks.say("called", "A2", at=2)
    assert desks.pad() == "A2"
    desks.say("started", "A1", at=3)  # resumed, though nobody ended A2
    assert desks.pad() == "A1"
    desks.say("called", "A2", at=4)
    assert desks.pad() == "A2"


def test_a_client_served_in_two_halves_is_eligible_once(desks: Desks) -> None:
    for place, ticket in enumerate(("A1", "A2", "A1", "A2")):
        desks.say("called", ticket, at=place * 5)
    for place, ticket in enumerate(("A2", "A1")):
        desks.say("finished", ticket, at=20 + place)
    assert desks.outcomes("A1") == ["resumed", "finished"]
    assert desks.outcomes("A2") == ["resumed", "finished"]
    assert (desks.eligible("A1"), desks.eligible("A2")) == (1, 1)


def test_a_visit_of_several_services_is_one_call_of_the_last_said(desks: Desks) -> None:
    desks.say("called", at=0, service="passport")
    told = desks.told
    desks.say("service_switched", at=3, service="residence")
    desks.say("service_switched", "A2", at=4, service="tax")  # of nobody who is here
    desks.say("finished", at=9)
    [row] = desks.rows.values()
    assert (row.service, row.outcome, desks.told) == ("residence", "finished", told + 1)


@pytest.mark.parametrize(
    ("started", "ended", "after_ms", "phase"),
    [
        (None, None, 1000, None),
        (60, None, 59_000, "called"),
        (60, None, 60_000, "serving"),
        (60, 300, 299_000, "serving"),
        (60, 300, 301_000, "after"),
        (None, 300, 299_000, None),
    ],
)
def test_the_phase_of_a_press_is_known_from_its_call(
    desks: Desks, started: int | None, ended: int | None, after_ms: int, phase: str | None
) -> None:
    desks.say("called", at=0)
    if started is not None:
        desks.say("started", at=started / 60)
    if ended is not None:
        desks.say("finished", at=ended / 60)
    [row] = desks.rows.values()
    assert join.phase(row, vote(row.id, after_ms=after_ms)) == phase


def test_a_service_that_is_never_called_arms_nothing_while_that_holds() -> None:
    rule = NoCall("archive", NINE + 10 * MINUTE, NINE + 20 * MINUTE)
    desks = Desks(replace(BRANCH, no_calls=(rule,), no_call_services=frozenset({"back-office"})))
    desks.say("called", "A1", at=9, service="archive")
    assert desks.pad() == "A1"
    desks.say("called", "A2", at=10, service="archive")
    assert (desks.pad(), desks.outcomes()) == (None, ["next_call"])
    desks.say("started", "A3", at=11, service="back-office")
    assert desks.pad() is None
    desks.say("called", "A4", at=20, service="archive")
    assert desks.pad() == "A4"


def test_a_late_vote_is_joined_by_its_call_id(desks: Desks) -> None:
    desks.say("called", "A1", at=0)
    desks.say("called", "A2", at=5)
    first = desks.rows[call_id("centre", "d1", "A1", NINE)]
    assert join.judge(vote(first.id), first, None, None) == "taken"  # three days later
    assert rollup.keys(first)[0][3] == 20261123


def test_a_pad_that_missed_its_call_is_told_it_again_with_the_same_id_and_end(desks: Desks) -> None:
    desks.say("called", at=0)
    told = on_desk(desks.state.calls["d1"])
    assert told == CallOpened(call_id("centre", "d1", "A1", NINE), NINE, NINE + 4 * HOUR)
    desks.say("recalled", at=30)
    assert on_desk(desks.state.calls["d1"]) == told
    desks.clock(4 * 60)
    assert isinstance(on_desk(desks.state.calls["d1"]), CallClosed)


def test_an_older_event_never_reopens_and_a_late_end_still_counts(desks: Desks) -> None:
    desks.say("called", "A1", at=0)
    desks.say("called", "A2", at=5)
    [late] = desks.say("finished", "A1", at=4)
    assert late.occurred_unix_ms == NINE + 4 * MINUTE
    assert desks.say("called", "A3", at=3)[0].call is None
    assert (desks.pad(), desks.outcomes("A1")) == ("A2", ["finished"])


@pytest.mark.parametrize(("heard", "outcome"), [(None, "void"), ("started", "next_call"), ("recalled", "next_call")])
def test_a_call_taken_back_within_seconds_is_void_unless_it_was_spoken_of(
    desks: Desks, heard: str | None, outcome: str
) -> None:
    desks.say("called", "A1", at=0)
    if heard:
        desks.say(heard, "A1", at=0.01)
    desks.say("called", "A2", at=0.04)
    assert desks.outcomes("A1") == [outcome]
    assert desks.eligible("A1") == (outcome == "next_call")
    desks.say("finished", "A1", at=3)
    assert desks.outcomes("A1") == ["finished"]  # it took place after all


def test_a_number_that_comes_back_another_day_is_another_call(desks: Desks) -> None:
    desks.say("called", at=0)
    desks.say("called", at=24 * 60)
    assert desks.outcomes() == ["end_of_day", None]


def test_the_end_of_the_day_closes_what_a_wipe_forgot(desks: Desks) -> None:
    desks.say("called", at=8 * 60 + 30)  # 19:30 in Kyiv
    assert desks.clock(9 * 60 - 1) == []
    [closed] = desks.clock(13 * 60)
    assert (closed.reason, closed.occurred_unix_ms, desks.pad()) == ("end_of_day", NINE + 9 * HOUR, None)


def test_a_branch_open_round_the_clock_closes_what_is_idle() -> None:
    desks = Desks(replace(BRANCH, idle_ms=30 * MINUTE))
    desks.say("called", at=8 * 60 + 50)
    desks.say("recalled", at=9 * 60 + 10)  # the day's end is behind it
    assert desks.clock(9 * 60 + 39) == []
    [closed] = desks.clock(9 * 60 + 40)
    assert (closed.reason, desks.pad()) == ("idle", None)


def test_the_last_of_two_operators_wins_and_a_vote_at_the_first_is_doubtful(desks: Desks) -> None:
    desks.say("called", desk="d1", at=0, operator="op-1")
    desks.say("called", desk="d2", at=0.1, operator="op-2")
    assert (desks.pad("d1"), desks.pad("d2")) == (None, "A1")
    first, second = sorted(desks.rows.values(), key=lambda row: row.called_unix_ms)
    assert (first.outcome, join.is_doubtful(first), join.is_doubtful(second)) == ("called_elsewhere", True, False)


def test_an_operator_who_calls_elsewhere_has_left_the_first_desk() -> None:
    nobody: frozenset[str] = frozenset()
    for persons, outcome in ((frozenset({"op-1"}), "operator_moved"), (None, "operator_moved"), (nobody, None)):
        desks = Desks(replace(BRANCH, persons=persons))
        desks.say("called", "A1", "d1", at=0, operator="op-1")
        desks.say("called", "A2", "d2", at=5, operator="op-1")
        assert (desks.outcomes("A1"), desks.pad("d2")) == ([outcome], "A2")
        [late] = desks.say("called", "A3", "d3", at=3, operator="op-1")
        assert (late.call is None) == (persons != nobody)


def test_an_operator_who_logs_in_elsewhere_has_left_the_first_desk() -> None:
    desks = Desks(replace(BRANCH, persons=None))
    desks.say("called", "A1", "d1", at=0, operator="op-1")
    desks.say("operator_opened", None, "d2", at=5, operator="op-1")
    assert desks.outcomes() == ["operator_moved"]


def test_a_recovered_call_is_not_armed_anew(desks: Desks) -> None:
    desks.say("called", at=0)
    told = desks.told
    desks.say("recovered", at=0)  # the adapter came back and asked who is where
    assert (desks.told, len(desks.rows)) == (told, 1)
    lost = Desks()  # even without its memory: the id is made of branch, desk, ticket and moment
    lost.say("recovered", at=0)
    assert lost.rows.keys() == desks.rows.keys()


def test_every_case_of_the_study_has_its_tests_here() -> None:
    study = (
        "Recall of same ticket", "Same ticket called again later", "Transfer to other desk",
        "Next called without finish", "Operator logs off with client", "Client never shows",
        "Parallel clients of one operator", "Several services in one visit", "Press before service starts",
        "No-call services, back office", "Late vote (pad offline)", "Pad missed the arm",
        "Duplicate (QoS 1, retries, TheQ retry)", "Out of order", "Phantom call (rolled back)", "Clock skew",
        "Reused ids and numbers", "Nightly wipe without events", "Desk unknown", "Two operators call one client",
        "Adapter restart", "Operator moved to another desk",
    )  # fmt: skip
    assert __doc__ is not None
    defined = set()
    for file in Path(__file__).parent.glob("test_feed_edge_*.py"):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        defined |= {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    rows = re.findall(r"^(\S.{45})(test_\w+(?:,\n\s+test_\w+)*)$", __doc__, re.MULTILINE)
    assert [case.strip() for case, _ in rows] == list(study)
    for _, tests in rows:
        for test in re.findall(r"test_\w+", tests):
            assert test in defined, test
