"""Repeats the broker faults of the MQTT study on the pad's own code, in MicroPython: `python tests/integration/...`.

Takes about 80 seconds, needs Mosquitto, prints figures; asserts nothing. The pad speaks through a relay of ours, which
can turn deaf (the connection stays, nothing comes through) or mute (it accepts, and never answers).
"""

import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from firmware.host.build import build, sizes
from protocol.messages import Vote
from sim.ports import choose_lasting
from tests.integration.pad_broker import Centre, Mosquitto
from tests.integration.pad_process import ALL, BAD, HEAP, PadProcess, micropython

SECONDS = 76
KEEPALIVE_S = 10
# The same loop with nothing in it, at the same time: what this machine's other work costs any loop.
CONTROL = """
import time
worst = 0
began = last = time.ticks_ms()
while time.ticks_diff(last, began) < %d:
    time.sleep_ms(1)
    now = time.ticks_ms()
    worst = max(worst, time.ticks_diff(now, last))
    last = now
print(worst)
"""
PRESSES = 60


class Relay:
    """Carries bytes between the pad and the broker as long as ``mode`` is "pass"."""

    def __init__(self, target_port: int):
        self.mode = "pass"
        self.port = choose_lasting()
        self._target_port = target_port
        self._pairs: list[tuple[socket.socket, ...]] = []
        self._server = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        for pair in self._pairs:
            for end in pair:
                end.close()
        self._pairs.clear()

    def _accept(self) -> None:
        while True:
            pad, _ = self._server.accept()
            if self.mode == "mute":
                self._pairs.append((pad,))
                continue
            try:
                broker = socket.create_connection(("127.0.0.1", self._target_port))
            except OSError:
                pad.close()
                continue
            for end in (pad, broker):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._pairs.append((pad, broker))
            for source, target in ((pad, broker), (broker, pad)):
                threading.Thread(target=self._carry, args=(source, target), daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket) -> None:
        deaf = False
        try:
            while data := source.recv(4096):
                deaf = deaf or self.mode == "deaf"
                if not deaf:
                    target.sendall(data)
        except OSError:
            pass
        if not deaf:
            for end in (source, target):
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    end.close()


class Collector(Centre):
    """Acknowledges every vote at once, as the real one does after its commit."""

    def _on_message(self, client: object, data: object, message: object) -> None:
        super()._on_message(client, data, message)  # type: ignore[arg-type]
        heard = self.heard[-1][2] if self.heard else None
        if isinstance(heard, Vote):
            threading.Thread(target=self.acknowledge, args=(heard,), daemon=True).start()


def at(began: float, second: float, what: str) -> None:
    """Waits for the ``second`` of the timeline."""
    time.sleep(max(0.0, began + second - time.monotonic()))
    print(f"{second:5.1f} s  {what}", flush=True)


def play_faults(broker: Mosquitto, relay: Relay) -> None:
    began = time.monotonic()
    at(began, 6, "SIGSTOP for 10 s")
    broker.signal(signal.SIGSTOP)
    at(began, 16, "SIGCONT")
    broker.signal(signal.SIGCONT)
    at(began, 21, "kill -9, back after 2 s")
    broker.stop(signal.SIGKILL)
    at(began, 23, "broker is back")
    broker.start()
    at(began, 30, "SIGTERM, back after 2 s")
    broker.stop(signal.SIGTERM)
    at(began, 32, "broker is back")
    broker.start()
    at(began, 40, "deaf: half open until the pad notices")
    relay.mode = "deaf"
    at(began, 48, "a new connection would be heard")
    relay.mode = "pass"
    at(began, 57, "cut; mute: accepted, no CONNACK")
    relay.mode = "mute"
    relay.cut()
    at(began, 66, "a new connection would be answered")
    relay.mode = "pass"


def measure_link(entry: Path, broker: Mosquitto) -> dict[str, object]:
    relay = Relay(broker.port)
    collector = Collector(broker.port)
    driver = Path(__file__).with_name("pad_link_driver.py")
    command = [micropython(), "-X", f"heapsize={HEAP}", str(driver), str(relay.port), str(SECONDS), str(KEEPALIVE_S)]
    environment = os.environ | {"MICROPYPATH": str(entry.parent)}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    process = subprocess.Popen(command, env=environment, text=True, **pipes)  # type: ignore[call-overload]
    control = subprocess.Popen([micropython(), "-c", CONTROL % (SECONDS * 1000)], stdout=subprocess.PIPE, text=True)
    play_faults(broker, relay)
    output, _ = process.communicate(timeout=SECONDS)
    figures: dict[str, object] = json.loads(output.strip().splitlines()[-1])
    figures["stall_max_ms_of_an_empty_loop"] = int(control.communicate(timeout=SECONDS)[0])
    copies = Counter(vote.seq for vote in collector.votes)
    figures["copies_beyond_the_first"] = sum(copies.values()) - len(copies)
    figures["never_seen"] = int(str(figures["published"])) - len(copies)
    latencies = figures.pop("latencies_ms")
    assert isinstance(latencies, list)
    figures["ack_latency_ms_median"] = statistics.median(latencies)
    figures["ack_latency_ms_max"] = max(latencies)
    collector.close()
    return figures


def measure_presses(entry: Path, broker: Mosquitto, folder: Path) -> dict[str, object]:
    """From the byte on the wire to the lamp on the wire, with the whole pad running."""
    centre = Centre(broker.port)
    pad = PadProcess(entry, folder, broker_port=broker.port).start()
    times_ms = []
    for number in range(PRESSES):
        centre.open_call(f"{number:016d}")
        pad.wait_for_lamps(ALL)
        pressed = pad.press(1)
        times_ms.append(1000 * (pad.wait_for_lamps(BAD) - pressed))
        centre.acknowledge(centre.wait_for_vote(f"{number:016d}"))
        time.sleep(0.12)  # no finger is faster, and the pad's debounce knows it
    pad.kill()
    centre.close()
    times_ms.sort()
    return {"press_to_lamp_ms_median": round(times_ms[PRESSES // 2], 2), "press_to_lamp_ms_max": round(times_ms[-1], 2)}


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        entry = build(folder / "firmware")
        files = sizes(entry.parent)
        broker = Mosquitto(folder / "broker").start()
        try:
            figures = {"mpy_total_bytes": sum(files.values()), "mpy_mqtt_bytes": files["firmware/board/mqtt.mpy"]}
            figures |= measure_presses(entry, broker, folder / "pad") | measure_link(entry, broker)  # type: ignore[operator]
        finally:
            broker.stop()
    print(json.dumps(figures, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
