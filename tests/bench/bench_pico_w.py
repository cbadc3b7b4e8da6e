"""The Pico W's own firmware on an emulated RP2040: boot to armed, call to armed, press to lamps, heap; resets.

    .venv/bin/python tests/bench/bench_pico_w.py RPI_PICO_W.uf2 --presses 30
    .venv/bin/python tests/bench/bench_pico_w.py RPI_PICO_W.uf2 --resets   # a hang, a crash, an update

Real: the UF2, the pad's compiled tree, LittleFS, the radio's driver, MQTT, Mosquitto, pin interrupts, PWM, scratch
registers. Not real: time on the network (emulated time is not paced), flash wait states, and the press itself.
Needs mosquitto. One emulated second takes ten and more of a desktop's.
"""

import argparse
import asyncio
import dataclasses
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from rp2040py.boards import BOARDS, FlashLayout  # noqa: E402
from rp2040py.device import MicroPythonDevice  # noqa: E402
from rp2040py.gpio_pin import GPIOPinState  # noqa: E402

from firmware.host.build import build  # noqa: E402
from firmware.host.wiring import pins  # noqa: E402
from protocol import codec  # noqa: E402
from protocol.messages import CallOpened, Command, Health  # noqa: E402
from sim.interpreter import find  # noqa: E402
from tests.integration.emulated_pico import make_quiet  # noqa: E402
from tests.integration.pad_broker import Centre, Mosquitto  # noqa: E402

BLOCKS = 212  # MicroPython's file system on a Pico W: the last 848 KB of 2 MB
BROKER = "10.77.0.1"  # an address of nobody: what goes there is taken to this machine
# In place of main.py: the real board file, its watchdog made impatient; each start ends in another way.
RESETS = """
import time
import machine
from firmware.board import chip, pico_w

chip.WATCHDOG_MS = 300
board = pico_w.Board()
print("said", board.RESET, board.DURING)
board.mark("storage")
if board.RESET == "power":
    board.feed_watchdog()
    time.sleep(3600)
elif board.RESET == "watchdog":
    board.leave("crash")
    machine.reset()
elif board.RESET == "crash":
    board.leave("update")
    machine.reset()
"""
MS = 1e6  # nanoseconds


def make_image(folder: Path, broker_port: int, resets: bool) -> Path:
    """The pad's flash, ready made."""
    tree = folder / "tree"
    build(tree, "pico-w")
    settings = {"desk": "desk-1", "broker_host": BROKER, "broker_port": broker_port, "password": "secret"}
    radio = {"network": "wifi", "wifi_ssid": "RP2040PY-GUEST", "wifi_password": "password"}
    (tree / "pad.json").write_text(json.dumps(settings | radio | {"keepalive_s": 600, "reconnect_max_s": 2}))
    if resets:
        (tree / "main.py").write_text(RESETS)
    # The time server's part: a pad without a clock would not trust a kept call.
    now = time.gmtime()
    when = (now.tm_year, now.tm_mon, now.tm_mday, now.tm_wday, now.tm_hour, now.tm_min, now.tm_sec, 0)
    (tree / "boot.py").write_text(f"import machine\nmachine.RTC().datetime({when})\n")
    image = folder / "flash.img"
    maker = [*find(os.environ), "-X", "heapsize=16m", str(ROOT / "tests/micropython/littlefs_image.py")]
    subprocess.run([*maker, str(image), str(BLOCKS), str(tree)], check=True)
    return image


def stay_here(broker_port: int) -> None:
    """The emulator's network leads what is sent to BROKER to this machine's own broker."""
    theirs = asyncio.open_connection

    async def connect(host: Any = None, port: Any = None, **options: Any) -> Any:
        return await theirs("127.0.0.1" if host == BROKER else host, port, **options)

    asyncio.open_connection = connect  # type: ignore[assignment]


