"""What a vote costs the flash: `micropython wear.py PROGRAM_BYTES BLOCKS VOTES`, for tests/bench/bench_flash_wear.py.

First a day of the real pad, to see how often it writes; then the store alone, as often, for as many votes as LittleFS
needs to move the journal round the flash. 60 % of the file system hold files that never change, as a pad's code does.
"""

import os
import sys

sys.path.insert(0, __file__.rsplit("/", 1)[0] + "/../..")

import vfs

from firmware.board.store import Store
from protocol.messages import Ack
from tests.micropython.power_bench import MOUNT, Centre, Pad
from tests.portable.flash_faults import Chip, Power

VOTES_A_DAY = 300
CYCLES = 100000
FILLED = 60  # per cent


def filled_chip(program_bytes, blocks):
    chip = Chip(blocks, program_bytes=program_bytes)
    vfs.VfsLfs2.mkfs(Power(chip), progsize=program_bytes)
    vfs.mount(vfs.VfsLfs2(Power(chip), progsize=program_bytes), MOUNT)
    os.mkdir(MOUNT + "/a")
    for number in range(blocks * FILLED // 100 // 2):
        with open(MOUNT + "/a/%d.mpy" % number, "wb") as file:
            file.write(b"\xa5" * 8000)  # two blocks, as a module has
    vfs.umount(MOUNT)
    return chip


def commits_a_vote(chip):
    """How often the real pad commits in a day, divided by its votes; the ack comes within milliseconds."""
    pad = Pad(chip, Centre())
    before = pad.chip.syncs
    for number in range(VOTES_A_DAY):
        pad.call(number)
        pad.vote(number % 3 + 1)
        if number % 2:
            pad.close()
    commits = pad.chip.syncs - before
    pad.switch_off()
    return commits / VOTES_A_DAY


class Meter:
    """What the chip did for each of many votes."""

    def __init__(self, chip):
        self._chip = chip
        self.programs, self.erases = [], []
        chip.forget_counts()
        self._before = 0, 0

    def vote_done(self):
        now = sum(self._chip.programs), sum(self._chip.erases)
        self.programs.append(now[0] - self._before[0])
        self.erases.append(now[1] - self._before[1])
        self._before = now

    def __str__(self):
        votes = len(self.programs)
        self.programs.sort()
        hottest = max(self._chip.erases)
        return "programs a vote %d (median), %d (worst); erases a vote %.3f, worst %d; hottest block %.5f: %d years" % (
            self.programs[votes // 2],
            self.programs[-1],
            sum(self.erases) / votes,
            max(self.erases),
            hottest / votes,
            years(hottest, votes),
        )


def years(hottest, votes):
    return CYCLES / (hottest / votes) / VOTES_A_DAY / 365


def online(store, chip, votes):
    """Every vote is acknowledged at once; the pad is switched on every morning."""
    journal = store.open()
    meter = Meter(chip)
    for number in range(votes):
        journal.add("c%015d" % number, number % 3 + 1, 4321)
        store.save(journal)
        journal.acknowledge(Ack(journal.id, journal.oldest_seq, 0))
        store.save(journal)
        if number % VOTES_A_DAY == 0:
            journal = store.open()
        meter.vote_done()
    return meter


def offline(store, chip, days):
    """The line is cut every day; in the evening the outbox empties within ten seconds."""
    journal = store.open()
    meter = Meter(chip)
    for day in range(days):
        for number in range(VOTES_A_DAY):
            journal.add("c%015d" % number, number % 3 + 1, 4321)
            store.save(journal)
            if number == VOTES_A_DAY - 1:
                journal.acknowledge(Ack(journal.id, journal.oldest_seq, 0))
                store.save(journal)
                journal.acknowledge(Ack(journal.id, journal.oldest_seq + journal.depth - 1, 0))
                store.save(journal)
                journal = store.open()
            meter.vote_done()
    return meter


def main(program_bytes, blocks, votes):
    chip = filled_chip(program_bytes, blocks)
    print("programs of %d bytes, %d blocks: %.2f commits a vote" % (program_bytes, blocks, commits_a_vote(chip)))
    vfs.mount(vfs.VfsLfs2(Power(chip), progsize=program_bytes), MOUNT)
    store = Store(MOUNT, os.urandom)
    meters = [online(store, chip, votes)]
    print("    %d votes with a line:      %s" % (votes, meters[0]))
    assert years(max(chip.erases), votes) > 10, "the flash does not last ten years"
    days = votes // VOTES_A_DAY // 4
    print("    %d days without a line:      %s" % (days, offline(store, chip, days)))
    assert chip.violations == 0


main(*[int(argument) for argument in sys.argv[1:]])
