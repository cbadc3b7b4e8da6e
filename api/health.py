"""``GET /v1/health`` for whatever watches the service, ``GET /metrics`` for Prometheus. No figures of anybody."""

import logging
import time
from typing import Annotated

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST

from api.auth import open_to_all, require
from api.parts import parts_of
from collector.store import Store, StoreError, Token
from schemas.resources import HealthResource

log = logging.getLogger("api.health")

router = APIRouter()


@router.get(
    "/v1/health",
    response_model=HealthResource,
    responses={503: {"model": HealthResource}},
    dependencies=[open_to_all],
)
def read_health(request: Request) -> Response:
    """Whether the database answers and how fresh it is; 503 when it does not answer."""
    parts = parts_of(request)
    try:
        reachable, age_s = True, _newest_message_age_s(parts.store)
    except StoreError as error:
        log.error("the database does not answer: %s", error)
        reachable, age_s = False, None
    health = HealthResource(
        status="ok" if reachable else "unavailable",
        database="reachable" if reachable else "unreachable",
        newest_message_age_s=age_s,
        live_streams=parts.hub.subscribers,
    )
    return Response(health.model_dump_json(), 200 if reachable else 503, media_type="application/json")


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
def read_metrics(request: Request, _token: Annotated[Token, require("metrics")]) -> Response:
    """Totals of the store and this process's answers, for Prometheus."""
    return Response(parts_of(request).telemetry.text(), media_type=CONTENT_TYPE_LATEST)


def _newest_message_age_s(store: Store) -> float | None:
    heard = [moment for pad in store.pads() for moment in (pad.changed_unix_ms, pad.health_unix_ms) if moment]
    return max(0.0, time.time() - max(heard) / 1000) if heard else None
