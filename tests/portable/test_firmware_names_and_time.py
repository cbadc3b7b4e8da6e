"""The packets of DNS and SNTP, byte by byte: what is believed, and what is not."""

from firmware.board import dns, sntp
from firmware.board.tls import split

ASKED = dns.question(0x1234, "broker.city.example")
# A pointer to the name in the question (RFC 1035 §4.1.4).
NAME = b"\xc0\x0c"


def record(address, kind=1, name=NAME):
    return name + bytes([0, kind, 0, 1, 0, 0, 0, 60, 0, len(address)]) + address


def reply(*records, flags=b"\x81\x80", number=b"\x12\x34", asked=ASKED):
    return number + flags + bytes([0, 1, 0, len(records), 0, 0, 0, 0]) + asked[12:] + b"".join(records)


ADDRESS = bytes([10, 1, 2, 3])


def test_a_question_is_one_name_of_labels():
    assert ASKED == b"\x12\x34\x01\x00\x00\x01\0\0\0\0\0\0\x06broker\x04city\x07example\0\0\x01\0\x01"
    assert dns.question(0x1234, "broker.city.example.") == ASKED


def test_what_can_be_no_name_is_not_asked_for():
    for name in ("", ".", "a..b", ".a", "a" * 64 + ".b", ("a" * 60 + ".") * 5):
        try:
            dns.question(1, name)
        except ValueError:
            continue
        raise AssertionError(name)


def test_the_first_address_is_the_answer():
    assert dns.answer(reply(record(ADDRESS), record(b"\x0a\x01\x02\x04")), ASKED) == "10.1.2.3"


def test_an_alias_comes_before_its_address():
    alias = record(b"\x04main" + b"\xc0\x13", kind=5)
    assert dns.answer(reply(alias, record(ADDRESS, name=b"\x04main\xc0\x13")), ASKED) == "10.1.2.3"


def test_an_answer_in_capitals_is_an_answer():
    assert dns.answer(reply(record(ADDRESS)).replace(b"broker", b"BROKER"), ASKED) == "10.1.2.3"


def test_what_is_no_answer_to_the_question_is_ignored():
    other = dns.question(0x1234, "bucket.city.example")
    for packet in (
        b"",
        b"\x12\x34",
        ASKED,  # an echo
        reply(record(ADDRESS), number=b"\x12\x35"),
        reply(record(ADDRESS), asked=other),
        reply(record(ADDRESS), flags=b"\x01\x80"),
        reply(record(ADDRESS), flags=b"\x81\x82"),  # server failure: another may know
        reply(record(b"0123456789abcdef", kind=28)),  # IPv6
        reply(record(b"\x0a\x01\x02")),
        reply(NAME + b"\x00"),
        reply(b"\x3f" + b"x" * 10),
        reply(flags=b"\x83\x80"),  # truncated
    ):
        assert dns.answer(packet, ASKED) is None, packet


def test_every_cut_of_an_answer_is_no_answer_or_the_same():
    whole = reply(record(ADDRESS))
    for end in range(len(whole)):
        assert dns.answer(whole[:end], ASKED) is None


def test_no_such_name_is_said_by_the_server():
    for packet in (reply(flags=b"\x81\x83"), reply()):
        try:
            dns.answer(packet, ASKED)
        except dns.NoSuchName:
            continue
        raise AssertionError(packet)


def test_addresses_in_numbers_are_recognised():
    assert all([dns.is_address(text) for text in ("0.0.0.0", "10.1.2.3", "255.255.255.255")])
    for text in ("", "10.1.2", "10.1.2.256", "10.1.2.3.4", "10.1.2.x", "10.1.2.", "1.2.3.-4", "1.2.3.0004"):
        assert not dns.is_address(text), text


NONCE = b"\x01\x02\x03\x04\x05\x06\x07\x08"
# 2026-11-23 22:13:20 UTC and a half.
SECONDS = 1795472000 + 2208988800


def packet(seconds=SECONDS, first=0x24, stratum=2, nonce=NONCE):
    return (
        bytes([first, stratum])
        + bytes(22)
        + nonce
        + bytes(8)
        + (seconds % (1 << 32)).to_bytes(4, "big")
        + b"\x80\0\0\0"
    )


def test_a_question_for_the_time_carries_its_nonce():
    asked = sntp.question(NONCE)
    assert len(asked) == 48 and asked[0] == 0x23 and asked[40:] == NONCE


def test_the_time_is_unix_time_in_milliseconds():
    assert sntp.answer(packet(), NONCE) == 1795472000500


def test_the_time_goes_on_after_2036():
    assert sntp.answer(packet((1 << 32) + 1000), NONCE) == ((1 << 32) + 1000 - 2208988800) * 1000 + 500


def test_a_server_without_the_time_or_an_answer_to_somebody_else_is_not_believed():
    for wrong in (
        b"",
        packet()[:47],
        packet(nonce=b"other..."),
        packet(first=0xE4),  # not synchronised
        packet(first=0x23),  # a client's
        packet(stratum=0),  # kiss of death
        packet(stratum=16),
        packet(seconds=0),
    ):
        assert sntp.answer(wrong, NONCE) is None


def test_anchors_are_taken_apart():
    first = b"\x30\x82\x01\x00" + bytes(256)
    second = b"\x30\x81\x80" + bytes(128)
    assert split(first + second) == [first, second]
    for wrong in (b"", b"\x30", first[:-1], first + b"\0", b"-----BEGIN CERTIFICATE-----"):
        try:
            split(wrong)
        except ValueError:
            continue
        raise AssertionError(wrong)
