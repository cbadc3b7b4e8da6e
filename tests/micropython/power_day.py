"""A scripted day at one desk, and the sweep: the power is cut at every single thing the day does to its flash.

    day = Day(program_bytes, script(visits))
    day.sweep()       -> how many cuts were tried; raises Broken with the cut that breaks something

How every cut is tried without living the whole day before it anew: the day is lived once, and each operation on the
chip is recorded together with a copy of the centre at that very moment. A cut ends all that the pad had in memory, so
the image and the centre are all that it leaves. From there the pad boots, is checked, goes on with the interrupted step
of the day and all that follow, and at the end every vote must have arrived. The operations of that boot are recorded
too, and each of them is cut in the same three ways: the second cut.
"""

import gc

import vfs

from firmware.board.store import Store
from protocol.messages import Ack
from tests.micropython.power_bench import (
    MOUNT,
    Broken,
    Centre,
    Pad,
    mount,
    replace_second_file,
    unmount,
    write_second_file,
)
from tests.portable.flash_faults import CUTS, PROGRAM, Chip, Power

BLOCKS = 16
# So many commits before LittleFS moves the journal's blocks the day begins: the move falls into it.
MOVE_AFTER_COMMITS = 12


def script(visits):
    """The steps of a day with so many visits; everything that happens at a desk is in the first eight."""
    steps = []
    for number in range(1, visits + 1):
        steps.append(("call", number))
        steps.append(("vote", number % 3 + 1))
        steps.append(("push", (number + 1) % 3 + 1))  # a repeat, on another button
        if number % 8 == 2:
            steps.append(("restart",))
        if number % 8 == 3:
            steps.append(("acks", 0))  # the collector is down: votes pile up
        if number % 8 == 6:
            steps.append(("acks", 2))  # it takes two of them, and its line is cut
        if number % 8 == 7:
            steps.append(("power",))
            steps.append(("acks", None))
        if number % 8 in (1, 5):
            steps.append(("write", 700))  # an update is being loaded meanwhile
        if number % 8 == 0:
            steps.append(("replace",))
        if number % 2:
            steps.append(("close",))  # else the next call ends this one
    steps.append(("close",))
    return steps


class Day:
    """The recorded day of one pad; ``pad_class`` may be a worse one, to see that it is caught."""

    def __init__(self, program_bytes, steps, pad_class=Pad, second_cuts=True, aged=True, mtime=False):
        """``aged``: the flash has been used for long, and LittleFS is about to move the journal; else it is new."""
        self.aged = aged
        self._kind = program_bytes, mtime
        self.steps = steps
        self.pad_class = pad_class
        self.second_cuts = second_cuts
        self.cuts = self.second = 0
        self.start = None
        self._recorded = []  # (operation, the centre just before it, step)

    def record(self):
        """Lives the day without a cut; every operation on the chip is noted."""
        chip = aged_chip(*self._kind) if self.aged else new_chip(*self._kind)
        self.start = chip.snapshot()
        chip.forget_counts()
        centre = Centre()
        at = [-1]
        chip.recorder = lambda operation: self._recorded.append((operation, centre.copy(), at[0]))
        pad = self.pad_class(chip, centre)
        for at[0], step in enumerate(self.steps):
            pad = take(pad, step)
        at[0] = len(self.steps)
        pad.settle()
        pad.check_all_arrived()
        pad.switch_off()
        self.moved = _is_moved(self._recorded)
        assert chip.violations == 0
        assert len(centre.collector.votes) == len([step for step in self.steps if step[0] == "vote"])
        return len(self._recorded)

    def sweep(self):
        """Tries every cut of the recorded day; returns how many, second cuts included."""
        shadow = blank_chip(*self._kind)
        shadow.restore(self.start)
        chip = blank_chip(*self._kind)
        for number, (operation, centre, at) in enumerate(self._recorded):
            before = shadow.snapshot()
            for per_cent in CUTS:
                chip.restore(before)
                chip.apply(operation, per_cent)
                try:
                    self._live_on(chip, centre.copy(), at)
                except Exception as error:
                    raise Broken("operation %d %r, %d %%, step %d: %r" % (number, operation[:3], per_cent, at, error))
                self.cuts += 1
            shadow.apply(operation)
            gc.collect()
        assert shadow.violations == chip.violations == 0
        return self.cuts + self.second

    def _live_on(self, chip, centre, at):
        before = chip.snapshot()
        booted = []
        chip.recorder = (lambda operation: booted.append((operation, centre.copy()))) if self.second_cuts else None
        pad = self._boot(chip, centre, at)
        chip.recorder = None
        for step in self.steps[max(at, 0) :]:
            pad = take(pad, step)
        self._finish(pad)
        shadow = blank_chip(*self._kind)
        shadow.restore(before)
        for operation, centre_then in booted:
            before = shadow.snapshot()
            for per_cent in CUTS:
                chip.restore(before)
                chip.apply(operation, per_cent)
                pad = self._boot(chip, centre_then.copy(), at)
                if 0 <= at < len(self.steps):
                    pad = take(pad, self.steps[at])
                self._finish(pad)
                self.second += 1
            shadow.apply(operation)

    def _boot(self, chip, centre, at):
        pad = self.pad_class(chip, centre)
        pad.check()
        return pad

    def _finish(self, pad):
        pad.settle()
        pad.check_all_arrived()
        if pad.board.logged and [line for line in pad.board.logged if line.startswith("error")]:
            raise Broken("the pad's log says %r" % pad.board.logged)
        pad.switch_off()


