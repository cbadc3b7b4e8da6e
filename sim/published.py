"""The demonstration's past months as they were published, one of them with a correction. Laid down once.

Everything goes through the api's own closing (api/publication/closing.py): what is withheld is withheld as in an
office. Of one month a branch's figures came too late, so its first edition lacks them and the second one says why.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from api.publication import closing
from api.publication.contents import days_of
from collector.store import Counted, Store
from schemas.periods import day_date, day_key

REASON = (
    "Філія «Замостя» передала дані із запізненням через обрив лінії. "
    "The Zamostia branch's data came late, after its line was cut."
)
LATE_BRANCH = "zamostia"
_BACK = 3  # the corrected month, counted from the newest


def lay_down(store: Store, now_unix_ms: int) -> int:
    """Publishes the months that are over, unless any was; returns how many editions there are then."""
    if store.editions.all():
        return 0
    months = list(_whole_months(store, now_unix_ms))
    if not months:
        return 0
    counted = store.editions.counted(day_key(days_of(months[0])[0]), day_key(days_of(months[-1])[1]))
    by_month = {month: [row for row in counted if row.month == int(month.replace("-", ""))] for month in months}
    corrected = months[-_BACK] if len(months) >= _BACK else ""
    for month in months:
        rows = by_month[month]
        _publish(store, month, _without_late(rows) if month == corrected else rows, days_after=5)
    if corrected and _without_late(by_month[corrected]) != by_month[corrected]:
        _publish(store, corrected, by_month[corrected], days_after=40, reason=REASON)
    return len(store.editions.all())


def _publish(store: Store, month: str, rows: list[Counted], *, days_after: int, reason: str = "") -> None:
    revision, register = store.book.whole()
    made_on = days_of(month)[1] + timedelta(days=days_after)
    now = int(datetime(made_on.year, made_on.month, made_on.day, 2, 30, tzinfo=UTC).timestamp() * 1000)
    try:
        made = closing.planned(store, register, revision, month, rows, reason=reason)
    except closing.NotToBeClosed:  # a month without a call, or a correction too small: as an office would leave it
        return
    closing.publish(store, made, by="", now_unix_ms=now)


def _without_late(rows: list[Counted]) -> list[Counted]:
    return [row for row in rows if row.branch != LATE_BRANCH]


def _whole_months(store: Store, now_unix_ms: int) -> Iterator[str]:
    """The months of which every day has passed and from whose first days on there are calls."""
    days = sorted(row.day for row in store.rollups("branch", 20000101, 21001231))
    if not days:
        return
    begins, today = day_date(days[0]), datetime.fromtimestamp(now_unix_ms / 1000, UTC).date()
    month = begins.replace(day=1) if begins.day <= 3 else _next(begins)
    while _next(month) <= today:
        yield f"{month.year}-{month.month:02}"
        month = _next(month)


def _next(day: date) -> date:
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)
