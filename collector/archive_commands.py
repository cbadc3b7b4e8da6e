"""``python -m collector archive``: whole months of calls and votes leave the database for files, and come back.

What leaves is not gone: DESIGN section 3, point 7 holds on, with the files as the vote's home. So every step can be
died in and begun again, the files are read back before any row goes, and nothing goes without ``--yes``.
"""

import time
from argparse import Namespace
from calendar import monthrange
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from collector import archive
from collector.archive import BadArchive, Filed
from collector.errors import Declined, SettingsError
from collector.rollup import AMOUNTS, NOTHING, Joined
from collector.settings import Settings
from collector.store import Store
from collector.store.archive import FILED, Month, columns_of
from schemas.months import later, month_name, month_of, read_month

# A month is closed so long after its end: complaints about it may take 45 days (domain study, section 5), and a pad or
# a feed that was cut off has told by then what it had.
CLOSED_AFTER_DAYS = 45
_DAY_MS = 86_400_000


def run(settings: Settings, arguments: Namespace) -> int:
    """Archives, or takes back; without ``--yes`` only says what it would do."""
    if (arguments.before is None) == (arguments.restore is None):
        raise SettingsError("archive: give either --before MONTH or --restore MONTH")
    if arguments.folder is None and (arguments.yes or arguments.restore):
        raise SettingsError("archive: give --to FOLDER, where the files are or shall be")
    with Store.open(settings.database_url) as store:
        if arguments.restore is not None:
            return _restore(store, arguments.folder, _month("--restore", arguments.restore), arguments.yes)
        before = _month("--before", arguments.before)
        if not arguments.yes:
            return _archive(store, None, before)
        with archive.claimed(arguments.folder):
            return _archive(store, arguments.folder, before)


def _archive(store: Store, folder: Path | None, before: int) -> int:
    """Into ``folder``; None: only says what it would do."""
    months = [month for month in store.archive.months(before) if month.state != "done"]
    if not months:
        print(f"collector: nothing of before {month_name(before)} is left to archive")
        return 0
    _refuse_open_months(store, before, months)
    for month in months:
        print(f"{month_name(month.month)}: {month.calls:,} calls, {month.votes:,} votes, {month.state}")
        if folder is not None:
            _archive_one(store, folder, month)
    if folder is None:
        print("collector: nothing was done; to write them to files and remove them here: --to FOLDER --yes")
    return 0


def _refuse_open_months(store: Store, before: int, months: list[Month]) -> None:
    open_since = month_of(_now_unix_ms() - CLOSED_AFTER_DAYS * _DAY_MS)
    if before > open_since:
        raise Declined(
            f"{month_name(later(before, -1))} is not closed: that is {CLOSED_AFTER_DAYS} days after its end;"
            f" the latest possible is --before {month_name(open_since)}"
        )
    for month in months:
        waiting = store.archive.waiting(month.month)
        if waiting:
            raise Declined(
                f"{month_name(month.month)}: {waiting} votes wait for calls that no feed has told;"
                " look into it first: what is archived can no longer be joined"
            )


def _archive_one(store: Store, folder: Path, month: Month) -> None:
    if month.state == "open":
        store.archive.freeze(month.month, _now_unix_ms())
    if month.digest is None:
        names = {name: columns_of(name) for name in FILED}
        rows = {name: store.archive.rows(month.month, name) for name in FILED}
        filed = archive.write(folder, month.month, names, rows)
        if filed.aside is not None:
            print(f"  other files of that month lay there; they are kept as {filed.aside}")
        _compare_figures(store, filed)
        month = Month(month.month, "filed", filed.calls, filed.votes, filed.digest)
        store.archive.filed(month)
    else:
        filed = _filed(folder, month)
    store.archive.empty(month.month, _now_unix_ms())
    print(f"  in {filed.folder}: {filed.calls:,} calls, {filed.votes:,} votes; no longer in the database")


def _compare_figures(store: Store, filed: Filed) -> None:
    """Of the days that lie in this month whatever the branch's time zone: all but the first and the last."""
    first, last = filed.month * 100 + 2, filed.month * 100 + monthrange(*divmod(filed.month, 100))[1] - 1
    stored = {
        (row.branch, row.day): tuple(getattr(row, name) for name in AMOUNTS)
        for row in store.rollups("branch", first, last)
    }
    counted = {
        (branch, day): amounts
        for branch, days in filed.sums.items()
        for day, amounts in days.items()
        if first <= day <= last
    }
    for branch, day in sorted(stored.keys() | counted.keys()):
        figures, rows = (found.get((branch, day), NOTHING) for found in (stored, counted))
        if figures != rows:
            raise Declined(
                f"branch {branch} on {day}: the figures say {figures}, the rows {rows};"
                " nothing is removed before that is settled (recount)"
            )


def _filed(folder: Path, month: Month) -> Filed:
    filed = archive.read(archive.folder_of(folder, month.month), month.month)
    if filed.digest != month.digest:
        raise BadArchive(f"{filed.folder}: not the files that this database was archived to")
    return filed


def all_joined(store: Store, folder: Path) -> Iterator[Joined]:
    """The calls of every archived month with their votes, in the order of their ids, from files that were looked at."""
    months = [month for month in store.archive.months(later(month_of(_now_unix_ms()))) if month.state != "open"]
    if any(month.state == "frozen" for month in months):
        raise Declined("an archiving was broken off: finish it first (archive --before ... --yes)")
    folders = [(_filed(folder, month).folder, month.month) for month in months]
    return (each for path, month in folders for each in archive.joined(path, month))


def _restore(store: Store, folder: Path, first: int, yes: bool) -> int:
    months = [month for month in store.archive.months(later(month_of(_now_unix_ms()))) if month.month >= first]
    wanted = [month for month in reversed(months) if month.state == "done"]
    if any(month.state in ("frozen", "filed") for month in months):
        raise Declined("an archiving was broken off: finish it first (archive --before ... --yes)")
    for month in wanted:  # all of them are looked at before anything is taken in
        filed = _filed(folder, month)
        print(f"{month_name(month.month)}: {filed.calls:,} calls, {filed.votes:,} votes in {filed.folder}")
    for month in wanted if yes else ():
        store.archive.put_back(month.month, _rows(archive.folder_of(folder, month.month)))
        print(f"  {month_name(month.month)} is in the database again; its files stay where they are")
    if not wanted:
        print(f"collector: no month from {month_name(first)} on is archived")
    elif not yes:
        print("collector: nothing was done; to take them in: --yes")
    return 0


def _rows(folder: Path) -> Iterator[tuple[str, list[list[Any]]]]:
    for name in FILED:
        for chunk in archive.chunks(folder, name):
            yield name, chunk


def _month(option: str, text: str) -> int:
    try:
        return read_month(text)
    except ValueError:
        raise SettingsError(f"archive: {option} {text}: not a month like 2026-03") from None


def _now_unix_ms() -> int:
    return time.time_ns() // 1_000_000
