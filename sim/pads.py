"""The pads of a demonstration: real firmware in real MicroPython, one process a desk, wired over pipes.

It takes no decision on votes; it presses what it is told to and reports what the lamps show. The wire is described in
firmware/board/unix.py: ``P<button><level>`` in, ``L<abc>`` and ``# log`` out, end of input switches the pad off.
Whether a pad is connected is read off its log, which is all that a pad says over its wires.
"""

import asyncio
import contextlib
import json
import logging
import os
import subprocess
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sim.errors import ChildFailed
from sim.interpreter import Firmware
from sim.passwords import write_private

log = logging.getLogger(__name__)

DARK = "000"
HEAP = "256k"  # 64-bit: objects and code tables are twice a chip's, so this is what a small board has
_STARTING_AT_ONCE = 4
_FIRST_LIGHT_S = 30.0
_STOP_S = 5.0
_PAUSES_S = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)  # before a pad that died is started again
_STEADY_S = 30.0
_RESET = 75  # the exit code of firmware/main.py for a reset
_KEEPALIVE_S = 20
_RECONNECT_MAX_S = 5  # the broker is on this machine: no need to spare a line

Listener = Callable[[str, str], None]


@dataclass(frozen=True, slots=True)
class PadSpec:
    desk: str
    password: str = field(repr=False)


