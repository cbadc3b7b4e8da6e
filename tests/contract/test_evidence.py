"""``/v1/evidence``: values over periods, targets set beforehand, sheets of paper and a workbook; never a score."""

import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from pypdf import PdfReader
from starlette.testclient import TestClient

from api.app import create_app
from api.evidence import model
from api.evidence.assembling import assembled
from api.i18n import load_languages
from api.settings import Settings
from collector.store import NewTarget, OutOfTurn, Store
from schemas.evidence_resources import Evidence
from schemas.periods import Period
from tests.contract.api_office import KYIV, Office
from tests.contract.reports_city import NOW_UNIX_MS, laid_down

LANGUAGES = load_languages()


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with laid_down(tmp_path_factory.mktemp("city")) as store:
        yield store


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    office = Office(tmp_path)
    with office.store:
        yield office


def evidence(store: Store, period: Period = Period.MONTH) -> Evidence:
    return assembled(store, model.caf(LANGUAGES["en"]), LANGUAGES["en"], period, NOW_UNIX_MS)


def test_the_values_are_the_figures_with_n_interval_and_response_rate(city: Store) -> None:
    found = {each.id: each for each in evidence(city).measures}["bad"]
    assert [each.period for each in found.values] == ["2025-12", "2026-01", "2026-02", "2026-03", "2026-04"]
    assert [each.complete for each in found.values] == [True, True, True, True, False]
    for each in found.values:
        assert each.n and each.value is not None and each.low is not None and each.high is not None
        assert each.low <= each.value <= each.high
        assert each.response_rate
    assert found.comparison == "none"


def test_with_fewer_than_three_quarters_that_are_over_nobody_can_tell_and_the_band_is_capped(city: Store) -> None:
    made = evidence(city, Period.QUARTER)
    found = {each.id: each for each in made.measures}["exemplary"]
    assert found.trend.verdict == "cannot_tell"
    item = next(each for each in made.items if each.id == "6.1")
    assert item.band is not None
    assert item.band.high == 50


def test_times_of_service_come_with_their_number_and_by_service(city: Store) -> None:
    found = {each.id: each for each in evidence(city).measures}["handling"]
    march = found.values[3]
    assert march.value is not None and march.low is not None and march.high is not None
    assert 60 < march.low < march.value < march.high < 3600
    assert len(found.parts) > 5
    assert found.trend.verdict == "cannot_tell"  # shorter is not better in itself


def test_a_service_of_one_operator_has_no_time_nor_has_what_would_give_it_away(office: Office) -> None:
    for month in (1, 2, 3):
        for number, who in enumerate(("olena", "petro", "ivan") * 4):
            at = datetime(2026, month, 2 + number, 10, tzinfo=KYIV)
            office.call("centre-1", at, operator=who)
            if number < 6:
                office.call("centre-2", at, operator="olena" if month == 2 else who, service="address")
            office.call("vyshenka-1", at, operator=who, service="residence") if number < 9 else None
    for period, over in ((Period.MONTH, True), (Period.QUARTER, False)):
        found = {each.id: each for each in evidence(office.store, period).measures}
        for name in ("handling", "served"):
            assert all(each.n for each in found[name].parts) is over, (period, name)
    quarter = {each.id: each for each in evidence(office.store, Period.QUARTER).measures}
    shown = {each.key: each.n for each in quarter["served"].parts}
    assert shown == {"passport": 36, "address": None, "residence": None}, "February's would be the quarter's less two"
    assert [each.value for each in quarter["handling"].parts if each.n is None] == [None]


def test_nothing_anywhere_is_a_score(city: Store) -> None:
    text = evidence(city).model_dump_json()
    assert '"score"' not in text
    assert {each.id for each in evidence(city).items if each.band} == {"6.1", "6.2", "9.1", "9.2"}


