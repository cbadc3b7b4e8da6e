"""Guessing passwords is slowed for each account and each address, and honest people are let through.

Three buckets of attempts, each filled again with time: of one account from one address, of one address, and of one
account from everywhere. Whoever guesses at somebody's account from many addresses empties only the last; a browser that
has signed in to the account before passes it by with a bucket of its own. Every attempt is paid for before the password
is looked at, so that a hundred at once are no more than one after the other; a good one is paid back.
"""

import ipaddress
from collections.abc import Callable

from api.errors import TooManyFailures
from api.slowdown import Slowdown


class Slowing:
    """Made once an application; ``clock`` gives seconds that only grow. Thread-safe."""

    def __init__(self, clock: Callable[[], float]):
        self._of_both = Slowdown(clock, burst=5, refill_s=15.0)
        self._of_address = Slowdown(clock, burst=30, refill_s=4.0)
        self._of_account = Slowdown(clock, burst=30, refill_s=60.0)
        self._of_browser = Slowdown(clock, burst=8, refill_s=15.0)

    def pay(self, login: str, address: str, known_browser: str | None) -> Callable[[], None]:
        """Lets an attempt begin; call what it gives if the attempt was good. Raises TooManyFailures.

        Args:
            known_browser: something that only a browser has which signed in to this account before.
        """
        net = network_of(address)
        buckets = [(self._of_both, f"{login}\n{net}"), (self._of_address, net), (self._of_account, login)]
        if known_browser is not None:
            buckets = [(self._of_browser, f"{login}\n{known_browser}")]
        paid: list[tuple[Slowdown, str]] = []
        for bucket, key in buckets:
            wait_s = bucket.spend(key)
            if wait_s:
                for each, its_key in paid:
                    each.give_back(its_key)
                raise TooManyFailures(f"Try again in {wait_s} s.", retry_after_s=wait_s)
            paid.append((bucket, key))

        def give_back() -> None:
            for each, its_key in paid:
                each.give_back(its_key)

        return give_back


def network_of(address: str) -> str:
    """The address, of IPv6 its network: one subscriber has a whole one."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address[:80]
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((int(parsed), 64), strict=False))
    return str(parsed)
