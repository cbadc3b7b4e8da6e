"""What on the Overview page may spoil the figures: pads out of order, silent queues, votes that wait, failed chores."""

from collections.abc import Collection
from dataclasses import dataclass

from api import nightly
from api.livestate import FAULTS
from collector.store import Store

# A pad with one of these takes no votes, or hears of no calls.
NO_VOTES = ("dark", "reported", "offline", "lamps", "buttons", "safe_mode")


@dataclass(frozen=True)
class Quality:
    """What stands open now."""

    pads_without_votes: int
    is_unwatched: bool  # the service that watches pads has no broker
    silent_branches: list[str]
    waiting: int
    failed_chores: list[str]


def quality(store: Store, branches: Collection[str] | None) -> Quality:
    """Of these branches, or of all for None; what waits or fails is the whole centre's."""
    faults = [
        each
        for each in store.fleet.faults(is_open=True, limit=FAULTS)
        if branches is None or each.branch is None or each.branch in branches
    ]
    return Quality(
        pads_without_votes=len({each.desk for each in faults if each.kind in NO_VOTES and each.label is not None}),
        is_unwatched=any(each.kind == "broker" for each in faults),
        silent_branches=sorted({each.branch for each in faults if each.kind == "feed_silent" and each.branch}),
        waiting=store.waiting_votes(),
        failed_chores=nightly.failed(store.nights.last()),
    )
