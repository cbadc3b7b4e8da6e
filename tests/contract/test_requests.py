"""``/v1/requests`` on a real store: entering, answering with frozen figures, refusing, limits, who may see what."""

import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pypdf
import pytest
import sqlalchemy
from starlette.testclient import TestClient

from api.disclosure.chore import look_after_requests
from api.disclosure.desk import case_of, may_see
from api.publication.closing import plan, publish
from api.settings import Settings
from collector.store import Limits, Store, Token
from schemas.disclosure_figures import FrozenFigures
from schemas.edition_resources import EditionContent
from tests.contract.api_office import IN_ONE_ZONE, KYIV, Office

NEW = {
    "requester_class": "citizen",
    "form": "oral",
    "language": "en",
    "subject": "How were the branches rated?",
    "person": "Hanna Secretive",
    "contact": "hanna@example.org",
}


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path, IN_ONE_ZONE)
    yield made
    made.store.close()


@pytest.fixture
def api(office: Office) -> Iterator[TestClient]:
    with office.client("disclose") as client:
        yield client


def hours_ago(hours: float) -> str:
    return (datetime.now(UTC) - timedelta(hours=hours)).isoformat()


def enter(api: TestClient, **more: Any) -> dict[str, Any]:
    answer = api.post("/v1/requests", json=NEW | {"received_at": hours_ago(1)} | more)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    assert answer.headers["location"] == f"/v1/requests/{made['number']}"
    return made


def step(api: TestClient, made: dict[str, Any], what: str, seq: int | None = None, **fields: Any) -> httpx2.Response:
    body = {"what": what, "seq": len(made["events"]) + 1 if seq is None else seq, "fields": fields}
    return api.post(f"/v1/requests/{made['number']}/events", json=body)


def paper(api: TestClient, made: dict[str, Any], kind: str, **more: Any) -> httpx2.Response:
    return api.post(f"/v1/requests/{made['number']}/papers", json={"kind": kind, "signed_by": "Head"} | more)


def text_of(api: TestClient, href: str) -> str:
    content = api.get(href).content
    return " ".join(" ".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(content)).pages).split())


def last_month(day: int = 10) -> datetime:
    first = datetime.now(KYIV).replace(day=1, hour=12, minute=0, second=0, microsecond=0)
    return (first - timedelta(days=3)).replace(day=day)


def test_a_request_gets_the_next_number_of_its_year_and_its_time_limit(api: TestClient) -> None:
    year = datetime.now(KYIV).year
    first, second = enter(api), enter(api)
    assert (first["number"], second["number"]) == (f"{year}/1", f"{year}/2")
    assert first["due_rule"] == "working_days" and first["due_at"] is not None
    assert first["state"] == "open" and not first["overdue"]
    assert api.get(f"/v1/requests/{first['number']}").json() == first


def test_overdue_ones_are_at_the_top_of_the_list(api: TestClient) -> None:
    fresh = enter(api)
    old = enter(api, received_at=hours_ago(24 * 30))
    older = enter(api, received_at=hours_ago(24 * 40))
    listed = api.get("/v1/requests").json()
    assert [each["number"] for each in listed["requests"]] == [older["number"], old["number"], fresh["number"]]
    assert (listed["overdue"], listed["open"]) == (2, 3)
    assert "Hanna" not in api.get("/v1/requests").text


def test_media_are_answered_after_consent_only(api: TestClient) -> None:
    made = enter(api, requester_class="media")
    refused = step(api, made, "answered", released_by="Head", how="email", text="84 %")
    assert refused.status_code == 409 and "consented" in refused.json()["detail"]
    assert paper(api, made, "answer").status_code == 409
    made = step(api, made, "consent_given", reference="12-3 of today").json()
    assert made["consent"] == "given"
    assert step(api, made, "answered", released_by="Head", how="email", text="84 %").json()["state"] == "answered"


def test_urgency_is_reasoned(api: TestClient) -> None:
    answer = api.post("/v1/requests", json=NEW | {"received_at": hours_ago(1), "urgent": True})
    assert answer.status_code == 422 and "reasoned" in answer.text
    assert enter(api, urgent=True, reasons="danger to life")["due_rule"] == "urgent"


@pytest.mark.parametrize("hours", [-2, 24 * 500])
def test_nothing_comes_from_the_future_or_from_long_ago(api: TestClient, hours: float) -> None:
    answer = api.post("/v1/requests", json=NEW | {"received_at": hours_ago(hours)})
    assert answer.status_code == 422 and answer.json()["errors"][0]["parameter"] == "received_at"


def test_two_people_cannot_both_enter_the_next_thing(api: TestClient) -> None:
    made = enter(api)
    assert step(api, made, "noted", text="one").status_code == 201
    assert step(api, made, "noted", text="two").status_code == 409
    assert [each["fields"]["text"] for each in api.get(f"/v1/requests/{made['number']}").json()["events"]] == ["one"]


