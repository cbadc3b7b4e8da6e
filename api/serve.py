"""Uvicorn, held the way this application needs it: live streams end before it waits, and SIGTERM means exit 0."""

import ipaddress
import logging
import signal
import socket
import sys
from types import FrameType

import uvicorn
from fastapi import FastAPI

from api.parts import Parts
from api.settings import Settings
from schemas.garbage import look_for_rings_seldom
from schemas.service import Service

log = logging.getLogger("api")
access_log = logging.getLogger("uvicorn.access")

STOP_S = 3  # a request that takes longer is cut off when we are asked to stop


class Server(uvicorn.Server):
    """Says once that it is ready, and closes the live streams first: uvicorn waits for open answers to end."""

    def __init__(self, config: uvicorn.Config, parts: Parts):
        super().__init__(config)
        self._parts = parts
        self._service = Service()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for each in sockets or ():
            host, port = each.getsockname()[:2]
            self._service.ready("serves")
            log.info("ready on http://%s:%d", f"[{host}]" if ":" in host else host, port)

    async def on_tick(self, counter: int) -> bool:
        self._service.alive()
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._service.stopping()
        self._parts.hub.close()
        await super().shutdown(sockets)


def listening_socket(settings: Settings) -> socket.socket:
    """A socket bound to the settings' address. Raises OSError when the address is taken or not ours."""
    family = socket.AF_INET6 if ":" in settings.listen_host else socket.AF_INET
    bound = socket.create_server((settings.listen_host, settings.listen_port), family=family, backlog=512)
    if not _is_loopback(settings.listen_host):
        log.warning("listening beyond this machine: put a reverse proxy with TLS in front, tokens travel in the clear")
    return bound


def serve(app: FastAPI, settings: Settings, bound: socket.socket) -> None:
    """Serve until SIGTERM or SIGINT, then return; takes over the process's signal handlers."""
    # uvicorn raises the signal once more after its own stop, for the handler that was there before: this one.
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, _asked_to_stop)
    server = make_server(app, settings)
    look_for_rings_seldom()
    server.run(sockets=[bound])


def make_server(app: FastAPI, settings: Settings) -> Server:
    """A server for ``app`` that waits for ``run``."""
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)  # its own start and stop lines say what ours says
    access_log.addFilter(_without_query)
    config = uvicorn.Config(
        app,
        loop="uvloop" if sys.platform != "win32" else "auto",
        http="httptools",
        ws="none",
        log_config=None,
        access_log=True,
        server_header=False,
        proxy_headers=True,
        forwarded_allow_ips=list(settings.trusted_proxies),
        timeout_graceful_shutdown=STOP_S,
    )
    return Server(config, app.state.parts)


def _asked_to_stop(_signal: int, _frame: FrameType | None) -> None:
    """The stop has been made already."""


def _without_query(record: logging.LogRecord) -> bool:
    """Cut the query string: it holds purposes and operators. The arguments are uvicorn's: client, method, path, ..."""
    if isinstance(record.args, tuple) and len(record.args) == 5:
        client, method, path, version, status = record.args
        record.args = (client, method, str(path).partition("?")[0], version, status)
    return True


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
