"""``GET /v1/aggregates`` over a real store: what is counted where, what adds up, what is refused."""

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.contract.api_office import BRANCH_OF, KYIV, LISBON, REGISTER, Office

YEAR = {"from": "2026-01-01", "to": "2026-12-31"}
COUNTS = ("calls", "eligible_calls", "votes")


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path)
    yield made
    made.store.close()


def ask(client: TestClient, **parameters: str) -> dict[str, Any]:
    response = client.get("/v1/aggregates", params=parameters)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def total(cells: list[dict[str, Any]]) -> tuple[int, ...]:
    return (
        *(sum(cell[name] for cell in cells) for name in COUNTS),
        *(sum(cell[name]["count"] for cell in cells) for name in ("bad", "good", "exemplary")),
    )


def busy_months(office: Office) -> None:
    """Some hundred calls from January to April, across the night of the clock change, with every kind of outcome."""
    chance = random.Random(20260329)
    for _ in range(160):
        desk = chance.choice(sorted(BRANCH_OF))
        at = datetime(2026, 1, 30, tzinfo=UTC) + timedelta(minutes=chance.randrange(0, 66 * 24 * 60))
        office.call(
            desk,
            at,
            rating=chance.choice([None, None, 1, 2, 3, 3]),
            outcome=chance.choice(["finished", "finished", "no_show", "transferred", None]),
            service=chance.choice(["passport", "address", None]),
            operator=chance.choice(["olena", "petro", None]),
        )


def test_one_call_with_a_vote_is_one_of_everything(office: Office) -> None:
    office.call("centre-1", datetime(2026, 3, 10, 11, tzinfo=KYIV), rating=3)
    with office.client("figures") as client:
        answer = ask(client, by="branch", period="month", branch="centre", **{"from": "2026-03-05", "to": "2026-03-20"})
    assert (answer["from"], answer["to"], answer["timezones"]) == ("2026-03-01", "2026-03-31", ["Europe/Kyiv"])
    (cell,) = answer["cells"]
    assert (cell["period"], cell["branch"], cell["key"], cell["complete"]) == ("2026-03", "centre", None, True)
    assert (cell["name"], cell["name_en"]) == ("Центр", "Centre")
    assert [cell[name] for name in COUNTS] == [1, 1, 1]
    assert cell["response_rate"] == {"share": 1.0, "low": False}
    assert cell["exemplary"] == {"count": 1, "share": 1.0, "low": 0.206549, "high": 1.0}
    assert cell["bad"] == {"count": 0, "share": 0.0, "low": 0.0, "high": 0.793451}


def test_a_no_show_is_a_call_but_not_an_eligible_one(office: Office) -> None:
    office.call("centre-1", datetime(2026, 3, 10, 11, tzinfo=KYIV), outcome="no_show")
    office.call("centre-1", datetime(2026, 3, 10, 12, tzinfo=KYIV))
    with office.client("figures") as client:
        (cell,) = ask(client, period="year", **YEAR)["cells"]
    assert [cell[name] for name in COUNTS] == [2, 1, 0]
    assert cell["good"] == {"count": 0, "share": None, "low": None, "high": None}
    reasons = {"unrated": 0, "absent": 1, "passed_on": 0, "withdrawn": 0, "unlit": 0, "unknown": 0}
    assert cell["left_out"] == reasons


def test_how_many_could_not_vote_and_why_is_told_in_every_cut_and_on_the_page(office: Office) -> None:
    for outcome in ("no_show", "no_show", "transferred", "removed", "finished"):
        office.call("centre-1", datetime(2026, 3, 10, 11, tzinfo=KYIV), outcome=outcome)
    office.call("vyshenka-1", datetime(2026, 3, 10, 12, tzinfo=KYIV), rating=1, outcome="no_show")
    with office.client("figures", "operators") as client:
        for by in ("centre", "branch", "service", "operator", "desk"):
            cells = ask(client, by=by, period="year", purpose="analysis", **YEAR)["cells"]
            for cell in cells:
                assert cell["calls"] == cell["eligible_calls"] + sum(cell["left_out"].values())
            assert sum(cell["left_out"]["absent"] for cell in cells) == 2
            assert sum(cell["left_out"]["passed_on"] for cell in cells) == 1
        page = client.get("/figures", params={**YEAR, "lang": "en"}, headers={"Accept": "text/html"}).text
    told = page.partition('data-testid="left-out">')[2].partition("</p>")[0]
    assert told.startswith("4 clients who were called could not vote: 2 did not come; 1 was passed on"), told


@pytest.mark.parametrize("by", ["centre", "branch", "service", "operator", "desk"])
@pytest.mark.parametrize("period", ["day", "week", "month", "quarter", "year"])
def test_every_cut_of_every_period_adds_up_to_the_year(office: Office, by: str, period: str) -> None:
    busy_months(office)
    purpose = {"purpose": "analysis"} if by in ("operator", "desk") else {}
    with office.client("figures", "operators") as client:
        year = total(ask(client, by="centre", period="year", **YEAR)["cells"])
        cells = ask(client, by=by, period=period, **YEAR, **purpose)["cells"]
    assert year[0] == 160
    assert total(cells) == year


