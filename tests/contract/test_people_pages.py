"""Accounts, tokens, the access log and orders: what they do, never show, and what nobody may do to oneself."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from collector.store import Limits, LogFilter, Person
from tests.contract.api_office import Office, now_unix_ms

FORM = {"shown": "Олена", "login": "olena", "role": "head_of_branch", "branches": "centre"}
HANDED = re.compile(r'data-testid="handed-value">([^<]+)<')


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path)
    yield made
    made.store.close()


@pytest.fixture
def keeper(office: Office) -> Iterator[TestClient]:
    yield from signed_in(office, "administrator")


def signed_in(office: Office, role: str) -> Iterator[TestClient]:
    staff = office.store.staff
    who = staff.create(Person(f"the-{role.replace('_', '-')}", role, role, created_by="test"))
    secret = staff.open_session(who.id, now_unix_ms() + 3_600_000)
    with office.client() as client:
        client.headers.update({"Cookie": f"zrazkovo={secret}", "Origin": "http://testserver", "Accept": "text/html"})
        yield client


def by_login(office: Office, login: str) -> Person:
    found = office.store.staff.by_login(login)
    assert found is not None
    return found


def test_an_account_is_opened_with_a_password_that_is_shown_once_and_works_once(
    office: Office, keeper: TestClient
) -> None:
    answer = keeper.post("/people/add?lang=en", data=FORM)
    [password] = HANDED.findall(answer.text)
    made = by_login(office, "olena")
    assert (made.role, made.limits, made.must_change) == ("head_of_branch", Limits(frozenset({"centre"})), True)
    assert password not in keeper.get(f"/people/{made.id}").text
    with office.client() as client:
        assert client.post("/session", json={"login": "olena", "password": password}).status_code == 200
        assert client.get("/v1/desks").status_code == 403  # a password of her own first


@pytest.mark.parametrize(
    "change",
    [
        {"role": "mayor"},
        {"role": ""},
        {"branches": ""},
        {"branches": "atlantis"},
        {"role": "operator", "branches": "centre"},
        {"role": "participant_head"},
        {"login": "Олена"},
        {"login": "../admin"},
        {"login": "the-administrator"},
        {"shown": ""},
        {"shown": "line\nbreak"},
        {"until": "tomorrow"},
        {"until": "9999-12-31"},
    ],
    ids=str,
)
def test_an_account_that_fits_no_rule_is_refused_and_nothing_is_opened(
    office: Office, keeper: TestClient, change: dict[str, str]
) -> None:
    answer = keeper.post("/people/add?lang=en", data=FORM | change)
    assert answer.status_code == 422 and "people-problem" in answer.text
    assert len(office.store.staff.everybody()) == 1


def test_a_form_sets_what_it_has_fields_for_and_nothing_else(office: Office, keeper: TestClient) -> None:
    more = {"id": "1", "password": "x", "must_change": "0", "issuer": "https://evil.example", "subject": "1",
            "disabled_unix_ms": "1", "scopes": "users", "created_by": "head", "operator": "op-1",
            "participants": "x"}  # fmt: skip
    keeper.post("/people/add", data=FORM | more)
    made = by_login(office, "olena")
    assert made.id != 1 and made.must_change and made.issuer is None and made.disabled_unix_ms is None
    assert made.created_by == "the-administrator" and made.limits == Limits(frozenset({"centre"}))
    keeper.post(f"/people/{made.id}/rights", data=FORM | more | {"login": "other", "shown": "Інша"})
    changed = by_login(office, "olena")
    assert changed.shown == "Інша" and changed.issuer is None and changed.password == made.password


def test_closing_new_rights_and_a_handed_over_password_end_sessions_at_once(office: Office, keeper: TestClient) -> None:
    keeper.post("/people/add", data=FORM)
    made = by_login(office, "olena")
    staff = office.store.staff
    for path, form in (
        ("rights", FORM | {"role": "it_department", "branches": ""}),
        ("sessions", {}),
        ("password", {}),
        ("close", {}),
    ):
        secret = staff.open_session(made.id, now_unix_ms() + 60_000)
        assert keeper.post(f"/people/{made.id}/{path}", data=form).status_code == 200
        assert staff.find_session(secret, 60_000) is None, path
    keeper.post(f"/people/{made.id}/open")
    assert by_login(office, "olena").disabled_unix_ms is None


def test_nobody_changes_their_own_rights(office: Office, keeper: TestClient) -> None:
    me = by_login(office, "the-administrator")
    for path in ("rights", "close", "open", "sessions", "password"):
        answer = keeper.post(f"/people/{me.id}/{path}", data=FORM | {"role": "head_of_centre", "branches": ""})
        assert answer.status_code == 409, path
    assert by_login(office, "the-administrator").role == "administrator"


def test_a_token_is_shown_once_and_ends_with_a_press(office: Office, keeper: TestClient) -> None:
    form = {"name": "monitor", "scopes": ["metrics", "devices"], "until": "2099-01-01"}
    answer = keeper.post("/tokens/add", data=form)
    [secret] = HANDED.findall(answer.text)
    assert secret not in keeper.get("/tokens").text
    bearer = {"Authorization": f"Bearer {secret}"}
    with office.client() as client:
        assert client.get("/v1/desks", headers=bearer).status_code == 200
        keeper.post("/tokens/revoke", data={"name": "monitor"})
        assert client.get("/v1/desks", headers=bearer).status_code == 401
    assert [each.what for each in office.store.staff.changes()][:2] == ["revoked", "token"]


@pytest.mark.parametrize("scopes", ["", "users", "access_log", "everything", "figures users"])
def test_a_token_gets_no_scope_that_is_for_people(office: Office, keeper: TestClient, scopes: str) -> None:
    answer = keeper.post("/tokens/add", data={"name": "odd", "scopes": scopes.split()})
    assert answer.status_code == 422 and office.store.tokens() == []


def test_a_token_is_limited_to_what_was_chosen_and_its_limits_stand_in_the_list(
    office: Office, keeper: TestClient
) -> None:
    form = {"name": "wall", "scopes": ["figures", "devices"], "branches": ["vyshenka", "lisbon"]}
    [secret] = HANDED.findall(keeper.post("/tokens/add", data=form).text)
    bearer = {"Authorization": f"Bearer {secret}"}
    with office.client() as client:
        assert {desk["branch"] for desk in client.get("/v1/desks", headers=bearer).json()["desks"]} == {
            "vyshenka",
            "lisbon",
        }
        assert client.get("/v1/aggregates?by=branch&branch=vyshenka", headers=bearer).status_code == 200
        assert client.get("/v1/aggregates?by=branch&branch=centre", headers=bearer).status_code == 403
        assert client.get("/v1/aggregates", headers=bearer).status_code == 403
    assert "Branch: Lisbon, Vyshenka" in keeper.get("/tokens?lang=en").text
    assert office.store.staff.changes()[0].detail == "devices figures branches=lisbon,vyshenka"


@pytest.mark.parametrize("part", ["branches", "participants", "directions"])
def test_a_token_is_not_made_without_the_limit_that_somebody_misspelt(
    office: Office, keeper: TestClient, part: str
) -> None:
    form = {"name": "wall", "scopes": "figures", "branches": "centre"} | {part: "atlantis"}
    answer = keeper.post("/tokens/add?lang=en", data=form)
    assert answer.status_code == 422 and "Not in the register: atlantis." in answer.text
    assert office.store.tokens() == []
    assert ('value="centre" checked' in answer.text) == (part != "branches")  # what was chosen stays chosen


# ---- the log
def test_the_log_says_who_read_what_why_and_what_was_refused(office: Office) -> None:
    staff = office.store.staff
    head = staff.create(Person("head", "Head", "head_of_centre", created_by="test"))
    cookie = {"Cookie": f"zrazkovo={staff.open_session(head.id, now_unix_ms() + 60_000)}"}
    with office.client() as client:
        for purpose in ("analysis", "discipline"):
            client.get(f"/v1/aggregates?by=operator&key=olena&purpose={purpose}", headers=cookie)
    for client in signed_in(office, "staff_representative"):
        page = client.get("/access-log?lang=en").text
        assert "olena" in page and "Head of the centre" in page and "refused" in page
        found = client.get("/v1/access-log?granted=false").json()
        assert found["total"] == 1
        assert {key: found["readings"][0][key] for key in ("reader", "role", "purpose", "about", "granted")} == {
            "reader": "head", "role": "head_of_centre", "purpose": "discipline", "about": "olena", "granted": False,
        }  # fmt: skip
        assert client.get("/v1/access-log?about=nobody").json()["total"] == 0
        assert client.get("/v1/access-log?from=2099-01-01").json()["total"] == 0
        assert client.get("/v1/access-log?to=2099-01-01&reader=head&limit=1").json()["total"] == 2
        assert client.get("/v1/access-log?purpose=analysis&unknown=1").status_code == 422
        table = client.get("/v1/access-log.csv").text.splitlines()
        assert table[0].startswith("id,at,reader,role") and len(table) == 3
        assert client.get("/v1/aggregates").status_code == 403  # and no figure


def test_what_readers_write_is_no_formula_in_the_exported_table(office: Office) -> None:
    office.store.log_access("=cmd|' /C calc'!A0", "@SUM(1)", True, "+1")
    for client in signed_in(office, "staff_representative"):
        row = client.get("/v1/access-log.csv").text.splitlines()[1]
        assert "'=cmd" in row and "'@SUM" in row and "'+1" in row
        page = client.get("/access-log").text
        assert "<script" not in page.replace('<script type="module"', "")


def test_the_log_is_paged(office: Office) -> None:
    for n in range(120):
        office.store.log_access(f"reader {n}", "analysis", True, "q")
    for client in signed_in(office, "head_of_centre"):
        assert "reader 119" in client.get("/access-log").text
        last = client.get("/access-log?page=3").text
        assert "reader 0" in last and "reader 119" not in last
        assert client.get("/access-log?page=999").status_code == 200
        assert client.get("/access-log?from=never").status_code == 422


# ---- orders
ORDER = {"number": "12-р", "day": "2026-01-10", "last": "2026-02-10", "ordered_by": "Mayor", "about": "to see"}


def test_an_order_is_recorded_and_withdrawn(office: Office) -> None:
    for client in signed_in(office, "head_of_centre"):
        assert client.post("/orders/add", data=ORDER).status_code == 200
        [order] = office.store.staff.orders()
        assert (order.number, order.day, order.recorded_by) == ("12-р", 20260110, "the-head-of-centre")
        client.post("/orders/withdraw", data={"order": str(order.id)})
        assert office.store.staff.orders()[0].withdrawn_unix_ms
        for change in ({"day": "x"}, {"last": "2028-01-01"}, {"last": "2026-01-01"}, {"branch": "atlantis"},
                       {"operator": "nobody"}, {"number": ""}, {"ordered_by": ""}, {"about": ""}):  # fmt: skip
            assert client.post("/orders/add", data=ORDER | change).status_code == 422, change
        assert len(office.store.staff.orders()) == 1


def test_a_new_column_of_the_log_is_empty_for_a_program(office: Office) -> None:
    with office.client("figures", "operators") as client:
        client.get("/v1/aggregates?by=operator&purpose=analysis")
    [line] = office.store.staff.readings(LogFilter())
    assert (line.person, line.role, line.reading_order, line.about) == (None, None, None, None)
