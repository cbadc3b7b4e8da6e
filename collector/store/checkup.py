"""What the database itself says of how it does, for ``python -m collector doctor``. Changes and migrates nothing."""

import time
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, text
from sqlalchemy.engine import make_url

from collector.errors import StoreError
from collector.store.engine import make_engine, reading, translated
from collector.store.migrate import HEADS, version_of

# Above this, reading every page takes minutes: a backup does it anyway.
QUICK_CHECK_BYTES = 2_000_000_000
_LOCKED_MS = 2000


class Checkup(NamedTuple):
    """Facts, not judgements; what does not apply to the engine is None."""

    engine: str  # "SQLite 3.40.1"
    tables: str | None  # the version that its tables have; None: it has none
    wanted: str
    size_bytes: int
    file: Path | None
    log_bytes: int | None  # SQLite's write-ahead log, which a reader that never ends lets grow
    durable: str  # "" if a commit survives a power cut, or what is against it
    damage: str | None  # what a quick check found; None if it was not made
    locked: str  # "" or who holds others up
    clock_off_s: float | None  # the server's clock less ours


def look(url: str) -> Checkup:
    """Raises StoreError, StoreUnavailable."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite" and parsed.database and not Path(parsed.database).exists():
        raise StoreError(f"there is no database {parsed.database}; `python -m collector migrate` makes it")
    engine = make_engine(url)
    try:
        with translated():
            return _sqlite(engine, Path(parsed.database or "")) if engine.dialect.name == "sqlite" else _server(engine)
    finally:
        engine.dispose()


def _sqlite(engine: Engine, file: Path) -> Checkup:
    size = file.stat().st_size
    with reading(engine) as connection:
        mode, synchronous = (_one(connection, f"PRAGMA {name}") for name in ("journal_mode", "synchronous"))
        version = _one(connection, "SELECT sqlite_version()")
        damage = _one(connection, "PRAGMA quick_check(1)") if size <= QUICK_CHECK_BYTES else None
        tables = version_of(connection, "collector")
    durable = "" if (mode, synchronous) == ("wal", 2) else f"journal_mode {mode}, synchronous {synchronous}"
    log = file.with_name(file.name + "-wal")
    log_bytes = 0
    with suppress(OSError):
        log_bytes = log.stat().st_size
    return Checkup(
        f"SQLite {version}", tables, HEADS["collector"], size, file, log_bytes, durable,
        None if damage is None else "" if damage == "ok" else str(damage), _locked_sqlite(engine), None,
    )  # fmt: skip


def _locked_sqlite(engine: Engine) -> str:
    """Whether a writer holds the database for longer than any batch takes."""
    raw = engine.raw_connection()
    try:
        cursor = raw.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {_LOCKED_MS}")
        try:
            cursor.execute("BEGIN IMMEDIATE")
        except Exception as error:  # the driver's, of one kind or another
            return f"nobody else can write for {_LOCKED_MS // 1000} seconds ({error})"
        cursor.execute("ROLLBACK")
        return ""
    finally:
        raw.close()


def _server(engine: Engine) -> Checkup:
    with reading(engine) as connection:
        asked = time.time()
        server_now = float(_one(connection, "SELECT extract(epoch FROM clock_timestamp())"))
        off_s = server_now - (asked + time.time()) / 2
        version = _one(connection, "SHOW server_version")
        off = [
            f"{name} {value}"
            for name in ("fsync", "full_page_writes", "synchronous_commit")
            if (value := _one(connection, f"SHOW {name}")) in ("off", "local")
        ]
        waiting = _one(connection, "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
        oldest = _one(
            connection,
            "SELECT extract(epoch FROM max(clock_timestamp() - xact_start)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND state <> 'idle' AND pid <> pg_backend_pid()",
        )
        locked = f"{waiting} sessions wait for locks" if int(waiting) else ""
        if oldest is not None and float(oldest) > 600:
            locked = (locked + "; " if locked else "") + f"a transaction is open for {float(oldest) / 60:.0f} minutes"
        return Checkup(
            f"PostgreSQL {str(version).split()[0]}", version_of(connection, "collector"), HEADS["collector"],
            int(_one(connection, "SELECT pg_database_size(current_database())")), None, None, ", ".join(off), None,
            locked, off_s,
        )  # fmt: skip


def _one(connection: Connection, question: str) -> Any:
    return connection.execute(text(question)).scalar()
