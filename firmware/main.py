"""Where a pad starts: main.py at the root of its file system. On the unix build argv[1] is the pad's directory."""

import sys

from firmware.board.unix import main

sys.exit(main(sys.argv))
