"""What the fleet's command line can do, a function a command. All but ``run`` only write to the store, or read it."""

import getpass
import logging
import signal
import ssl
import time
from argparse import Namespace
from datetime import UTC, datetime

from collector.errors import StoreError
from collector.exposition import expose
from collector.fleet.alerts import Hook, Mailer, Post, recipients
from collector.fleet.metrics import registry
from collector.fleet.passwords import PasswordFile, rendered
from collector.fleet.queues import QueueLimits
from collector.fleet.rollout import summary
from collector.fleet.service import Service, clock
from collector.fleet.settings import Settings
from collector.fleet.shelf import Shelf
from collector.fleet.watch import Limits
from collector.line import Broker
from collector.serve import Stop, open_store
from collector.store import Fault, Rollout, Store
from collector.tls import trust
from schemas.register import desks_by_branch

_LOOK_EVERY_S = 0.5
_COMMAND_S = 75.0
STOPPED_EXIT = 3


def run(settings: Settings, _: Namespace) -> int:
    """Serves until SIGTERM or SIGINT."""
    password = settings.secret("broker_password")
    stop = Stop()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.wish())
    broker = Broker(
        settings.broker_host,
        settings.broker_port,
        settings.broker_user,
        password,
        settings.client_id,
        trust(settings),
    )
    store = open_store(settings.database_url, stop)
    if store is not None:
        with store:
            service = make_service(store, broker, settings)
            endpoint = expose(registry(store, settings, lambda: service.connected), settings)
            service.run(stop)
            if endpoint is not None:
                endpoint.close()
    logging.getLogger("fleet").info("stopped")
    return 0


def check_config(settings: Settings, _: Namespace) -> int:
    """Says that the settings, which have been read, would do to serve."""
    settings.require_secrets()
    trust(settings)
    print("fleet: the settings are good")
    return 0


def make_service(store: Store, broker: Broker, settings: Settings) -> Service:
    """The service that ``settings`` describe."""

    def to_be_told(fault: Fault) -> set[str]:
        return recipients(
            fault,
            tell=settings.tell,
            it_mail=settings.it_mail,
            head_mail=settings.head_mail,
            webhooks=settings.webhooks,
        )

    passwords = None
    if settings.password_base is not None and settings.password_file is not None:
        reload = settings.broker_pid_file or settings.broker_reload
        passwords = PasswordFile(settings.password_base, settings.password_file, reload)
    return Service(
        store,
        broker,
        limits=_limits(settings),
        queue_limits=QueueLimits(
            quiet_ms=int(settings.feed_quiet_minutes * 60_000),
            pulse_ms=int(settings.feed_silent_s * 1000),
            grace_ms=int(settings.grace_s * 1000),
        ),
        shelf=Shelf(settings.releases),
        post=_post(store, settings),
        recipients=to_be_told,
        passwords=passwords,
        per_second=settings.pieces_per_second,
    )


def faults(settings: Settings, _: Namespace) -> int:
    """One line an open fault; exit code 1 if there are any."""
    with Store.open(settings.database_url) as store:
        found = store.fleet.faults(is_open=True)
    for fault in reversed(found):
        since = datetime.fromtimestamp(fault.opened_unix_ms / 1000, UTC).isoformat(timespec="seconds")
        print(f"{since}  {fault.place or 'broker'}  {fault.kind}  {fault.detail}".rstrip())
    if not found:
        print("fleet: nothing is wrong with any pad")
    return 1 if found else 0


def command(settings: Settings, arguments: Namespace) -> int:
    """Asks, waits and prints what came of it; exit code 1 unless the pad did it."""
    values = dict(_setting(each) for each in arguments.set) if arguments.do == "settings" else None
    if arguments.set and values is None:
        raise StoreError("NAME=NUMBER belongs to settings only")
    with Store.open(settings.database_url) as store:
        asked = store.fleet.ask(arguments.desk, arguments.do, getpass.getuser(), values)
        deadline = time.monotonic() + _COMMAND_S
        while time.monotonic() < deadline:
            found = next(each for each in store.fleet.commands(arguments.desk) if each.id == asked)
            if found.outcome is not None:
                print(f"{arguments.desk} {arguments.do}: {found.outcome}")
                return 0 if found.outcome in ("done", "sent") else 1
            time.sleep(_LOOK_EVERY_S)
    raise StoreError("nobody carries it out: is `python -m collector.fleet` running?")


