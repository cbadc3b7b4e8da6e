"""``/session/elsewhere``: to the office's own sign-in and back. The work is api/access/elsewhere.py's.

The browser comes back from another site, whereupon it keeps our strict cookies to itself for as long as it is only sent
on. So the way back ends on a page that goes on by itself.
"""

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from api.access.elsewhere import Begun, Elsewhere, person_of
from api.access.signing_in import open_session
from api.auth import SIGN_IN_PAGE, open_to_all, origin_of, reader
from api.errors import NoSuchThing, SignInElsewhere
from api.parts import parts_of
from api.rendering import Renderer
from api.session import SIGN_OUT_ELSEWHERE, local_path, put_cookies, visitor_of

ELSEWHERE = "/session/elsewhere"
_BACK = f"{ELSEWHERE}/back"
_COOKIE_S = 600  # so long somebody may take at the provider

router = APIRouter(include_in_schema=False)


@router.get(ELSEWHERE, dependencies=[open_to_all])
def begin(request: Request, next: str = "/") -> Response:  # noqa: A002 - the address's word for it
    """On to the provider. Whoever is signed in stays who they are."""
    if reader(request) is not None:
        return RedirectResponse(local_path(next), 303)
    try:
        address, begun = _elsewhere(request).begin(local_path(next), origin_of(request) + _BACK)
    except SignInElsewhere as error:
        return _refused(error)
    response = RedirectResponse(address, 303)
    _keep(request, response, begun.written(), _COOKIE_S)
    return response


@router.get(_BACK, dependencies=[open_to_all])
def back(request: Request) -> Response:
    """From the provider: a session of our own, if it all holds together."""
    parts = parts_of(request)
    elsewhere = _elsewhere(request)
    begun = Begun.read(request.cookies.get(_cookie(request)))
    visitor = visitor_of(request)
    try:
        claims = elsewhere.finish(begun, request.query_params, origin_of(request) + _BACK)
        person = person_of(parts.store, parts.settings, claims)
    except SignInElsewhere as error:
        parts.store.staff.log_sign_in(None, "oidc", error.why, visitor.address)
        response = _refused(error)
        _keep(request, response, "", 0)
        return response
    parts.store.staff.log_sign_in(person.id, "oidc", "ok", visitor.address)
    opened = open_session(parts.store, person, visitor, hours=parts.settings.session_hours, has_mark=True)
    response = _hop(request, local_path(begun.next_page if begun else "/"))
    _keep(request, response, "", 0)
    put_cookies(request, response, opened.secret, opened.expires_unix_ms, None)
    return response


@router.get(SIGN_OUT_ELSEWHERE, dependencies=[open_to_all])
def end(request: Request) -> Response:
    """Signed out here; on to the provider, to sign out there."""
    try:
        address = _elsewhere(request).sign_out_address(origin_of(request) + SIGN_IN_PAGE)
    except SignInElsewhere:
        address = None
    return _hop(request, address or SIGN_IN_PAGE)


def _elsewhere(request: Request) -> Elsewhere:
    """Raises NoSuchThing where the office has none."""
    elsewhere = parts_of(request).elsewhere
    if elsewhere is None:
        raise NoSuchThing("People sign in with passwords here.")
    return elsewhere


def _refused(error: SignInElsewhere) -> Response:
    return RedirectResponse(f"{SIGN_IN_PAGE}?problem={error.why}", 303)


def _hop(request: Request, address: str) -> Response:
    renderer: Renderer = request.app.state.pages
    return renderer.page(request, "hop.html", {"hop": address}, frame=renderer.frame(None))


def _cookie(request: Request) -> str:
    return "__Host-zrazkovo-oidc" if request.url.scheme == "https" else "zrazkovo-oidc"


def _keep(request: Request, response: Response, value: str, seconds: int) -> None:
    response.set_cookie(
        _cookie(request),
        value,
        max_age=seconds,
        path="/",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="lax",  # the provider's page sends the browser back here
    )