def _is_moved(recorded):
    """Whether the journal's blocks were moved: then the superblock's, where its folder is named, are written too."""
    programs = [operation for operation, _, _ in recorded if operation[0] == PROGRAM]
    return len({operation[1] for operation in programs if operation[1] > 1}) > 1 and bool(
        [operation for operation in programs if operation[1] < 2]
    )


def take(pad, step):
    """Carries out one step of the day, again if a cut has interrupted it; the pad may be another one afterwards."""
    what = step[0]
    if what == "call":
        pad.call(step[1])
    elif what == "vote":
        tries = pad.centre.pressed.get(pad.centre.call.call, ())
        pad.vote((step[1] + len(tries) - 1) % 3 + 1)
    elif what == "push":
        pad.push(step[1])
    elif what == "close":
        pad.close()
    elif what == "acks":
        pad.centre.acks_left = step[1]
        if not pad.dead:
            pad.board.pass_ms(6000)
        pad.turns(4)
    elif what == "restart":
        pad.restart()
    elif what == "power":
        pad.switch_off()
        pad = type(pad)(pad.chip, pad.centre)
        pad.check()
    elif what == "write":
        write_second_file(step[1])
    elif what == "replace":
        replace_second_file()
    return pad


def blank_chip(program_bytes, mtime):
    return Chip(BLOCKS, program_bytes=program_bytes, mtime=mtime)


def new_chip(program_bytes, mtime=False):
    """A formatted flash with nothing on it."""
    chip = blank_chip(program_bytes, mtime)
    vfs.VfsLfs2.mkfs(Power(chip), progsize=program_bytes)
    return chip


_aged = {}


def aged_chip(*kind):
    """A pad's flash that is not new: the blocks of the journal are soon to be moved, as every 100 erases."""
    chip = blank_chip(*kind)
    if kind not in _aged:
        first_move = _age(blank_chip(*kind), 100000)
        _age(chip, first_move - MOVE_AFTER_COMMITS)
        _aged[kind] = chip.snapshot()
    chip.restore(_aged[kind])
    chip.violations = 0
    return chip


def _age(chip, commits):
    """Rewrites a journal of one vote; stops when a block is erased that was not before. Returns how often it did."""
    chip.restore(new_chip(chip.program_bytes, chip.mtime).image)
    mount(Power(chip))
    store = Store(MOUNT, lambda count: b"\0" * count)
    journal = store.open()
    journal.add("c%015d" % 0, 1, 0)
    store.save(journal)
    used = None
    for number in range(commits):
        store.save(journal)
        if number == 200:
            used = [bool(count) for count in chip.erases]
        elif used and number > 200 and [bool(count) for count in chip.erases] != used:
            break
    journal.acknowledge(Ack(journal.id, 1, 0))
    store.save(journal)
    unmount()
    return number
