"""``/v1/reports`` and the page Reports: making, listing, handing over, and for whom."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.reports import cli
from collector.store import Limits, LogFilter, Store, Token
from tests.contract.api_office import KYIV, Office

ASKED = {"cut": "centre", "period": "month", "day": "2026-03-10", "language": "en"}
ABOUT_PEOPLE = ASKED | {"cut": "operator", "key": "centre", "ordered_by": "The mayor", "purpose": "analysis"}


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    office = Office(tmp_path)
    with office.store:
        for day in range(2, 8):
            for operator in ("olena", "petro", "ivan"):
                office.call("centre-1", datetime(2026, 3, day, 10, 30, tzinfo=KYIV), rating=3, operator=operator)
        office.call("vyshenka-1", datetime(2026, 3, 3, 10, 30, tzinfo=KYIV), rating=1)
        yield office


def made(client: TestClient, body: dict[str, Any] = ASKED) -> dict[str, Any]:
    answer = client.post("/v1/reports", json=body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    assert answer.headers["location"] == f"/v1/reports/{found['id']}"
    return found


def test_a_report_is_made_listed_and_handed_over_as_it_was_made(office: Office) -> None:
    with office.client("reports", "figures") as client:
        report = made(client)
        assert (report["from"], report["to"], report["cut"]) == ("2026-03-01", "2026-03-31", "centre")
        assert client.get("/v1/reports").json()["reports"][0]["id"] == report["id"]
        assert client.get(f"/v1/reports/{report['id']}").json() == report
        for file in report["files"]:
            answer = client.get(file["href"])
            assert answer.status_code == 200
            assert hashlib.sha256(answer.content).hexdigest() == file["sha256"]
            assert len(answer.content) == file["bytes"]
            assert "attachment" in answer.headers["content-disposition"]
            again = client.get(file["href"], headers={"If-None-Match": answer.headers["etag"]})
            assert again.status_code == 304
        assert [file["format"] for file in report["files"]] == ["pdf", "xlsx", "csv"]
        assert client.get(report["files"][0]["href"]).content.startswith(b"%PDF-1.7")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"cut": "branch"}, "key"),
        ({"cut": "branch", "key": "nowhere"}, "key"),
        ({"cut": "centre", "key": "centre"}, "key"),
        ({"cut": "direction", "key": "land"}, "key"),
        ({"language": "xx"}, "language"),
        ({"day": "2099-01-01"}, "day"),
        ({"ordered_by": "two\nlines"}, "ordered_by"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_an_order_that_fits_nothing_is_refused_with_the_field_at_fault(
    office: Office, change: dict[str, Any], field: str
) -> None:
    with office.client("reports", "figures") as client:
        answer = client.post("/v1/reports", json=ASKED | change)
        assert answer.status_code == 422
        assert [each["parameter"] for each in answer.json()["errors"]] == [field]
        assert client.get("/v1/reports").json()["reports"] == []


def log_of(store: Store) -> list[tuple[str | None, bool]]:
    return [(each.purpose, each.granted) for each in store.staff.readings(LogFilter())]


def test_a_report_about_operators_needs_the_scope_a_purpose_and_who_ordered_it_and_is_written_down(
    office: Office,
) -> None:
    with office.client("reports", "figures") as client:
        assert client.post("/v1/reports", json=ABOUT_PEOPLE).status_code == 403
    with office.client("reports", "figures", "operators") as client:
        assert client.post("/v1/reports", json=ABOUT_PEOPLE | {"purpose": None}).status_code == 422
        assert client.post("/v1/reports", json=ABOUT_PEOPLE | {"purpose": "discipline"}).status_code == 422
        assert client.post("/v1/reports", json=ABOUT_PEOPLE | {"ordered_by": " "}).status_code == 422
        report = made(client, ABOUT_PEOPLE)
        assert report["ordered_by"] == "The mayor"
        href = report["files"][2]["href"]
        assert client.get(href).status_code == 422  # reading it again has a purpose of its own
        answer = client.get(href, params={"purpose": "improvement"})
        assert "operator,olena" in answer.content.decode("utf-8-sig")
        assert answer.headers["cache-control"] == "private, no-store"
    assert [granted for _, granted in reversed(log_of(office.store))] == [False, False, False, False, True, False, True]


def test_who_may_not_read_about_operators_is_not_told_of_such_a_report(office: Office) -> None:
    with office.client("reports", "figures", "operators") as client:
        report = made(client, ABOUT_PEOPLE)
    with office.client("reports", "figures") as client:
        assert client.get("/v1/reports").json()["reports"] == []
        assert client.get(f"/v1/reports/{report['id']}").status_code == 404
        assert client.get(report["files"][0]["href"]).status_code == 404


def test_a_head_of_one_branch_has_that_branchs_reports_only(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    with office.client("reports", "figures") as client:
        centre, own = made(client), made(client, ASKED | {"cut": "branch", "key": "vyshenka"})
    found = office.store.find_token

    def limited(secret: str) -> Token | None:
        token = found(secret)
        return token and replace(token, limits=Limits(branches=frozenset({"vyshenka"})))

    monkeypatch.setattr(office.store, "find_token", limited)
    with office.client("reports", "figures") as client:
        assert [each["id"] for each in client.get("/v1/reports").json()["reports"]] == [own["id"]]
        assert client.get(f"/v1/reports/{centre['id']}").status_code == 404
        assert client.post("/v1/reports", json=ASKED).status_code == 403
        assert client.post("/v1/reports", json=ASKED | {"cut": "branch", "key": "centre"}).status_code == 403
        made(client, ASKED | {"cut": "branch", "key": "vyshenka"})


# ---- the page
def test_the_page_lists_makes_and_says_what_is_due(office: Office) -> None:
    with office.client("reports", "figures") as client:
        page = client.get("/reports", params={"lang": "en"})
        assert page.status_code == 200
        assert "No report has been made yet" in page.text
        form = {"cut": "branch", "branch": "centre", "period": "month", "day": "2026-03-10", "language": "en"}
        done = client.post("/reports/make", data=form, follow_redirects=False)
        assert done.status_code == 303
        shown = client.get(done.headers["location"] + "&lang=en").text
        assert "Ratings of services. Centre. March 2026" in shown
        assert 'data-testid="made"' in shown
        refused = client.post("/reports/make", data=form | {"branch": ""}, params={"lang": "en"})
        assert refused.status_code == 422
        assert "Choose the branch or the direction" in refused.text


def test_the_page_offers_operators_only_to_who_may_read_about_them(office: Office) -> None:
    with office.client("reports", "figures") as client:
        assert 'value="operator"' not in client.get("/reports").text
    with office.client("reports", "figures", "operators") as client:
        assert 'value="operator"' in client.get("/reports").text


# ---- the command line
def test_the_command_line_makes_what_is_missing_and_writes_the_files_out(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ZRAZKOVO_API_DATABASE_URL", office.url)
    monkeypatch.setenv("ZRAZKOVO_API_DEFAULT_LANGUAGE", "en")
    out = tmp_path / "out"
    assert cli.main(["--month", "2026-03", "--out", str(out)]) == 0
    assert len(list(out.glob("*.pdf"))) == len(list(out.glob("*.xlsx"))) == 3  # the centre and two branches with calls
    assert cli.main(["--month", "2026-03"]) == 0
    assert "nothing is missing" in capsys.readouterr().out
    assert cli.main(["--cut", "branch", "--key", "nowhere", "--day", "2026-03-10"]) == 1
    assert "There is no branch" in capsys.readouterr().err
