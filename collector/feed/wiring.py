"""Puts the feed together out of its settings and runs it until a signal. It reads no environment."""

import logging
import signal
import socket
import ssl
import time
from collections.abc import Callable
from functools import partial
from types import FrameType

import uvicorn

from collector.errors import SettingsError
from collector.feed.body import WEBHOOK, Reader
from collector.feed.errors import BadSettings
from collector.feed.health import Heart, health
from collector.feed.intake import Intake
from collector.feed.metrics import Metrics
from collector.feed.publisher import Publisher
from collector.feed.recording import Recorder
from collector.feed.register_watch import RegisterWatch
from collector.feed.registry import ADAPTERS
from collector.feed.settings import Settings
from collector.feed.site import site_of
from collector.feed.source import Means, Source
from collector.feed.store import FeedStore
from collector.feed.webhook import create_app
from collector.line import Broker
from collector.tls import Trust, trust
from schemas.service import Service

logger = logging.getLogger(__name__)


def check(settings: Settings) -> None:
    """Raises BadSettings if the settings do not fit the register; opens no store and no connection."""
    site_of(settings)
    _trust(settings)
    _https(settings)


class Feed:
    """One running feed: store, intake, publisher, webhook."""

    def __init__(self, settings: Settings):
        self.site = site_of(settings)
        self._settings = settings
        self._https = _https(settings)
        self._store = FeedStore.open(settings.database_url)
        branches, desks = self.site.branches, dict(self.site.desks)
        self._watch = RegisterWatch(settings, self.site, desks)
        self._publisher = Publisher(self._store, _broker(settings), branches)
        self._intake = Intake(self._store, self._publisher, branches=branches, desks=desks, clock=unix_ms)
        self._publisher.attach(retell=self._intake.tell_all, tick=self._tick)
        self._heart = Heart(self._publisher, self._store, self._intake, unix_ms)
        self._reader = Reader(desks, frozenset(branches), self.site.ticket_secret, self.site.seats)
        self._sources = self._open_sources()
        self._record: Callable[[int, object], None] = lambda at_unix_ms, value: None
        if settings.record_folder is not None:
            recorder = Recorder(settings.record_folder)
            self._record = partial(recorder.write, WEBHOOK)
            for source in self._sources:
                source.recorder = recorder

    def run(self) -> None:
        """Serves until SIGTERM or SIGINT; raises OSError if the port is taken."""
        if not self._settings.tokens and not self._sources:
            logger.warning("no tokens: every webhook request will be refused; see `python -m collector.feed token`")
        with socket.create_server((self._settings.listen_host, self._settings.listen_port)) as listening:
            self._store.begin_journals(unix_ms())
            self._intake.expire()  # what ended while the feed was down is closed before any pad hears of it
            self._publisher.start()
            for source in self._sources:
                source.start()
            try:
                self._serve(listening)
            finally:
                for source in self._sources:
                    source.stop()
                self._publisher.stop()
                self._store.close()

    def _tick(self) -> None:
        self._watch.look()
        self._intake.expire()
        self._heart.beat(self._sources)

    def health(self) -> dict[str, object]:
        said = health(self._publisher, self._store, self._sources, self.site, unix_ms())
        return said | {"register": self._watch.health()}

    def _open_sources(self) -> list[Source]:
        found = []
        for kind, adapter in ADAPTERS.items():
            for table in getattr(self._settings, kind):
                secret = self._settings.secret_of(table.name)
                found.append(adapter.opens(table, Means(self.site, self._intake, self._store, unix_ms, secret)))
        return found

    def _metrics(self) -> Metrics:
        return Metrics(
            self._settings,
            self._store,
            self._publisher,
            self._sources,
            list(self.site.branches),
            last_events=self._intake.last_event_unix_ms,
            clock=unix_ms,
        )

    def _serve(self, listening: socket.socket) -> None:
        app = create_app(
            self._intake,
            self._reader,
            digests=self._settings.tokens,
            health=self.health,
            metrics=self._metrics().text,
            clock=unix_ms,
            record=self._record,
            routes=[route for source in self._sources for route in source.routes],
        )
        https = self._https
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=5,
            ssl_context_factory=(lambda _config, _default: https) if https else None,
        )
        server = _Server(config)
        # uvicorn raises the signal again when it has stopped; ours is at work then, and a stop is no failure.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, server.leave)
        server.run([listening])


class _Server(uvicorn.Server):
    service = Service()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and sockets:
            host, port = sockets[0].getsockname()[:2]
            self.service.ready("serves")
            logger.info("ready: %s://%s:%d", "https" if self.config.ssl else "http", host, port)

    async def on_tick(self, counter: int) -> bool:
        self.service.alive()
        return await super().on_tick(counter)

    def leave(self, number: int, frame: FrameType | None) -> None:
        self.service.stopping()
        self.should_exit = True


def unix_ms() -> int:
    return time.time_ns() // 1_000_000


def _broker(settings: Settings) -> Broker:
    password = settings.broker_password
    return Broker(
        host=settings.broker_host,
        port=settings.broker_port,
        user=settings.broker_user,
        password=password.get_secret_value() if password else None,
        client_id=settings.client_id,
        trust=_trust(settings),
    )


def _https(settings: Settings) -> ssl.SSLContext | None:
    """Raises BadSettings naming a file that cannot be used."""
    if settings.listen_certificate is None or settings.listen_key is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(settings.listen_certificate, settings.listen_key, lambda: "")
    except OSError as error:  # ssl.SSLError among them
        why = error.strerror or "not a certificate and its key"
        raise BadSettings(f"listen_certificate, listen_key: {settings.listen_certificate}: {why}") from None
    return context


def _trust(settings: Settings) -> Trust | None:
    try:
        return trust(settings)
    except SettingsError as error:
        raise BadSettings(str(error)) from None
