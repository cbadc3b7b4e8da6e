"""The pages of operators: purpose first, everything written down, pseudonyms in the register's order, names later."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from api.nightly import run_chores
from api.pictures import months_before
from api.settings import Settings
from collector.store import LogFilter
from schemas.register import Operator
from tests.contract.api_office import KYIV, Office, now_unix_ms
from tests.contract.test_pages_html import HTML, Page

OPERATORS = ("olena", "petro", "iryna")  # the register's order


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path)
    register = made.store.register()
    people = tuple(Operator(id=name) for name in OPERATORS)
    made.store.load_register(register.model_copy(update={"operators": people}))
    month = months_before(datetime.now(KYIV).date().replace(day=1), 1)
    at = datetime(month.year, month.month, 15, 10, tzinfo=UTC)
    for name, ratings in (("olena", [1] * 20 + [3] * 20), ("petro", [1] + [3] * 49), ("iryna", [3] * 5)):
        for rating in ratings:
            made.call("centre-1", at, rating=rating, operator=name)
    made.store.book.name("olena", "Олена Коваль", author="test")
    run_chores(made.store, Settings(database_url=made.url), now_unix_ms())
    yield made
    made.store.close()


@pytest.fixture
def browser(office: Office) -> Iterator[TestClient]:
    with office.client("figures", "operators") as client:
        client.headers["Accept"] = "text/html"
        yield client


def read(office: Office) -> list[tuple[bool, str]]:
    """Whether what was granted, oldest first."""
    return [(each.granted, each.question) for each in reversed(office.store.staff.readings(LogFilter()))]


ASKED = {"purpose": "analysis", "period": "month", "lang": "en"}


def test_nothing_is_read_before_a_purpose_is_named(office: Office, browser: TestClient) -> None:
    before = read(office)
    page = Page(browser.get("/operators?lang=en").text)
    assert page.marked("purpose-form") is not None
    assert "olena" not in page.text and read(office) == before
    purposes = [each["value"] for each in page.all("option") if (each.get("value") or "").endswith("_review")]
    assert purposes == ["duties_review", "cooperation_review"]
    assert "disciplin" not in " ".join(str(each.get("value")) for each in page.all("option"))


def test_every_reading_is_written_down_and_carries_the_notice(office: Office, browser: TestClient) -> None:
    before = len(read(office))
    page = Page(browser.get("/operators", params=ASKED).text)
    assert page.marked("notice-48") is not None and "penalties" in page.text
    added = read(office)[before:]
    assert len(added) == 1 and added[0][0] and "funnel" in added[0][1]


def test_a_purpose_that_is_none_is_refused_in_words_and_written_down(office: Office, browser: TestClient) -> None:
    before = len(read(office))
    answer = browser.get("/operators", params=ASKED | {"purpose": "discipline"})
    assert answer.status_code == 422
    page = Page(answer.text)
    assert page.marked("question-problem")["role"] == "alert" and "olena" not in page.text
    assert [granted for granted, _ in read(office)[before:]] == [False]


def test_operators_stand_in_the_registers_order_whatever_their_figures(browser: TestClient) -> None:
    for rating in ("bad", "exemplary"):
        page = Page(browser.get("/operators", params=ASKED | {"rating": rating}).text)
        found = [
            str(each["data-testid"]) for _, each in page.tags if str(each.get("data-testid")).startswith("operator-")
        ]
        assert found == [f"operator-{name}" for name in OPERATORS]
    assert "fewer than 30 votes: not compared" in page.text
    assert "50.0%" in page.text or "98.0%" in page.text


def test_names_are_shown_to_whom_they_are_open_and_written_down_too(office: Office, browser: TestClient) -> None:
    page = browser.get("/operators", params=ASKED | {"names": "1"}).text
    assert "Коваль" not in page and 'data-testid="show-names"' not in page
    with office.client("figures", "operators", "names") as client:
        assert "Коваль" not in client.get("/operators", params=ASKED, headers=HTML).text
        before = len(read(office))
        assert "Олена Коваль" in client.get("/operators", params=ASKED | {"names": "1"}, headers=HTML).text
        assert len(read(office)) == before + 2


def test_one_operators_months_are_shown_beside_each_other(office: Office, browser: TestClient) -> None:
    before = len(read(office))
    page = Page(browser.get("/operators/olena", params=ASKED).text)
    assert page.marked("point") is not None and page.marked("table-months") is not None
    assert "50.0%" in page.text and "Reliability" in page.text
    assert all(granted for granted, _ in read(office)[before:]) and len(read(office)) > before


def test_a_purpose_comes_before_one_operator_too(office: Office, browser: TestClient) -> None:
    before = read(office)
    page = Page(browser.get("/operators/olena?lang=en").text)
    assert page.marked("purpose-form") is not None and "50.0%" not in page.text and read(office) == before
    assert browser.get("/operators/nobody").status_code == 404


@pytest.mark.parametrize("path", ["/operators", "/operators/olena"])
def test_without_the_right_there_is_no_page(office: Office, path: str) -> None:
    with office.client("figures", "names") as client:
        assert client.get(path, params=ASKED, headers=HTML).status_code == 403


@pytest.mark.parametrize("query", ["period=week", "month=never", "branch=nowhere", "rating=best", "branch=<script>"])
def test_a_question_that_makes_no_sense_is_answered_in_words(browser: TestClient, query: str) -> None:
    answer = browser.get(f"/operators?purpose=analysis&lang=en&{query}")
    assert answer.status_code == 422 and "<script>" not in answer.text
    assert Page(answer.text).marked("question-problem") is not None
