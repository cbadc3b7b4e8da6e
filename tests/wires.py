"""What has a pad in another process felt of its buttons? Asked of the pipe that is its wires.

A line in the pipe is a finger on its way: the pad's process may be without a processor for as long as a call takes
through the broker, and then feels first what happened last. Whoever pushes a button, and does something else after
that, waits here in between.
"""

import fcntl
import struct
import subprocess
import termios
import time

_WITHIN_S = 60.0
_LINE_BYTES = len("P10\n")


def wait_until_felt(pad: "subprocess.Popen[str] | subprocess.Popen[bytes]") -> None:
    """Returns when ``pad`` has taken all that was written to it but the last line: of a push, the button going down.

    Its wire reads a byte at a time and does what a line says before it reads on (firmware/board/unix_wire.py); a push's
    moment is fixed then. A pad that has ended feels nothing.
    """
    assert pad.stdin
    deadline = time.monotonic() + _WITHIN_S
    while pad.poll() is None and _unread_bytes(pad.stdin.fileno()) >= _LINE_BYTES:
        assert time.monotonic() < deadline, "the pad does not feel its buttons"
        time.sleep(0.0005)


def _unread_bytes(pipe: int) -> int:
    return int(struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)))[0])
