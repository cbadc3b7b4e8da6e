"""People sign in with login and password: sessions, passwords, guessing, and what is never told or kept."""

import logging
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from api.access import passwords
from collector.store import Person
from tests.contract.api_office import Office

SAME_SITE = {"Origin": "http://testserver"}
RIGHT = "correct horse battery staple"
HASH = passwords.hashed(RIGHT)  # a second's work; once a run


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path)
    yield made
    made.store.close()


def person(office: Office, login: str = "anna", *, role: str = "head_of_centre", until: int | None = None) -> Person:
    made = office.store.staff.create(Person(login, "Анна Тест", role, created_by="test"))
    office.store.staff.set_password(made.id, HASH, "test", until)
    return office.store.staff.by_id(made.id)


def sign_in(client: TestClient, login: str = "anna", password: str = RIGHT, **more: str) -> int:
    answer = client.post("/session", json={"login": login, "password": password}, headers=more)
    return answer.status_code


def test_a_person_signs_in_and_has_the_scopes_of_the_role(office: Office) -> None:
    person(office)
    with office.client() as client:
        answer = client.post("/session", json={"login": " ANNA ", "password": RIGHT})
        assert answer.status_code == 200 and "operators" in answer.json()["scopes"]
        assert client.get("/v1/aggregates").status_code == 200
        assert client.get("/metrics").status_code == 403
    [event] = office.store.staff.sign_ins()
    assert (event.outcome, event.how) == ("ok", "password")


def test_a_wrong_password_an_unknown_login_and_a_closed_account_are_told_the_same(office: Office) -> None:
    person(office)
    office.store.staff.disable(person(office, "gone").id, "test")
    person(office, "late", until=1)
    with office.client() as client:
        answers = [
            client.post("/session", json={"login": login, "password": password})
            for login, password in (("anna", "x" * 20), ("nobody", RIGHT), ("gone", RIGHT), ("late", RIGHT))
        ]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.text for answer in answers}) == 1
    assert [event.outcome for event in office.store.staff.sign_ins()] == ["expired", "disabled", "unknown", "wrong"]


def test_an_unknown_login_costs_a_hash_as_a_known_one_does(monkeypatch: pytest.MonkeyPatch) -> None:
    verified = []
    real = passwords._HASHER.verify

    class Spy:
        def verify(self, stored: str, password: str) -> bool:
            verified.append(stored.rpartition("$")[0].rpartition("$")[0])
            return real(stored, password)

    monkeypatch.setattr(passwords, "_HASHER", Spy())
    assert not passwords.is_right(None, "anything")
    assert not passwords.is_right(HASH, "anything")
    assert verified[0] == verified[1]  # argon2id with the same parameters


def test_every_sign_in_has_a_secret_of_its_own_and_ends_the_session_before(office: Office) -> None:
    person(office)
    with office.client() as client:
        client.cookies.set("zrazkovo", "p_chosen-by-somebody-else", domain="testserver.local", path="/")
        sign_in(client)
        first = client.cookies.get("zrazkovo", domain="testserver.local", path="/")
        assert first != "p_chosen-by-somebody-else"
        client.cookies.clear()
        client.cookies.set("zrazkovo", str(first))
        sign_in(client)
        client.cookies.clear()
        assert client.get("/v1/desks", headers={"Cookie": f"zrazkovo={first}"}).status_code == 401


def test_guessing_is_slowed_and_a_known_browser_is_not_kept_waiting_for_it(office: Office) -> None:
    person(office)
    with office.client() as mine, office.client() as strangers:
        assert sign_in(mine) == 200
        statuses = [sign_in(strangers, password="wrong wrong wrong") for _ in range(7)]
        assert statuses[:5] == [401] * 5 and statuses[5:] == [429] * 2
        assert sign_in(strangers) == 429  # even the right one: it would be a way to go on guessing
        mine.cookies.delete("zrazkovo")
        assert sign_in(mine) == 200


