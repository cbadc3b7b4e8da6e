"""Serial ports of this computer: which there are, and why one cannot be opened. It does not talk to what is on them."""

import errno
import fcntl
import grp
import os
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from serial.tools import list_ports

from firmware.host.errors import PortError

_PTY_MAJORS = range(136, 144)  # Linux, admin-guide/devices.txt


@dataclass(frozen=True, slots=True)
class Port:
    """A serial port with a USB device on it; ``serial`` tells the same device on another port name."""

    device: str
    description: str
    serial: str | None = None


def plugged_in() -> list[Port]:
    """The ports with a USB device on them; a bare motherboard port has none."""
    return [
        Port(each.device, each.description or "", each.serial_number)
        for each in sorted(list_ports.comports())
        if each.vid is not None
    ]


def check(device: str) -> None:
    """Raises PortError, saying what to do, if ``device`` cannot be opened for us alone."""
    path = Path(device)
    if not path.exists():
        others = ", ".join(f"{port.device} ({port.description})" for port in plugged_in()) or "none"
        raise PortError(f"nothing on the port {device}; ports with something plugged in: {others}")
    if not stat.S_ISCHR(path.stat().st_mode):
        raise PortError(f"{device} is not a serial port")
    try:
        handle = os.open(device, os.O_RDWR | os.O_NONBLOCK | os.O_NOCTTY)
    except OSError as error:
        raise PortError(_why_not(device, error)) from None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise PortError(_busy(device)) from None
    finally:
        os.close(handle)
    # Some terminal programs take no lock.
    holders = _holders(device)
    if holders:
        raise PortError(_busy(device))


def wait_for(port: Port, timeout_s: float) -> Port:
    """The same device after it restarted and came back, perhaps under another name. Raises PortError."""
    deadline = time.monotonic() + timeout_s
    while True:
        if port.serial is None and Path(port.device).exists():
            return port
        for found in plugged_in():
            if port.serial is not None and found.serial == port.serial:
                return found
        if time.monotonic() >= deadline:
            raise PortError(f"the board on {port.device} went away and did not come back in {timeout_s:.0f} s")
        time.sleep(0.1)


def find(device: str) -> Port:
    """The port of that name, with what is known of it."""
    return next((port for port in plugged_in() if port.device == device), Port(device, ""))


def _why_not(device: str, error: OSError) -> str:
    if error.errno in (errno.EACCES, errno.EPERM):
        group = _group_of(device)
        return (
            f"no permission for {device}: it belongs to the group {group}; "
            f'join it: sudo usermod -aG {group} "$USER", then log in anew'
        )
    if error.errno in (errno.EBUSY, errno.EAGAIN):
        return _busy(device)
    if error.errno in (errno.ENXIO, errno.ENODEV, errno.EIO):
        return f"nothing on the port {device}: its device is gone; plug it in again"
    return f"{device} cannot be opened: {error.strerror}"


def _group_of(device: str) -> str:
    number = Path(device).stat().st_gid
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)


def _busy(device: str) -> str:
    who = ", ".join(_holders(device)) or "another program"
    return f"the port {device} is busy: {who} has it open; close that first"


def _holders(device: str) -> list[str]:
    """The other processes that have ``device`` open, as far as we may look: "minicom (pid 123)"."""
    try:
        wanted = Path(device).stat().st_rdev
    except OSError:
        return []
    found = [process for process in _others() if _has_open(process, wanted)]
    if os.major(wanted) in _PTY_MAJORS:
        # Whoever serves a pseudo-terminal, as an emulator does, may have both of its ends open.
        found = [process for process in found if not _has_open(process, Path("/dev/ptmx").stat().st_rdev)]
    return [f"{_name_of(process)} (pid {process.name})" for process in found]


def _others() -> Iterator[Path]:
    own = str(os.getpid())
    return (path for path in Path("/proc").glob("[0-9]*") if path.name != own)


def _name_of(process: Path) -> str:
    try:
        return (process / "comm").read_text().strip()
    except OSError:
        return "a process"


def _has_open(process: Path, wanted: int) -> bool:
    try:
        return any(
            stat.S_ISCHR(status.st_mode) and status.st_rdev == wanted
            for status in (_status(handle) for handle in (process / "fd").iterdir())
            if status
        )
    except OSError:
        return False


def _status(handle: Path) -> os.stat_result | None:
    try:
        return handle.stat()
    except OSError:
        return None
