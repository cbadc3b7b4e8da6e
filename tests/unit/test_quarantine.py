"""How much is kept: collector/quarantine.py."""

from collector.model import KeptRow
from collector.quarantine import DAY_MS, EXAMPLES_A_DAY, bounded, day_begins
from tests.integration.collector_process import NOON_UNIX_MS


def row(number: int, topic: str = "a", reason: str = "malformed", at: int = NOON_UNIX_MS) -> KeptRow:
    return KeptRow(reason, f"{number:032x}", topic, b"garbage", 7, "is not JSON", at, at, 1)


def test_the_first_examples_are_kept_and_the_rest_counted_by_reason() -> None:
    rows = [row(number) for number in range(EXAMPLES_A_DAY + 3)]
    more = [row(number, reason="version") for number in range(2)]
    kept = bounded([*rows, *more], {}, [])
    assert len(kept) == EXAMPLES_A_DAY + 2
    assert all(each in kept for each in rows[:EXAMPLES_A_DAY])
    counted = {each.reason: each for each in kept if each not in rows}
    assert {reason: each.times for reason, each in counted.items()} == {"malformed": 3, "version": 2}
    assert all((each.payload, each.topic) == (b"", "a") for each in counted.values())


def test_what_is_in_the_table_takes_no_room_and_leaves_none() -> None:
    old, new = row(1), row(2)
    kept = bounded([old, new], {"a": EXAMPLES_A_DAY}, [(old.reason, old.digest)])
    assert old in kept and new not in kept and len(kept) == 2


def test_what_was_acknowledged_and_is_nowhere_else_is_kept_however_many_there_are() -> None:
    rows = [
        row(number, reason=reason) for reason in ("archived", "wrong_desk", "rejected_event") for number in range(400)
    ]
    assert sorted(bounded(rows, {"a": EXAMPLES_A_DAY}, [])) == sorted(rows)
    assert bounded([row(1)], {"a": 0}, [])[0].payload  # and takes no room of what may be dropped


def test_one_topic_takes_no_room_of_another() -> None:
    stranger = row(1, topic="b")
    assert bounded([stranger], {"a": EXAMPLES_A_DAY}, []) == [stranger]


def test_every_day_has_a_count_of_its_own() -> None:
    full = {"a": EXAMPLES_A_DAY}
    (today,) = bounded([row(1)], full, [])
    (again,) = bounded([row(2)], full, [])
    (tomorrow,) = bounded([row(3, at=NOON_UNIX_MS + DAY_MS)], full, [])
    assert today.digest == again.digest != tomorrow.digest
    assert day_begins(NOON_UNIX_MS) % DAY_MS == 0 and 0 <= NOON_UNIX_MS - day_begins(NOON_UNIX_MS) < DAY_MS
