"""What can be wrong with a request, and the one table that turns it into a problem document (RFC 9457).

ApiError
|-- NotSignedIn       no token and no session
|-- BadToken          a token that is unknown, revoked or expired
|-- BadPassword       a login or password that is wrong, or an account that is closed
|-- WeakPassword      a new password that is too easy to guess
|-- SignInBusy        too many people sign in at once
|-- SignInElsewhere   the office's OpenID Connect did not let somebody in
|-- TooManyFailures   too many of those from one address
|-- ScopeMissing      the reader may not do this
|   `-- PasswordMustChange  the reader still has the password that was given to them
|-- CrossSite         another site's page sent the reader's cookie
|-- BadRequestBody    the body is not what the route reads
|-- BadQuestion       a question that cannot be answered as asked
|   |-- UnknownPurpose    not one of the purposes of order P4.7
|   |-- OrderMissing      no recorded instruction of order P4.3 covers it
|   `-- TooManyCells      more figures than one answer may hold (2,500) or periods (400)
|-- RegisterRefused   a register with rows at fault; each is listed
|-- RegisterChanged   the change was made from a register that is no longer the one
|-- RevisionMissing   it does not say which register it was made from
|-- NoSuchThing       the branch or desk named is not in the register
|-- NotNow            the fleet of pads cannot do that as things stand
|-- NoBench           "try a pad" exists only in the demonstration
|-- BenchRefused      the demonstration will not do that
|-- BenchAway         the demonstration does not answer
`-- TooManyStreams    no room for one more live stream

BadSettings (schemas/settings.py) is apart: it is met before there is a request.
"""

import logging
from collections.abc import Callable
from http import HTTPStatus

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from collector.store import NotHeld, StoreError
from schemas.resources import FieldProblem, Problem

log = logging.getLogger("api")
ProblemPage = Callable[[Request, Problem], Response]


class ApiError(Exception):
    """Base; str() is one sentence for the reader. ``field`` names the parameter at fault, if one is."""

    def __init__(self, detail: str = "", *, field: str | None = None, retry_after_s: int | None = None):
        super().__init__(detail)
        self.field = field
        self.retry_after_s = retry_after_s


class NotSignedIn(ApiError):
    pass


class BadToken(ApiError):
    pass


class BadPassword(ApiError):
    pass


class WeakPassword(ApiError):
    """``why`` is one word of api/access/passwords.py's list, or "again"."""

    def __init__(self, detail: str, *, why: str):
        super().__init__(detail, field="new")
        self.why = why


class SignInBusy(ApiError):
    pass


class SignInElsewhere(ApiError):
    """``why``: away (it does not answer), refused (by the person or the provider), no_role, invalid."""

    def __init__(self, detail: str, *, why: str):
        super().__init__(detail)
        self.why = why


class TooManyFailures(ApiError):
    pass


class ScopeMissing(ApiError):
    pass


class PasswordMustChange(ScopeMissing):
    pass


class CrossSite(ApiError):
    pass


class BadRequestBody(ApiError):
    pass


class BadQuestion(ApiError):
    pass


class UnknownPurpose(BadQuestion):
    pass


class OrderMissing(BadQuestion):
    pass


class TooManyCells(BadQuestion):
    pass


class RegisterRefused(ApiError):
    """``faults`` has every row and field at fault."""

    def __init__(self, faults: list[FieldProblem]):
        super().__init__("Nothing was changed.")
        self.faults = faults


class RegisterChanged(ApiError):
    pass


class RevisionMissing(ApiError):
    pass


class NoSuchThing(ApiError):
    pass


class NotNow(ApiError):
    pass


class NoBench(ApiError):
    pass


class BenchRefused(ApiError):
    pass


class BenchAway(ApiError):
    pass


class TooManyStreams(ApiError):
    pass


