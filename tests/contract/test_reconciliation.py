"""What programs and people who run the system are told of sums that do not agree; the comparing is in test_totals."""

import sqlite3
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from api import nightly
from api.settings import Settings
from tests.contract.api_office import KYIV, Office, now_unix_ms

PATH = "/v1/reconciliation"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path)
    yield made
    made.store.close()


def tamper(office: Office, statement: str) -> None:
    with sqlite3.connect(office.url.removeprefix("sqlite:///")) as connection:
        connection.execute(statement)
    connection.close()


def test_a_night_keeps_a_comparison_and_a_sum_that_differs_is_told_everywhere(office: Office) -> None:
    office.call("centre-1", datetime(2026, 3, 10, 11, tzinfo=KYIV), rating=3)
    with office.client("metrics", "devices") as client:
        assert client.get(PATH).json() == {"reconciliations": []}
        nightly.run_chores(office.store, Settings(), now_unix_ms())
        (good,) = client.get(PATH).json()["reconciliations"]
        assert good["ok"] and good["differences"] == []
        assert {each["name"] for each in good["checks"]} == {"cuts", "reasons", "months", "mix", "behind"}
        assert 'data-testid="sums-differ"' not in client.get("/devices").text
        tamper(office, "UPDATE rollup_day SET exemplary = 0, bad = 1 WHERE cut = 'desk'")
        runs = nightly.run_chores(office.store, Settings(), now_unix_ms(), only="reconcile")
        assert [run.ok for run in runs] == [True], "it did its work"
        bad, before = client.get(PATH, params={"limit": 5}).json()["reconciliations"]
        assert not bad["ok"] and before == good
        assert "branch centre on 2026-03-10: the desks do not add up to the branch" in bad["differences"]
        assert 'zrazkovo_reconciliation_differences{check="cuts"} 1.0' in client.get("/metrics").text
        assert 'data-testid="sums-differ"' in client.get("/devices").text
    (row,) = office.store.rollups("desk", 20260310, 20260310)
    assert (row.bad, row.exemplary) == (1, 0), "it was repaired silently"


def test_it_is_for_those_who_run_the_system(office: Office) -> None:
    with office.client("figures", "operators", "devices") as client:
        assert client.get(PATH).status_code == 403
