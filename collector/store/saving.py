"""Backups of the collector's database, and how one is put back: the same on SQLite and PostgreSQL.

    save(url, file)        a copy of one moment under a temporary name, opened, counted again; then it gets its name
    newer(url, manifest)   what a database holds that a backup does not: what putting it back would lose
    restore(url, file)     into a new database, checked and migrated; at the very end it takes the old one's place

Whatever is cut off in the middle leaves no file that looks like a backup, and the database as it was.
"""

import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection, func, inspect, select
from sqlalchemy.engine import URL, make_url

from collector.errors import BackupError, NewerDatabase, StoreError
from collector.store import save_postgresql, save_sqlite
from collector.store.door import Store
from collector.store.engine import make_engine, snapshot, translated
from collector.store.manifest import Manifest, on_disk, read_manifest, sha256_of, write_manifest
from collector.store.migrate import HEADS, version_of
from collector.store.recount import Progress, recount
from collector.store.upkeep import RESTORE
from schemas.settings import version
from schemas.tables import call, vote


class Counted(NamedTuple):
    tables: str
    calls: int
    votes: int
    last_vote_unix_ms: int | None
    differences: int


class Newer(NamedTuple):
    """What a database holds beyond a backup. ``problem`` says why that cannot be known."""

    votes: int = 0
    calls: int = 0
    last_vote_unix_ms: int | None = None
    problem: str | None = None


class Restored(NamedTuple):
    manifest: Manifest
    aside: str | None  # the file or database that holds what was there before
    differences: int


def save(url: str, file: Path, progress: Progress = lambda done, of: None) -> Manifest:
    """Saves the database at ``url`` to the new ``file``, its manifest beside it. Raises BackupError, StoreError."""
    if file.exists():
        raise BackupError(f"{file} is there already")
    parsed = make_url(url)
    part = file.with_name(file.name + ".part")
    part.unlink(missing_ok=True)
    made_unix_ms = time.time_ns() // 1_000_000
    try:
        if parsed.get_backend_name() == "sqlite":
            kind, counted = "sqlite", _save_sqlite(parsed, part, progress)
        else:
            kind, counted = "postgresql", _save_postgresql(parsed, part, progress)
        on_disk(part)
        manifest = Manifest(
            made_unix_ms=made_unix_ms,
            program=version(),
            database="sqlite" if kind == "sqlite" else "postgresql",
            **counted._asdict(),
            bytes=part.stat().st_size,
            sha256=sha256_of(part),
        )
        write_manifest(file, manifest)  # first: whoever sees the file finds its manifest
        part.replace(file)
        on_disk(file.parent)
    except OSError as error:
        raise BackupError(f"{error.filename or file}: {error.strerror}") from None
    finally:
        part.unlink(missing_ok=True)
    return manifest


def verify(file: Path, progress: Progress = lambda done, of: None) -> Manifest:
    """The manifest of ``file``, which is what was saved. Raises BackupError."""
    manifest = read_manifest(file)
    try:
        if file.stat().st_size != manifest.bytes or sha256_of(file, progress) != manifest.sha256:
            raise BackupError(f"{file}: damaged: not the bytes that were saved; take another backup")
    except OSError as error:
        raise BackupError(f"{file}: {error.strerror}") from None
    if manifest.tables > HEADS["collector"]:
        raise BackupError(f"{file}: made by a newer version ({manifest.program}); upgrade the program first")
    return manifest


def newer(url: str, manifest: Manifest) -> Newer:
    """What would be lost."""
    parsed = make_url(url)
    try:
        if parsed.get_backend_name() == "sqlite":
            if not save_sqlite.file_of(parsed.database).exists():
                return Newer()
            save_sqlite.require_nobody(save_sqlite.file_of(parsed.database))
        else:
            with translated():
                if not save_postgresql.exists(parsed):
                    return Newer()
        engine = make_engine(url)
        try:
            with snapshot(engine) as connection:
                return _newer(connection, manifest)
        finally:
            engine.dispose()
    except (StoreError, save_sqlite.Damaged) as error:
        return Newer(problem=str(error))


def restore(url: str, file: Path, who: str, progress: Progress = lambda done, of: None) -> Restored:
    """Makes the database at ``url`` what ``file`` holds. Raises BackupError, and then it is as it was."""
    manifest = verify(file, progress)
    parsed = make_url(url)
    if manifest.database != parsed.get_backend_name():
        raise BackupError(f"{file} is of {manifest.database}, the database of the settings is not")
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    if manifest.database == "sqlite":
        try:
            return _restore_sqlite(parsed, file, manifest, stamp, who, progress)
        except OSError as error:
            raise BackupError(f"{error.filename or file}: {error.strerror}") from None
    return _restore_postgresql(parsed, file, manifest, stamp, who, progress)


# ---- SQLite
def _save_sqlite(url: URL, part: Path, progress: Progress) -> Counted:
    save_sqlite.copy_out(save_sqlite.file_of(url.database), part, progress)
    save_sqlite.check(part)
    engine = make_engine(f"sqlite:///{part}")
    try:
        with snapshot(engine) as connection:
            counted = _count(connection, progress)
    finally:
        engine.dispose()
    save_sqlite.make_single_file(part)
    return counted


