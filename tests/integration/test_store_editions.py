"""Editions on both databases: kept byte by byte, never changed, in order; and the counts that they are made of."""

from datetime import datetime
from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy import text

from collector.errors import NotThere, OutOfTurn, StoreError
from collector.store import Counted, NewEdition, Store
from collector.store.engine import make_engine, writing
from tests.contract.api_office import KYIV, Office
from tests.integration.postgres import Postgres


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'zrazkovo.db'}"
    cluster: Postgres = request.getfixturevalue("cluster")
    return cluster.url()


def new(period: str, number: int, *, reason: str = "", content: bytes = b'{"a": 1}') -> NewEdition:
    return NewEdition(period, number, 1_700_000_000_000, "", reason, 7, "19/01-03-13/551", "1.3", content, b"secret")


def test_an_edition_is_kept_as_it_was_made_and_found_again(url: str) -> None:
    with Store.open(url) as store:
        (first,) = store.editions.publish([new("2026-03", 1)])
        both = store.editions.publish([new("2026-03", 2, reason="late votes", content=b"{}"), new("2026-Q1", 1)])
        assert first.digest == sha256(b'{"a": 1}').hexdigest()
        assert store.editions.all() == [first, *both]
        assert store.editions.content("2026-03", 1) == (first, b'{"a": 1}')
        assert store.editions.content("2026-03", 2) == (both[0], b"{}")
        assert [(each.period, basis) for each, basis in store.editions.bases(2026)] == [
            ("2026-03", b"secret"), ("2026-03", b"secret"), ("2026-Q1", b"secret"),
        ]  # fmt: skip
        assert store.editions.bases(2025) == []
        for period, number in (("2026-03", 3), ("2026-04", 1), ("2026-03", 0), ("2026-03", 2**40)):
            with pytest.raises(NotThere):
                store.editions.content(period, number)


def test_editions_of_a_period_follow_one_another_and_come_out_all_or_none(url: str) -> None:
    with Store.open(url) as store:
        with pytest.raises(OutOfTurn):
            store.editions.publish([new("2026-04", 1), new("2026-03", 2)])
        assert store.editions.all() == []
        store.editions.publish([new("2026-03", 1)])
        with pytest.raises(OutOfTurn):
            store.editions.publish([new("2026-03", 1)])
        assert len(store.editions.all()) == 1


@pytest.mark.parametrize("table", ["edition", "edition_basis"])
@pytest.mark.parametrize("act", ["UPDATE {table} SET {column} = {column}", "DELETE FROM {table}", "{instead}"])
def test_the_database_itself_refuses_to_change_what_was_published(url: str, table: str, act: str) -> None:
    with Store.open(url) as store:
        store.editions.publish([new("2026-03", 1)])
    engine = make_engine(url)
    column = "reason" if table == "edition" else "basis"
    with pytest.raises(StoreError, match="what was published is never changed"), writing(engine) as connection:
        # Two ways round a trigger for deletions.
        is_sqlite = engine.dialect.name == "sqlite"
        instead = f"REPLACE INTO {table} SELECT * FROM {table}" if is_sqlite else f"TRUNCATE {table} CASCADE"
        connection.execute(text(act.format(table=table, column=column, instead=instead)))
    engine.dispose()
    with Store.open(url) as store:
        assert store.editions.content("2026-03", 1)[1] == b'{"a": 1}'


def test_counts_of_a_month_are_by_branch_service_and_operator_or_desk_if_none_was_named(tmp_path: Path) -> None:
    office = Office(tmp_path)
    for day, rating, operator in ((1, 3, "olena"), (2, None, "olena"), (31, 1, None), (31, 2, None)):
        office.call("centre-1", datetime(2026, 3, day, 11, tzinfo=KYIV), rating=rating, operator=operator)
    office.call("centre-2", datetime(2026, 4, 1, 0, 5, tzinfo=KYIV), rating=2, service=None)
    office.call("lisbon-1", datetime(2026, 4, 1, 0, 5, tzinfo=KYIV), outcome="no_show")  # the 31st in Lisbon
    counted = office.store.editions.counted(20260301, 20260331)
    april = office.store.editions.counted(20260401, 20260430)
    office.store.close()
    assert counted == [
        Counted(202603, "centre", "passport", "desk centre-1", 2, 2, 1, 1, 0),
        Counted(202603, "centre", "passport", "olena", 2, 2, 0, 0, 1),
        Counted(202603, "lisbon", "passport", "olena", 1, 0, 0, 0, 0),
    ]
    assert april == [Counted(202604, "centre", "", "olena", 1, 1, 0, 1, 0)]
