"""Finds the address of a host's name without blocking, and keeps it for the day on which DNS is down.

An address that worked is used again before anybody is asked; DNS is asked when it is unknown or has just failed. If
DNS does not answer, the address known last is tried again: a broker seldom moves, name servers often fail.
Why not getaddrinfo(): it blocks, for 30 s and more while a name server is silent, and the pad's buttons with it.
"""

from firmware.board import dns, udp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from select import poll

    from firmware.board.contract import Ticks

    Server = tuple[str, int]

_TRIES = 4
_ENOENT = 2


class Resolver:
    """``servers`` gives the name servers of the moment; ``hosts`` the addresses that need no server."""

    def __init__(
        self,
        poll: "poll",
        ticks: "Ticks",
        random_bytes: "Callable[[int], bytes]",
        servers: "Callable[[], tuple[Server, ...]]",
        hosts: "Callable[[str], str | None]",
    ):
        self._poll = poll
        self._ticks = ticks
        self._random_bytes = random_bytes
        self._servers = servers
        self._hosts = hosts
        self._known: dict[str, str] = {}
        self._doubted: dict[str, bool] = {}
        self._open: dict[str, tuple[bytes, udp.Question]] = {}

    def find(self, host: str) -> "str | None":
        """The address of ``host``; None: ask again later. Raises OSError if it cannot be had."""
        if dns.is_address(host):
            return host
        fixed = self._hosts(host)
        if fixed:
            return fixed
        known = self._known.get(host)
        if known and not self._doubted[host]:
            self._doubted[host] = True  # until confirm() says that somebody was there
            return known
        return self._ask(host)

    def confirm(self, host: str) -> None:
        """Its address has proved right."""
        self._doubted[host] = False

    def forget(self, host: str) -> None:
        """Nobody waits for ``host`` any more."""
        if host in self._open:
            self._open.pop(host)[1].close()

    def _ask(self, host: str) -> "str | None":
        try:
            if host not in self._open:
                self._open[host] = self._question(host)
            asked, question = self._open[host]
            if not question.step(lambda reply: self._take(host, asked, reply)):
                return None
        except (OSError, ValueError):  # no answer, no server, or no such name
            if host not in self._known:
                self.forget(host)
                raise OSError(_ENOENT, "no address for the broker's name") from None
        self.forget(host)
        self._doubted[host] = True
        return self._known[host]

    def _question(self, host: str) -> "tuple[bytes, udp.Question]":
        servers = self._servers()
        if not servers:
            raise OSError(_ENOENT, "no name server")
        asked = dns.question(int.from_bytes(self._random_bytes(2), "big"), host)
        return asked, udp.Question(self._poll, self._ticks, asked, servers, _TRIES)

    def _take(self, host: str, asked: bytes, reply: bytes) -> bool:
        address = dns.answer(reply, asked)
        if address:
            self._known[host] = address
        return address is not None
