"""A month's calls and votes as files: written, read back and held against their manifest. No database, no decisions.

    2026-03/calls.jsonl.gz         a call a line, a JSON list; without the pseudonym of its ticket
    2026-03/votes.jsonl.gz         a vote a line
    2026-03/unavailable.jsonl.gz   where no pad was lit
    2026-03/services.jsonl.gz      every service of a call that had several
    2026-03/manifest.json          columns, counts and SHA-256 of the files, what they count for by branch and day

Lines are in the order of their calls, so that files of any size are joined by reading them once, side by side. A folder
under its final name is whole: it is written beside, read back, and then renamed.
"""

import fcntl
import gzip
import hashlib
import itertools
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from collector.errors import CollectorError, Declined
from collector.model import CallRow, VoteRow
from collector.rollup import COUNTING, NOBODY, NOTHING, Amounts, Joined, differences
from schemas.months import month_name

FORMAT = 1
MANIFEST = "manifest.json"
_CALLS, _VOTES, _UNAVAILABLE = "calls", "votes", "unavailable"
_TABLES = {_CALLS, _VOTES, _UNAVAILABLE, "services"}
_AT_ONCE = 10_000

Rows = Iterable[Sequence[Any]]
Sums = dict[str, dict[int, Amounts]]  # by branch, then local day


class BadArchive(CollectorError):
    """Files of an archive are missing or not what their manifest says."""


@dataclass(frozen=True)
class Filed:
    """A month's files, read back and found whole; ``digest`` is the manifest's SHA-256, ``aside`` what lay there."""

    folder: Path
    month: int
    calls: int
    votes: int
    digest: str
    sums: Sums
    aside: Path | None = None


def folder_of(archive: Path, month: int) -> Path:
    return archive / month_name(month)


@contextmanager
def claimed(archive: Path) -> Iterator[None]:
    """The folder is this process's to write into. Raises Declined if another one is at it.

    Of two at once the slower one would file what the faster one has left in the database.
    """
    try:
        archive.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(archive, os.O_RDONLY)
    except OSError as error:
        raise BadArchive(f"{archive}: {error.strerror}") from None
    try:
        _lock(descriptor, archive)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, archive: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Declined(f"{archive}: another archiving is at work there") from None
    except OSError:
        pass  # a file system without locks: the database looks again before it believes the files (Archive.filed)


def write(archive: Path, month: int, columns: Mapping[str, list[str]], rows: Mapping[str, Rows]) -> Filed:
    """Files the rows, each in the order of their calls, and reads them back.

    Other files of that month, of another database or of before a restore, may be the only home of their votes: they
    are kept beside.
    """
    final = folder_of(archive, month)
    beside = final.with_name(final.name + ".part")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True, mode=0o700)
    tables = {name: _write_file(beside / _file(name), columns[name], rows[name]) for name in rows}
    # What the files count for is counted from the files, not from what went into them.
    sums = _sums(_joined(beside, {name: table["columns"] for name, table in tables.items()}))
    manifest = {
        "format": FORMAT,
        "month": month_name(month),
        "tables": tables,
        "counting": COUNTING,
        "by_branch_and_day": sums,
    }
    _put(beside / MANIFEST, json.dumps(manifest, indent=1, ensure_ascii=False).encode())
    filed = read(beside, month)
    _sync(beside)
    aside = _make_room(final, filed.digest)
    beside.rename(final)
    _sync(archive)
    return Filed(final, month, filed.calls, filed.votes, filed.digest, filed.sums, aside)


def read(folder: Path, month: int) -> Filed:
    """Reads every byte of the files in ``folder``. Raises BadArchive if anything is not as the manifest says."""
    content = _bytes(folder / MANIFEST)
    manifest = _manifest(content, folder, month)
    tables = manifest["tables"]
    for name, table in tables.items():
        path = folder / _file(name)
        rows, digest = _measured(path)
        if (rows, digest) != (table["rows"], table["sha256"]):
            raise BadArchive(f"{path}: is damaged: its manifest says otherwise")
    sums = _sums(_joined(folder, {name: table["columns"] for name, table in tables.items()}))
    # Of a version that counted by other rules, the rows are what is to be believed; their digests are good.
    if manifest.get("counting") == COUNTING and _plain(sums) != manifest["by_branch_and_day"]:
        raise BadArchive(f"{folder}: its rows do not count for what its manifest says")
    digest = hashlib.sha256(content).hexdigest()
    return Filed(folder, month, tables[_CALLS]["rows"], tables[_VOTES]["rows"], digest, sums)


def joined(folder: Path, month: int) -> Iterator[Joined]:
    """The calls of the files with their votes, in the order of the calls."""
    manifest = _manifest(_bytes(folder / MANIFEST), folder, month)
    return _joined(folder, {name: table["columns"] for name, table in manifest["tables"].items()})


