"""The connection's life, with a broker made of bytes: no socket, no waiting."""

from firmware.board import link as links
from firmware.board.config import parse
from firmware.board.courier import Courier
from firmware.board.link import ARRIVED, DOWN, ONLINE, REFUSED, SIGNING_IN, UP, WAITING, Link
from firmware.core.journal import Journal
from protocol.messages import Ack, CallClosed, PadStatus, Vote
from tests.portable.firmware_bench import CONNACK, DESK, NOW_UNIX_MS, Board, inbound, outbound

CONFIG = b'{"desk":"desk-1","broker_host":"h","broker_port":1,"password":"pw","reconnect_max_s":8}'
WILL = PadStatus("offline", "dark", None, "00000000", 1, "0.1.0", "power", "unverified", "ok", "ok")
CLOSED = CallClosed(None, NOW_UNIX_MS)


class Bench:
    def __init__(self):
        self.board = Board()
        self.link = Link(parse(CONFIG), self.board, lambda: WILL)

    def step(self, ms=0):
        self.board.pass_ms(ms)
        return self.link.step(self.board.ticks)

    @property
    def stream(self):
        return self.board.connector.streams[-1]

    def online(self):
        """Steps on until the broker has taken the pad in."""
        while not self.board.connector.streams or self.stream.closed:
            self.step(100)
        self.step()
        self.stream.inbox = CONNACK
        assert self.step() == [(UP,)]
        self.stream.inbox = b"\x90\x08\x00\x01\x01\x01\x01\x01\x01\x01"
        assert self.step() == []
        return self

    def publish(self, message=WILL):
        return self.link.publish(message, True, 1, self.board.ticks)


def online():
    return Bench().online()


def test_it_signs_in_as_the_desk_with_its_will_and_subscribes_to_its_own_room():
    bench = online()
    connect, subscribe = bench.stream.sent
    assert connect[0] == 0x10 and b"\x00\x06desk-1" in connect and b"\x00\x02pw" in connect
    assert b"zrazkovo/1/desk/desk-1/status" in connect and b"offline" in connect
    for kind in (b"call", b"ack", b"command"):
        assert b"zrazkovo/1/desk/desk-1/" + kind in subscribe
    assert bench.link.state == ONLINE


def test_one_packet_is_one_send():
    bench = online()
    before = len(bench.stream.sent)
    bench.publish()
    assert len(bench.stream.sent) == before + 1


def test_a_message_is_reported_with_its_kind_and_whether_it_was_retained():
    bench = online()
    bench.stream.inbox = inbound("call", CLOSED) + inbound("ack", b"x", retained=False)
    first, second = bench.step()
    assert first[:2] == (ARRIVED, "call") and first[3] is True
    assert second == (ARRIVED, "ack", b"x", False)


def test_a_topic_of_no_concern_and_an_oversized_message_are_refused_and_the_link_stays():
    bench = online()
    bench.stream.inbox = b"\x30\x03\x00\x01x" + inbound("call", b"x" * 3000)
    events = []
    for _ in range(5):
        events = events + bench.step()
    assert events == [(REFUSED,), (REFUSED,)]
    assert bench.link.state == ONLINE


def test_a_packet_that_goes_out_in_parts_is_finished_before_the_next_begins():
    bench = online()
    before = len(bench.stream.sent)
    bench.stream.room = 10
    bench.publish()
    bench.stream.room = 0
    bench.publish()
    bench.stream.room = 1 << 20
    bench.step()
    parts = bench.stream.sent[before:]
    assert len(parts) == 3 and len(parts[0]) == 10
    whole = outbound([parts[0] + parts[1], parts[2]])
    assert [kind for kind, _, _, _ in whole] == ["status", "status"]


def test_nothing_is_taken_for_publishing_while_offline():
    assert Bench().publish() is None


def test_the_end_of_the_stream_is_a_disconnection_and_the_stream_is_closed():
    bench = online()
    stream = bench.stream
    stream.ended = True
    assert bench.step()[0][0] == DOWN
    assert stream.closed and bench.link.state == WAITING


