"""Runs a program of ours so that a test can have it die at any one place between two statements or two packets.

    python tests/integration/dying_program.py FOLDER collector --config ...

It imports everything once, then forks a process for each line on its standard input, so that a start costs
milliseconds; it prints the process's id, and how it ended. Nothing of this is in the program itself: the hooks sit on
the drivers' cursors, on their commits and on the socket to the broker, so what the program comes to do later has its
places too. One place lies before each statement, each row of a statement for many, each COMMIT and each packet to the
broker, and one after each COMMIT. The file ``armed`` holds the number of the place to die at, -1 for none, and
``passed`` how many places were passed since it was armed; their names are in ``places``.
"""

import mmap
import os
import signal
import sqlite3
import struct
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

NUMBER = struct.Struct("=q")


class Places:
    """The places passed, in the memory that the test shares."""

    def __init__(self, folder: Path):
        self._armed, self._passed = shared(folder / "armed"), shared(folder / "passed")
        self._names = os.open(folder / "places", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        self._one_at_a_time = threading.Lock()  # a place is one thread's

    def here(self, name: str) -> None:
        with self._one_at_a_time:
            armed = NUMBER.unpack_from(self._armed)[0]
            if armed < 0:
                return
            passed = NUMBER.unpack_from(self._passed)[0]
            os.write(self._names, f"{passed} {' '.join(name.split())[:70]}\n".encode())
            if passed == armed:
                os.kill(os.getpid(), signal.SIGKILL)
            NUMBER.pack_into(self._passed, 0, passed + 1)


def shared(path: Path) -> mmap.mmap:
    """Eight bytes of memory behind a file; made with -1 in it."""
    if not path.exists():
        path.write_bytes(NUMBER.pack(-1))
    with path.open("r+b") as file:
        return mmap.mmap(file.fileno(), NUMBER.size)


def hook_sqlite(places: Places) -> None:
    class Cursor(sqlite3.Cursor):
        def execute(self, statement: str, parameters: Any = ()) -> Any:
            places.here(statement)
            return super().execute(statement, parameters)

        def executemany(self, statement: str, rows: Iterable[Any]) -> Any:
            return super().executemany(statement, one_by_one(places, statement, rows))

    class Connection(sqlite3.Connection):
        def cursor(self, factory: Any = None) -> Any:
            return super().cursor(Cursor)

        def execute(self, statement: str, parameters: Any = ()) -> Any:
            return self.cursor().execute(statement, parameters)

        def executemany(self, statement: str, rows: Iterable[Any]) -> Any:
            return self.cursor().executemany(statement, rows)

        def commit(self) -> None:
            if self.in_transaction:
                places.here("COMMIT")
            super().commit()
            places.here("after COMMIT")

    connect = sqlite3.dbapi2.connect
    sqlite3.dbapi2.connect = lambda *args, **named: connect(*args, **named | {"factory": Connection})  # type: ignore[assignment]


def hook_postgres(places: Places) -> None:
    import psycopg

    execute, executemany, commit = psycopg.Cursor.execute, psycopg.Cursor.executemany, psycopg.Connection.commit

    def passing_execute(self: Any, statement: Any, *args: Any, **named: Any) -> Any:
        places.here(str(statement))
        return execute(self, statement, *args, **named)

    def passing_executemany(self: Any, statement: Any, rows: Iterable[Any], **named: Any) -> Any:
        return executemany(self, statement, one_by_one(places, str(statement), rows), **named)

    def passing_commit(self: Any) -> None:
        places.here("COMMIT")
        commit(self)
        places.here("after COMMIT")

    psycopg.Cursor.execute = passing_execute  # type: ignore[method-assign]
    psycopg.Cursor.executemany = passing_executemany  # type: ignore[method-assign]
    psycopg.Connection.commit = passing_commit  # type: ignore[method-assign]


def one_by_one(places: Places, statement: str, rows: Iterable[Any]) -> Iterator[Any]:
    for row in rows:
        places.here(statement)
        yield row


def hook_broker(places: Places) -> None:
    """A place before each packet, also of several that leave in one piece."""
    import paho.mqtt.client as paho

    create_socket = paho.Client._create_socket
    paho.Client._create_socket = lambda client: PassingSocket(places, create_socket(client))  # type: ignore


class PassingSocket:
    """The connection itself, behind every buffer: a packet that has passed its place is on the line."""

    def __init__(self, places: Places, real: Any):
        self._places, self._real = places, real

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def send(self, buffer: Any) -> int:
        sent = 0
        for packet in packets(bytes(buffer)):
            self._places.here(f"packet {packet[0] >> 4}")
            sent += self._real.send(packet)
        return sent


def packets(buffer: bytes) -> Iterator[bytes]:
    """MQTT 3.1.1 section 2.2: a byte of type, then the length of what follows in one to four groups of seven bits."""
    while buffer:
        length, place = 0, 1
        while place < len(buffer):
            length |= (buffer[place] & 0x7F) << (7 * (place - 1))
            place += 1
            if not buffer[place - 1] & 0x80:
                break
        yield buffer[: place + length]
        buffer = buffer[place + length :]


def main() -> None:
    folder, program, *arguments = sys.argv[1:]
    places = Places(Path(folder))
    for hook in (hook_sqlite, hook_postgres, hook_broker):
        hook(places)
    run: Callable[[], int] = import_module(f"{program}.__main__").main
    sys.argv = [program, *arguments]
    for _ in sys.stdin:
        pid = os.fork()
        if pid == 0:
            os.close(0)
            os._exit(run())
        print(pid, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
