"""What the store keeps for IT, on real databases: flags that join in any order, faults, requests, roll-outs."""

import itertools
import threading
from collections.abc import Callable, Iterator
from datetime import date

import pytest

from collector.store import (
    Arrival,
    Branch,
    Desk,
    Organisation,
    Register,
    Service,
    Store,
    StoreError,
)
from collector.store.faults import Closed, Flagged, Opened, Unflagged
from protocol import codec, topics
from protocol.messages import PadStatus, QueueEvent, Vote
from tests.integration.collector_process import NOON_DAY, NOON_UNIX_MS, call_id, event, vote

DESK, OTHER = "centre-01", "centre-02"
VERIFIER = "$7$101$" + "c2FsdHNhbHRzYWx0" + "$" + "A" * 86 + "=="
REGISTER = Register(
    organisation=Organisation(name="Центр", name_en="Centre"),
    branches=(
        Branch(
            id="centre", name="Центр", name_en="Centre", complaints_book="На рецепції", complaints_book_en="Reception"
        ),
    ),
    services=(Service(id="passport", name="Паспорт", name_en="Passport"),),
    desks=(Desk(id=DESK, branch="centre", label="1"), Desk(id=OTHER, branch="centre", label="2")),
)


@pytest.fixture
def store(any_database: str) -> Iterator[Store]:
    with Store.open(any_database) as store:
        store.load_register(REGISTER)
        yield store


def of_queue(message: QueueEvent) -> Arrival:
    return Arrival(topics.queue("centre", "event"), codec.encode(message), NOON_UNIX_MS)


def of_pad(message: Vote | PadStatus, desk: str = DESK) -> Arrival:
    return Arrival(topics.desk(desk, message.KIND), codec.encode(message), NOON_UNIX_MS)


def figures(store: Store) -> tuple[int, ...]:
    (row,) = store.rollups("branch", NOON_DAY, NOON_DAY)
    return row.calls, row.eligible, row.bad, row.good, row.exemplary


# ---- calls without a lit pad
STEPS: dict[str, Callable[[Store], object]] = {
    "flag": lambda store: store.fleet.record([Flagged(call_id(1), DESK)]),
    "call": lambda store: store.ingest([of_queue(event(1, desk=DESK, seq=1))]),
    "end": lambda store: store.ingest([of_queue(event(1, "finished", desk=DESK, seq=2))]),
    "vote": lambda store: store.ingest([of_pad(vote(1, 3, seq=1))]),
    "unflag": lambda store: store.fleet.record([Unflagged(call_id(1), DESK)]),
}


@pytest.mark.parametrize("order", [*itertools.permutations(("flag", "call", "end"))])
def test_a_call_without_a_lit_pad_leaves_the_denominator_in_any_order(store: Store, order: tuple[str, ...]) -> None:
    for step in order:
        STEPS[step](store)
    assert figures(store) == (1, 0, 0, 0, 0)
    assert store.recount() == []


@pytest.mark.parametrize("order", [*itertools.permutations(("flag", "call", "vote"))])
def test_a_vote_makes_its_call_eligible_though_the_pad_was_called_dark(store: Store, order: tuple[str, ...]) -> None:
    for step in order:
        STEPS[step](store)
    assert figures(store) == (1, 1, 0, 0, 1)
    assert store.recount() == []


@pytest.mark.parametrize("order", [("flag", "unflag", "call"), ("flag", "call", "unflag"), ("call", "flag", "unflag")])
def test_a_pad_that_arms_late_brings_its_call_back(store: Store, order: tuple[str, ...]) -> None:
    for step in order:
        STEPS[step](store)
    assert figures(store) == (1, 1, 0, 0, 0)
    assert store.recount() == [] and store.fleet.unavailable() == []


def test_a_flag_for_another_desk_than_the_calls_counts_for_nothing(store: Store) -> None:
    store.fleet.record([Flagged(call_id(1), OTHER)])
    STEPS["call"](store)
    assert figures(store) == (1, 1, 0, 0, 0)
    assert store.recount() == []


def test_what_the_operator_reported_is_not_taken_back_by_the_pads_word(store: Store) -> None:
    STEPS["call"](store)
    assert store.fleet.report(DESK, "op-1", "no light") is not None
    assert store.fleet.report(DESK, "op-1", "no light") is None
    STEPS["flag"](store)
    STEPS["unflag"](store)
    assert figures(store) == (1, 0, 0, 0, 0)
    assert [(call, desk, why) for call, desk, _, why in store.fleet.unavailable()] == [(call_id(1), DESK, "reported")]
    (fault,) = store.fleet.faults()
    assert (fault.kind, fault.call, fault.reported_by, fault.branch_name) == ("reported", call_id(1), "op-1", "Центр")