def test_a_form_is_led_back_with_words_and_without_the_password(office: Office) -> None:
    person(office)
    with office.client() as client:
        form = {"login": "anna", "password": "wrong-password-typed", "next": "/figures?period=year"}
        answer = client.post("/session", data=form, headers=SAME_SITE, follow_redirects=False)
        assert answer.status_code == 303 and "wrong-password" not in answer.headers["location"]
        page = client.get(answer.headers["location"], params={"lang": "en"} | {"problem": "refused"})
        assert "Login or password is wrong" in page.text and "wrong-password" not in page.text
        form["password"] = RIGHT
        answer = client.post("/session", data=form, headers=SAME_SITE, follow_redirects=False)
        assert answer.headers["location"] == "/figures?period=year"
        for next_page in ("//evil.example", "https://evil.example/", "/\\evil.example"):
            answer = client.post("/session", data=form | {"next": next_page}, headers=SAME_SITE, follow_redirects=False)
            assert answer.headers["location"] == "/"


def test_another_sites_form_signs_nobody_in(office: Office) -> None:
    person(office)
    with office.client() as client:
        assert sign_in(client, Origin="https://evil.example") == 403
        assert not client.cookies


def test_whoever_has_a_handed_over_password_does_nothing_before_choosing_one(office: Office) -> None:
    person(office, until=time.time_ns() // 1_000_000 + 60_000)
    with office.client() as client:
        assert sign_in(client) == 200
        assert client.get("/v1/aggregates").json()["type"] == "urn:zrazkovo:problem:password-must-change"
        for path in ("/", "/figures", "/register/branches"):
            answer = client.get(path, follow_redirects=False)
            assert (answer.status_code, answer.headers["location"]) == (303, "/account/password"), path
        form = {"old": RIGHT, "new": "four words of my own", "again": "four words of my own"}
        before = client.cookies["zrazkovo"]
        answer = client.post("/account/password/new", data=form, headers=SAME_SITE, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        assert client.cookies["zrazkovo"] != before
        assert client.get("/v1/aggregates").status_code == 200


@pytest.mark.parametrize(
    ("old", "new", "again", "words"),
    [
        ("wrong wrong wrong", "four words of my own", "four words of my own", "present password is wrong"),
        (RIGHT, "four words of my own", "four words of mine", "not the same"),
        (RIGHT, "short", "short", "12 characters"),
        (RIGHT, "aaaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaaa", "same few characters"),
        (RIGHT, "abcdefghijklmnop", "abcdefghijklmnop", "neighbouring"),
        (RIGHT, "annaannaanna", "annaannaanna", "same few characters"),
        (RIGHT, "Zrazkovo-password1", "Zrazkovo-password1", "own name"),
        (RIGHT, RIGHT, RIGHT, "another one"),
    ],
)
def test_a_new_password_that_will_not_do_is_refused_in_words(
    office: Office, old: str, new: str, again: str, words: str
) -> None:
    person(office)
    with office.client() as client:
        sign_in(client)
        form = {"old": old, "new": new, "again": again}
        answer = client.post("/account/password/new?lang=en", data=form, headers=SAME_SITE)
        assert answer.status_code == 422 and words in answer.text
        assert new == RIGHT or f'value="{new}"' not in answer.text
        assert client.get("/v1/aggregates").status_code == 200


def test_a_changed_password_ends_every_other_session(office: Office) -> None:
    person(office)
    with office.client() as here, office.client() as there:
        assert sign_in(here) == sign_in(there) == 200
        form = {"old": RIGHT, "new": "four words of my own", "again": "four words of my own"}
        assert here.post("/account/password/new", data=form, headers=SAME_SITE).status_code == 200
        assert there.get("/v1/desks").status_code == 401
        assert here.get("/v1/desks").status_code == 200
        assert sign_in(there) == 401 and sign_in(there, password="four words of my own") == 200


def test_sessions_end_by_themselves_with_the_account_and_on_every_device(office: Office) -> None:
    made = person(office)
    with office.client() as client:
        sign_in(client)
        office.store.staff.disable(made.id, "test")
        assert client.get("/v1/desks").status_code == 401  # at once
        office.store.staff.enable(made.id, "test")
        assert client.get("/v1/desks").status_code == 401  # and for good
        sign_in(client)
        secret = client.cookies["zrazkovo"]
        assert office.store.staff.find_session(secret, idle_ms=60_000) is not None
        with sqlite3.connect(office.url.removeprefix("sqlite:///")) as database:
            database.execute("update person_session set seen_unix_ms = seen_unix_ms - 121 * 60000")
        assert client.get("/v1/desks").status_code == 401  # nothing was done for two hours
        sign_in(client)
        with sqlite3.connect(office.url.removeprefix("sqlite:///")) as database:
            database.execute("update person_session set expires_unix_ms = 1")
        assert client.get("/v1/desks").status_code == 401
        sign_in(client)
        answer = client.post("/account/everywhere", headers=SAME_SITE, follow_redirects=False)
        assert answer.status_code == 303
        assert client.get("/v1/desks").status_code == 401


def test_a_use_keeps_a_session_alive_and_a_stream_does_not(office: Office) -> None:
    made = person(office)
    secret = office.store.staff.open_session(made.id, time.time_ns() // 1_000_000 + 3_600_000)
    file = office.url.removeprefix("sqlite:///")
    with office.client() as client:
        with sqlite3.connect(file) as database:
            database.execute("update person_session set seen_unix_ms = seen_unix_ms - 100 * 60000")
        assert client.get("/v1/desks", headers={"Cookie": f"zrazkovo={secret}"}).status_code == 200
    with sqlite3.connect(file) as database:
        [(seen,)] = database.execute("select seen_unix_ms from person_session").fetchall()
    assert seen > time.time_ns() // 1_000_000 - 60_000


def test_new_rights_end_the_sessions_with_the_old_ones(office: Office) -> None:
    made = person(office)
    with office.client() as client:
        sign_in(client)
        from dataclasses import replace

        office.store.staff.change(replace(made, role="administrator"), "test")
        assert client.get("/v1/aggregates").status_code == 401


def test_no_secret_is_in_the_database_the_log_or_an_answer(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    planted = "planted secret words 4711"
    made = person(office)
    office.store.staff.set_password(made.id, passwords.hashed(planted), "test")
    said = []
    with caplog.at_level(logging.DEBUG), office.client() as client:
        said.append(client.post("/session", json={"login": planted, "password": planted}).text)
        said.append(client.post("/session", json={"login": "anna", "password": planted + "x"}).text)
        said.append(client.post("/session", json={"login": "anna", "password": planted}).text)
        cookie = client.cookies["zrazkovo"]
        said += [client.get(path).text for path in ("/account", "/v1/desks", "/account/password", "/metrics")]
    disk = b"".join(each.read_bytes() for each in Path(office.url.removeprefix("sqlite:///")).parent.glob("office.db*"))
    everything = "".join(said) + caplog.text
    for secret in (planted, cookie):
        assert secret not in everything
        assert secret.encode() not in disk


@pytest.mark.parametrize(
    "fields",
    [
        {"login": "anna"},
        {"password": RIGHT},
        {"login": ["anna"], "password": RIGHT},
        {"login": "anna", "password": {"x": 1}},
        {"login": "", "password": ""},
        {"login": "anna", "password": RIGHT, "token": "x"},
        {"login": "anna", "password": "x" * 9000},
    ],
    ids=str,
)
def test_a_sign_in_that_is_none_opens_nothing(office: Office, fields: dict[str, object]) -> None:
    person(office)
    with office.client() as client:
        assert client.post("/session", json=fields).status_code in (401, 422)
        assert not client.cookies
