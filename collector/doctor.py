"""``python -m collector doctor``: looks at all that the collector stands on and says what to do. Changes nothing.

Each check is a function that gives findings. A check that fails on its own account is a finding, too: the others go on.
"""

import os
import shutil
import subprocess
import sys
import time
from argparse import Namespace
from collections.abc import Callable, Iterator
from pathlib import Path

from collector.certificates import first_to_end, validity
from collector.doctor_figures import figures
from collector.errors import BrokerError, CollectorError
from collector.exposition import sqlite_folder
from collector.probe import knock, login
from collector.settings import Settings
from collector.store.checkup import QUICK_CHECK_BYTES, Checkup, look
from collector.tls import trust
from schemas.findings import ATTENTION, FAILED, OK, Finding, as_json, as_text, exit_code, summary
from schemas.settings import BadSettings

_DAYS_ATTENTION, _DAYS_FAILED = 30, 3
_FREE_ATTENTION, _FREE_FAILED = 0.15, 0.03
_FREE_ALWAYS_BYTES = 20_000_000_000  # so much free is enough, whatever the share
_LOG_BYTES = 500_000_000
_CLOCK_S = 2.0

Check = Callable[[], Iterator[Finding]]


def doctor(settings: Settings, arguments: Namespace) -> int:
    """Exit code 0: all is well; 1: something wants attention; 2: something does not work."""
    findings = examined(settings, with_login=arguments.login)
    if arguments.json:
        print(as_json(findings))
    else:
        terminal = sys.stdout.isatty()
        width = shutil.get_terminal_size().columns if terminal else 80
        colour = terminal and not os.environ.get("NO_COLOR")
        print(as_text(findings, width=width, colour=colour))
        print(summary(findings))
    return exit_code(findings)


def examined(settings: Settings, *, with_login: bool) -> list[Finding]:
    """Every finding, in the order in which one would mend things."""
    checks: dict[str, Check] = {
        "settings": lambda: _settings(settings),
        "broker": lambda: _broker(settings, with_login),
        "certificate": lambda: _files(settings),
        "clock": _clock,
        "database": lambda: _database(settings),
        "disk": lambda: _disk(settings),
        "figures": lambda: figures(settings),
    }
    return [finding for what, check in checks.items() for finding in guarded(what, check)]


def guarded(what: str, check: Check) -> Iterator[Finding]:
    try:
        yield from check()
    except CollectorError as error:
        yield Finding(FAILED, what, str(error))
    except Exception as error:  # a doctor who faints says nothing of the other patients
        yield Finding(FAILED, what, f"could not be looked at: {type(error).__name__}: {error}")


def expiry(what: str, of: str, ends_unix_s: float, renew: str) -> Finding:
    """How long a certificate is still good."""
    days = (ends_unix_s - time.time()) / 86_400
    if days < 0:
        return Finding(FAILED, what, f"{of} has ended {-days:.0f} days ago", renew)
    level = FAILED if days < _DAYS_FAILED else ATTENTION if days < _DAYS_ATTENTION else OK
    return Finding(level, what, f"{of} is good for {days:.0f} days", "" if level == OK else renew)


def _settings(settings: Settings) -> Iterator[Finding]:
    try:
        settings.require_secrets()
        trust(settings)
    except (BadSettings, CollectorError) as error:
        yield Finding(FAILED, "settings", str(error))
        return
    yield Finding(OK, "settings", "complete")
    local = settings.broker_host in ("localhost", "::1") or settings.broker_host.startswith("127.")
    if settings.broker_ca is None and not local:
        said = f"the line to {settings.broker_host} is not encrypted: passwords and votes can be read on the way"
        yield Finding(ATTENTION, "settings", said, "set broker_ca to the authority's certificate and use the TLS port")
    if settings.spool is None:
        said = "no spool: a backup that is put back loses every vote that came after it"
        yield Finding(ATTENTION, "settings", said, 'set spool = "FOLDER" on another disk than the database')


def _broker(settings: Settings, with_login: bool) -> Iterator[Finding]:
    address = (settings.broker_host, settings.broker_port)
    believed = trust(settings)
    try:
        shown = knock(address, believed)
    except BrokerError as error:
        yield Finding(FAILED, "broker", str(error), "is it running, and are broker_host and broker_port its own?")
        return
    yield Finding(OK, "broker", f"{address[0]}:{address[1]} answers" + (" and proves who it is" if shown else ""))
    if shown:
        ends = validity(shown).ends_unix_s
        yield expiry("broker", "its certificate", ends, "issue a new one for the broker and have it reload (SIGHUP)")
    if not with_login:
        yield Finding(OK, "broker", "not logged in: --login tries name, password and access list (see its help)")
        return
    yield from _rights(settings)


