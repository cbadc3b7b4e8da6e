"""What integrity signals are read from and kept in, on every database."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from api.integrity import chore
from collector.store import Arrival, NotThere, PadDay, Served, Store
from protocol import topics
from protocol.codec import encode
from protocol.messages import Health, PadStatus
from schemas.periods import day_of
from sim.city import CITY, TIMEZONE
from sim.gaming_centre import Centre
from sim.history import YEAR, lay_down
from sim.office import register
from tests.contract.api_office import now_unix_ms
from tests.integration.postgres import Postgres

MONTH, FIRST = 202609, date(2026, 8, 31)


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'zrazkovo.db'}"
    else:
        cluster: Postgres = request.getfixturevalue("cluster")
        url = cluster.url()
    with Store.open(url) as opened:
        opened.load_register(register(CITY, date(2026, 10, 20)))
        lay_down(url, CITY, first_day=FIRST, last_day=date(2026, 9, 3), seed=5, calls=60_000)
        yield opened


def test_a_month_is_read_with_what_it_counts_for_and_kept_with_its_reviews(store: Store) -> None:
    signals = store.signals
    assert signals.months_with_calls() == [202608, MONTH]
    calls = signals.served(MONTH)
    rows = [row for row in store.rollups("operator", MONTH * 100, MONTH * 100 + 99) if row.key]
    assert len(calls) == sum(row.calls for row in store.rollups("branch", MONTH * 100, MONTH * 100 + 99))
    for name in ("op-01", "op-20"):
        mine = [call for call in calls if call.operator == name]
        own = [row for row in rows if row.key == name]
        assert sum(call.eligible for call in mine) == sum(row.eligible for row in own)
        ratings = [call.rating for call in mine]
        assert [ratings.count(level) for level in (1, 2, 3)] == [
            sum(getattr(row, level) for row in own) for level in ("bad", "good", "exemplary")
        ]
    assert signals.digest(MONTH) == signals.digest(MONTH) != signals.digest(202608)
    assert chore.compute(store, MONTH, now_unix_ms()) == []
    assert [(each.month, each.calls, each.log_only) for each in signals.months()] == [(MONTH, len(calls), True)]
    with pytest.raises(NotThere):
        signals.review(999, "watch", "", "head", now_unix_ms())


def test_the_centre_in_memory_has_the_rows_that_come_out_of_a_store(store: Store) -> None:
    """What `make power` measures is what an office would have."""
    day = date(2026, 9, 2)
    made = Centre(CITY, seed=5, calls=60_000, progress=(day - FIRST) / YEAR).rows(day)
    stored = [call for call in store.signals.served(MONTH) if call.day == 20260902]

    def sort(row: Served) -> tuple[str, int]:
        return row.desk, row.called_unix_ms

    assert sorted(stored, key=sort) == sorted(made, key=sort)
    assert len(stored) > 100


def test_pads_counters_and_trouble_are_of_a_desk_and_a_day(store: Store) -> None:
    now = now_unix_ms()
    today = day_of(now, TIMEZONE)
    status = PadStatus("online", "dark", None, "00000001", 3, "0.1.0", "power", "ok", "ok", "ok")
    counters = Health(60, 40000, 120000, None, 12, 0, 5, 1, 2, 0, 0, 0)
    store.ingest(
        [
            Arrival(topics.desk("tsentr-01", "status"), encode(status), now),
            Arrival(topics.desk("tsentr-01", "health"), encode(counters), now),
        ]
    )
    for _ in range(2):  # a night that is done again
        assert store.signals.sample_pads(today) == 1
    assert store.signals.pad_counts(today, today) == [PadDay("tsentr-01", today, "00000001", 3, 5, 1, 2)]
    store.fleet.report("tsentr-02", "somebody")
    assert store.signals.troubled(today // 100, TIMEZONE) == {("tsentr-02", today)}
