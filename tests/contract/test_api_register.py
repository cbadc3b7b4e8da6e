"""The register by api: who may, what is refused and where, two people at once, trying first and taking back."""

import logging
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from schemas.register import Operator
from schemas.register_archive import pack, unpack
from schemas.register_csv import NAMES
from tests.contract.api_office import KYIV, REGISTER, Office

NAME = "Олена Секретна"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path)
    known = REGISTER.model_copy(update={"operators": (Operator(id="olena"), Operator(id="ivan"))})
    made.store.book.save(known, author="head", how="edit", names={"olena": NAME})
    yield made
    made.store.close()


def changed(document: dict[str, Any]) -> dict[str, Any]:
    """Centre's desk 2 is closed and the passports get another name from June on."""
    document["desk"][1]["valid_to"] = "2026-05-31"
    document["service"][0]["valid_to"] = "2026-05-31"
    renamed = {"id": "passport", "name": "Паспорт та ID", "name_en": "Passport and ID", "valid_from": "2026-06-01"}
    document["service"].insert(1, renamed)
    return document


def test_a_document_is_read_tried_put_and_taken_back(office: Office) -> None:
    with office.client("register", "figures") as client:
        got = client.get("/v1/register/document")
        assert got.headers["etag"] == '"2"' and client.get("/v1/register").headers["etag"] == '"2"'
        document = changed(got.json())
        tried = client.put("/v1/register/document?dry_run=true", json=document, headers={"If-Match": '"2"'})
        assert (tried.status_code, tried.headers["etag"], tried.json()["dry_run"]) == (200, '"2"', True)
        assert [(each["part"], each["kind"], each["name"]) for each in tried.json()["changes"]] == [
            ("services", "closed", ["passport"]),
            ("services", "added", ["passport"]),
            ("desks", "closed", ["centre-2"]),
        ]
        assert tried.json()["changes"][2]["fields"] == [{"field": "valid_to", "old": None, "new": "2026-05-31"}]
        assert client.get("/v1/register/document").json() == got.json()
        put = client.put("/v1/register/document", json=document, headers={"If-Match": '"2"'})
        assert (put.status_code, put.headers["etag"]) == (200, '"3"')
        again = client.put("/v1/register/document", json=document, headers={"If-Match": '"3"'}).json()
        assert (again["revision"], again["changes"]) == (3, [])
        late = client.put("/v1/register/document", json=got.json(), headers={"If-Match": '"2"'})
        assert late.status_code == 412 and late.json()["type"].endswith("register-changed")
        back = client.post("/v1/register/revisions/2/revert", headers={"If-Match": '"3"'})
        assert (back.status_code, back.json()["revision"]) == (200, 4)
        assert client.get("/v1/register/document").json() == got.json()
        listed = client.get("/v1/register/revisions").json()["revisions"]
        assert [(each["number"], each["how"]) for each in listed] == [
            (4, "revert"), (3, "import"), (2, "edit"), (1, "file"),
        ]  # fmt: skip
        assert listed[1]["author"].startswith("reader ")
        assert client.post("/v1/register/revisions/99/revert").status_code == 404


@pytest.mark.parametrize(
    ("headers", "status"),
    [({}, 428), ({"If-Match": "*"}, 422), ({"If-Match": 'W/"2"'}, 422), ({"If-Match": '"1"'}, 412)],
)
def test_a_change_says_what_it_was_made_from(office: Office, headers: dict[str, str], status: int) -> None:
    with office.client("register") as client:
        document = client.get("/v1/register/document").json()
        assert client.put("/v1/register/document", json=document, headers=headers).status_code == status


def test_every_field_at_fault_is_pointed_at(office: Office) -> None:
    with office.client("register") as client:
        document = client.get("/v1/register/document").json()
        document["desk"][0]["label"] = ""
        document["branch"][1]["timezone"] = "Europe/Atlantis"
        refused = client.put("/v1/register/document", json=document, headers={"If-Match": '"2"'})
        assert (refused.status_code, refused.headers["content-type"]) == (422, "application/problem+json")
        assert [each["parameter"] for each in refused.json()["errors"]] == ["/branch/1/timezone", "/desk/0/label"]
        document = client.get("/v1/register/document").json()
        document["desk"][0]["branch"] = "nowhere"
        document["operator"][1]["participant"] = "nobody"
        refused = client.put("/v1/register/document", json=document, headers={"If-Match": '"2"'})
        assert {each["parameter"] for each in refused.json()["errors"]} == {"/desk/0/branch", "/operator/1/participant"}
        for body in (b"", b"[]", b"{", b'{"organisation": 1}'):
            answer = client.put("/v1/register/document", content=body, headers={"If-Match": '"2"'})
            assert answer.status_code == 422
    assert office.store.book.whole()[0] == 2


