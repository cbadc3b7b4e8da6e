"""firmware/board/mqtt.py: the packets it writes, the ones it reads, and everything it must not fall over."""

from firmware.board.mqtt import (
    BROKEN,
    CONNACK_TIMEOUT_MS,
    IN_FLIGHT_LIMIT,
    MESSAGE,
    OPENED,
    OVERSIZED,
    PACKET_LIMIT,
    RESEND_MS,
    SUBSCRIBED,
    Session,
    _packet,
)
from tests.portable.firmware_bench import CONNACK, TICKS_PERIOD, ticks_diff

START = TICKS_PERIOD - 3000
KEEPALIVE_S = 20
TOPIC = b"\x00\x03a/b"


def at(ms):
    return (START + ms) % TICKS_PERIOD


def opening():
    return Session(KEEPALIVE_S, START, ticks_diff)


def opened():
    session = opening()
    assert session.receive(CONNACK, START) == [(OPENED,)]
    return session


def said(session):
    packets = list(session.packets)
    del session.packets[:]
    return packets


def is_broken(events):
    return len(events) > 0 and events[-1][0] == BROKEN


def test_connect_carries_credentials_a_retained_will_and_a_clean_session():
    session = opening()
    session.connect("desk-1", "pw", "t", b"bye")
    body = b"\x00\x04MQTT\x04\xee\x00\x14\x00\x06desk-1\x00\x01t\x00\x03bye\x00\x06desk-1\x00\x02pw"
    assert said(session) == [bytes([0x10, len(body)]) + body]


def test_a_long_packet_has_its_length_in_two_bytes():
    assert _packet(0x30, bytes(127))[:2] == b"\x30\x7f"
    assert _packet(0x30, bytes(128))[:3] == b"\x30\x80\x01"
    assert _packet(0x30, bytes(16384))[:4] == b"\x30\x80\x80\x01"


def test_every_refusal_to_connect_breaks():
    for code in (1, 2, 3, 4, 5, 77):
        assert opening().receive(bytes([0x20, 2, 0, code]), START) == [(BROKEN, "refused with code %d" % code)]


def test_a_session_that_is_said_to_be_present_is_no_reason_to_leave():
    assert opening().receive(b"\x20\x02\x01\x00", START) == [(OPENED,)]


def test_a_broker_that_never_answers_connect_is_left():
    session = opening()
    assert session.tick(at(CONNACK_TIMEOUT_MS - 1)) == []
    assert session.tick(at(CONNACK_TIMEOUT_MS)) == [(BROKEN, "no answer to CONNECT")]


def test_subscribe_asks_for_qos_1_and_reports_the_grant():
    session = opened()
    session.subscribe(("a", "bc"), START)
    assert said(session) == [b"\x82\x0b\x00\x01\x00\x01a\x01\x00\x02bc\x01"]
    assert session.receive(b"\x90\x04\x00\x01\x01\x00", START) == [(SUBSCRIBED,)]


def test_a_refused_subscription_breaks():
    session = opened()
    session.subscribe(("a", "bc"), START)
    assert is_broken(session.receive(b"\x90\x04\x00\x01\x01\x80", START))


def test_a_message_at_qos_0_is_given_on():
    assert opened().receive(b"\x30\x07" + TOPIC + b"hi", START) == [(MESSAGE, b"a/b", b"hi", False)]
    assert opened().receive(b"\x31\x05" + TOPIC, START) == [(MESSAGE, b"a/b", b"", True)]


def test_a_message_at_qos_1_is_given_on_and_confirmed():
    session = opened()
    assert session.receive(b"\x33\x09" + TOPIC + b"\x01\x02hi", START) == [(MESSAGE, b"a/b", b"hi", True)]
    assert said(session) == [b"\x40\x02\x01\x02"]


def test_a_publish_is_in_flight_until_confirmed():
    session = opened()
    packet_id = session.publish("a/b", b"hi", 1, True, START)
    assert said(session) == [b"\x33\x09" + TOPIC + b"\x00\x01hi"]
    assert session.is_in_flight(packet_id)
    assert session.receive(b"\x40\x02\x00\x01", START) == []
    assert not session.is_in_flight(packet_id)


def test_a_publish_at_qos_0_is_not_kept():
    session = opened()
    assert session.publish("a/b", b"hi", 0, False, START) == 0
    assert said(session) == [b"\x30\x07" + TOPIC + b"hi"]
    assert not session.is_in_flight(0)


def test_nothing_is_published_before_the_broker_has_answered_or_after_the_break():
    session = opening()
    assert session.publish("a/b", b"hi", 1, False, START) is None
    session.receive(b"\x00", START)
    assert session.publish("a/b", b"hi", 1, False, START) is None
    assert said(session) == []


