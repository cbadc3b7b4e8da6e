"""The Register page as a browser without scripts gets it: every form, what it refuses, who sees whose name."""

import re
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import httpx2
import pytest
from starlette.testclient import TestClient

from schemas.register import Operator, Participant
from schemas.register_archive import pack, unpack
from schemas.register_csv import write_sheets
from tests.contract.api_office import KYIV, REGISTER, Office
from tests.contract.test_pages_html import HTML, Page

FORM = {**HTML, "Origin": "http://testserver"}
NAME = "Олена Секретна"
PARTS = ("branches", "desks", "services", "directions", "operators", "participants", "hours", "calendar", "exchange")
POSTS = {
    "/register/desks/add": {"id": "centre-9", "branch": "centre", "label": "9"},
    "/register/hours/remove": {"index": "0"},
    "/register/services/passport/change": {"name": "Паспорт та ID", "name_en": "Passport and ID", "from": "2026-06-01"},
    "/register/services/passport/close": {"last": "2026-06-01"},
    "/register/operators/olena/seat": {"desk": "centre-1", "from": "2026-06-01"},
    "/register/operators/olena/name": {"person": "Хтось"},
    "/register/revert": {"number": "1"},
}


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path)
    known = REGISTER.model_copy(
        update={
            "operators": (Operator(id="olena"), Operator(id="ivan")),
            "participants": (Participant(id="land", name="Земля", name_en="Land office"),),
        }
    )
    made.store.book.save(known, author="head", how="edit", names={"olena": NAME})
    yield made
    made.store.close()


@pytest.fixture
def browser(office: Office) -> Iterator[TestClient]:
    with office.client() as client:
        client.post("/session", json={"token": office.token("figures", "register")})
        client.headers.update(FORM)
        yield client


def revision(office: Office) -> int:
    return office.store.book.whole()[0]


def post(browser: TestClient, office: Office, path: str, **fields: str) -> httpx2.Response:
    return browser.post(path, data={"revision": str(revision(office)), **fields}, follow_redirects=False)


def done(answer: httpx2.Response) -> str:
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


@pytest.mark.parametrize("language", ["uk", "en"])
@pytest.mark.parametrize("part", PARTS)
def test_every_part_is_a_whole_page_with_labels_in_both_languages(
    browser: TestClient, part: str, language: str
) -> None:
    answer = browser.get(f"/register/{part}?lang={language}")
    assert answer.status_code == 200
    page = Page(answer.text)
    assert [each["data-testid"] for each in page.all("a") if each.get("aria-current") == "page"] == [
        "nav-register", f"part-{part}",
    ]  # fmt: skip
    ids = [tag["id"] for _, tag in page.tags if tag.get("id")]
    assert len(ids) == len(set(ids))
    labelled = {each["for"] for each in page.all("label")}
    inputs = [each for kind in ("input", "select") for each in page.all(kind) if each.get("type") != "hidden"]
    assert all(each["id"] in labelled for each in inputs)
    assert NAME not in answer.text


@pytest.mark.parametrize("path", POSTS)
def test_only_our_own_pages_and_only_keepers_change_anything(office: Office, browser: TestClient, path: str) -> None:
    fields = {"revision": "2", **POSTS[path]}
    assert browser.post(path, data=fields, headers={"Origin": "https://evil.example"}).status_code == 403
    with office.client("figures", "devices", "control", "names") as other:
        assert other.post(path, data=fields, headers=FORM).status_code == 403
    with office.client() as nobody:
        answer = nobody.post(path, data=fields, headers=FORM, follow_redirects=False)
        assert answer.headers["location"].startswith("/signin?next=%2Fregister")
    assert revision(office) == 2


def test_a_service_is_renamed_from_a_day_and_taken_back(office: Office, browser: TestClient) -> None:
    to = done(
        post(browser, office, "/register/services/passport/change", **POSTS["/register/services/passport/change"])
    )
    assert to == "/register/services/passport?done=3"
    page = browser.get(to + "&lang=en")
    assert "Passport and ID" in page.text and 'data-testid="done"' in page.text
    services = office.store.book.whole()[1].services
    assert [(each.name_en, each.valid_from, each.valid_to) for each in services[:2]] == [
        ("Passport", None, date(2026, 5, 31)),
        ("Passport and ID", date(2026, 6, 1), None),
    ]
    [undo] = [each for each in Page(page.text).all("a") if each.get("data-testid") == "undo"]
    asked = browser.get(str(undo["href"]))
    assert 'action="/register/revert"' in asked.text
    assert done(post(browser, office, "/register/revert", number="2")) == "/register/exchange?done=4"
    assert office.store.book.whole()[1].services == REGISTER.services
    assert browser.get("/register/services/passport?done=3").text.count('data-testid="done"') == 0