class Pads:
    """Every pad of the demonstration, in the event loop that start() ran in. A desk without a pad is dark and deaf.

    Args:
        folder: holds a directory a pad: its ``pad.json`` and its flash.
        firmware: what they run; None for no pads at all.
        broker: host and port.
        settings: more for every ``pad.json``.
        anchor: the office's authority in DER: then pads speak TLS.
        environ: added to ours.
    """

    def __init__(
        self,
        folder: Path,
        firmware: Firmware | None,
        broker: tuple[str, int],
        *,
        settings: Mapping[str, object] | None = None,
        anchor: bytes | None = None,
        environ: Mapping[str, str] | None = None,
    ):
        self._folder = folder
        self._settings = dict(settings or {})
        self._anchor = anchor
        self._environ = dict(environ or {})
        self._firmware = firmware
        self._broker = broker
        self._pads: dict[str, _Pad] = {}
        self._listeners: list[Listener] = []
        self._connection_listeners: list[Callable[[str], None]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping = False

    async def start(self, desks: Iterable[PadSpec]) -> None:
        """Starts the pads and returns when each has set its lamps. Raises ChildFailed naming the desk."""
        if self._firmware is None:
            return
        gate = asyncio.Semaphore(_STARTING_AT_ONCE)

        async def begin(spec: PadSpec) -> None:
            async with gate:
                self._provision(spec)
                self._pads[spec.desk] = _Pad(spec.desk)
                self._spawn(self._pads[spec.desk])
                await self._lit(self._pads[spec.desk])

        await asyncio.gather(*(begin(spec) for spec in desks))

    async def stop(self) -> None:
        """Switches every pad off, kills what does not go, and returns when none is left."""
        self._stopping = True
        for pad in self._pads.values():
            pad.switch_off()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_STOP_S):
                await asyncio.gather(*(pad.gone.wait() for pad in self._pads.values()))
        for pad in self._pads.values():
            pad.kill()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def press(self, desk: str, button: int) -> None:
        """A finger goes down on button 1..3; to a pad that is not running, nothing happens."""
        self._move(desk, button, 1)

    def release(self, desk: str, button: int) -> None:
        self._move(desk, button, 0)

    def lamps(self, desk: str) -> str:
        """Bad, good, exemplary: "1" for lit. Dark for a desk whose pad is not running."""
        return self._pads[desk].lamps if desk in self._pads else DARK

    def connected(self, desk: str) -> bool:
        return desk in self._pads and self._pads[desk].connected

    def pids(self) -> dict[str, int]:
        """The running pads' processes, by desk."""
        return {desk: pad.process.pid for desk, pad in self._pads.items() if pad.process and not pad.gone.is_set()}

    def subscribe(self, listener: Listener) -> None:
        """``listener(desk, lamps)`` is called whenever a pad's lamps change; a pad without power is dark."""
        self._listeners.append(listener)

    def subscribe_connections(self, listener: Callable[[str], None]) -> None:
        """``listener(desk)`` is called whenever a pad finds its broker or loses it."""
        self._connection_listeners.append(listener)

    async def wait_lamps(self, desk: str, wanted: str, timeout_s: float) -> None:
        """Returns as soon as the lamps show ``wanted``. Raises TimeoutError."""
        pad = self._pads[desk]
        async with asyncio.timeout(timeout_s):
            while pad.lamps != wanted:
                await pad.changed.wait()

    def kill(self, desk: str) -> None:
        """Cuts the pad's power (SIGKILL); it stays off until restart()."""
        self._pads[desk].stays_off = True
        self._pads[desk].kill()

    async def restart(self, desk: str) -> None:
        """Switches the pad off, if it is on, and on again. Raises ChildFailed."""
        pad = self._pads[desk]
        pad.stays_off = True
        pad.switch_off()
        try:
            async with asyncio.timeout(_STOP_S):
                await pad.gone.wait()
        except TimeoutError:
            pad.kill()
            await pad.gone.wait()
        self._spawn(pad)
        await self._lit(pad)

    def _provision(self, spec: PadSpec) -> None:
        folder = self._folder / spec.desk
        folder.mkdir(parents=True, exist_ok=True)
        host, port = self._broker
        settings = {
            "desk": spec.desk,
            "broker_host": host,
            "broker_port": port,
            "password": spec.password,
            "keepalive_s": _KEEPALIVE_S,
            "reconnect_max_s": _RECONNECT_MAX_S,
            **self._settings,
        }
        if self._anchor is not None:
            (folder / "ca.der").write_bytes(self._anchor)
        write_private(folder / "pad.json", json.dumps(settings))

    def _spawn(self, pad: "_Pad") -> None:
        assert self._firmware
        entry = self._firmware.entry
        pad.start(
            [*self._firmware.command, "-X", f"heapsize={HEAP}", str(entry), str(self._folder / pad.desk)],
            {**os.environ, **self._environ, "MICROPYPATH": str(entry.parent)},
        )
        loop = asyncio.get_running_loop()
        loop.add_reader(pad.stdout, self._on_output, pad)

    async def _lit(self, pad: "_Pad") -> None:
        """Waits for the first word about the lamps."""
        try:
            async with asyncio.timeout(_FIRST_LIGHT_S):
                while not pad.is_lit:
                    if pad.gone.is_set():
                        raise ChildFailed(f"the pad of {pad.desk} ended while starting: {pad.last_words}")
                    await pad.changed.wait()
        except TimeoutError:
            raise ChildFailed(f"the pad of {pad.desk} did not start: {pad.last_words}") from None

    def _on_output(self, pad: "_Pad") -> None:
        try:
            data = os.read(pad.stdout, 4096)
        except BlockingIOError:
            return
        if not data:
            self._on_end(pad)
            return
        for line in pad.split(data):
            before = pad.lamps, pad.connected
            pad.read(line)
            self._tell(pad, before)
        pad.wake()

    def _on_end(self, pad: "_Pad") -> None:
        asyncio.get_running_loop().remove_reader(pad.stdout)
        task = asyncio.get_running_loop().create_task(self._bury(pad), name=f"pad {pad.desk}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _bury(self, pad: "_Pad") -> None:
        """Collects the process that has closed its output; starts it again unless somebody wants it off."""
        before = pad.lamps, pad.connected
        lived_s = await pad.collect()
        self._tell(pad, before)
        if self._stopping or pad.stays_off:
            return
        if pad.exit_code == _RESET:  # it resets itself
            self._spawn(pad)
            return
        pad.failures = 0 if lived_s > _STEADY_S else pad.failures + 1
        pause_s = _PAUSES_S[min(pad.failures, len(_PAUSES_S) - 1)]
        log.warning("%s: the pad ended; it starts again in %g s", pad.desk, pause_s)
        await asyncio.sleep(pause_s)
        if not pad.stays_off and pad.gone.is_set():
            self._spawn(pad)

    def _move(self, desk: str, button: int, level: int) -> None:
        if desk in self._pads:
            self._pads[desk].write(f"P{button}{level}\n")

    def _tell(self, pad: "_Pad", before: tuple[str, bool]) -> None:
        if pad.lamps != before[0]:
            for listener in self._listeners:
                listener(pad.desk, pad.lamps)
        if pad.connected != before[1]:
            for notice in self._connection_listeners:
                notice(pad.desk)


class _Pad:
    """One process and what its wires said last."""

    def __init__(self, desk: str):
        self.desk = desk
        self.process: subprocess.Popen[bytes] | None = None
        self.lamps = DARK
        self.connected = self.is_lit = self.stays_off = False
        self.changed = asyncio.Event()
        self.gone = asyncio.Event()
        self.last_words = "it said nothing"
        self.failures = 0
        self.exit_code: int | None = None
        self._started = 0.0
        self._rest = b""

    @property
    def stdout(self) -> int:
        assert self.process and self.process.stdout
        return self.process.stdout.fileno()

    def start(self, command: list[str], environ: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environ,
            bufsize=0,
            start_new_session=True,  # Ctrl-C in the terminal is for the supervisor alone
        )
        os.set_blocking(self.stdout, False)
        self.is_lit = self.stays_off = False
        self.gone.clear()
        self._rest = b""
        self._started = asyncio.get_running_loop().time()

    def write(self, text: str) -> None:
        if self.process and self.process.stdin and not self.process.stdin.closed:
            with contextlib.suppress(BrokenPipeError):  # it is dying; _bury() will see to it
                self.process.stdin.write(text.encode())

    def split(self, data: bytes) -> list[str]:
        """The lines that are complete with ``data``."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        return [line.decode(errors="replace") for line in lines]

    def switch_off(self) -> None:
        if self.process and self.process.stdin:
            self.process.stdin.close()
        elif self.process is None:
            self.gone.set()

    def kill(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.kill()

    async def collect(self) -> float:
        """Waits for the process to be gone; returns how long it lived, in seconds."""
        assert self.process and self.process.stdout and self.process.stdin
        while self.process.poll() is None:
            await asyncio.sleep(0.01)
        self.process.stdout.close()
        self.process.stdin.close()
        self.lamps, self.connected = DARK, False
        self.exit_code = self.process.returncode
        self.gone.set()
        self.wake()
        return asyncio.get_running_loop().time() - self._started

    def read(self, line: str) -> None:
        if len(line) == 4 and line[0] == "L" and not set(line[1:]) - {"0", "1"}:
            self.lamps, self.is_lit = line[1:], True
            return
        self.last_words = line.removeprefix("# ").strip() or self.last_words
        log.info("%s: %s", self.desk, self.last_words)
        if line == "# connected":
            self.connected = True
        elif line.startswith("# disconnected"):
            self.connected = False

    def wake(self) -> None:
        self.changed.set()
        self.changed = asyncio.Event()
