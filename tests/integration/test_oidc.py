"""Sign-in with the office's own accounts, against a real provider on this machine: the way and every wrong turn."""

import base64
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import oidc_provider_mock
import pytest
from starlette.testclient import TestClient

from api.access.elsewhere import Begun, Elsewhere
from api.app import create_app
from api.errors import SignInElsewhere
from api.settings import Settings
from collector.store import Limits
from tests.contract.api_office import Office

GROUPS = [
    {"group": "heads", "role": "head_of_centre"},
    {"group": "heads-centre", "role": "head_of_branch", "branches": ["centre"]},
    {"group": "clerks", "role": "operator", "branches": ["centre"], "operator_claim": "operator"},
]
USERS = [
    oidc_provider_mock.User(
        sub="1", claims={"name": "Олена Керівна", "preferred_username": "Olena", "groups": ["x", "heads"]}
    ),
    oidc_provider_mock.User(sub="2", claims={"name": "Іван", "preferred_username": "ivan", "groups": ["heads-centre"]}),
    oidc_provider_mock.User(sub="3", claims={"name": "Nobody", "groups": ["guests"]}),
    oidc_provider_mock.User(sub="4", claims={"name": "Clerk", "groups": ["clerks"], "operator": "op-7"}),
    oidc_provider_mock.User(sub="5", claims={"name": "Clerk without", "groups": ["clerks"]}),
]  # fmt: skip


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    with oidc_provider_mock.run_server_in_thread(user_claims=USERS, require_nonce=True) as server:
        yield f"http://localhost:{server.server_port}"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path)
    yield made
    made.store.close()


def settings_of(office: Office, provider: str, **more: Any) -> Settings:
    return Settings.model_validate(
        {
            "database_url": office.url,
            "oidc_issuer": provider,
            "oidc_client_id": "zrazkovo",
            "oidc_client_secret": "planted-client-secret",
            "oidc_groups": GROUPS,
            **more,
        }
    )


@contextmanager
def browser(office: Office, provider: str, **more: Any) -> Iterator[TestClient]:
    with TestClient(create_app(settings_of(office, provider, **more), office.store)) as client:
        yield client


def to_provider(client: TestClient, next_page: str = "/") -> str:
    answer = client.get("/session/elsewhere", params={"next": next_page}, follow_redirects=False)
    assert answer.status_code == 303
    return answer.headers["location"]


def let_in(address: str, sub: str) -> str:
    """What the provider sends the browser back with, once ``sub`` has agreed."""
    with httpx2.Client(trust_env=False) as client:
        answer = client.post(address, data={"sub": sub})
    assert answer.status_code in (302, 303), answer.text
    back = urlsplit(answer.headers["location"])
    return f"{back.path}?{back.query}"


def sign_in(client: TestClient, sub: str, next_page: str = "/") -> httpx2.Response:
    return client.get(let_in(to_provider(client, next_page), sub), follow_redirects=False)


def test_whoever_is_in_a_group_comes_in_with_its_role_and_limits(office: Office, provider: str) -> None:
    with browser(office, provider) as client:
        answer = sign_in(client, "1", "/figures?period=year")
        assert answer.status_code == 200 and "url=/figures?period=year" in answer.text
        assert client.get("/v1/aggregates").status_code == 200
        client.cookies.clear()
        sign_in(client, "2")
        assert client.get("/v1/aggregates?by=branch").json()["branch"] == "centre"
        assert client.get("/v1/aggregates?by=branch&branch=vyshenka").status_code == 403
        client.cookies.clear()
        sign_in(client, "4")
    people = {each.subject: each for each in office.store.staff.everybody()}
    assert (people["1"].login, people["1"].shown, people["1"].password) == ("olena", "Олена Керівна", None)
    assert people["4"].limits == Limits(branches=frozenset({"centre"}), operator="op-7")


def test_the_request_has_pkce_state_and_nonce_and_its_cookie_is_for_the_way_back_only(
    office: Office, provider: str
) -> None:
    with browser(office, provider) as client:
        answer = client.get("/session/elsewhere", follow_redirects=False)
        asked = parse_qs(urlsplit(answer.headers["location"]).query)
        assert asked["code_challenge_method"] == ["S256"] and len(asked["code_challenge"][0]) == 43
        assert len(asked["state"][0]) >= 32 and len(asked["nonce"][0]) >= 32
        assert "planted-client-secret" not in answer.headers["location"]
        cookie = answer.headers["set-cookie"]
        assert {"HttpOnly", "SameSite=lax", "Max-Age=600"} <= set(cookie.split("; "))
        verifier = Begun.read(client.cookies["zrazkovo-oidc"]).verifier  # type: ignore[union-attr]
        assert verifier not in answer.headers["location"]


