"""Who asks, and whether they may: tokens, session cookies, scopes. It stores nothing and shows no sign-in page.

A program sends a token; a person has a session, whose scopes are those of their role (api/access/roles.py). Somebody
with limits, a head of one branch, is refused by every route but those that say ``within_limits=True`` and hold each
row against the limits themselves (api/access/reach.py).

Every route carries a mark: ``require(scope, ...)`` or ``open_to_all``. ``check_every_route`` refuses to start an
application with a route that carries neither, so that forgetting the mark closes nothing by luck and opens nothing.
"""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, NoReturn
from urllib.parse import quote

from fastapi import Depends, FastAPI, Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException

from api.access.principal import behind_session
from api.access.roles import role_of
from api.errors import BadToken, CrossSite, NotSignedIn, PasswordMustChange, ScopeMissing, TooManyFailures
from api.parts import Parts, parts_of
from collector.store import Token

SCOPES = (
    "figures",
    "operators",
    "devices",
    "metrics",
    "try",
    "control",
    "provision",
    "report",
    "register",
    "names",
    "reports",
    "publish",
    "disclose",
    "signals",
    "access_log",
    "users",
    "evidence",
)
SIGN_IN_PAGE = "/signin"
PASSWORD_PAGE = "/account/password"
SIGNED_IN = "signed_in"  # no scope: stands in scopes_by_route where any person may come in
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
# Routes that are not ours to mark: the description of the api, and files that are the same for everybody.
OPEN_PATHS = ("/v1/openapi.json", "/static")


def reader(request: Request) -> Token | None:
    """The token behind this request, by ``Authorization`` or by session; None when there is neither.

    Raises BadToken, TooManyFailures, and CrossSite for a cookie sent by another site's page. Asks the database: call it
    from a thread, or as a dependency (``Depends(reader)``).
    """
    return _reader(request, is_use=True)


def still_there(request: Request) -> Token | None:
    """The same for an answer that goes on by itself, a stream: it keeps no session from ending."""
    return _reader(request, is_use=False)


def _reader(request: Request, *, is_use: bool) -> Token | None:
    parts = parts_of(request)
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return token_behind(parts, request, secret.strip())
    cookie = request.cookies.get(cookie_name(request))
    if not cookie:
        return None
    if request.method not in SAFE_METHODS and not same_origin(request.headers, origin_of(request), strict=True):
        raise CrossSite("A signed-in browser may only be sent here by our own pages.")
    return behind_session(parts.store, cookie, parts.settings.session_idle_minutes * 60_000, is_use=is_use)


class _Require:
    """A dependency: the reader, who must have every one of ``scopes``."""

    def __init__(self, scopes: Iterable[str], page: bool, within_limits: bool):
        self.scopes = frozenset(scopes)
        self.page = page
        self.within_limits = within_limits
        unknown = self.scopes.difference(SCOPES)
        if unknown or not self.scopes:
            raise ValueError(f"not a scope: {', '.join(sorted(unknown)) or 'nothing'}")

    async def __call__(self, request: Request, token: Annotated[Token | None, Depends(reader)]) -> Token:
        if token is None and self.page:
            _to_sign_in(request)
        if token is not None and token.must_change and self.page:
            raise HTTPException(303, headers={"Location": PASSWORD_PAGE})
        reader_of_it = allowed(token, self.scopes)
        if reader_of_it.limits.any and not self.within_limits:
            raise ScopeMissing("This cannot be narrowed to what is yours, so it is not open to you.")
        return reader_of_it


def require(*scopes: str, page: bool = False, within_limits: bool = False) -> Any:
    """A dependency that gives the reader's Token and refuses one without all of ``scopes``.

    With ``page`` a browser without a session is sent to the sign-in page instead. ``within_limits`` is a promise: the
    route shows a reader with limits nothing beyond them; without it such a reader is refused.
    """
    return Depends(_Require(scopes, page, within_limits))


