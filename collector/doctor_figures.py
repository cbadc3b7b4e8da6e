"""What the doctor finds in the database's rows: register, figures, backups, faults, missing votes. Changes nothing."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from collector.errors import StoreError
from collector.settings import Settings
from collector.store import Store
from collector.store.checkup import look
from collector.store.manifest import moment
from collector.store.numbers import first_id_at
from collector.store.recount import Scope
from collector.store.upkeep import BACKUP, RECOUNT
from schemas.findings import ATTENTION, FAILED, OK, Finding
from schemas.opening import is_open
from schemas.periods import day_key

_BACKUP_ATTENTION_S, _BACKUP_FAILED_S = 2 * 86_400, 8 * 86_400
_WAITING_MS = 3_600_000
_GAPS_DAYS = 35
_MOST_SHOWN = 5
_CLOCK_OFF_MS = 2000


def figures(settings: Settings) -> Iterator[Finding]:
    """Only of a database that has this version's tables: to look is not to migrate."""
    try:
        found = look(settings.database_url)
    except StoreError:
        return  # which the look at the database has told
    if found.tables != found.wanted:
        return
    with Store.open(settings.database_url) as store:
        yield from _register(store)
        yield from _pads(store)
        yield from _arrivals(store)
        yield from _backups(store)
        yield from _recounts(store)
        yield from _missing(store)


def _register(store: Store) -> Iterator[Finding]:
    register = store.register()
    if not register.desks:
        fix = "python -m collector register FILE, or set register_file"
        yield Finding(FAILED, "register", "it names no desk: every vote would be kept and none counted", fix)
        return
    said = f"{len(register.branches)} branches, {len(register.services)} services, {len(register.desks)} desks"
    yield Finding(OK, "register", said)
    hourless = {each.id for each in register.branches} - {each.branch for each in register.hours}
    if hourless:
        said = f"no opening hours for {_some(sorted(hourless))}: a feed that falls silent there is not noticed"
        yield Finding(ATTENTION, "register", said, "add the hours to the register")
    now_unix_ms = time.time_ns() // 1_000_000
    silent_since = now_unix_ms - 2 * 3_600_000
    heard = store.upkeep.branches_called_since(first_id_at(silent_since))
    for branch in register.branches:
        is_at_work = is_open(register, branch, now_unix_ms) and is_open(register, branch, silent_since)
        if is_at_work and branch.id not in heard:
            said = f"{branch.id} is open, but nobody was called there for two hours"
            yield Finding(ATTENTION, "feed", said, "ask the feed where it runs: curl http://127.0.0.1:8085/v1/health")


def _pads(store: Store) -> Iterator[Finding]:
    pads = store.pads()
    never = [pad.desk for pad in pads if pad.state is None]
    if never:
        said = f"{len(never)} of {len(pads)} desks never had a pad: {_some(never)}"
        yield Finding(ATTENTION, "pads", said, "flash one (make flash), or end the desk in the register")
    elif pads:
        yield Finding(OK, "pads", f"each of {len(pads)} desks has had one")
    off = [pad.desk for pad in pads if abs((pad.health or {}).get("clock_off_ms") or 0) > _CLOCK_OFF_MS]
    if off:
        said = f"the clocks of {len(off)} pads are more than two seconds off: {_some(off)}"
        yield Finding(ATTENTION, "clock", said, "give the pads the office's own time server")
    faults = store.fleet.faults(is_open=True)
    if faults:
        kinds = sorted({fault.kind for fault in faults})
        yield Finding(
            ATTENTION, "pads", f"{len(faults)} faults are open: {_some(kinds)}", "python -m collector.fleet faults"
        )


def _arrivals(store: Store) -> Iterator[Finding]:
    vitals = store.upkeep.vitals()
    oldest = vitals.oldest_waiting_unix_ms
    if oldest is not None and time.time_ns() // 1_000_000 - oldest > _WAITING_MS:
        said = f"{vitals.waiting} votes wait for their calls, the oldest since {moment(oldest)}"
        fix = "the feed's events do not arrive; ask it where it runs: curl http://127.0.0.1:8085/v1/health"
        yield Finding(ATTENTION, "votes", said, fix)
    else:
        yield Finding(OK, "votes", f"{vitals.waiting} wait for their calls" if vitals.waiting else "none is waiting")
    strangers = {name: number for name, number in vitals.kept.items() if name in ("unknown_desk", "unknown_branch")}
    if strangers:
        said = f"{sum(strangers.values())} messages of desks or branches that the register does not know"
        yield Finding(ATTENTION, "votes", said, "add them to the register: their votes are sent again and then count")


def _backups(store: Store) -> Iterator[Finding]:
    fix = "python -m collector backup FOLDER --keep 14, every night"
    last, good = store.upkeep.last(BACKUP), store.upkeep.last(BACKUP, ok=True)
    if good is None:
        yield Finding(ATTENTION, "backup", "none was ever made", fix)
    else:
        age_s = time.time() - good.at_unix_ms / 1000
        level = FAILED if age_s > _BACKUP_FAILED_S else ATTENTION if age_s > _BACKUP_ATTENTION_S else OK
        said = f"the last of {moment(good.at_unix_ms)}, opened and counted again: {good.detail}"
        yield Finding(level, "backup", said, "" if level == OK else fix)
    if last is not None and not last.ok:
        yield Finding(ATTENTION, "backup", f"the last attempt, {moment(last.at_unix_ms)}, failed: {last.detail}")


def _recounts(store: Store) -> Iterator[Finding]:
    """The last day that is over everywhere, counted again; and what the last whole recount found."""
    day = datetime.now(UTC) - timedelta(days=2)
    key = day_key(day.date())
    from_id = first_id_at(int((day - timedelta(days=2)).timestamp() * 1000))
    found = store.upkeep.recount(Scope(None, key, key, None, from_id))
    if found.differences:  # or a feed of another make gives ids that are not of time: then every call is read
        found = store.upkeep.recount(Scope(None, key, key))
    if found.differences:
        said = f"{len(found.differences)} figures of {day.date()} differ from their rows, as {found.differences[0]}"
        yield Finding(FAILED, "figures", said, "python -m collector recount")
    else:
        yield Finding(OK, "figures", f"those of {day.date()} agree with their rows ({found.calls} calls)")
    last = store.upkeep.last(RECOUNT)
    if last is not None and not last.ok:
        said = f"the recount of {moment(last.at_unix_ms)} found {last.amount} differences"
        yield Finding(FAILED, "figures", said, "python -m collector recount")


def _missing(store: Store) -> Iterator[Finding]:
    since = time.time_ns() // 1_000_000 - _GAPS_DAYS * 86_400_000
    gaps = store.upkeep.gaps(since)
    for gap in gaps[:_MOST_SHOWN]:
        said = f"{gap} {'is' if gap.votes == 1 else 'are'} missing, given between {moment(gap.after_unix_ms)}"
        fix = "after a backup was put back: python -m collector replay SPOOL"
        yield Finding(ATTENTION, "votes", f"{said} and {moment(gap.before_unix_ms)}", fix)
    if len(gaps) > _MOST_SHOWN:
        votes = sum(gap.votes for gap in gaps)
        yield Finding(ATTENTION, "votes", f"{votes} are missing in all", "python -m collector recount --json")


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _MOST_SHOWN} more" if len(names) > _MOST_SHOWN else ""
    return ", ".join(names[:_MOST_SHOWN]) + more
