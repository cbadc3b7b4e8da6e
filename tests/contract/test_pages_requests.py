"""The page Requests as a browser without scripts gets it: the list, entering, answering, slips, what is refused."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import httpx2
import pytest
from starlette.testclient import TestClient

from tests.contract.api_office import IN_ONE_ZONE, KYIV, Office
from tests.contract.test_pages_html import HTML, Page

FORM = {**HTML, "Origin": "http://testserver"}


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path, IN_ONE_ZONE)
    yield made
    made.store.close()


@pytest.fixture
def browser(office: Office) -> Iterator[TestClient]:
    with office.client() as client:
        client.post("/session", json={"token": office.token("disclose")})
        client.headers.update(FORM)
        yield client


def moment(hours_ago: float = 1) -> str:
    return (datetime.now(KYIV) - timedelta(hours=hours_ago)).strftime("%Y-%m-%dT%H:%M")


def enter(browser: TestClient, **more: str) -> str:
    fields = {
        "kind": "information",
        "requester_class": "citizen",
        "form": "oral",
        "language": "uk",
        "received_at": moment(),
        "subject": "Як оцінили <b>відділення</b>?",
        "person": "Ганна",
        "branch": "",
        "reasons": "",
        "due_at": "",
    }
    answer = browser.post("/requests/new", data=fields | more, follow_redirects=False)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


def post(browser: TestClient, path: str, **fields: str) -> httpx2.Response:
    return browser.post(path, data=fields, follow_redirects=False)


@pytest.mark.parametrize("language", ["uk", "en"])
def test_every_page_has_labels_and_no_two_ids_alike(browser: TestClient, language: str) -> None:
    href = enter(browser, requester_class="media")
    post(browser, f"{href}/papers", kind="receipt")
    post(browser, f"{href}/noted", seq="1", text="x")
    for path in ("/requests", "/requests/new", href):
        answer = browser.get(f"{path}?lang={language}")
        assert answer.status_code == 200
        page = Page(answer.text)
        ids = [tag["id"] for _, tag in page.tags if tag.get("id")]
        assert len(ids) == len(set(ids)), path
        labelled = {each["for"] for each in page.all("label")}
        fields = [each for kind in ("input", "select", "textarea") for each in page.all(kind)]
        assert all(each["id"] in labelled for each in fields if each.get("type") != "hidden"), path
        described = [each["aria-describedby"] for each in fields if each.get("aria-describedby")]
        assert set(described) <= set(ids), path
        assert [each["data-testid"] for each in page.all("a") if each.get("aria-current") == "page"] == ["nav-requests"]


def test_an_office_nobody_has_asked_says_so(browser: TestClient) -> None:
    assert 'data-testid="no-requests"' in browser.get("/requests").text


def test_what_was_asked_is_text_and_never_markup(browser: TestClient) -> None:
    href = enter(browser)
    for path in ("/requests", href):
        text = browser.get(path).text
        assert "&lt;b&gt;відділення&lt;/b&gt;" in text and "<b>відділення" not in text


def test_who_asked_is_on_the_request_and_not_in_the_list(browser: TestClient) -> None:
    href = enter(browser)
    assert "Ганна" in browser.get(href).text
    assert "Ганна" not in browser.get("/requests").text


def test_what_is_refused_is_shown_again_with_what_was_typed(browser: TestClient) -> None:
    answer = post(
        browser, "/requests/new", requester_class="court", form="post", received_at=moment(-5), subject="Справа"
    )
    assert answer.status_code == 422
    assert 'data-testid="problem"' in answer.text and "Справа" in answer.text
    assert re.search(r'value="court"[^>]* selected', answer.text)


def test_an_answer_is_given_and_closes_the_request(browser: TestClient, office: Office) -> None:
    last_month = datetime.now(KYIV).replace(day=1) - timedelta(days=4)
    for _ in range(11):
        office.call("centre-1", last_month, rating=3)
    href = enter(browser, requester_class="participant")
    made = post(browser, f"{href}/papers", kind="answer", by="centre", period="month", text="", signed_by="Керівник")
    assert made.status_code == 303, made.text
    page = browser.get(str(made.headers["location"]))
    assert 'data-testid="made"' in page.text
    paper = re.search(rf"{href}/papers/(\d+)\.pdf", page.text)
    assert paper is not None
    assert browser.get(paper.group()).content.startswith(b"%PDF")
    fields = {"seq": "1", "paper": paper.group(1), "how": "post", "released_by": "Керівник", "text": ""}
    assert post(browser, f"{href}/answered", **fields).status_code == 303
    shown = browser.get(href).text
    assert "step-answered" not in shown and "надано відповідь" in shown
    assert href not in browser.get("/requests").text
    assert href in browser.get("/requests?state=closed").text
    assert post(browser, f"{href}/taken_back", seq="2", event="1", reason="не той лист").status_code == 303
    assert "step-answered" in browser.get(href).text


def test_media_wait_for_consent_and_the_page_says_so(browser: TestClient) -> None:
    href = enter(browser, requester_class="media")
    assert 'data-testid="blocked"' in browser.get(href).text
    refused = post(browser, f"{href}/answered", seq="1", how="oral", released_by="К", text="84 %")
    assert refused.status_code == 422 and "департамент" in refused.text
    post(browser, f"{href}/consent_given", seq="1", reference="12-3")
    assert 'data-testid="blocked"' not in browser.get(href).text


def test_a_correction_empties_what_was_emptied(browser: TestClient) -> None:
    href = enter(browser, branch="centre", urgent="1", reasons="небезпека")
    assert "48 годин" in browser.get(href).text
    fields = {"seq": "1", "kind": "information", "requester_class": "citizen", "form": "oral", "language": "uk"}
    fields |= {
        "received_at": moment(2),
        "subject": "Інше",
        "branch": "",
        "reasons": "",
        "legal_basis": "",
        "due_at": "",
    }
    assert post(browser, f"{href}/corrected", **fields).status_code == 303
    text = browser.get(href).text
    assert "5 робочих днів" in text and "Увесь центр" in text and "Інше" in text


def test_somebody_faster_is_told_apart(browser: TestClient) -> None:
    href = enter(browser)
    post(browser, f"{href}/noted", seq="1", text="one")
    answer = post(browser, f"{href}/noted", seq="1", text="two")
    assert answer.status_code == 422 and 'data-testid="problem"' in answer.text


@pytest.mark.parametrize("path", ["/requests/2026/999", "/requests/1/1", "/requests/2026/1/papers/5.pdf"])
def test_what_is_not_there_is_a_page_not_a_failure(browser: TestClient, path: str) -> None:
    answer = browser.get(path)
    assert answer.status_code in (404, 422)
    assert "text/html" in answer.headers["content-type"]


def test_whoever_may_not_is_refused_and_nobody_is_sent_to_sign_in(office: Office) -> None:
    with office.client() as client:
        client.headers.update(FORM)
        answer = client.get("/requests", follow_redirects=False)
        assert answer.status_code == 303 and answer.headers["location"].startswith("/signin")
        client.post("/session", json={"token": office.token("figures")})
        assert client.get("/requests").status_code == 403
        assert post(client, "/requests/new", subject="x").status_code == 403
