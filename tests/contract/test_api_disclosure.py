"""Operators' and desks' figures: who gets them, for which purpose, and that every reading is written down."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.purposes import PURPOSES
from tests.contract.api_office import Office


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path)
    yield made
    made.store.close()


def logged(office: Office) -> list[tuple[str | None, bool, str]]:
    """(purpose, granted, question) of every reading, oldest first."""
    with sqlite3.connect(office.url.removeprefix("sqlite:///")) as connection:
        rows = connection.execute("select purpose, granted, question from access_log order by id").fetchall()
    return [(purpose, bool(granted), question) for purpose, granted, question in rows]


@pytest.mark.parametrize("by", ["operator", "desk"])
def test_the_scope_operators_is_needed_and_the_refusal_is_logged(office: Office, by: str) -> None:
    with office.client("figures") as client:
        response = client.get("/v1/aggregates", params={"by": by, "purpose": "analysis"})
    assert response.status_code == 403
    assert response.json()["type"] == "urn:zrazkovo:problem:scope-missing"
    assert logged(office) == [("analysis", False, f"by={by} period=month purpose=analysis")]


@pytest.mark.parametrize("purpose", [None, "discipline", "penalty", "", "Analysis", "x" * 5000])
def test_a_purpose_that_the_order_does_not_know_is_refused_citing_it_and_logged(
    office: Office, purpose: str | None
) -> None:
    with office.client("figures", "operators") as client:
        params = {"by": "operator"} | ({} if purpose is None else {"purpose": purpose})
        response = client.get("/v1/aggregates", params=params)
    assert response.status_code == 422
    problem = response.json()
    assert problem["type"] == "urn:zrazkovo:problem:unknown-purpose"
    assert "4.8" in problem["detail"] and "penalties" in problem["detail"]
    assert [granted for _, granted, _ in logged(office)] == [False]


def test_discipline_is_not_a_purpose() -> None:
    assert set(PURPOSES) == {"analysis", "improvement", "duties_review", "cooperation_review", "encouragement"}


@pytest.mark.parametrize("purpose", PURPOSES)
def test_each_purpose_of_the_order_is_granted_and_logged_with_the_question(office: Office, purpose: str) -> None:
    with office.client("figures", "operators") as client:
        params = {"by": "operator", "period": "day", "branch": "centre", "key": "olena", "purpose": purpose}
        response = client.get("/v1/aggregates", params=params)
    assert response.status_code == 200
    assert logged(office) == [
        (purpose, True, f"by=operator period=day branch=centre key=olena purpose={purpose}"),
    ]


@pytest.mark.parametrize("by", ["centre", "branch", "service"])
def test_figures_of_nobody_in_particular_need_no_purpose_and_are_not_logged(office: Office, by: str) -> None:
    with office.client("figures") as client:
        assert client.get("/v1/aggregates", params={"by": by}).status_code == 200
    assert logged(office) == []


def test_no_figures_are_given_when_the_reading_cannot_be_written_down(office: Office) -> None:
    with office.client("figures", "operators") as client:
        with sqlite3.connect(office.url.removeprefix("sqlite:///")) as connection:
            connection.execute("drop table access_log")
        response = client.get("/v1/aggregates", params={"by": "operator", "purpose": "analysis"})
    assert response.status_code == 503
    assert "access_log" not in response.text
