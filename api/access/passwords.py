"""Passwords: whether one is right, whether one is good enough, and new ones to hand over. It knows no person.

argon2id (RFC 9106, the second recommended choice but in one lane): about a tenth of a second and 64 MiB an attempt. Two
at a time are computed, so that a crowd at the door takes neither the memory nor the processors from the figures.
"""

import itertools
import secrets
import threading
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from api.errors import SignInBusy

SHORTEST, LONGEST = 12, 200
GIVEN_DAYS = 3  # how long a password that was handed over opens the door
_AT_ONCE, _PATIENCE_S = 2, 4.0
_HASHER = PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=1)
# Of a password that nobody knows, with the same cost: an unknown login takes as long as a known one.
_NOBODYS = "$argon2id$v=19$m=65536,t=3,p=1$9bK3Io3Qm4ZY6+kldaPOWQ$vJtPNL2xT38DYaqQ1KTxTVsyb7W29xX1Z6G6j7jSk+E"
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # without those that look alike
_turns = threading.BoundedSemaphore(_AT_ONCE)


def hashed(password: str) -> str:
    """The argon2id hash of a password. Raises SignInBusy."""
    with _Turn():
        return _HASHER.hash(_plain(password))


def is_right(stored: str | None, password: str) -> bool:
    """Whether ``password`` is the one of the hash ``stored``; takes as long where there is none. Raises SignInBusy."""
    with _Turn():
        try:
            _HASHER.verify(stored or _NOBODYS, _plain(password)[: LONGEST * 4])
        except (VerificationError, InvalidHashError):
            return False
    return stored is not None


def is_dated(stored: str) -> bool:
    """Whether the hash was made at another cost than today's."""
    return _HASHER.check_needs_rehash(stored)


def weakness(password: str, *, login: str, shown: str) -> str | None:
    """Why this is no good password, one word of a closed list; None if it is one (NIST SP 800-63B, 3.1.1.2).

    short, long, same (few different characters), row (a row of neighbours), known (the person's or the product's name).
    No kinds of characters are asked for: they make people choose worse ones.
    """
    plain = _plain(password)
    if len(plain) < SHORTEST:
        return "short"
    if len(plain) > LONGEST:
        return "long"
    if len(set(plain.casefold())) < 5:
        return "same"
    steps = {ord(b) - ord(a) for a, b in itertools.pairwise(plain)}
    if len(steps) == 1:
        return "row"
    words = [login, *shown.split(), "zrazkovo", "зразково", "password", "пароль", "qwerty", "йцукен"]
    rest = plain.casefold()
    for word in (each.casefold() for each in words if len(each) > 2):
        rest = rest.replace(word, "")
    return "known" if len(rest) < SHORTEST // 2 else None


def new_password() -> str:
    """One to hand over, easy to type: 5 groups of 4 letters, 99 random bits."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(5))


def _plain(password: str) -> str:
    # The same letters however a keyboard composes them.
    return unicodedata.normalize("NFKC", password.encode("utf-8", "replace").decode())


class _Turn:
    def __enter__(self) -> None:
        if not _turns.acquire(timeout=_PATIENCE_S):
            raise SignInBusy("Many people sign in just now. Try again in a moment.", retry_after_s=5)

    def __exit__(self, *_: object) -> None:
        _turns.release()