def _restore_sqlite(url: URL, file: Path, manifest: Manifest, stamp: str, who: str, progress: Progress) -> Restored:
    database = save_sqlite.file_of(url.database).absolute()
    fresh, aside = (database.with_name(f"{database.name}.{what}") for what in ("restoring", f"before-{stamp}"))
    for suffix in ("", "-wal", "-shm"):
        fresh.with_name(fresh.name + suffix).unlink(missing_ok=True)
    database.parent.mkdir(parents=True, exist_ok=True)
    save_sqlite.copy_out(file, fresh, progress)
    save_sqlite.check(fresh)
    differences = _make_ready(f"sqlite:///{fresh}", manifest, file, who, progress)
    save_sqlite.make_single_file(fresh)
    on_disk(fresh)
    was_there = database.exists()
    for number in range(2, 100):  # a second restore within a second, or one that was cut off here
        if aside.exists():
            aside = database.with_name(f"{database.name}.before-{stamp}-{number}")
    if was_there:
        with suppress(save_sqlite.Damaged):  # nobody can be at work with that, and what is left of it is kept
            save_sqlite.require_nobody(database)
    save_sqlite.put_in_place(fresh, database, aside)
    on_disk(database.parent)
    return Restored(manifest, str(aside) if was_there else None, differences)


# ---- PostgreSQL
def _save_postgresql(url: URL, part: Path, progress: Progress) -> Counted:
    engine = make_engine(url.render_as_string(hide_password=False))
    try:
        with snapshot(engine) as connection:
            name = connection.execute(select(func.pg_export_snapshot())).scalar_one()
            dump = save_postgresql.dumping(url, name, part)
            try:
                counted = _count(connection, progress)
            finally:
                save_postgresql.finish(dump)
    finally:
        engine.dispose()
    save_postgresql.check(part)
    return counted


def _restore_postgresql(url: URL, file: Path, manifest: Manifest, stamp: str, who: str, progress: Progress) -> Restored:
    fresh, aside = url.set(database=f"{url.database}_restoring"), f"{url.database}_before_{stamp.lower()}"
    with translated():
        busy = save_postgresql.sessions(url)
        if busy:
            raise BackupError(f"{url.database} is in use by {', '.join(busy)}: stop collector, fleet and api first")
        was_there = save_postgresql.exists(url)
        save_postgresql.make(fresh, file)
        number = 1
        while save_postgresql.exists(url.set(database=aside)):  # of a restore within the same second
            number += 1
            aside = f"{url.database}_before_{stamp.lower()}_{number}"
    differences = _make_ready(fresh.render_as_string(hide_password=False), manifest, file, who, progress)
    save_postgresql.put_in_place(fresh, url, aside)
    return Restored(manifest, aside if was_there else None, differences)


# ---- both
def _make_ready(url: str, manifest: Manifest, file: Path, who: str, progress: Progress) -> int:
    """Migrates what was put back, counts it again and enters it into the book; the differences found."""
    with Store.open(url) as store:
        found = store.upkeep.recount(progress=progress)
        if found.votes != manifest.votes or found.calls != manifest.calls:
            raise BackupError(f"{file}: {found.votes} votes came back, but {manifest.votes} were saved")
        detail = f"{file.name} of {manifest.made}, last vote {manifest.last_vote}"
        store.upkeep.note(RESTORE, who, ok=not found.differences, amount=found.votes, detail=detail)
    return len(found.differences)


def _count(connection: Connection, progress: Progress) -> Counted:
    tables = version_of(connection, "collector")
    if tables is None:
        raise BackupError("that is no database of the collector's: it has none of its tables")
    if tables > HEADS["collector"]:
        raise NewerDatabase(f"the database is at version {tables}, newer than this program; upgrade the program")
    if tables == HEADS["collector"]:
        found = recount(connection, progress=progress)
        return Counted(tables, found.calls, found.votes, found.last_vote_unix_ms, len(found.sentences))
    # Of before an upgrade: the roll-ups of that version are counted again once it is put back.
    calls = connection.scalar(select(func.count()).select_from(call)) or 0
    # As a recount counts them: a vote that waits for its call is saved, but not among them.
    its = vote.join(call, (vote.c.call == call.c.id) & (vote.c.desk == call.c.desk))
    votes, last = connection.execute(select(func.count(), func.max(vote.c.received_unix_ms)).select_from(its)).one()
    return Counted(tables, calls, votes, last, 0)


def _newer(connection: Connection, manifest: Manifest) -> Newer:
    if not inspect(connection).has_table(vote.name):
        return Newer()
    since = manifest.last_vote_unix_ms or 0
    votes, last = connection.execute(
        select(func.count(), func.max(vote.c.received_unix_ms)).where(vote.c.received_unix_ms > since)
    ).one()
    calls = connection.scalar(
        select(func.count()).select_from(call).where(call.c.called_unix_ms > manifest.made_unix_ms)
    )
    return Newer(votes, calls or 0, last)
