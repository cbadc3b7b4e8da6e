"""pad.json -> Config, strictly: an unknown key, a missing one or a wrong type is refused by name.

    desk             the desk's name, which is also the pad's user name at the broker
    broker_host      its name or address; TLS demands that the broker's certificate has it
    broker_port      usually 8883 with TLS, 1883 without; TLS is on if ca.der lies beside pad.json (tls.py)
    password         at the broker
    keepalive_s      optional, 20: how long the broker waits (half as much again) before it declares the pad offline
    reconnect_max_s  optional, 30: the longest pause between two attempts to connect
    network          optional, "none": "wifi" or "ethernet" for a chip; "none" shares its host's network
    wifi_ssid        needed for wifi and only there; at most 32 bytes
    wifi_password    optional, there only: 8 to 63 characters; without it the network is open
    address          optional, "10.1.2.3/24": static; without it DHCP is asked
    gateway          needed with address, and only then
    dns              optional: a list of one or two name servers, "10.1.2.1" or "10.1.2.1:53"; otherwise DHCP's
    ntp_host         optional: a time server, name or address, perhaps with ":port"; needed for TLS on a chip, whose
                     clock does not survive a power cut
    wink             optional, "on": a dark pad out of touch for a minute winks one dim lamp every 20 s (core/wink.py)

No other file holds a secret, and no log line holds one.
"""

import json

from firmware.board.dns import is_address
from protocol.fields import NAME, Int, Maybe, OneOf, Rule, Text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_PRINTABLE = "".join([chr(code) for code in range(33, 127)])


class _Ssid(Rule):
    """Any characters, 1 to 32 bytes in UTF-8 (IEEE 802.11 §9.4.2.2)."""

    def problem(self, value: object) -> "str | None":
        if type(value) is not str:
            return "must be a string"
        return None if 1 <= len(value.encode()) <= 32 else "must have 1 to 32 bytes"


class _Address(Rule):
    """An IPv4 address; with ``bits`` followed by "/" and the length of the network's prefix."""

    def __init__(self, bits: bool = False):
        self.bits = bits

    def problem(self, value: object) -> "str | None":
        if type(value) is not str:
            return "must be a string"
        address, slash, bits = value.partition("/")
        if not self.bits:
            return None if is_address(value) else "must be an address such as 10.1.2.3"
        if not is_address(address) or not slash or not bits.isdigit() or not 1 <= int(bits) <= 30:
            return "must be an address with its network's length, such as 10.1.2.3/24"
        return None


class _NameServers(Rule):
    def problem(self, value: object) -> "str | None":
        if type(value) is not list or not 1 <= len(value) <= 2:
            return "must be a list of one or two addresses"
        for server in value:
            if type(server) is not str or not _is_server(server) or not is_address(server.partition(":")[0]):
                return "must hold addresses such as 10.1.2.1"
        return None


class _Server(Rule):
    def problem(self, value: object) -> "str | None":
        problem = _HOST.problem(value)
        return problem or (None if _is_server(str(value)) else "must be a host, perhaps followed by a colon and a port")


_HOST = Text(1, 253, _PRINTABLE)
_REQUIRED: "dict[str, Rule]" = {
    "desk": NAME,
    "broker_host": _HOST,
    "broker_port": Int(1, 65535),
    "password": Text(1, 128, _PRINTABLE),
}
_OPTIONAL: "dict[str, tuple[Rule, object]]" = {
    "keepalive_s": (Int(5, 600), 20),
    "reconnect_max_s": (Int(1, 300), 30),
    "network": (OneOf("none", "wifi", "ethernet"), "none"),
    "wifi_ssid": (Maybe(_Ssid()), None),
    "wifi_password": (Maybe(Text(8, 63, " " + _PRINTABLE)), None),
    "address": (Maybe(_Address(bits=True)), None),
    "gateway": (Maybe(_Address()), None),
    "dns": (Maybe(_NameServers()), None),
    "ntp_host": (Maybe(_Server()), None),
    "wink": (OneOf("on", "off"), "on"),
}


class ConfigError(ValueError):
    """The configuration cannot be used; str() names the key, never its value."""


class Config:
    def __init__(self, fields: "dict[str, Any]"):
        """``fields`` have been checked by parse()."""
        self.desk: str = fields["desk"]
        self.broker_host: str = fields["broker_host"]
        self.broker_port: int = fields["broker_port"]
        self.password: str = fields["password"]
        self.keepalive_s: int = fields["keepalive_s"]
        self.reconnect_max_s: int = fields["reconnect_max_s"]
        self.network: str = fields["network"]
        self.wifi_ssid: str | None = fields["wifi_ssid"]
        self.wifi_password: str | None = fields["wifi_password"]
        self.address: str | None = fields["address"]
        self.gateway: str = fields["gateway"] or ""
        self.dns: tuple[tuple[str, int], ...] = tuple([_server(each, 53) for each in fields["dns"] or ()])
        self.wink: str = fields["wink"]
        self.ntp: tuple[str, int] | None = _server(fields["ntp_host"], 123) if fields["ntp_host"] else None


def parse(text: bytes) -> Config:
    """The configuration in ``text``. Raises ConfigError."""
    try:
        given = json.loads(text.decode("utf-8"))
    except (ValueError, RuntimeError):  # RuntimeError: nested too deep
        raise ConfigError("pad.json is not JSON") from None
    if type(given) is not dict:
        raise ConfigError("pad.json is not a JSON object")
    fields = {}
    for key, rule in _REQUIRED.items():
        if key not in given:
            raise ConfigError("pad.json: %s is missing" % key)
        fields[key] = _checked(key, rule, given.pop(key))
    for key, (rule, default) in _OPTIONAL.items():
        fields[key] = _checked(key, rule, given.pop(key, default))
    for key in given:
        raise ConfigError("pad.json: no such key: %s" % key)
    _check_network(fields)
    return Config(fields)


def _checked(key: str, rule: Rule, value: object) -> object:
    problem = rule.problem(value)
    if problem:
        raise ConfigError("pad.json: %s %s" % (key, problem))
    return value


def _check_network(fields: "dict[str, Any]") -> None:
    """The keys that need one another, or exclude one another."""
    kind = fields["network"]
    if kind == "wifi" and not fields["wifi_ssid"]:
        raise ConfigError("pad.json: wifi_ssid is missing")
    if fields["wifi_password"] and not fields["wifi_ssid"]:
        raise ConfigError("pad.json: wifi_password without wifi_ssid")
    if kind != "wifi" and fields["wifi_ssid"]:
        raise ConfigError("pad.json: wifi_ssid is for network wifi only")
    if kind == "none" and fields["address"]:
        raise ConfigError("pad.json: address is for network wifi or ethernet only")
    if bool(fields["address"]) != bool(fields["gateway"]):
        raise ConfigError("pad.json: address and gateway go together")


def _is_server(text: str) -> bool:
    host, colon, port = text.partition(":")
    return bool(host) and (not colon or (port.isdigit() and 1 <= int(port) <= 65535))


def _server(text: str, otherwise_port: int) -> "tuple[str, int]":
    host, _, port = text.partition(":")
    return host, int(port or otherwise_port)
