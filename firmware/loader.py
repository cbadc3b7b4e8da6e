"""Chooses which copy of the application a pad starts, so that no update and no crash leaves a desk without one.

It lies beside main.py, outside the slots, is never updated over the air, and imports nothing of the slots: whatever an
update brings, this is what decides about it. main.py drops it from memory before the application starts. It decides
from three things: the record ``state/boot``, which slots are whole, and how the last start ended.

    trial open, tries left                       the slot on trial; this start uses up one try
    trial open, no tries left or slot not whole  rolled back: as below
    active slot whole                            the active slot
    active slot not whole                        the other; neither: whatever is there, in safe mode
    three starts in a row that ended badly       the other slot if it has once worked, else safe mode

A start ends badly by an exception that nobody caught, by the watchdog, or by a reset that nobody announced. A power
cut is not bad: somebody cleaning under the desk must not put a pad into safe mode. The application calls
``BootRecord.worked`` after a minute; a trial ends by ``commit`` or, at the latest after TRIES starts, by itself.
A healthy start writes nothing.

Slots are ``a`` and ``b``; a slot is whole if its manifest.json is there and every file in it has its size. The manifest
is written after everything else, so half of an update is never whole. Contents are verified when they are installed
(firmware/board/update.py), not at every start.
"""

import os
import sys
import time

from firmware.boot import (
    BAD_LIMIT,
    NORMAL,
    SAFE,
    SLOTS,
    BootRecord,
    read_manifest,
    read_record,
    save_record,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

# About the longest that an RP2040 can; too short for some board, it only means that the old version comes back.
_TRIAL_WATCHDOG_MS = 8000
# A pad whose every start fails must not wear out its flash, nor the patience of whoever reads its log.
_PAUSE_MS, _LONGEST_PAUSE_MS = 200, 30000
_UNIX_ROOT, _LAST_WORDS = "/flash", "/last-words"


def decide(record: BootRecord, is_whole: "Callable[[str], bool]", ended_badly: bool) -> "tuple[str, str]":
    """The slot to start ("" for the code that is in sys.path anyway) and the mode; notes the start in ``record``."""
    if ended_badly and not record.announced:
        record.bad = min(record.bad + 1, 255)
    record.announced = False
    if record.trial:
        if record.tries and is_whole(record.trial):
            record.tries -= 1
            return record.trial, NORMAL
        record.roll_back()
    whole = [slot for slot in SLOTS if is_whole(slot)]
    if record.active not in whole:
        if not whole:
            return record.active, SAFE if record.active or record.bad >= BAD_LIMIT else NORMAL
        record.active = whole[0]
    if record.bad < BAD_LIMIT:
        return record.active, NORMAL
    other = [slot for slot in whole if slot != record.active]
    if other and record.has_worked(other[0]) and not record.fell_back:
        record.active = other[0]
        record.fell_back = True
        record.bad = 0
        return record.active, NORMAL
    # A safe mode that itself ends badly is tried from the other slot, in turns.
    return other[0] if other and record.bad // BAD_LIMIT % 2 == 0 else record.active, SAFE


def is_whole(root: str, slot: str) -> bool:
    """Whether every file of the slot is there in its size."""
    try:
        files = read_manifest(root + "/" + slot)
        for path, size, _ in files:
            if os.stat(root + "/" + slot + "/" + path)[6] != size:
                return False
    except Exception:  # whatever is wrong with it, the other slot may be right
        return False
    return bool(files)


def choose(root: str, ended_badly: bool) -> "tuple[str, str, int]":
    """Slot and mode of this start, and how many bad ones came before it; the record on flash knows of it."""
    record = read_record(root)
    before = record.dump()
    slot, mode = decide(record, lambda name: is_whole(root, name), ended_badly)
    if record.dump() != before and not save_record(root, record) and slot == record.trial:
        # A try that cannot be counted would be repeated for ever.
        record.roll_back()
        slot, mode = decide(record, lambda name: is_whole(root, name), False)
    return slot, mode, record.bad


def prepare(arguments: "list[str]") -> "tuple[str, str] | int":
    """Root and mode to start the application with, which is in sys.path then; or the unix build's exit code."""
    if not _is_unix():
        import machine

        root = ""
        ended_badly = machine.reset_cause() != machine.PWRON_RESET
    elif len(arguments) != 2:
        print("# usage: main.py <the pad's directory>")
        return 2
    elif not _mount(arguments[1]):
        return 1
    else:
        root = _UNIX_ROOT
        ended_badly = _last_words(arguments[1]) in ("watchdog", "crash")
    slot, mode, bad = choose(root, ended_badly)
    if bad:
        time.sleep_ms(min(_PAUSE_MS * bad * bad, _LONGEST_PAUSE_MS))  # type: ignore[attr-defined]
    if not _is_unix() and slot and slot == read_record(root).trial:
        # A new version that hangs before it feeds a watchdog must not wait for somebody to pull the plug.
        machine.WDT(timeout=_TRIAL_WATCHDOG_MS)
    if slot:
        # Nothing but the slot: a module that it lacks must not come from elsewhere.
        sys.path[:] = [root + "/" + slot, ".frozen"]
    print("# loader: slot %s, %s mode" % (slot or "none", mode))
    return root, mode


def _is_unix() -> bool:
    return sys.platform in ("linux", "darwin")


def _mount(folder: str) -> bool:
    from firmware import flash_image

    try:
        flash_image.mount(folder + "/flash.img")
        return True
    except OSError as error:
        print("# flash.img cannot be used: errno %s" % error.errno)
        return False


def _last_words(folder: str) -> str:
    """How the last start of the unix build ended (firmware/board/unix_watchdog.py)."""
    try:
        with open(folder + _LAST_WORDS) as file:
            return file.read().split(" ")[0]
    except OSError:
        return ""
