"""``python -m collector`` backup, restore, recount: what people and timers do to keep the database well."""

import getpass
import json
import sys
import time
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

from collector.archive_commands import all_joined
from collector.errors import BackupError, SettingsError, StoreError
from collector.gaps import Gap
from collector.rollup import AMOUNTS
from collector.settings import Settings
from collector.store import Store
from collector.store.manifest import Manifest, manifest_of, moment, read_manifest
from collector.store.recount import Difference, Recounted, Scope
from collector.store.saving import Newer, newer, save, verify
from collector.store.saving import restore as put_back
from collector.store.upkeep import BACKUP, RECOUNT
from schemas.periods import day_date, day_key

SUFFIX = ".backup"
_PREFIX = "zrazkovo-"
_AGAIN_S = 10.0  # between two lines of progress where no terminal shows it


class Bar:
    """Says on standard error how far a long work has come: in place on a terminal, else a line every ten seconds."""

    def __init__(self, what: str):
        self._what = what
        self._terminal = sys.stderr.isatty()
        self._due_s = time.monotonic() + (0.2 if self._terminal else _AGAIN_S)
        self._shown = False

    def __call__(self, done: int, of: int) -> None:
        if time.monotonic() < self._due_s:
            return
        self._due_s = time.monotonic() + (0.1 if self._terminal else _AGAIN_S)
        self._shown = True
        share = f"{self._what}: {100 * done // max(of, 1):3d} %"
        print(f"\r{share}" if self._terminal else f"{share}\n", end="", file=sys.stderr, flush=True)

    def end(self) -> None:
        if self._shown and self._terminal:
            print("\r" + " " * (len(self._what) + 10) + "\r", end="", file=sys.stderr, flush=True)


@contextmanager
def bar(what: str) -> Iterator[Bar]:
    shown = Bar(what)
    try:
        yield shown
    finally:
        shown.end()


# ---- backup
def backup(settings: Settings, arguments: Namespace) -> int:
    """Saves the database to a file, or to a new file in a folder of which the oldest beyond ``--keep`` are removed."""
    target: Path = arguments.target
    folder = target if target.is_dir() else None
    if arguments.keep is not None and folder is None:
        raise BackupError(f"--keep: {target} is no folder; name the folder that holds the backups")
    if not (folder or target.parent).is_dir():
        raise BackupError(f"{folder or target.parent}: there is no such folder")
    file = folder / f"{_PREFIX}{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}{SUFFIX}" if folder else target
    try:
        with bar("saving") as progress:
            manifest = save(settings.database_url, file, progress)
    except (BackupError, StoreError) as error:
        _enter(settings, BACKUP, ok=False, amount=0, detail=str(error))
        raise
    _enter(settings, BACKUP, ok=True, amount=manifest.bytes, detail=str(file))
    print(f"{file}: {_size(manifest.bytes)}, {_holds(manifest)}")
    for old in _beyond(folder, arguments.keep) if folder and arguments.keep is not None else []:
        if old == file:  # a clock that was set back makes it look old
            continue
        old.unlink()
        manifest_of(old).unlink(missing_ok=True)
        print(f"removed {old}")
    if manifest.differences:
        print(f"attention: {manifest.differences} figures did not agree with their rows: python -m collector recount")
    return 1 if manifest.differences else 0


def restore(settings: Settings, arguments: Namespace) -> int:
    """Makes the database what a backup holds; says first what that would lose, and then only does it with --force."""
    file: Path = arguments.file
    with bar("checking") as progress:
        manifest = verify(file, progress)
    print(f"{file}: made {manifest.made}, {_holds(manifest)}")
    lost = newer(settings.database_url, manifest)
    words = _lost(lost)
    if words:
        print(words)
        if not arguments.force:
            raise BackupError("nothing was changed; --force puts the backup back all the same, and keeps the old aside")
    with bar("restoring") as progress:
        done = put_back(settings.database_url, file, getpass.getuser(), progress)
    print("the database is what the backup was" + (f"; what was there is kept as {done.aside}" if done.aside else ""))
    print(_after(settings, manifest))
    if done.differences:
        print(f"attention: {done.differences} figures do not agree with their rows: python -m collector recount")
    return 1 if done.differences else 0


def _after(settings: Settings, manifest: Manifest) -> str:
    told = f"votes received after {manifest.last_vote} are not in it, and pads were told that those were kept"
    if settings.spool is not None:
        return f"{told}.\nTake them in again: python -m collector replay {settings.spool}"
    return (
        f"{told};\nno spool is set, so nobody has them any more. When pads vote again, `python -m collector doctor`\n"
        "names the numbers that are missing at each desk. Set `spool` to lose nothing the next time."
    )


