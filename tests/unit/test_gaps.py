"""Which numbers of votes are missing: every number that was given and taken away again is found, and no other."""

from hypothesis import given
from hypothesis import strategies as st

from collector.gaps import Gap, Span, find_gaps, ranges

DESK = "centre-01"


def span(journal: str, numbers: list[int], at: int = 0) -> Span:
    return Span(DESK, journal, ranges(numbers), at, at + 10)


def test_a_number_between_two_of_one_journal_is_missing() -> None:
    (gap,) = find_gaps([span("a", [1, 2, 5])])
    assert (gap.first, gap.last, gap.votes, str(gap)) == (3, 4, 2, "votes 3-4 of desk centre-01")


def test_numbers_go_on_from_one_start_of_a_pad_to_the_next() -> None:
    assert find_gaps([span("a", [1, 2]), span("b", [3, 4], at=100)]) == []
    (gap,) = find_gaps([span("b", [5], at=100), span("a", [1, 2])])
    assert gap == Gap(DESK, 3, 4, 10, 100)
    assert str(gap._replace(last=3)) == "vote 3 of desk centre-01"


def test_another_pad_that_counts_from_one_misses_nothing() -> None:
    assert find_gaps([span("a", [7, 8]), span("b", [1, 2], at=100)]) == []


def test_of_another_desk_nothing_is_concluded() -> None:
    assert find_gaps([span("a", [1]), span("b", [9], at=100)._replace(desk="centre-02")]) == []


@given(
    given_=st.lists(st.integers(1, 12), min_size=1, max_size=6),
    data=st.data(),
)
def test_what_was_taken_away_in_the_middle_is_what_is_found(given_: list[int], data: st.DataObject) -> None:
    """A pad gives so many votes at each of its starts; some are lost, never the desk's first or last."""
    journals, number = [], 1
    for votes in given_:
        journals.append(list(range(number, number + votes)))
        number += votes
    lost = data.draw(st.sets(st.integers(2, number - 2))) if number > 3 else set()
    spans = [
        span(str(place), kept, at=place * 100)
        for place, numbers in enumerate(journals)
        if (kept := [each for each in numbers if each not in lost])
    ]
    found = [each for gap in find_gaps(spans) for each in range(gap.first, gap.last + 1)]
    assert sorted(found) == sorted(lost)
