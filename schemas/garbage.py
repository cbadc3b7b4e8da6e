"""How Python looks for objects that hold each other in a ring, in processes that serve for months."""

import gc


def look_for_rings_seldom() -> None:
    """Called once, when a program is about to serve: what is there by then stays, and is not looked at again.

    What comes later, a batch of messages or an answer of figures, is thousands of small objects that all die with it.
    To look again and again whether some of them hold each other cost a fifth of a message and half of a large answer
    (measured).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)