def test_a_desk_is_added_and_a_branch_merged_with_its_desks(office: Office, browser: TestClient) -> None:
    assert done(post(browser, office, "/register/desks/add", id="centre-9", branch="centre", label="9"))
    done(post(browser, office, "/register/branches/vyshenka/close", last="2026-06-30", merged_into="centre"))
    register = office.store.book.whole()[1]
    assert [(each.branch, each.valid_to) for each in register.desks if each.id == "vyshenka-1"] == [
        ("vyshenka", date(2026, 6, 30)), ("centre", None),
    ]  # fmt: skip
    [vyshenka] = [each for each in register.branches if each.id == "vyshenka"]
    assert (vyshenka.merged_into, vyshenka.valid_to) == ("centre", date(2026, 6, 30))
    done(post(browser, office, "/register/branches/lisbon/close", last="2026-06-30"))
    assert not any(each.id == "lisbon-1" for each in office.store.book.whole()[1].on(date(2026, 7, 1)).desks)


def test_an_operator_changes_desk_and_employer_in_mid_month(office: Office, browser: TestClient) -> None:
    done(post(browser, office, "/register/operators/olena/seat", desk="centre-1", **{"from": "2026-03-01"}))
    done(post(browser, office, "/register/operators/olena/seat", desk="centre-2", **{"from": "2026-03-15"}))
    moved = {"kind": "participant", "participant": "land", "from": "2026-03-15"}
    done(post(browser, office, "/register/operators/olena/change", **moved))
    register = office.store.book.whole()[1]
    assert [(each.desk, each.valid_from, each.valid_to) for each in register.assignments] == [
        ("centre-1", date(2026, 3, 1), date(2026, 3, 14)), ("centre-2", date(2026, 3, 15), None),
    ]  # fmt: skip
    assert [each.participant for each in register.operators if each.id == "olena"] == [None, "land"]
    done(post(browser, office, "/register/operators/olena/close", last="2026-08-31"))
    assert office.store.book.whole()[1].assignments[-1].valid_to == date(2026, 8, 31)
    assert "Land office" in browser.get("/register/operators/olena?lang=en").text


def test_hours_and_days_of_the_calendar_come_and_go(office: Office, browser: TestClient) -> None:
    done(post(browser, office, "/register/hours/add", branch="centre", days="mon-fri", opens="08:00", closes="20:00"))
    done(post(browser, office, "/register/calendar/add", day="2030-01-01", kind="closed", note="Новий рік"))
    page = browser.get("/register/calendar?lang=en").text
    assert "1 January 2030" in page and "Новий рік" in page
    done(post(browser, office, "/register/calendar/remove", index="0"))
    assert office.store.book.whole()[1].calendar == ()
    assert len(office.store.book.whole()[1].hours) == 1


@pytest.mark.parametrize(
    ("path", "fields", "says"),
    [
        ("/register/desks/add", {"id": "centre-1", "branch": "centre", "label": "9"}, "is taken"),
        ("/register/desks/add", {"id": "centre 9", "branch": "centre", "label": "9"}, "not allowed"),
        ("/register/desks/add", {"id": "centre-9", "branch": "centre", "label": ""}, "label"),
        ("/register/desks/add", {"id": "collector", "branch": "centre", "label": "9"}, "server&#39;s name"),
        ("/register/services/passport/change", {"name": "", "name_en": "x", "from": "2026-06-01"}, "name"),
        ("/register/services/passport/change", {"name": "x", "name_en": "x", "from": "soon"}, "is no day"),
        ("/register/branches/centre/close", {"last": "2026-06-30", "merged_into": "centre"}, "cannot be merged"),
        ("/register/branches/centre/close", {"last": ""}, "a day is needed"),
        ("/register/branches/centre/close", {"last": "9999-12-31", "merged_into": "centre"}, "is no day"),
        ("/register/operators/olena/seat", {"desk": "", "from": "0001-01-01"}, "is no day"),
        ("/register/hours/add", {"branch": "centre", "days": "all", "opens": "08:00", "closes": "09:00"}, "weekday"),
        ("/register/calendar/remove", {"index": "7"}, "no such row"),
        ("/register/operators/nobody/seat", {"desk": "centre-1", "from": "2026-06-01"}, "nobody"),
    ],
)  # fmt: skip
def test_what_is_refused_is_shown_again_with_what_was_typed(
    office: Office, browser: TestClient, path: str, fields: dict[str, str], says: str
) -> None:
    answer = post(browser, office, path, **fields)
    assert answer.status_code in (404, 422)
    if answer.status_code == 422:
        assert 'role="alert"' in answer.text and says in answer.text
        box = answer.text.partition('data-testid="faults"')[2].partition("</ul>")[0]
        assert "Нічого не змінено" in box and re.search(r"[а-яіїєґ]{3,}.*<small class", box), box  # in words of theirs
        assert all(f'value="{value}"' in answer.text for value in fields.values() if value.startswith("centre "))
    assert revision(office) == 2


