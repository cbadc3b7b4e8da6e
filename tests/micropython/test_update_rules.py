"""When an updater writes, asks and restarts, and when it does none of that: on real LittleFS, turn by turn."""

import binascii

import vfs

import tests.micropython.update_cuts as bench
from firmware.board import update
from firmware.board.update import Updater
from protocol.messages import PIECE_BYTES, Piece, UpdateWithdrawn
from tests.portable.flash_faults import Power


class Pad:
    """A pad with an update on offer; every call of turn() is one turn of its loop, 100 ms long."""

    def __init__(self):
        self.power = Power(bench.factory())
        vfs.mount(vfs.VfsLfs2(self.power, progsize=256), bench.MOUNT)
        bench.loader.choose(bench.MOUNT, False)
        self.wishes = []
        self.starts()
        self.offer(True)

    def starts(self):
        self.board = bench.Board()
        self.updater = Updater(bench.MOUNT, self.board)

    def offer(self, retained):
        self.updater.take(bench.OFFER, retained, self.board.ticks)

    def turn(self, dark=True, settled=True, online=True, condition=bench.ALL_WELL):
        self.board.ticks += 100
        return self.updater.step(self.board.ticks, dark, settled, online, condition, self.wishes.append)

    def turns(self, seconds, **how):
        return any([self.turn(**how) for _ in range(10 * seconds)])

    def answer(self, spoil=lambda data: data):
        """Answers the last wish."""
        wish = self.wishes.pop()
        content = bench.SHELF[wish.sha256]
        data = spoil(content[wish.offset : wish.offset + PIECE_BYTES])
        text = binascii.b2a_base64(data).strip().decode()
        self.updater.take(Piece(wish.sha256, wish.offset, len(content), text), False, self.board.ticks)

    def load(self, spoil=lambda data: data):
        """Until everything is on flash, or it is given up."""
        while self.updater.state == "loading":
            self.turn(settled=False)
            if self.wishes:
                self.answer(spoil)
        return self

    def ends(self):
        vfs.umount(bench.MOUNT)


def test_nothing_is_asked_or_written_while_a_client_is_served():
    pad = Pad()
    before = pad.power.operations
    assert not pad.turns(60, dark=False)
    assert (pad.wishes, pad.power.operations) == ([], before)
    pad.ends()


def test_nothing_begins_until_the_pad_has_been_dark_for_a_moment():
    pad = Pad()
    for _ in range(update.CALM_MS // 100):
        pad.turn()
        assert pad.wishes == []
    pad.turn()
    assert len(pad.wishes) == 1
    pad.ends()


def test_what_arrives_during_a_call_is_written_after_it():
    pad = Pad()
    for _ in range(20):
        while not pad.wishes:
            pad.turn()
        before = pad.power.operations
        pad.answer()
        assert not pad.turns(5, dark=False)
        assert (pad.wishes, pad.power.operations) == ([], before)
        if pad.updater.state != "loading":
            break
    pad.load()
    assert pad.updater.state == "waiting"
    pad.ends()


def test_it_does_not_restart_with_unsaved_votes_or_during_a_call():
    pad = Pad().load()
    assert not pad.turns(60, settled=False)
    assert not pad.turns(60, dark=False)
    assert pad.turns(5)
    assert pad.updater.is_switching
    pad.ends()


def test_a_wish_is_repeated_until_it_is_answered_and_not_while_offline():
    pad = Pad()
    pad.turns(4)
    assert len(pad.wishes) == 1
    pad.turns(30, online=False)
    assert len(pad.wishes) == 1
    pad.turns(update.AGAIN_MS // 1000)
    assert len(pad.wishes) == 2 and pad.wishes[0] == pad.wishes[1]
    pad.ends()


def test_answers_that_nobody_asked_for_change_nothing():
    pad = Pad()
    pad.turns(4)
    wish = pad.wishes[-1]
    pad.updater.take(Piece(wish.sha256, wish.offset + 1, 9, "QUJD"), False, pad.board.ticks)
    pad.updater.take(Piece("0" * 64, wish.offset, 9, "QUJD"), False, pad.board.ticks)
    pad.turns(1)
    assert pad.load().updater.state == "waiting"
    pad.ends()


def test_a_withdrawal_stops_it_even_when_all_is_on_flash():
    pad = Pad().load()
    pad.updater.take(UpdateWithdrawn(), True, pad.board.ticks)
    assert not pad.turns(60)
    assert pad.updater.state == "none"
    pad.ends()


def test_a_refusal_outlives_a_restart_but_not_an_offer_made_anew():
    pad = Pad().load(lambda data: bytes([data[0] ^ 1]) + data[1:])
    assert pad.updater.state == "refused"
    pad.starts()
    pad.offer(True)
    assert not pad.turns(60) and pad.wishes == []
    pad.offer(False)
    assert pad.load().updater.state == "waiting"
    pad.ends()


def test_a_trial_is_not_committed_with_a_fault_that_the_old_version_did_not_have():
    ill, healthy = ("ok", "stuck", "unverified", "ok", "ok"), bench.ALL_WELL
    for before, after, wanted in ((healthy, ill, "trial"), (ill, ill, "done"), (healthy, None, "trial")):
        pad = Pad().load()
        assert pad.turns(5, condition=before)
        bench.loader.choose(bench.MOUNT, False)
        pad.starts()
        assert not pad.turns(120, condition=after)
        assert pad.updater.state == wanted
        pad.ends()
