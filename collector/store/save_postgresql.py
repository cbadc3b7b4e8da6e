"""Has pg_dump and pg_restore copy a PostgreSQL database out and in; what they need to know of it goes by environment.

Both are of Debian's postgresql-client. The dump is of one snapshot, which the caller holds open and counts in.
"""

import os
import shutil
import subprocess
import time
from pathlib import Path

from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError

from collector.errors import BackupError

_PARTING_S = 5.0  # as long as PostgreSQL itself waits for others before it renames or copies a database
_MAINTENANCE = "postgres"  # the database that every cluster has, to make and rename others from


def dumping(url: URL, snapshot: str, part: Path) -> "subprocess.Popen[str]":
    """pg_dump at work on ``part``; ``finish`` waits for it."""
    wishes = ("--format=custom", "--no-owner", "--no-privileges", f"--snapshot={snapshot}")
    program = _program("pg_dump")
    # Into a file that is open already: should we die, what pg_dump writes on has no name that another attempt uses.
    with os.fdopen(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as output:
        return subprocess.Popen(
            [program, *wishes],
            env=_environ(url), stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip


def finish(dump: "subprocess.Popen[str]") -> None:
    """Raises BackupError with pg_dump's own words if it failed."""
    _, said = dump.communicate()
    if dump.returncode:
        raise BackupError(f"pg_dump: {_first_line(said)}")


def check(file: Path) -> None:
    """Reads the whole archive. Raises BackupError if it cannot be."""
    _run(["--file=/dev/null", str(file)], dict(os.environ))


def sessions(url: URL) -> list[str]:
    """Who else is connected to the database, in words; [] too if there is no such database.

    A session that its program has just ended is listed for a moment longer, so whoever is there is asked for again.
    The server's own work in a database, such as autovacuum, makes way by itself and is not listed.
    """
    question = text(
        "SELECT coalesce(nullif(application_name, ''), 'a program') || ' (process ' || pid || ')'"
        " FROM pg_stat_activity WHERE datname = :name AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        " ORDER BY pid"
    )
    ends_s = time.monotonic() + _PARTING_S
    with _maintenance(url) as engine, engine.connect() as connection:
        while True:
            found = list(connection.scalars(question, {"name": url.database}))
            if not found or time.monotonic() >= ends_s:
                return found
            time.sleep(0.05)


def exists(url: URL) -> bool:
    with _maintenance(url) as engine, engine.connect() as connection:
        question = text("SELECT 1 FROM pg_database WHERE datname = :name")
        return connection.execute(question, {"name": url.database}).first() is not None


def make(url: URL, file: Path) -> None:
    """A new database at ``url`` with everything in ``file``. Raises BackupError."""
    try:
        with _maintenance(url) as engine, engine.connect() as connection:
            connection.execute(text(f"DROP DATABASE IF EXISTS {_quoted(url.database)}"))  # of an attempt that was cut
            connection.execute(text(f"CREATE DATABASE {_quoted(url.database)} TEMPLATE template0 ENCODING 'UTF8'"))
    except SQLAlchemyError as error:
        said = _first_line(str(getattr(error, "orig", error)))
        fix = f"; as a superuser: ALTER ROLE {_quoted(url.username)} CREATEDB" if "permission" in said else ""
        raise BackupError(f"no new database could be made to restore into: {said}{fix}") from None
    _run(["--exit-on-error", "--no-owner", "--no-privileges", f"--dbname={url.database}", str(file)], _environ(url))


def put_in_place(fresh: URL, url: URL, aside: str) -> None:
    """The database ``fresh`` takes the name of ``url``, and what had it is called ``aside``: both or neither."""
    try:
        with _maintenance(url, autocommit=False) as engine, engine.begin() as connection:
            if exists(url):
                connection.execute(text(f"ALTER DATABASE {_quoted(url.database)} RENAME TO {_quoted(aside)}"))
            connection.execute(text(f"ALTER DATABASE {_quoted(fresh.database)} RENAME TO {_quoted(url.database)}"))
    except SQLAlchemyError as error:
        raise BackupError(
            f"the databases keep their names: {_first_line(str(getattr(error, 'orig', error)))}"
        ) from None


class _maintenance:  # noqa: N801
    """An engine on the cluster's own database, for the time of a block."""

    def __init__(self, url: URL, *, autocommit: bool = True):
        wish = {"isolation_level": "AUTOCOMMIT"} if autocommit else {}
        at = url.set(drivername="postgresql+psycopg", database=_MAINTENANCE)
        self._engine = create_engine(at, hide_parameters=True, **wish)

    def __enter__(self) -> Engine:
        return self._engine

    def __exit__(self, *_: object) -> None:
        self._engine.dispose()


def _run(arguments: list[str], environ: dict[str, str]) -> None:
    done = subprocess.run(
        [_program("pg_restore"), *arguments],
        env=environ, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise BackupError(f"pg_restore: {_first_line(done.stderr)}")


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise BackupError(f"{name} is not on the PATH; on Debian: apt-get install postgresql-client")
    return found


def _environ(url: URL) -> dict[str, str]:
    """Arguments can be read by every user of the machine, the environment cannot."""
    known = {
        "PGHOST": url.host, "PGPORT": url.port, "PGUSER": url.username, "PGPASSWORD": url.password,
        "PGDATABASE": url.database,
    }  # fmt: skip
    # What libpq also takes by the URL: sslmode, sslrootcert, host of a socket ...
    asked = {"PG" + name.upper(): value for name, value in url.query.items() if isinstance(value, str)}
    return dict(os.environ) | {name: str(value) for name, value in {**known, **asked}.items() if value is not None}


def _quoted(name: str | None) -> str:
    assert name
    return '"' + name.replace('"', '""') + '"'


def _first_line(said: str) -> str:
    lines = [line for line in said.strip().splitlines() if line]
    return lines[0] if lines else "it failed without a word"