def test_garbage_from_the_broker_is_a_disconnection():
    bench = online()
    bench.stream.inbox = b"HTTP/1.1 400 Bad Request\r\n\r\n"
    assert bench.step()[-1][0] == DOWN
    assert bench.stream.closed


def test_a_refused_sign_in_is_a_disconnection():
    bench = Bench()
    bench.step()
    bench.step()
    bench.stream.inbox = b"\x20\x02\x00\x05"
    assert bench.step() == [(DOWN, "refused with code 5")]


def test_a_mute_broker_is_left_after_ten_seconds():
    bench = Bench()
    bench.step()
    bench.step()
    assert bench.link.state == SIGNING_IN
    assert bench.step(9999) == []
    assert bench.step(1) == [(DOWN, "no answer to CONNECT")]


def test_a_connection_that_does_not_come_about_is_given_up_after_ten_seconds():
    bench = Bench()
    bench.board.connector.is_ready = False
    bench.step()
    assert bench.step(9999) == []
    assert bench.step(1)[0][0] == DOWN
    assert bench.stream.closed


def pauses(bench, count):
    """How long it waits between attempts that all fail."""
    bench.board.connector.refuses = True
    found = []
    waited = 0
    while len(found) < count:
        if bench.step(10):
            found.append(waited)
            waited = 0
        waited += 10
    return found


def test_pauses_grow_to_the_cap_and_are_not_the_same_for_every_pad():
    seen = []
    for seed in range(60):
        bench = Bench()
        bench.board.random = seed * 7919
        seen.append(pauses(bench, 8)[1:])
    for attempt, cap_ms in enumerate((5000, 8000, 8000, 8000, 8000, 8000, 8000)):
        column = [row[attempt] for row in seen]
        assert max(column) <= cap_ms + 20
        assert max(column) > cap_ms * 3 // 4 and min(column) < cap_ms // 4
        assert len(set(column)) > 20


def test_a_connection_that_lasted_makes_the_next_pause_short_again():
    bench = Bench()
    pauses(bench, 6)
    bench.board.connector.refuses = False
    bench.online()
    assert bench.link._backoff_ms == 8000
    bench.step(11000)
    bench.stream.ended = True
    bench.step()
    assert bench.link._pause_ms <= links._FIRST_BACKOFF_MS


def test_a_broker_that_throws_the_pad_out_at_once_is_not_hammered():
    bench = Bench()
    for _ in range(4):
        bench.online()
        bench.stream.ended = True
        bench.step()
    assert bench.link._backoff_ms == 8000


def test_due_ms_never_exceeds_the_rest_of_the_pause():
    bench = Bench()
    bench.board.connector.refuses = True
    bench.step()
    rest = bench.link._pause_ms
    assert bench.link.due_ms(bench.board.ticks, 60000) == rest
    assert bench.link.due_ms(bench.board.ticks, 1) == 1


def test_a_flood_of_packets_is_taken_in_turns():
    bench = online()
    bench.stream.inbox = inbound("call", CLOSED) * 60
    before = len(bench.stream.inbox)
    assert 0 < len(bench.step()) < 60
    assert 0 < len(bench.stream.inbox) < before


def test_a_connection_that_breaks_while_publishing_is_cut_by_the_next_step_and_raises_nothing():
    bench = online()
    bench.stream.ended = True
    assert bench.publish() is not None
    assert bench.link.due_ms(bench.board.ticks, 1000) == 0
    assert bench.step() == [(DOWN, "104 reset")]
    assert bench.publish() is None


class CourierBench:
    def __init__(self, votes):
        self.bench = online()
        self.journal = Journal(b"abcd")
        for number in range(votes):
            self.journal.add("000000000000000%d" % number, 1, 0)
        self.courier = Courier(self.journal, self.bench.link, self.bench.board.ticks_diff)

    def carried(self, ms=0):
        """The numbers of the votes that go out now."""
        before = len(self.bench.stream.sent)
        self.bench.step(ms)
        self.courier.step(self.bench.board.ticks)
        return [
            message.seq for _, message, _, _ in outbound(self.bench.stream.sent[before:]) if isinstance(message, Vote)
        ]

    def confirm(self, packet_id):
        self.bench.stream.inbox = bytes([0x40, 2, 0, packet_id])
        self.bench.step()