# exception -> status, name, title. A subclass without a line of its own takes its parent's.
PROBLEMS: dict[type[Exception], tuple[int, str, str]] = {
    NotSignedIn: (401, "not-signed-in", "A token is needed"),
    BadToken: (401, "bad-token", "The token is not valid"),
    BadPassword: (401, "bad-password", "Nobody is signed in"),
    WeakPassword: (422, "weak-password", "The password is too easy to guess"),
    SignInBusy: (503, "sign-in-busy", "Too many people sign in just now"),
    SignInElsewhere: (403, "sign-in-elsewhere", "The office's sign-in did not let you in"),
    TooManyFailures: (429, "too-many-failures", "Too many attempts that failed"),
    ScopeMissing: (403, "scope-missing", "The token does not allow this"),
    PasswordMustChange: (403, "password-must-change", "A password of your own is needed first"),
    CrossSite: (403, "cross-site", "The request came from another site"),
    BadRequestBody: (422, "bad-body", "The body is not what this address reads"),
    BadQuestion: (422, "bad-question", "The question cannot be answered as asked"),
    UnknownPurpose: (422, "unknown-purpose", "A purpose of order P4.7 must be named"),
    OrderMissing: (422, "order-missing", "A recorded order of point 4.3 must be named"),
    TooManyCells: (422, "too-many-cells", "The answer would be too large"),
    RegisterRefused: (422, "register-refused", "The register would have faults"),
    RegisterChanged: (412, "register-changed", "The register was changed meanwhile"),
    RevisionMissing: (428, "revision-missing", "It must say which register it was made from"),
    NoSuchThing: (404, "not-found", "There is no such thing"),
    NotNow: (409, "not-now", "That cannot be done as things stand"),
    NoBench: (404, "no-bench", "Only in the demonstration"),
    BenchRefused: (409, "bench-refused", "The demonstration will not do that"),
    BenchAway: (503, "bench-away", "The demonstration does not answer"),
    TooManyStreams: (503, "too-many-streams", "Too many live streams are open"),
    NotHeld: (422, "bad-question", "The question cannot be answered as asked"),
    StoreError: (503, "no-database", "The database does not answer"),
}
MOST_FAULTS = 500
PROBLEM_TYPE = "urn:zrazkovo:problem:"
UNEXPECTED = (500, "unexpected", "Something went wrong here")


def install(app: FastAPI) -> None:
    """Answer every failure of ``app`` with a problem document.

    ``app.state.problem_page``, if the pages set it to a ProblemPage, answers browsers outside ``/v1``.
    """
    app.state.problem_page = None
    for cls in (ApiError, StoreError):
        app.add_exception_handler(cls, _answer)
    app.add_exception_handler(RequestValidationError, _answer_validation)
    app.add_exception_handler(HTTPException, _answer_http)
    app.add_exception_handler(Exception, _answer_unexpected)


def describe(error: Exception) -> tuple[int, str, str]:
    """The (status, name, title) of an error: its line in PROBLEMS, or its nearest parent's."""
    for cls in type(error).__mro__:
        if cls in PROBLEMS:
            return PROBLEMS[cls]
    return UNEXPECTED


def _answer(request: Request, error: Exception) -> Response:
    status, name, title = describe(error)
    detail = str(error)
    headers = {}
    errors = None
    if isinstance(error, NotHeld):
        detail = "It has a letter or a number that cannot be kept."
    elif isinstance(error, StoreError):
        # The database's own words may name hosts and files: for the log, not for the reader.
        log.error("the database does not answer: %s", error)
        detail = "Try again in a moment."
    if isinstance(error, ApiError):
        if error.retry_after_s is not None:
            headers["Retry-After"] = str(error.retry_after_s)
        if error.field is not None:
            errors = [FieldProblem(parameter=error.field, detail=detail)]
        if isinstance(error, RegisterRefused):
            errors = error.faults[:MOST_FAULTS]
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Bearer realm="zrazkovo"'
    return _document(request, _problem(request, (status, name, title), detail, errors), headers)


def _answer_validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    errors = [
        FieldProblem(parameter=".".join(str(part) for part in each["loc"][1:]), detail=str(each["msg"]))
        for each in error.errors()[:20]
    ]
    names = ", ".join(dict.fromkeys(each.parameter for each in errors))
    problem = _problem(request, PROBLEMS[BadQuestion], f"Not valid: {names}."[:300], errors)
    return _document(request, problem, {})


def _answer_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    described = (status.value, status.phrase.lower().replace(" ", "-"), status.phrase)
    return _document(request, _problem(request, described, None, None), dict(error.headers or {}))


def _answer_unexpected(request: Request, error: Exception) -> Response:
    # Starlette raises the error again after this answer, so the log gets its traceback once.
    return _document(request, _problem(request, UNEXPECTED, None, None), {})


def _problem(
    request: Request,
    described: tuple[int, str, str],
    detail: str | None,
    errors: list[FieldProblem] | None,
) -> Problem:
    status, name, title = described
    return Problem(
        type=PROBLEM_TYPE + name,
        title=title,
        status=status,
        detail=detail or None,
        instance=request.url.path[:200],
        errors=errors,
    )


def _document(request: Request, problem: Problem, headers: dict[str, str]) -> Response:
    page: ProblemPage | None = request.app.state.problem_page
    wants_page = "text/html" in request.headers.get("accept", "")
    if page is not None and wants_page and not request.url.path.startswith("/v1/"):
        response = page(request, problem)
        response.headers.update(headers)
        return response
    body = orjson.dumps(problem.model_dump(exclude_none=True))
    return Response(body, problem.status, headers, media_type="application/problem+json")
