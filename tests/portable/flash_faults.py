"""A flash chip that fails on demand, for VfsLfs2 in real MicroPython: power cuts, torn writes, worn blocks, wear.

    chip = Chip(blocks=16, program_bytes=32)            the silicon: its bytes outlive every power cut
    power = Power(chip)                                 one power-on session: what VfsLfs2 is given
    vfs.VfsLfs2.mkfs(power, progsize=chip.program_bytes); vfs.mount(vfs.VfsLfs2(power, progsize=...), "/flash")
    power.cut_after(3, TORN)                            the third operation from now is the last one, half done
    ... work until power.dead ...
    vfs.umount("/flash"); power = Power(chip)           reboot

NOR flash: a program only clears bits, an erase sets them all. Nothing here raises into LittleFS, because an exception
would unwind through its C code (and has crashed the interpreter); errors are returned. A cut session is dead for good,
so that the finaliser of a file left open cannot write into the image that the next session works on. What no chip would
do and no test may pass with (programming a bit back to 1, an address off the grid) is counted in ``Chip.violations``.

Not modelled: bits that read differently from time to time after an interrupted erase, and a supply that droops slowly.
"""

# What becomes of the operation during which the power fails: nothing, half of it, all of it.
UNDONE, TORN, DONE = 0, 50, 100
CUTS = (UNDONE, TORN, DONE)
# How a worn block fails. REFUSES: the driver reports an error, as an ESP32's may. DEAF: it reports success and the
# bytes stay as they were, as an RP2040's does; LittleFS finds out by reading back.
REFUSES, DEAF = "refuses", "deaf"

PROGRAM, ERASE, SYNC = "program", "erase", "sync"

EIO = 5
_COUNT, _BLOCK_BYTES, _ERASE, _SYNC = 4, 5, 6, 3  # ioctl, MicroPython's block device protocol


class Chip:
    """The bytes of a flash chip, what is worn of it, and what was done to it."""

    def __init__(self, blocks=32, block_bytes=4096, program_bytes=256, mtime=False):
        """``mtime``: files are to carry their times, as on a board; each run of a test is then another one."""
        self.blocks = blocks
        self.block_bytes = block_bytes
        self.program_bytes = program_bytes
        self.mtime = mtime
        self.image = bytearray(b"\xff" * (blocks * block_bytes))
        self.worn = {}  # block: REFUSES or DEAF
        self.violations = 0
        self.recorder = None  # called as recorder(operation) before each one is carried out; see apply()
        self.forget_counts()

    def forget_counts(self):
        """Starts counting afresh: programs and erases by block, bytes programmed, syncs."""
        self.programs = [0] * self.blocks
        self.erases = [0] * self.blocks
        self.programmed_bytes = 0
        self.syncs = 0

    def snapshot(self):
        return bytes(self.image)

    def restore(self, image):
        """Puts the bytes of a snapshot back. Sessions of the time before must be dead or no longer used."""
        self.image[:] = image

    def apply(self, operation, per_cent=DONE):
        """Carries out ``per_cent`` of ``(PROGRAM, block, offset, data)``, ``(ERASE, block)`` or ``(SYNC,)``."""
        kind = operation[0]
        if kind == PROGRAM:
            self._program(operation[1] * self.block_bytes + operation[2], operation[3], per_cent)
        elif kind == ERASE:
            start = operation[1] * self.block_bytes
            end = start + self.block_bytes * per_cent // 100
            self.image[start:end] = b"\xff" * (end - start)

    def _program(self, start, data, per_cent):
        if start % self.program_bytes or len(data) % self.program_bytes:
            self.violations += 1
        count = len(data) * per_cent // 100
        old = int.from_bytes(self.image[start : start + len(data)], "big")
        new = int.from_bytes(data, "big")
        if old & new != new:
            self.violations += 1
        self.image[start : start + count] = (old & new).to_bytes(len(data), "big")[:count]
        if 0 < count < len(data):
            self.image[start + count] &= data[count] | 0x5A  # of the byte where it stopped some bits made it


class Power:
    """The chip from one power-on to the next cut: a block device of MicroPython's extended protocol."""

    def __init__(self, chip):
        self.chip = chip
        self.dead = False
        self.operations = 0
        self._left = None
        self._per_cent = DONE

    def cut_after(self, operations, per_cent=DONE):
        """The power fails during the given one of the operations from now on (1 is the next)."""
        self._left = operations
        self._per_cent = per_cent

    def cut(self):
        """The power fails now, between two operations."""
        self.dead = True

    def readblocks(self, block, buffer, offset=0):
        if self.dead:
            return -EIO
        start = block * self.chip.block_bytes + offset
        buffer[:] = memoryview(self.chip.image)[start : start + len(buffer)]
        return 0

    def writeblocks(self, block, buffer, offset=0):
        if self.dead:
            return -EIO
        self.chip.programs[block] += 1
        self.chip.programmed_bytes += len(buffer)
        return self._do((PROGRAM, block, offset, bytes(buffer)), self.chip.worn.get(block))

    def ioctl(self, command, argument):
        if command == _COUNT:
            return self.chip.blocks
        if command == _BLOCK_BYTES:
            return self.chip.block_bytes
        if command not in (_ERASE, _SYNC):
            return 0
        if self.dead:
            return -EIO
        if command == _SYNC:
            self.chip.syncs += 1
            return self._do((SYNC,), None)
        self.chip.erases[argument] += 1
        return self._do((ERASE, argument), self.chip.worn.get(argument))

    def _do(self, operation, wear):
        if wear == REFUSES:
            return -EIO
        if wear == DEAF:
            return 0
        self.operations += 1
        if self.chip.recorder:
            self.chip.recorder(operation)
        if self._left is not None:
            self._left -= 1
            if self._left == 0:
                self.dead = True
                self.chip.apply(operation, self._per_cent)
                return -EIO
        self.chip.apply(operation)
        return 0