def retire(settings: Settings, arguments: Namespace) -> int:
    """Ends the registration of a desk's pad; exit code 1 if there was none."""
    with Store.open(settings.database_url) as store:
        was_there = store.fleet.retire_pad(arguments.desk)
    print(f"{arguments.desk}: {'retired' if was_there else 'no pad was registered'}")
    return 0 if was_there else 1


def passwords(settings: Settings, arguments: Namespace) -> int:
    """Prints the lines of a branch's registered pads, for the password file of that branch's own broker."""
    with Store.open(settings.database_url) as store:
        desks = desks_by_branch(store.register()).get(arguments.branch)
        if desks is None:
            raise StoreError(f"the register knows no branch {arguments.branch!r}")
        print(rendered("", (each for each in store.fleet.credentials() if each.desk in desks)), end="")
    return 0


def rollout_start(settings: Settings, arguments: Namespace) -> int:
    """Begins a roll-out, which the service then carries out."""
    with Store.open(settings.database_url) as store:
        stages = [stage.strip() for stage in arguments.stages.split(",")]
        store.fleet.start_rollout(
            arguments.version,
            getpass.getuser(),
            stages=stages,
            soak_s=arguments.soak,
            limit_s=arguments.limit,
            allowed=arguments.allow,
        )
        return _show(store, arguments.wait)


def rollout_status(settings: Settings, arguments: Namespace) -> int:
    """How the newest roll-out stands."""
    with Store.open(settings.database_url) as store:
        return _show(store, arguments.wait)


def rollout_wish(settings: Settings, arguments: Namespace) -> int:
    """pause, resume, stop, undo."""
    with Store.open(settings.database_url) as store:
        newest = store.fleet.wish(arguments.wish, getpass.getuser())
    print(f"roll-out of {newest.version}: {newest.state}")
    return 0


def _show(store: Store, wait: bool) -> int:
    """Prints every change until the roll-out has ended, or how it stands once."""
    last = ""
    while True:
        newest = next(iter(store.fleet.rollouts(1)), None)
        if newest is None:
            raise StoreError("there has been no roll-out yet")
        line = _line(newest, summary(store.fleet.pads_of(newest.id)))
        if line != last:
            print(line, flush=True)
            last = line
        if not wait or newest.ended_unix_ms is not None:
            return STOPPED_EXIT if newest.state in ("stopped", "undone") else 0
        time.sleep(_LOOK_EVERY_S)


def _line(newest: Rollout, counts: dict[str, int]) -> str:
    parts = ", ".join(f"{number} {state}" for state, number in sorted(counts.items())) or "not planned yet"
    stage = f"stage {newest.stage + 1} of {len(newest.stages)} ({newest.stages[newest.stage]})"
    return f"{newest.version}: {newest.state}, {stage}: {parts}" + (f"; {newest.reason}" if newest.reason else "")


def _setting(text: str) -> tuple[str, int]:
    name, _, number = text.partition("=")
    if not number.isdecimal() or not number.isascii():
        raise StoreError(f"{text!r} is not NAME=NUMBER")
    return name, int(number)


def _limits(settings: Settings) -> Limits:
    return Limits(
        armed_ms=int(settings.armed_s * 1000),
        grace_ms=int(settings.grace_s * 1000),
        offline_ms=int(settings.offline_s * 1000),
        silent_ms=int(settings.silent_s * 1000),
        broker_ms=int(settings.broker_s * 1000),
        restarts=settings.restarts,
        restarts_within_ms=int(settings.restarts_within_s * 1000),
    )


def _post(store: Store, settings: Settings) -> Post | None:
    mailer = hook = None
    if settings.mail_host is not None and settings.mail_from is not None:
        trust = ssl.create_default_context(cafile=settings.mail_ca_file) if settings.mail_ca_file else None
        secret = settings.mail_password
        mailer = Mailer(
            settings.mail_host,
            settings.mail_port,
            settings.mail_from,
            settings.mail_starttls,
            settings.mail_user,
            secret.get_secret_value() if secret else None,
            trust,
        )
    if settings.webhook_secret is not None:
        hook = Hook(settings.webhook_secret.get_secret_value())
    if mailer is None and hook is None:
        return None
    return Post(
        mailer,
        hook,
        told=store.fleet.told,
        put_off=store.fleet.put_off,
        gather_s=settings.gather_s,
        fold_s=settings.fold_s,
        clock=clock(),
    )