def test_the_table_of_unconfirmed_publishes_is_bounded():
    session = opened()
    ids = [session.publish("a/b", b"", 1, False, START) for _ in range(IN_FLIGHT_LIMIT + 1)]
    assert ids == [1, 2, 3, 4, 5, 6, 7, 8, None]
    session.receive(b"\x40\x02\x00\x03", START)
    assert session.publish("a/b", b"", 1, False, START) == IN_FLIGHT_LIMIT + 1


def test_packet_ids_come_round_without_zero_and_without_one_in_use():
    session = opened()
    session.publish("a/b", b"", 1, False, START)
    for _ in range(65534):
        last = session._new_id()
    assert last == 65535
    assert session._new_id() == 2


def test_an_unconfirmed_publish_is_repeated_as_a_duplicate_with_the_same_id():
    session = opened()
    session.publish("a/b", b"hi", 1, False, START)
    said(session)
    session.tick(at(RESEND_MS - 1))
    assert said(session) == []
    session.tick(at(RESEND_MS))
    assert said(session)[-1] == b"\x3a\x09" + TOPIC + b"\x00\x01hi"
    session.receive(b"\xd0\x00", at(RESEND_MS))
    session.tick(at(2 * RESEND_MS - 1))
    assert said(session) == []
    session.tick(at(2 * RESEND_MS))
    assert said(session)[-1] == b"\x3a\x09" + TOPIC + b"\x00\x01hi"


def test_a_second_confirmation_of_a_repeated_publish_is_harmless():
    session = opened()
    session.publish("a/b", b"hi", 1, False, START)
    assert session.receive(b"\x40\x02\x00\x01\x40\x02\x00\x01", START) == []


def test_a_silent_connection_is_pinged_at_half_of_the_keepalive_and_an_answer_keeps_it():
    session = opened()
    assert session.tick(at(9999)) == []
    assert said(session) == []
    session.tick(at(10000))
    assert said(session) == [b"\xc0\x00"]
    session.receive(b"\xd0\x00", at(10500))
    assert session.tick(at(20000)) == []
    assert said(session) == [b"\xc0\x00"]


def test_a_pad_that_only_listens_or_only_talks_pings_too():
    listener = opened()
    listener.receive(b"\x30\x05" + TOPIC, at(9000))
    listener.tick(at(10000))
    assert said(listener) == [b"\xc0\x00"]
    talker = opened()
    talker.publish("a/b", b"", 0, False, at(9000))
    said(talker)
    talker.tick(at(10000))
    assert said(talker) == [b"\xc0\x00"]


def test_a_half_open_connection_is_noticed_within_the_keepalive():
    session = opened()
    session.tick(at(10000))
    session.publish("a/b", b"", 1, False, at(15000))
    assert session.tick(at(19999)) == []
    assert session.tick(at(20000)) == [(BROKEN, "no answer to PINGREQ")]


def test_a_flood_of_messages_does_not_stand_for_an_answer_to_a_ping():
    session = opened()
    session.tick(at(10000))
    session.receive(b"\x30\x05" + TOPIC, at(19000))
    assert is_broken(session.tick(at(20000)))


def test_a_packet_of_exactly_the_limit_is_taken():
    payload = b"x" * (PACKET_LIMIT - 5)
    events = opened().receive(_packet(0x30, TOPIC + payload), START)
    assert events == [(MESSAGE, b"a/b", payload, False)]


def test_a_larger_packet_is_skipped_confirmed_and_followed_by_the_next():
    session = opened()
    large = _packet(0x32, TOPIC + b"\x00\x07" + b"x" * (PACKET_LIMIT - 6))
    assert session.receive(large + b"\x30\x05" + TOPIC, START) == [(OVERSIZED,), (MESSAGE, b"a/b", b"", False)]
    assert said(session) == [b"\x40\x02\x00\x07"]


def test_a_packet_of_megabytes_is_skipped_piece_by_piece():
    session = opened()
    body = TOPIC + bytes(100)
    left = 3000000 - len(body)
    assert session.receive(b"\x30\xc0\x8d\xb7\x01" + body, START) == []
    piece = bytes(500)
    while left > 500:
        assert session.receive(piece, START) == []
        left -= 500
    assert session.receive(bytes(left), START) == [(OVERSIZED,)]
    assert session.receive(b"\x30\x05" + TOPIC, START) == [(MESSAGE, b"a/b", b"", False)]


