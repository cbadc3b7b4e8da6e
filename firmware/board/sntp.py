"""One question to a time server: bytes out, bytes in (RFC 5905 §14). It has no socket and sets no clock."""

import struct

_BYTES = 48
_VERSION_CLIENT = 4 << 3 | 3
_SERVER = 4
_UNSYNCHRONISED = 3
# 1900-01-01 to 1970-01-01. The 32 bits of seconds begin anew on 2036-02-07: small ones belong to the next era (§6).
_EPOCH_S = 2208988800
_ERA_S = 1 << 32


def question(nonce: bytes) -> bytes:
    """The packet to send; the server repeats the 8 bytes of ``nonce``, so that nobody else can answer (§14)."""
    return bytes([_VERSION_CLIENT]) + bytes(_BYTES - 9) + nonce


def answer(packet: bytes, nonce: bytes) -> "int | None":
    """Unix time in ms as the packet was sent, or None if it is no answer to ``nonce`` or the server has no time."""
    if len(packet) < _BYTES or packet[24:32] != nonce:
        return None
    if packet[0] & 7 != _SERVER or packet[0] >> 6 == _UNSYNCHRONISED or not 1 <= packet[1] <= 15:
        return None
    seconds, fraction = struct.unpack("!II", packet[40:48])
    if not seconds:
        return None
    if seconds < 1 << 31:
        seconds += _ERA_S
    return int((seconds - _EPOCH_S) * 1000 + (fraction * 1000 >> 32))
