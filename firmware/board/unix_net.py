"""The network of the unix build: its host's. Names are found as the host finds them, but without blocking."""

from firmware.board.config import ConfigError
from firmware.board.net import Net
from firmware.board.netif import HostNetwork

TYPE_CHECKING = False
if TYPE_CHECKING:
    from select import poll

    from firmware.board.config import Config
    from firmware.board.contract import NetBoard

_HOSTS = "/etc/hosts"
_RESOLVER = "/etc/resolv.conf"


def make(board: "NetBoard", config: "Config", poll: "poll", folder: str) -> Net:
    """Raises ConfigError or tls.BadCertificate."""
    if config.network != "none":
        raise ConfigError("pad.json: network must be none: this board has its host's")
    return Net(board, config, poll, HostNetwork(), folder, hosts=_host, name_servers=_name_servers())


def _host(name: str) -> "str | None":
    for words in _lines(_HOSTS):
        # IPv6 addresses are of no use to the pad's IPv4 sockets.
        if name in words[1:] and ":" not in words[0]:
            return words[0]
    return "127.0.0.1" if name == "localhost" else None


def _name_servers() -> "tuple[tuple[str, int], ...]":
    found = [words[1] for words in _lines(_RESOLVER) if words[0] == "nameserver" and len(words) > 1]
    return tuple([(address, 53) for address in found if ":" not in address])


def _lines(path: str) -> "list[list[str]]":
    """The words of every line that has some, without comments."""
    try:
        with open(path) as file:
            lines = [line.split("#")[0].split() for line in file]
    except OSError:
        return []
    return [words for words in lines if words]
