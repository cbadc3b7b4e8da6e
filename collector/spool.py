"""What was acknowledged, once more beside the database: so that a backup put back loses nothing. Append-only files.

A writer forgets what it has the collector's word for. If a database is put back from last night's backup, the day is in
nobody's memory any more, except here: `python -m collector replay FOLDER` takes it all in again. Each message may be
taken any number of times and in any order, so nobody needs to know how far the backup reached (collector/join.py).

    commit to the database -> append here, on disk -> acknowledge

One line a message: received_unix_ms, topic, payload in base64, CRC-32 of the three in hex, with tabs between. A line
that was cut off by a crash or a full disk was never acknowledged, and is passed over. The folder belongs on another
disk than the database, readable by the collector alone: it holds what the database does. Older than ``days``: gone, but
of that many days on which something came always the newest, for a clock may be years ahead for a minute.
"""

import base64
import binascii
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from collector.errors import StoreUnavailable
from collector.model import Answer, Arrival

SUFFIX = ".spool"


class Taker(Protocol):
    """Whatever takes batches in for good: a Store, or one that spools as well."""

    def ingest(self, arrivals: Sequence[Arrival]) -> list[Answer]: ...


class Spool:
    """The folder of one collector, open for appending. Begins a file at each start and each day (UTC)."""

    def __init__(self, folder: Path, *, days: int, now: Callable[[], float] = time.time):
        self._folder = folder
        self._days = days
        self._now = now
        self._file: int | None = None
        self._day = ""
        self._is_torn = False  # the last write may have left half a line

    def append(self, arrivals: Iterable[Arrival]) -> None:
        """On return they are on disk. Raises StoreUnavailable."""
        text = "".join(_line(arrival) for arrival in arrivals).encode()
        if not text:
            return
        try:
            self._write(text)
        except OSError as error:
            self._is_torn = True
            raise StoreUnavailable(f"the spool in {self._folder} cannot be written: {error.strerror}") from error

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _write(self, text: bytes) -> None:
        file = self._opened()
        if self._is_torn:
            text = b"\n" + text
        self._is_torn = True
        while text:
            text = text[os.write(file, text) :]
        os.fdatasync(file)
        self._is_torn = False

    def _opened(self) -> int:
        now = datetime.fromtimestamp(self._now(), UTC)
        day = f"{now:%Y%m%d}"
        if self._file is None or day != self._day:
            self.close()
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path = self._folder / f"{now:%Y%m%d-%H%M%S-%f}-{os.getpid()}{SUFFIX}"
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            _sync_folder(self._folder)
            self._day, self._is_torn = day, False
            self._forget(f"{now - timedelta(days=self._days):%Y%m%d}")
        return self._file

    def _forget(self, before: str) -> None:
        paths = list(self._folder.glob(f"*{SUFFIX}"))
        newest = sorted({path.name[:8] for path in paths})[-self._days :]
        for path in paths:
            if path.name[:8] < min(before, *newest):
                path.unlink(missing_ok=True)


class Spooled:
    """Takes batches into the database and then into the spool: what it answers is in both."""

    def __init__(self, store: Taker, spool: Spool):
        self._store = store
        self._spool = spool

    def ingest(self, arrivals: Sequence[Arrival]) -> list[Answer]:
        """As Store.ingest. Raises StoreUnavailable also for the spool; what is committed then comes again, unharmed."""
        answers = self._store.ingest(arrivals)
        self._spool.append(arrival for arrival, answer in zip(arrivals, answers, strict=True) if answer.ack)
        return answers


def read(folder: Path) -> Iterator[Arrival]:
    """Everything in ``folder`` and the folders in it, the oldest file first. Raises OSError."""
    for path in sorted(folder.rglob(f"*{SUFFIX}"), key=lambda path: path.name):
        with path.open("rb") as file:
            for line in file:
                arrival = _arrival(line)
                if arrival is not None:
                    yield arrival


def _line(arrival: Arrival) -> str:
    fields = f"{arrival.received_unix_ms}\t{arrival.topic}\t{base64.b64encode(arrival.payload).decode()}"
    return f"{fields}\t{binascii.crc32(fields.encode()):08x}\n"


def _arrival(line: bytes) -> Arrival | None:
    fields, _, check = line.rstrip(b"\n").rpartition(b"\t")
    if check != b"%08x" % binascii.crc32(fields):
        return None
    received, topic, payload = fields.split(b"\t")
    return Arrival(topic.decode(), base64.b64decode(payload), int(received))


def _sync_folder(folder: Path) -> None:
    """The name of a new file is on disk, too."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
