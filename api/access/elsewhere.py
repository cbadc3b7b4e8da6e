"""Sign-in with the office's own accounts: OpenID Connect Core 1.0, the authorization code flow with PKCE (RFC 7636).

Rules of the file
1.  The provider is asked over TLS (or on this machine), for what its discovery document of the very issuer names.
2.  An id token counts if its signature, issuer, audience, nonce and times do; only asymmetric algorithms are taken.
3.  What somebody may do follows from their groups by the settings' table, anew at each sign-in; a group that is not in
    it opens nothing. Somebody who was closed here stays out, whatever the provider says.
4.  No token of the provider is kept or logged.
"""

import base64
import logging
import re
import secrets
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

import httpx2
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from api.errors import SignInElsewhere
from api.settings import GroupRole, Settings, is_loopback
from collector.store import Declined, Person, Store

log = logging.getLogger("api.access")

ALGORITHMS = ("RS256", "PS256", "ES256", "RS384", "ES384", "EdDSA")
SCOPE = "openid profile email"
_TIMEOUT_S = 5.0
_FRESH_S = 3600.0  # how long what the provider says of itself is believed
_KEYS_AGAIN_S = 30.0  # an unknown key is looked for at most so often
_MOST_BYTES = 500_000
_LOGIN = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,79}")


@dataclass(frozen=True, slots=True)
class Begun:
    """A sign-in that was begun: kept in the browser's cookie until it comes back."""

    state: str
    nonce: str
    verifier: str
    next_page: str

    def written(self) -> str:
        page = base64.urlsafe_b64encode(self.next_page.encode()).decode().rstrip("=")
        return ".".join((self.state, self.nonce, self.verifier, page))

    @classmethod
    def read(cls, text: str | None) -> "Begun | None":
        """None for a cookie that is none."""
        parts = (text or "").split(".")
        if len(parts) != 4 or not all(part.isascii() for part in parts) or not all(parts[:3]):
            return None
        try:
            page = base64.urlsafe_b64decode(parts[3] + "=" * (-len(parts[3]) % 4)).decode()
        except ValueError:
            return None
        return cls(parts[0], parts[1], parts[2], page)