class _SignedIn:
    """A dependency: any person at all, also one who still has to choose a password. For a person's own account."""

    async def __call__(self, request: Request, token: Annotated[Token | None, Depends(reader)]) -> Token:
        if token is None:
            _to_sign_in(request)
        assert token is not None
        if token.person is None:
            raise ScopeMissing("A token has no account; this is for people who sign in.")
        return token


signed_in: Any = Depends(_SignedIn())


def _to_sign_in(request: Request) -> NoReturn:
    target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    if request.method not in SAFE_METHODS:  # nothing is done after a sign-in that was asked for before it
        target = request.url.path.rpartition("/")[0] or "/"
    raise HTTPException(303, headers={"Location": f"{SIGN_IN_PAGE}?next={quote(target, safe='')}"})


async def _anybody() -> None:
    """Marks a route that needs no token."""


open_to_all: Any = Depends(_anybody)


def allowed(token: Token | None, scopes: Iterable[str]) -> Token:
    """``token`` itself if it has all of ``scopes``. Raises NotSignedIn or ScopeMissing."""
    if token is None:
        raise NotSignedIn("Send a token as 'Authorization: Bearer ...', or sign in.")
    if token.must_change:
        raise PasswordMustChange(f"Choose a password of your own first, at {PASSWORD_PAGE}.")
    missing = sorted(set(scopes) - token.scopes)
    if missing:
        role = role_of(token.role)
        if role is not None and role.on_request:
            raise ScopeMissing(
                "Results are given to you on request (order P4.4): ask the head of the centre or branch."
            )
        raise ScopeMissing(f"It needs the scope {' and '.join(missing)}.")
    return token


def token_behind(parts: Parts, request: Request, secret: str) -> Token:
    """The valid token that ``secret`` is. Raises BadToken, or TooManyFailures after too many of those.

    A good token is never kept waiting: an office is often one address, and somebody's stale script must not lock the
    others out. With 256 random bits a token needs no protection from being guessed a little faster.
    """
    token = parts.store.find_token(secret)
    if token is not None:
        return token
    address = request.client.host if request.client else ""
    wait_s = parts.slowdown.wait_s(address)
    if wait_s:
        raise TooManyFailures(f"Try again in {wait_s} s.", retry_after_s=wait_s)
    parts.slowdown.failed(address)
    raise BadToken("It is unknown, revoked or expired.")


def cookie_name(request: Request) -> str:
    """The session cookie's name; over https one that no other host of the domain can set (RFC 6265bis, __Host-)."""
    return "__Host-zrazkovo" if request.url.scheme == "https" else "zrazkovo"


def origin_of(request: Request) -> str:
    return f"{request.url.scheme}://{request.url.netloc}"


def same_origin(headers: Mapping[str, str], origin: str, *, strict: bool) -> bool:
    """Whether a browser says that a page of ``origin`` sent this; without a word of it, ``not strict``."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    sender = headers.get("origin")
    if sender is not None:
        return sender == origin
    return not strict


def check_every_route(app: FastAPI) -> None:
    """Raises RuntimeError if a route of ``app`` says nothing about who may use it."""
    for _method, path, scopes in scopes_by_route(app):
        if scopes is None and path not in OPEN_PATHS:
            raise RuntimeError(f"the route {path} names no scope and is not marked open_to_all")


def scopes_by_route(app: FastAPI) -> list[tuple[str, str, frozenset[str] | None]]:
    """(method, path, scopes) of every route: an empty set where it is marked open to all, None where it has no mark."""
    found: list[tuple[str, str, frozenset[str] | None]] = []
    for context in iter_route_contexts(app.routes):
        dependant = getattr(context, "dependant", None)
        marks = _marks(dependant) if dependant is not None else None
        found += [(method, context.path or "", marks) for method in sorted(context.methods or {"GET"})]
    return found


def _marks(dependant: Dependant) -> frozenset[str] | None:
    calls = [each.call for each in dependant.dependencies]
    required = [call.scopes for call in calls if isinstance(call, _Require)]
    if required:
        return frozenset().union(*required)
    if any(isinstance(call, _SignedIn) for call in calls):
        return frozenset({SIGNED_IN})
    return frozenset() if _anybody in calls else None
