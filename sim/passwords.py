"""The broker's password file: ``user:digest`` a line, mode 0600. It makes secrets and checks them; it opens no socket.

A line may also hold what Mosquitto's has for a pad that was registered: ``user:$7$iterations$salt$digest``, PBKDF2 with
SHA-512. Our own digest is a plain SHA-256. A slow hash protects guessable passwords; these are 192 random bits that no
person chooses, so guessing is hopeless either way, and two dozen pads that come back together after a broker's restart
are let in at once.
"""

import base64
import hashlib
import hmac
import logging
import os
import re
import secrets
from collections.abc import Mapping
from pathlib import Path

from protocol.access import RESERVED_NAMES, is_reserved
from protocol.fields import NAME
from sim.errors import SettingsError

log = logging.getLogger(__name__)

_SECRET_BYTES = 24
_DIGEST = re.compile("[0-9a-f]{64}")
# The door judges one CONNECT after the other, so a verifier may not cost much more than Mosquitto's usual 101 rounds.
_VERIFIER = re.compile(r"\$7\$([1-9][0-9]{0,4})\$([A-Za-z0-9+/]{8,44}={0,2})\$([A-Za-z0-9+/]{86}==)")


def new_secret() -> str:
    """A password or token of 192 random bits, as 32 characters that need no quoting anywhere."""
    return secrets.token_urlsafe(_SECRET_BYTES)


def digest(secret: str) -> str:
    """What of a secret may be written down where it is checked."""
    return hashlib.sha256(secret.encode()).hexdigest()


def write_private(path: Path, text: str) -> None:
    """Replaces ``path`` at once with a file that only its owner can read; a reader sees the old text or the new."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    fresh.touch(mode=0o600)
    fresh.chmod(0o600)
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(path)


def password_file(passwords: Mapping[str, str]) -> str:
    """The text of a password file that lets in ``passwords``: user name to password."""
    return "".join(f"{user}:{digest(password)}\n" for user, password in sorted(passwords.items()))


class Passwords:
    """Who may come in."""

    def __init__(self, digests: Mapping[str, str]):
        self._digests = dict(digests)

    @classmethod
    def read(cls, path: Path) -> "Passwords":
        """Raises SettingsError naming the line at fault, or a file that others can read."""
        try:
            if path.stat().st_mode & 0o077:
                raise SettingsError(f"{path} can be read by others: chmod 600 {path}")
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"{path} cannot be read: {error}") from None
        digests: dict[str, str] = {}
        for number, line in enumerate(lines, start=1):
            user, _, found = line.partition(":")
            problem = _problem(user, found, digests)
            if problem:
                raise SettingsError(f"{path}, line {number}: {problem}")
            digests[user] = found
        return cls(digests)

    def fit(self, user: str | None, password: str | None) -> bool:
        """Whether ``password`` is the one of ``user``."""
        known = self._digests.get(user or "", "")
        if verifier := _VERIFIER.fullmatch(known):
            rounds, salt, wanted = verifier.groups()
            made = hashlib.pbkdf2_hmac("sha512", (password or "").encode(), base64.b64decode(salt), int(rounds))
            return hmac.compare_digest(base64.b64decode(wanted), made)
        return hmac.compare_digest(known, digest(password or "")) and known != ""


class PasswordFile:
    """Who may come in by a file that the fleet service writes anew whenever a pad is registered."""

    def __init__(self, path: Path):
        """Raises SettingsError as Passwords.read does."""
        self._path = path
        self._seen = self._state()
        self._passwords = Passwords.read(path)

    def fit(self, user: str | None, password: str | None) -> bool:
        """As Passwords.fit, by the file as it stands now; by the one before while it is damaged."""
        state = self._state()
        if state != self._seen:
            self._seen = state
            try:
                self._passwords = Passwords.read(self._path)
                log.info("the password file was read again")
            except SettingsError as error:
                log.error("%s; the one before counts", error)
        return self._passwords.fit(user, password)

    def _state(self) -> tuple[int, int, int]:
        try:
            state = self._path.stat()
        except OSError:
            return (0, 0, 0)
        return state.st_ino, state.st_mtime_ns, state.st_size


def owns_client_id(user: str, client_id: str | None) -> bool:
    """Whether a session of this name is the user's own: else one user could take over another's session.

    A pad's is its user name; a server's is its user name with a suffix, so that there can be several. (So the user
    ``feed`` could take over a session of ``feed-centre``: servers trust one another that far.)
    """
    if is_reserved(user):
        return client_id is not None and client_id.startswith(user + "-")
    return client_id == user


def _problem(user: str, found: str, seen: Mapping[str, str]) -> str | None:
    if NAME.problem(user):
        return "the user name " + str(NAME.problem(user))
    if user in seen:
        return f"{user} stands twice"
    if user.startswith(tuple(name + "-" for name in RESERVED_NAMES)) and not is_reserved(user):
        return f"{user} could be taken for a session of a server"
    if not _DIGEST.fullmatch(found) and not _VERIFIER.fullmatch(found):
        return "no SHA-256 digest and no verifier of Mosquitto's after the colon"
    return None