def test_operators_services_and_desks_of_a_branch_add_up_to_the_branch(office: Office) -> None:
    busy_months(office)
    asked = {"period": "month", "purpose": "analysis", **YEAR}
    with office.client("figures", "operators") as client:
        for branch in ("centre", "vyshenka", "lisbon"):
            whole = total(ask(client, by="branch", branch=branch, **asked)["cells"])
            assert whole[0] > 0
            for by in ("service", "operator", "desk"):
                cells = ask(client, by=by, branch=branch, **asked)["cells"]
                assert total(cells) == whole
                assert {cell["branch"] for cell in cells} == {branch}


def test_a_call_belongs_to_the_local_day_of_its_branch(office: Office) -> None:
    # The same moment: already 1 June in Kyiv, still 31 May in Lisbon.
    moment = datetime(2026, 5, 31, 22, 30, tzinfo=UTC)
    office.call("centre-1", moment)
    office.call("lisbon-1", moment)
    with office.client("figures") as client:
        answer = ask(client, by="branch", period="day", **{"from": "2026-05-31", "to": "2026-06-01"})
    assert answer["timezones"] == ["Europe/Kyiv", "Europe/Lisbon"]
    called = {(cell["period"], cell["branch"]) for cell in answer["cells"] if cell["calls"]}
    assert called == {("2026-06-01", "centre"), ("2026-05-31", "lisbon")}


def test_the_hour_that_comes_twice_and_the_hour_that_is_missing_lie_in_their_days(office: Office) -> None:
    for at in (
        datetime(2026, 10, 25, 3, 30, tzinfo=KYIV, fold=0),
        datetime(2026, 10, 25, 3, 30, tzinfo=KYIV, fold=1),
        datetime(2026, 3, 29, 4, 30, tzinfo=KYIV),
    ):
        office.call("centre-1", at)
    with office.client("figures") as client:
        days = ask(client, by="branch", branch="centre", period="day", **{"from": "2026-10-24", "to": "2026-10-26"})
        spring = ask(client, by="branch", branch="centre", period="day", **{"from": "2026-03-29", "to": "2026-03-29"})
    assert [cell["calls"] for cell in days["cells"]] == [0, 2, 0]
    assert [cell["calls"] for cell in spring["cells"]] == [1]


def test_a_week_is_widened_to_monday_and_sunday_across_new_year(office: Office) -> None:
    office.call("centre-1", datetime(2025, 12, 29, 9, tzinfo=KYIV))
    office.call("centre-1", datetime(2026, 1, 4, 9, tzinfo=KYIV))
    with office.client("figures") as client:
        answer = ask(client, period="week", **{"from": "2026-01-01", "to": "2026-01-01"})
    assert (answer["from"], answer["to"]) == ("2025-12-29", "2026-01-04")
    assert [(cell["period"], cell["calls"]) for cell in answer["cells"]] == [("2026-W01", 2)]


def test_the_running_period_is_not_complete_and_the_one_before_is(office: Office) -> None:
    with office.client("figures") as client:
        cells = ask(client)["cells"]
    assert [cell["complete"] for cell in cells] == [True] * 11 + [False]
    assert cells[-1]["period"] in (f"{now:%Y-%m}" for now in (datetime.now(KYIV), datetime.now(LISBON)))


def test_without_a_vote_there_are_no_shares_and_every_month_has_its_cell(office: Office) -> None:
    with office.client("figures") as client:
        answer = ask(client, by="branch", **YEAR)
    assert len(answer["cells"]) == 12 * 3
    assert all(cell["bad"]["share"] is None and cell["response_rate"]["share"] is None for cell in answer["cells"])


def test_an_answer_says_its_method_its_scale_and_that_it_is_simulated(office: Office) -> None:
    with office.client("figures") as client:
        answer = ask(client)
    assert answer["simulated"] is True
    assert "sampling noise only" in answer["method_en"] and "Вілсона" in answer["method"]
    assert [(step["rating"], step["id"], step["name"]) for step in answer["scale"]] == [
        (1, "bad", "Погано"),
        (2, "good", "Добре"),
        (3, "exemplary", "Зразково"),
    ]
    assert answer["notice"] is None
    assert abs(datetime.fromisoformat(answer["generated_at"]) - datetime.now(UTC)) < timedelta(minutes=1)


def test_operators_stand_in_the_order_of_their_names_and_not_of_their_figures(office: Office) -> None:
    for operator, rating in (("petro", 3), ("olena", 1), ("ada", 2), (None, 3)):
        office.call("centre-1", datetime(2026, 3, 10, 11, tzinfo=KYIV), rating=rating, operator=operator)
    with office.client("figures", "operators") as client:
        answer = ask(client, by="operator", period="year", purpose="analysis", **YEAR)
    assert [cell["key"] for cell in answer["cells"]] == ["ada", "olena", "petro", None]
    assert answer["cells"][-1]["name_en"] == "not named"
    assert "4.8" in answer["notice"] and "4.8" in answer["notice_en"]


