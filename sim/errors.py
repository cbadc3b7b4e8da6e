"""What can go wrong while the demonstration is started or kept running.

SimError
|-- SettingsError    a configuration cannot be used; str() names the key or the line      (exit 2)
|-- InUse            another demonstration runs on the same data
|-- ChildFailed      a process did not start or did not become ready in time
|-- NoInterpreter    there is no MicroPython on this machine: the demonstration runs without pads
|-- Refused          an operation asked of a pad or of the queue cannot be done; str() says why
`-- Stopped          the user asked to stop while something was still starting
"""


class SimError(Exception):
    """Base of everything this package raises; str() is one sentence for a person."""


class SettingsError(SimError):
    pass


class InUse(SimError):
    pass


class ChildFailed(SimError):
    pass


class NoInterpreter(SimError):
    pass


class Refused(SimError):
    pass


class Stopped(SimError):
    pass
