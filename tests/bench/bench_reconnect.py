"""`python tests/bench/bench_reconnect.py`: in which second 1,000 pads are back after a broker's restart.

Simulated for breaks of several lengths, then for real: 300 connections of the pads' code against Mosquitto. Prints
histograms, asserts nothing.
"""

import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.integration.pad_broker import Mosquitto
from tests.reconnect import Crowd, histogram, per_second, simulate

PADS, REAL_PADS = 1000, 300


def main() -> None:
    for down_s in (0.2, 2, 10, 60, 600):
        back_s = simulate(PADS, down_s)
        counts = per_second(back_s)
        print(
            f"{PADS} simulated pads, broker away for {down_s} s: busiest second {max(counts.values())}, "
            f"median {sorted(back_s)[PADS // 2]:.1f} s, last {max(back_s):.1f} s"
        )
        if down_s in (0.2, 60):
            print(histogram(back_s))
    with tempfile.TemporaryDirectory() as folder:
        broker = Mosquitto(Path(folder)).start()
        crowd = Crowd(REAL_PADS, broker.port)
        crowd.run(lambda: crowd.online == REAL_PADS, 60)
        began = time.monotonic()
        crowd.run(lambda: time.monotonic() > began + 11, 20)  # a connection is steady after 10 s
        broker.stop()
        crowd.run(lambda: crowd.online == 0, 20)
        crowd.up_s.clear()
        broker.start()
        back = time.monotonic()
        crowd.run(lambda: crowd.online == REAL_PADS, 120)
        broker.stop()
        found = [at - back for at in crowd.up_s]
        print(
            f"{REAL_PADS} real connections, Mosquitto killed and started again: "
            f"busiest second {max(per_second(found).values())}, last {max(found):.1f} s"
        )
        print(histogram(found))


if __name__ == "__main__":
    main()
