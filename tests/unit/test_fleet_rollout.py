"""A roll-out in virtual time: stages, failures, waiting, undoing. The pads are what the test says they are."""

from dataclasses import replace

import pytest

from collector.fleet import rollout
from collector.fleet.rollout import Offer, View
from collector.store import Rollout, RolloutPad

T0 = 1_795_341_600_000


class Office:
    """Pads by name, a roll-out of version 2 over them, and a clock."""

    def __init__(self, count: int, *, stages: tuple[str, ...] = ("1", "10%", "100%"), allowed: int = 0):
        self.now_ms = T0
        self.views = {f"d-{n:02}": View("pico-w", "1", "none", True, 0, None, None) for n in range(count)}
        self.rollout = Rollout(1, "2", stages, 0, "running", 600, 900, allowed, "", "it", T0, None, None)
        self.pads: list[RolloutPad] = []
        self.offers: list[Offer] = []

    def go(self, seconds: int = 0) -> "Office":
        self.now_ms += seconds * 1000
        if not self.pads:
            self.pads = rollout.plan(self.rollout, self.views, ["pico-w"], self.now_ms)
        if self.rollout.state == "running":
            done = rollout.step(self.rollout, self.pads, self.views, self.now_ms)
            self.rollout = done.rollout
            changed = {pad.desk: pad for pad in done.changed}
            self.pads = [changed.get(pad.desk, pad) for pad in self.pads]
            self.offers += done.offers
        return self

    def say(self, desk: str, **words: object) -> None:
        self.views[desk] = self.views[desk]._replace(since_ms=self.now_ms, **words)  # type: ignore[arg-type]

    def offered(self) -> list[str]:
        """Who was offered the version since the last time."""
        taken = [offer.desk for offer in self.offers if offer.version is not None]
        self.offers.clear()
        return taken

    def updated(self, *desks: str) -> "Office":
        for desk in desks:
            self.say(desk, firmware="2", update="done")
        return self.go(1)

    def state(self, desk: str) -> str:
        return next(pad.state for pad in self.pads if pad.desk == desk)


def test_one_pad_then_ten_per_cent_then_all() -> None:
    office = Office(24).go()
    first = office.offered()
    assert len(first) == 1
    office.updated(*first).go(599)
    assert office.offered() == []
    office.go(1).go()
    second = office.offered()
    assert len(second) == 2  # three of twenty-four are ten per cent, the first among them
    office.updated(*second).go(600).go()
    third = office.offered()
    assert len(third) == 21 and len({*first, *second, *third}) == 24
    office.updated(*third).go()
    assert office.rollout.state == "done" and rollout.summary(office.pads) == {"done": 24}


def test_a_pad_that_is_done_has_nothing_on_offer_any_more() -> None:
    office = Office(2, stages=("100%",)).go()
    desks = office.offered()
    office.updated(desks[0])
    assert office.offers == [Offer(desks[0], "pico-w", None)]


@pytest.mark.parametrize("word", ["refused", "no_space", "rolled_back"])
def test_a_failure_stops_it_and_withdraws_what_is_on_offer(word: str) -> None:
    office = Office(10, stages=("3", "100%")).go()
    desks = office.offered()
    office.go(1).say(desks[0], update="loading")
    office.go(1).say(desks[0], update=word)
    office.go(1)
    assert office.rollout.state == "stopped" and f"{desks[0]} {word}" in office.rollout.reason
    assert set(office.offers) == {Offer(desk, "pico-w", None) for desk in desks}
    assert rollout.summary(office.pads) == {word: 1, "withdrawn": 9}


def test_so_many_failures_as_are_allowed_do_not_stop_it() -> None:
    office = Office(10, stages=("100%",), allowed=1).go()
    desks = office.offered()
    office.go(1).say(desks[0], update="no_space")
    office.updated(*desks[1:]).go()
    assert office.rollout.state == "done"


def test_a_word_that_is_older_than_the_offer_is_no_failure() -> None:
    office = Office(1, stages=("100%",))
    office.say("d-00", update="rolled_back")
    office.go(5).go(5)
    assert (office.state("d-00"), office.rollout.state) == ("offered", "running")


def test_a_pad_that_is_switched_off_before_it_changes_over_waits_and_is_no_failure() -> None:
    office = Office(1, stages=("100%",)).go()
    office.say("d-00", online=False, offline_ms=T0)
    assert office.go(86_400).state("d-00") == "offered"