def test_what_has_figures_can_be_closed_but_not_left_out(office: Office) -> None:
    office.call("centre-1", datetime(2026, 11, 20, 12, tzinfo=KYIV), rating=3, operator="ivan")
    with office.client("register") as client:
        document = client.get("/v1/register/document").json()
        document["operator"] = document["operator"][:1]
        refused = client.put("/v1/register/document", json=document, headers={"If-Match": '"2"'})
        assert refused.status_code == 422
        said = "the operator 'ivan' has figures: keep its rows and close it with valid_to"
        (error,) = refused.json()["errors"]
        assert (error["parameter"], error["detail"], error["rule"]) == ("/operator", said, "has_figures")


def test_sheets_go_out_and_in_and_an_old_export_is_refused(office: Office) -> None:
    with office.client("register") as client:
        got = client.get("/v1/register/sheets")
        assert got.headers["content-disposition"] == 'attachment; filename="register-2.zip"'
        files = unpack(got.content)
        assert NAMES not in files
        same = client.post("/v1/register/sheets", content=got.content).json()
        assert (same["revision"], same["changes"]) == (2, [])
        files["desks.csv"] = files["desks.csv"].replace(b"centre-2;centre;2", b"centre-2;centre;2a")
        tried = client.post("/v1/register/sheets?dry_run=1", content=pack(files)).json()
        assert [each["fields"] for each in tried["changes"]] == [[{"field": "label", "old": "2", "new": "2a"}]]
        assert client.post("/v1/register/sheets", content=pack(files)).json()["revision"] == 3
        old = client.post("/v1/register/sheets", content=got.content)
        assert old.status_code == 412 and "revision 2" in old.json()["detail"]
        del files["office.csv"]
        files["desks.csv"] = files["desks.csv"].replace(b"centre-1;centre", b"centre-1;nowhere")
        refused = client.post("/v1/register/sheets", content=pack(files))
        assert refused.json()["errors"] == [
            {
                "parameter": "desks.csv:2:branch",
                "detail": "the desk 'centre-1' names an unknown branch 'nowhere'",
                "rule": "references",
                "about": "centre-1",
            }
        ]
        assert client.post("/v1/register/sheets", content=b"no archive").status_code == 422
    assert office.store.book.whole()[0] == 3


def test_names_of_operators_need_their_own_scope_and_every_reading_is_written_down(
    office: Office, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(logging.DEBUG)
    with office.client("register", "figures", "operators", "devices", "metrics") as client:
        for path in ("/v1/register/names", "/v1/register/sheets?names=true"):
            assert client.get(path).status_code == 403
        for path in ("document", "sheets", "revisions"):
            assert NAME.encode() not in client.get(f"/v1/register/{path}").content
        assert NAME not in client.get("/v1/register").text
        files = {NAMES: f"operator;name\nolena;{NAME} Інша\n".encode()}
        assert client.post("/v1/register/sheets", content=pack(files)).status_code == 403
    with office.client("register", "names") as client:
        assert client.get("/v1/register/names").json() == {"names": {"olena": NAME}}
        assert NAME.encode() in unpack(client.get("/v1/register/sheets?names=true").content)[NAMES]
        assert client.post("/v1/register/sheets", content=pack(files)).json()["names_changed"]
        assert client.get("/v1/register/names").json() == {"names": {"olena": f"{NAME} Інша"}}
    assert NAME not in caplog.text
    import sqlite3

    database = sqlite3.connect(tmp_path / "office.db")
    found = [row[0] for row in database.execute("SELECT question FROM access_log ORDER BY id")]
    database.close()
    assert found.count("names of operators: read") == 3 and found.count("names of operators: changed") == 2
