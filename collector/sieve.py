"""Takes the messages out of what a broker sends, MQTT 3.1.1; everything else it leaves to paho. No input, no output.

Of a hundred packets that come, ninety-nine are PUBLISH, of one shape, and paho needs 14 µs for each. It stays the one
that knows the protocol: what is not an ordinary PUBLISH of QoS 0 or 1 goes on to it, whole and in order.
"""

from collections.abc import Callable

Take = Callable[[bytes, bytes, int, int], None]  # topic, payload, the broker's name for it (0: none), QoS
_PUBLISH, _CONTINUES = 0x30, 0x80
_LONGEST = 4  # bytes of a length; MQTT 3.1.1 section 2.2.3


class Sieve:
    """What is left of a stream of bytes; ``take`` gets each message."""

    def __init__(self, take: Take):
        self._take = take
        self._torn = bytearray()  # the beginning of a packet of which the rest has not come

    def __call__(self, came: bytes) -> bytes:
        """The packets in ``came`` that are not ordinary messages, each of them whole."""
        self._torn += came
        end = _end_of_packet(self._torn, 0)
        if end is None:
            return b""
        stream, begin, others = bytes(self._torn), 0, []
        while end is not None:
            if not self._taken(stream, begin, end):
                others.append(stream[begin:end])
            begin, end = end, _end_of_packet(stream, end)
        del self._torn[:begin]
        return b"".join(others)

    def _taken(self, stream: bytes, begin: int, end: int) -> bool:
        """Whether the packet was an ordinary message; MQTT 3.1.1 section 3.3."""
        head = stream[begin]
        qos = head >> 1 & 3
        if head & 0xF0 != _PUBLISH or qos > 1:
            return False
        topic = begin + 2
        while stream[topic - 1] & _CONTINUES:
            topic += 1
        topic += 2
        after = topic + (stream[topic - 2] << 8 | stream[topic - 1]) if topic <= end else end
        payload = after + 2 * qos
        if payload > end or after <= topic:
            return False
        mid = stream[after] << 8 | stream[after + 1] if qos else 0
        if qos and not mid:
            return False
        self._take(stream[topic:after], stream[payload:end], mid, qos)
        return True


def _end_of_packet(stream: bytes | bytearray, begin: int) -> int | None:
    """Where the packet that begins there ends; None if it has not come whole. One without a legal length never ends:
    all of it is a packet then, and paho's to refuse.
    """
    length = shift = 0
    for place in range(begin + 1, min(begin + 1 + _LONGEST, len(stream))):
        byte = stream[place]
        length |= (byte & 0x7F) << shift
        if byte < _CONTINUES:
            end = place + 1 + length
            return end if end <= len(stream) else None
        shift += 7
    return len(stream) if len(stream) > begin + _LONGEST else None
