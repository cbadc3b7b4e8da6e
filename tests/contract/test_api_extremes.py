"""The ends of calendars, numbers and alphabets, in every form and body: refused in words, and nothing of them stays."""

import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pypdf import PdfReader
from starlette.testclient import TestClient

from api.publication import closing
from tests.contract.api_office import KYIV, SCOPES, Office, now_unix_ms

HUGE = 10**30
SOON = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
REQUEST = {"requester_class": "council", "form": "email", "subject": "?", "received_at": SOON}
MOMENTS = ("9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00")
DAYS = ("0001-01-01", "1999-12-31", "2101-01-01", "9999-12-31")


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    made = Office(tmp_path_factory.mktemp("extremes"))
    for number in range(40):
        at = datetime(2026, 6, 3, 9, number, tzinfo=KYIV)
        made.call("centre-1", at, rating=1 + number % 3, operator=("olena", "petro", "ivan", "taras")[number % 4])
    yield made
    made.store.close()


@pytest.fixture(scope="module")
def client(office: Office) -> Iterator[TestClient]:
    with office.client(*SCOPES) as made:
        yield made


def refused(client: TestClient, url: str, **request: Any) -> None:
    answer = client.post(url, follow_redirects=False, **request)
    assert 400 <= answer.status_code < 500, (url, request, answer.status_code, answer.text[:300])


@pytest.mark.parametrize("moment", MOMENTS)
def test_no_request_is_entered_that_no_calendar_can_show(client: TestClient, moment: str) -> None:
    refused(client, "/v1/requests", json=REQUEST | {"due_at": moment})
    refused(client, "/v1/requests", json=REQUEST | {"received_at": moment})
    refused(client, "/requests/new", data=REQUEST | {"received_at": "2026-11-20T10:00", "due_at": moment[:16]})
    assert client.get("/v1/requests").status_code == 200
    assert client.get("/requests?state=all").status_code == 200


def test_steps_and_papers_of_a_request_keep_within_what_can_be_kept(client: TestClient) -> None:
    made = client.post("/v1/requests", json=REQUEST).json()["number"]
    events, papers = f"/v1/requests/{made}/events", f"/v1/requests/{made}/papers"
    for moment in MOMENTS:
        refused(client, events, json={"what": "corrected", "seq": 1, "fields": {"due_at": moment}})
        refused(
            client, events, json={"what": "extended", "seq": 1, "fields": {"reason": "?", "notice_sent_at": moment}}
        )
    for day in DAYS:
        for named in ({"to": day}, {"from": day}, {"from": day, "to": day}):
            refused(client, papers, json={"kind": "answer", "signed_by": "head"} | named)
    for step in (
        {"what": "noted", "seq": HUGE, "fields": {"text": "?"}},
        {"what": "taken_back", "seq": 1, "fields": {"event": HUGE, "reason": "?"}},
        {"what": "refused", "seq": 1, "fields": {"reason": "?", "responsible": "?", "appeal": "?", "paper": HUGE}},
    ):
        refused(client, events, json=step)
    for half in (b'{"text": "\\ud800"}', b'{"\\ud800": 1}'):
        body = b'{"what": "noted", "seq": 1, "fields": %s}' % half
        refused(client, events, content=body, headers={"Content-Type": "application/json"})
    assert client.get(f"/v1/requests/{made}").json()["events"] == []


@pytest.mark.parametrize("month", ["0000-01", "２０２６-06", "2026-٠٦", "1999-12", "9999-12", "2026-6", "2026-06\n"])
def test_a_month_has_one_name_so_it_is_published_once(client: TestClient, office: Office, month: str) -> None:
    for reason in ("", "again"):
        refused(client, "/open-data/closing", data={"month": month, "do": "publish", "reason": reason})
        with pytest.raises(closing.NotToBeClosed):
            closing.plan(office.store, month, now_unix_ms(), reason=reason)
    assert office.store.editions.all() == []


@pytest.mark.parametrize("number", [0, -1, 2**31, 2**63, HUGE])
def test_a_signal_of_a_number_that_is_none_is_none(client: TestClient, number: int) -> None:
    review = {"outcome": "explained", "purpose": "analysis"}
    refused(client, f"/v1/signals/{number}/review", json=review)
    refused(client, f"/signals/{number}/review", data=review)


@pytest.mark.parametrize("page", ["/overview", "/branches/centre"])
@pytest.mark.parametrize(("month", "status"), [("2000-01", 200), ("2000-12", 200), ("1999-12", 422), ("0001-01", 422)])
def test_the_first_months_that_can_be_asked_about_have_a_page(
    client: TestClient, page: str, month: str, status: int
) -> None:
    assert client.get(f"{page}?month={month}").status_code == status


def test_a_letter_that_no_database_holds_is_the_readers_fault(client: TestClient) -> None:
    for path in ("/v1/reports?key=%00", "/v1/access-log?reader=%00", "/v1/access-log.csv?purpose=%00"):
        assert client.get(path).status_code < 500
    body = b'{"login": "\\ud800", "password": "x"}'
    refused(client, "/session", content=body, headers={"Content-Type": "application/json"})


@pytest.mark.parametrize(
    "strange", ["😀", "漢字", "\x01\x1b[0m", "\ue000", "\ufffe", "\u202e", "\U000e0041", "#eval(1)*b*$x$"]
)
def test_whatever_somebody_wrote_there_is_a_paper_of_it(client: TestClient, strange: str) -> None:
    made = client.post("/v1/requests", json=REQUEST | {"subject": f"Скарга {strange} одна", "person": strange}).json()
    answer = client.post(f"/v1/requests/{made['number']}/papers", json={"kind": "receipt"})
    assert answer.status_code == 201, answer.text
    content = client.get(answer.json()["papers"][-1]["href"]).content
    said = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)
    assert "Скарга" in said
    assert "одна" in said
    assert ("#eval(1)*b*$x$" in said) == strange.startswith("#")  # a text, no program
