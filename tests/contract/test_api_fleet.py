"""Faults, commands, roll-outs, reports and registration over a real store; the fleet service is the test's own hand."""

import base64
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.settings import Settings
from collector.store.faults import Closed, Opened
from tests.contract.api_office import KYIV, Office

VERIFIER = "$7$101$" + base64.b64encode(b"0123456789ab").decode() + "$" + base64.b64encode(bytes(64)).decode()
PAD = {"verifier": VERIFIER, "hardware": "e6614104030d5a2f", "board": "pico-w", "firmware": "1.0.0"}
SAME_SITE = {"Origin": "http://testserver"}


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path)
    yield made
    made.store.close()


@pytest.fixture
def client(office: Office) -> Iterator[TestClient]:
    with office.client("devices", "control", "provision", "report") as made:
        yield made


def refused(response: Any, status: int, name: str) -> bool:
    document = response.json()
    return (response.status_code, document["type"]) == (status, f"urn:zrazkovo:problem:{name}")


# ---- faults
def test_an_operators_report_opens_one_fault_that_it_closes(office: Office, client: TestClient) -> None:
    office.call("centre-1", datetime.now(KYIV), outcome=None)
    assert client.post("/v1/desks/centre-1/report").json() == {"desk": "centre-1", "new": True}
    assert client.post("/v1/desks/centre-1/report").json() == {"desk": "centre-1", "new": False}
    (fault,) = client.get("/v1/faults", params={"open": True}).json()["faults"]
    assert (fault["desk"], fault["branch"], fault["kind"]) == ("centre-1", "centre", "reported")
    assert fault["reported_by"].startswith("reader") and fault["closed_at"] is fault["told_at"] is None
    assert [why for *_, why in office.store.fleet.unavailable()] == ["reported"]
    closed = client.post(f"/v1/faults/{fault['id']}/close").json()
    assert closed["closed_by"].startswith("reader") and closed["closed_at"] is not None
    assert client.get("/v1/faults", params={"open": True}).json()["faults"] == []
    again = client.post(f"/v1/faults/{fault['id']}/close")
    assert (again.status_code, again.json()["closed_at"]) == (200, closed["closed_at"])


def test_faults_are_found_by_desk_and_by_when_they_closed(office: Office, client: TestClient) -> None:
    fleet = office.store.fleet
    fleet.record([Opened("centre-1", "dark", None, "")])
    fleet.record([Opened("centre-2", "offline", None, "")])
    fleet.record([Closed("centre-2", "offline")])

    def found(**question: object) -> list[str]:
        return [each["kind"] for each in client.get("/v1/faults", params=question).json()["faults"]]  # type: ignore[arg-type]

    assert found() == ["offline", "dark"]
    assert found(desk="centre-1") == ["dark"]
    assert found(open=False) == ["offline"]
    assert found(since=(datetime.now(UTC) + timedelta(hours=1)).isoformat()) == ["dark"]
    assert found(limit=1) == ["offline"]


@pytest.mark.parametrize("fault", ["1", "2147483647"])
def test_a_fault_that_is_none_cannot_be_closed(client: TestClient, fault: str) -> None:
    assert refused(client.post(f"/v1/faults/{fault}/close"), 404, "not-found")


@pytest.mark.parametrize("fault", ["0", "-1", "2147483648", "9" * 40, "dark", "%00"])
def test_a_number_that_is_no_faults_is_refused(client: TestClient, fault: str) -> None:
    assert refused(client.post(f"/v1/faults/{fault}/close"), 422, "bad-question")


@pytest.mark.parametrize(
    "question", ["since=2026-01-01T00:00:00", "since=yesterday", "limit=0", "limit=1e9", "desk=%00", "desk=Ж", "open=7"]
)
def test_a_question_about_faults_that_makes_no_sense_is_refused(client: TestClient, question: str) -> None:
    assert refused(client.get(f"/v1/faults?{question}"), 422, "bad-question")


def test_a_desk_shows_its_open_faults_the_oldest_first(office: Office, client: TestClient) -> None:
    for kind in ("offline", "dark", "silent"):
        office.store.fleet.record([Opened("centre-2", kind, None, "")])
    office.store.fleet.record([Closed("centre-2", "dark")])
    desks = {desk["desk"]: desk["faults"] for desk in client.get("/v1/desks").json()["desks"]}
    assert desks == {"centre-1": [], "centre-2": ["offline", "silent"], "vyshenka-1": [], "lisbon-1": []}