def test_who_was_slower_is_told_and_undoes_nobodys_work(office: Office, browser: TestClient) -> None:
    done(post(browser, office, "/register/desks/add", id="centre-8", branch="centre", label="8"))
    late = browser.post(
        "/register/desks/add", data={"revision": "2", "id": "centre-9", "branch": "centre", "label": "9"}
    )
    assert late.status_code == 422 and "centre-9" in late.text
    assert revision(office) == 3


def upload(browser: TestClient, files: dict[str, bytes]) -> httpx2.Response:
    return browser.post("/register/upload", files=[("files", (name, content)) for name, content in files.items()])


def test_sheets_are_downloaded_edited_shown_confirmed_and_taken_back(office: Office, browser: TestClient) -> None:
    files = unpack(browser.get("/register/download").content)
    files["desks.csv"] = files["desks.csv"].replace(b"centre-2;centre;2", "centre-2;centre;2а".encode())
    shown = upload(browser, {"register.zip": pack(files)})
    assert shown.status_code == 200 and "2а" in shown.text and revision(office) == 2
    page = Page(shown.text)
    fields = {str(each["name"]): str(each["value"]) for each in page.all("input") if each.get("type") == "hidden"}
    assert set(fields) == {"archive", "revision"}
    assert done(browser.post("/register/confirm", data=fields, follow_redirects=False)) == "/register/exchange?done=3"
    again = browser.post("/register/confirm", data=fields)
    assert again.status_code == 422 and revision(office) == 3  # its export is old by now
    alone = upload(browser, {"C:\\sheets\\desks.csv": files["desks.csv"]})
    assert alone.status_code == 200 and 'name="archive"' not in alone.text  # the register says the same already
    wrong = upload(browser, {"desks.csv": files["desks.csv"].replace(b"centre-2;centre", b"centre-2;nowhere")})
    assert wrong.status_code == 422 and "desks.csv:3:branch" in wrong.text
    assert upload(browser, {"notes.txt": b"hello"}).status_code == 422
    assert browser.post("/register/upload", data={"files": "x"}).status_code == 422
    assert revision(office) == 3


def test_names_are_seen_and_changed_only_with_the_right_to_them(office: Office, browser: TestClient) -> None:
    for path in ("/register/operators", "/register/operators/olena", "/register/desks"):
        assert NAME not in browser.get(path).text
    assert browser.get("/register/download?names=1").status_code == 403
    named = write_sheets(*reversed(office.store.book.whole()), {"olena": "Хтось"})
    assert upload(browser, {"operator_names.csv": named["operator_names.csv"]}).status_code == 403
    assert post(browser, office, "/register/operators/olena/name", person="Хтось").status_code == 403
    with office.client() as knowing:
        knowing.post("/session", json={"token": office.token("register", "names")})
        knowing.headers.update(FORM)
        for path in ("/register/operators", "/register/operators/olena"):
            assert NAME in knowing.get(path).text
        assert NAME not in knowing.get("/register/desks").text
        done(post(knowing, office, "/register/operators/olena/name", person="Олена Інша"))
    assert office.store.book.names("test") == {"olena": "Олена Інша"}


def test_what_has_figures_is_closed_not_forgotten(office: Office, browser: TestClient) -> None:
    office.call("centre-1", datetime(2026, 3, 10, 11, tzinfo=KYIV), rating=3)
    sheet = write_sheets(*reversed(office.store.book.whole()))["operators.csv"].replace(
        b"olena;administrator;;;\r\n", b""
    )
    refused = upload(browser, {"operators.csv": sheet})
    assert refused.status_code == 422 and "olena" in refused.text and "valid_to" in refused.text
