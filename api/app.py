"""``create_app``: the routes, the pages and the live hub put together. It opens no port and no database."""

import asyncio
import contextlib
import functools
import time
from collections.abc import AsyncIterator

from fastapi import FastAPI

from api import (
    access_log,
    aggregates,
    auth,
    comparison,
    devices,
    errors,
    fleet,
    funnel,
    health,
    live,
    pages,
    reconciliation,
    register,
    session,
    signals,
    try_pad,
)
from api.access.elsewhere import Elsewhere
from api.access.slowing import Slowing
from api.bench import Bench
from api.disclosure import routes as disclosure_routes
from api.evidence import routes as evidence_routes
from api.hub import Hub
from api.nightly import Watchman
from api.openapi import openapi_document
from api.parts import Parts
from api.publication import open_data, publishing
from api.reports import routes as report_routes
from api.security import Envelope
from api.settings import Settings
from api.slowdown import Slowdown
from api.telemetry import Telemetry
from collector.store import Store
from schemas.resources import Problem

ROUTERS = (
    access_log.router,
    aggregates.router,
    comparison.router,
    funnel.router,
    signals.router,
    open_data.router,
    publishing.router,
    register.router,
    disclosure_routes.router,
    devices.router,
    fleet.router,
    live.router,
    try_pad.router,
    health.router,
    reconciliation.router,
    session.router,
    report_routes.router,
    evidence_routes.router,
)
_DESCRIPTION = "Ratings of citizen service desks as figures. A single vote is never returned (order P3.2e)."


def create_app(settings: Settings, store: Store) -> FastAPI:
    """The whole application over an open store. Raises RuntimeError if a route says nothing about who may use it."""
    parts = _parts(settings, store)
    app = routes_only()
    app.state.parts = parts
    app.add_middleware(Envelope, telemetry=parts.telemetry)
    errors.install(app)
    pages.install(app, parts)
    auth.check_every_route(app)
    return app


def routes_only() -> FastAPI:
    """The programs' routes with nothing behind them: enough to describe them, not to answer."""
    app = FastAPI(
        title="Zrazkovo",
        version="1",
        description=_DESCRIPTION,
        openapi_url="/v1/openapi.json",
        docs_url=None,  # their pages load scripts from other hosts
        redoc_url=None,
        redirect_slashes=False,  # a redirect would repeat the Host that somebody sent
        lifespan=_lifespan,
        responses={"default": {"model": Problem, "description": "A problem document (RFC 9457)."}},
    )
    for router in ROUTERS:
        app.include_router(router)
    app.openapi = functools.cache(lambda: openapi_document(app))  # type: ignore[method-assign]
    return app


def _parts(settings: Settings, store: Store) -> Parts:
    hub = Hub(store)
    bench = None
    if settings.bench_host is not None and settings.bench_port is not None:
        token = settings.bench_token.get_secret_value() if settings.bench_token else ""
        bench = Bench(settings.bench_host, settings.bench_port, token, on_lamps=hub.show_lamps)
    slow = Slowdown(time.monotonic), Slowing(time.monotonic)
    elsewhere = Elsewhere(settings) if settings.oidc_issuer is not None else None
    return Parts(settings, store, hub, bench, *slow, elsewhere, Telemetry(store, lambda: hub.subscribers))


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    parts: Parts = app.state.parts
    tasks = [asyncio.create_task(parts.hub.run(), name="hub")]
    if parts.bench is not None:
        tasks.append(asyncio.create_task(parts.bench.run(), name="bench"))
    watchman = Watchman(parts.store, parts.settings)
    watchman.start()
    try:
        yield
    finally:
        watchman.stop()
        parts.hub.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
