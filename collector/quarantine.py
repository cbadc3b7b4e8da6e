"""How much is kept of what became neither vote nor call, so that one mad pad does not fill the disk. Pure.

Of each topic and day (UTC) the first EXAMPLES_A_DAY different things are kept, as they came. What goes beyond is only
counted, in one row for each reason. A desk's pad has a topic of its own, so no pad takes another's room.

What its writer was told to forget and is nowhere else is kept however much there is of it: a pad that lay in a drawer
for months brings up to 400 votes at once, for a month that is archived by then (DESIGN section 3, points 3 and 7); a
feed whose register is old tells a day of calls at a desk that has moved.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from hashlib import blake2b

from collector.model import ARCHIVED, REJECTED_EVENT, REUSED_NUMBER, WRONG_DESK, KeptRow

# A desk serves a hundred clients a day; so much leaves room for a wrong clock or register, and 200 KB is no disk full.
EXAMPLES_A_DAY = 200
DAY_MS = 86_400_000
_ALWAYS_KEPT = (ARCHIVED, WRONG_DESK, REUSED_NUMBER, REJECTED_EVENT)


def day_begins(unix_ms: int) -> int:
    return unix_ms - unix_ms % DAY_MS


def bounded(rows: Iterable[KeptRow], examples: Mapping[str, int], present: Iterable[tuple[str, str]]) -> list[KeptRow]:
    """``rows`` with those that are too many summed up, in order of their keys.

    Args:
        examples: how many rows of the day each topic has already.
        present: reason and digest of those of ``rows`` that are in the table: they take no more room.
    """
    taken, there = dict(examples), set(present)
    kept: dict[tuple[str, str], KeptRow] = {}
    for row in rows:
        key = (row.reason, row.digest)
        if key not in there and row.reason not in _ALWAYS_KEPT:
            number = taken.get(row.topic, 0)
            if number >= EXAMPLES_A_DAY:
                row = _only_counted(row, kept)  # noqa: PLW2901
            taken[row.topic] = number + 1
        kept[row.reason, row.digest] = row
    return [row for _, row in sorted(kept.items())]


def _only_counted(row: KeptRow, kept: Mapping[tuple[str, str], KeptRow]) -> KeptRow:
    """The row of its reason, topic and day, with this one in it."""
    day = f"{datetime.fromtimestamp(row.first_unix_ms / 1000, UTC):%Y-%m-%d}"
    digest = blake2b(f"{row.topic}\0{day}\0only counted".encode(), digest_size=16).hexdigest()
    before = kept.get((row.reason, digest))
    if before is not None:
        return before._replace(times=before.times + row.times, last_unix_ms=row.last_unix_ms)
    return row._replace(
        digest=digest, payload=b"", size=0, problem=f"more than {EXAMPLES_A_DAY} on {day}: only counted"
    )
