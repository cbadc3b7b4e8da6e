"""Rules for one field of a message: each has ``problem(value)``, None or what is wrong with it.

Not a schema language: only what our messages need, small enough for the pad.
Types are compared with ``type(x) is``: True is an int to isinstance under CPython, but not on the pad.
"""

_NAME = "abcdefghijklmnopqrstuvwxyz0123456789-"
_TOKEN = _NAME + "ABCDEFGHIJKLMNOPQRSTUVWXYZ._:"
# Crockford's base 32 without i, l, o, u: what collector/feed/calls.py makes call ids of.
_BASE32 = "0123456789abcdefghjkmnpqrstvwxyz"
_HEX = "0123456789abcdef"


class Rule:
    def problem(self, value: object) -> "str | None":
        """What is wrong with ``value``, or None."""
        return None


class Int(Rule):
    def __init__(self, low: int, high: int):
        self.low = low
        self.high = high

    def problem(self, value: object) -> "str | None":
        if type(value) is not int:
            return "must be an integer"
        if not self.low <= value <= self.high:
            return "must be from %d to %d" % (self.low, self.high)
        return None


class Text(Rule):
    """A string of ``low`` to ``high`` characters, all out of ``alphabet``, with no hyphen at either end of a name."""

    def __init__(self, low: int, high: int, alphabet: str):
        self.low = low
        self.high = high
        self.alphabet = alphabet

    def problem(self, value: object) -> "str | None":
        if type(value) is not str:
            return "must be a string"
        if not self.low <= len(value) <= self.high:
            return "must have %d to %d characters" % (self.low, self.high)
        for character in value:
            if character not in self.alphabet:
                return "has a character that is not allowed"
        if self.alphabet is _NAME and (value[0] == "-" or value[-1] == "-"):
            return "must not begin or end with a hyphen"
        return None


class OneOf(Rule):
    def __init__(self, *values: str):
        self.values = values

    def problem(self, value: object) -> "str | None":
        if type(value) is not str or value not in self.values:
            return "must be one of " + ", ".join(self.values)
        return None


class Maybe(Rule):
    """The inner rule, or null."""

    def __init__(self, rule: Rule):
        self.rule = rule

    def problem(self, value: object) -> "str | None":
        return None if value is None else self.rule.problem(value)


class Base64(Rule):
    """Bytes as base64 without line breaks, at most ``limit`` characters. The alphabet is the decoder's to check."""

    def __init__(self, limit: int):
        self.limit = limit

    def problem(self, value: object) -> "str | None":
        if type(value) is not str:
            return "must be a string"
        if len(value) > self.limit or len(value) % 4:
            return "must be base64 of at most %d characters" % self.limit
        return None


# Shared rules. 2020-01-01 .. 2100-01-01: a clock outside is wrong, not early or late.
UNIX_MS = Int(1577836800000, 4102444800000)
DURATION_MS = Int(0, 86400000)
COUNT = Int(0, 4294967295)
RATING = Int(1, 3)
NAME = Text(1, 40, _NAME)
CALL_ID = Text(16, 16, _BASE32)
JOURNAL_ID = Text(8, 8, _HEX)
EVENT_ID = Text(1, 64, _TOKEN)
WORD = Text(1, 40, _TOKEN)
SHA256 = Text(64, 64, _HEX)
