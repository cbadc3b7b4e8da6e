"""Reading at the level of an operator or a desk: for a purpose of the order, by an order where one is needed, and
never without a line in the access log, granted or refused (order P4.3, P4.7, P4.8). It reads no figures itself.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from api.access.roles import purposes_for, role_of
from api.auth import allowed
from api.errors import BadQuestion, OrderMissing, ScopeMissing, UnknownPurpose
from api.purposes import PURPOSES, checked_purpose
from collector.store import Read, ReadingOrder, Store, Token
from schemas.periods import day_of

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to read: ``question`` in words for the log, ``about`` the operator or desk if it is one."""

    question: str
    purpose: str | None
    order: int | None = None
    branch: str | None = None
    about: str | None = None


def disclose(store: Store, token: Token, wish: Wish, narrow: Callable[[], T]) -> T:
    """What ``narrow`` gives, which holds the question against the reader's limits, once the reading is written down.

    Raises ScopeMissing, UnknownPurpose, OrderMissing, or what ``narrow`` raises; then the refusal is written down.
    """
    # An order is written down where it was looked at: whoever needs none has not read by one.
    order = wish.order if needs_order(token) else None
    read = Read(token.person, token.role, order, wish.branch, wish.about)
    try:
        _may(store, token, wish)
        narrow_result = narrow()
    except (ScopeMissing, BadQuestion):
        store.log_access(token.name, wish.purpose, False, wish.question[:300], read)
        raise
    store.log_access(token.name, wish.purpose, True, wish.question[:300], read)
    return narrow_result


def purposes_of(token: Token) -> list[str]:
    """The purposes that this reader may name, in the order's own order."""
    mine = purposes_for(token.role, PURPOSES)
    return [each for each in PURPOSES if each in mine]


def needs_order(token: Token) -> bool:
    """Whether the reader reads operators' figures by a recorded order only (P4.3)."""
    role = role_of(token.role)
    return role is not None and role.by_order


def orders_in_force(store: Store, now_unix_ms: int) -> list[ReadingOrder]:
    """Those by which somebody may read now, the newest first."""
    today = _today(store, now_unix_ms)
    return [each for each in store.staff.orders() if _in_force(each, today)]


def _may(store: Store, token: Token, wish: Wish) -> None:
    if token.limits.operator is not None:  # one's own figures are nobody else's business, so they need no purpose
        allowed(token, ("figures",))
        return
    allowed(token, ("operators",))
    purpose = checked_purpose(wish.purpose)
    mine = purposes_of(token)
    if purpose.id not in mine:
        raise UnknownPurpose(
            f"Point {purpose.clause} of the order gives this purpose to others; yours are {', '.join(mine) or 'none'}.",
            field="purpose",
        )
    if needs_order(token):
        _check_order(store, wish)


def _check_order(store: Store, wish: Wish) -> None:
    order = store.staff.order(wish.order) if wish.order is not None else None
    if order is None:
        raise OrderMissing(
            "Point 4.3 of the order: by operator only on a recorded instruction. Name it (order=N).", field="order"
        )
    today = _today(store, time.time_ns() // 1_000_000)
    if not _in_force(order, today):
        raise OrderMissing(f"Order {order.number} is not in force.", field="order")
    if order.branch is not None and order.branch != wish.branch:
        raise OrderMissing(f"Order {order.number} is about the branch {order.branch}.", field="branch")
    if order.operator is not None and order.operator != wish.about:
        raise OrderMissing(f"Order {order.number} is about one operator, {order.operator}.", field="key")


def _in_force(order: ReadingOrder, today: int) -> bool:
    return order.withdrawn_unix_ms is None and order.day <= today <= order.last_day


def _today(store: Store, now_unix_ms: int) -> int:
    return day_of(now_unix_ms, store.register().timezone)