@pytest.mark.parametrize(
    ("what", "fields"),
    [
        ("refused", {"reason": "x"}),
        ("answered", {"how": "oral", "text": "said"}),
        ("noted", {}),
        ("noted", {"text": "x", "more": 1}),
        ("corrected", {}),
        ("corrected", {"requester_class": "mayor"}),
        ("corrected", {"urgent": True}),
        ("corrected", {"branch": "atlantis"}),
        ("answered", {"released_by": "Head", "how": "post", "paper": 77}),
        ("extended", {"reason": "x", "notice_sent_at": "2026-01-01T00:00:00"}),
    ],
)
def test_what_is_missing_or_wrong_is_refused_and_nothing_is_entered(
    api: TestClient, what: str, fields: dict[str, Any]
) -> None:
    made = enter(api)
    assert step(api, made, what, **fields).status_code == 422
    assert api.get(f"/v1/requests/{made['number']}").json()["events"] == []


def test_a_slip_is_corrected_or_taken_back_and_stays_readable(api: TestClient) -> None:
    made = enter(api, branch="centre")
    made = step(api, made, "corrected", requester_class="legal_person", branch=None).json()
    assert (made["requester_class"], made["branch"]) == ("legal_person", None)
    made = step(api, made, "withdrawn", reason="told by phone").json()
    assert made["state"] == "withdrawn"
    made = step(api, made, "taken_back", event=2, reason="somebody else's").json()
    assert made["state"] == "open"
    assert [each["taken_back"] for each in made["events"]] == [False, True, False]


def test_an_answer_freezes_its_figures(api: TestClient, office: Office) -> None:
    for n in range(12):
        office.call("centre-1", last_month(), rating=1 if n < 3 else 3)
    for _ in range(4):
        office.call("vyshenka-1", last_month(), rating=3)
    made = enter(api, requester_class="council")
    answer = paper(api, made, "answer", by="branch", text="Dear council,\n\nhere they are.")
    assert answer.status_code == 201, answer.text
    (letter,) = answer.json()["papers"]
    text = text_of(api, letter["href"])
    assert "Dear council," in text and "here they are." in text
    assert "25.0%" in text and "75.0%" in text and "12" in text  # n, and shares with their intervals
    assert "8.9–53.2%" in text
    assert "fewer than 10 votes" in text  # Vyshenka's four
    assert "Wilson" in text and made["number"] in text
    before = frozen(office.store, made, letter["id"])
    for _ in range(30):
        office.call("centre-1", last_month(), rating=1)
    assert text_of(api, letter["href"]) == text
    assert frozen(office.store, made, letter["id"]) == before
    assert {row.name_en: row.votes for row in before.rows} == {"Centre": 12, "Vyshenka": None, "Lisbon": 0}


def frozen(store: Store, made: dict[str, Any], key: int) -> FrozenFigures:
    year, number = map(int, made["number"].split("/"))
    _, _, figures = store.disclosures.paper(store.disclosures.one(year, number).row["id"], key)
    assert figures is not None
    return FrozenFigures.model_validate_json(figures)


def test_a_paper_is_a_tagged_document_in_the_language_of_the_request(api: TestClient) -> None:
    for language, words in (("en", "Receipt for a request"), ("uk", "Квитанція про прийняття запиту")):
        made = enter(api, language=language, form="phone")
        made = paper(api, made, "receipt").json()
        href = made["papers"][0]["href"]
        document = pypdf.PdfReader(io.BytesIO(api.get(href).content))
        assert document.trailer["/Root"]["/MarkInfo"]["/Marked"]
        assert str(document.trailer["/Root"]["/Lang"]).startswith(language)
        assert words in text_of(api, href)


def test_a_refusal_says_why_and_where_to_complain(api: TestClient) -> None:
    made = enter(api)
    assert paper(api, made, "refusal").status_code == 422
    made = paper(api, made, "refusal", text="We do not hold it.").json()
    text = text_of(api, made["papers"][0]["href"])
    assert "We do not hold it." in text and "art. 23" in text


def test_a_paper_of_somebody_elses_request_is_not_found(api: TestClient) -> None:
    one, two = enter(api), enter(api)
    one = paper(api, one, "receipt").json()
    key = one["papers"][0]["id"]
    assert api.get(f"/v1/requests/{two['number']}/papers/{key}.pdf").status_code == 404


