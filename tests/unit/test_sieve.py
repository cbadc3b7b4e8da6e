"""collector/sieve.py against packets written by the standard, cut anywhere, and against paho's own reading of them."""

import struct
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from collector.sieve import Sieve

Message = tuple[bytes, bytes, int, int]


def packet(head: int, body: bytes) -> bytes:
    """MQTT 3.1.1 section 2.2."""
    length, rest = b"", len(body)
    while True:
        rest, low = divmod(rest, 128)
        length += bytes([low | 0x80 if rest else low])
        if not rest:
            return bytes([head]) + length + body


def publish(topic: bytes, payload: bytes, mid: int, qos: int, flags: int = 0) -> bytes:
    named = struct.pack("!H", mid) if qos else b""
    return packet(0x30 | qos << 1 | flags, struct.pack("!H", len(topic)) + topic + named + payload)


topics = st.text(min_size=1, max_size=200).map(str.encode)
payloads = st.binary(max_size=300)
mids = st.integers(1, 65535)
retained_or_again = st.sampled_from([0, 1, 8, 9])
named = st.tuples(topics, payloads, mids, st.just(1))
unnamed = st.tuples(topics, payloads, st.just(0), st.just(0))
ours = st.builds(lambda message, flags: (publish(*message, flags), message), named | unnamed, retained_or_again)
others = st.sampled_from(
    [b"\xd0\x00", b"\x40\x02\x00\x07", b"\x90\x03\x00\x01\x00", b"\x20\x02\x00\x00", publish(b"a", b"b", 9, 2)]
).map(lambda packet: (packet, None))


def pieces(stream: bytes, cuts: list[int]) -> list[bytes]:
    places = [0, *sorted(cut % (len(stream) + 1) for cut in cuts), len(stream)]
    return [stream[begin:end] for begin, end in pairwise(places)]


@given(st.lists(ours | others, max_size=12), st.lists(st.integers(0, 10_000), max_size=6))
def test_messages_are_taken_and_the_rest_is_left_whole_wherever_the_stream_is_cut(
    packets: list[tuple[bytes, Message | None]], cuts: list[int]
) -> None:
    taken: list[Message] = []
    sieve = Sieve(lambda *message: taken.append(message))
    left = [sieve(piece) for piece in pieces(b"".join(each for each, _ in packets), cuts)]
    assert taken == [message for _, message in packets if message]
    assert b"".join(left) == b"".join(each for each, message in packets if not message)


class Socket:
    def __init__(self, data: bytes):
        self.data = data

    def recv(self, size: int) -> bytes:
        given, self.data = self.data[:size], self.data[size:]
        if not given:
            raise BlockingIOError
        return given

    def send(self, data: bytes) -> int:
        return len(data)

    def close(self) -> None:
        pass


def by_paho(data: bytes) -> list[Message]:
    """What paho makes of the bytes, up to the first that it cannot take."""
    got: list[Message] = []

    def on_message(_: object, __: object, message: MQTTMessage) -> None:
        got.append((message._topic, bytes(message.payload), message.mid, message.qos))

    client = Client(CallbackAPIVersion.VERSION2, manual_ack=True)
    client.on_message = on_message
    socket: Any = Socket(data)
    client._sock = socket
    while socket.data and client._sock is not None:
        if client.loop_read():
            break
    return got


@settings(max_examples=500)
@given(
    st.lists(
        st.one_of(
            ours.map(lambda pair: pair[0]),
            st.builds(
                lambda head, body: packet(0x30 | head, body), st.integers(0, 5), st.binary(min_size=1, max_size=12)
            ),
        ),
        min_size=1,
        max_size=4,
    ).map(b"".join)
)
def test_what_is_taken_is_what_paho_would_have_read(stream: bytes) -> None:
    """Any body behind the head of a PUBLISH: the sieve takes it as paho does, or leaves it to paho."""
    taken: list[Message] = []
    expected = by_paho(stream)
    left = Sieve(lambda *message: taken.append(message))(stream)
    if not left:
        assert taken == expected


def test_a_length_that_never_ends_is_left_to_be_refused() -> None:
    taken: list[Message] = []
    sieve = Sieve(lambda *message: taken.append(message))
    assert sieve(b"\x30\xff\xff\xff") == b""
    assert sieve(b"\xff\x01") == b"\x30\xff\xff\xff\xff\x01"
    assert taken == []


def test_a_message_of_megabytes_comes_in_pieces() -> None:
    taken: list[Message] = []
    sieve = Sieve(lambda *message: taken.append(message))
    whole = publish(b"topic", bytes(5_000_000), 7, 1)
    for begin in range(0, len(whole), 65536):
        assert sieve(whole[begin : begin + 65536]) == b""
    assert taken == [(b"topic", bytes(5_000_000), 7, 1)]
