"""Cuts a pad's power at every single write, erase and sync of a long day, in real MicroPython: `make sweep`.

`make test` does the same with a day of eight visits. One process for each of the two kinds of flash.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

from sim.interpreter import find

SCRIPT = Path(__file__).parent / "micropython" / "sweep.py"
PROGRAM_BYTES = (32, 256)  # MicroPython's defaults on an ESP32 and on an RP2040


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.sweep", description=__doc__)
    parser.add_argument("--visits", type=int, default=32, help="clients in the day (default: 32)")
    visits = str(parser.parse_args().visits)
    command = [*find(os.environ), "-X", "heapsize=16m", str(SCRIPT)]
    running = [subprocess.Popen([*command, str(count), visits]) for count in PROGRAM_BYTES]
    return max(abs(each.wait()) for each in running)


if __name__ == "__main__":
    sys.exit(main())
