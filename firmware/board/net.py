"""A pad's whole way to the outside (contract.Connector): network, names, clock, streams. It speaks no MQTT."""

from firmware.board import tls
from firmware.board.clock import Clock
from firmware.board.resolver import Resolver
from firmware.board.tcp import TcpStream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from select import poll

    from firmware.board.config import Config
    from firmware.board.contract import NetBoard, Network


def no_hosts(name: str) -> "str | None":
    """A chip has no /etc/hosts."""
    return "127.0.0.1" if name == "localhost" else None


class Net:
    """Made by a board's main() once pad.json is read.

    Args:
        root: the folder of ca.der. Raises tls.BadCertificate if that cannot be used.
        state: the folder for the clock's floor, or None.
        hosts: addresses of names that need no name server.
        name_servers: (address, port) to ask if neither pad.json nor DHCP names one.
    """

    def __init__(
        self,
        board: "NetBoard",
        config: "Config",
        poll: "poll",
        network: "Network",
        root: str,
        state: "str | None" = None,
        hosts: "Callable[[str], str | None]" = no_hosts,
        name_servers: "tuple[tuple[str, int], ...]" = (),
    ):
        self.network = network
        self._poll = poll
        self._config = config
        self._fallback = name_servers
        self._tls = tls.load(root)
        self.stalls = self._tls is not None
        self._resolver = Resolver(poll, board, board.random_bytes, self._name_servers, hosts)
        self.clock = Clock(
            config, poll, board, self._resolver, board.random_bytes, board.now_unix_ms, board.set_clock, state
        )

    @property
    def is_up(self) -> bool:
        return self.network.is_up and (self._tls is None or self.clock.may_encrypt)

    def step(self, ticks_ms: int, may_write: bool) -> None:
        self.network.step(ticks_ms)
        if self.network.is_up:
            self.clock.step(ticks_ms, may_write)

    def heard(self, at_unix_ms: int) -> None:
        self.clock.heard(at_unix_ms)

    def open(self, host: str, port: int) -> TcpStream:
        return TcpStream(host, port, self._poll, self._resolver, self._tls)

    def _name_servers(self) -> "tuple[tuple[str, int], ...]":
        if self._config.dns:
            return self._config.dns
        return tuple([(address, 53) for address in self.network.name_servers]) or self._fallback
