"""The night's work on figures: months that are over, the mix for fair comparison, and whether all sums agree."""

import logging

from api.settings import Settings
from collector.store import Store
from schemas.months import month_name

log = logging.getLogger("api.nightly")


def consolidate(store: Store, _settings: Settings, now_unix_ms: int) -> list[str]:
    """Months that are over go into the monthly figures."""
    return [f"{month_name(month)}: its days are summed up" for month in store.totals.consolidate(now_unix_ms)]


def make_mix(store: Store, _settings: Settings, now_unix_ms: int) -> list[str]:
    """The mix by operator, service and hour is brought up to date."""
    return [f"{month_name(month)}: the mix was made anew" for month in store.totals.make_mix(now_unix_ms)]


def reconcile(store: Store, _settings: Settings, now_unix_ms: int) -> list[str]:
    """Sums are compared with sums; what differs is told and left as it is."""
    found = store.totals.reconcile(now_unix_ms)
    for sentence in found.differences:
        log.warning("figures do not agree: %s", sentence)
    return [
        *(f"{each.name}: {each.compared} compared, {each.differ} differ" for each in found.checks),
        *found.differences,
    ]
