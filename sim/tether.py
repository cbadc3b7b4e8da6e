"""``python -m sim.tether MODULE ARGUMENTS``: runs a module as ``python -m`` would, but never longer than its starter.

The starter holds the other end of this process's stdin. When that ends, however the starter died (kill -9 too), the
module is asked to stop, and ended if it does not. It needs no parent-death signal, which only Linux has.
"""

import os
import runpy
import signal
import sys
import threading
import time

_GRACE_S = 10.0


def main() -> None:
    line = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    threading.Thread(target=_follow, args=(line,), name="tether", daemon=True).start()
    del sys.argv[0]  # now it is the module's name, which run_module replaces by its file
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


def _follow(line: int) -> None:
    while os.read(line, 64):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_GRACE_S)
    os._exit(1)


if __name__ == "__main__":
    main()