class Elsewhere:
    """The provider, as its discovery document describes it. Made once an application; thread-safe.

    Every method raises SignInElsewhere.
    """

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic):
        self._settings = settings
        self._clock = clock
        self._lock = threading.Lock()
        self._document: tuple[float, dict[str, Any]] | None = None
        self._keys: tuple[float, KeySet] | None = None

    def begin(self, next_page: str, redirect_uri: str) -> tuple[str, Begun]:
        """The provider's address to send the browser to, and what to keep meanwhile."""
        begun = Begun(secrets.token_urlsafe(24), secrets.token_urlsafe(24), secrets.token_urlsafe(48), next_page)
        asked = {
            "response_type": "code",
            "client_id": self._settings.oidc_client_id or "",
            "redirect_uri": redirect_uri,
            "scope": SCOPE,
            "state": begun.state,
            "nonce": begun.nonce,
            "code_challenge": create_s256_code_challenge(begun.verifier),
            "code_challenge_method": "S256",
        }
        return self._with_query(self._endpoint("authorization_endpoint"), asked), begun

    def finish(self, begun: Begun | None, answer: Mapping[str, str], redirect_uri: str) -> dict[str, Any]:
        """The claims of who came back."""
        if begun is None or not secrets.compare_digest(answer.get("state", "").encode(), begun.state.encode()):
            raise SignInElsewhere("It was not begun in this browser.", why="invalid")
        # RFC 9207: an answer of another provider is not taken.
        if answer.get("iss") not in (None, self._settings.oidc_issuer):
            raise SignInElsewhere("It comes from somebody else.", why="invalid")
        if answer.get("error") or not answer.get("code"):
            raise SignInElsewhere("The provider did not let you in.", why="denied")
        tokens = self._tokens(answer["code"], begun.verifier, redirect_uri)
        claims = self._claims(tokens, begun.nonce)
        name = self._settings.oidc_groups_claim
        if name not in claims and self._told().get("userinfo_endpoint"):
            claims = self._more(claims, tokens)
        return claims

    def sign_out_address(self, back_to: str) -> str | None:
        """Where to sign out at the provider, too; None if it has no such place."""
        if not self._told().get("end_session_endpoint"):
            return None
        asked = {"client_id": self._settings.oidc_client_id or "", "post_logout_redirect_uri": back_to}
        return self._with_query(self._endpoint("end_session_endpoint"), asked)

    # ---- asking the provider
    def _tokens(self, code: str, verifier: str, redirect_uri: str) -> dict[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        }
        client = self._settings.oidc_client_id or ""
        secret = self._settings.oidc_client_secret
        basic = None if secret is None else httpx2.BasicAuth(client, secret.get_secret_value())
        if basic is None:
            form["client_id"] = client
        return self._json("POST", self._endpoint("token_endpoint"), data=form, auth=basic)

    def _more(self, claims: dict[str, Any], tokens: dict[str, Any]) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {tokens.get('access_token', '')}"}
        found = self._json("GET", self._endpoint("userinfo_endpoint"), headers=headers)
        if found.get("sub") != claims["sub"]:  # OpenID Connect Core 5.3.2
            raise SignInElsewhere("The provider speaks of somebody else.", why="invalid")
        return found | claims

    def _claims(self, tokens: dict[str, Any], nonce: str) -> dict[str, Any]:
        raw = tokens.get("id_token")
        if not isinstance(raw, str):
            raise SignInElsewhere("The provider gave no id token.", why="invalid")
        options = {
            "iss": {"essential": True, "value": self._settings.oidc_issuer},
            "aud": {"essential": True, "value": self._settings.oidc_client_id},
            "sub": {"essential": True},
        }
        try:
            token = self._decoded(raw)
            params = {
                "nonce": nonce,
                "client_id": self._settings.oidc_client_id,
                "access_token": tokens.get("access_token"),
            }
            checked = CodeIDToken(token.claims, token.header, options, params)
            checked.validate(now=int(time.time()), leeway=self._settings.oidc_skew_s)
        except (JoseError, ValueError, TypeError) as error:
            log.warning("an id token of the office's sign-in is not valid: %s", type(error).__name__)
            raise SignInElsewhere("The provider's word is not valid.", why="invalid") from None
        claims = dict(token.claims)
        if not isinstance(claims.get("sub"), str) or not 1 <= len(claims["sub"]) <= 255:
            raise SignInElsewhere("The provider names nobody.", why="invalid")
        return claims

    def _decoded(self, raw: str) -> jwt.Token:
        try:
            return jwt.decode(raw, self._key_set(again=False), algorithms=ALGORITHMS)
        except (JoseError, ValueError):
            return jwt.decode(raw, self._key_set(again=True), algorithms=ALGORITHMS)  # it has new keys, perhaps

    def _key_set(self, *, again: bool) -> KeySet:
        with self._lock:
            known = self._keys
        age_s = _FRESH_S if known is None else self._clock() - known[0]
        if known is not None and age_s < (_KEYS_AGAIN_S if again else _FRESH_S):
            return known[1]
        keys = KeySet.import_key_set(self._json("GET", self._endpoint("jwks_uri")))  # type: ignore[arg-type]
        with self._lock:
            self._keys = (self._clock(), keys)
        return keys

    def _told(self) -> dict[str, Any]:
        """The discovery document (OpenID Connect Discovery 1.0, section 4)."""
        with self._lock:
            known = self._document
        if known is not None and self._clock() - known[0] < _FRESH_S:
            return known[1]
        issuer = self._settings.oidc_issuer or ""
        document = self._json("GET", issuer.rstrip("/") + "/.well-known/openid-configuration")
        if document.get("issuer") != issuer:
            raise SignInElsewhere("The provider has another name.", why="away")
        with self._lock:
            self._document = (self._clock(), document)
        return document

    def _endpoint(self, name: str) -> str:
        address = self._told().get(name)
        if not isinstance(address, str) or not (address.startswith("https://") or is_loopback(address)):
            raise SignInElsewhere(f"The provider has no {name} that can be trusted.", why="away")
        return address

    def _json(self, method: str, address: str, **more: Any) -> dict[str, Any]:
        """What the provider answers; no redirect is followed, for none is foreseen."""
        authority = self._settings.oidc_ca_file
        verify: bool | ssl.SSLContext = ssl.create_default_context(cafile=authority) if authority else True
        try:
            with httpx2.Client(timeout=_TIMEOUT_S, verify=verify, trust_env=False) as client:
                answer = client.request(method, address, **more)
            found = answer.json() if answer.status_code == 200 and len(answer.content) <= _MOST_BYTES else None
        except (httpx2.HTTPError, ValueError) as error:
            log.warning("the office's sign-in does not answer: %s", type(error).__name__)
            raise SignInElsewhere("The provider does not answer.", why="away") from None
        if not isinstance(found, dict):
            log.warning("the office's sign-in answers %d", answer.status_code)
            why = "invalid" if method == "POST" and 400 <= answer.status_code < 500 else "away"  # a code that is none
            raise SignInElsewhere("The provider refuses.", why=why)
        return found

    @staticmethod
    def _with_query(address: str, asked: Mapping[str, str]) -> str:
        return f"{address}{'&' if '?' in address else '?'}{urlencode(asked)}"