def test_desks_stand_in_the_order_of_the_register(office: Office) -> None:
    for desk, rating in (("vyshenka-1", 3), ("centre-2", 3), ("centre-1", 1)):
        office.call(desk, datetime(2026, 3, 10, 11, tzinfo=KYIV), rating=rating)
    with office.client("figures", "operators") as client:
        cells = ask(client, by="desk", period="year", purpose="analysis", **YEAR)["cells"]
    assert [(cell["branch"], cell["key"], cell["name"]) for cell in cells] == [
        ("centre", "centre-1", "1"),
        ("centre", "centre-2", "2"),
        ("vyshenka", "vyshenka-1", "1"),
    ]


def test_one_key_can_be_asked_for(office: Office) -> None:
    office.call("centre-1", datetime(2026, 3, 10, 11, tzinfo=KYIV), service="passport")
    office.call("centre-1", datetime(2026, 3, 10, 12, tzinfo=KYIV), service="address")
    with office.client("figures") as client:
        (cell,) = ask(client, by="service", key="address", period="year", **YEAR)["cells"]
    assert (cell["key"], cell["name_en"], cell["calls"]) == ("address", "Registration of residence", 1)


@pytest.mark.parametrize(
    ("parameters", "kind", "field"),
    [
        ({"by": "city"}, "bad-question", "by"),
        ({"period": "decade"}, "bad-question", "period"),
        ({"from": "2026-02-30"}, "bad-question", "from"),
        ({"from": "1700000000"}, "bad-question", "from"),
        ({"from": "1999-12-31"}, "bad-question", "from"),
        ({"to": "2101-01-01"}, "bad-question", "to"),
        ({"from": "2026-02-02", "to": "2026-02-01"}, "bad-question", ""),
        ({"from": "2100-01-01"}, "bad-question", "from"),
        ({"form": "2026-02-01"}, "bad-question", "form"),
        ({"branch": "centre"}, "bad-question", ""),
        ({"by": "branch", "branch": "atlantis"}, "bad-question", "branch"),
        ({"by": "branch", "branch": "Ц/+#\0"}, "bad-question", "branch"),
        ({"by": "branch", "branch": "x" * 10_000}, "bad-question", "branch"),
        ({"by": "branch", "key": "passport"}, "bad-question", ""),
        ({"by": "service", "key": "flying"}, "bad-question", "key"),
        ({"period": "day", "from": "2000-01-01", "to": "2020-01-01"}, "too-many-cells", "period"),
    ],
)
def test_a_bad_question_is_answered_with_what_is_wrong(
    office: Office, parameters: dict[str, str], kind: str, field: str
) -> None:
    with office.client("figures") as client:
        response = client.get("/v1/aggregates", params=parameters)
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem["type"] == f"urn:zrazkovo:problem:{kind}"
    assert [each["parameter"] for each in problem["errors"]] == [field]
    assert len(response.content) < 2000


def test_more_cells_than_an_answer_may_hold_are_refused(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    busy_months(office)
    monkeypatch.setattr("api.aggregates.MAX_CELLS", 35)
    with office.client("figures") as client:
        response = client.get("/v1/aggregates", params={"by": "branch", **YEAR})
        assert ask(client, by="branch", branch="centre", **YEAR)["cells"]
    assert response.status_code == 422
    assert "36 figures are more than 35" in response.json()["detail"]


def test_every_day_of_a_leap_year_can_be_asked_for(office: Office) -> None:
    with office.client("figures") as client:
        cells = ask(client, period="day", **{"from": "2028-01-01", "to": "2028-12-31"})["cells"]
    assert len(cells) == 366
    assert date.fromisoformat(cells[59]["from"]) == date(2028, 2, 29)


def test_of_a_real_office_the_running_day_is_not_in_any_figure(office: Office) -> None:
    """Whoever asks every second would see each vote come in, next to a desk that has just turned "voted" (P3.2e)."""
    now = datetime.now(KYIV)
    office.call("centre-1", now - timedelta(days=1), rating=3)
    office.call("centre-1", now, rating=1)
    ask = {"by": "branch", "branch": "centre", "from": (now - timedelta(days=1)).date().isoformat()}
    with office.client("figures") as client:

        def votes() -> list[int]:
            cells = client.get("/v1/aggregates", params={**ask, "period": "day"}).json()["cells"]
            return [cell["votes"] for cell in cells]

        assert votes() == [1, 1]
        real = REGISTER.organisation.model_copy(update={"simulated": False})
        office.store.load_register(REGISTER.model_copy(update={"organisation": real}))
        assert votes() == [1, 0]
        for period in ("week", "month", "quarter", "year"):
            answer = client.get("/v1/aggregates", params={**ask, "period": period}).json()
            assert sum(cell["bad"]["count"] for cell in answer["cells"]) == 0, period
            assert answer["figures_end"] < now.date().isoformat()