# ---- commands
@pytest.mark.parametrize("do", ["identify", "restart", "report", "test"])
def test_what_is_asked_of_a_pad_waits_for_the_service(office: Office, client: TestClient, do: str) -> None:
    response = client.post("/v1/desks/centre-1/command", json={"do": do})
    asked = response.json()
    assert (response.status_code, asked["do"], asked["outcome"], asked["sent_at"]) == (202, do, None, None)
    assert [each.id for each in office.store.fleet.waiting()] == [asked["id"]]
    office.store.fleet.sent(asked["id"])
    office.store.fleet.ended(asked["id"], "done")
    (told,) = client.get("/v1/commands", params={"desk": "centre-1"}).json()["commands"]
    assert (told["id"], told["outcome"]) == (asked["id"], "done") and told["sent_at"] and told["ended_at"]
    assert client.get("/v1/commands", params={"desk": "centre-2"}).json() == {"commands": []}


def test_lamps_are_set_within_their_bounds(office: Office, client: TestClient) -> None:
    body = {"armed_pct": 60, "chosen_pct": 20, "chosen_s": 5}
    assert client.post("/v1/desks/centre-1/settings", json=body).status_code == 202
    assert [each.settings for each in office.store.fleet.waiting()] == [body]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("command", {}),
        ("command", {"do": "explode"}),
        ("command", {"do": "settings"}),
        ("command", {"do": "identify", "seconds": 3}),
        ("command", ["identify"]),
        ("command", None),
        ("settings", {"armed_pct": 0}),
        ("settings", {"chosen_pct": 101}),
        ("settings", {"chosen_s": -1}),
        ("settings", {"chosen_s": True}),
        ("settings", {"brightness": 50}),
        ("pad", {**PAD, "verifier": "secret password in plain text"}),
        ("pad", {**PAD, "verifier": VERIFIER + "\n"}),
        ("pad", {**PAD, "hardware": "a\0b"}),
        ("pad", {**PAD, "board": ""}),
        ("pad", {**PAD, "password": "x"}),
        ("pad", {key: value for key, value in PAD.items() if key != "hardware"}),
    ],
    ids=str,
)
def test_a_body_that_makes_no_sense_is_refused_and_changes_nothing(
    office: Office, client: TestClient, path: str, body: Any
) -> None:
    response = client.post(f"/v1/desks/centre-1/{path}", json=body)
    assert response.status_code == 422 and response.json()["type"].startswith("urn:zrazkovo:problem:bad-")
    assert office.store.fleet.waiting() == office.store.fleet.credentials() == []


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("command", {"do": "identify"}),
        ("settings", {}),
        ("report", None),
        ("pad", PAD),
    ],
)
def test_a_desk_that_is_not_in_the_register_is_asked_nothing(client: TestClient, path: str, body: object) -> None:
    assert refused(client.post(f"/v1/desks/atlantis-1/{path}", json=body), 404, "not-found")
    assert refused(client.post(f"/v1/desks/%00/{path}", json=body), 422, "bad-question")


# ---- roll-outs
def test_a_roll_out_is_started_steered_and_undone(client: TestClient) -> None:
    made = client.post("/v1/rollouts", json={"version": "1.1.0"})
    assert (made.status_code, made.json()["state"], made.json()["stages"]) == (202, "running", ["1", "10%", "100%"])
    assert refused(client.post("/v1/rollouts", json={"version": "1.2.0"}), 409, "not-now")
    for wish, state in (("pause", "paused"), ("resume", "running"), ("stop", "stopped"), ("undo", "undone")):
        assert client.post(f"/v1/rollouts/{wish}").json()["state"] == state
        assert [each["state"] for each in client.get("/v1/rollouts").json()["rollouts"]] == [state]
    for wish in ("pause", "resume", "stop", "undo"):
        assert refused(client.post(f"/v1/rollouts/{wish}"), 409, "not-now")
    assert client.post("/v1/rollouts", json={"version": "1.2.0"}).status_code == 202


def test_without_a_roll_out_there_is_nothing_to_steer(client: TestClient) -> None:
    assert refused(client.post("/v1/rollouts/stop"), 404, "not-found")
    assert refused(client.post("/v1/rollouts/explode"), 422, "bad-question")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"version": ""},
        {"version": "1 0"},
        {"version": "1.0.0", "stages": []},
        {"version": "1.0.0", "stages": ["10%", "1"]},
        {"version": "1.0.0", "stages": ["0"]},
        {"version": "1.0.0", "stages": ["101%"]},
        {"version": "1.0.0", "stages": [str(n) for n in range(1, 99)]},
        {"version": "1.0.0", "soak_s": -1},
        {"version": "1.0.0", "limit_s": 10**9},
    ],
    ids=str,
)
def test_a_roll_out_that_makes_no_sense_is_not_begun(client: TestClient, body: object) -> None:
    response = client.post("/v1/rollouts", json=body)
    assert response.status_code == 422, response.text
    assert client.get("/v1/rollouts").json() == {"rollouts": []}


