"""Reads a CSV file that somebody's queue writes, line by line as it grows; what rows mean is in columns.py.

The file is opened for reading, read on from where the last look ended, and closed: never locked, never kept open, so
that whoever writes it may move it away. A last line without its end is left for the next look. A file that was replaced
(another first line, a smaller size) is read from its beginning; so is the next of files named by the day.
"""

import codecs
import csv
import hashlib
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from collector.feed.columns import Layout, Row, Table, layout_of, replay_rows
from collector.feed.errors import SourceDown
from collector.feed.source import Means, Poller, Replay, Site

MOST_BYTES = 4 * 1024 * 1024  # at one look; the rest follows at the next
MOST_LINE = 64 * 1024
HEAD = 256  # bytes that tell a file from the one that takes its place
MOST_HEADER = 16 * 1024


def _bytewise(name: str) -> str:
    """Only encodings in which a line ends where its bytes say so; utf-8's mark at the beginning is no matter."""
    try:
        if codecs.lookup(name).name == "utf-8-sig":
            return "utf-8"
        ends = "\n".encode(name) == b"\n" and codecs.lookup(name).name not in ("utf-7", "idna", "punycode")
    except LookupError:
        ends = False
    if not ends:
        raise ValueError(f"{name!r} is no encoding that can be read line by line: utf-8, cp1251, koi8-u, cp1125, ...")
    return name


class CsvFile(Table):
    """A CSV file that grows, a ``[[csv]]`` table.

    [[csv]]
    name = "hall"
    file = "/srv/queue/log-%Y-%m-%d.csv"   # or one name that is replaced or emptied at night
    encoding = "cp1251"
    delimiter = ";"
    columns = {key = ["id"], time = "ts", event = "action", ticket = "number", desk = "window"}
    words = {"виклик" = "called", "кінець" = "finished"}
    time_format = "%d.%m.%Y %H:%M:%S"
    desks = {"1" = "centre-1"}
    """

    file: Annotated[str, Field(min_length=1)]
    encoding: Annotated[str, AfterValidator(_bytewise)] = "utf-8"
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","
    header: bool = True  # without: columns are numbered from 1


class Place(BaseModel):
    """How far a file has been read; ``head`` is of its first bytes, as many of them as were read, up to HEAD."""

    model_config = ConfigDict(frozen=True)

    file: str
    offset: int = 0
    head: str = ""
    header: tuple[str, ...] = ()


class CsvPoller(Poller):
    KIND = "csv"
    LABEL = "CSV file"

    def __init__(self, table: CsvFile, layout: Layout, means: Means):
        super().__init__(table.name, layout.spoken_branches, means.clock, poll_seconds=table.poll_seconds)
        self._table = table
        self._layout = layout
        self._means = means
        self._place: Place | None = None

    def poll(self) -> None:
        place = self._place or self._kept()
        named = file_of(self._table, self._clock())
        if place is None or place.file != named:
            if place is not None and Path(place.file).exists():
                place = self._read_on(place)  # what was written to yesterday's after our last look
            place = Place(file=named)
        if "%" in self._table.file and Path(named).parent.is_dir() and not Path(named).exists():
            return  # nothing was called today yet
        while True:
            before, place = place, self._read_on(place)
            if place.offset - before.offset < MOST_BYTES // 2 or self.stopping:
                return

    def _read_on(self, place: Place) -> Place:
        """Takes in what was added; the place is kept with it."""
        after, rows, unreadable = read_on(self._table, place)
        if rows:
            self.record(self._layout.to_record(rows))
        said = self._layout.translate(rows, self._clock())
        if after != place:
            self._means.intake.accept(said.events, source=(self.name, after.model_dump_json().encode()))
        self.unreadable += unreadable + said.unreadable
        self._place = after
        self.wonder(said.unknown)
        return after

    def _kept(self) -> Place | None:
        kept = self._means.store.source(self.name)
        try:
            return Place.model_validate_json(kept) if kept is not None else None
        except ValueError:
            self.log.error("%s: the place kept of it cannot be read; beginning anew", self.name)
            return None


def file_of(table: CsvFile, now_unix_ms: int) -> str:
    """Today's file: the name, with the local date wherever strftime finds a place for one."""
    local = datetime.fromtimestamp(now_unix_ms / 1000, ZoneInfo(table.timezone))
    return local.strftime(table.file) if "%" in table.file else table.file


def read_on(table: CsvFile, place: Place) -> tuple[Place, list[Row], int]:
    """What was added to a file behind ``place``: the new place, rows, and lines that could not be read.

    Raises SourceDown if there is no file, or none that may be read.
    """
    try:
        with Path(place.file).open("rb") as opened:
            head = opened.read(HEAD)
            size = opened.seek(0, 2)
            if size < place.offset or _fingerprint(head, place.offset) != place.head:
                place = Place(file=place.file)  # another file under the same name
            opened.seek(place.offset)
            added = opened.read(MOST_BYTES)
    except OSError as error:
        raise SourceDown(f"{place.file}: {error.strerror}") from None
    whole = added[: added.rfind(b"\n") + 1]
    skipped = 0
    if not whole and len(added) > MOST_LINE:
        whole, skipped = added, 1  # no line has this length: thrown away, and counted
    offset = place.offset + len(whole)
    lines = [] if skipped else _lines(whole, table, first=place.offset == 0)
    header = place.header
    if table.header and not header and lines:
        header = tuple(cell.strip() for cell in _cells(lines[0], table))
        lines = lines[1:]
    rows, unreadable = _rows(lines, table, header)
    after = Place(file=place.file, offset=offset, head=_fingerprint(head, offset), header=header)
    return after, rows, unreadable + skipped


def _lines(added: bytes, table: CsvFile, *, first: bool) -> list[str]:
    if first and added.startswith(codecs.BOM_UTF8):
        added = added[len(codecs.BOM_UTF8) :]
    text = added.decode(table.encoding, "replace")
    return [line for line in text.replace("\r\n", "\n").split("\n") if line.strip()]


def _cells(line: str, table: CsvFile) -> list[str]:
    """Read one by one: a quote that nobody closed spoils one line and not the file."""
    try:
        return next(csv.reader([line], delimiter=table.delimiter), [])
    except csv.Error:
        return []


def _rows(lines: Sequence[str], table: CsvFile, header: tuple[str, ...]) -> tuple[list[Row], int]:
    rows: list[Row] = []
    unreadable = 0
    for line in lines:
        cells = _cells(line, table)
        names = header if table.header else [str(place + 1) for place in range(len(cells))]
        if not cells or len(cells) != len(names) or len(line) > MOST_LINE:
            unreadable += 1
            continue
        rows.append(dict(zip(names, cells, strict=True)))
    return rows, unreadable


def _fingerprint(head: bytes, offset: int) -> str:
    """Of the bytes that had been read when ``offset`` was; empty at the beginning."""
    known = head[: min(offset, HEAD)]
    return hashlib.sha256(known).hexdigest()[:16] if known else ""


def open_csv(table: CsvFile, means: Means) -> CsvPoller:
    return CsvPoller(table, layout_of(table, means.site), means)


def replay_csv(table: CsvFile, site: Site) -> Replay:
    return replay_rows(layout_of(table, site))
