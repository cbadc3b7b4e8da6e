"""`make test-pico UF2=...`: a blank emulated Pico W is flashed, joins its emulated Wi-Fi, and reports at a real broker.

Not part of `make test`: it needs a MicroPython image that the user brings, and an emulator two hundred times slower
than the chip. Emulated seconds are a lower bound of a real chip's: no flash wait states, no air between the antennas.
"""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from firmware.host.device import Device
from sim.ports import choose_lasting
from tests.integration.flash_office import Office

pytestmark = pytest.mark.timeout(3600)
ROOT = Path(__file__).parents[2]
DESK = "vyshenka-07"
# What rp2040py's access point is called; it takes any password.
NETWORK = {"network": "wifi", "wifi_ssid": "RP2040PY-GUEST", "wifi_password": "password"}


class EmulatedPico:
    """tests/integration/emulated_pico.py as a process; ``emulated_s`` is its clock, a second old at most."""

    def __init__(self, image: str):
        command = [sys.executable, "-m", "tests.integration.emulated_pico", image, "--buttons", "2,3,4"]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout
        self.port = str(json.loads(self._process.stdout.readline())["port"])
        self.emulated_s = 0.0
        threading.Thread(target=self._read, daemon=True).start()

    def close(self) -> None:
        self._process.kill()
        self._process.wait()

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            self.emulated_s = json.loads(line)["emulated_s"]


@pytest.fixture
def pico() -> Iterator[EmulatedPico]:
    image = os.environ.get("UF2")
    if not image or not Path(image).is_file():
        pytest.fail("say which MicroPython image: make test-pico UF2=RPI_PICO_W-v1.28.0.uf2")
    pico = EmulatedPico(image)
    yield pico
    pico.close()


@pytest.fixture
def address() -> str:
    """This computer's own address: the emulator carries the guest's connections there, but not to 127.0.0.1."""
    return (
        os.environ.get("HOST")
        or subprocess.run(["hostname", "-I"], capture_output=True, text=True, check=True).stdout.split()[0]
    )


def test_a_blank_pico_becomes_a_pad_and_a_second_run_changes_nothing(
    pico: EmulatedPico, address: str, tmp_path: Path
) -> None:
    port = choose_lasting()
    office = Office(tmp_path / "office", options=f"listener {port} {address}\n")
    (tmp_path / "network.json").write_text(json.dumps(NETWORK))
    words = ("--passwords", str(office.passwords), "--broker", f"{address}:{port}", "--no-panel", "--wait", "1500")
    given = ("flash", "--port", pico.port, "--desk", DESK, "--network", str(tmp_path / "network.json"), "--labels", "")
    try:
        began, began_s = time.monotonic(), pico.emulated_s
        first = office.run(*given, *words, deadline_s=2700)
        wall_s, emulated_s = time.monotonic() - began, pico.emulated_s - began_s
        print(f"\nblank to first status: {wall_s:.0f} s here, {emulated_s:.1f} s emulated")
        assert first.code == 0, first.seen
        assert (first.row["board"], first.row["status"]) == ("pico-w", "seen by the broker")
        second = office.run(*given, *words, deadline_s=2700)
        assert second.code == 0, second.seen
        assert second.row["outcome"] == "unchanged"
    finally:
        office.close()


def test_the_watchdog_of_a_pad_at_work_lets_the_tool_work_too(pico: EmulatedPico) -> None:
    with Device(pico.port) as device:
        device.write("/main.py", b"import machine\nmachine.WDT(timeout=8000)\nwhile True:\n    pass\n")
        device.restart()
    with Device(pico.port) as device:
        assert "still here" in device.execute("import time\ntime.sleep(20)\nprint('still here')", 600)
