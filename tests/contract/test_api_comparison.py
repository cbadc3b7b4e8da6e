"""``GET /v1/comparison`` over a real store: which periods stand against each other, and what is called beyond noise."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.comparison import period_before, year_before
from api.statistics import newcombe
from schemas.periods import Period
from tests.contract.api_office import KYIV, Office


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path)
    yield made
    made.store.close()


def ask(client: TestClient, **parameters: str) -> dict[str, Any]:
    response = client.get("/v1/comparison", params=parameters)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def votes(
    office: Office, month: datetime, bad: int, exemplary: int, *, desk: str = "centre-1", silent: int = 0
) -> None:
    """Bad and exemplary ones spread over the days in turn, so that no day differs from another."""
    ratings = [1] * bad + [3] * exemplary + [None] * silent
    for n, rating in enumerate(ratings):
        office.call(desk, month + timedelta(days=n % 20, minutes=n), rating=rating)


OCTOBER, SEPTEMBER, LAST_OCTOBER = (
    datetime(2025, 10, 2, 9, tzinfo=KYIV),
    datetime(2025, 9, 2, 9, tzinfo=KYIV),
    datetime(2024, 10, 2, 9, tzinfo=KYIV),
)


def test_a_month_stands_against_the_one_before_and_the_one_of_last_year(office: Office) -> None:
    votes(office, OCTOBER, 10, 70)
    votes(office, SEPTEMBER, 40, 40)
    votes(office, LAST_OCTOBER, 12, 68)
    with office.client("figures") as client:
        answer = ask(client, by="branch", branch="centre", day="2025-10-17")
    assert (answer["from"], answer["to"], answer["comparisons"]) == ("2025-10-01", "2025-10-31", 4)
    (row,) = answer["rows"]
    assert [row["previous"]["then"]["period"], row["last_year"]["then"]["period"]] == ["2025-09", "2024-10"]
    bad, exemplary = row["previous"]["changes"]
    assert bad["difference"] == pytest.approx(10 / 80 - 0.5)
    assert (bad["low"], bad["high"]) == pytest.approx(newcombe(10, 80, 40, 80), abs=1e-6)
    assert bad["beyond_noise"]
    assert exemplary["beyond_noise"]
    assert not any(change["beyond_noise"] for change in row["last_year"]["changes"])
    assert not row["previous"]["response_differs"]


def test_figures_are_those_of_aggregates_with_the_bounds_beside_them(office: Office) -> None:
    votes(office, OCTOBER, 30, 270, silent=700)
    with office.client("figures") as client:
        (row,) = ask(client, by="centre", day="2025-10-17")["rows"]
        asked = {"by": "centre", "period": "month", "from": "2025-10-01", "to": "2025-10-31"}
        (cell,) = client.get("/v1/aggregates", params=asked).json()["cells"]
    bounds = row["now"].pop("bounds")
    assert row["now"] == cell
    assert bounds["exemplary"] == {"low": 0.27, "high": 0.97}  # domain study 6.2
    assert row["previous"] is None
    assert row["last_year"] is None


def test_the_same_change_beside_many_others_is_noise(office: Office) -> None:
    """Two lone branches would each be called changed; what one sees depends on how much one looks at."""
    votes(office, OCTOBER, 14, 66)
    votes(office, SEPTEMBER, 27, 53)
    with office.client("figures") as client:
        asked = {"by": "branch", "day": "2025-10-17"}
        alone = ask(client, branch="centre", **asked)
        assert alone["comparisons"] == 2
        assert alone["rows"][0]["previous"]["changes"][0]["beyond_noise"]
        for desk in ("vyshenka-1", "lisbon-1"):
            votes(office, OCTOBER, 14, 66, desk=desk)
            votes(office, SEPTEMBER, 14, 66, desk=desk)
        together = ask(client, **asked)
    assert together["comparisons"] == 6
    centre = together["rows"][0]
    assert centre["previous"]["changes"][0]["difference"] == alone["rows"][0]["previous"]["changes"][0]["difference"]
    assert not centre["previous"]["changes"][0]["beyond_noise"]


def test_days_that_differ_among_themselves_widen_the_intervals(office: Office) -> None:
    for n in range(200):
        day = n // 10
        office.call("centre-1", OCTOBER + timedelta(days=day, minutes=n), rating=1 if day % 2 else 3)
    votes(office, SEPTEMBER, 100, 100)
    with office.client("figures") as client:
        answer = ask(client, by="centre", day="2025-10-17")
    assert answer["design_effects"]["bad"] == pytest.approx(10 * 20 / 19)
    change = answer["rows"][0]["previous"]["changes"][0]
    assert change["high"] - change["low"] > 2.5 * 2 * 1.96 * (0.25 / 200 * 2) ** 0.5


def test_other_clients_who_vote_are_warned_of(office: Office) -> None:
    votes(office, OCTOBER, 10, 70, silent=20)
    votes(office, SEPTEMBER, 10, 70, silent=200)
    with office.client("figures") as client:
        (row,) = ask(client, by="centre", day="2025-10-17")["rows"]
    assert row["previous"]["response_differs"]


def test_operators_are_compared_for_a_purpose_only_and_it_is_written_down(office: Office) -> None:
    votes(office, OCTOBER, 10, 70)
    with office.client("figures", "operators") as client:
        assert client.get("/v1/comparison", params={"by": "operator"}).status_code == 422
        answer = ask(client, by="operator", purpose="analysis", day="2025-10-17", lang="en")
    assert answer["rows"][0]["now"]["key"] == "olena"
    assert "disciplinary" in answer["notice"]
    with office.client("figures") as client:
        assert client.get("/v1/comparison", params={"by": "operator", "purpose": "analysis"}).status_code == 403


def test_texts_come_in_the_language_that_is_asked_for(office: Office) -> None:
    with office.client("figures") as client:
        assert ask(client, lang="en")["method"].startswith("A difference is")
        assert ask(client, lang="uk")["method"].startswith("Різниця")


@pytest.mark.parametrize(
    "asked", [{"by": "centre", "key": "olena"}, {"by": "branch", "branch": "atlantis"}, {"from": "2025-01-01"}]
)
def test_what_makes_no_sense_is_refused(office: Office, asked: dict[str, str]) -> None:
    with office.client("figures") as client:
        response = client.get("/v1/comparison", params=asked)
    assert response.status_code == 422
    assert "\n" not in response.json()["detail"]


@pytest.mark.parametrize(
    ("period", "first", "before", "year_ago"),
    [
        (Period.DAY, date(2026, 11, 23), date(2026, 11, 22), date(2025, 11, 24)),
        (Period.WEEK, date(2026, 12, 28), date(2026, 12, 21), date(2025, 12, 22)),  # week 53 of 2026
        (Period.MONTH, date(2026, 1, 1), date(2025, 12, 1), date(2025, 1, 1)),
        (Period.QUARTER, date(2026, 1, 1), date(2025, 10, 1), date(2025, 1, 1)),
        (Period.YEAR, date(2026, 1, 1), date(2025, 1, 1), date(2025, 1, 1)),
        (Period.MONTH, date(2000, 1, 1), None, None),
    ],
)
def test_which_periods_are_compared(period: Period, first: date, before: date | None, year_ago: date | None) -> None:
    assert period_before(first, period) == before
    assert year_before(first, period) == year_ago