def test_a_report_means_the_last_call_of_the_desk_or_none(store: Store) -> None:
    """Not one of long ago whose end was never heard of."""
    ends = event(2, "finished", desk=DESK, seq=3)
    store.ingest([of_queue(event(1, desk=DESK, seq=1)), of_queue(event(2, desk=DESK, seq=2)), of_queue(ends)])
    assert store.fleet.report(DESK, "op-1") is not None
    assert store.fleet.unavailable() == []


def test_flags_and_collectors_that_meet_over_the_same_calls_agree_in_the_end(any_database: str, store: Store) -> None:
    """Two collectors and the fleet service at once, each in its own order: no figure is lost or doubled."""
    numbers = range(1, 31)

    def collect() -> None:
        with Store.open(any_database) as other:
            for n in numbers:
                other.ingest([of_queue(event(n, desk=DESK, seq=n))])
                if n % 3 == 0:
                    other.ingest([of_pad(vote(n, 2, seq=n))])

    def watch() -> None:
        with Store.open(any_database) as other:
            for n in reversed(numbers):
                other.fleet.record([Flagged(call_id(n), DESK), Flagged(call_id(n // 2 + 1), OTHER)])
                if n % 2 == 0:
                    other.fleet.record([Unflagged(call_id(n), DESK)])

    threads = [threading.Thread(target=work) for work in (collect, collect, watch)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.recount() == []
    # 30 calls: the even ones were brought back, and of the odd ones every third has a vote.
    assert figures(store) == (30, 15 + 5, 0, 10, 0)


# ---- faults and who is told
def test_one_fault_of_a_kind_is_open_at_a_desk_and_it_may_come_again(store: Store) -> None:
    def kinds(**filters: object) -> list[tuple[str, str]]:
        found = store.fleet.faults(**filters)  # type: ignore[arg-type]
        return [(fault.desk, fault.kind) for fault in reversed(found)]

    store.fleet.record([Opened(DESK, "dark", call_id(1), "dark"), Opened(DESK, "dark", call_id(2), "dark")])
    store.fleet.record([Opened(DESK, "dark", call_id(2), "dark"), Opened(OTHER, "dark", None, "")])
    store.fleet.record([Opened(DESK, "lamps", None, "fault")])
    assert kinds(is_open=True) == [(DESK, "dark"), (OTHER, "dark"), (DESK, "lamps")]
    store.fleet.record([Closed(DESK, "dark"), Closed(DESK, "dark"), Opened(DESK, "dark", None, "")])
    assert kinds(is_open=True, desk=DESK) == [(DESK, "lamps"), (DESK, "dark")]
    (closed,) = store.fleet.faults(is_open=False)
    assert (closed.call, closed.closed_by) == (call_id(1), None) and closed.closed_unix_ms is not None
    assert store.fleet.faults(is_open=False, since_unix_ms=closed.closed_unix_ms + 1) == []


def test_two_services_that_find_the_same_at_once_open_one_fault(any_database: str, store: Store) -> None:
    def find() -> None:
        with Store.open(any_database) as other:
            for n in range(20):
                other.fleet.record([Opened(DESK, "dark", call_id(n), ""), Flagged(call_id(n), DESK)])
                other.fleet.record([Closed(DESK, "dark")])

    threads = [threading.Thread(target=find) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.fleet.faults(is_open=True) == [] and len(store.fleet.unavailable()) == 20


def test_everybody_is_told_once_that_a_fault_opened_and_closed(store: Store) -> None:
    store.fleet.record([Opened(DESK, "dark", None, "")])
    (fault,) = [each.id for each in store.fleet.faults()]
    assert store.fleet.announce(lambda _: ["mail:it@example.org", "mail:head@example.org"]) == 2
    assert store.fleet.announce(lambda _: ["mail:it@example.org"]) == 2
    store.fleet.told([each for each in store.fleet.notices() if each.recipient == "mail:it@example.org"])
    (told,) = store.fleet.faults()
    assert told.told_unix_ms and told.closed_told_unix_ms is None
    store.fleet.close(fault, "it")
    store.fleet.announce(lambda _: ["mail:it@example.org"])
    assert [(each.event, each.recipient) for each in store.fleet.notices()] == [
        ("opened", "mail:head@example.org"),
        ("closed", "mail:it@example.org"),
    ]
    store.fleet.put_off("mail:it@example.org", 77)
    assert {each.recipient: each.due_unix_ms for each in store.fleet.notices()}["mail:it@example.org"] == 77


# ---- what IT asks
def test_a_command_is_asked_sent_and_its_first_outcome_stands(store: Store) -> None:
    command = store.fleet.ask(DESK, "identify", "it")
    assert [each.id for each in store.fleet.waiting()] == [command]
    store.fleet.sent(command)
    store.fleet.ended(command, "done")
    store.fleet.ended(command, "no_answer")
    (row,) = store.fleet.commands(DESK)
    assert row.sent_unix_ms and row.ended_unix_ms and row.outcome == "done" and store.fleet.waiting() == []


@pytest.mark.parametrize(
    ("desk", "do", "settings"),
    [
        ("stranger", "identify", None),
        (DESK, "explode", None),
        (DESK, "settings", None),
        (DESK, "identify", {"armed_pct": 5}),
        (DESK, "settings", {"armed_pct": 0}),
        (DESK, "settings", {"colour": 1}),
    ],
)
def test_what_no_pad_understands_is_refused(store: Store, desk: str, do: str, settings: dict[str, int] | None) -> None:
    with pytest.raises(StoreError):
        store.fleet.ask(desk, do, "it", settings)
    assert store.fleet.commands() == []


def test_a_replaced_device_is_remembered_and_only_the_new_one_is_let_in(store: Store) -> None:
    for hardware in ("aaaa", "bbbb"):
        store.fleet.register_pad(DESK, verifier=VERIFIER, hardware=hardware, board="pico-w", firmware="1", by="it")
    (current,) = store.fleet.credentials()
    assert (current.hardware, current.replaced_unix_ms) == ("bbbb", None)
    assert [each.hardware for each in store.fleet.credentials(with_replaced=True)] == ["bbbb", "aaaa"]
    assert store.fleet.retire_pad(DESK) and not store.fleet.retire_pad(DESK)
    assert store.fleet.credentials() == []


@pytest.mark.parametrize("verifier", ["", "secret", "$6$a$b", VERIFIER + "\nit:$7$", VERIFIER.replace("A" * 86, "A:")])
def test_a_verifier_that_could_be_anything_else_is_refused(store: Store, verifier: str) -> None:
    with pytest.raises(StoreError):
        store.fleet.register_pad(DESK, verifier=verifier, hardware="a", board="b", firmware="c", by="it")


def test_one_roll_out_runs_at_a_time_and_obeys_its_wishes(store: Store) -> None:
    with pytest.raises(StoreError):
        store.fleet.wish("stop", "it")
    store.fleet.start_rollout("2", "it")
    with pytest.raises(StoreError):
        store.fleet.start_rollout("3", "it")
    assert store.fleet.wish("pause", "it").state == "paused"
    assert store.fleet.wish("resume", "it").state == "running"
    running = store.fleet.rollouts()[0]
    assert store.fleet.wish("stop", "it").state == "stopped"
    assert not store.fleet.save_rollout(running)  # the service had read it before somebody stopped it
    assert store.fleet.rollouts()[0].state == "stopped"
    with pytest.raises(StoreError):
        store.fleet.wish("resume", "it")
    assert store.fleet.wish("undo", "it").state == "undone"
    assert store.fleet.start_rollout("3", "it", stages=["2", "50%"])


@pytest.mark.parametrize("stages", [[], ["0"], ["10%", "1"], ["1", "1"], ["110%"], ["-1"], ["²"], ["all"]])
def test_stages_that_do_not_grow_are_refused(store: Store, stages: list[str]) -> None:
    with pytest.raises(StoreError):
        store.fleet.start_rollout("2", "it", stages=stages)


# ---- calls of services that are not rated
def test_a_call_of_a_service_without_calls_is_left_out_by_the_register_of_its_own_day(store: Store) -> None:
    """From the 22nd on forms are handed out; a feed that has not heard of it goes on calling clients for them."""
    rated = Service(id="forms", name="Бланки", name_en="Forms", valid_to=date(2026, 11, 21))
    since = Service(id="forms", name="Бланки", name_en="Forms", no_call=True, valid_from=date(2026, 11, 22))
    store.load_register(REGISTER.model_copy(update={"services": (*REGISTER.services, rated, since)}))
    day_before = event(9, desk=DESK, seq=9, service="forms")
    day_before.called_unix_ms = day_before.occurred_unix_ms = NOON_UNIX_MS - 86_400_000
    arrivals = [
        *(of_queue(event(number, desk=DESK, seq=number, service="forms")) for number in (1, 2, 3)),
        of_queue(event(4, desk=DESK, seq=4)),
        of_queue(event(1, "finished", desk=DESK, seq=5, service="forms")),
        of_pad(vote(2, 3, seq=1)),  # nobody strikes out a vote
        of_queue(event(3, "service_switched", desk=DESK, seq=6)),  # and then the client came for a passport
        of_queue(event(4, "service_switched", desk=DESK, seq=7, service="forms")),
        of_queue(day_before),
    ]
    for arrival in arrivals:
        store.ingest([arrival])
    (before, day) = store.rollups("branch", NOON_DAY - 1, NOON_DAY)
    assert (before.calls, before.eligible, before.unrated) == (1, 1, 0)
    assert (day.calls, day.eligible, day.exemplary, day.unrated) == (4, 2, 1, 2)
    assert store.recount() == []
    store.load_register(REGISTER.model_copy(update={"services": (*REGISTER.services, rated)}))
    store.ingest([of_queue(event(4, "finished", desk=DESK, seq=8, service="forms"))])
    assert store.rollups("branch", NOON_DAY, NOON_DAY) == [day], "what is counted does not move with the register"
    assert store.recount() == []
