"""The monthly reports by themselves: of the centre and of each branch, once a month, on a day that the office sets.

A month's reports are made as soon as that day of the next month has come and they are not there; so a night that was
missed, and a branch that the register got late, are made up for. What is there is never made a second time.
"""

import logging
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta

from api.errors import BadQuestion
from api.printing import CannotPrint
from api.reports.making import make
from api.reports.order import Order
from api.reports.routes import languages
from api.settings import Settings
from collector.store import Report, Store
from schemas.periods import Period, bounds, day_date, day_key, day_of
from schemas.register_rules import begins, ends

log = logging.getLogger("api.reports")
NAME = "reports"


def run(store: Store, settings: Settings, now_unix_ms: int) -> list[str]:
    """Makes what is due; a sentence for each report, and for one that cannot be made."""
    today = today_of(store, now_unix_ms)
    if today.day < settings.reports_day:
        return []
    month = bounds(today.replace(day=1) - timedelta(days=1), Period.MONTH)[0]
    return [said for said, _ in make_month(store, settings, month)]


def make_month(
    store: Store, settings: Settings, month: date, say: Callable[[str], None] = lambda line: None
) -> Iterator[tuple[str, Report | None]]:
    """Makes one after another what is missing of a month that is over.

    Args:
        say: told before each report what it will be about.

    Raises BadQuestion for a month that is not over.
    """
    if bounds(month, Period.MONTH)[1] >= today_of(store, time.time_ns() // 1_000_000):
        raise BadQuestion(f"The month {month:%Y-%m} is not over.", field="month")
    for order in due(store, settings, month):
        named = f"{order.cut}{' ' + order.key if order.key else ''} {month:%Y-%m} ({order.language})"
        say(named)
        try:
            made = make(store, order, languages())
        except CannotPrint as error:
            log.exception("the report %s cannot be made", named)
            yield f"The report {named} cannot be made: {error}", None
            continue
        yield f"Report {made.id} is made: {named}.", made


def due(store: Store, settings: Settings, month: date) -> list[Order]:
    """The monthly reports of ``month`` (its first day) that are not there: the centre's first, branches in order."""
    first, last = bounds(month, Period.MONTH)
    _, register = store.book.whole()
    there = {
        (each.about.cut, each.about.key, each.about.language)
        for each in store.reports.reports(period="month", first_day=day_key(first), limit=5000)
        if not each.about.made_by and each.about.figures_end >= day_key(last)
    }
    branches = dict.fromkeys(each.id for each in register.branches if begins(each) <= last and first <= ends(each))
    wanted = [("centre", ""), *(("branch", each) for each in branches)]
    rows = store.rollups("branch", day_key(first), day_key(last), period=Period.MONTH)
    called = {row.branch for row in rows if row.calls}
    return [
        Order(cut=cut, period=Period.MONTH, day=first, language=language, key=key)  # type: ignore[arg-type]
        for cut, key in wanted
        if (called if cut == "centre" else key in called)
        for language in settings.report_languages or (settings.default_language,)
        if (cut, key, language) not in there
    ]


def today_of(store: Store, now_unix_ms: int) -> date:
    """Today where the office is."""
    return day_date(day_of(now_unix_ms, store.register().timezone))