class Bench:
    """One emulated pad, its fingers and its stop-watch; times are emulated milliseconds."""

    def __init__(self, uf2: Path, image: Path):
        layout = FlashLayout(0x200000 - BLOCKS * 4096, BLOCKS, 4096)
        spec = dataclasses.replace(BOARDS["pico_w"], image=uf2, layout=layout)
        self.device: Any = MicroPythonDevice(board=spec, filesystem=str(image))
        make_quiet(self.device)
        self.times: dict[str, list[float]] = {"boot to armed": [], "call to armed": [], "press to first lamp out": []}
        self.times["press to both lamps out"] = []
        self.phase, self._began, self._out = "boot", 0.0, 0
        self._random = random.Random(7)
        self._pins = pins("pico-w")
        self._lit = dict.fromkeys(self._pins.lamps, 0)
        for gpio in self._pins.buttons:
            self.device.mcu.gpio[gpio].set_input_value(True)
        for gpio in self._pins.lamps:
            self.device.mcu.gpio[gpio].add_listener(lambda new, _old, gpio=gpio: self._on_lamp(gpio, new))
        self.text = ""
        self.device.cdc.on_serial_data = self._on_text

    @property
    def now_ms(self) -> float:
        return float(self.device.simulator.clock.nanos) / MS

    def _on_text(self, data: bytes) -> None:
        self.text += data.decode(errors="replace")
        print(data.decode(errors="replace"), end="", file=sys.stderr)

    def begin(self, phase: str) -> None:
        self.phase, self._began, self._out = phase, self.now_ms, 0

    def _later(self, ms: float, what: Any) -> None:
        self.device.simulator.clock.create_alarm(what).schedule(ms * MS)

    def _press(self) -> None:
        pin = self.device.mcu.gpio[self._random.choice(self._pins.buttons)]
        self.begin("pressed")
        pin.set_input_value(False)
        self._later(80, lambda: pin.set_input_value(True))

    def _on_lamp(self, gpio: int, state: object) -> None:
        self._lit[gpio] = int(state == GPIOPinState.HIGH)
        lasted_ms = self.now_ms - self._began
        if self.phase in ("boot", "called") and all(self._lit.values()):
            self.times["boot to armed" if self.phase == "boot" else "call to armed"].append(lasted_ms)
            self.phase = "armed"
            self._later(self._random.uniform(5, 40), self._press)
        elif self.phase == "pressed" and not self._lit[gpio]:
            self._out += 1
            self.times["press to first lamp out" if self._out == 1 else "press to both lamps out"].append(lasted_ms)
            if self._out == 2:
                self.phase = "voted"


async def measure(bench: Bench, centre: Centre, presses: int) -> dict[str, object]:
    called, began_ms = 1, int(time.time() * 1000)
    while called < presses or bench.phase != "voted":
        await asyncio.sleep(0.05)
        if bench.phase == "voted" and len(centre.votes) >= called:
            centre.acknowledge(centre.votes[-1])
            await asyncio.sleep(1)
            called += 1
            bench.begin("called")
            open_call(centre, called, began_ms)
    health = await ask(centre, "report", Health)
    return {
        **{what: spread(times) for what, times in bench.times.items() if times},
        "heap used, free": (health.heap_used_bytes, health.heap_free_bytes),
        "stall_max_ms": health.stall_max_ms,
    }


def open_call(centre: Centre, number: int, now_ms: int) -> None:
    """``now_ms``: the pad's idea of it. Emulated time lags, and a pad trusts no call from its future."""
    call = CallOpened(f"{number:016d}", now_ms - 60000, now_ms + 36000000)
    centre.publish("call", codec.encode(call), retain=True)


async def resets(bench: Bench) -> dict[str, object]:
    """What each of four starts says of the one before."""
    while bench.text.count("said") < 4 or not bench.text.endswith("\n"):
        await asyncio.sleep(0.1)
    return {"said": [line.split()[1:] for line in bench.text.splitlines() if line.startswith("said")]}


async def ask(centre: Centre, do: str, kind: type[Health]) -> Health:
    centre.publish("command", codec.encode(Command("bench", do)), retain=False)
    while True:
        await asyncio.sleep(0.1)
        for _, _, message, _ in list(centre.heard):
            if isinstance(message, kind):
                return message


def spread(times: list[float]) -> dict[str, float]:
    ordered = sorted(times)
    return {"n": len(times), "median": round(statistics.median(times), 3), "worst": round(ordered[-1], 3)}


async def run(arguments: argparse.Namespace, folder: Path) -> dict[str, object]:
    broker = Mosquitto(folder / "broker").start()
    centre = Centre(broker.port)
    stay_here(broker.port)
    open_call(centre, 1, int(time.time() * 1000))
    bench = Bench(arguments.uf2, make_image(folder, broker.port, arguments.resets))
    try:
        await bench.device.astart()
        work = resets(bench) if arguments.resets else measure(bench, centre, arguments.presses)
        return await asyncio.wait_for(work, arguments.seconds)
    finally:
        bench.device.stop()
        centre.close()
        broker.stop()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("uf2", type=Path, help="MicroPython for the Pico W")
    parser.add_argument("--presses", type=int, default=20)
    parser.add_argument("--resets", action="store_true", help="what a start says of the reset before it")
    parser.add_argument("--seconds", type=float, default=1800, help="give up after so long")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(asyncio.run(run(arguments, Path(folder))), indent=1))


if __name__ == "__main__":
    main()
