"""``/v1/requests``: the register of requests for information, for programs. Everything needs the scope ``disclose``."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from api.auth import require
from api.disclosure.desk import entered, now_unix_ms, registered, the_case, the_cases
from api.disclosure.papers import made_paper
from api.disclosure.shown import request_resource, requests_resource
from api.errors import NoSuchThing
from api.parts import parts_of
from collector.store import NotThere, Store, Token
from schemas.disclosure_resources import NewPaper, NewRequest, NewStep, RequestResource, Requests

router = APIRouter()
Keeper = Annotated[Token, require("disclose", within_limits=True)]
Year = Annotated[int, Path(ge=2000, le=2100)]
Number = Annotated[int, Path(ge=1, le=1_000_000)]


@router.get("/v1/requests")
def list_requests(
    request: Request, token: Keeper, days: Annotated[int, Query(ge=1, le=4000, description="how far back")] = 400
) -> Requests:
    """Every open request, overdue ones first, and those received in the last ``days``."""
    now = now_unix_ms()
    return requests_resource(the_cases(parts_of(request).store, token, now, days=days), now)


@router.post("/v1/requests", status_code=201)
def register_request(request: Request, response: Response, body: NewRequest, token: Keeper) -> RequestResource:
    """Enter a request; the clock of its class and kind begins at ``received_at``."""
    store, now = parts_of(request).store, now_unix_ms()
    case = registered(store, token, body, now)
    response.headers["Location"] = f"/v1/requests/{case.request.name}"
    return request_resource(store, case, now)


@router.get("/v1/requests/{year}/{number}")
def read_request(request: Request, year: Year, number: Number, token: Keeper) -> RequestResource:
    """One request with everything that happened to it."""
    store = parts_of(request).store
    return request_resource(store, the_case(store, token, year, number), now_unix_ms())


@router.post("/v1/requests/{year}/{number}/events", status_code=201)
def enter_event(request: Request, year: Year, number: Number, body: NewStep, token: Keeper) -> RequestResource:
    """Enter what happened next; what the order or the law forbids is refused, and nothing is ever overwritten."""
    store, now = parts_of(request).store, now_unix_ms()
    case = entered(store, token, the_case(store, token, year, number), body, now)
    return request_resource(store, case, now)


@router.post("/v1/requests/{year}/{number}/papers", status_code=201)
def make_paper(request: Request, year: Year, number: Number, body: NewPaper, token: Keeper) -> RequestResource:
    """Make a receipt, a letter or a notice. Its figures are frozen with it."""
    parts, now = parts_of(request), now_unix_ms()
    case = the_case(parts.store, token, year, number)
    made_paper(parts.store, request.app.state.pages.languages, token, case, body, now)
    return request_resource(parts.store, case, now)


@router.get("/v1/requests/{year}/{number}/papers/{paper}.pdf", response_class=Response)
def read_paper(request: Request, year: Year, number: Number, paper: Number, token: Keeper) -> Response:
    """A paper as it was given out."""
    return paper_response(parts_of(request).store, token, year, number, paper)


def paper_response(store: Store, token: Token, year: int, number: int, paper: int) -> Response:
    """The bytes of a paper. Raises NoSuchThing."""
    case = the_case(store, token, year, number)
    try:
        found, content, _ = store.disclosures.paper(case.request.id, paper)
    except NotThere as error:
        raise NoSuchThing(f"{error}.") from None
    name = f"{found.kind}-{year}-{number}-{found.id}.pdf"
    headers = {"Content-Disposition": f'inline; filename="{name}"', "ETag": f'"{found.sha256}"'}
    return Response(content, headers=headers | {"Cache-Control": "no-store"}, media_type="application/pdf")
