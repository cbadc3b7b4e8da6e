"""Where a pad starts: main.py at the root of its file system. On the unix build argv[1] is the pad's directory.

The loader chooses what is started; then it leaves the memory, and its modules' names, to the application.
"""

import gc
import sys

# Left to itself, MicroPython collects only when the heap is full: what lives by then is strewn all over it, and the
# journal's 10 KB in one piece are not to be had (measured at 160 KB: largest free piece 8 KB without this, 23 KB with).
gc.threshold(8192)  # type: ignore[attr-defined]

# The unix build's exit code instead of a reset.
RESET = 75


def forget_modules() -> None:
    for name in list(sys.modules):
        if name.split(".")[0] in ("firmware", "protocol", "start"):
            del sys.modules[name]
    gc.collect()


def main() -> int:
    """One start; a chip is reset after it. Returns where that would not help, and on the unix build."""
    loader = __import__("firmware.loader").loader
    chosen = loader.prepare(sys.argv)
    if isinstance(chosen, int):
        return chosen
    loader = None
    forget_modules()
    try:
        outcome = __import__("start").main(*chosen)
    except KeyboardInterrupt:  # Ctrl-C: IT at the other end of the cable, or a terminal with all of its processes
        return 0
    except Exception as error:
        sys.print_exception(error, sys.stdout)  # type: ignore[attr-defined]
        outcome = "crash"
    return outcome if isinstance(outcome, int) else reset(outcome)


def reset(outcome: str) -> int:
    """Resets the chip. The unix build has none: RESET asks whoever started it to start it again."""
    if sys.platform not in ("linux", "darwin"):
        import machine

        machine.reset()
    if outcome == "crash":
        try:
            # Perhaps the application has said more (firmware/board/unix_watchdog.py): then that stays.
            open(sys.argv[1] + "/last-words").close()
        except OSError:
            with open(sys.argv[1] + "/last-words", "w") as file:
                file.write("crash starting\n")
    return RESET


code = main()
if sys.platform in ("linux", "darwin"):
    sys.exit(code)
# A chip that falls through here is at its prompt, where IT finds it. There sys.exit() would mean: start all over.
