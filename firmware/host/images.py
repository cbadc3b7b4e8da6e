"""Writes a MicroPython image, given as a file, to a board: esptool for ESP32, the UF2 drive for a Pico.

It downloads nothing. The file is checked for the right chip first; the wrong one could not harm a Pico, but would cost
the person a walk.
"""

import os
import re
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from firmware.host.errors import BoardError, UsageError
from firmware.host.kinds import KINDS, Kind

_UF2_MAGIC = b"UF2\n\x57\x51\x5d\x9e"
_UF2_FAMILY_OFFSET = 28
_ESP_MAGIC = b"\xe9"
_ESP_CHIP_OFFSET = 12  # of esp_image_header_t: 0 is the ESP32
_ESP32 = 0
_MICROPYTHON_AT = "0x1000"  # where the ESP32's boot loader lies
_INFO = "INFO_UF2.TXT"
# The drives by what their INFO_UF2.TXT says.
_DRIVE_BOARDS = {"RPI-RP2": "pico-w", "RP2350": "pico2-w"}
_DRIVE_S = 60


def kinds_for(image: Path) -> tuple[Kind, ...]:
    """The kinds of board this image is for. Raises UsageError if it is none that we know."""
    try:
        with image.open("rb") as file:
            head = file.read(512)
    except OSError as error:
        raise UsageError(f"{image} cannot be read: {error.strerror}") from None
    if head[:8] == _UF2_MAGIC and len(head) >= _UF2_FAMILY_OFFSET + 4:
        family = struct.unpack_from("<I", head, _UF2_FAMILY_OFFSET)[0]
        found = tuple(kind for kind in KINDS if kind.uf2_family == family)
    elif head[:1] == _ESP_MAGIC and len(head) > _ESP_CHIP_OFFSET + 1:
        chip = struct.unpack_from("<H", head, _ESP_CHIP_OFFSET)[0]
        found = tuple(kind for kind in KINDS if kind.esptool and chip == _ESP32)
    else:
        found = ()
    if not found:
        raise UsageError(f"{image} is no MicroPython image for an ESP32, a Pico W or a Pico 2 W")
    return found


def write_esp32(port: str, image: Path, say: Callable[[str], None], *, erase: bool) -> None:
    """Writes the image with esptool. ``erase``: the whole flash first, with what the pad had in it.

    Raises:
        BoardError: esptool did not manage; its own last words are in it.
    """
    if erase:
        say("erasing the whole flash")
        _esptool(port, ["erase-flash"], say)
    say("writing MicroPython with esptool")
    _esptool(port, ["write-flash", _MICROPYTHON_AT, str(image)], say)


def write_uf2(image: Path, kind: Kind, say: Callable[[str], None], timeout_s: float = _DRIVE_S) -> None:
    """Copies the image onto the board's drive and waits until the board has taken it and left.

    Raises:
        BoardError: no such drive came, or the board did not take the image.
    """
    deadline = time.monotonic() + timeout_s
    drive = None
    told = False
    while drive is None:
        drive = find_drive(kind)
        if drive is None and not told:
            told = True
            say(f"waiting for the drive of the {kind.called}: hold BOOTSEL while you plug it in (and mount the drive)")
        if drive is None and time.monotonic() >= deadline:
            raise BoardError(f"no drive with {_INFO} of a {kind.called} was mounted in {timeout_s:.0f} s")
        time.sleep(0.2)
    say(f"copying {image.name} to {drive}")
    try:
        content = image.read_bytes()
        with (drive / image.name).open("wb") as target:
            target.write(content)
            target.flush()
            os.fsync(target.fileno())
    except OSError as error:
        # The board may restart as soon as it has the last block, before the system has closed the file.
        if find_drive(kind):
            raise BoardError(f"the image could not be copied to {drive}: {error.strerror}") from None
    deadline = time.monotonic() + timeout_s
    while find_drive(kind):
        if time.monotonic() >= deadline:
            raise BoardError(f"the board on {drive} did not take the image: is it for this board?")
        time.sleep(0.2)


def find_drive(kind: Kind, mounts: Path = Path("/proc/mounts")) -> Path | None:
    """Where the boot drive of such a board is mounted, if it is."""
    try:
        rows = [line.split() for line in mounts.read_text(encoding="utf-8").splitlines()]
    except OSError:
        return None
    for row in rows:
        place = Path(re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), row[1]))
        try:
            info = (place / _INFO).read_text(encoding="ascii", errors="replace") if row[2] in ("vfat", "msdos") else ""
        except OSError:
            continue
        board = re.search(r"^Board-ID:\s*(\S+)", info, re.MULTILINE)
        if board and _DRIVE_BOARDS.get(board[1]) == kind.name:
            return place
    return None


def _esptool(port: str, words: list[str], say: Callable[[str], None]) -> None:
    """Runs esptool as a program: its library prints and exits as it likes."""
    command = [sys.executable, "-m", "esptool", "--chip", "esp32", "--port", port, "--baud", "460800", *words]
    last = ""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout
        for line in process.stdout:
            last = line.strip() or last
            if last.startswith(("Chip", "Wrote", "Hash")):
                say(last)
    if process.returncode:
        raise BoardError(f"esptool: {last}")