# ---- registration
def test_a_registered_pad_learns_where_its_broker_is(office: Office, tmp_path: Path) -> None:
    authority = tmp_path / "ca.pem"
    authority.write_text("-----BEGIN CERTIFICATE-----\n", encoding="ascii")
    settings = Settings(
        database_url=office.url, pads_broker_host="broker.office", pads_broker_port=8883, pads_ca_file=str(authority)
    )
    headers = {"Authorization": f"Bearer {office.token('provision', 'devices')}"}
    with TestClient(create_app(settings, office.store), headers=headers) as client:
        assert client.post("/v1/desks/centre-1/pad", json=PAD).json() == {
            "desk": "centre-1",
            "broker_host": "broker.office",
            "broker_port": 8883,
            "ca": "-----BEGIN CERTIFICATE-----\n",
        }
        desks = client.get("/v1/desks").json()["desks"]
    assert [desk["hardware"] for desk in desks] == [PAD["hardware"], None, None, None]


def test_an_authority_that_is_gone_leaves_the_old_pad_registered(office: Office, tmp_path: Path) -> None:
    authority = tmp_path / "gone.pem"
    authority.touch()
    settings = Settings(database_url=office.url, pads_ca_file=str(authority))
    authority.unlink()  # after the start, which would have refused it
    headers = {"Authorization": f"Bearer {office.token('provision')}"}
    with TestClient(create_app(settings, office.store), headers=headers, raise_server_exceptions=False) as client:
        assert client.post("/v1/desks/centre-1/pad", json=PAD).status_code == 500
    assert office.store.fleet.credentials() == []


def test_a_replaced_pad_is_the_desks_pad_no_more(office: Office, client: TestClient) -> None:
    for hardware in ("first", "second"):
        assert client.post("/v1/desks/centre-1/pad", json={**PAD, "hardware": hardware}).status_code == 200
    assert [each.hardware for each in office.store.fleet.credentials()] == ["second"]
    assert VERIFIER not in client.get("/v1/desks").text


# ---- who
POSTS = {
    "/v1/faults/1/close": ("control", None),
    "/v1/desks/centre-1/command": ("control", {"do": "identify"}),
    "/v1/desks/centre-1/settings": ("control", {}),
    "/v1/desks/centre-1/report": ("report", None),
    "/v1/desks/centre-1/pad": ("provision", PAD),
    "/v1/rollouts": ("control", {"version": "1.0.0"}),
    "/v1/rollouts/stop": ("control", None),
}


@pytest.mark.parametrize("path", POSTS)
def test_each_needs_its_own_scope(office: Office, path: str) -> None:
    scope, body = POSTS[path]
    others = {"figures", "operators", "devices", "metrics", "try", "control", "provision", "report"} - {scope}
    with office.client(*others) as client:
        assert refused(client.post(path, json=body), 403, "scope-missing")
    fleet = office.store.fleet
    assert fleet.waiting() == fleet.credentials() == fleet.faults() == fleet.rollouts() == []


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("headers", [{}, {"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}], ids=str)
def test_another_sites_page_asks_nothing_with_our_cookie(office: Office, path: str, headers: dict[str, str]) -> None:
    scope, body = POSTS[path]
    with office.client() as client:
        client.post("/session", json={"token": office.token(scope)})
        assert refused(client.post(path, json=body, headers=headers), 403, "cross-site")
        fleet = office.store.fleet
        assert fleet.waiting() == fleet.credentials() == fleet.faults() == fleet.rollouts() == []
        assert client.post(path, json=body, headers=SAME_SITE).status_code in (200, 202, 404)


def test_nothing_of_a_clients_call_is_told(office: Office, client: TestClient) -> None:
    call = office.call("centre-1", datetime.now(KYIV), rating=1, outcome=None)
    office.store.fleet.record([Opened("centre-1", "dark", call, "")])
    for path in ("/v1/faults", "/v1/desks", "/v1/commands"):
        text = client.get(path).text
        assert call not in text and "olena" not in text and "rating" not in text
