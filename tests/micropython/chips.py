"""Stand-ins for what only a chip has: machine, network. Their registers outlive a reset, as a chip's do.

Nothing here imitates how a chip behaves in time; it holds the board files to what MicroPython's documentation says.
"""

import sys


class Pin:
    IN, OUT, PULL_UP, PULL_DOWN, IRQ_RISING, IRQ_FALLING = 0, 1, 1, 2, 4, 8
    levels = {}
    made = {}

    def __init__(self, number, mode=-1, pull=-1, value=None):
        self.number = number
        self.made.setdefault(number, []).append((mode, pull))
        self.handler = None
        if value is not None:
            self.levels[number] = value

    def value(self, level=None):
        if level is None:
            return self.levels.get(self.number, 1)  # pulled up
        self.levels[self.number] = level

    def off(self):
        self.levels[self.number] = 0

    def irq(self, handler=None, trigger=12, **options):
        assert options in ({}, {"hard": True})
        self.handler = handler
        Pin.hard = bool(options)


class PWM:
    made = {}

    def __init__(self, pin, freq=0, duty_u16=0):
        assert freq >= 200, "it would flicker"
        self.duty = duty_u16
        self.made[pin.number] = self

    def duty_u16(self, duty):
        assert 0 <= duty <= 65535
        self.duty = duty


class WDT:
    running = []  # the timeouts asked for
    fed = 0

    def __init__(self, number=0, timeout=5000):
        self.running.append(timeout)

    def feed(self):
        WDT.fed += 1


class RTC:
    kept = b""
    set_to = None

    def memory(self, data=None):
        if data is None:
            return RTC.kept
        RTC.kept = bytes(data)

    def datetime(self, when=None):
        assert len(when) == 8
        RTC.set_to = when


class Interface:
    def __init__(self, *arguments, **named):
        self.arguments = arguments
        self.named = named
        self.is_active = False

    def active(self, on):
        self.is_active = on

    def connect(self, *credentials):
        pass

    def isconnected(self):
        return False

    def ifconfig(self, given=None):
        return ("0.0.0.0",) * 4

    def status(self, what):
        raise ValueError


class Machine:
    """The module machine of one chip."""

    PWRON_RESET, HARD_RESET, WDT_RESET, DEEPSLEEP_RESET, SOFT_RESET = 1, 2, 3, 4, 5
    Pin, PWM, WDT, RTC = Pin, PWM, WDT, RTC

    def __init__(self):
        self.mem32 = {}
        self.cause = self.PWRON_RESET

    def reset_cause(self):
        return self.cause


class Network:
    STA_IF, PHY_LAN8720 = 0, 8720
    WLAN = LAN = Interface


machine = Machine()


def install():
    """From now on ``import machine`` and ``import network`` give the stand-ins. For a process of its own."""
    sys.modules["machine"] = machine
    sys.modules["network"] = Network()


def forget():
    """A power cut: nothing is left in any register."""
    machine.mem32 = {}
    machine.cause = machine.PWRON_RESET
    RTC.kept = b""
    Pin.levels.clear()
    Pin.made.clear()
    PWM.made.clear()
    del WDT.running[:]
    WDT.fed = 0
