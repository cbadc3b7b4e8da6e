"""What can go wrong on IT's computer, as a tree; str() is a whole sentence for the person at the keyboard.

HostError
└── BuildError    a module does not compile
"""


class HostError(Exception):
    """The command cannot be carried out."""


class BuildError(HostError):
    """A module does not compile; str() is the compiler's complaint."""
