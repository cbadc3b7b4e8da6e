"""The passphrase of the key that signs updates: from the environment for machines, from the terminal for people."""

import getpass
import os

from firmware.host.errors import HostError, UsageError

VARIABLE = "ZRAZKOVO_KEY_PASSPHRASE"


def new_passphrase() -> bytes | None:
    """Asked for twice; None if left empty. Raises HostError."""
    given = os.environ.get(VARIABLE)
    if given is not None:
        return given.encode() or None
    first = _ask("passphrase for the key (empty: none): ")
    if first != _ask("once more: "):
        raise HostError("the two passphrases differ")
    return first.encode() or None


def known_passphrase(text: bytes) -> bytes | None:
    """For the private key in ``text``; None if it needs none."""
    if b"ENCRYPTED" not in text:
        return None
    given = os.environ.get(VARIABLE)
    return (_ask("passphrase of the key: ") if given is None else given).encode()


def _ask(question: str) -> str:
    try:
        return getpass.getpass(question)
    except EOFError:
        raise UsageError(f"there is nobody to ask for the passphrase: set {VARIABLE}, or use --plain") from None