def test_a_pad_that_does_not_come_back_from_changing_over_is_late() -> None:
    office = Office(1, stages=("100%",)).go()
    office.go(1).say("d-00", update="loading")
    office.go(1).say("d-00", update="loading", online=False, offline_ms=office.now_ms)
    assert office.go(899).rollout.state == "running"
    assert office.go(1).rollout.state == "stopped" and office.state("d-00") == "late"


def test_a_trial_that_never_ends_is_late() -> None:
    office = Office(1, stages=("100%",)).go()
    office.go(1).say("d-00", firmware="2", update="trial")
    assert office.go(1).state("d-00") == "trial"
    assert office.go(900).state("d-00") == "late"


def test_the_next_stage_waits_until_the_pads_of_this_one_are_all_there_and_well() -> None:
    office = Office(10, stages=("1", "100%")).go()
    (first,) = office.offered()
    office.updated(first)
    office.say(first, online=False, offline_ms=office.now_ms)
    assert office.go(10_000).offered() == []
    office.say(first, online=True, offline_ms=None)
    office.go(1).go(599)
    assert office.offered() == []
    office.go(1).go()
    assert len(office.offered()) == 9


def test_a_pad_that_turns_bad_after_it_was_done_stops_it() -> None:
    office = Office(10, stages=("1", "100%")).go()
    (first,) = office.offered()
    office.updated(first).go(100).say(first, unwell_ms=office.now_ms)
    assert office.go(1).rollout.state == "stopped" and office.state(first) == "unwell"


def test_a_fault_of_before_the_update_is_not_the_versions() -> None:
    office = Office(10, stages=("1", "100%")).go()
    (first,) = office.offered()
    office.say(first, unwell_ms=T0 - 1)
    office.updated(first).go(600).go()
    assert len(office.offered()) == 9


def test_boards_without_a_build_and_pads_that_run_it_already_are_skipped() -> None:
    office = Office(3, stages=("100%",))
    office.views["d-00"] = office.views["d-00"]._replace(board="esp32-eth")
    office.views["d-01"] = office.views["d-01"]._replace(firmware="2")
    assert office.go().offered() == ["d-02"]
    assert rollout.summary(office.pads) == {"skipped": 2, "offered": 1}


def test_with_no_pad_to_update_it_is_done_at_once() -> None:
    office = Office(1)
    office.views["d-00"] = office.views["d-00"]._replace(firmware="2")
    assert office.go().rollout.state == "done"


def test_pads_that_are_there_come_first() -> None:
    office = Office(10)
    for desk in list(office.views)[:9]:
        office.views[desk] = office.views[desk]._replace(online=False, offline_ms=T0)
    assert office.go().offered() == ["d-09"]


def test_undo_brings_back_who_runs_it_and_leaves_nothing_on_offer() -> None:
    office = Office(3, stages=("100%",)).go()
    desks = office.offered()
    office.updated(desks[0])
    undone = replace(office.rollout, state="undone")

    def undo() -> tuple[dict[str, str], set[Offer]]:
        done = rollout.undo(undone, office.pads, office.views, lambda *known: known == ("1", "pico-w"), T0)
        changed = {pad.desk: pad for pad in done.changed}
        office.pads = [changed.get(pad.desk, pad) for pad in office.pads]
        return {pad.desk: pad.state for pad in done.changed}, set(done.offers)

    states, offers = undo()
    assert states == {desks[0]: "undone", desks[1]: "back", desks[2]: "back"}
    assert offers == {Offer(desk, "pico-w", "1" if desk == desks[0] else None) for desk in desks}
    assert undo() == ({}, set())
    office.say(desks[0], firmware="1", update="done")
    assert undo() == ({desks[0]: "back"}, {Offer(desks[0], "pico-w", None)})


def test_undo_leaves_a_pad_alone_whose_version_of_before_is_nowhere() -> None:
    office = Office(1, stages=("100%",)).go()
    office.updated(*office.offered())
    done = rollout.undo(replace(office.rollout, state="undone"), office.pads, office.views, lambda *_: False, T0)
    assert done.offers == [Offer("d-00", "pico-w", None)]


def test_after_a_wipe_of_the_broker_only_what_is_still_wanted_is_offered_again() -> None:
    office = Office(3, stages=("2", "100%")).go()
    desks = office.offered()
    office.updated(desks[0])
    assert rollout.standing_offers(office.rollout, office.pads) == [
        Offer(desks[0], "pico-w", None),
        Offer(desks[1], "pico-w", "2"),
    ]
