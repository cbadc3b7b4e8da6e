"""What the register file and the settings say of the branches that a feed serves. It reads the register, nothing else.

A thing with several rows (schemas/register.py) is taken as it is on the day the feed starts, and as it was last if it
is no more: late words about a closed branch still find it. Who sat where, and which services need no call, holds for
the days written beside it, whenever the feed was started.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from typing import TypeVar

from collector.errors import CollectorError
from collector.feed.errors import BadSettings
from collector.feed.model import Branch, NoCall
from collector.feed.registry import ADAPTERS
from collector.feed.seats import Seat, Seats, days
from collector.feed.settings import Settings
from collector.feed.source import Site
from collector.register import read_register
from schemas import register
from schemas.register import Register

Row = TypeVar("Row", register.Branch, register.Desk)


def site_of(settings: Settings, today: date | None = None) -> Site:
    """What the register file and the settings say, every queue system's tables checked. Raises BadSettings."""
    book = _register(settings)
    day = today or datetime.now(UTC).date()
    branches = _branches(settings, book, day)
    desks = {desk.id: desk.branch for desk in _as_of(book.desks, day) if desk.branch in branches}
    site = Site(branches, desks, Seats.of(_seats(book, branches, desks)), settings.ticket_secret.get_secret_value())
    for kind, adapter in ADAPTERS.items():
        for table in getattr(settings, kind):
            adapter.checks(table, site)
    return site


def _register(settings: Settings) -> Register:
    try:
        return read_register(settings.register_file)
    except CollectorError as error:
        raise BadSettings(f"register_file: {error}") from None


def _branches(settings: Settings, book: Register, day: date) -> dict[str, Branch]:
    known = {branch.id: branch for branch in _as_of(book.branches, day)}
    named: dict[str, Iterable[str]] = {
        "branches": settings.branches or (),
        "idle_minutes": settings.idle_minutes,
        "no_calls": [branch for each in settings.no_calls for branch in each.branches or ()],
    }
    for key, names in named.items():
        for name in names:
            if name not in known:
                raise BadSettings(f"{key}: the register knows no branch {name!r}")
    persons = {True: None, False: frozenset[str](), None: frozenset(each.id for each in book.operators)}
    return {
        branch.id: Branch(
            id=branch.id,
            timezone=branch.timezone,
            day_ends=time.fromisoformat(branch.day_ends),
            call_hours=settings.call_hours,
            no_call_services=settings.no_call_services,
            no_calls=_no_calls(settings, book, branch),
            idle_ms=settings.idle_minutes[branch.id] * 60_000 if branch.id in settings.idle_minutes else None,
            void_ms=round(settings.void_seconds * 1000),
            absent_ms=round(settings.absent_seconds * 1000),
            persons=persons[settings.one_desk_an_operator],
        )
        for branch in known.values()
        if settings.branches is None or branch.id in settings.branches
    }


def _no_calls(settings: Settings, book: Register, branch: register.Branch) -> tuple[NoCall, ...]:
    """The register's and the settings' own, for services that only the queue system knows."""
    spans = [(each.id, each.valid_from, each.valid_to) for each in book.services if each.no_call]
    for table in settings.no_calls:
        if table.branches is None or branch.id in table.branches:
            spans.append((table.service, table.valid_from, table.valid_to))
    return tuple(NoCall(service, *days(first, last, branch.timezone)) for service, first, last in spans)


def _seats(book: Register, branches: dict[str, Branch], desks: dict[str, str]) -> list[Seat]:
    found = []
    for each in book.assignments:
        if each.desk in desks:
            span = days(each.valid_from, each.valid_to, branches[desks[each.desk]].timezone)
            found.append(Seat(each.operator, each.desk, *span))
    return found


def _as_of(rows: Iterable[Row], day: date) -> list[Row]:
    """Of each thing the row valid on ``day``; else the last one of the past; else the first of the future."""
    best: dict[str, Row] = {}
    for row in rows:
        if row.id not in best or _rank(row, day) > _rank(best[row.id], day):
            best[row.id] = row
    return list(best.values())


def _rank(row: register.Dated, day: date) -> tuple[bool, bool, float]:
    began = row.valid_from or date.min
    return row.holds(day), began <= day, (1 if began <= day else -1) * began.toordinal()
