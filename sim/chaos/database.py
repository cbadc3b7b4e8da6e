"""The collector's database as something to be hurt: an SQLite file or a PostgreSQL, on a small disk of its own."""

import asyncio
import contextlib
import os
import signal
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Protocol

import psycopg
from psycopg import sql

from sim.chaos.programs import Program
from sim.chaos.room import Room
from sim.errors import SettingsError
from sim.postgres import Postgres, find_programs

MEGABYTES = 160
READ_ONLY = "default_transaction_read_only"
_LOCKED_S = 8.0  # how long to wait for the others to let us in


class Unable(Exception):
    """It cannot be done just now: something else is broken as well."""


class Database(Protocol):
    """What injuries need of either kind."""

    url: str
    room: Room
    program: Program | None  # its server

    def prepare(self) -> None: ...
    def commits(self) -> int: ...
    def forget_older(self) -> None: ...
    async def lock(self, lasts_s: float) -> None: ...


class Sqlite:
    """A file on its small disk."""

    program = None

    def __init__(self, folder: Path, logs: Path):
        self.room = Room(folder, MEGABYTES)
        self.file = folder / "zrazkovo.db"
        self.url = f"sqlite:///{self.file}"

    def prepare(self) -> None:
        pass

    def commits(self) -> int:
        """Another number as soon as something was written; cheap enough to ask every millisecond."""
        with contextlib.suppress(OSError):
            return Path(f"{self.file}-wal").stat().st_mtime_ns
        return 0

    def forget_older(self) -> None:
        """What `restore` has put aside: the disk is small."""
        for file in self.room.path.glob(f"{self.file.name}.before-*"):
            file.unlink()

    async def lock(self, lasts_s: float) -> None:
        """Somebody else writes for so long."""
        await asyncio.to_thread(self._lock)
        try:
            await asyncio.sleep(lasts_s)
        finally:
            self._holder.close()

    def _lock(self) -> None:
        self._holder = sqlite3.connect(self.file, timeout=_LOCKED_S, check_same_thread=False, isolation_level=None)
        with contextlib.suppress(sqlite3.OperationalError):
            self._holder.execute("begin immediate")


class PostgreSql:
    """A server of the campaign's own."""

    def __init__(self, folder: Path, logs: Path):
        programs = find_programs()
        if programs is None:
            raise SettingsError("postgresql is not installed: apt-get install postgresql")
        self.room = Room(folder, MEGABYTES)
        # Small pieces of log, so that a full disk is met after a few commits.
        options = ("max_wal_size=32MB", "min_wal_size=4MB", "shared_buffers=16MB", "max_connections=60")
        self._cluster = Postgres(folder / "cluster", programs, options=options)
        self.program = Program(
            "database",
            self._cluster.command,
            ready=b"ready to accept connections",
            log_file=logs / "database.log",
            as_user=self._cluster.user,
        )
        self.url = ""

    def prepare(self) -> None:
        self._cluster.prepare("--wal-segsize=1")

    def create(self) -> None:
        """The collector's database; the server runs."""
        self.url = self._cluster.url()

    def commits(self) -> int:
        with contextlib.suppress(OSError):
            folder = self.room.path / "cluster" / "data" / "pg_wal"
            return max(entry.stat().st_mtime_ns for entry in os.scandir(folder))
        return 0

    def forget_older(self) -> None:
        with psycopg.connect(self._cluster.administration, autocommit=True, connect_timeout=3) as connection:
            connection.execute(f"set {READ_ONLY} = off")
            for row in connection.execute(
                "select datname from pg_database where datname like '%\\_before\\_%'"
            ).fetchall():
                connection.execute(sql.SQL("drop database {}").format(sql.Identifier(row[0])))

    async def lock(self, lasts_s: float) -> None:
        with contextlib.suppress(psycopg.Error):
            async with self._connected(self.url) as connection:
                await connection.execute(f"set lock_timeout = {int(1000 * _LOCKED_S)}")
                await connection.execute("lock table vote in access exclusive mode")
                await asyncio.sleep(lasts_s)

    async def terminate(self) -> None:
        """Everybody else's connection is ended."""
        with contextlib.suppress(psycopg.Error):
            async with self._connected(self._cluster.administration) as connection:
                await connection.execute(
                    "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()"
                    " and datname is not null"
                )

    async def kill_backend(self, number: int) -> None:
        """SIGKILL to one server process; the postmaster then restarts all of them."""
        with contextlib.suppress(psycopg.Error, ProcessLookupError):
            async with self._connected(self._cluster.administration) as connection:
                question = "select pid from pg_stat_activity where datname <> current_database() order by pid"
                pids = [row[0] for row in await (await connection.execute(question)).fetchall()]
            if pids:
                os.kill(pids[number % len(pids)], signal.SIGKILL)

    async def set_read_only(self, on: bool) -> None:
        """Raises psycopg.Error when the server does not answer."""
        change = sql.SQL("alter system set default_transaction_read_only = {}").format(
            sql.Literal("on" if on else "off")
        )
        async with self._connected(self._cluster.administration) as connection:
            await connection.execute(change)
            await connection.execute("select pg_reload_conf()")

    @contextlib.asynccontextmanager
    async def _connected(self, url: str) -> AsyncIterator[psycopg.AsyncConnection]:
        is_table = url == self.url
        connection = await psycopg.AsyncConnection.connect(
            url, autocommit=not is_table, connect_timeout=3, options=f"-c {READ_ONLY}=off"
        )
        async with connection:
            yield connection
