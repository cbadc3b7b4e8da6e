"""A throw-away PostgreSQL cluster on loopback, run by an unprivileged user: it refuses to run as root."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import psycopg
from psycopg import sql

from sim.ports import HOST, choose_lasting

DEADLINE_S = 60


def find_programs() -> Path | None:
    """The folder with initdb and postgres, if it is installed."""
    found = shutil.which("initdb")
    folders = (
        [Path(found).resolve().parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    )
    for folder in folders:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    return None


class Postgres:
    """A cluster of its own; ``url(name)`` names a fresh database in it.

    Args:
        options: more settings of the server, such as ``"fsync=off"``.
    """

    def __init__(self, folder: Path, programs: Path, *, options: Sequence[str] = ()):
        self.user = _unprivileged_user()
        self._programs = programs
        self._folder = folder
        self._port = choose_lasting()
        self._data = folder / "data"
        self._password = "only-for-tests"
        # No socket file: its path may have 107 bytes, and a test's folder may be longer.
        self._options = (f"listen_addresses={HOST}", "unix_socket_directories=", *options)
        self._made = 0
        self._process: subprocess.Popen[bytes] | None = None  # None: somebody else runs ``command``

    @property
    def command(self) -> list[str]:
        """Runs the server in the foreground, to be started as ``user``."""
        options = [word for option in self._options for word in ("-c", option)]
        return [str(self._programs / "postgres"), "-D", str(self._data), "-p", str(self._port), *options]

    def prepare(self, *options: str) -> None:
        """Makes the cluster's files; ``options`` are initdb's."""
        self._folder.mkdir(parents=True, exist_ok=True)
        secret = self._folder / "password"
        secret.write_text(self._password)
        if self.user:
            for path in (self._folder, secret):
                shutil.chown(path, self.user)
            _let_through(self._folder)
        secrecy = ("-U", "zrazkovo", "-A", "scram-sha-256", "--pwfile", str(secret))
        self._run("initdb", "-D", str(self._data), *secrecy, *options)

    def start(self) -> Self:
        self.prepare()
        with (self._folder / "postgres.log").open("ab") as log:
            self._process = subprocess.Popen(self.command, stdout=log, stderr=log, user=self.user, cwd=self._folder)
        deadline = time.monotonic() + DEADLINE_S
        while not self._answers():
            self._is_alive("PostgreSQL does not start")
            assert time.monotonic() < deadline, f"PostgreSQL does not answer; it says:\n{self._says}"
            time.sleep(0.05)
        self._is_alive("another server answers at PostgreSQL's port")
        return self

    def url(self) -> str:
        """The URL of a new, empty database."""
        self._is_alive("PostgreSQL has ended before its time")
        self._made += 1
        name = f"zrazkovo_{self._made}"
        with psycopg.connect(self.administration, autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return self._url(name)

    @property
    def administration(self) -> str:
        """The URL of the database that is always there."""
        return self._url("postgres")

    def copy(self, url: str) -> str:
        """The URL of a new database with everything that the one at ``url`` holds; nobody may be connected to it."""
        self._made += 1
        name = f"zrazkovo_{self._made}"
        copying = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
            sql.Identifier(name), sql.Identifier(url.rpartition("/")[2])
        )
        with psycopg.connect(self.administration, autocommit=True) as connection:
            connection.execute(copying)
        return self._url(name)

    def stop(self) -> None:
        assert self._process
        self._process.send_signal(signal.SIGINT)  # "fast": ends the sessions of whoever is still connected
        self._process.wait(DEADLINE_S)

    def _is_alive(self, otherwise: str) -> None:
        """Fails with ``otherwise`` and its last words if the server that ``start`` has started is gone."""
        code = self._process.poll() if self._process else None
        assert code is None, f"{otherwise}: exit code {code}; it says:\n{self._says}"

    @property
    def _says(self) -> str:
        return (self._folder / "postgres.log").read_text(errors="replace")[-4000:]

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.administration).close()
            return True
        except psycopg.OperationalError:
            return False

    def _url(self, database: str) -> str:
        return f"postgresql://zrazkovo:{self._password}@{HOST}:{self._port}/{database}"

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(self._programs / program), *arguments],
            check=False,
            capture_output=True,
            text=True,
            user=self.user,
            cwd=self._folder,
        )
        assert done.returncode == 0, done.stderr


def _unprivileged_user() -> str | None:
    """Whom to run as: ourselves (None), or, if that is root, the user that Debian's package makes, or nobody."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"


def _let_through(folder: Path) -> None:
    """Temporary folders are made for one user only; this one must be reached by another."""
    for parent in folder.parents:
        if parent.stat().st_uid != 0 or parent == Path(tempfile.gettempdir()) or parent == Path("/"):
            break
        if parent.stat().st_mode & 0o005 != 0o005:
            parent.chmod(parent.stat().st_mode | 0o011)
