"""What queue systems told us, kept for people who connect one: a line of JSON a look, a file a source and a day.

    {"at_unix_ms": 1795514400000, "source": "main", "value": ...}

``value`` is what the source's adapter reads when it replays (registry.py): already without names, passwords and ticket
numbers. A recording is switched on for an afternoon and never needed by the feed: if it cannot be written, it stops.
"""

import json
import logging
import os
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import orjson

logger = logging.getLogger(__name__)

MOST_BYTES = 256 * 1024 * 1024  # of one file


class Recorded(NamedTuple):
    at_unix_ms: int
    source: str
    value: object


class Recorder:
    """Writes into ``folder``; thread-safe. Never raises."""

    def __init__(self, folder: Path):
        self._folder = folder
        self._lock = threading.Lock()
        self._broken = False

    def write(self, source: str, at_unix_ms: int, value: object) -> None:
        day = datetime.fromtimestamp(at_unix_ms / 1000, UTC).date().isoformat()
        line = orjson.dumps({"at_unix_ms": at_unix_ms, "source": source, "value": value}) + b"\n"
        with self._lock:
            if self._broken:
                return
            try:
                self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                path = self._folder / f"{source}-{day}.jsonl"
                file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
                try:
                    if os.fstat(file).st_size < MOST_BYTES:
                        os.write(file, line)
                finally:
                    os.close(file)
            except OSError as error:
                self._broken = True
                logger.error("the recording stops: %s: %s", self._folder, error.strerror)


def read_recording(path: Path) -> Iterator[Recorded]:
    """The lines of a recording, in order. Raises ValueError naming the line at fault, OSError without the file."""
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                value = json.loads(line)
                yield Recorded(value["at_unix_ms"], value["source"], value["value"])
            except (ValueError, KeyError, TypeError):
                raise ValueError(f"{path}, line {number}: not a line of a recording") from None