def person_of(store: Store, settings: Settings, claims: Mapping[str, Any]) -> Person:
    """Who this is here, with the role and limits of their groups today. Raises SignInElsewhere."""
    issuer, subject = str(settings.oidc_issuer), str(claims["sub"])
    known = store.staff.by_subject(issuer, subject)
    found = _role(settings, claims)
    if known is not None and not known.may_sign_in(time.time_ns() // 1_000_000):
        raise SignInElsewhere("This account is closed.", why="denied")
    if found is None:
        if known is not None:
            store.staff.end_sessions(known.id)
        raise SignInElsewhere("None of your groups has a role here.", why="no_role")
    role, limits = found.role, found.limits(_text(claims, found.operator_claim or "") or None)
    shown = _text(claims, "name")[:120] or _text(claims, "preferred_username")[:120] or "–"
    if known is None:
        return _new(store, Person("", shown, role, limits, issuer=issuer, subject=subject, created_by="oidc"), claims)
    changed = replace(known, shown=shown, role=role, limits=limits)
    if changed != known:
        store.staff.change(changed, "oidc")
    return changed


def _role(settings: Settings, claims: Mapping[str, Any]) -> GroupRole | None:
    """The first line of the table that fits; one whose limits are not told by the claims fits nobody."""
    said = claims.get(settings.oidc_groups_claim)
    groups = {said} if isinstance(said, str) else {each for each in said or () if isinstance(each, str)}
    for line in settings.oidc_groups:
        if line.group in groups and (line.operator_claim is None or _text(claims, line.operator_claim)):
            return line
    return None


def _new(store: Store, person: Person, claims: Mapping[str, Any]) -> Person:
    names = [_text(claims, each).casefold() for each in ("preferred_username", "email")]
    digest = sha256(f"{person.issuer}\n{person.subject}".encode()).hexdigest()[:16]
    for login in (*(name for name in names if _LOGIN.fullmatch(name)), f"oidc-{digest}"):
        try:
            return store.staff.create(replace(person, login=login))
        except Declined:
            continue  # somebody of our own has that login
    raise SignInElsewhere("This account cannot be opened here.", why="denied")


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    return "".join(each for each in value if each.isprintable()).strip() if isinstance(value, str) else ""
