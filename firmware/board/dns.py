"""One question to a name server, "which IPv4 address has this name?": bytes out, bytes in (RFC 1035 §4). No socket.

It leaves recursion, aliases and caching to the server, and proves nothing: that the broker is the right one is for TLS
to find out.
"""

import struct

_FLAGS_ASK = 0x0100  # recursion desired
_RESPONSE, _TRUNCATED, _CODE = 0x8000, 0x0200, 0x000F
_A, _IN = 1, 1
_NAME_LIMIT, _LABEL_LIMIT = 253, 63


class NoSuchName(ValueError):
    """The server says that the name has no IPv4 address; asking again at once is of no use."""


def is_address(text: str) -> bool:
    """Whether ``text`` is an IPv4 address in numbers."""
    parts = text.split(".")
    return len(parts) == 4 and all([part.isdigit() and len(part) <= 3 and int(part) < 256 for part in parts])


def question(number: int, name: str) -> bytes:
    """The packet that asks for ``name``. Raises ValueError if it can be no host's name."""
    labels = name.encode().rstrip(b".").split(b".")
    if len(name) > _NAME_LIMIT or not all([0 < len(label) <= _LABEL_LIMIT for label in labels]):
        raise ValueError("not a host name")
    asked = b"".join([bytes([len(label)]) + label for label in labels]) + b"\0"
    return struct.pack("!HHHHHH", number, _FLAGS_ASK, 1, 0, 0, 0) + asked + struct.pack("!HH", _A, _IN)


def answer(packet: bytes, asked: bytes) -> "str | None":
    """The address that ``packet`` gives to the question ``asked``; None if it is no answer to it.

    Raises NoSuchName.
    """
    if len(packet) < len(asked) or packet[:2] != asked[:2]:
        return None
    flags, questions, answers = struct.unpack("!HHH", packet[2:8])
    # Letters may come back in the other case (RFC 1035 §2.3.3).
    if not flags & _RESPONSE or questions != 1 or packet[12 : len(asked)].lower() != asked[12:].lower():
        return None
    if flags & _CODE == 3 or not (flags & _CODE or answers or flags & _TRUNCATED):
        raise NoSuchName("no such name")
    return None if flags & _CODE else _first_address(packet, len(asked), answers)


def _first_address(packet: bytes, at: int, answers: int) -> "str | None":
    for _ in range(answers):
        at = _after_name(packet, at)
        if at + 10 > len(packet):
            return None
        kind, group, _, length = struct.unpack("!HHIH", packet[at : at + 10])
        at += 10
        if (kind, group, length) == (_A, _IN, 4) and at + 4 <= len(packet):
            return "%d.%d.%d.%d" % tuple(packet[at : at + 4])
        at += length
    return None


def _after_name(packet: bytes, at: int) -> int:
    """Where the name that begins at ``at`` ends; beyond the packet if it does not."""
    while at < len(packet):
        length = packet[at]
        if length >= 0xC0:  # a pointer ends a name (§4.1.4)
            return at + 2
        at += 1 + length
        if not length:
            return at
    return at
