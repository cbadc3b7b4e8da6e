"""The pages about pads as a browser without scripts gets them: who may press what, what it asks, and what they tell."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from api import nightly
from api.settings import Settings
from collector.store import Store
from collector.store.faults import Closed, Opened, at_branch
from tests.contract.api_office import KYIV, REGISTER, Office
from tests.contract.test_pages_html import HTML, Page

FORM = {**HTML, "Origin": "http://testserver"}
PRESSES = {
    "/devices/centre-1/command": {"do": "identify"},
    "/devices/centre-1/settings": {"armed_pct": "80", "chosen_pct": "50", "chosen_s": "5"},
    "/devices/centre-1/mended": {"fault": "1"},
    "/updates/start": {"version": "1.1.0", "plan": "careful", "soak_min": "10"},
    "/updates/stop": {},
    "/report/centre-1/dark": {},
}


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path)
    yield made
    made.store.close()


@pytest.fixture
def browser(office: Office) -> Iterator[TestClient]:
    """Signed in by cookie, as people are."""
    with office.client() as client:
        client.post("/session", json={"token": office.token("figures", "devices", "control", "report")})
        client.headers.update(FORM)
        yield client


def is_untouched(office: Office) -> bool:
    fleet = office.store.fleet
    return not (fleet.waiting() or fleet.faults() or fleet.rollouts())


# ---- who
@pytest.mark.parametrize("path", PRESSES)
@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}], ids=str)
def test_another_sites_form_presses_nothing(
    office: Office, browser: TestClient, path: str, headers: dict[str, str]
) -> None:
    assert browser.post(path, data=PRESSES[path], headers=headers).status_code == 403
    assert is_untouched(office)


@pytest.mark.parametrize("path", PRESSES)
def test_who_may_only_look_has_no_buttons_and_presses_nothing(office: Office, path: str) -> None:
    office.pad("centre-1")
    with office.client("devices") as client:
        for page in ("/devices", "/devices/centre-1", "/updates"):
            forms = Page(client.get(page, headers=HTML).text).all("form")
            assert {form["method"] for form in forms if form["action"] not in ("/session/end", "/look")} <= {"get"}
        assert client.post(path, data=PRESSES[path], headers=FORM).status_code == 403
    assert is_untouched(office)


@pytest.mark.parametrize("path", PRESSES)
def test_a_press_after_the_session_ended_leads_back_to_its_page_and_does_nothing(office: Office, path: str) -> None:
    with office.client() as client:
        response = client.post(path, data=PRESSES[path], headers=FORM, follow_redirects=False)
    assert response.status_code == 303
    assert response.headers["location"] == "/signin?next=" + path.rpartition("/")[0].replace("/", "%2F")
    assert is_untouched(office)


def test_an_operators_token_opens_the_report_and_nothing_else(office: Office) -> None:
    with office.client("report") as client:
        page = Page(client.get("/report/centre-1", headers=HTML).text)
        assert [each["data-testid"] for each in page.all("a") if "nav-" in (each.get("data-testid") or "")] == [
            "nav-report",
            "nav-public",
            "nav-open-data",
        ]
        assert page.marked("home")["href"] == "/report"
        for path in ("/live", "/devices", "/devices/centre-1", "/updates"):
            assert client.get(path, headers=HTML).status_code == 403


# ---- asking
def test_a_press_asks_once_and_leads_back_to_where_it_was_made(office: Office, browser: TestClient) -> None:
    back = "/devices?branch=centre#row-centre-1"
    data = {"do": "identify", "back": back}
    response = browser.post("/devices/centre-1/command", data=data, follow_redirects=False)
    assert (response.status_code, response.headers["location"]) == (303, back)
    assert [(each.desk, each.do) for each in office.store.fleet.waiting()] == [("centre-1", "identify")]
    page = Page(browser.get("/devices?branch=centre").text)
    assert page.marked("asked-centre-1")["data-outcome"] == "waiting"


@pytest.mark.parametrize("back", ["//evil.example", "https://evil.example", "/\\evil.example"])
def test_nobody_is_led_to_another_site(browser: TestClient, back: str) -> None:
    answer = browser.post("/devices/centre-1/command", data={"do": "test", "back": back}, follow_redirects=False)
    assert answer.headers["location"] == "/"
    asked = Page(browser.get("/devices/centre-1/restart", params={"back": back}).text)
    assert asked.marked("cancel")["href"] == "/"


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("/devices/centre-1/command", {"do": "explode"}),
        ("/devices/centre-1/command", {}),
        ("/devices/centre-1/settings", {"armed_pct": "0", "chosen_pct": "50", "chosen_s": "5"}),
        ("/devices/centre-1/settings", {"armed_pct": "bright", "chosen_pct": "50", "chosen_s": "5"}),
        ("/devices/centre-1/settings", {"armed_pct": "80"}),
        ("/updates/start", {"version": "1 0", "plan": "careful", "soak_min": "10"}),
        ("/updates/start", {"version": "1.0", "plan": "reckless", "soak_min": "10"}),
        ("/updates/start", {"version": "1.0", "plan": "all", "soak_min": "-1"}),
    ],
    ids=str,
)
def test_a_form_that_makes_no_sense_is_answered_in_words(
    office: Office, browser: TestClient, path: str, data: dict[str, str]
) -> None:
    response = browser.post(path, data=data)
    assert (response.status_code, "<h1" in response.text) == (422, True)
    assert is_untouched(office)


def test_a_desk_or_wish_that_is_none_is_not_found(browser: TestClient) -> None:
    for path in ("/devices/atlantis-1", "/devices/atlantis-1/restart", "/report/atlantis-1", "/updates/explode"):
        assert browser.get(path).status_code == 404, path
    assert browser.post("/devices/atlantis-1/command", data={"do": "test"}).status_code == 404
    assert browser.post("/report/atlantis-1/dark").status_code == 404
    assert browser.post("/updates/explode").status_code == 404


def test_a_roll_out_is_started_after_a_last_question_and_steered(office: Office, browser: TestClient) -> None:
    asked = Page(browser.get("/updates/start?version=1.1.0&plan=half&soak_min=2&lang=en").text)
    assert "Bring version 1.1.0 to the pads?" in asked.text and is_untouched(office)
    fields = {each["name"]: each["value"] for each in asked.all("input")}
    page = Page(browser.post("/updates/start", data=fields).text)
    assert page.marked("rollout")["data-state"] == "running"
    (made,) = office.store.fleet.rollouts()
    assert (made.version, made.stages, made.soak_s) == ("1.1.0", ("1", "50%", "100%"), 120)
    assert Page(browser.post("/updates/pause").text).marked("rollout")["data-state"] == "paused"
    assert browser.post("/updates/start", data=fields).status_code == 409
    assert "Stop this roll-out?" in browser.get("/updates/stop").text
    assert Page(browser.post("/updates/stop").text).marked("rollout")["data-state"] == "stopped"


# ---- what they tell
def test_a_pads_faults_are_told_and_filtered(office: Office, browser: TestClient) -> None:
    office.pad("centre-1")
    office.pad("centre-2")
    office.store.fleet.record([Opened("centre-2", "dark", None, ""), Opened("", "broker", None, "")])
    page = Page(browser.get("/devices?faulty=1&lang=en").text)
    assert [each["data-testid"] for _, each in page.tags if (each.get("data-testid") or "").startswith("row-")] == [
        "row-centre-2"
    ]
    assert "No lights after a call" in page.text
    assert page.marked("fault-everywhere")
    office.store.fleet.record([Closed("centre-2", "dark")])
    assert Page(browser.get("/devices?faulty=1").text).marked("no-faults")
    assert "ended by itself" in Page(browser.get("/devices/centre-2").text).text


def test_the_operator_is_told_that_it_is_known_and_what_to_tell_the_client(office: Office, browser: TestClient) -> None:
    branch = REGISTER.branches[0].model_copy(
        update={"complaints_book": "на столику", "complaints_book_en": "on the table"}
    )
    office.store.load_register(REGISTER.model_copy(update={"branches": (branch, *REGISTER.branches[1:])}))
    assert "on the table" in browser.get("/report/centre-1?lang=en").text
    pressed = Page(browser.post("/report/centre-1/dark").text)
    assert pressed.marked("reported") and "are being told" in pressed.text
    office.store.fleet.announce(lambda fault: ["mail:it@office"])
    office.store.fleet.told(office.store.fleet.notices())
    assert "were told at" in Page(browser.get("/report/centre-1").text).text
    browser.post("/devices/centre-1/mended", data={"fault": str(office.store.fleet.faults()[0].id)})
    assert Page(browser.get("/report/centre-1").text).marked("mended")


def test_where_nobody_can_be_told_the_operator_is_asked_to_call(office: Office, browser: TestClient) -> None:
    browser.post("/report/lisbon-1/dark")
    office.store.fleet.announce(lambda fault: [])
    assert "please call IT" in Page(browser.get("/report/lisbon-1?lang=en").text).text


def test_the_pages_tell_nothing_of_a_single_vote(office: Office, browser: TestClient) -> None:
    office.pad("centre-1", "armed")
    office.health("centre-1")

    def told() -> list[str]:
        return [Page(browser.get(path).text).text for path in ("/devices", "/devices/centre-1")]

    before = told()
    call = office.call("centre-1", datetime.now(KYIV), rating=1)
    office.pad("centre-1", "voted")
    after = told()
    assert before == after and call not in "".join(after)


def test_a_queue_that_fell_silent_is_told_above_all_pads_with_its_branch(office: Office, browser: TestClient) -> None:
    office.pad("centre-1")
    office.store.fleet.record([Opened(at_branch("centre"), "feed_silent", None, "no call")])
    told = browser.get("/devices").text
    branch = next(each for each in REGISTER.branches if each.id == "centre")
    line = told.split('data-testid="fault-everywhere"')[1].split("</p>")[0]
    assert branch.name in line
    assert "Від електронної черги немає викликів" in line
    english = browser.get("/devices?lang=en").text
    assert "No calls come from the queue" in english
    office.store.fleet.record([Closed(at_branch("centre"), "feed_silent")])
    assert "fault-everywhere" not in browser.get("/devices").text


def test_a_nights_work_that_failed_stands_above_the_pads(
    office: Office, browser: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(store: Store, settings: Settings, now_unix_ms: int) -> list[str]:
        raise RuntimeError("no")

    monkeypatch.setattr(nightly, "CHORES", (nightly.Chore("sums", failing),))
    assert 'data-testid="nightly-failed"' not in browser.get("/devices").text
    nightly.run_chores(office.store, Settings(), 1_780_000_000_000)
    page = browser.get("/devices").text
    assert "sums" in page.partition('data-testid="nightly-failed"')[2].partition("</p>")[0]
    with office.client("metrics") as client:
        assert 'zrazkovo_nightly_failed{chore="sums"} 1.0' in client.get("/metrics").text