# ---- recount
def recount(settings: Settings, arguments: Namespace) -> int:
    """Compares figures with the rows they come from; exit code 1 if they differ. Changes one only for --repair."""
    scope = Scope(arguments.branch, _day(arguments.first, "--from"), _day(arguments.last, "--to"), arguments.cut)
    began = time.monotonic()
    with Store.open(settings.database_url) as store:
        _require_branch(store, scope.branch)
        with bar("counting") as progress:
            filed = all_joined(store, arguments.archive) if arguments.archive else None
            found = store.upkeep.recount(scope, progress, filed)
        if scope.is_everything or found.sentences:
            detail = f"{scope}: {found.calls} calls, {found.votes} votes"
            store.upkeep.note(
                RECOUNT, getpass.getuser(), ok=not found.sentences, amount=len(found.sentences), detail=detail
            )
        missing = store.upkeep.gaps() if scope.is_everything else []
        if arguments.json:
            print(json.dumps(_as_json(scope, found, missing, time.monotonic() - began), ensure_ascii=False, indent=1))
        else:
            _tell(scope, found, missing)
        if (found.differences or found.months or found.served) and arguments.repair:
            changed = _repair(store, scope, arguments.archive)
            return 1 if found.waiting or changed < len(found.differences) else 0
    return 1 if found.sentences else 0


def _repair(store: Store, scope: Scope, archive: Path | None) -> int:
    """How many rows were corrected; of archived days none is, unless their files are in ``archive``."""
    print("collector: counting again while nobody else writes; pads and feeds keep what they have meanwhile")
    with bar("counting") as progress:
        filed = all_joined(store, archive) if archive else None
        changed = store.upkeep.repair(getpass.getuser(), scope, progress, filed)
    for each in changed:
        print(f"corrected: {each}")
    print(f"collector: {len(changed)} rows of the roll-up now say what their rows do; each change is in the book")
    return len(changed)


def _tell(scope: Scope, found: Recounted, missing: list[Gap]) -> None:
    for sentence in found.sentences:
        print(sentence)
    for gap in missing:
        print(f"{gap} are missing, given between {moment(gap.after_unix_ms)} and {moment(gap.before_unix_ms)}")
    if found.differences or found.months or found.served:
        print("collector: to write what the rows say, after you know why they differ: recount --repair")
    if found.first_day is not None:
        print(
            f"collector: days before {day_date(found.first_day)} are archived and were not counted again;"
            " to count them from the files: recount --archive FOLDER"
        )
    if not found.sentences:
        of = "" if scope.is_everything else f" ({scope})"
        print(f"collector: every figure agrees with the rows it comes from{of}")


def _as_json(scope: Scope, found: Recounted, missing: list[Gap], seconds: float) -> dict[str, object]:
    return {
        "scope": scope._asdict(),
        "calls": found.calls,
        "votes": found.votes,
        "first_day": found.first_day,
        "seconds": round(seconds, 3),
        "differences": [_difference(each) for each in found.differences],
        "months": [sentence for _, sentence in found.months],
        "served": [sentence for _, sentence in found.served],
        "waiting": found.waiting,
        "missing": [gap._asdict() for gap in missing],
    }


def _difference(each: Difference) -> dict[str, object]:
    cut, branch, key, day = each.key
    return {
        "cut": cut,
        "branch": branch,
        "key": key,
        "day": day,
        "stored": dict(zip(AMOUNTS, each.stored, strict=True)),
        "counted": dict(zip(AMOUNTS, each.counted, strict=True)),
    }


# ---- words and files
def _lost(lost: Newer) -> str:
    if lost.problem:
        return f"what is there now cannot be read: {lost.problem}"
    if not lost.votes and not lost.calls:
        return ""
    last = f", the last vote of {moment(lost.last_vote_unix_ms)}" if lost.votes else ""
    return f"this would lose what came after it: {lost.votes} votes and {lost.calls} calls{last}"


def _holds(manifest: Manifest) -> str:
    return f"{manifest.calls} calls, {manifest.votes} votes, the last of {manifest.last_vote}"


def _size(number: int) -> str:
    return f"{number / 1e6:.1f} MB" if number < 1e9 else f"{number / 1e9:.2f} GB"


def _beyond(folder: Path, keep: int) -> list[Path]:
    """Backups made here by themselves beyond the newest ``keep``; what somebody named is that one's to remove."""
    ours = []
    for file in folder.glob(f"{_PREFIX}[0-9]*{SUFFIX}"):
        try:
            ours.append((read_manifest(file).made_unix_ms, file))
        except BackupError:
            continue
    return [file for _, file in sorted(ours, reverse=True)[keep:]]


def _enter(settings: Settings, what: str, *, ok: bool, amount: int, detail: str) -> None:
    """Into the book; a database that cannot take it now is no reason to throw a good backup away."""
    try:
        with Store.open(settings.database_url) as store:
            store.upkeep.note(what, getpass.getuser(), ok=ok, amount=amount, detail=detail)
    except StoreError as error:
        print(f"collector: not entered into the book: {error}", file=sys.stderr)


def _day(text: str | None, option: str) -> int | None:
    if text is None:
        return None
    try:
        return day_key(date.fromisoformat(text))
    except ValueError:
        raise SettingsError(f"{option}: {text!r} is not a day like {datetime.now(UTC).date()}") from None


def _require_branch(store: Store, branch: str | None) -> None:
    known = [each.id for each in store.register().branches]
    if branch is not None and branch not in known:
        raise StoreError(f"the register knows no branch {branch!r}, only {', '.join(known) or 'none at all'}")