def _rights(settings: Settings) -> Iterator[Finding]:
    rights = login(
        (settings.broker_host, settings.broker_port),
        trust(settings),
        user=settings.broker_user,
        password=settings.secret("broker_password"),
        session=settings.session,
        group=settings.shared_group,
    )
    yield Finding(OK, "broker", f"lets {settings.broker_user!r} in")
    fix = "write the broker's access list anew: python -m deploy (the table is protocol/access.py)"
    if not rights.subscribes:
        yield Finding(FAILED, "access", "the collector may not hear votes and queue events", fix)
    if rights.acknowledges is False:
        yield Finding(FAILED, "access", "the collector may not acknowledge: pads would send for ever", fix)
    if rights.calls:
        said = "whoever has the collector's password may tell pads which call is open: the access list is too wide"
        yield Finding(ATTENTION, "access", said, fix)
    if rights.subscribes and rights.acknowledges and rights.calls is False:
        yield Finding(OK, "access", "may hear votes and acknowledge them, and may not open calls")


def _files(settings: Settings) -> Iterator[Finding]:
    for name, path in (("broker_ca", settings.broker_ca), ("broker_certificate", settings.broker_certificate)):
        if path is None:
            continue
        try:
            yield expiry("certificate", name, first_to_end(path).ends_unix_s, f"renew {path}")
        except (OSError, ValueError) as error:
            yield Finding(FAILED, "certificate", f"{name}: {path}: {error}")
    key = settings.broker_key
    if key is not None and key.exists() and key.stat().st_mode & 0o077:
        yield Finding(ATTENTION, "certificate", f"others may read the key {key}", f"chmod 600 {key}")


def _clock() -> Iterator[Finding]:
    """Whether this machine's clock is kept right; late or early it dates votes wrongly and makes TLS fail."""
    asked = {
        "timedatectl": (("show", "--property=NTPSynchronized", "--value"), "yes"),
        "chronyc": (("-n", "tracking"), "Normal"),
    }
    for program, (arguments, good) in asked.items():
        found = shutil.which(program)
        if found is None:
            continue
        done = subprocess.run([found, *arguments], capture_output=True, text=True, check=False, timeout=5)
        if done.returncode == 0:
            if good in done.stdout:
                yield Finding(OK, "clock", f"is kept right ({program})")
            else:
                yield Finding(ATTENTION, "clock", f"is not synchronised ({program})", "timedatectl set-ntp true")
            return
    yield Finding(ATTENTION, "clock", "nobody here can tell whether it is kept right", "apt-get install chrony")


def _database(settings: Settings) -> Iterator[Finding]:
    found = look(settings.database_url)
    yield Finding(OK, "database", f"{found.engine}, {found.size_bytes / 1e6:,.0f} MB")
    if found.tables is None:
        yield Finding(FAILED, "database", "it has none of our tables", "python -m collector migrate")
    elif found.tables != found.wanted:
        newer = found.tables > found.wanted
        said = f"its tables are of version {found.tables}, this program's of {found.wanted}"
        fix = "upgrade the program" if newer else "take a backup, then: python -m collector migrate"
        yield Finding(FAILED if newer else ATTENTION, "database", said, fix)
    yield from _soundness(found)
    if found.clock_off_s is not None and abs(found.clock_off_s) > _CLOCK_S:
        said = f"the database server's clock is {found.clock_off_s:+.1f} s off this one"
        yield Finding(ATTENTION, "clock", said, "have both machines' clocks kept right by the same servers")


def _soundness(found: Checkup) -> Iterator[Finding]:
    if found.durable:
        said = f"a power cut may take votes that were acknowledged: {found.durable}"
        yield Finding(FAILED, "database", said, "put the database's own defaults back, they survive one")
    if found.damage:
        said = f"damaged: {found.damage}"
        yield Finding(FAILED, "database", said, "stop everything; python -m collector restore FILE; then replay")
    elif found.damage is None and found.size_bytes > QUICK_CHECK_BYTES and found.file is not None:
        yield Finding(OK, "database", "too large to be read through here; each backup reads every page of it")
    if found.locked:
        yield Finding(ATTENTION, "database", found.locked, "find and end what holds it; ingesting waits meanwhile")
    if found.log_bytes and found.log_bytes > _LOG_BYTES:
        said = f"its write-ahead log has {found.log_bytes / 1e6:,.0f} MB: some reader never ends"
        yield Finding(ATTENTION, "database", said, "restart the api and whoever else reads it")


def _disk(settings: Settings) -> Iterator[Finding]:
    folders = {sqlite_folder(settings.database_url): "database", settings.spool: "spool"}
    for folder, whose in folders.items():
        if folder is None:
            continue
        there = next((each for each in (folder, *folder.parents) if each.exists()), Path("/"))
        usage = shutil.disk_usage(there)
        share = usage.free / usage.total
        enough = usage.free > _FREE_ALWAYS_BYTES
        level = FAILED if share < _FREE_FAILED else ATTENTION if share < _FREE_ATTENTION and not enough else OK
        said = f"{usage.free / 1e9:,.1f} GB free for the {whose} ({share:.0%})"
        yield Finding(level, "disk", said, "" if level == OK else f"make room where {there} lies, or move it")