@pytest.mark.parametrize("sub", ["3", "5", "unknown@example.org"])
def test_a_group_that_is_not_in_the_table_opens_nothing(office: Office, provider: str, sub: str) -> None:
    with browser(office, provider) as client:
        answer = sign_in(client, sub)
        assert answer.headers["location"] == "/signin?problem=no_role"
        assert client.get("/v1/aggregates").status_code == 401
    assert office.store.staff.everybody() == []
    assert [each.outcome for each in office.store.staff.sign_ins()] == ["no_role"]


def test_whoever_was_closed_here_stays_out(office: Office, provider: str) -> None:
    with browser(office, provider) as client:
        sign_in(client, "1")
        [person] = office.store.staff.everybody()
        office.store.staff.disable(person.id, "test")
        assert client.get("/v1/aggregates").status_code == 401
        assert sign_in(client, "1").headers["location"] == "/signin?problem=denied"


def test_another_group_is_another_role_at_the_next_sign_in(office: Office, provider: str) -> None:
    with browser(office, provider) as client:
        sign_in(client, "2")
    fewer = [{"group": "heads-centre", "role": "assessor"}]
    with browser(office, provider, oidc_groups=fewer) as client:
        sign_in(client, "2")
        assert client.get("/v1/desks").status_code == 403
    [person] = office.store.staff.everybody()
    assert (person.role, person.limits) == ("assessor", Limits())


def test_an_account_with_a_password_is_not_taken_over_by_a_name_alike(office: Office, provider: str) -> None:
    from collector.store import Person

    office.store.staff.create(Person("olena", "Інша", "administrator", created_by="test"))
    with browser(office, provider) as client:
        sign_in(client, "1")
        assert client.get("/people").status_code == 403
    logins = {each.login for each in office.store.staff.everybody()}
    assert len(logins) == 2 and any(login.startswith("oidc-") for login in logins)


def test_an_answer_that_was_not_asked_for_in_this_browser_is_refused(office: Office, provider: str) -> None:
    with browser(office, provider) as victim, browser(office, provider) as attacker:
        stolen = let_in(to_provider(attacker), "1")
        for _ in range(2):  # without a sign-in of one's own, and with another one under way
            assert victim.get(stolen, follow_redirects=False).headers["location"] == "/signin?problem=invalid"
            to_provider(victim)
        assert victim.get("/v1/aggregates").status_code == 401


def test_an_answer_counts_once(office: Office, provider: str) -> None:
    with browser(office, provider) as client:
        kept = let_in(to_provider(client), "1")
        cookie = client.cookies["zrazkovo-oidc"]
        assert client.get(kept, follow_redirects=False).status_code == 200
        client.cookies.clear()
        client.cookies.set("zrazkovo-oidc", cookie)
        assert client.get(kept, follow_redirects=False).headers["location"] == "/signin?problem=invalid"


@pytest.mark.parametrize(
    "query", ["", "state=x", "code=x&state={state}&iss=https://evil.example", "error=access_denied&state={state}",
              "code=forged&state={state}", "code=&state={state}"]
)  # fmt: skip
def test_a_wrong_answer_opens_nothing(office: Office, provider: str, query: str) -> None:
    with browser(office, provider) as client:
        state = parse_qs(urlsplit(to_provider(client)).query)["state"][0]
        answer = client.get(f"/session/elsewhere/back?{query.format(state=state)}", follow_redirects=False)
        assert answer.status_code == 303 and answer.headers["location"].startswith("/signin?problem=")
        assert client.get("/v1/aggregates").status_code == 401


