"""Who may ask for what: every route, tokens, sessions, other sites' pages, and what the browser is told."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from api.app import create_app
from api.auth import OPEN_PATHS, check_every_route, scopes_by_route
from api.session import SESSION_S, local_path
from api.settings import Settings
from api.slowdown import BURST
from tests.contract.api_office import SCOPES, Office

# The access table of the programs' side. Pages carry their marks too, but their paths are the pages' own business.
SCOPES_OF = {
    "GET /v1/aggregates": {"figures"},  # and "operators" for operators and desks
    "GET /v1/comparison": {"figures"},  # and "operators" for the cuts by operator and desk
    "GET /v1/operators/funnel": {"figures", "operators"},
    "GET /v1/signals": {"signals"},  # and "operators" for all that is not about pads
    "POST /v1/signals/{one}/review": {"signals", "operators"},
    "GET /v1/desks": {"devices"},
    "GET /v1/register": {"figures"},
    "GET /v1/register/document": {"register"},
    "PUT /v1/register/document": {"register"},
    "GET /v1/register/sheets": {"register"},  # and "names" for the names of operators
    "POST /v1/register/sheets": {"register"},
    "GET /v1/register/revisions": {"register"},
    "POST /v1/register/revisions/{number}/revert": {"register"},
    "GET /v1/register/names": {"names"},
    "GET /v1/requests": {"disclose"},
    "POST /v1/requests": {"disclose"},
    "GET /v1/requests/{year}/{number}": {"disclose"},
    "POST /v1/requests/{year}/{number}/events": {"disclose"},
    "POST /v1/requests/{year}/{number}/papers": {"disclose"},  # and "operators" for figures of operators
    "GET /v1/requests/{year}/{number}/papers/{paper}.pdf": {"disclose"},
    "GET /v1/access-log": {"access_log"},
    "GET /v1/access-log.csv": {"access_log"},
    "GET /v1/orders": {"operators"},
    "GET /v1/reconciliation": {"metrics"},
    "GET /v1/live": {"figures", "devices"},
    "GET /v1/faults": {"devices"},
    "POST /v1/faults/{fault}/close": {"control"},
    "GET /v1/commands": {"devices"},
    "GET /v1/rollouts": {"devices"},
    "POST /v1/rollouts": {"control"},
    "POST /v1/rollouts/{wish}": {"control"},
    "POST /v1/desks/{desk}/command": {"control"},
    "POST /v1/desks/{desk}/settings": {"control"},
    "POST /v1/desks/{desk}/report": {"report"},
    "POST /v1/desks/{desk}/pad": {"provision"},
    "GET /v1/try": {"try"},
    "POST /v1/try/{desk}/{action}": {"try"},
    "GET /v1/reports": {"reports"},
    "POST /v1/reports": {"reports"},  # and "figures", and "operators" for one about operators
    "GET /v1/reports/{report}": {"reports"},
    "GET /v1/reports/{report}.{kind}": {"reports"},
    "GET /v1/evidence/caf": {"evidence"},
    "GET /v1/evidence/certification": {"evidence"},
    "GET /v1/evidence/{which}.xlsx": {"evidence"},
    "GET /v1/evidence/{which}/{item}.pdf": {"evidence"},
    "GET /v1/evidence/targets": {"evidence"},
    "POST /v1/evidence/targets": {"evidence", "publish"},
    "POST /v1/editions": {"publish"},
    "GET /v1/open-data/editions": set(),
    "HEAD /v1/open-data/editions": set(),
    "GET /v1/open-data/editions/{period}": set(),
    "HEAD /v1/open-data/editions/{period}": set(),
    "GET /v1/open-data/editions/{period}/{edition}": set(),
    "HEAD /v1/open-data/editions/{period}/{edition}": set(),
    "GET /metrics": {"metrics"},
    "GET /v1/health": set(),
    "POST /session": set(),
    "POST /session/end": set(),
}
GETTABLE = {
    "/v1/aggregates": "figures",
    "/v1/comparison": "figures",
    "/v1/register": "figures",
    "/v1/register/document": "register",
    "/v1/register/sheets": "register",
    "/v1/register/revisions": "register",
    "/v1/register/names": "names",
    "/v1/requests": "disclose",
    "/v1/desks": "devices",
    "/v1/reports": "reports",
    "/v1/evidence/caf": "evidence",
    "/v1/evidence/certification": "evidence",
    "/v1/faults": "devices",
    "/v1/commands": "devices",
    "/v1/rollouts": "devices",
    "/metrics": "metrics",
}
SAME_SITE = {"Origin": "http://testserver"}


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path)
    yield made
    made.store.close()


def app_of(office: Office) -> FastAPI:
    return create_app(Settings(database_url=office.url), office.store)


def test_every_route_is_marked_and_the_programs_routes_are_those_of_the_table(office: Office) -> None:
    found = scopes_by_route(app_of(office))
    assert {path for _, path, scopes in found if scopes is None} == set(OPEN_PATHS)
    named = {f"{method} {path}": set(scopes or ()) for method, path, scopes in found}
    assert {name: scopes for name, scopes in named.items() if name in SCOPES_OF} == SCOPES_OF
    programs = {f"{method} {path}" for method, path, scopes in found if path.startswith("/v1") and scopes is not None}
    assert programs <= set(SCOPES_OF)


def test_an_application_with_an_unmarked_route_does_not_start(office: Office) -> None:
    app = app_of(office)
    app.add_api_route("/v1/votes", lambda: [])
    with pytest.raises(RuntimeError, match="/v1/votes names no scope"):
        check_every_route(app)


# Something for each place in a route's path.
PLACES = {
    "one": "1",
    "desk": "centre-1",
    "action": "call",
    "fault": 1,
    "wish": "stop",
    "number": 1,
    "year": 2026,
    "paper": 1,
    "what": "noted",
    "part": "branches",
    "name": "centre",
    "act": "close",
    "report": 1,
    "kind": "pdf",
    "which": "caf",
    "item": "6.1",
    "branch": "centre",
    "direction": "land",
    "who": 1,
    "operator": "olena",
    "period": "2026-04",
    "edition": 1,
    "file": "codes.csv",
}


def test_nothing_that_is_not_open_answers_without_a_token(office: Office) -> None:
    with office.client() as client:
        for method, path, scopes in scopes_by_route(app_of(office)):
            if not scopes:
                continue
            url = path.format_map(PLACES)
            response = client.request(method, url, follow_redirects=False)
            assert response.status_code in (401, 303), path
            if response.status_code == 303:
                assert response.headers["location"].startswith("/signin?next="), path
            else:
                assert response.headers["www-authenticate"].startswith("Bearer"), path
                assert response.json()["type"] == "urn:zrazkovo:problem:not-signed-in"


@pytest.mark.parametrize("path", GETTABLE)
def test_a_token_opens_only_what_its_scopes_name(office: Office, path: str) -> None:
    with office.client(GETTABLE[path]) as client:
        assert client.get(path).status_code == 200
    with office.client(*(scope for scope in SCOPES if scope != GETTABLE[path])) as client:
        response = client.get(path)
        assert response.status_code == 403
        assert GETTABLE[path] in response.json()["detail"]


def test_no_route_changes_or_returns_a_vote(office: Office) -> None:
    methods = {
        (path, method)
        for path, operations in app_of(office).openapi()["paths"].items()
        for method in operations
        if method != "get"
    }
    assert {f"{method.upper()} {path}" for path, method in methods} == {
        name for name in SCOPES_OF if name.startswith(("POST ", "PUT "))
    }


@pytest.mark.parametrize("token", ["", "x", "zr_" + "A" * 43, "Ж", "a" * 7000, "zr_x zr_y"])
def test_a_token_that_is_not_one_is_refused(office: Office, token: str) -> None:
    with office.client() as client:
        response = client.get("/v1/desks", headers={"Authorization": f"Bearer {token}".encode()})
    assert response.status_code == 401
    assert response.json()["type"] == "urn:zrazkovo:problem:bad-token"
    assert len(token) < 3 or token not in response.text


def test_revoked_and_expired_tokens_are_refused_and_so_are_their_sessions(office: Office) -> None:
    late = office.store.create_token("late", ["devices"], expires_unix_ms=time.time_ns() // 1_000_000 - 1)
    gone = office.store.create_token("gone", ["devices"])
    with office.client() as client:
        assert client.post("/session", json={"token": gone}).status_code == 200
        assert client.get("/v1/desks").status_code == 200
        office.store.revoke_token("gone")
        assert client.get("/v1/desks").status_code == 401
        for token in (late, gone):
            assert client.get("/v1/desks", headers={"Authorization": f"Bearer {token}"}).status_code == 401


def test_many_failed_tokens_are_made_to_wait_but_good_ones_and_sessions_are_not(office: Office) -> None:
    with office.client() as client:
        client.post("/session", json={"token": office.token("devices")})
        for _ in range(BURST):
            assert client.get("/v1/desks", headers={"Authorization": "Bearer wrong"}).status_code == 401
        response = client.get("/v1/desks", headers={"Authorization": "Bearer wrong"})
        assert response.status_code == 429
        assert 1 <= int(response.headers["retry-after"]) <= 60
        assert client.post("/session", json={"token": "wrong"}).status_code == 429
        good = {"Authorization": f"Bearer {office.token('devices')}"}
        assert client.get("/v1/desks", headers=good).status_code == 200  # one address may be a whole office
        assert client.get("/v1/desks").status_code == 200


# ---- sessions
def test_a_session_cookie_holds_another_secret_and_is_out_of_reach_of_scripts_and_other_sites(office: Office) -> None:
    token = office.token("devices")
    with office.client() as client:
        response = client.post("/session", json={"token": token})
        assert response.json()["scopes"] == ["devices"]
        cookie = response.headers["set-cookie"]
        assert {"HttpOnly", "SameSite=strict", "Path=/", f"Max-Age={SESSION_S}"} <= set(cookie.split("; "))
        assert "Secure" not in cookie and token not in cookie and token not in response.text
        assert client.get("/v1/desks").status_code == 200


def test_over_https_the_cookie_is_secure_and_bound_to_the_host(office: Office) -> None:
    with office.client(https=True) as client:
        cookie = client.post("/session", json={"token": office.token("devices")}).headers["set-cookie"]
        assert cookie.startswith("__Host-zrazkovo=") and "Secure" in cookie.split("; ")
        assert client.get("/v1/desks").status_code == 200


def test_a_form_signs_in_and_is_sent_on_within_this_site(office: Office) -> None:
    with office.client() as client:
        form = {"token": office.token("figures"), "next": "/figures?period=year"}
        response = client.post("/session", data=form, headers=SAME_SITE, follow_redirects=False)
        assert (response.status_code, response.headers["location"]) == (303, "/figures?period=year")
        assert client.get("/v1/register").status_code == 200


@pytest.mark.parametrize(
    "target", ["//evil.example", "https://evil.example", "/\\evil.example", "", None, 7, "/a\r\nSet-Cookie: x", "/ж"]
)
def test_nobody_is_sent_to_another_site(target: object) -> None:
    assert local_path(target) == "/"


def test_an_ended_session_is_dead_on_the_server_too(office: Office) -> None:
    with office.client() as client:
        client.post("/session", json={"token": office.token("devices")})
        kept = client.cookies["zrazkovo"]
        assert client.post("/session/end", headers=SAME_SITE).status_code == 204
        assert "zrazkovo" not in client.cookies
        assert client.get("/v1/desks", headers={"Cookie": f"zrazkovo={kept}"}).status_code == 401


def test_ending_a_session_in_a_browser_leads_to_the_first_page(office: Office) -> None:
    with office.client() as client:
        headers = {**SAME_SITE, "Accept": "text/html"}
        response = client.post("/session/end", headers=headers, follow_redirects=False)
    assert (response.status_code, response.headers["location"]) == (303, "/")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://testserver.evil.example"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://testserver"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
    ],
    ids=str,
)
def test_a_cookie_sent_by_another_sites_page_changes_nothing(office: Office, headers: dict[str, str]) -> None:
    with office.client() as client:
        client.post("/session", json={"token": office.token("devices", "try")})
        for path in ("/v1/try/centre-1/call", "/session/end"):
            response = client.post(path, headers=headers)
            assert response.status_code == 403, path
            assert response.json()["type"] == "urn:zrazkovo:problem:cross-site"
        assert client.get("/v1/desks").status_code == 200


@pytest.mark.parametrize("headers", [SAME_SITE, {"Sec-Fetch-Site": "same-origin"}], ids=str)
def test_our_own_page_may_send_the_cookie(office: Office, headers: dict[str, str]) -> None:
    with office.client() as client:
        client.post("/session", json={"token": office.token("try")})
        response = client.post("/v1/try/centre-1/call", headers=headers)
    assert response.json()["type"] == "urn:zrazkovo:problem:no-bench"


def test_another_sites_form_cannot_sign_a_browser_in(office: Office) -> None:
    with office.client() as client:
        response = client.post(
            "/session", data={"token": office.token("figures")}, headers={"Origin": "https://evil.example"}
        )
        assert response.status_code == 403
        assert not client.cookies


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "application/json"),
        (b"{", "application/json"),
        (b"[]", "application/json"),
        (b"\xff\xfe", "application/json"),
        (b'{"token": 7}', "application/json"),
        (b'{"token": ""}', "application/json"),
        (b'{"tokn": "x"}', "application/json"),
        (b'{"token": "' + b"x" * 9000 + b'"}', "application/json"),
        (b"[" * 4000, "application/json"),
        (b"next=/", "application/x-www-form-urlencoded"),
        (b"token=%ff%00", "multipart/form-data; boundary=x"),
        (b"token=x", "text/plain"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_body_that_is_no_sign_in_is_refused(office: Office, body: bytes, kind: str) -> None:
    with office.client() as client:
        response = client.post("/session", content=body, headers={"Content-Type": kind})
    assert response.status_code == 422
    assert response.json()["type"] == "urn:zrazkovo:problem:bad-body"


@pytest.mark.parametrize("cookie", ["zrazkovo=", "zrazkovo=x", "zrazkovo=" + "A" * 5000, "zrazkovo; =;;", 'zrazkovo="'])
def test_a_cookie_that_is_no_session_is_nobody(office: Office, cookie: str) -> None:
    with office.client() as client:
        assert client.get("/v1/desks", headers={"Cookie": cookie}).status_code == 401


# ---- what the browser is told
@pytest.mark.parametrize("path", ["/v1/health", "/v1/register", "/v1/none", "/signin", "/v1/openapi.json"])
def test_every_answer_tells_the_browser_to_trust_this_site_only(office: Office, path: str) -> None:
    with office.client("figures") as client:
        headers = client.get(path).headers
    assert "default-src 'self'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"].replace("style-src", "")
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"
    assert "server" not in headers


def test_a_browser_that_came_by_https_stays_with_it(office: Office) -> None:
    with office.client(https=True) as client:
        assert client.get("/v1/health").headers["strict-transport-security"] == "max-age=31536000"
    with office.client() as client:
        assert "strict-transport-security" not in client.get("/v1/health").headers


def test_an_unknown_path_and_a_wrong_method_are_problems_too(office: Office) -> None:
    with office.client("figures") as client:
        for response, status in ((client.get("/v1/votes"), 404), (client.delete("/v1/aggregates"), 405)):
            assert response.status_code == response.json()["status"] == status
            assert response.headers["content-type"] == "application/problem+json"


def test_the_description_names_the_scopes_and_the_problems(office: Office) -> None:
    with office.client() as client:
        operations = {
            f"{method.upper()} {path}": operation
            for path, by_method in client.get("/v1/openapi.json").json()["paths"].items()
            for method, operation in by_method.items()
        }
    assert {
        path: set(operation["security"][0]["token"]) if operation["security"] else set()
        for path, operation in operations.items()
    } == {name: scopes for name, scopes in SCOPES_OF.items() if not name.startswith("HEAD ")}  # said of each GET
    for operation in operations.values():
        schema = operation["responses"]["default"]["content"]["application/problem+json"]["schema"]
        assert schema == {"$ref": "#/components/schemas/Problem"}
        assert "422" not in operation["responses"]


def test_there_is_a_description_of_the_api_and_no_page_with_foreign_scripts(office: Office) -> None:
    with office.client() as client:
        assert client.get("/v1/openapi.json").json()["info"]["title"] == "Zrazkovo"
        assert client.get("/docs").status_code == client.get("/redoc").status_code == 404


def test_a_fault_of_ours_is_a_problem_without_its_details(office: Office) -> None:
    app = app_of(office)

    def fail() -> None:
        raise ZeroDivisionError("secret detail")

    app.add_api_route("/v1/fault", fail)
    with TestClient(app, raise_server_exceptions=False) as client:
        response = client.get("/v1/fault")
    assert (response.status_code, response.json()["type"]) == (500, "urn:zrazkovo:problem:unexpected")
    assert "secret" not in response.text
