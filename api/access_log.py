"""``GET /v1/access-log``: who read what about which operator, why and by which order; and ``GET /v1/orders``.

The log is for the staff's representative and the head of the centre (order P4.8). It holds no figure and no name of an
operator. Reading it is not written into it: it would fill itself.
"""

import csv
import io
import time
from collections.abc import Iterable
from datetime import UTC, date, datetime
from datetime import time as clock
from typing import Annotated, Self
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api.access.operators import orders_in_force
from api.aggregates import Day, Name
from api.auth import require
from api.parts import parts_of
from collector.store import LogFilter, LoggedReading, ReadingOrder, Store, Token
from schemas.access_resources import AccessLog, OrderResource, Orders, Reading
from schemas.periods import day_date

MOST = 1000
MOST_EXPORTED = 50_000
_COLUMNS = tuple(Reading.model_fields)

router = APIRouter()


class Asked(BaseModel):
    """What the log is narrowed to; a parameter that is not in it is refused, not overlooked."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    reader: str | None = Field(None, min_length=1, max_length=80)
    about: Name | None = Field(None, description="one operator or desk")
    branch: Name | None = None
    purpose: str | None = Field(None, min_length=1, max_length=40)
    granted: bool | None = None
    first: Day | None = Field(None, alias="from")
    last: Day | None = Field(None, alias="to")

    def filter(self, zone: ZoneInfo) -> LogFilter:
        """Days are of the office's time zone, both inside."""
        return LogFilter(
            reader=self.reader,
            about=self.about,
            branch=self.branch,
            purpose=self.purpose,
            granted=self.granted,
            from_unix_ms=_begin(self.first, zone, 0),
            before_unix_ms=_begin(self.last, zone, 1),
        )

    @classmethod
    def of(cls, query: Iterable[tuple[str, str]]) -> Self:
        """What a page's form asks for: empty fields are none. Raises ValidationError."""
        known = {field.alias or name for name, field in cls.model_fields.items()}
        return cls.model_validate({name: value.strip() for name, value in query if name in known and value.strip()})


class Page(Asked):
    offset: int = Field(0, ge=0, le=10_000_000)
    limit: int = Field(100, ge=1, le=MOST)


@router.get("/v1/access-log")
def read_access_log(
    request: Request, page: Annotated[Page, Query()], _token: Annotated[Token, require("access_log")]
) -> AccessLog:
    """Readings at the level of operators and desks, granted and refused, the newest first."""
    store = parts_of(request).store
    wanted = page.filter(zone_of(store))
    found = store.staff.readings(wanted, offset=page.offset, limit=page.limit)
    return AccessLog(
        total=store.staff.count_readings(wanted), offset=page.offset, readings=[resource(each) for each in found]
    )


@router.get("/v1/access-log.csv", response_class=Response, responses={200: {"content": {"text/csv": {}}}})
def export_access_log(
    request: Request, asked: Annotated[Asked, Query()], _token: Annotated[Token, require("access_log")]
) -> Response:
    """The same as a table (RFC 4180, UTF-8), at most 50,000 of the newest."""
    store = parts_of(request).store
    found = store.staff.readings(asked.filter(zone_of(store)), limit=MOST_EXPORTED)
    headers = {"Content-Disposition": 'attachment; filename="access-log.csv"'}
    return Response(_table(found), headers=headers, media_type="text/csv; charset=utf-8")


@router.get("/v1/orders")
def read_orders(request: Request, _token: Annotated[Token, require("operators")]) -> Orders:
    """Recorded orders by which somebody may read now (order P4.3)."""
    found = orders_in_force(parts_of(request).store, time.time_ns() // 1_000_000)
    return Orders(orders=[_order(each) for each in found])


def resource(each: LoggedReading) -> Reading:
    return Reading(
        id=each.id,
        at=datetime.fromtimestamp(each.at_unix_ms / 1000, UTC),
        reader=each.reader,
        role=each.role,
        purpose=each.purpose,
        order=each.reading_order,
        branch=each.branch,
        about=each.about,
        granted=each.granted,
        question=each.question,
    )


def zone_of(store: Store) -> ZoneInfo:
    return ZoneInfo(store.register().timezone)


def _table(readings: Iterable[LoggedReading]) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(_COLUMNS)
    for each in readings:
        row = resource(each).model_dump(mode="json")
        writer.writerow([_harmless(row[name]) for name in _COLUMNS])
    return text.getvalue()


def _harmless(value: object) -> object:
    """A text that a spreadsheet would take for a formula begins with an apostrophe: readers write the questions."""
    return f"'{value}" if isinstance(value, str) and value[:1] in "=+-@\t\r" else value


def _order(each: ReadingOrder) -> OrderResource:
    return OrderResource(
        id=each.id,
        number=each.number,
        day=day_date(each.day),
        ordered_by=each.ordered_by,
        about=each.about,
        branch=each.branch,
        operator=each.operator,
        last_day=day_date(each.last_day),
    )


def _begin(day: date | None, zone: ZoneInfo, later_days: int) -> int | None:
    if day is None:
        return None
    moment = datetime.combine(date.fromordinal(day.toordinal() + later_days), clock(), zone)
    return int(moment.timestamp() * 1000)
