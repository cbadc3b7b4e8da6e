"""What the collector's command line can do, a function a command. Parsing arguments is __main__.py's work."""

import logging
import signal
import time
from argparse import Namespace
from collections import Counter
from datetime import UTC, datetime
from itertools import islice

from collector.chores import Chores
from collector.errors import RegisterError, SettingsError
from collector.exposition import expose
from collector.metrics import Metrics
from collector.model import FAILED, UNKNOWN_BRANCH, UNKNOWN_DESK
from collector.mqtt import BATCH_MESSAGES, Broker
from collector.register import read_register
from collector.serve import Stop, open_store, serve, take
from collector.settings import Settings
from collector.spool import Spool, Spooled
from collector.spool import read as read_spool
from collector.store import Store
from collector.store.limits import chosen, described
from collector.store.retention import Periods
from collector.tls import trust
from schemas.garbage import look_for_rings_seldom

log = logging.getLogger("collector")

_DAY_MS = 86_400_000
_AUTHOR = "command line"  # who made a token, as the access log's page shows it


def run(settings: Settings, _: Namespace) -> int:
    """Collects until SIGTERM or SIGINT."""
    password = settings.secret("broker_password")
    believed = trust(settings)
    stop = Stop()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.wish())

    def connect() -> Broker:
        return Broker(
            (settings.broker_host, settings.broker_port),
            user=settings.broker_user,
            password=password,
            client_id=settings.session,
            shared_group=settings.shared_group,
            trust=believed,
        )

    loaded = read_register(settings.register_file) if settings.register_file else None
    store = open_store(settings.database_url, stop)
    if store is not None:
        with store:
            if loaded is not None and store.book.load_file(loaded) is None:
                log.warning(
                    "%s is left alone: both it and the register changed since it was last loaded; see register diff",
                    settings.register_file,
                )
            metrics = Metrics(store, settings)
            endpoint = expose(metrics.registry, settings)
            spool = Spool(settings.spool, days=settings.spool_days) if settings.spool else None
            look_for_rings_seldom()
            chores = Chores(store, Periods(settings.ticket_days, settings.access_log_days))
            serve(Spooled(store, spool) if spool else store, connect, stop, metrics, chores.step)
            if spool is not None:
                spool.close()
            if endpoint is not None:
                endpoint.close()
    log.info("stopped")
    return 0


def check_config(settings: Settings, _: Namespace) -> int:
    """Says that the settings, which have been read, would do to collect."""
    settings.require_secrets()
    trust(settings)
    if settings.register_file:
        try:
            read_register(settings.register_file)
        except RegisterError as error:
            raise SettingsError(f"register_file: {error}") from None
    print("collector: the settings are good")
    return 0


def replay(settings: Settings, arguments: Namespace) -> int:
    """Takes in again what spools hold: after a backup was put back. Collectors may run meanwhile.

    Exit code 1 if something was not taken in for good.
    """
    counts: Counter[str] = Counter()
    with Store.open(settings.database_url) as store:
        arrivals = read_spool(arguments.folder)
        while batch := list(islice(arrivals, BATCH_MESSAGES)):
            counts.update(answer.disposition for answer in take(store, batch))
    parts = ", ".join(f"{name} {number}" for name, number in counts.most_common())
    print(f"{counts.total()} messages: {parts or 'nothing was there'}")
    if counts[UNKNOWN_DESK] or counts[UNKNOWN_BRANCH]:
        print("attention: desks or branches that the register does not know, as it is older than the messages;")
        print("load the newer register (python -m collector register), then replay once more: nothing counts twice")
    if counts[FAILED]:
        print(f"attention: {counts[FAILED]} messages could not be taken in, see above; keep the spool")
    return 1 if counts[UNKNOWN_DESK] or counts[UNKNOWN_BRANCH] or counts[FAILED] else 0


def migrate(settings: Settings, _: Namespace) -> int:
    """Brings the database to this version's tables."""
    Store.open(settings.database_url).close()
    print("the database is up to date")
    return 0


def token_create(settings: Settings, arguments: Namespace) -> int:
    """Prints a new token, this once. Raises Declined for a limit that is not in the register."""
    expires = None if arguments.days is None else _now_unix_ms() + arguments.days * _DAY_MS
    scopes = [scope.strip() for scope in arguments.scopes.split(",") if scope.strip()]
    with Store.open(settings.database_url) as store:
        limits = chosen(
            store.book.whole()[1],
            branches=arguments.branch,
            participants=arguments.participant,
            directions=arguments.direction,
        )
        secret = store.create_token(arguments.name, scopes, expires, limits=limits, created_by=_AUTHOR)
        store.staff.note(_AUTHOR, "token", arguments.name, f"{' '.join(sorted(scopes))} {described(limits)}".strip())
        print(secret)
    return 0


def token_list(settings: Settings, _: Namespace) -> int:
    """One line a token: name, scopes, validity, and the limits where it has some."""
    with Store.open(settings.database_url) as store:
        for token in store.tokens():
            validity = _validity(token.expires_unix_ms, token.revoked_unix_ms)
            print(token.name, ",".join(sorted(token.scopes)), validity, *described(token.limits).split())
    return 0


def token_revoke(settings: Settings, arguments: Namespace) -> int:
    """Ends a token and the sessions opened with it."""
    with Store.open(settings.database_url) as store:
        store.revoke_token(arguments.name)
        store.staff.note(_AUTHOR, "revoked", arguments.name)
    return 0


def _validity(expires_unix_ms: int | None, revoked_unix_ms: int | None) -> str:
    if revoked_unix_ms is not None:
        return f"revoked {_date(revoked_unix_ms)}"
    return "for ever" if expires_unix_ms is None else f"until {_date(expires_unix_ms)}"


def _date(unix_ms: int) -> str:
    return datetime.fromtimestamp(unix_ms / 1000, UTC).date().isoformat()


def _now_unix_ms() -> int:
    return time.time_ns() // 1_000_000
