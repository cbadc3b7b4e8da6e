"""The feed's HTTP side: ``POST /v1/queue-events`` and ``GET /v1/health``. The only file of the feed that knows FastAPI.

202 is answered when the events are on disk and the desks are told, never before. Every refusal is a problem document
(RFC 9457) and takes nothing. No log line here names a ticket or a token.
"""

import asyncio
import hashlib
import hmac
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, cast

from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from pydantic.json_schema import models_json_schema
from starlette.exceptions import HTTPException

from collector.errors import StoreError
from collector.feed import source
from collector.feed.body import Fault, NotJson, Reader, in_words, recordable
from collector.feed.intake import Intake
from collector.feed.source import Route
from schemas.logs import about
from schemas.webhook import MOST_EVENTS, Problem, QueueNews, Receipt

logger = logging.getLogger(__name__)

MOST_BYTES = 256 * 1024
BODY_WITHIN_S = 10.0
MOST_FAULTS = 20
TITLES = {
    400: "Not JSON",
    401: "Not authorised",
    404: "No such resource",
    405: "Method not allowed",
    408: "Too slow",
    413: "Too large",
    415: "Not application/json",
    422: "Events refused",
    500: "Internal error",
    503: "Cannot be kept now",
}

_PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"
_REF = "#/components/schemas/"
# The body is read by hand, to keep to its limits of size and time; this is how other people's tools see it.
_BODY = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {
                "anyOf": [
                    {"$ref": _REF + "QueueNews"},
                    {"type": "array", "minItems": 1, "maxItems": MOST_EVENTS, "items": {"$ref": _REF + "QueueNews"}},
                ]
            }
        }
    },
}
_REFUSALS: dict[int | str, dict[str, Any]] = {
    status: {
        "description": TITLES[status],
        "content": {"application/problem+json": {"schema": {"$ref": _REF + "Problem"}}},
    }
    for status in (400, 401, 408, 413, 415, 422, 503)
}


class Refused(Exception):
    """An answer other than 202, as a problem document."""

    def __init__(self, status: int, detail: str, faults: Iterable[Fault] = ()):
        super().__init__(detail)
        self.status, self.detail, self.faults = status, detail, list(faults)


