"""The word a pad leaves for its next start: why it restarts, or what it was doing when it could not say. Pure.

It is one number of 32 bits, because that is what survives a watchdog's bite on a chip: a scratch register, RTC memory.

    bits 31..16  magic; anything else there is the noise of a cold start
    bits 15..8   what was left: 0 nothing yet (the pad runs), else the place in LEFT
    bits  7..0   the step, its place in protocol.words.STEPS
"""

from protocol.words import STEPS

# What a pad can leave before it restarts; words of PadStatus.reset.
LEFT = ("", "soft", "crash", "update")
# What the chip itself knows of the restart. A rp2's machine.reset() is done by its watchdog: RESTARTED or BITTEN.
COLD, BITTEN, RESTARTED, UNKNOWN = "cold", "bitten", "restarted", "unknown"

_MAGIC = 0x5A50


def pack(left: str, step: str) -> int:
    return _MAGIC << 16 | LEFT.index(left) << 8 | STEPS.index(step)


def read(word: int, found: str) -> "tuple[str, str | None]":
    """PadStatus.reset and .during of this start, from the word that lay there and what the chip ``found``."""
    left, step = _unpack(word)
    if found == COLD:
        return "power", None
    if left == "crash":
        return left, step
    if left:
        return left, None
    if found == BITTEN:
        return ("watchdog", step) if step else ("unknown", None)  # not this pad's program that was bitten
    if found == RESTARTED:
        # It did not say that it would restart, so it did not mean to: the interpreter itself gave up.
        return ("crash", step) if step else ("soft", None)
    return "unknown", step


def _unpack(word: int) -> "tuple[str, str | None]":
    left, step = word >> 8 & 255, word & 255
    if word >> 16 != _MAGIC or left >= len(LEFT) or step >= len(STEPS):
        return "", None
    return LEFT[left], STEPS[step]
