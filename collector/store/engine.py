"""Opens the database behind a URL: SQLite or PostgreSQL, each set so that a commit survives a power cut. No tables."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, exc, text
from sqlalchemy.engine import URL, make_url

from collector.errors import NotHeld, StoreError, StoreUnavailable

_CACHE_KIB = 64 * 1024
JOURNAL_BYTES = 64 * 1024 * 1024
BUSY_S = 5  # how long one writer waits for another (SQLite)
LOCK_S = 60  # likewise on PostgreSQL, where counting again or taking a month back may take hours; below the watchdog's
# Serialisation failure and deadlock (PostgreSQL, appendix A): the same transaction may succeed at the second attempt.
_TRANSIENT = ("40001", "40P01")
# A standby before it is promoted, or a server that somebody has closed for a while: no message is at fault.
_READ_ONLY = ("25006",)


def make_engine(url: str) -> Engine:
    """An engine for ``url``; nothing is opened yet but a new SQLite file is made, readable by its owner only.

    No error of it shows a parameter: that could be somebody's vote. Raises StoreError for any other kind of database.
    """
    try:
        parsed = make_url(url)
    except exc.ArgumentError as error:
        raise StoreError("the database URL is not one: sqlite:///FILE or postgresql://USER@HOST/NAME") from error
    match parsed.get_backend_name():
        case "sqlite":
            return _sqlite(parsed)
        case "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
            engine = create_engine(parsed, pool_pre_ping=True, hide_parameters=True)
            event.listen(engine, "connect", _patient)
            return engine
    raise StoreError(f"no such kind of database here: {parsed.get_backend_name()}")


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that may write, committed at the end. Raises StoreError or StoreUnavailable."""
    with translated():
        connection = engine.connect().execution_options(writes=True)
        with connection, connection.begin():
            yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A transaction that only reads. Raises StoreError or StoreUnavailable."""
    with translated(), engine.connect() as connection:
        yield connection


@contextmanager
def snapshot(engine: Engine) -> Iterator[Connection]:
    """A transaction that only reads, and sees one moment from its first question to its last. Raises as the others."""
    with translated(), engine.connect() as connection:
        if engine.dialect.name == "postgresql":  # SQLite is so by itself
            connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        yield connection


@contextmanager
def translated() -> Iterator[None]:
    """Turns the database library's errors into ours."""
    try:
        yield
    except (exc.OperationalError, exc.InterfaceError, exc.TimeoutError) as error:
        raise StoreUnavailable(f"the database does not answer: {_reason(error)}") from error
    except (exc.DataError, OverflowError, UnicodeEncodeError) as error:
        # The drivers say it in three ways. PostgreSQL takes no NUL in a text; neither takes half a surrogate pair.
        raise NotHeld("the database cannot hold a value that it was given") from error
    except exc.SQLAlchemyError as error:
        if _sqlstate(error) in _READ_ONLY:
            raise StoreUnavailable(f"the database takes nothing in just now: {_reason(error)}") from error
        raise StoreError(f"the database refuses: {_reason(error)}") from error


def _sqlstate(error: exc.SQLAlchemyError) -> str | None:
    return getattr(getattr(error, "orig", None), "sqlstate", None)


def worth_repeating(error: BaseException | None) -> bool:
    """Whether two writers only stood in each other's way."""
    if isinstance(error, exc.IntegrityError):
        return True
    return isinstance(error, exc.DBAPIError) and _sqlstate(error) in _TRANSIENT


def _sqlite(url: URL) -> Engine:
    if not url.database or url.database == ":memory:":
        raise StoreError("an SQLite database must be a file: several processes share it")
    path = Path(url.database)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
    except OSError as error:
        raise StoreUnavailable(f"{path}: {error.strerror}") from error
    engine = create_engine(url, connect_args={"timeout": BUSY_S}, hide_parameters=True)
    event.listen(engine, "connect", _set_up)
    event.listen(engine, "begin", _begin)
    return engine


def _set_up(connection: sqlite3.Connection, _: Any) -> None:
    connection.isolation_level = None  # _begin says BEGIN; the driver's own would come too late to hold the lock
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")  # an acknowledged vote is on the disk, not on its way there
    connection.execute("PRAGMA foreign_keys = ON")
    # KiB, taken as needed; 2,000 by default. With 66 million calls stored the default costs 164 µs of CPU a message,
    # 32 MiB 134, 64 MiB 105, as against 84 with next to nothing stored (tests/bench/bench_size.py). No mmap: a failing
    # disk would then end the process instead of the statement.
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    # A reader's long snapshot (recount, backup) lets the log grow for as long as it lasts; after it the file shrinks.
    # Checkpoints stay at the default of 1,000 pages, 4 MiB: a batch that has to make one is not held up for long.
    connection.execute(f"PRAGMA journal_size_limit = {JOURNAL_BYTES}")


def _patient(connection: Any, _: Any) -> None:
    """Whoever waits longer for a lock is told that the database does not answer, and comes again: a process that is
    taken for dead and started anew meanwhile would leave its session waiting at the server, and another, and another.
    """
    connection.execute(f"SET lock_timeout = '{LOCK_S}s'")
    connection.commit()  # or it would end with the first transaction


def _begin(connection: Connection) -> None:
    # IMMEDIATE: what a writer reads stays true until it commits; the other writer waits before it has read anything.
    writes = connection.get_execution_options().get("writes")
    connection.execute(text("BEGIN IMMEDIATE" if writes else "BEGIN"))


def _reason(error: exc.SQLAlchemyError) -> str:
    """The database's own first line; never the statement and its parameters."""
    cause = getattr(error, "orig", None) or error
    return (str(cause).strip().splitlines() or [type(cause).__name__])[0]
