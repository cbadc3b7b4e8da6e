"""Two days of a desk on a hostile network, in virtual time: the short form of `make soak`, which plays a month."""

from pathlib import Path

from tests.bench.soak import soak

# A night's heap differs from the next by what happens to be under way; a leak of 10 bytes a vote would show here.
HEAP_SLACK_BYTES = 4096


def test_two_days_on_a_hostile_network_lose_no_vote_and_leave_the_heap_as_it_was(tmp_path: Path) -> None:
    books = soak(tmp_path, days=2, every_s=120)
    assert len(books.pressed) > 300 and books.connects > 200 and books.copies
    assert books.counted == books.pressed
    assert (books.contradictions, books.errors, books.starts, books.outbox) == ([], [], 1, 0)
    assert abs(books.nights[2][0] - books.nights[1][0]) < HEAP_SLACK_BYTES
    assert books.nights[2][1] > 32768  # a journal of 400 votes and its copy still find room in one piece
