"""Copies an SQLite database out while others write to it, and puts a copy in its place. It decides nothing.

The copy is of one moment: a read transaction is held open from its first page to its last, so no writer makes it begin
anew and none waits for it. Put in place is a file by one rename, so that whoever is cut off finds the old or the new.
"""

import os
import shutil
import sqlite3
from pathlib import Path

from collector.errors import BackupError
from collector.store.recount import Progress

_PAGES = 4096  # between two words of progress


class Damaged(Exception):
    """The file is there, but it is no database that can be read."""


def file_of(database: str | None) -> Path:
    assert database
    return Path(database)


def copy_out(database: Path, part: Path, progress: Progress) -> None:
    """Writes ``database`` as it is now to ``part``. Raises BackupError."""
    if not database.exists():
        raise BackupError(f"{database}: there is no such database")
    need, free = database.stat().st_size, shutil.disk_usage(part.parent).free
    if need > free:
        raise BackupError(f"{part.parent}: {free >> 20} MB free, but {need >> 20} are needed")
    os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        source = sqlite3.connect(f"file:{_quoted(database)}?mode=ro", uri=True, isolation_level=None, timeout=30)
        target = sqlite3.connect(part, isolation_level=None)
        try:
            source.execute("BEGIN")
            source.execute("SELECT count(*) FROM sqlite_master").fetchone()  # from here on the moment stands
            source.backup(target, pages=_PAGES, progress=lambda _, left, pages: progress(pages - left, pages))
        finally:
            target.close()
            source.close()
    except sqlite3.Error as error:
        raise BackupError(f"{database}: cannot be copied: {error}") from None


def check(file: Path) -> None:
    """Raises BackupError if the file is no sound database."""
    connection = sqlite3.connect(f"file:{_quoted(file)}?mode=ro", uri=True)
    try:
        (said,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.Error as error:
        said = str(error)
    finally:
        connection.close()
    if said != "ok":
        raise BackupError(f"{file}: damaged: {said}")


def make_single_file(file: Path) -> None:
    """A database that was looked at in WAL mode becomes one file again."""
    connection = sqlite3.connect(file, isolation_level=None)
    try:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("PRAGMA journal_mode = DELETE")
    finally:
        connection.close()


def require_nobody(database: Path) -> None:
    """Raises BackupError if any process has the database open, and Damaged if nobody can.

    Its writes would go on into a file without a name, and be acknowledged. In exclusive mode SQLite wants the
    database's shared memory for itself, which nobody can have while another connection is open.
    """
    connection = sqlite3.connect(database, isolation_level=None, timeout=0)
    try:
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("BEGIN EXCLUSIVE")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        connection.execute("COMMIT")
    except sqlite3.OperationalError as error:
        raise BackupError(
            f"{database} is in use ({error}): stop the collector, the fleet service and the api first"
        ) from None
    except sqlite3.DatabaseError as error:
        raise Damaged(f"{database} is damaged ({error})") from None
    finally:
        connection.close()


def put_in_place(fresh: Path, database: Path, aside: Path) -> None:
    """``fresh`` becomes ``database``; what was there is ``aside`` from then on. Nobody has either of them open."""
    if database.exists():
        os.link(database, aside)
        for suffix in ("-wal", "-shm"):  # left by a crash: they would be taken for the new file's
            beside = database.with_name(database.name + suffix)
            if beside.exists():
                beside.replace(aside.with_name(aside.name + suffix))
    fresh.replace(database)


def _quoted(path: Path) -> str:
    return str(path.absolute()).replace("%", "%25").replace("?", "%3f").replace("#", "%23")
