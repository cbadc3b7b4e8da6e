"""How contacts bounce: (microsecond, closed) of each movement, for one push and one release. Data only.

Not recordings of ours: nobody here has had the pad's buttons on an oscilloscope. They are drawn by hand after published
figures: J. Ganssle, "A Guide to Debouncing" (2004, rev. 2008): 18 kinds of switches, 1.6 ms of bouncing on average,
6.2 ms at worst but for one; opening bounces apart from closing; one switch that never bounced, one that went on for
157 ms; pulses down to a microsecond. Makers of 12 to 30 mm push buttons state 5 to 20 ms.
"""

# name: movements; the finger goes down at 0 and the release begins where it says so.
PUSHES = {
    "clean": ((0, 1), (80000, 0)),
    "average, 1.6 ms": ((0, 1), (90, 0), (240, 1), (700, 0), (820, 1), (1450, 0), (1560, 1), (95000, 0)),
    "six milliseconds, both ways": (
        (0, 1), (200, 0), (900, 1), (1400, 0), (2600, 1), (3100, 0), (4900, 1), (5800, 0), (6200, 1),
        (120000, 0), (120400, 1), (121500, 0), (123000, 1), (123600, 0), (125900, 1), (126200, 0),
    ),
    "a slow, rough contact, 20 ms": (
        (0, 1), (1, 0), (2100, 1), (2300, 0), (6000, 1), (6900, 0), (11000, 1), (12800, 0), (17500, 1), (19000, 0),
        (20000, 1), (140000, 0), (143000, 1), (144500, 0), (151000, 1), (152000, 0), (159500, 1), (160000, 0),
    ),
    "needles of a microsecond before it closes": (
        (0, 1), (1, 0), (40, 1), (41, 0), (300, 1), (301, 0), (1200, 1), (1201, 0), (2500, 1), (70000, 0),
        (70900, 1), (70901, 0),
    ),
    "a quick tap of 20 ms that bounces half of it": (
        (0, 1), (400, 0), (1300, 1), (2000, 0), (4000, 1), (5000, 0), (6500, 1), (20000, 0), (21000, 1), (21300, 0),
    ),
    "it opens for a moment while held": ((0, 1), (50000, 0), (58000, 1), (150000, 0)),
}  # fmt: skip

# What is no finger.
GLITCHES = {
    "a spark": ((0, 1), (1, 0)),
    "a spark that rings": ((0, 1), (1, 0), (3, 1), (4, 0), (9, 1), (10, 0), (31, 1), (32, 0)),
    "a radio, 1 ms": ((0, 1), (1000, 0)),
    "a radio that comes and goes for a second": tuple(
        movement for k in range(50) for movement in ((20000 * k, 1), (20000 * k + 500, 0))
    ),
}

# After a minute, a jammed button comes free.
COMES_FREE = ((0, 1), (60000000, 0), (60004000, 1), (60006000, 0), (60090000, 1), (60140000, 0))
