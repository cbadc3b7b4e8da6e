"""pad.json -> Config, strictly: an unknown key, a missing one or a wrong type is refused by name.

    desk             the desk's name, which is also the pad's user name at the broker
    broker_host      its address; a number is better than a name, which can be looked up only while starting
    broker_port      1883 without TLS
    password         at the broker
    keepalive_s      optional, 20: how long the broker waits (half as much again) before it declares the pad offline
    reconnect_max_s  optional, 30: the longest pause between two attempts to connect

No other file holds a secret, and no log line holds one.
"""

import json

from protocol.fields import NAME, Int, Rule, Text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_PRINTABLE = "".join([chr(code) for code in range(33, 127)])
_REQUIRED: "dict[str, Rule]" = {
    "desk": NAME,
    "broker_host": Text(1, 253, _PRINTABLE),
    "broker_port": Int(1, 65535),
    "password": Text(1, 128, _PRINTABLE),
}
_OPTIONAL: "dict[str, tuple[Rule, object]]" = {"keepalive_s": (Int(5, 600), 20), "reconnect_max_s": (Int(1, 300), 30)}


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
    return Config(fields)


def _checked(key: str, rule: Rule, value: object) -> object:
    problem = rule.problem(value)
    if problem:
        raise ConfigError("pad.json: %s %s" % (key, problem))
    return value
