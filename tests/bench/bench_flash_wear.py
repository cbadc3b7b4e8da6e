"""Flash wear of a pad: programs and erases a vote, the hottest block, and in how many years it is worn out.

`.venv/bin/python tests/bench/bench_flash_wear.py [--votes 20000]`; real LittleFS in real MicroPython on a counted chip
(tests/micropython/wear.py). The parts: 64 blocks of 4 KB are less than any board has; 212 blocks are a Pico W's file
system, 512 that of an ESP32 with 4 MB.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

from sim.interpreter import find

SCRIPT = Path(__file__).parents[1] / "micropython" / "wear.py"
PARTS = ((32, 64), (256, 64), (256, 212), (32, 512))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--votes", type=int, default=20000)
    votes = str(parser.parse_args().votes)
    command = [*find(os.environ), "-X", "heapsize=32m", str(SCRIPT)]
    return max(
        subprocess.run([*command, str(program_bytes), str(blocks), votes], check=False).returncode
        for program_bytes, blocks in PARTS
    )


if __name__ == "__main__":
    sys.exit(main())
