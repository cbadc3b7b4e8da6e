"""One board on one port, through mpremote's serial transport: asks, reads, writes, resets. It decides nothing.

Every failure of the wire becomes a PortError, every refusal of the board a BoardError; mpremote tells them by text.
"""

import ast
import contextlib
import hashlib
import io
import struct
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from mpremote.transport import TransportError, TransportExecError
from mpremote.transport_serial import SerialTransport

from firmware.host import ports
from firmware.host.errors import BoardError, PortError

# Carries a file's bytes in so large a piece; a Pico's USB buffer and heap take it in one go.
_PIECE_BYTES = 512
_ANSWER_S = 10

_WHO = """
import sys, os, gc
i = sys.implementation
try:
    import machine, binascii
    uid = binascii.hexlify(machine.unique_id()).decode()
except (ImportError, AttributeError):
    uid = ''
try:
    import esp
    flash = esp.flash_size()
except (ImportError, AttributeError):
    flash = 0
s = os.statvfs('/')
gc.collect()
print(repr((i.name, tuple(i.version[:3]), i._machine, uid, flash, s[0] * s[2], s[0] * s[3], gc.mem_free())))
"""
# A pad at work has a watchdog, which nothing at the prompt feeds. Addresses: RP2040 and RP2350 data sheets, watchdog
# CTRL (bit 30 is ENABLE) through its atomic-clear alias. An ESP32's can only be made patient.
_CALM = """
import sys
words = sys.implementation._machine.split()
try:
    import machine
    if words[-1] == 'RP2040':
        machine.mem32[0x4005b000] = 1 << 30
    elif words[-1].startswith('RP2350'):
        machine.mem32[0x400db000] = 1 << 30
    elif words[-1] == 'ESP32':
        machine.WDT(timeout=600000)
except (ImportError, AttributeError):
    pass
"""
_FILES = """
import os, hashlib, binascii
buf = memoryview(bytearray(512))
def walk(folder):
    for entry in os.ilistdir(folder or '/'):
        path = folder + '/' + entry[0]
        if entry[1] & 0x4000:
            print(repr((path, -1, '')))
            walk(path)
        else:
            h, size = hashlib.sha256(), 0
            with open(path, 'rb') as f:
                while True:
                    n = f.readinto(buf)
                    if not n:
                        break
                    h.update(buf[:n])
                    size += n
            print(repr((path, size, binascii.hexlify(h.digest()).decode())))
walk('')
"""


@dataclass(frozen=True, slots=True)
class Who:
    """What a board says of itself. ``flash_bytes`` is 0 where MicroPython does not tell."""

    implementation: str
    version: tuple[int, ...]
    machine: str
    hardware: str
    flash_bytes: int
    storage_bytes: int
    free_bytes: int
    heap_free_bytes: int

    @property
    def micropython(self) -> str:
        return ".".join(str(part) for part in self.version)


@dataclass(frozen=True, slots=True)
class Listing:
    """What is on a board: SHA-256 and size of each file, and the folders, by paths from the root."""

    files: dict[str, str] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    folders: tuple[str, ...] = ()


