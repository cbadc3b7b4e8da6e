"""Overview, Branch and Service direction: a month against its own past, in words, for those who may see it."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from starlette.testclient import TestClient

from api.branch_funnel import branch_funnels
from api.pictures import MONTHS, Gallery, centre_and_branches, hours_of, month_of, months_before
from api.statistics import share_limits
from collector.store import NO_LIMITS, Limits, Store, Token
from collector.store.faults import Opened, at_branch
from schemas.register import Direction
from tests.contract.api_office import IN_ONE_ZONE, Office, now_unix_ms
from tests.contract.test_pages_html import HTML, Page


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path, IN_ONE_ZONE)
    register = made.store.register()
    services = tuple(each.model_copy(update={"direction": "papers"}) for each in register.services[:1])
    papers = Direction(id="papers", name="Документи", name_en="Papers")
    made.store.load_register(
        register.model_copy(update={"directions": (papers,), "services": (*services, *register.services[1:])})
    )
    yield made
    made.store.close()


@pytest.fixture
def browser(office: Office) -> Iterator[TestClient]:
    with office.client("figures", "devices") as client:
        client.headers["Accept"] = "text/html"
        yield client


def noon_in_month(back: int) -> datetime:
    """A moment of the month ``back`` months ago; of this month one that is surely past."""
    today = datetime.now(ZoneInfo("Europe/Kyiv"))
    if not back:
        return today - timedelta(minutes=1)
    first = months_before(today.date().replace(day=1), back)
    return datetime(first.year, first.month, 15, 12, tzinfo=UTC)


def votes(office: Office, back: int, bad: int, exemplary: int, *, desk: str = "centre-1", silent: int = 0) -> None:
    at = noon_in_month(back)
    for rating in [1] * bad + [3] * exemplary + [None] * silent:
        office.call(desk, at, rating=rating)


PATHS = ("/overview", "/branches/centre", "/directions/papers")


@pytest.mark.parametrize("path", PATHS)
def test_a_change_beyond_noise_is_said_with_its_size_and_interval(
    office: Office, browser: TestClient, path: str
) -> None:
    votes(office, 0, 4, 96)
    votes(office, 1, 40, 60)
    page = Page(browser.get(f"{path}?lang=en").text)
    said = page.text.partition("What changed beyond noise")[2].partition("differences are shown")[0]
    assert "the share of “Bad” fell from 40.0% to 4.0% against" in said and "−36.0 points" in said
    assert "95% interval" in said
    assert "improv" not in page.text.lower() and "worse" not in page.text.lower()


@pytest.mark.parametrize("path", PATHS)
def test_chance_is_not_called_a_change(office: Office, browser: TestClient, path: str) -> None:
    votes(office, 0, 3, 37)
    votes(office, 1, 2, 38)
    page = Page(browser.get(f"{path}?lang=en").text)
    assert page.marked("nothing-changed") is not None
    assert "within noise" in page.text and "+2.5" in page.text


@pytest.mark.parametrize("path", PATHS)
def test_every_figure_has_its_votes_response_rate_and_interval(office: Office, browser: TestClient, path: str) -> None:
    votes(office, 0, 4, 36, silent=60)
    page = Page(browser.get(f"{path}?lang=en").text)
    assert "10.0%" in page.text and "95% interval 4.0–23.1%" in page.text
    assert "40 votes 100 clients could vote" in page.text
    assert len([each for each in page.all("figure") if (each.get("data-testid") or "").startswith("chart-")]) >= 4
    assert page.marked("table-past") is not None


@pytest.mark.parametrize("path", PATHS)
def test_a_month_without_votes_says_so(browser: TestClient, path: str) -> None:
    assert Page(browser.get(f"{path}?lang=en").text).marked("no-votes") is not None


@pytest.mark.parametrize("month", ["2026-13", "never", "2199-01", "2026-1", "2026-01-01", "<script>"])
def test_a_month_that_is_none_is_answered_in_words(office: Office, browser: TestClient, month: str) -> None:
    votes(office, 0, 1, 1)
    answer = browser.get("/overview", params={"month": month, "lang": "en"})
    assert answer.status_code == 422
    assert Page(answer.text).marked("question-problem")["role"] == "alert" and "<script>" not in answer.text


def test_the_address_holds_the_month(office: Office, browser: TestClient) -> None:
    votes(office, 1, 30, 30)
    month = f"{noon_in_month(1):%Y-%m}"
    text = browser.get("/overview", params={"month": month, "lang": "en"}).text
    page = Page(text)
    assert "50.0%" in page.text and 'class="tag">not over yet' not in text
    assert page.marked("month-later")["href"] == f"/overview?month={noon_in_month(0):%Y-%m}"
    links = [each["href"] for each in page.all("a") if (each.get("href") or "").startswith("/branches/")]
    assert f"/branches/centre?month={month}" in links


@pytest.mark.parametrize("path", ["/branches/nowhere", "/directions/nothing"])
def test_a_place_that_is_none_is_no_page(browser: TestClient, path: str) -> None:
    assert browser.get(path).status_code == 404


def test_no_figures_no_page(office: Office) -> None:
    with office.client("devices") as client:
        for path in PATHS:
            assert client.get(path, headers=HTML).status_code == 403


def test_what_may_spoil_the_figures_is_said(office: Office, browser: TestClient) -> None:
    votes(office, 0, 1, 9)
    assert Page(browser.get("/overview?lang=en").text).marked("quality-good") is not None
    office.store.fleet.record(
        [Opened("centre-1", "offline", None, ""), Opened(at_branch("centre"), "feed_silent", None, "")]
    )
    text = Page(browser.get("/overview?lang=en").text).text
    assert "1 pad takes no votes now." in text and "No calls come from the queue of Centre." in text


def test_a_real_offices_month_ends_with_yesterday(office: Office, browser: TestClient) -> None:
    register = office.store.register()
    real = register.organisation.model_copy(update={"simulated": False})
    office.store.load_register(register.model_copy(update={"organisation": real}))
    votes(office, 0, 50, 50)
    assert "50.0%" not in browser.get("/overview?lang=en").text


def test_the_centre_is_the_sum_of_its_branches_month_by_month(office: Office) -> None:
    for back in (0, 1, MONTHS - 1):
        votes(office, back, 1, 2)
        votes(office, back, 2, 1, desk="vyshenka-1")
    gallery = _gallery(office.store)
    assert [cell.votes for cell in gallery.whole.months] == [6, *[0] * (MONTHS - 3), 6, 6]
    assert [each.place for each in gallery.parts] == ["centre", "vyshenka", "lisbon"]
    assert all(len(each.months) == MONTHS for each in (gallery.whole, *gallery.parts))
    assert gallery.comparisons == 3 * 2 * 2  # the centre and two branches; Lisbon has no votes to compare


def test_only_the_branches_of_the_reader_are_added_up(office: Office) -> None:
    votes(office, 0, 1, 2)
    votes(office, 0, 2, 1, desk="vyshenka-1")
    month = month_of(None, office.store.register(), now_unix_ms())
    gallery = centre_and_branches(office.store, month, Limits(branches=frozenset({"vyshenka"})), now_unix_ms())
    assert gallery is not None
    assert (gallery.whole.now.bad.count, [each.place for each in gallery.parts]) == (2, ["vyshenka"])


def _gallery(store: Store) -> Gallery:
    gallery = centre_and_branches(store, month_of(None, store.register(), now_unix_ms()), NO_LIMITS, now_unix_ms())
    assert gallery is not None
    return gallery


def test_no_hour_of_the_day_tells_of_one_operator(office: Office, browser: TestClient) -> None:
    begin = noon_in_month(1).replace(hour=7)
    clerks = ("olena", "petro", "ivan", "taras")
    for number in range(200):
        at = begin + timedelta(hours=number % 5, seconds=number)
        early = number % 5 == 0  # which olena serves alone
        office.call("centre-1", at, rating=1 + number % 3, operator="olena" if early else clerks[number // 5 % 4])
    office.store.totals.make_mix(now_unix_ms())
    month = begin.date().replace(day=1)
    gallery = centre_and_branches(office.store, month, NO_LIMITS, now_unix_ms())
    assert gallery is not None
    shown = hours_of(office.store, "centre", month, gallery.whole.now)
    assert len(shown) == 3  # neither hers nor one from which, with the whole month's, hers would follow
    assert sum(cell.votes for _, cell in shown) == 120
    assert browser.get(f"/branches/centre?month={month:%Y-%m}").status_code == 200


def test_the_hours_of_a_real_office_know_nothing_of_the_running_day(office: Office) -> None:
    register = office.store.register()
    real = register.organisation.model_copy(update={"simulated": False})
    office.store.load_register(register.model_copy(update={"organisation": real}))
    clerks = ("olena", "petro", "ivan", "taras")
    for back in (0, 1):
        for number in range(80):
            at = noon_in_month(back) + timedelta(milliseconds=number)
            office.call("centre-1", at, rating=1 if back else 3, operator=clerks[number % 4])
    office.store.totals.make_mix(now_unix_ms())  # by day, as after a night in which the server was off
    month = datetime.now(ZoneInfo("Europe/Kyiv")).date().replace(day=1)
    gallery = centre_and_branches(office.store, month, NO_LIMITS, now_unix_ms())
    assert gallery is not None
    shown = hours_of(office.store, "centre", month, gallery.whole.now)
    assert [(cell.votes, cell.exemplary.count) for _, cell in shown] == [(80, 0)]
    assert {cell.last for _, cell in shown} == {month - timedelta(days=1)}


DESKS = ("centre-1", "vyshenka-1", "lisbon-1")  # one of each branch, in the register's order


def test_branches_stand_against_limits_of_chance_in_the_registers_order(office: Office, browser: TestClient) -> None:
    for desk, bad, exemplary in zip(DESKS, (10, 40, 11), (90, 60, 89), strict=True):
        votes(office, 1, bad, exemplary, desk=desk)
    month = f"{noon_in_month(1):%Y-%m}"
    page = Page(browser.get("/overview", params={"month": month, "lang": "en"}).text)
    assert page.marked("chart-bad-funnel") is not None and page.marked("chart-exemplary-funnel") is not None
    table = page.text.partition("at their number of votes")[2].partition("Month by month")[0]
    assert [table.index(name) for name in ("1 Centre", "2 Vyshenka", "3 Lisbon")] == sorted(
        table.index(name) for name in ("1 Centre", "2 Vyshenka", "3 Lisbon")
    )
    # 61 of 300 votes are bad; of a hundred, 13 to 28 lie inside the 95% limits, 9 to 33 inside the others.
    assert "10.0% 5.5–17.4% 13.0–28.0% 9.0–33.0% between the limits" in table
    assert "40.0% 30.9–49.8% 13.0–28.0% 9.0–33.0% outside the 99.8% limits" in table
    assert "too few days yet to tell" in page.text and "no verdict on the branch" in page.text


def test_the_limits_of_a_funnel_are_wider_where_days_differ(office: Office, browser: TestClient) -> None:
    first = noon_in_month(1).replace(day=2)
    for day in range(12):  # one day all are content, the next one half of them
        for desk in DESKS:
            for number in range(10):
                rating = 1 if day % 2 and number < 5 else 3
                office.call(desk, first + timedelta(days=day, minutes=number), rating=rating)
    gallery = centre_and_branches(office.store, first.date().replace(day=1), NO_LIMITS, now_unix_ms())
    assert gallery is not None
    funnel = (branch_funnels(gallery) or {})["bad"]
    assert (funnel.design_effect or 0) > 2
    plain = share_limits(120, 0.25)
    for place in funnel.places:
        assert place is not None and place.where == "inside"
        assert place.limits.high95 > plain.high95 and place.limits.low95 < plain.low95
    page = Page(browser.get("/overview", params={"month": f"{first:%Y-%m}", "lang": "en"}).text)
    assert "the number is divided by" in page.text


@pytest.mark.parametrize("lisbon", [0, 9])
def test_no_funnel_is_made_of_two_branches(office: Office, browser: TestClient, lisbon: int) -> None:
    votes(office, 1, 5, 5)
    votes(office, 1, 5, 5, desk="vyshenka-1")
    votes(office, 1, 0, lisbon, desk="lisbon-1")
    text = browser.get("/overview", params={"month": f"{noon_in_month(1):%Y-%m}", "lang": "en"}).text
    assert Page(text).marked("no-funnel") is not None and "chart-bad-funnel" not in text


def test_a_branch_with_few_votes_is_in_the_table_and_not_in_the_funnel(office: Office) -> None:
    register = office.store.register()
    more = (*register.branches, register.branches[0].model_copy(update={"id": "fourth", "name_en": "Fourth"}))
    office.store.load_register(register.model_copy(update={"branches": more}))
    for desk in DESKS:
        votes(office, 1, 3, 7, desk=desk)
    month = noon_in_month(1).date().replace(day=1)
    gallery = centre_and_branches(office.store, month, NO_LIMITS, now_unix_ms())
    assert gallery is not None
    places = {
        each.place: at for each, at in zip(gallery.parts, (branch_funnels(gallery) or {})["bad"].places, strict=True)
    }
    assert places["fourth"] is None and sum(each is not None for each in places.values()) == 3


def test_who_may_not_see_all_branches_sees_no_funnel(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    for desk in DESKS:
        votes(office, 1, 5, 5, desk=desk)
    found = office.store.find_token

    def limited(secret: str) -> Token | None:
        token = found(secret)
        return token and replace(token, limits=Limits(branches=frozenset({"centre", "vyshenka", "lisbon"})))

    monkeypatch.setattr(office.store, "find_token", limited)
    with office.client("figures") as client:
        text = client.get("/overview", params={"month": f"{noon_in_month(1):%Y-%m}"}, headers=HTML).text
    assert Page(text).marked("table-past") is not None and "funnel" not in text