def chunks(folder: Path, name: str) -> Iterator[list[list[Any]]]:
    """The rows of one file, some thousand at once."""
    chunk: list[list[Any]] = []
    for row in _lines(folder / _file(name)):
        chunk.append(row)
        if len(chunk) == _AT_ONCE:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _make_room(final: Path, digest: str) -> Path | None:
    """Takes away what is at ``final``, if it is just what comes there; else gives its new name."""
    if not final.exists():
        return None
    manifest = final / MANIFEST
    if manifest.exists() and hashlib.sha256(manifest.read_bytes()).hexdigest() == digest:
        shutil.rmtree(final)
        return None
    free = (final.with_name(f"{final.name}.before-{number}") for number in itertools.count(1))
    aside = next(path for path in free if not path.exists())
    final.rename(aside)
    return aside


def _file(name: str) -> str:
    return f"{name}.jsonl.gz"


def _write_file(path: Path, columns: list[str], rows: Rows) -> dict[str, Any]:
    """One file; what its manifest says of it, the digest being that of the lines."""
    count, digest = 0, hashlib.sha256()
    with path.open("xb") as file:
        with gzip.GzipFile(fileobj=file, mode="wb", compresslevel=6, mtime=0, filename="") as packed:
            for row in rows:
                line = json.dumps(list(row), separators=(",", ":"), ensure_ascii=False).encode() + b"\n"
                packed.write(line)
                digest.update(line)
                count += 1
        file.flush()
        os.fsync(file.fileno())
    return {"columns": columns, "rows": count, "sha256": digest.hexdigest()}


def _measured(path: Path) -> tuple[int, str]:
    count, digest = 0, hashlib.sha256()
    for line in _raw_lines(path):
        digest.update(line)
        count += 1
    return count, digest.hexdigest()


def _raw_lines(path: Path) -> Iterator[bytes]:
    try:
        with gzip.open(path) as file:
            yield from file
    except (OSError, EOFError, ValueError) as error:
        raise BadArchive(f"{path}: cannot be read: {error}") from None


def _lines(path: Path) -> Iterator[list[Any]]:
    for line in _raw_lines(path):
        try:
            yield json.loads(line)
        except ValueError as error:
            raise BadArchive(f"{path}: not JSON: {error}") from None


def _joined(folder: Path, columns: Mapping[str, list[str]]) -> Iterator[Joined]:
    """Votes and unlit pads are looked for beside their calls: all three files are in the order of calls."""
    votes, flags = _Beside(folder / _file(_VOTES)), _Beside(folder / _file(_UNAVAILABLE))
    in_vote = [columns[_VOTES].index(name) for name in VoteRow._fields]
    for row in _lines(folder / _file(_CALLS)):
        values = dict(zip(columns[_CALLS], row, strict=True))
        call = CallRow._make(values.get(name) for name in CallRow._fields)
        vote = next((each for each in votes.of(call.id) if each[1] == call.desk), None)
        unlit = any(each[1] == call.desk for each in flags.of(call.id))
        yield Joined(call, VoteRow._make(vote[place] for place in in_vote) if vote else None, unlit)


class _Beside:
    """The lines of a file about one call after another; both its first columns are the call and the desk."""

    def __init__(self, path: Path):
        self._lines = _lines(path)
        self._next = next(self._lines, None)

    def of(self, call: str) -> list[list[Any]]:
        found = []
        while self._next is not None and self._next[0] <= call:
            if self._next[0] == call:
                found.append(self._next)
            self._next = next(self._lines, None)
        return found


def _sums(calls: Iterable[Joined]) -> Sums:
    sums: Sums = {}
    for each in calls:
        for (cut, branch, _, day), more in differences([(NOBODY, each)]):
            if cut == "branch":
                days = sums.setdefault(branch, {})
                days[day] = tuple(map(sum, zip(days.get(day, NOTHING), more, strict=True)))
    return sums


def _plain(sums: Sums) -> Any:
    return json.loads(json.dumps(sums))


def _manifest(content: bytes, folder: Path, month: int) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads(content)
        known = manifest["format"] == FORMAT and set(manifest["tables"]) == _TABLES
    except (ValueError, KeyError, TypeError):
        known = False
    if not known:
        raise BadArchive(f"{folder / MANIFEST}: not a manifest of this program's")
    if manifest["month"] != month_name(month):
        raise BadArchive(f"{folder}: holds {manifest['month']}, not {month_name(month)}")
    return manifest


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadArchive(f"{path}: {error.strerror}") from None


def _put(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    """A renaming is on the disk when its folder is."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