class Device:
    """An open board at its raw prompt, whatever it was doing stopped. Close it, or use it in a ``with``."""

    def __init__(self, device: str):
        """Raises PortError, or BoardError if no MicroPython answers."""
        ports.check(device)
        self.port = ports.find(device)
        self._transport: SerialTransport | None = None
        self._folders = {"/"}  # those known to be there
        self._connect()

    def __enter__(self) -> "Device":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        if self._transport:
            with contextlib.suppress(OSError, TransportError):
                self._transport.close()
            self._transport = None

    def who(self) -> Who:
        return Who(*ast.literal_eval(self.execute(_WHO)))

    def listing(self) -> Listing:
        """Every file with its hash; the board computes them."""
        rows = [ast.literal_eval(line) for line in self.execute(_FILES).splitlines() if line.startswith("(")]
        files = [row for row in rows if row[1] >= 0]
        return Listing(
            {path: digest for path, _, digest in files},
            {path: size for path, size, _ in files},
            tuple(path for path, size, _ in rows if size < 0),
        )

    def read(self, path: str) -> bytes:
        with self._wire() as transport:
            return bytes(transport.fs_readfile(path, _PIECE_BYTES))

    def read_if_there(self, path: str) -> bytes | None:
        with self._wire() as transport:
            found = transport.fs_exists(path)
        return self.read(path) if found else None

    def write(self, path: str, content: bytes, progress: Callable[[int], None] | None = None) -> None:
        """Replaces a file, its folder made if need be, and makes sure that the board holds what was sent.

        LittleFS replaces it when it is closed: a cut leaves the old file or the new one.
        """
        with self._wire() as transport:
            for parent in reversed(PurePosixPath(path).parents):
                if str(parent) not in self._folders and not transport.fs_isdir(str(parent)):
                    transport.fs_mkdir(str(parent))
                self._folders.add(str(parent))
            transport.fs_writefile(path, content, _PIECE_BYTES, (lambda done, _: progress(done)) if progress else None)
            written = transport.fs_hashfile(path, "sha256", _PIECE_BYTES)
        if written != hashlib.sha256(content).digest():
            raise BoardError(f"{path} on the board is not what was sent: its flash or its cable is bad")

    def remove(self, path: str, *, folder: bool = False) -> None:
        with self._wire() as transport:
            (transport.fs_rmdir if folder else transport.fs_rmfile)(path)
            self._folders.discard(path)

    def execute(self, code: str, timeout_s: float = 60) -> str:
        """Runs ``code`` on the board; returns what it printed. Raises BoardError with its last line if it fails."""
        with self._wire() as transport:
            output, error = transport.exec_raw(code, timeout=timeout_s)
        if error:
            raise BoardError(error.decode(errors="replace").strip().splitlines()[-1])
        return str(output.decode(errors="replace")).replace("\r\n", "\n")

    def restart(self) -> None:
        """Resets the board as power-on does, so that main.py runs; follow() hears what it says."""
        with self._wire() as transport:
            transport.exec_raw_no_follow("import machine\nmachine.reset()")

    def bootloader(self) -> None:
        """Sends the board to its boot loader: a Pico becomes a drive. The port is closed after it."""
        with self._wire() as transport:
            transport.exec_raw_no_follow("import machine\nmachine.bootloader()")
            time.sleep(0.2)
        self.close()

    def follow(self, timeout_s: float) -> Iterator[str]:
        """The lines the running pad prints, until time is up; "" about ten times a second.

        A chip with USB of its own leaves the bus when it restarts; what it says before it is found again is lost.
        """
        assert self._transport
        self._transport.serial.timeout = 0.1
        deadline = time.monotonic() + timeout_s
        text = ""
        while time.monotonic() < deadline:
            try:
                text += self._transport.serial.read(max(1, self._transport.serial.in_waiting)).decode(errors="replace")
            except OSError:  # it restarts once more
                self._reopen()
            *lines, text = text.split("\n")
            yield from (line.strip() for line in lines)
            yield ""

    def _connect(self) -> None:
        device = self.port.device
        noise = io.StringIO()  # mpremote prints what it did not understand
        try:
            with contextlib.redirect_stdout(noise):
                self._transport = SerialTransport(device, timeout=_ANSWER_S)
                self._transport.enter_raw_repl(timeout_overall=_ANSWER_S)
                self._transport.exec(_CALM)
        except TransportError:
            self.close()
            raise BoardError(
                f"no MicroPython answers on {device}: if the board is new, write one first with --image "
                "(make flash IMAGE=...); if it hangs, unplug it and plug it in again"
            ) from None
        except OSError as error:
            self.close()
            raise PortError(f"the board on {device} went away while it was asked ({error})") from None

    def _reopen(self) -> None:
        self.close()
        deadline = time.monotonic() + _ANSWER_S
        while True:
            self.port = ports.wait_for(self.port, _ANSWER_S)
            try:
                self._transport = SerialTransport(self.port.device, timeout=0.1)
                return
            except (OSError, TransportError):
                if time.monotonic() >= deadline:
                    raise PortError(f"the board on {self.port.device} did not come back after its restart") from None
                time.sleep(0.1)

    @contextlib.contextmanager
    def _wire(self) -> Iterator[SerialTransport]:
        if self._transport is None:
            raise PortError(f"the port {self.port.device} is closed")
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                yield self._transport
        except TransportExecError as error:
            last = (str(error).strip().splitlines() or ["it failed"])[-1]
            raise BoardError(f"the board refused: {last}") from None
        except (TransportError, struct.error) as error:
            raise PortError(f"the board on {self.port.device} stopped answering ({error})") from None
        except OSError as error:
            # What came up from the board's file system has an errno and a path; what the port says has no path.
            if error.filename is None and error.args and str(error.args[-1]).startswith("/") and len(error.args) == 2:
                raise BoardError(f"the board refused {error.args[1]}: {error.args[0]}") from None
            raise PortError(f"the port {self.port.device} vanished in the middle; run it again") from None