def create_app(
    intake: Intake,
    reader: Reader,
    *,
    digests: Iterable[str],
    health: Callable[[], Mapping[str, object]],
    metrics: Callable[[], bytes] = bytes,
    clock: Callable[[], int],
    routes: Iterable[Route] = (),
    record: Callable[[int, object], None] = lambda at_unix_ms, value: None,
) -> FastAPI:
    """The application.

    Args:
        digests: SHA-256, in hex, of every token that may send events.
        health: what ``GET /v1/health`` answers.
        metrics: what ``GET /metrics`` does.
        clock: the wall clock, Unix milliseconds.
        record: keeps what came, without tickets' keys and labels, if somebody wants it kept.
        routes: paths of queue systems that call us in words of their own; they stand in no document.
    """
    app = FastAPI(title="Zrazkovo: the feed", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    allowed = tuple(digests)

    @app.post(
        "/v1/queue-events",
        status_code=202,
        response_model=Receipt,
        responses=_REFUSALS,
        openapi_extra={"requestBody": _BODY, "security": [{"token": []}]},
    )
    async def queue_events(request: Request) -> JSONResponse:
        """Takes queue events: one, or a list of up to 500. All of them are taken, or none."""
        _authorise(request, allowed)
        _require_json(request)
        body = await _body(request)
        return JSONResponse(await run_in_threadpool(_take, intake, reader, body, clock(), record), 202)

    @app.get("/v1/health")
    def get_health() -> JSONResponse:
        """Whether the broker is connected, and what still waits for the collector, by branch."""
        return JSONResponse(dict(health()), headers={"Cache-Control": "no-store"})

    @app.get("/metrics", include_in_schema=False)
    def get_metrics() -> Response:
        return Response(metrics(), media_type=_PROMETHEUS, headers={"Cache-Control": "no-store"})

    for route in routes:
        app.add_api_route(route.path, _endpoint(route), methods=[route.method], include_in_schema=False)
    _answer_with_problems(app)
    return app


def document() -> dict[str, Any]:
    """The OpenAPI document of this side, for those who connect a queue system."""
    app = create_app(cast(Intake, None), cast(Reader, None), digests=(), health=dict, clock=int)  # nobody is served
    made = app.openapi()
    _, shapes = models_json_schema([(QueueNews, "validation"), (Problem, "validation")], ref_template=_REF + "{model}")
    made.setdefault("components", {}).setdefault("schemas", {}).update(shapes["$defs"])
    made["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    return made


def _endpoint(route: Route) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        asked = source.Request(
            request.method,
            request.url.path,
            request.url.query,
            {name.lower(): value for name, value in request.headers.items()},
            await _body(request),
        )
        reply = await run_in_threadpool(route.take, asked)
        return Response(reply.body, reply.status, media_type=reply.media_type)

    return endpoint


def _take(
    intake: Intake, reader: Reader, body: bytes, now_unix_ms: int, record: Callable[[int, object], None]
) -> dict[str, int]:
    started = time.perf_counter()
    try:
        events = reader.read(body, now_unix_ms)
    except NotJson as error:
        raise Refused(400, f"the body is not JSON: {error}") from None
    if isinstance(events, list):
        record(now_unix_ms, {"refused": [in_words(fault) for fault in events[:MOST_FAULTS]]})
        raise Refused(422, "nothing of this request was taken", events)
    accepted = intake.accept(events)
    record(now_unix_ms, recordable(events))
    took_ms = (time.perf_counter() - started) * 1000
    said = {"accepted": accepted.accepted, "repeated": accepted.repeated}
    logger.info("took %d events, %d repeated, in %.1f ms", *said.values(), took_ms, extra=about(**said))
    return said


def _authorise(request: Request, digests: tuple[str, ...]) -> None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    presented = hashlib.sha256(token.strip().encode()).hexdigest()
    # Every digest is compared, in constant time, so that the answer's time tells nothing.
    matches = [hmac.compare_digest(presented, digest) for digest in digests]
    if scheme.lower() != "bearer" or not any(matches):
        raise Refused(401, "a valid bearer token is needed")


def _require_json(request: Request) -> None:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Refused(415, "the body must be application/json")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise Refused(415, "the body must not be compressed")


async def _body(request: Request) -> bytes:
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > MOST_BYTES:
        raise Refused(413, f"the body has more than {MOST_BYTES} bytes")
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_WITHIN_S):
            async for part in request.stream():
                body += part
                if len(body) > MOST_BYTES:
                    raise Refused(413, f"the body has more than {MOST_BYTES} bytes")
    except TimeoutError:
        raise Refused(408, f"the body did not come within {BODY_WITHIN_S:.0f} seconds") from None
    return bytes(body)


def _answer_with_problems(app: FastAPI) -> None:
    @app.exception_handler(Refused)
    async def refused(request: Request, refusal: Refused) -> JSONResponse:
        logger.info("refused with %d: %s", refusal.status, refusal.detail)
        errors = [{"pointer": fault.pointer, "detail": fault.detail} for fault in refusal.faults[:MOST_FAULTS]]
        return _problem(refusal.status, refusal.detail, errors)

    @app.exception_handler(HTTPException)
    async def routing(request: Request, error: HTTPException) -> JSONResponse:
        return _problem(error.status_code, str(error.detail), headers=error.headers)

    @app.exception_handler(StoreError)
    async def not_kept(request: Request, error: StoreError) -> JSONResponse:
        logger.error("%s", error)
        return _problem(503, "the events could not be written down; send them again", headers={"Retry-After": "5"})

    @app.exception_handler(Exception)
    async def unforeseen(request: Request, error: Exception) -> JSONResponse:
        return _problem(500, "an error of ours; the events may be sent again")


def _problem(
    status: int,
    detail: str,
    errors: list[dict[str, str]] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    document: dict[str, Any] = {"type": "about:blank", "title": TITLES.get(status, "Error"), "status": status}
    document["detail"] = detail
    if errors:
        document["errors"] = errors
    more = dict(headers or {})
    if status == 401:
        more["WWW-Authenticate"] = "Bearer"
    return JSONResponse(document, status, more, media_type="application/problem+json")
