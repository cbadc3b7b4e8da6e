"""`python tests/bench/bench_handshake.py`: what a TLS handshake costs a pad, by the kind of the broker's key.

Real MicroPython, real Mosquitto; prints ms of CPU of the longest single step and what 40 handshakes left on the heap.
"""

import getpass
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from firmware.host.ca import Authority, mosquitto_listener  # noqa: E402
from sim.ports import choose_lasting  # noqa: E402
from tests.integration.pad_broker import mosquitto_binary  # noqa: E402
from tests.integration.pad_process import micropython  # noqa: E402

HANDSHAKES = 40


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        authority = Authority(folder / "ca")
        authority.init("Bench CA")
        print("the broker's key   longest step, ms of CPU: least / median / most   heap left, bytes")
        for label, bits in (("RSA-2048", 2048), ("RSA-3072", 3072), ("P-256", None)):
            port = choose_lasting()
            certificate = authority.server(["127.0.0.1"], bits=bits)
            listener = mosquitto_listener(authority.folder, certificate, port=port)
            config = folder / "mosquitto.conf"
            config.write_text(f"user {getpass.getuser()}\n{listener}allow_anonymous true\n")
            broker = subprocess.Popen([mosquitto_binary(), "-c", str(config)], stderr=subprocess.DEVNULL)
            try:
                least, median, most, left = measure(authority.folder, port)
            finally:
                broker.terminate()
                broker.wait()
            print(f"{label:18} {least:30} / {median} / {most} {left:24}")


def measure(folder: Path, port: int) -> list[int]:
    command = [micropython(), str(ROOT / "tests/bench/handshakes.py"), str(folder), str(port), str(HANDSHAKES)]
    deadline = time.monotonic() + 20
    while True:
        environment = os.environ | {"MICROPYPATH": str(ROOT)}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if not done.returncode:
            return [int(word) for word in done.stdout.split()]
        assert time.monotonic() < deadline, done.stderr or done.stdout  # the broker is not there yet
        time.sleep(0.1)


if __name__ == "__main__":
    main()
