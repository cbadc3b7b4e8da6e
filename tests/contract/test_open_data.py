"""Open data: permanent addresses, ETags, files that others' tools accept; and nothing but what is published."""

import csv
import io
import json
import sqlite3
from collections.abc import Iterator
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from frictionless import Package, system
from rdflib import Graph, Namespace, URIRef
from rdflib.compare import isomorphic
from rdflib.namespace import DCTERMS, FOAF, RDF

from api.i18n import load_languages
from api.publication import closing, open_data, publishing
from api.publication.formats import PORTAL
from api.publication.open_data import FILES
from api.publication.public_words import PublicWords
from api.settings import Settings
from schemas.edition_resources import EditionContent
from schemas.statistics_resources import DesignEffects
from tests.contract.api_office import KYIV, Office, now_unix_ms

DCAT = Namespace("http://www.w3.org/ns/dcat#")
LATER = int(datetime(2026, 8, 6, 12, tzinfo=KYIV).timestamp() * 1000)
SECRET_OPERATORS = ("olena", "petro", "ivan", "taras")


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    made = Office(tmp_path_factory.mktemp("office"))
    for month in (4, 5, 6):
        fill(made, month)
    yield made
    made.store.close()


def fill(office: Office, month: int, *, day: int = 2, clients: int = 16) -> None:
    """Every operator serves so many clients of "passport" in the centre; "address" has two votes in all."""
    begin = datetime(2026, month, day, 9, tzinfo=KYIV)
    for number in range(clients * len(SECRET_OPERATORS)):
        when = begin + timedelta(minutes=7 * number)
        operator = SECRET_OPERATORS[number % len(SECRET_OPERATORS)]
        desk = "centre-1" if number % 3 else "vyshenka-1"
        rating = (3, 3, 2, 3, None, 1, 3, None)[number // 4 % 8]
        office.call(desk, when, rating=rating, operator=operator)
    for number in range(2):
        office.call("centre-2", begin + timedelta(hours=3, minutes=number), rating=3, service="address")


@pytest.fixture(scope="module")
def published(office: Office) -> Office:
    for month in ("2026-04", "2026-05", "2026-06"):
        closing.publish(office.store, closing.plan(office.store, month, LATER), by="head", now_unix_ms=LATER)
    return office


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_before_anything_is_published_the_addresses_are_there_and_empty(tmp_path: Path) -> None:
    office = Office(tmp_path)
    with office.client() as client:
        assert client.get("/v1/open-data/editions").json() == {"editions": []}
        for file in FILES:
            assert client.get(f"/open-data/{file}").status_code == 200
        assert client.get("/v1/open-data/editions/2026-04").status_code == 404
    office.store.close()


def test_an_edition_is_answered_byte_by_byte_as_it_was_published(published: Office) -> None:
    with published.client() as client:
        heads = client.get("/v1/open-data/editions").json()["editions"]
        assert [(each["period"], each["number"], each["holds"]) for each in heads] == [
            ("2026-Q2", 1, True), ("2026-06", 1, True), ("2026-05", 1, True), ("2026-04", 1, True),
        ]  # fmt: skip
        for head in heads:
            answer = client.get(head["json"])
            assert sha256(answer.content).hexdigest() == head["sha256"]
            assert "immutable" in answer.headers["cache-control"]
            latest = client.get(f"/v1/open-data/editions/{head['period']}")
            assert latest.content == answer.content
            assert latest.headers["content-location"] == head["json"].removeprefix("http://testserver")


def test_small_figures_and_what_they_follow_from_are_withheld_and_nobody_is_named(published: Office) -> None:
    with published.client() as client:
        text = client.get("/v1/open-data/editions/2026-04/1").text
        table = client.get("/open-data/editions/2026-04/1/ratings.csv").text
    cells = {(cell["cut"], cell["key"]): cell for cell in json.loads(text)["cells"]}
    assert cells["centre", ""]["code"] == "published"
    assert cells["service", "address"]["code"] == "small"
    assert cells["service", "passport"]["code"] == "secondary"
    assert cells["branch", "lisbon"] == cells["branch", "lisbon"] | {"code": "none", "calls": 0, "votes": 0}
    for cell in cells.values():
        if cell["code"] not in ("published", "none"):
            assert {cell[name] for name in ("calls", "eligible_calls", "votes", "bad", "good", "exemplary")} == {None}
    for word in (*SECRET_OPERATORS, "centre-1", "head"):
        assert word not in text and word not in table
    found = {(row["cut"], row["key"]): row for row in rows(table)}
    assert found["service", "address"]["votes"] == "" and found["branch", "lisbon"]["votes"] == "0"
    assert found["centre", ""]["from"] == "2026-04-01" and found["centre", ""]["to"] == "2026-04-30"


def test_whoever_has_it_already_is_told_so_and_a_head_has_no_body(published: Office) -> None:
    with published.client() as client:
        for address in ("/open-data/ratings.csv", "/v1/open-data/editions", "/v1/open-data/editions/2026-04/1"):
            first = client.get(address)
            assert first.headers["access-control-allow-origin"] == "*"
            again = client.get(address, headers={"If-None-Match": f'"other", {first.headers["etag"]}'})
            assert (again.status_code, again.content) == (304, b"")
            assert again.headers["etag"] == first.headers["etag"] and "max-age" in again.headers["cache-control"]
            head = client.head(address)
            assert (head.status_code, head.content) == (200, b"")
            assert head.headers["content-length"] == str(len(first.content))
            assert head.headers["etag"] == first.headers["etag"]


@pytest.mark.parametrize(
    "address",
    [
        "/open-data/votes.csv",
        "/open-data/editions/2026-04/2/ratings.csv",
        "/open-data/editions/2026-04/1/dcat.ttl",
        "/v1/open-data/editions/2026-07",
    ],
)
def test_what_was_never_published_is_not_there(published: Office, address: str) -> None:
    with published.client() as client:
        assert client.get(address).status_code == 404


@pytest.mark.parametrize("address", ["/v1/open-data/editions/2026-W14", "/v1/open-data/editions/2026-04-02"])
def test_there_are_no_weeks_and_days(published: Office, address: str) -> None:
    with published.client() as client:
        assert client.get(address).status_code == 422


@pytest.mark.parametrize("folder", ["/open-data", "/open-data/editions/2026-Q2/1"])
def test_the_data_package_is_valid(published: Office, tmp_path: Path, folder: str) -> None:
    with published.client() as client:
        for file in ("datapackage.json", "ratings.csv", "codes.csv", "scale.csv"):
            (tmp_path / file).write_bytes(client.get(f"{folder}/{file}").content)
    with system.use_context(trusted=True):
        report = Package(str(tmp_path / "datapackage.json")).validate()
    assert report.valid, report.flatten(["title", "message"])
    assert {task.name for task in report.tasks} == {"ratings", "codes", "scale"}


def test_the_description_has_what_dcat_ap_asks_for_in_both_notations(published: Office) -> None:
    with published.client() as client:
        turtle = Graph().parse(data=client.get("/open-data/dcat.ttl").text, format="turtle")
        json_ld = Graph().parse(data=client.get("/open-data/dcat.jsonld").text, format="json-ld")
        assert isomorphic(turtle, json_ld)
        (catalogue,) = turtle.subjects(RDF.type, DCAT.Catalog)
        (dataset,) = turtle.subjects(RDF.type, DCAT.Dataset)
        # DCAT-AP 3: what is mandatory, and the recommended ones that a portal lives on.
        for about, wanted in (
            (catalogue, (DCTERMS.title, DCTERMS.description, DCTERMS.publisher, DCAT.dataset)),
            (dataset, (DCTERMS.title, DCTERMS.description, DCAT.distribution, DCAT.contactPoint, DCAT.theme)),
            (dataset, (DCTERMS.temporal, DCAT.keyword, DCTERMS.accrualPeriodicity, DCTERMS.publisher)),
        ):
            assert all((about, name, None) in turtle for name in wanted)
        publisher = turtle.value(dataset, DCTERMS.publisher)
        assert (publisher, FOAF.name, None) in turtle
        files = list(turtle.objects(dataset, DCAT.distribution))
        assert len(files) == 1 + 2 * 4
        for file in files:
            address = turtle.value(file, DCAT.accessURL)
            assert isinstance(address, URIRef) and client.get(str(address)).status_code == 200
            assert (file, DCTERMS.license, None) in turtle


def test_the_national_portals_row_has_its_columns(published: Office) -> None:
    with published.client() as client:
        (row,) = rows(client.get("/open-data/register.csv").text)
    assert tuple(row) == PORTAL
    assert row["landingPage"] == "http://testserver/open-data" and row["publisherName"] == "Прозорий офіс"


# ---- closing and correcting
def test_a_month_is_closed_once_a_trial_first_and_only_by_whoever_may(tmp_path: Path) -> None:
    office = Office(tmp_path)
    fill(office, 4)
    with office.client("publish") as client:
        trial = client.post("/v1/editions", json={"month": "2026-04"}).json()
        assert trial["published"] is False and office.store.editions.all() == []
        (planned,) = trial["editions"]
        assert planned["codes"]["small"] == 1 and "service address: small" in planned["withheld"]
        done = client.post("/v1/editions", json={"month": "2026-04", "publish": True})
        assert done.status_code == 200 and done.json()["published"] is True
        again = client.post("/v1/editions", json={"month": "2026-04", "publish": True})
        assert again.status_code == 409
        for month, status in (("2026-05", 409), ("2099-01", 409), ("2026-13", 422)):
            assert client.post("/v1/editions", json={"month": month, "publish": True}).status_code == status
    with office.client("figures", "operators") as client:
        assert client.post("/v1/editions", json={"month": "2026-04"}).status_code == 403
    office.store.close()


def test_late_votes_are_told_of_and_corrected_by_a_person_with_a_reason(tmp_path: Path) -> None:
    office = Office(tmp_path)
    fill(office, 4)
    settings = Settings(database_url=office.url)
    store = office.store
    may_fifth = int(datetime(2026, 5, 5, 3, tzinfo=KYIV).timestamp() * 1000)
    assert publishing.nightly(store, settings, may_fifth - 86_400_000) == []
    assert [line.split(":")[0] for line in publishing.nightly(store, settings, may_fifth)] == ["2026-04 is published"]
    assert publishing.nightly(store, settings, may_fifth) == []
    fill(office, 4, day=20, clients=1)
    assert "a correction may be needed" in publishing.nightly(store, settings, may_fifth)[0]
    assert len(store.editions.all()) == 1  # never by itself
    with office.client("publish") as client:
        body: dict[str, Any] = {"month": "2026-04", "publish": True}
        assert client.post("/v1/editions", json=body).status_code == 409
        small = client.post("/v1/editions", json=body | {"reason": "a pad's votes came late"})
        assert small.status_code == 409 and "too small" in small.json()["detail"]
        fill(office, 4, day=22, clients=16)
        assert client.post("/v1/editions", json=body | {"reason": "a pad's votes came late"}).status_code == 200
        heads = client.get("/v1/open-data/editions").json()["editions"]
        assert [(each["number"], each["holds"], each["reason"]) for each in heads] == [
            (2, True, "a pad's votes came late"), (1, False, ""),
        ]  # fmt: skip
        assert client.get("/v1/open-data/editions/2026-04/1").status_code == 200
    assert publishing.nightly(store, settings, may_fifth) == []
    office.store.close()


def test_a_month_that_is_not_over_is_not_closed(tmp_path: Path) -> None:
    office = Office(tmp_path)
    now = now_unix_ms()
    month = datetime.fromtimestamp(now / 1000, KYIV).strftime("%Y-%m")
    with pytest.raises(closing.NotToBeClosed, match="not over"):
        closing.plan(office.store, month, now)
    office.store.close()


@pytest.mark.parametrize("left", ["some", "none"])
def test_a_month_whose_rows_are_in_an_archive_is_not_closed_with_what_is_left(tmp_path: Path, left: str) -> None:
    office = Office(tmp_path)
    fill(office, 4)
    with sqlite3.connect(office.url.removeprefix("sqlite:///")) as connection:  # as the archive leaves them
        connection.execute("DELETE FROM vote")
        connection.execute("DELETE FROM call" + (" WHERE id < (SELECT max(id) FROM call)" if left == "some" else ""))
    with pytest.raises(closing.NotToBeClosed, match="archived"):
        closing.plan(office.store, "2026-04", LATER)
    office.store.close()


def uneven(office: Office, month: int, of_sixteen: int) -> None:
    """Ten days of sixteen clients; every second day so many of them are not content, on the others nobody."""
    for day in range(1, 11):
        for number in range(16):
            operator = SECRET_OPERATORS[number % len(SECRET_OPERATORS)]
            when = datetime(2026, month, day, 9, 3 * number, tzinfo=KYIV)
            rating = 1 if day % 2 and number < of_sixteen else 3
            office.call("centre-1", when, rating=rating, operator=operator)


def test_an_edition_tells_how_much_votes_of_a_day_resemble_each_other_and_comparisons_allow_for_it(
    tmp_path: Path,
) -> None:
    office = Office(tmp_path)
    for month, of_sixteen in ((4, 4), (5, 12)):
        uneven(office, month, of_sixteen)
        made = closing.plan(office.store, f"2026-0{month}", LATER)
        closing.publish(office.store, made, by="head", now_unix_ms=LATER)
    april, may = open_data.holding(office.store)
    effects = may.design_effects
    assert effects is not None and effects.bad is not None and effects.bad > 5
    assert effects.bad == round(effects.bad, 1)
    english = load_languages()["en"]
    page = PublicWords([april, may], may, english).values()
    assert page["changes"] == [] and page["allows_for_days"]
    # Editions from before it was told are what they are: they are compared as if votes were independent, and say so.
    old = EditionContent.model_validate_json(may.model_dump_json(by_alias=True, exclude={"design_effects"}))
    page = PublicWords([april, old], old, english).values()
    assert page["changes"] and not page["allows_for_days"]
    with office.client() as client:
        text = client.get("/public?lang=en").text
        assert "It is allowed for that votes of one day resemble each other." in text and "is not known of" not in text
    office.store.close()


def test_an_edition_of_few_days_knows_no_design_effect_and_the_page_says_so(published: Office) -> None:
    for content in open_data.holding(published.store):
        assert content.design_effects == DesignEffects(bad=None, exemplary=None)
    with published.client() as client:
        assert "is not known of this edition" in client.get("/public?period=2026-05&lang=en").text


# ---- pages
@pytest.mark.parametrize("language", ["uk", "en"])
def test_citizens_read_what_was_published_without_signing_in_and_without_scripts(
    published: Office, language: str
) -> None:
    with published.client() as client:
        page = client.get(f"/public?period=2026-04&lang={language}")
        assert page.status_code == 200
        assert "<script" not in page.text and 'data-testid="public-centre"' in page.text
        assert page.text.count('class="is-withheld"') == 3  # two services, and a branch without a call
        for word in SECRET_OPERATORS:
            assert word not in page.text
        assert client.get("/public?period=2031-04").status_code == 404
        data = client.get(f"/open-data?lang={language}").text
        assert 'data-testid="closing"' not in data and "datapackage.json" in data


def test_whoever_may_publish_sees_a_trial_on_the_page_before_anything_is_out(tmp_path: Path) -> None:
    office = Office(tmp_path)
    fill(office, 4)
    with office.client("publish") as client:
        form = {"month": "2026-04", "reason": "", "do": "trial"}
        trial = client.post("/open-data/closing?lang=en", data=form)
        assert "service address: small" in trial.text and office.store.editions.all() == []
        done = client.post("/open-data/closing", data=form | {"do": "publish"}, follow_redirects=False)
        assert (done.status_code, done.headers["location"]) == (303, "/open-data#editions")
        assert len(office.store.editions.all()) == 1
        assert client.post("/open-data/closing", data=form | {"do": "publish"}).status_code == 409
    office.store.close()