def test_operators_are_in_an_answer_by_law_or_decision_only_and_logged(office: Office) -> None:
    for _ in range(12):
        office.call("centre-1", last_month(), rating=3, operator="olena")
    with office.client("disclose") as without:
        made = enter(without, requester_class="court", legal_basis="Ruling 1-22/26")
        assert paper(without, made, "answer", by="operator").status_code == 403
    with office.client("disclose", "operators") as api:
        assert paper(api, made, "answer", by="operator").status_code == 201
        citizen = enter(api)
        assert paper(api, citizen, "answer", by="operator").status_code == 422
        test = {"interest": "privacy", "harm": "some", "balance": "public", "decided_by": "Head"}
        citizen = step(api, citizen, "decided", grant=True, **test).json()
        answer = paper(api, citizen, "answer", by="operator")
        assert answer.status_code == 201
        assert "disciplinary" in text_of(api, answer.json()["papers"][0]["href"])
    with sqlalchemy.create_engine(office.url).connect() as connection:
        log = connection.execute(sqlalchemy.text("SELECT granted, question FROM access_log ORDER BY id")).all()
    assert [bool(each.granted) for each in log] == [False, True, False, True]
    assert all("by=operator" in each.question for each in log)


def test_a_head_of_branch_sees_requests_about_that_branch_only(api: TestClient, office: Office) -> None:
    about = enter(api, branch="centre"), enter(api, branch="vyshenka"), enter(api)
    head = Token(1, "head", frozenset({"disclose"}), 0, None, None, limits=Limits(branches=frozenset({"centre"})))
    _, register = office.store.book.whole()
    seen = [each for each in office.store.disclosures.all() if may_see(head, case_of(each, register))]
    assert [f"{each.row['year']}/{each.row['number']}" for each in seen] == [about[0]["number"]]


def test_who_asked_is_forgotten_long_after_the_answer(api: TestClient, office: Office) -> None:
    kept, gone = enter(api), enter(api)
    step(api, gone, "withdrawn", reason="x")
    later = int((datetime.now(UTC) + timedelta(days=60)).timestamp() * 1000)
    said = look_after_requests(office.store, Settings(requester_days=59), later)
    assert any("overdue" in each for each in said) and any("forgotten" in each for each in said)
    assert api.get(f"/v1/requests/{kept['number']}").json()["person"] == "Hanna Secretive"
    assert api.get(f"/v1/requests/{gone['number']}").json()["person"] is None
    assert look_after_requests(office.store, Settings(requester_days=59), later) == [said[0]]


@pytest.mark.parametrize("path", ["/v1/requests", "/v1/requests/2026/1", "/v1/requests/2026/1/papers/1.pdf"])
def test_without_the_scope_there_is_nothing(office: Office, path: str) -> None:
    with office.client("figures", "reports") as other:
        assert other.get(path).status_code == 403
    with office.client() as nobody:
        assert nobody.get(path).status_code == 401


def test_the_public_gets_what_is_published_and_nothing_else(api: TestClient, office: Office) -> None:
    """Before the month is closed there is nothing to give; afterwards the edition's cells, its withheld ones too."""
    for n in range(36):
        office.call("centre-1", last_month(), rating=1 if n % 4 == 0 else 3, operator=f"op-{n % 4}")
    for _ in range(4):
        office.call("vyshenka-1", last_month(), rating=3, operator="op-9")
    made = enter(api)
    refused = paper(api, made, "answer", by="branch")
    assert refused.status_code == 422 and "published" in refused.text
    month, now = f"{last_month():%Y-%m}", int(datetime.now(UTC).timestamp() * 1000)
    publish(office.store, plan(office.store, month, now), by="head", now_unix_ms=now)
    for _ in range(20):
        office.call("centre-1", last_month(), rating=1, operator="op-1")  # told late: not in the edition
    answer = paper(api, made, "answer", by="branch")
    assert answer.status_code == 201, answer.text
    (letter,) = answer.json()["papers"]
    figures = frozen(office.store, made, letter["id"])
    assert figures.source == f"{month}/1"
    edition = EditionContent.model_validate_json(office.store.editions.content(month, 1)[1])
    published = {cell.name_en: cell.votes for cell in edition.cells if cell.cut == "branch"}
    assert {row.name_en: row.votes for row in figures.rows} == published
    assert published["Vyshenka"] is None
    assert f"{month}/1" in text_of(api, letter["href"])


def test_a_service_that_one_operator_serves_is_no_way_to_their_figures(office: Office, api: TestClient) -> None:
    begin = last_month()
    for number in range(60):
        at = begin + timedelta(minutes=number)
        office.call("centre-1", at, rating=3, operator=("petro", "ivan", "taras")[number % 3])
        office.call("centre-2", at, rating=1, service="address", operator="olena")
    made = enter(api, requester_class="council", branch="centre")
    answer = api.post(
        f"/v1/requests/{made['number']}/papers", json={"kind": "answer", "by": "service", "signed_by": "x"}
    )
    assert answer.status_code == 201, answer.text
    year, number = made["number"].split("/")
    key = office.store.disclosures.one(int(year), int(number)).row["id"]
    _, _, frozen = office.store.disclosures.paper(key, answer.json()["papers"][-1]["id"])
    rows = FrozenFigures.model_validate_json(frozen or b"").rows
    assert {each.name_en: each.withheld for each in rows} == {
        "Passport": "secondary", "Registration of residence": "few_operators",
    }  # fmt: skip
    assert all(each.votes is None and each.bad is None for each in rows)