@pytest.mark.parametrize("next_page", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:x"])
def test_nobody_is_led_to_another_site(office: Office, provider: str, next_page: str) -> None:
    with browser(office, provider) as client:
        assert "evil" not in sign_in(client, "1", next_page).text
        answer = client.get("/session/elsewhere", params={"next": next_page}, follow_redirects=False)
        assert answer.headers["location"] == "/"


def test_signing_out_goes_on_to_the_provider(office: Office, provider: str) -> None:
    with browser(office, provider) as client:
        sign_in(client, "1")
        headers = {"Origin": "http://testserver", "Accept": "text/html"}
        answer = client.post("/session/end", headers=headers, follow_redirects=False)
        assert answer.headers["location"] == "/session/elsewhere/end"
        page = client.get("/session/elsewhere/end").text
        assert f"{provider}/oauth2/end_session?client_id=zrazkovo" in page
        assert client.get("/v1/aggregates").status_code == 401


def test_a_provider_that_is_away_or_another_one_is_told_in_words(office: Office, provider: str) -> None:
    for issuer in ("http://localhost:1", provider + "/other"):
        with browser(office, issuer) as client:
            answer = client.get("/session/elsewhere", follow_redirects=False)
            assert answer.headers["location"] == "/signin?problem=away"


def test_without_a_provider_there_is_no_such_way(office: Office) -> None:
    with office.client() as client:
        for path in ("/session/elsewhere", "/session/elsewhere/back", "/session/elsewhere/end"):
            assert client.get(path).status_code == 404


def test_no_secret_of_the_provider_is_kept_or_logged(
    office: Office, provider: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("DEBUG", logger="api"), browser(office, provider) as client:
        kept = let_in(to_provider(client), "1")
        client.get(kept)
    code = parse_qs(urlsplit(kept).query)["code"][0]
    disk = b"".join(each.read_bytes() for each in Path(office.url.removeprefix("sqlite:///")).parent.glob("office.db*"))
    for secret in (code, "planted-client-secret"):
        assert secret not in "".join(each.getMessage() for each in caplog.records if each.name.startswith("api"))
        assert secret.encode() not in disk
    assert "planted-client-secret" not in repr(settings_of(office, provider))


# ---- id tokens, one thing wrong at a time
def id_token(provider_key: Any, header: dict[str, Any] | None = None, **claims: Any) -> str:
    from joserfc import jwt

    now = int(time.time())
    whole = {"iss": "https://id.example", "aud": "zrazkovo", "sub": "1", "nonce": "n", "iat": now, "exp": now + 60}
    whole |= claims
    return jwt.encode(
        {"alg": "RS256"} | (header or {}), {k: v for k, v in whole.items() if v is not None}, provider_key
    )


@pytest.fixture(scope="module")
def keys() -> tuple[Any, Any]:
    from joserfc.jwk import RSAKey

    return RSAKey.generate_key(2048, {"kid": "a"}), RSAKey.generate_key(2048, {"kid": "a"})


NOW = int(time.time())


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://evil.example"},
        {"aud": "somebody-else"},
        {"aud": ["zrazkovo", "other"], "azp": "other"},
        {"nonce": "another"},
        {"nonce": None},
        {"sub": None},
        {"sub": 7},
        {"exp": NOW - 3600},
        {"exp": None},
        {"iat": NOW + 3600},
        {"nbf": NOW + 3600},
    ],
    ids=lambda claims: next(iter(claims)),  # the same in every worker, whenever it reads this file
)
def test_an_id_token_with_one_thing_wrong_is_refused(
    monkeypatch: pytest.MonkeyPatch, keys: tuple[Any, Any], claims: dict[str, Any]
) -> None:
    elsewhere = _with_keys(monkeypatch, keys[0])
    assert elsewhere._claims({"id_token": id_token(keys[0])}, "n")["sub"] == "1"
    with pytest.raises(SignInElsewhere) as refused:
        elsewhere._claims({"id_token": id_token(keys[0], **claims)}, "n")
    assert refused.value.why == "invalid"


def test_clocks_may_differ_a_little(monkeypatch: pytest.MonkeyPatch, keys: tuple[Any, Any]) -> None:
    elsewhere = _with_keys(monkeypatch, keys[0])
    now = int(time.time())
    assert elsewhere._claims({"id_token": id_token(keys[0], exp=now - 30, iat=now + 30)}, "n")


def test_an_id_token_signed_by_somebody_else_or_by_nobody_is_refused(
    monkeypatch: pytest.MonkeyPatch, keys: tuple[Any, Any]
) -> None:
    from joserfc import jwt
    from joserfc.jwk import OctKey

    elsewhere = _with_keys(monkeypatch, keys[0])
    body = json.loads(base64.urlsafe_b64decode(id_token(keys[0]).split(".")[1] + "=="))
    plain = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in ({"alg": "none"}, body)
    ]
    hmac = jwt.encode({"alg": "HS256"}, body, OctKey.import_key("zrazkovo" * 4))
    for token in (id_token(keys[1]), ".".join((*plain, "")), hmac, "", "a.b.c", None):
        with pytest.raises(SignInElsewhere):
            elsewhere._claims({"id_token": token}, "n")


def _with_keys(monkeypatch: pytest.MonkeyPatch, key: Any) -> Elsewhere:
    from joserfc.jwk import KeySet

    settings = Settings(oidc_issuer="https://id.example", oidc_client_id="zrazkovo")
    elsewhere = Elsewhere(settings)
    public = KeySet.import_key_set({"keys": [key.as_dict(private=False)]})
    monkeypatch.setattr(elsewhere, "_key_set", lambda *, again: public)
    return elsewhere


@pytest.mark.parametrize("text", [None, "", "a.b.c", "a.b.c.d.e", "...", "a.b.c.ж", "a.b.c.%%%"])
def test_a_cookie_that_is_none_is_nothing_begun(text: str | None) -> None:
    begun = Begun.read(text)
    assert begun is None or begun.next_page.isprintable()
