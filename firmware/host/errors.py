"""What can go wrong on IT's computer, as a tree; str() is a whole sentence for the person at the keyboard.

HostError
├── BuildError       a module does not compile
├── CaError          the certificate authority cannot do that
├── UsageError       the command line or a file it names cannot be used
├── PortError        the port cannot be used: nothing there, busy, forbidden, vanished
├── BoardError       what is on the port is not what was asked for: silent, too old, wrong board, no room
├── ServerError      the server did not take the pad's registration; ``status`` is HTTP's, 0 if it did not answer
└── PadError         the pad was written but does not work: no status, a button or lamp failed
"""


class HostError(Exception):
    """The command cannot be carried out."""


class BuildError(HostError):
    """A module does not compile; str() is the compiler's complaint."""


class CaError(HostError):
    """The certificate authority cannot do that."""


class UsageError(HostError):
    """The command line or a file it names cannot be used."""


class PortError(HostError):
    """The port cannot be used."""


class BoardError(HostError):
    """What is on the port is not what was asked for."""


class ServerError(HostError):
    """The server did not do what was asked."""

    def __init__(self, text: str, status: int = 0):
        super().__init__(text)
        self.status = status


class PadError(HostError):
    """The pad was written but does not work."""
