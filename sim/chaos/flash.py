"""Moves a pad's journal from one flash image to another, as ``firmware.host replace`` does over USB."""

import os
import subprocess
from pathlib import Path

from sim.interpreter import Firmware

_JOURNAL = "/state/journal"  # firmware/board/store.py
_SCRIPT = """
import os, sys, vfs
from firmware import flash_image
old, new, path = sys.argv[1:]
flash_image.mount(old)
try:
    with open(flash_image.ROOT + path, "rb") as file:
        journal = file.read()
except OSError:
    journal = None
vfs.umount(flash_image.ROOT)
flash_image.mount(new)
os.mkdir(flash_image.ROOT + path[:path.rindex("/")])
if journal:
    with open(flash_image.ROOT + path, "wb") as file:
        file.write(journal)
vfs.umount(flash_image.ROOT)
"""


def carry_journal(firmware: Firmware, old: Path, new: Path) -> None:
    """Makes the image ``new`` with the journal of ``old`` in it, if that has one."""
    script = new.with_name("carry.py")
    script.write_text(_SCRIPT)
    environ = {**os.environ, "MICROPYPATH": str(firmware.entry.parent)}
    subprocess.run([*firmware.command, str(script), str(old), str(new), _JOURNAL], check=True, env=environ)
