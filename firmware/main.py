"""Where a pad starts: main.py at the root of its file system. On the unix build argv[1] is the pad's directory."""

import gc
import sys

# Left to itself, MicroPython collects only when the heap is full: what lives by then is strewn all over it, and the
# journal's 10 KB in one piece are not to be had (measured at 160 KB: largest free piece 8 KB without this, 23 KB with).
gc.threshold(8192)  # type: ignore[attr-defined]

from firmware.board.unix import main  # noqa: E402

sys.exit(main(sys.argv))
