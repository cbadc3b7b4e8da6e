"""The reference model finds what is planted, and nothing where nothing is planted."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, insert, update

from collector.rollup import AMOUNTS
from schemas import fleet_tables, tables
from sim.ledger import Ledger
from sim.oracle import Difference, Oracle, compare, recount
from sim.webhook import QueueNews

NOON = 1_791_450_000_000
DESK, OTHER_DESK = "tsentr-01", "tsentr-02"

KEPT = {"reason": "repeat", "digest": "d", "topic": f"desk/{DESK}/vote", "payload": b"", "size": 0, "problem": ""}
KEPT |= {"first_unix_ms": NOON, "last_unix_ms": NOON, "times": 1}


def say(oracle: Oracle, what: str, at: int, *, desk: str = DESK, ticket: str = "t1") -> None:
    oracle.told(QueueNews(f"e{at}{desk}", what, "tsentr", ticket, NOON + at, desk, "op-01", "passport"))


def vote(oracle: Oracle, rating: int, *, desk: str = DESK, ticket: str | None = "t1") -> None:
    oracle.lamps_changed(desk, "111")
    oracle.pressing(desk, rating, ticket)
    oracle.lamps_changed(desk, {1: "100", 2: "010", 3: "001"}[rating])


@pytest.fixture
def oracle() -> Oracle:
    """Two calls at one desk: a finished one with a vote, and one that the next call ended, without a vote."""
    oracle = Oracle()
    say(oracle, "called", 0)
    vote(oracle, 3)
    say(oracle, "finished", 60_000)
    oracle.lamps_changed(DESK, "000")
    say(oracle, "called", 70_000, ticket="t2")
    say(oracle, "called", 90_000, ticket="t3")
    say(oracle, "no_show", 99_000, ticket="t3")
    return oracle


@pytest.fixture
def database(tmp_path: Path, oracle: Oracle) -> Iterator[tuple[Engine, Path]]:
    """What the collector must have made of it, written row by row."""
    file = tmp_path / "collector.db"
    engine = create_engine(f"sqlite:///{file}")
    tables.metadata.create_all(engine)
    with engine.begin() as connection:
        for number, call in enumerate(oracle.calls):
            name = f"{number:016}"
            connection.execute(insert(tables.call).values(call_row(name, call)))
            if call.rating:
                connection.execute(insert(tables.vote).values(vote_row(name, call.desk, call.rating)))
        for (cut, branch, key, day), amounts in recount(oracle.calls).items():
            columns = dict(zip(AMOUNTS, amounts, strict=True))
            connection.execute(insert(tables.rollup_day).values(cut=cut, branch=branch, key=key, day=day, **columns))
    yield engine, file
    engine.dispose()


def call_row(name: str, call: Any) -> dict[str, Any]:
    fields = ("branch", "desk", "operator", "service", "called_unix_ms", "outcome", "day")
    return {"id": name, "dims_seq": 1, **{each: getattr(call, each) for each in fields}}


def vote_row(call: str, desk: str, rating: int, seq: int = 1) -> dict[str, Any]:
    row = {"call": call, "desk": desk, "rating": rating, "after_ms": 1, "journal": "00000000", "boot": 1}
    return {**row, "seq": seq, "received_unix_ms": NOON}


def differences(oracle: Oracle, file: Path) -> list[str]:
    ledger = Ledger(file)
    found = compare(oracle, ledger)
    ledger.close()
    return sorted({difference.kind for difference in found})


def test_what_was_and_what_is_recorded_agree(oracle: Oracle, database: tuple[Engine, Path]) -> None:
    assert [call.outcome for call in oracle.calls] == ["finished", "next_call", "no_show"]
    assert differences(oracle, database[1]) == []


@pytest.mark.parametrize(
    ("planted", "found"),
    [
        (tables.vote.delete(), ["lost"]),
        (update(tables.vote).values(rating=1), ["misattributed"]),
        (tables.call.delete().where(tables.call.c.outcome == "next_call"), ["lost"]),
        (insert(tables.vote).values(vote_row("0000000000000001", DESK, 2, seq=2)), ["invented"]),
        (insert(tables.vote).values(vote_row("000000000000000x", DESK, 2, seq=2)), ["wrong"]),
        (update(tables.call).values(operator="op-02"), ["wrong"]),
        (update(tables.call).values(outcome="finished"), ["wrong"]),
        (update(tables.rollup_day).where(tables.rollup_day.c.cut == "desk").values(eligible=1), ["wrong"]),
        (tables.rollup_day.delete().where(tables.rollup_day.c.cut == "service"), ["wrong"]),
        (update(tables.vote).values(call="0000000000000001"), ["invented", "lost"]),
        (insert(tables.kept).values(KEPT), ["wrong"]),
    ],
    ids=[
        "vote lost",
        "rating changed",
        "call lost",
        "vote invented",
        "stray vote",
        "operator",
        "outcome",
        "sum",
        "cut",
        "vote moved",
        "kept apart",
    ],
)
def test_a_planted_fault_is_found(
    oracle: Oracle, database: tuple[Engine, Path], planted: Any, found: list[str]
) -> None:
    with database[0].begin() as connection:
        connection.execute(planted)
    assert differences(oracle, database[1]) == found


def test_a_call_that_nobody_made_is_found(oracle: Oracle, database: tuple[Engine, Path]) -> None:
    del oracle.calls[1]
    assert "invented" in differences(oracle, database[1])


def test_a_vote_makes_a_call_eligible_whatever_its_outcome() -> None:
    oracle = Oracle()
    say(oracle, "called", 0)
    vote(oracle, 1)
    say(oracle, "no_show", 9000)
    say(oracle, "called", 10_000, ticket="t2")
    say(oracle, "no_show", 19_000, ticket="t2")
    assert set(recount(oracle.calls).values()) == {(2, 1, 1, 0, 0, 0, 1, 0, 0, 0)}


def test_the_same_ticket_called_at_another_desk_ends_the_first_call() -> None:
    oracle = Oracle()
    say(oracle, "called", 0)
    say(oracle, "called", 5000, desk=OTHER_DESK)
    say(oracle, "finished", 6000)  # late word from the first desk
    assert [call.outcome for call in oracle.calls] == ["called_elsewhere", None]


def test_a_recall_is_the_same_call() -> None:
    oracle = Oracle()
    for at, what in enumerate(("called", "recalled", "started", "called")):
        say(oracle, what, at)
    assert len(oracle.calls) == 1


def test_an_operator_who_leaves_ends_the_call() -> None:
    oracle = Oracle()
    say(oracle, "called", 0)
    oracle.told(QueueNews("e", "operator_closed", "tsentr", None, NOON + 5, DESK, "op-01"))
    assert oracle.calls[0].outcome == "operator_closed"


def test_lamps_that_lie_are_found() -> None:
    oracle = Oracle()
    say(oracle, "called", 0)
    oracle.lamps_changed(DESK, "111")
    oracle.lamps_changed(DESK, "010")
    assert "nobody pressed" in oracle.broken[0].text


def test_a_pad_that_comes_back_must_show_the_vote_that_was_given() -> None:
    oracle = Oracle()
    say(oracle, "called", 0)
    vote(oracle, 2)
    oracle.lamps_changed(DESK, "000")
    oracle.lamps_changed(DESK, "010")
    assert oracle.broken == []
    oracle.lamps_changed(DESK, "000")
    oracle.lamps_changed(DESK, "001")
    assert len(oracle.broken) == 1


def test_a_second_press_taken_for_a_vote_is_found() -> None:
    oracle = Oracle()
    say(oracle, "called", 0)
    vote(oracle, 2)
    vote(oracle, 3)
    assert "second press" in oracle.broken[0].text


def test_a_press_without_a_client_taken_for_a_vote_is_found() -> None:
    oracle = Oracle()
    vote(oracle, 2, ticket=None)
    assert "without a client" in oracle.broken[0].text


def test_a_called_client_who_finds_no_light_is_found_unless_the_vote_was_given() -> None:
    oracle = Oracle()
    say(oracle, "called", 0)
    oracle.found_no_light(DESK, "t1")
    assert len(oracle.broken) == 1
    vote(oracle, 3)
    oracle.found_no_light(DESK, "t1")
    assert len(oracle.broken) == 1


def flag(engine: Engine, call: int) -> None:
    row = {"call": f"{call:016}", "desk": DESK, "since_unix_ms": NOON, "why": "dark"}
    with engine.begin() as connection:
        connection.execute(insert(fleet_tables.console_unavailable).values(row))


def test_a_call_without_a_lit_pad_must_leave_the_denominator(oracle: Oracle, database: tuple[Engine, Path]) -> None:
    flag(database[0], 1)
    assert differences(oracle, database[1]) == ["wrong"]
    of_day = tables.rollup_day
    with database[0].begin() as connection:
        connection.execute(update(of_day).values(eligible=of_day.c.eligible - 1, unlit=of_day.c.unlit + 1))
    assert differences(oracle, database[1]) == []


def test_a_call_at_which_the_lamps_were_seen_may_not_be_flagged(oracle: Oracle, database: tuple[Engine, Path]) -> None:
    flag(database[0], 0)
    assert [each.text for each in compare_all(oracle, database[1]) if "flagged" in each.text] != []


def compare_all(oracle: Oracle, file: Path) -> list[Difference]:
    ledger = Ledger(file)
    found = compare(oracle, ledger)
    ledger.close()
    return found


def test_a_vote_given_as_the_pad_died_is_in_doubt() -> None:
    oracle = Oracle(injured=True)
    say(oracle, "called", 0)
    vote(oracle, 2)
    oracle.power_cut(DESK)
    assert [call.may_rate for call in oracle.calls] == [{0}]


def test_the_lamps_of_a_dead_pad_may_be_read_after_its_end() -> None:
    oracle = Oracle(injured=True)
    say(oracle, "called", 0)
    oracle.lamps_changed(DESK, "111")
    oracle.pressing(DESK, 2, "t1")
    oracle.power_cut(DESK)
    oracle.lamps_changed(DESK, "010")
    assert [call.may_rate for call in oracle.calls] == [{0}]


def test_a_client_may_press_again_if_the_vote_died_with_the_pad() -> None:
    oracle = Oracle(injured=True)
    say(oracle, "called", 0)
    vote(oracle, 2)
    oracle.power_cut(DESK)
    oracle.lamps_changed(DESK, "000")
    vote(oracle, 3)
    assert (oracle.broken, oracle.calls[0].rating) == ([], 3)


def test_a_day_that_ends_ends_its_calls_and_no_others() -> None:
    oracle = Oracle(day_ends={"tsentr": "20:00"})
    evening = 7 * 3_600_000
    say(oracle, "called", evening - 60_000)
    oracle.expire(NOON + evening + 4 * 3_600_000)
    assert [call.outcome for call in oracle.calls] == ["end_of_day"]


def test_a_reset_ends_every_call_of_its_branch() -> None:
    oracle = Oracle()
    say(oracle, "called", 0)
    say(oracle, "called", 1, desk=OTHER_DESK, ticket="t2")
    oracle.told(QueueNews("r", "reset", "zamostia", None, NOON + 2))
    assert [call.outcome for call in oracle.calls] == [None, None]
    oracle.told(QueueNews("r2", "reset", "tsentr", None, NOON + 3))
    assert [call.outcome for call in oracle.calls] == ["reset", "reset"]


def test_with_a_lost_flash_only_what_was_not_delivered_is_in_doubt() -> None:
    oracle = Oracle(injured=True)
    say(oracle, "called", 0)
    vote(oracle, 2)
    say(oracle, "finished", 1)
    say(oracle, "called", 2, ticket="t2")
    vote(oracle, 3, ticket="t2")
    oracle.flash_lost(DESK, {oracle.calls[0].name})
    assert [call.may_rate for call in oracle.calls] == [set(), {0}]
    assert oracle.replaced == {DESK}


def test_near_the_end_of_a_day_the_clock_may_be_quicker_than_the_queues_word() -> None:
    oracle = Oracle(injured=True, day_ends={"tsentr": "20:00"})
    before_the_end = 7 * 3_600_000 + 55 * 60_000
    say(oracle, "called", before_the_end)
    end = oracle.calls[0].until_unix_ms - NOON
    say(oracle, "called", end - 1000, ticket="t2")
    assert (oracle.calls[0].outcome, oracle.calls[0].may_end) == ("next_call", {"end_of_day"})


def test_a_feed_whose_clock_is_ahead_may_end_what_it_has_not_heard_of() -> None:
    oracle = Oracle(injured=True)
    say(oracle, "called", 0)
    say(oracle, "called", 1, ticket="t2")
    oracle.feed_clock_ahead(True)
    say(oracle, "called", 2, ticket="t3")
    oracle.feed_clock_ahead(False)
    assert [call.may_end for call in oracle.calls] == [{"end_of_day"}] * 3
