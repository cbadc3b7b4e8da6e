"""Runs under MicroPython's unix build before anything else: makes it look like a board to whoever is at the terminal.

argv: the image's file, the hardware id in hexadecimal, and "main" to start main.py as a board does after a reset;
anything else leads to the prompt only.
"""

import os
import sys

import vfs

BLOCK_BYTES = 4096
BLOCKS = 212  # a Pico W's file system
RESET_CODE = 42
ASKED_RESET = 75  # what main.py ends with where there is no machine.reset


class Machine:
    """The part of the machine module that mpremote and the flashing tool ask for."""

    @staticmethod
    def unique_id():
        return bytes(int(sys_argv[2][i : i + 2], 16) for i in range(0, len(sys_argv[2]), 2))

    @staticmethod
    def reset():
        raise SystemExit(RESET_CODE)

    @staticmethod
    def bootloader():
        raise SystemExit(RESET_CODE)


class Chip:
    """A flash chip in a file; errors are returned, not raised (firmware study, section 2.1)."""

    def __init__(self, path):
        self.file = open(path, "r+b")

    def readblocks(self, block, buffer, offset=0):
        self.file.seek(block * BLOCK_BYTES + offset)
        return 0 if self.file.readinto(buffer) == len(buffer) else -5

    def writeblocks(self, block, buffer, offset=0):
        self.file.seek(block * BLOCK_BYTES + offset)
        self.file.write(buffer)
        return 0

    def ioctl(self, command, argument):
        if command == 4:
            return BLOCKS
        if command == 5:
            return BLOCK_BYTES
        if command == 6:
            return self.writeblocks(argument, b"\xff" * BLOCK_BYTES)
        return 0


sys_argv = list(sys.argv)
sys.modules["machine"] = Machine
chip = Chip(sys_argv[1])
try:
    system = vfs.VfsLfs2(chip, progsize=256)
except OSError:
    vfs.VfsLfs2.mkfs(chip, progsize=256)
    system = vfs.VfsLfs2(chip, progsize=256)
vfs.mount(system, "/")
os.chdir("/")
sys.path[:] = ["", ".frozen", "/lib"]
sys.argv[:] = ["main.py", "/"]
os.putenv("MICROPYINSPECT", "1")  # whatever ends main.py leads to the prompt
if sys_argv[3] == "main" and "main.py" in os.listdir("/"):
    # Where the loader of the unix build looks for slots and state; on a chip that is the root, too.
    vfs.mount(system, "/flash")
    with open("/main.py") as source:
        code = source.read()
    del source, chip, system
    try:
        from firmware import flash_image

        flash_image.mount = lambda path: None  # it is mounted
        del flash_image
    except ImportError:
        pass
    try:
        exec(code, {"__name__": "__main__"})
    except SystemExit as end:
        if end.args and end.args[0] == ASKED_RESET:
            os.unsetenv("MICROPYINSPECT")
            sys.exit(RESET_CODE)
