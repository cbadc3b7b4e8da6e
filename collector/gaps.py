"""Which votes are missing, read from the numbers that pads gave them. Pure.

A pad numbers its votes by one, from start to start of the same pad (firmware/core/journal.py): each start begins a new
journal, the numbers go on. So a number between two that came belongs to a vote that was given, and is nowhere: it was
acknowledged by a collector whose database was put back from an older backup, or lies in a pad that was replaced.

Rules of the file
1.  Within a journal, every number between its lowest and its highest must be there.
2.  From one journal to the desk's next the numbers go on. If they begin lower it is another pad, or one that counts
    anew, and nothing is said about what lies between.
3.  What comes last may still be on its way, and what came before the first is not asked about.
"""

from collections.abc import Iterable
from itertools import groupby
from typing import NamedTuple


class Span(NamedTuple):
    """What is there of one journal: its numbers, and when the first and the last of them were received."""

    desk: str
    journal: str
    numbers: tuple[range, ...]  # ascending, apart from each other
    first_unix_ms: int
    last_unix_ms: int


class Gap(NamedTuple):
    """Votes ``first`` to ``last`` of a desk are missing; they were given about between the two moments."""

    desk: str
    first: int
    last: int
    after_unix_ms: int
    before_unix_ms: int

    @property
    def votes(self) -> int:
        return self.last - self.first + 1

    def __str__(self) -> str:
        which = f"vote {self.first}" if self.first == self.last else f"votes {self.first}-{self.last}"
        return f"{which} of desk {self.desk}"


def find_gaps(spans: Iterable[Span]) -> list[Gap]:
    """What is missing, by desk and time. ``spans`` may come in any order."""
    found: list[Gap] = []
    ordered = sorted(spans, key=lambda span: (span.desk, span.first_unix_ms, span.numbers[0].start))
    for _, of_desk in groupby(ordered, key=lambda span: span.desk):
        before: Span | None = None
        for span in of_desk:
            if before is not None and span.numbers[0].start > before.numbers[-1].stop:
                found.append(
                    _between(span.desk, before.numbers[-1], span.numbers[0], before.last_unix_ms, span.first_unix_ms)
                )
            for one, next_one in zip(span.numbers, span.numbers[1:], strict=False):
                found.append(_between(span.desk, one, next_one, span.first_unix_ms, span.last_unix_ms))
            before = span
    return found


def ranges(numbers: Iterable[int]) -> tuple[range, ...]:
    """``numbers``, in any order, as ranges apart from each other."""
    found: list[range] = []
    for number in sorted(set(numbers)):
        if found and found[-1].stop == number:
            found[-1] = range(found[-1].start, number + 1)
        else:
            found.append(range(number, number + 1))
    return tuple(found)


def _between(desk: str, one: range, other: range, after_unix_ms: int, before_unix_ms: int) -> Gap:
    return Gap(desk, one.stop, other.start - 1, after_unix_ms, before_unix_ms)