def test_a_target_set_after_its_period_began_is_refused_by_the_store_itself(city: Store) -> None:
    late = NewTarget("bad", 20260301, 20260331, 0.05, "at_most", 20260301, "head")
    with pytest.raises(OutOfTurn):
        city.reports.set_target(late)


def test_a_target_is_set_for_what_is_to_come_and_never_for_what_has_begun(office: Office) -> None:
    today = datetime.now(UTC).date()
    body: dict[str, Any] = {"measure": "bad", "period": "month", "value": 0.04, "direction": "at_most"}
    with office.client("evidence", "publish") as client:
        coming = client.post("/v1/evidence/targets", json=body | {"day": (today + timedelta(days=40)).isoformat()})
        assert coming.status_code == 201
        assert coming.json()["set_by"].startswith("reader")
        late = client.post("/v1/evidence/targets", json=body | {"day": today.isoformat()})
        assert (late.status_code, late.json()["type"]) == (409, "urn:zrazkovo:problem:not-now")
        unknown = client.post("/v1/evidence/targets", json=body | {"measure": "mood", "day": "2099-01-01"})
        assert unknown.status_code == 422
        assert len(client.get("/v1/evidence/targets").json()["targets"]) == 1
    with office.client("evidence") as client:
        assert client.post("/v1/evidence/targets", json=body | {"day": "2099-01-01"}).status_code == 403


@pytest.mark.parametrize("which", ["caf", "certification"])
def test_an_office_without_a_single_call_has_evidence_of_nothing(office: Office, which: str) -> None:
    with office.client("evidence") as client:
        answer = client.get(f"/v1/evidence/{which}", params={"lang": "en"})
        assert answer.status_code == 200
        assert answer.json()["without"]
        assert client.get(f"/v1/evidence/{which}.xlsx").status_code == 200
        assert client.get(f"/v1/evidence/{which}", params={"lang": "xx"}).status_code == 422


def client_of(store: Store, token: str) -> TestClient:
    app = create_app(Settings(database_url="sqlite://"), store)
    return TestClient(app, headers={"Authorization": f"Bearer {token}"}, raise_server_exceptions=False)


def test_the_sheet_and_the_workbook_say_what_the_resource_says(city: Store) -> None:
    token = city.create_token("assessor", ["evidence"])
    with client_of(city, token) as client:
        sheet = client.get("/v1/evidence/caf/6.1.pdf", params={"lang": "uk", "period": "month"})
        assert sheet.status_code == 200
        pdf = PdfReader(io.BytesIO(sheet.content))
        assert pdf.root_object["/Lang"] == "uk"
        assert pdf.root_object["/MarkInfo"]["/Marked"].value is True
        said = " ".join(page.extract_text() for page in pdf.pages)
        assert "Частка оцінок «Зразково»" in said
        assert "Не підтверджує" in said
        assert client.get("/v1/evidence/caf/1.1.pdf").status_code == 404
        made = client.get("/v1/evidence/caf", params={"lang": "en", "period": "month"}).json()
        body = client.get("/v1/evidence/caf.xlsx", params={"lang": "en", "period": "month"}).content
    book = openpyxl.load_workbook(io.BytesIO(body))
    assert book.sheetnames == ["Evidence", "Values", "No evidence"]
    expected = [value["value"] for measure in made["measures"] for value in measure["values"]]
    assert [row[5].value for row in book["Values"].iter_rows(min_row=2)] == expected


@pytest.mark.parametrize("which", ["caf", "certification"])
def test_the_page_says_what_is_supported_and_what_is_not(city: Store, which: str) -> None:
    token = city.create_token(f"reader of {which}", ["evidence"])
    with client_of(city, token) as client:
        page = client.get("/evidence", params={"lang": "en", "period": "month", "model": which})
        assert page.status_code == 200
        assert "Does not support" in page.text
        assert "No evidence" in page.text
        assert 'data-testid="nav-evidence"' in page.text
        odd = client.get("/evidence", params={"lang": "en", "period": "fortnight", "model": "beauty"})
        assert odd.status_code == 200