VIOLATIONS = (
    ("second CONNACK", CONNACK),
    ("type 0", b"\x00\x00"),
    ("type 15", b"\xf0\x00"),
    ("CONNECT from a broker", b"\x10\x00"),
    ("PUBREL", b"\x62\x02\x00\x01"),
    ("UNSUBACK for nothing", b"\xb0\x02\x00\x01"),
    ("flags of PUBACK", b"\x41\x02\x00\x01"),
    ("short PUBACK", b"\x40\x01\x00"),
    ("long PUBACK", b"\x40\x03\x00\x01\x00"),
    ("SUBACK for nothing", b"\x90\x02\x00\x01"),
    ("PINGRESP with a body", b"\xd0\x01\x00"),
    ("flags of PINGRESP", b"\xd8\x00"),
    ("QoS 2", b"\x34\x07" + TOPIC + b"\x00\x01"),
    ("QoS 3", b"\x36\x07" + TOPIC + b"\x00\x01"),
    ("duplicate at QoS 0", b"\x38\x05" + TOPIC),
    ("packet id 0", b"\x32\x07" + TOPIC + b"\x00\x00"),
    ("no packet id", b"\x32\x05" + TOPIC),
    ("half a packet id", b"\x32\x06" + TOPIC + b"\x00"),
    ("no topic at all", b"\x30\x00"),
    ("half a topic length", b"\x30\x01\x00"),
    ("empty topic", b"\x30\x02\x00\x00"),
    ("topic beyond the packet", b"\x30\x03\x00\x09a"),
    ("topic beyond what is kept", _packet(0x30, b"\xff\xff" + bytes(70000))),
    ("length of five bytes", b"\x30\x80\x80\x80\x80\x01"),
    ("huge PUBACK", _packet(0x40, bytes(PACKET_LIMIT + 1))),
)


def test_every_violation_breaks_the_session_once_and_for_good():
    for name, packet in VIOLATIONS:
        session = opened()
        assert is_broken(session.receive(packet, START)), name
        assert session.receive(CONNACK, START) == [], name
        assert session.tick(at(60000)) == [], name


def test_anything_but_connack_first_breaks():
    for packet in (
        b"\x30\x05" + TOPIC,
        b"\xd0\x00",
        b"\x40\x02\x00\x01",
        b"\x20\x01\x00",
        b"\x20\x02\x02\x00",
        b"\x00\x00",
    ):
        assert is_broken(opening().receive(packet, START)), packet


STREAM = (
    CONNACK
    + b"\x90\x03\x00\x01\x01"
    + b"\x33\x09"
    + TOPIC
    + b"\x01\x02hi"
    + _packet(0x30, TOPIC + b"x" * 300)
    + _packet(0x32, TOPIC + b"\x00\x09" + b"x" * 2000)
    + b"\xd0\x00\x40\x02\x00\x05"
    + b"\x30\x05"
    + TOPIC
)


def fed(pieces):
    session = opening()
    session.subscribe(("a",), START)
    events = []
    for piece in pieces:
        events = events + session.receive(piece, START)
    return events, said(session)


def pieces_of(stream, seed):
    found = []
    while stream:
        seed = (seed * 1103515245 + 12345) % (1 << 31)
        count = 1 + (seed >> 16) % 40
        found.append(stream[:count])
        stream = stream[count:]
    return found


def test_pieces_of_any_size_make_the_same_events():
    whole = fed([STREAM])
    kinds = [event[0] for event in whole[0]]
    assert kinds == [OPENED, SUBSCRIBED, MESSAGE, MESSAGE, OVERSIZED, MESSAGE]
    assert fed([STREAM[i : i + 1] for i in range(len(STREAM))]) == whole
    assert fed([memoryview(STREAM)]) == whole
    for seed in range(20):
        assert fed(pieces_of(STREAM, seed)) == whole


def test_a_truncated_stream_waits_and_never_breaks():
    for end in range(0, len(STREAM), 3):
        assert not is_broken(fed([STREAM[:end]])[0])


def test_random_bytes_never_raise_and_end_in_a_break_or_in_waiting():
    seed = 7
    broken = 0
    for _ in range(1500):
        session = opened()
        session.subscribe(("a",), START)
        noise = bytearray()
        for _ in range(40):
            seed = (seed * 1103515245 + 12345) % (1 << 31)
            noise.append(seed >> 16 & 255)
        events = session.receive(bytes(noise), START)
        broken += is_broken(events)
        session.tick(at(1000))
    assert 1000 < broken < 1500


def test_a_good_stream_with_one_flipped_byte_never_raises():
    for position in range(0, len(STREAM)):
        for flip in (0x01, 0x10, 0x80, 0xFF):
            damaged = bytearray(STREAM)
            damaged[position] ^= flip
            events, packets = fed([bytes(damaged)])
            assert len(events) <= 12 and len(packets) <= 8
