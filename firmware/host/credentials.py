"""A pad's password and what of it may be written down where it is checked: Mosquitto's ``$7$`` line.

The password is 192 random bits that no person ever sees. It is made here, written to the pad over its cable, and kept
nowhere else; servers get the verifier.

The salt is taken from the password itself instead of at random: a pad flashed again with the same password then gives
the same line, so that a second run changes nothing. A salt keeps two users with equal passwords, and tables of
guessed ones, apart; passwords of 192 random bits are never equal and never guessed.
"""

import base64
import hashlib
import os
import secrets
from pathlib import Path

from firmware.host.errors import UsageError

_SECRET_BYTES = 24
# What mosquitto_passwd 2.0 uses. It guards no guessable password here; more would only slow 1,000 pads' return.
_ITERATIONS = 101
_SALT_BYTES, _HASH_BYTES = 12, 64


def new_password() -> str:
    """32 characters that need no quoting anywhere."""
    return secrets.token_urlsafe(_SECRET_BYTES)


def verifier(desk: str, password: str) -> str:
    """Mosquitto's PBKDF2-SHA512 line without the user name: $7$iterations$salt$hash."""
    salt = hashlib.sha256(f"zrazkovo pad {desk} {password}".encode()).digest()[:_SALT_BYTES]
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _ITERATIONS, _HASH_BYTES)
    return f"$7${_ITERATIONS}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"


def write_verifier(file: Path, desk: str, line: str) -> bool:
    """Puts the desk's line into a Mosquitto password file, instead of the one before. False: it was there already.

    The file is replaced at once and stays as private as it was; tell the broker to read it again (SIGHUP).
    """
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
        status = file.stat()
    except FileNotFoundError:
        lines, status = [], None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} cannot be read: {error}") from None
    wanted = f"{desk}:{line}"
    if wanted in lines:
        return False
    kept = [each for each in lines if each.partition(":")[0] != desk]
    fresh = file.with_name(f"{file.name}.{os.getpid()}")
    try:
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as target:
            target.write("".join(f"{each}\n" for each in [*kept, wanted]))
            if status:
                os.fchmod(handle, status.st_mode & 0o777)
                if os.geteuid() == 0:
                    os.fchown(handle, status.st_uid, status.st_gid)
            target.flush()
            os.fsync(handle)
        fresh.replace(file)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise UsageError(f"{file} cannot be written: {error}") from None
    return True