def test_only_the_oldest_vote_is_carried_until_it_is_acknowledged():
    bench = CourierBench(2)
    assert bench.carried() == [1]
    bench.confirm(2)
    assert bench.carried(1000) == []
    bench.journal.acknowledge(Ack(bench.journal.id, 1, NOW_UNIX_MS))
    assert bench.carried() == [2]


def test_a_vote_the_broker_has_but_the_collector_did_not_confirm_is_carried_again_every_five_seconds():
    bench = CourierBench(1)
    assert bench.carried() == [1]
    bench.confirm(2)
    assert bench.carried(4999) == []
    assert bench.carried(1) == [1]
    bench.confirm(3)
    assert bench.carried(4999) == []
    assert bench.carried(1) == [1]


def test_a_vote_still_in_flight_is_left_to_the_session():
    bench = CourierBench(1)
    assert bench.carried() == [1]
    assert bench.carried(6000) == []


def test_a_new_connection_carries_the_vote_at_once():
    bench = CourierBench(1)
    assert bench.carried() == [1]
    bench.bench.stream.ended = True
    bench.bench.step()
    bench.bench.online()
    assert bench.carried() == [1]


def test_nothing_is_carried_when_nothing_waits():
    bench = CourierBench(0)
    assert bench.carried() == []


def test_the_desk_of_the_bench_is_the_desk_of_the_config():
    assert parse(CONFIG).desk == DESK


def test_nothing_is_opened_while_the_network_is_down():
    bench = Bench()
    bench.board.connector.is_up = False
    bench.step()
    bench.step(60000)
    assert bench.board.connector.streams == []
    assert bench.link.due_ms(bench.board.ticks, 700) == 700
    bench.board.connector.is_up = True
    bench.step()
    assert len(bench.board.connector.streams) == 1


def armed_step(bench, ms):
    bench.board.pass_ms(ms)
    return bench.link.step(bench.board.ticks, True)


def test_no_handshake_begins_while_a_client_stands_before_the_pad_but_only_for_ten_seconds():
    bench = online()
    bench.board.connector.stalls = True
    bench.stream.ended = True
    bench.step()
    for _ in range(99):
        armed_step(bench, 100)
        assert bench.link.state == WAITING
        assert bench.link.due_ms(bench.board.ticks, 1000) >= 100  # it does not spin meanwhile
    armed_step(bench, 100)
    assert len(bench.board.connector.streams) == 2


def test_once_the_client_has_pressed_the_handshake_begins_at_once():
    bench = online()
    bench.board.connector.stalls = True
    bench.stream.ended = True
    bench.step()
    armed_step(bench, 5000)
    assert bench.link.state == WAITING
    bench.step()
    assert bench.link.state != WAITING


def test_without_tls_an_armed_pad_reconnects_at_once():
    bench = online()
    bench.stream.ended = True
    bench.step()
    armed_step(bench, 5000)
    assert len(bench.board.connector.streams) == 2


def test_what_was_not_read_to_the_end_is_read_without_waiting():
    bench = online()
    bench.stream.inbox = inbound("call", CLOSED) * 60
    bench.step()
    assert bench.link.due_ms(bench.board.ticks, 1000) == 0
    for _ in range(20):
        bench.step()
    assert bench.link.due_ms(bench.board.ticks, 1000) == 1000


def test_the_reason_of_a_failed_attempt_is_what_the_stream_says():
    bench = Bench()
    bench.step()

    def ready():
        raise OSError(71, "The certificate validity has expired")

    bench.stream.ready = ready
    assert bench.step() == [(DOWN, "71 The certificate validity has expired")]
