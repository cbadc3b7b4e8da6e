"""A pad that is updated on a failing flash chip, power session by power session, for test_update_cuts.py.

The loader, the updater and LittleFS are real; time is a number, and whoever serves the pieces never fails. The
signature is taken as right (tests/unit/test_firmware_release.py checks it): this is about the flash.
"""

import binascii
import hashlib
import json
import os

import vfs

from firmware import boot, loader
from firmware.board import signature, update
from firmware.board.update import Updater
from protocol.messages import PIECE_BYTES, Piece, UpdateOffered
from tests.portable.flash_faults import Chip, Power

MOUNT = "/updated"
ALL_WELL = ("ok", "ok", "unverified", "ok", "ok")
SAME = b"both versions have this" * 40
OLD = {
    "start.mpy": b"old start",
    "firmware/app.mpy": b"O" * 9000,
    "firmware/board/gone.mpy": b"the new version has no such file" * 20,
    "protocol/same.mpy": SAME,
    "protocol/long.mpy": SAME * 5,
}
NEW = {
    "start.mpy": b"new start",
    "firmware/app.mpy": b"N" * 9000,
    "firmware/fresh.mpy": b"F",
    "firmware/core/deep.mpy": b"in a folder of its own" * 60,
    "protocol/same.mpy": SAME,
    "protocol/long.mpy": SAME * 5,
}
_STARTS_LIMIT = 20
_TURNS_LIMIT = 5000

# The whole bench is one process of its own: nothing else is checked by it.
signature.verify = lambda signed, signed_by, modulus: iter([True])


def digest(content):
    return binascii.hexlify(hashlib.sha256(content).digest()).decode()


def manifest(version, files):
    listed = [[path, len(content), digest(content)] for path, content in sorted(files.items())]
    return json.dumps({"version": version, "board": "bench", "files": listed}).encode() + b"\nc2lnbmVk\n"


OFFER = None
SHELF = {}


def prepare_offer():
    """Offers what is in NEW."""
    global OFFER
    OFFER = UpdateOffered("2", digest(manifest("2", NEW)))
    SHELF.clear()
    SHELF[OFFER.manifest] = manifest("2", NEW)
    for content in NEW.values():
        SHELF[digest(content)] = content


prepare_offer()


class Neither(Exception):
    """The loader chose what is neither the old version nor the new one."""


class Board:
    NAME = "bench"

    def __init__(self):
        self.ticks = 0

    def ticks_ms(self):
        return self.ticks

    def ticks_diff(self, later, earlier):
        return later - earlier

    def mark(self, step):
        pass

    def log(self, text):
        pass


def write(path, content):
    parts = path.split("/")
    for end in range(2, len(parts)):
        try:
            os.mkdir("/".join(parts[:end]))
        except OSError:
            pass
    with open(path, "wb") as file:
        file.write(content)


def factory(chip=None):
    """A chip with the old version in slot a."""
    chip = chip or Chip(blocks=96, program_bytes=256)
    power = Power(chip)
    vfs.VfsLfs2.mkfs(power, progsize=256)
    vfs.mount(vfs.VfsLfs2(power, progsize=256), MOUNT)
    for path, content in OLD.items():
        write(MOUNT + "/a/" + path, content)
    write(MOUNT + "/a/manifest.json", manifest("1", OLD))
    vfs.umount(MOUNT)
    return chip


def contents(slot, files):
    for path, content in files.items():
        try:
            with open(MOUNT + "/" + slot + "/" + path, "rb") as file:
                if file.read() != content:
                    return False
        except OSError:
            return False
    return True


def runs(slot):
    """Which version lies in the slot that was chosen, every byte of it. Raises Neither."""
    for version, files in (("1", OLD), ("2", NEW)):
        if contents(slot, files):
            return version
    raise Neither(slot)


def session(power, reachable):
    """One power-on, until the update is over or the power fails; (version that runs, PadStatus.update) or None.

    ``reachable``: whether the new version reaches the broker; the old one does.
    """
    vfs.mount(vfs.VfsLfs2(power, progsize=256), MOUNT)
    try:
        for _ in range(_STARTS_LIMIT):
            slot, mode, _ = loader.choose(MOUNT, False)
            if power.dead:
                return None
            version = runs(slot)
            if mode != boot.NORMAL:
                raise Neither(mode)
            ended = start(version, reachable or version == "1", power)
            if power.dead:
                return None
            if ended:
                return version, ended
            record = boot.read_record(MOUNT)
            record.announced = True
            boot.save_record(MOUNT, record)
        raise AssertionError("it restarts for ever")
    except OSError:
        if not power.dead:
            raise
        return None
    finally:
        vfs.umount(MOUNT)


def start(version, online, power):
    """One start of the application: the state the update came to, or None if it wants to restart."""
    board = Board()
    updater = Updater(MOUNT, board)
    wishes = []
    updater.take(OFFER, True, 0)
    for _ in range(_TURNS_LIMIT):
        board.ticks += 50 if updater.state == "loading" else 1000
        if updater.step(board.ticks, True, True, online, ALL_WELL, wishes.append):
            return None
        if power.dead:
            return None
        while wishes:
            wish = wishes.pop(0)
            content = SHELF[wish.sha256]
            data = binascii.b2a_base64(content[wish.offset : wish.offset + PIECE_BYTES]).strip().decode()
            updater.take(Piece(wish.sha256, wish.offset, len(content), data), False, board.ticks)
        # A minute after it is over everything has been written that will be.
        if updater.state in ("done", "rolled_back") and board.ticks > 2 * update.WORKED_MS:
            return updater.state
    raise AssertionError("the update does not end: " + updater.state)


def sweep(reachable, wanted, cuts, again=()):
    """Cuts the power in every operation of an update; how many cuts, and operations, there were.

    ``again``: the power fails a second time, so many operations after it came back. Raises Neither or AssertionError.
    """
    chip = factory()
    factory_image = chip.snapshot()
    operations = []
    chip.recorder = operations.append
    assert session(Power(chip), reachable) == wanted
    chip.recorder = None
    before = bytearray(factory_image)
    count = 0
    for operation in operations:
        for per_cent in cuts:
            chip.restore(before)
            chip.apply(operation, per_cent)
            for second in again or (None,):
                if second is not None:
                    chip.restore(before)
                    chip.apply(operation, per_cent)
                    power = Power(chip)
                    power.cut_after(second, per_cent)
                    if session(power, reachable) is not None:
                        continue  # there were not so many operations left
                    count += 1
                found = session(Power(chip), reachable)
                assert found == wanted, (count, operation[0], per_cent, second, found)
                count += second is None
        chip.restore(before)
        chip.apply(operation)
        before[:] = chip.image
    assert chip.violations == 0
    return count, len(operations)


def into_the_running_slot():
    """Mutation: the new version is written over the one that runs. Returns what undoes it."""
    other = Updater._other
    Updater._other = lambda self: self._slot

    def undo():
        Updater._other = other

    return undo


def pointer_before_files():
    """Mutation: manifest and pointer are written first, and the loader trusts them. Returns what undoes it."""
    install, is_whole = update.install, loader.is_whole

    def hasty(root, target, running, offer, board):
        write(root + "/" + target + "/manifest.json", SHELF[offer[1]])
        record = boot.read_record(root)
        record.begin_trial(target, binascii.unhexlify(offer[1]), 0)
        boot.save_record(root, record)
        yield None
        yield from install(root, target, running, offer, board)

    def undo():
        update.install, loader.is_whole = install, is_whole

    update.install = hasty
    loader.is_whole = lambda root, slot: bool(boot.read_manifest(root + "/" + slot))
    return undo
