"""A throw-away PostgreSQL cluster on loopback, run by an unprivileged user: it refuses to run as root."""

import os
import pwd
import shutil
import signal
import subprocess
import time
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from tests.integration.pad_broker import free_port

MISSING = "postgresql is not installed: apt-get install postgresql"
DEADLINE_S = 60


def postgres_programs() -> Path:
    """The folder with initdb and postgres. Skips without (tests/conftest.py: in CI that is a failure)."""
    found = shutil.which("initdb")
    folders = (
        [Path(found).resolve().parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    )
    for folder in folders:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    pytest.skip(MISSING)


class Postgres:
    """A cluster of its own; ``url(name)`` names a fresh database in it."""

    def __init__(self, folder: Path):
        self._programs = postgres_programs()
        self._folder = folder
        self._port = free_port()
        self._data = folder / "data"
        self._password = "only-for-tests"
        self._user = _unprivileged_user()
        self._made = 0

    def start(self) -> "Postgres":
        self._folder.mkdir(parents=True)
        secret = self._folder / "password"
        secret.write_text(self._password)
        if self._user:
            for path in (self._folder, secret):
                shutil.chown(path, self._user)
            _let_through(self._folder)
        self._run("initdb", "-D", str(self._data), "-U", "zrazkovo", "-A", "scram-sha-256", "--pwfile", str(secret))
        log = (self._folder / "postgres.log").open("ab")
        self._process = subprocess.Popen(
            [
                str(self._programs / "postgres"),
                *("-D", str(self._data)),
                *("-p", str(self._port)),
                *("-c", "listen_addresses=127.0.0.1"),
                *("-c", f"unix_socket_directories={self._folder}"),
                *("-c", "fsync=off"),  # the cluster does not outlive the test
            ],
            stdout=log,
            stderr=log,
            user=self._user,
            cwd=self._folder,
        )
        log.close()
        deadline = time.monotonic() + DEADLINE_S
        while not self._answers():
            assert time.monotonic() < deadline and self._process.poll() is None, "PostgreSQL does not start"
            time.sleep(0.05)
        return self

    def url(self) -> str:
        """The URL of a new, empty database."""
        self._made += 1
        name = f"zrazkovo_{self._made}"
        with psycopg.connect(self._url("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return self._url(name)

    def copy(self, url: str) -> str:
        """The URL of a new database with everything that the one at ``url`` holds; nobody may be connected to it."""
        self._made += 1
        name = f"zrazkovo_{self._made}"
        copying = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
            sql.Identifier(name), sql.Identifier(url.rpartition("/")[2])
        )
        with psycopg.connect(self._url("postgres"), autocommit=True) as connection:
            connection.execute(copying)
        return self._url(name)

    def stop(self) -> None:
        self._process.send_signal(signal.SIGINT)  # "fast": ends the sessions of whoever is still connected
        self._process.wait(DEADLINE_S)

    def _answers(self) -> bool:
        try:
            psycopg.connect(self._url("postgres")).close()
            return True
        except psycopg.OperationalError:
            return False

    def _url(self, database: str) -> str:
        return f"postgresql://zrazkovo:{self._password}@127.0.0.1:{self._port}/{database}"

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(self._programs / program), *arguments],
            check=False,
            capture_output=True,
            text=True,
            user=self._user,
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
    """pytest makes its folders for one user only; this one must be reached by another."""
    for parent in folder.parents:
        if parent.stat().st_uid != 0 or parent == Path("/"):
            break
        if parent.stat().st_mode & 0o005 != 0o005 and "pytest" in str(parent):
            parent.chmod(parent.stat().st_mode | 0o011)
