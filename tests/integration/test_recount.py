"""Counting again on both engines: what differs is told, nothing is changed unasked, and memory does not grow."""

import json
from collections.abc import Callable

import pytest
from sqlalchemy import text

from collector.gaps import Gap
from collector.rollup import Joined
from collector.store import Arrival, Store, recount
from collector.store.engine import make_engine, writing
from collector.store.recount import Scope
from collector.store.upkeep import RECOUNT, REPAIR
from protocol import codec, topics
from tests.bench.filled import Office, fill
from tests.integration.collector_process import NOON_DAY, NOON_UNIX_MS, event, vote
from tests.integration.test_backup import collector
from tests.integration.test_restored_backups import DESK, REGISTER


@pytest.fixture
def url(any_database: str) -> str:
    """Forty calls, each with a vote."""
    with Store.open(any_database) as store:
        store.load_register(REGISTER)
        for number in range(1, 41):
            messages = (
                (topics.queue("centre", "event"), event(number, desk=DESK, seq=number)),
                (topics.desk(DESK, "vote"), vote(number, number % 3 + 1, seq=number)),
            )
            store.ingest([Arrival(topic, codec.encode(message), NOON_UNIX_MS) for topic, message in messages])
    return any_database


@pytest.fixture
def tamper(url: str) -> Callable[[str], None]:
    def change(statement: str) -> None:
        engine = make_engine(url)
        with writing(engine) as connection:
            connection.execute(text(statement))
        engine.dispose()

    return change


def test_a_difference_is_told_and_only_repaired_when_asked_to(url: str, tamper: Callable[[str], None]) -> None:
    tamper("UPDATE rollup_day SET bad = bad + 5 WHERE cut = 'desk'")
    tamper("DELETE FROM rollup_day WHERE cut = 'service'")
    told = collector(url, "recount")
    assert told.returncode == 1
    assert "desk centre-01 of branch centre on 2026-11-22: the roll-up has 18 bad, the rows 13 bad\n" in told.stdout
    assert "service passport of branch centre on 2026-11-22: the roll-up has 0 calls" in told.stdout
    assert "recount --repair" in told.stdout
    again = json.loads(collector(url, "recount", "--json").stdout)
    assert [each["cut"] for each in again["differences"]] == ["desk", "service"], "it was repaired unasked"
    assert again["differences"][0]["stored"]["bad"] == 18 and again["differences"][0]["counted"]["bad"] == 13
    done = collector(url, "recount", "--repair")
    assert done.returncode == 0 and "corrected: desk centre-01 of branch centre" in done.stdout
    with Store.open(url) as store:
        assert store.recount() == []
        entry, noted = store.upkeep.last(REPAIR), store.upkeep.last(RECOUNT)
        assert entry and entry.who and "of branch centre on 2026-11-22: the roll-up has" in entry.detail
        assert noted and not noted.ok and noted.amount == 2
    good = collector(url, "recount")
    assert (good.returncode, good.stdout) == (0, "collector: every figure agrees with the rows it comes from\n")


def test_it_can_be_asked_of_a_branch_of_days_and_of_a_cut(url: str, tamper: Callable[[str], None]) -> None:
    tamper("UPDATE rollup_day SET good = good + 1")
    with Store.open(url) as store:

        def cuts(**scope: object) -> list[str]:
            return [each.key[0] for each in store.upkeep.recount(Scope(**scope)).differences]  # type: ignore[arg-type]

        assert cuts() == ["branch", "desk", "operator", "service"]
        assert cuts(cut="operator") == ["operator"]
        assert cuts(first_day=NOON_DAY, last_day=NOON_DAY, branch="centre") == cuts()
        assert cuts(branch="elsewhere") == cuts(last_day=NOON_DAY - 1) == cuts(first_day=NOON_DAY + 1) == []
    refused = collector(url, "recount", "--branch", "elsewhere")
    assert refused.returncode == 1 and "knows no branch 'elsewhere', only centre" in refused.stderr
    assert collector(url, "recount", "--from", "22.11.2026").returncode == 2


def test_votes_that_were_taken_away_are_named_by_their_numbers(url: str, tamper: Callable[[str], None]) -> None:
    for number in (12, 13, 14, 15, 30):
        tamper(f"DELETE FROM vote WHERE seq = {number}")
    with Store.open(url) as store:
        repeated = codec.encode(vote(29, 1, seq=41))
        store.ingest([Arrival(topics.desk(DESK, "vote"), repeated, NOON_UNIX_MS)])  # kept, so its number is not missing
        store.ingest([Arrival(topics.desk(DESK, "vote"), codec.encode(vote(42, 1, seq=42)), NOON_UNIX_MS)])
        found = store.upkeep.gaps()
    assert [(gap.first, gap.last) for gap in found] == [(12, 15), (30, 30)]
    assert all(isinstance(gap, Gap) and gap.desk == DESK for gap in found)


@pytest.mark.parametrize("any_database", ["sqlite"], indirect=True)
def test_what_is_remembered_does_not_grow_with_the_number_of_calls(
    any_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Days are forgotten as they cancel out: four times the calls leave no more to remember at any instant."""
    most = 0

    class Watched(recount._Balance):
        def count(self, chunk: list[Joined]) -> None:
            nonlocal most
            super().count(chunk)
            most = max(most, len(self._sums))

    monkeypatch.setattr(recount, "_Balance", Watched)
    monkeypatch.setattr(recount, "_AT_ONCE", 500)
    remembered = []
    for calls in (5_000, 20_000):
        most = 0
        url = f"{any_database}{calls}"
        fill(url, calls, Office(branches=2, desks=5))
        with Store.open(url) as store:
            found = store.upkeep.recount()
        assert (found.calls, found.sentences) == (calls, [])
        remembered.append(most)
    assert remembered[1] < 1.25 * remembered[0], remembered
