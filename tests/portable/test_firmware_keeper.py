"""When the journal is written, and when not."""

from firmware.board.keeper import Keeper
from firmware.core.journal import Journal
from tests.portable.firmware_bench import Board


class Store:
    def __init__(self):
        self.refused = None
        self.saves = 0
        self.without_memory = False

    def save(self, journal):
        if self.without_memory:
            raise MemoryError
        self.saves += 1
        return self.refused is None


class Bench:
    def __init__(self, votes=1):
        self.board = Board()
        self.store = Store()
        self.journal = Journal(b"abcd")
        for number in range(votes):
            self.journal.add("c%015d" % number, 1, 0)
        self.keeper = Keeper(self.store, self.board)

    def saves(self, after_ms=0, armed=False):
        """How often it has saved once that much time has passed."""
        self.board.pass_ms(after_ms)
        self.keeper.step(self.journal, armed, self.board.ticks)
        return self.store.saves


def test_a_vote_is_saved_at_once_and_once():
    bench = Bench()
    assert bench.saves() == 0
    bench.keeper.vote_taken()
    assert bench.keeper.holds_back
    assert [bench.saves(armed=True), bench.saves(), bench.saves(100000)] == [1, 1, 1]
    assert not bench.keeper.holds_back


def test_an_ack_waits_until_no_client_may_press():
    bench = Bench(votes=0)
    bench.keeper.acknowledged()
    assert [bench.saves(60000, armed=True), bench.saves()] == [0, 1]


def test_while_an_outbox_empties_the_acks_are_saved_every_ten_seconds_and_the_last_at_once():
    bench = Bench(votes=5)
    bench.keeper.vote_taken()
    assert bench.saves() == 1
    for after_ms, expected in ((10, 1), (9000, 1), (1000, 2), (10, 2)):
        bench.keeper.acknowledged()
        assert bench.saves(after_ms) == expected
    bench.journal.depth = 0
    assert bench.saves(10) == 3


def test_what_was_refused_is_tried_again_every_minute_and_with_the_next_vote():
    bench = Bench()
    bench.store.refused = 5
    bench.keeper.vote_taken()
    assert bench.saves() == 1
    assert not bench.keeper.holds_back  # it lives in memory, and the collector may have it
    assert [bench.saves(59000), bench.saves(1000), bench.saves(1000), bench.saves(60000, armed=True)] == [1, 2, 2, 2]
    bench.keeper.vote_taken()
    assert bench.saves(10, armed=True) == 3
    bench.store.refused = None
    assert [bench.saves(60000), bench.saves(60000)] == [4, 4]


def test_a_start_whose_record_was_refused_tries_again():
    bench = Bench()
    bench.store.refused = 28
    bench.keeper = Keeper(bench.store, bench.board)
    assert [bench.saves(1000), bench.saves(60000)] == [0, 1]


def test_a_vote_that_met_a_full_heap_is_held_back_until_it_is_saved():
    bench = Bench()
    bench.store.without_memory = True
    bench.keeper.vote_taken()
    for _ in range(3):
        try:
            bench.saves(1000)
            raise AssertionError("the heap was not full")
        except MemoryError:
            assert bench.keeper.holds_back
    bench.store.without_memory = False
    assert bench.saves() == 1
    assert not bench.keeper.holds_back
