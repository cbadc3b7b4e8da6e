"""The flash chip of MicroPython's unix build: a file with LittleFS in it. Beside loader.py, outside the slots."""

import os

import vfs

ROOT = "/flash"
BLOCK_BYTES = 4096
# Enough for a pad's state; room for two slots of the application takes SLOTS_BYTES.
STATE_BYTES = 128 * 1024
SLOTS_BYTES = 1024 * 1024
_PROGRAM_BYTES = 256
# What was in the image is lost: the application reads this once, says so and removes it.
LOST = "/state/lost"
_ERASED = b"\xff" * 256


class FileBlockDevice:
    """A flash chip in a file, for VfsLfs2 (extended block protocol). Made of 0xFF, as erased flash is.

    Errors are returned, not raised: an exception would unwind through LittleFS and has crashed the interpreter.
    """

    _IOCTL_BLOCK_COUNT, _IOCTL_BLOCK_BYTES, _IOCTL_ERASE = 4, 5, 6
    _EIO = -5

    def __init__(self, path: str, size_bytes: int):
        """``size_bytes``: of the chip, if there is none yet; one that is there keeps its size."""
        self.is_new = False
        self._path = path
        self._blocks = size_bytes // BLOCK_BYTES
        try:
            self._file = open(path, "r+b")
            found_bytes = os.stat(path)[6]
            if found_bytes and found_bytes % BLOCK_BYTES == 0:
                self._blocks = found_bytes // BLOCK_BYTES
        except OSError:
            self.is_new = True
            self.renew()

    def renew(self) -> None:
        """Makes an erased chip of it. Raises OSError."""
        with open(self._path, "wb") as file:
            for _ in range(self._blocks):
                file.write(b"\xff" * BLOCK_BYTES)
        self._file = open(self._path, "r+b")

    def readblocks(self, block: int, buffer: bytearray, offset: int = 0) -> int:
        try:
            self._file.seek(block * BLOCK_BYTES + offset)
            return 0 if self._file.readinto(buffer) == len(buffer) else self._EIO
        except OSError:
            return self._EIO

    def writeblocks(self, block: int, buffer: bytes, offset: int = 0) -> int:
        try:
            self._file.seek(block * BLOCK_BYTES + offset)
            self._file.write(buffer)
            return 0
        except OSError:
            return self._EIO

    def ioctl(self, command: int, argument: int) -> int:
        if command == self._IOCTL_BLOCK_COUNT:
            return self._blocks
        if command == self._IOCTL_BLOCK_BYTES:
            return BLOCK_BYTES
        if command == self._IOCTL_ERASE:
            for offset in range(0, BLOCK_BYTES, len(_ERASED)):
                if self.writeblocks(argument, _ERASED, offset):
                    return self._EIO
        return 0


def mount(path: str, size_bytes: int = STATE_BYTES) -> None:
    """Mounts the image at ``path`` on ROOT, made and formatted if need be. Raises OSError."""
    flash = FileBlockDevice(path, size_bytes)
    lost = False
    try:
        if flash.is_new:
            vfs.VfsLfs2.mkfs(flash, progsize=_PROGRAM_BYTES)
        chip = vfs.VfsLfs2(flash, progsize=_PROGRAM_BYTES)
    except OSError:
        lost = True
        flash.renew()
        vfs.VfsLfs2.mkfs(flash, progsize=_PROGRAM_BYTES)
        chip = vfs.VfsLfs2(flash, progsize=_PROGRAM_BYTES)
    vfs.mount(chip, ROOT)
    if lost:
        os.mkdir(ROOT + "/state")
        open(ROOT + LOST, "wb").close()
