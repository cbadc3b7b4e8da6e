"""The clock of a chip that wakes up in 1970, with time and name servers made of bytes in place of udp.Question."""

import json
import os
import time

from firmware.board import udp
from firmware.board.clock import AGAIN_MS, PATIENCE_MS, Clock
from firmware.board.config import parse
from firmware.board.resolver import Resolver
from tests.portable.firmware_bench import NOW_UNIX_MS, ticks_diff

BASE = {"desk": "desk-1", "broker_host": "h", "broker_port": 1, "password": "pw"}
FOLDER = "/tmp/zrazkovo-clock-%d" % time.time_ns()  # a process's own


class Server:
    """What udp.Question would be: answers, or says nothing until it gives up."""

    def __init__(self, bench, packet, servers, tries):
        self.bench = bench
        self.packet = packet
        self.servers = servers
        self.left = 2 * tries
        bench.asked.append(servers)

    def step(self, understood):
        self.left -= 1
        if not self.left:
            raise OSError(110, "no answer")
        reply = self.bench.reply(self.packet)
        return reply is not None and understood(reply)

    def close(self):
        self.bench.closed += 1


class Bench:
    """``answers``: "time", "names" or both."""

    def __init__(self, answers=("time", "names"), ntp_host="10.0.0.9", now=None, folder=None):
        self.answers = answers
        self.now_ms = (1 << 30) - 30000
        self.now = now
        self.set = []
        self.asked = []
        self.closed = 0
        udp_question = udp.Question
        udp.Question = lambda poll, ticks, packet, servers, tries: Server(self, packet, servers, tries)
        self.restore = lambda: setattr(udp, "Question", udp_question)
        fields = dict(BASE)
        if ntp_host:
            fields["ntp_host"] = ntp_host
        self.resolver = Resolver(None, self, self.random_bytes, lambda: (("10.0.0.2", 53),), lambda name: None)
        self.clock = Clock(
            parse(json.dumps(fields).encode()),
            None,
            self,
            self.resolver,
            self.random_bytes,
            lambda: self.now,
            self.set_clock,
            folder,
        )

    def ticks_ms(self):
        return self.now_ms

    def ticks_diff(self, later, earlier):
        return ticks_diff(later, earlier)

    def random_bytes(self, count):
        return b"12345678"[:count]

    def set_clock(self, unix_ms, known):
        self.set.append((unix_ms, known))
        self.now = unix_ms if known else None

    def reply(self, packet):
        if len(packet) == 48:
            seconds = (NOW_UNIX_MS // 1000 + 2208988800).to_bytes(4, "big")
            return (
                bytes([0x24, 1]) + bytes(22) + packet[40:] + bytes(8) + seconds + bytes(4)
                if "time" in self.answers
                else None
            )
        record = b"\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04\x0a\0\0\x09"
        return packet[:2] + b"\x81\x80\0\x01\0\x01\0\0\0\0" + packet[12:] + record if "names" in self.answers else None

    def run(self, ms, may_write=False):
        for _ in range(0, ms, 1000):
            self.now_ms = (self.now_ms + 1000) % (1 << 30)
            if self.now is not None:
                self.now += 1000
            self.clock.step(self.now_ms, may_write)


def with_folder(test):
    """Runs ``test`` in a folder of its own, gone afterwards."""

    def run():
        os.mkdir(FOLDER)
        try:
            test()
        finally:
            for name in os.listdir(FOLDER):
                os.remove(FOLDER + "/" + name)
            os.rmdir(FOLDER)

    return run


def test_an_unknown_clock_is_set_by_the_time_server_before_any_handshake():
    it = Bench()
    assert not it.clock.may_encrypt
    it.run(3000)
    it.restore()
    assert it.set[0] == (NOW_UNIX_MS // 1000 * 1000, True)
    assert it.clock.may_encrypt and it.closed == 1


def test_the_time_server_may_have_a_name():
    it = Bench(ntp_host="time.example:124")
    it.run(5000)
    it.restore()
    assert it.asked == [(("10.0.0.2", 53),), (("10.0.0.9", 124),)]
    assert it.set


def test_a_clock_that_is_right_is_asked_for_again_after_hours_only():
    it = Bench(now=NOW_UNIX_MS)
    it.run(3000)
    it.run(AGAIN_MS - 10000)
    assert len(it.asked) == 1
    it.run(20000)
    it.restore()
    assert len(it.asked) == 2


def test_without_an_answer_patience_ends_after_a_minute_and_asking_does_not():
    it = Bench(answers=())
    it.run(PATIENCE_MS - 1000)
    assert not it.clock.may_encrypt
    it.run(2000)
    assert it.clock.may_encrypt and it.set == []
    asked = len(it.asked)
    assert asked <= 5  # RFC 5905 §10: not a flood
    it.run(60000)
    it.restore()
    assert len(it.asked) > asked


def test_a_name_server_that_is_silent_too_changes_nothing_of_that():
    it = Bench(answers=("time",), ntp_host="time.example")
    it.run(PATIENCE_MS + 2000)
    assert it.clock.may_encrypt and it.set == []
    it.answers = ("time", "names")
    it.run(60000)
    it.restore()
    assert it.now is not None


def test_without_a_time_server_nobody_waits_for_the_time():
    it = Bench(ntp_host=None)
    it.restore()
    assert it.clock.may_encrypt


@with_folder
def test_the_latest_time_lived_to_is_kept_once_a_day_and_is_the_floor_of_the_next_start():
    it = Bench(now=NOW_UNIX_MS, folder=FOLDER)
    it.run(5000)
    assert not os_exists(FOLDER + "/clock")
    it.run(1000, may_write=True)
    it.run(60000, may_write=True)
    it.restore()
    later = Bench(answers=(), folder=FOLDER)
    later.run(PATIENCE_MS + 2000)
    later.restore()
    (floor, known) = later.set[0]
    assert not known and later.now is None  # good enough for certificates, not for calls
    assert 0 <= floor - NOW_UNIX_MS // 1000 * 1000 < 20000


@with_folder
def test_a_floor_from_a_wrong_future_does_not_stay():
    with open(FOLDER + "/clock", "wb") as file:
        file.write(b"%d" % (NOW_UNIX_MS + 10**12))
    it = Bench(folder=FOLDER)
    it.run(4000, may_write=True)
    it.restore()
    assert it.set[-1][0] == NOW_UNIX_MS // 1000 * 1000
    with open(FOLDER + "/clock", "rb") as file:
        assert int(file.read()) < NOW_UNIX_MS + 60000


@with_folder
def test_a_damaged_floor_is_no_floor():
    with open(FOLDER + "/clock", "wb") as file:
        file.write(b"\xff\xff")
    it = Bench(answers=(), folder=FOLDER)
    it.run(PATIENCE_MS + 2000)
    it.restore()
    assert it.set == [] and it.clock.may_encrypt


def test_a_message_of_now_sets_a_clock_that_is_unknown_and_no_other():
    it = Bench(answers=())
    it.clock.heard(NOW_UNIX_MS)
    assert it.set == [(NOW_UNIX_MS, True)]
    it.clock.heard(NOW_UNIX_MS + 5000)
    it.restore()
    assert len(it.set) == 1


def os_exists(path):
    try:
        os.stat(path)
        return True
    except OSError:
        return False
