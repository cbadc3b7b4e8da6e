"""A board on a pseudo-terminal: real MicroPython with a file system of its own, as mpremote meets it on a USB port.

Two terminals: the outer one is the port that a tool opens; the inner one is the interpreter's. Between them this
does what a chip does and a process does not: it starts again after a reset, and after a soft reset.
"""

import contextlib
import os
import pty
import select
import signal
import subprocess
import termios
import threading
import time
import tty
from pathlib import Path

from tests.integration.pad_process import DEADLINE_S, micropython

_PRELUDE = Path(__file__).parents[1] / "micropython" / "pty_prelude.py"
_IMAGE_BYTES = 212 * 4096
_RESET_CODE = 42
_RAW_PROMPT = b"raw REPL; CTRL-B to exit\r\n>"


class PtyBoard:
    """``port`` is what a tool connects to. The image outlives power_off() and a new PtyBoard on the same folder."""

    def __init__(self, folder: Path, hardware: str = "e6614c311b2a3c2f"):
        self.hardware = hardware
        self.image = folder / "board.img"
        self.resets = 0
        self._cut_after_bytes: int | None = None
        self._said = bytearray()
        self._inner = -1
        self._process: subprocess.Popen[bytes] | None = None
        self._raw = self._runs_main = False
        self._stop, self._stopper = os.pipe()
        folder.mkdir(parents=True, exist_ok=True)
        if not self.image.exists():
            self.image.write_bytes(b"\xff" * _IMAGE_BYTES)
        self._changed = threading.Condition()
        self._outer, slave = pty.openpty()
        tty.setraw(slave)
        self.port = os.ttyname(slave)
        os.close(slave)  # nobody but a tool has the port open
        os.set_blocking(self._outer, False)
        self._start("main")
        self._thread = threading.Thread(target=self._carry, daemon=True)
        self._thread.start()

    def cut_after(self, received_bytes: int) -> None:
        """Cuts power, port and all, once that many bytes have come from the tool."""
        self._cut_after_bytes = received_bytes

    def power_off(self) -> None:
        """Unplugs it; the port is gone for whoever has it open."""
        if self._thread.is_alive():
            os.write(self._stopper, b"x")
            self._thread.join(DEADLINE_S)

    def press(self, button: int) -> None:
        """Pushes a button (1..3) of the pad that is running, down and up."""
        os.write(self._inner, f"P{button}1\n".encode())
        os.write(self._inner, f"P{button}0\n".encode())

    @property
    def said(self) -> str:
        """Everything that came out of the interpreter."""
        with self._changed:
            return self._said.decode(errors="replace")

    def wait_for(self, text: str, times: int = 1) -> None:
        """Waits until the board has said ``text`` so often."""
        with self._changed:
            reached = self._changed.wait_for(lambda: self._said.count(text.encode()) >= times, DEADLINE_S)
            assert reached, f"no {times} x {text!r}, but:\n{self._said[-1000:].decode(errors='replace')}"

    def _start(self, how: str) -> None:
        inner, slave = pty.openpty()
        modes = termios.tcgetattr(slave)
        modes[1] &= ~termios.OPOST
        modes[3] &= ~(termios.ECHO | termios.ICANON)  # but Ctrl-C stays a signal while a program runs
        termios.tcsetattr(slave, termios.TCSANOW, modes)
        command = [micropython(), "-X", "heapsize=400k", str(_PRELUDE), str(self.image), self.hardware, how]
        self._process = subprocess.Popen(
            ["setsid", "-c", *command], stdin=slave, stdout=slave, stderr=slave, env={"PATH": os.environ["PATH"]}
        )
        os.close(slave)
        self._inner = inner
        self._raw = False
        self._runs_main = how == "main"

    def _carry(self) -> None:
        """Carries bytes both ways until power_off() or the cut."""
        received = 0
        is_open = False
        try:
            while True:
                watched = [self._outer] if is_open else []
                # With the port closed at the other end, its terminal is always "ready" with an error.
                ready, _, _ = select.select([*watched, self._inner, self._stop], [], [], None if is_open else 0.01)
                if self._stop in ready:
                    return
                data = self._from_tool() if self._outer in ready or not is_open else b""
                is_open = data is not None
                if data:
                    received += len(data)
                    if self._cut_after_bytes is not None and received >= self._cut_after_bytes:
                        return
                    if b"\x03" in data and self._runs_main:
                        self._interrupt()
                    self._raw = self._raw_after(data)
                    os.write(self._inner, data)
                if self._inner in ready:
                    self._hear()
        finally:
            self._end()

    def _interrupt(self) -> None:
        """Ctrl-C while the pad runs leads to the prompt, as on a chip.

        The unix board's thread that waits for buttons would outlive its program and take the prompt's input.
        """
        assert self._process
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(DEADLINE_S)
        os.close(self._inner)
        self._start("prompt")

    def _from_tool(self) -> bytes | None:
        """What the tool has sent; None while nobody has the port open."""
        try:
            return os.read(self._outer, 4096)
        except BlockingIOError:
            return b""
        except OSError:
            return None

    def _raw_after(self, data: bytes) -> bool:
        """Whether the interpreter is at its raw prompt after ``data``: Ctrl-A leads there, Ctrl-B back."""
        last_in, last_out = data.rfind(b"\x01"), data.rfind(b"\x02")
        return self._raw if last_in == last_out else last_in > last_out

    def _hear(self) -> None:
        try:
            data = os.read(self._inner, 4096)
        except OSError:  # the interpreter has ended
            data = b""
        if data:
            self._tell(data)
            self._runs_main = self._runs_main and not data.endswith(b">>> ")
            return
        assert self._process
        code = self._process.wait(DEADLINE_S)
        os.close(self._inner)
        self.resets += 1
        if code == _RESET_CODE or not self._raw:
            self._start("main")
            return
        self._tell(b"MPY: soft reboot\r\n")
        self._start("raw")
        self._raw = True
        self._enter_raw()
        self._tell(_RAW_PROMPT)

    def _enter_raw(self) -> None:
        """Takes the new interpreter to its raw prompt, as a chip goes there by itself after a soft reset."""
        heard = b""
        asked = False
        deadline = time.monotonic() + DEADLINE_S
        while not heard.endswith(_RAW_PROMPT):
            assert time.monotonic() < deadline, heard
            heard += os.read(self._inner, 4096)
            if not asked and heard.endswith(b">>> "):
                os.write(self._inner, b"\x01")
                asked = True

    def _tell(self, data: bytes) -> None:
        with self._changed:
            self._said += data
            self._changed.notify_all()
        with contextlib.suppress(OSError):  # nobody listens, as often on a USB port
            while data:
                try:
                    data = data[os.write(self._outer, data) :]
                except BlockingIOError:
                    select.select([], [self._outer], [], 1)

    def _end(self) -> None:
        assert self._process
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(DEADLINE_S)
        for handle in (self._inner, self._outer):
            os.close(handle)
