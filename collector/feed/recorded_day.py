"""A recorded day, read back into what the feed would have heard: for ``check``. It asks nobody and keeps nothing.

A file has one JSON value a line:

    {"at_unix_ms": ..., "source": "main", "value": ...}   as the feed records (recording.py): the webhook or an adapter
    {"event": ..., "type": "called", ...}, or a list      a body as it was, or will be, sent to the webhook

A body without a moment of its own is taken to have come when the newest event in it, or before it, happened.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from collector.feed.body import WEBHOOK, Reader, in_words
from collector.feed.model import Event
from collector.feed.registry import ADAPTERS
from collector.feed.settings import Settings
from collector.feed.source import Replay, Site

FAR_AHEAD_UNIX_MS = 4_102_444_800_000  # no event of a body without a moment is in the future


@dataclass(frozen=True, slots=True)
class Heard:
    """What came at one moment from one source for one branch."""

    at_unix_ms: int
    source: str
    branch: str
    events: tuple[Event, ...]


@dataclass
class Day:
    """What was heard, in the order of arrival; what could not be understood, in words; tickets' labels as given."""

    heard: list[Heard] = field(default_factory=list)
    not_understood: dict[str, int] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)

    def wonder(self, what: str) -> None:
        self.not_understood[what] = self.not_understood.get(what, 0) + 1


def read_day(files: Iterable[Path], settings: Settings, site: Site) -> Day:
    """Raises OSError for a file that cannot be read; whatever is in one cannot fail."""
    day = Day()
    reader = Reader(site.desks, frozenset(site.branches), site.ticket_secret, site.seats)
    replays = dict(_replays(settings, site))
    for file in files:
        for number, line in enumerate(file.read_bytes().splitlines(), 1):
            if not line.strip():
                continue
            try:
                _take(day, reader, replays, json.loads(line))
            except RecursionError:
                day.wonder(f"{file.name}, line {number}: nested too deeply")
            except ValueError as error:
                day.wonder(f"{file.name}, line {number}: {str(error)[:120]}")
    day.heard.sort(key=lambda each: each.at_unix_ms)
    return day


def _replays(settings: Settings, site: Site) -> Iterator[tuple[str, Replay]]:
    for kind, adapter in ADAPTERS.items():
        for table in getattr(settings, kind):
            if adapter.replays is not None:
                yield table.name, adapter.replays(table, site)


def _take(day: Day, reader: Reader, replays: Mapping[str, Replay], line: Any) -> None:
    if not isinstance(line, dict) or "value" not in line:
        _body(day, reader, line, None)
        return
    at, source, value = line.get("at_unix_ms"), line.get("source"), line["value"]
    if not isinstance(at, int) or not isinstance(source, str):
        raise ValueError("not a line of a recording")
    if source == WEBHOOK:
        _body(day, reader, value, at)
        return
    if source not in replays:
        # Without its line, or a day of another feed would be told line by line.
        day.wonder(f"the settings have no queue system {source[:40]!r}, or one whose recordings are not read")
        return
    events, unknown = replays[source](at, value)
    for word in sorted(unknown):
        day.wonder(f"{source}: our table does not know {word}")
    _add(day, at, source, events)


def _body(day: Day, reader: Reader, body: Any, at_unix_ms: int | None) -> None:
    if isinstance(body, dict) and isinstance(body.get("refused"), list):
        for each in body["refused"]:
            day.wonder(f"{WEBHOOK}: refused: {each}")
        return
    read = reader.read(json.dumps(body).encode(), at_unix_ms or FAR_AHEAD_UNIX_MS)
    if isinstance(read, list):
        for fault in read:
            day.wonder(f"{WEBHOOK}: refused: {in_words(fault)}")
        return
    for label, event in zip(_labels(body), _in_order(body, read), strict=False):
        if label and event.ticket:
            day.labels[event.ticket] = label
    newest = max((event.occurred_unix_ms for events in read.values() for event in events), default=0)
    before = day.heard[-1].at_unix_ms if day.heard else 0
    _add(day, at_unix_ms or max(newest, before), WEBHOOK, read)


def _add(day: Day, at_unix_ms: int, source: str, events: Mapping[str, Sequence[Event]]) -> None:
    for branch, said in events.items():
        day.heard.append(Heard(at_unix_ms, source, branch, tuple(said)))


def _labels(body: Any) -> list[str | None]:
    """Each event's ticket as people read it: the label; else the key, unless it is a recording's pseudonym."""
    found: list[str | None] = []
    for each in body if isinstance(body, list) else [body]:
        ticket = each.get("ticket") or {}
        found.append(ticket.get("label") or ticket.get("key"))
    return found


def _in_order(body: Any, read: Mapping[str, Sequence[Event]]) -> list[Event]:
    """The events as they stand in the body; they were read by branch."""
    rest = {branch: list(events) for branch, events in read.items()}
    return [rest[each["branch"]].pop(0) for each in (body if isinstance(body, list) else [body])]
