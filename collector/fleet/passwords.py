"""The broker's password file: the servers' own lines, then one for every registered pad. It makes no secret.

Mosquitto reads the file when it starts and at SIGHUP. Only a file that would be another one is written.
"""

import logging
import os
import shlex
import signal
import subprocess
from collections.abc import Iterable
from pathlib import Path

from collector.store import Credential
from protocol.access import is_reserved
from protocol.fields import NAME

log = logging.getLogger(__name__)

_RELOAD_S = 10.0


def rendered(base: str, credentials: Iterable[Credential]) -> str:
    """The file's text: ``base`` as it stands, then the registered pads; a registration counts for more.

    A registered name that is a server's, or not one at all, is left out: nobody gets in as somebody else.
    """
    pads = {
        each.desk: each.verifier
        for each in credentials
        if not is_reserved(each.desk) and not NAME.problem(each.desk) and "\n" not in each.verifier
    }
    kept = [line for line in base.splitlines() if line.partition(":")[0] not in pads]
    return "".join(f"{line}\n" for line in (*kept, *(f"{desk}:{pads[desk]}" for desk in sorted(pads))))


class PasswordFile:
    """Args:
    base: a file with the servers' lines, which this program never writes.
    file: what the broker reads.
    reload: a command to run, or a file with the process id to send SIGHUP to, or None if the broker looks by itself.
    """

    def __init__(self, base: Path, file: Path, reload: str | Path | None):
        self._base, self._file, self._reload = base, file, reload
        self._owes_reload = False

    def write(self, credentials: Iterable[Credential]) -> bool:
        """Brings the file up to date and the broker to know it; False if nothing changed. Raises OSError.

        A broker that could not be told is told the next time.
        """
        text = rendered(self._base.read_text(encoding="utf-8"), credentials)
        changed = not self._file.exists() or self._file.read_text(encoding="utf-8") != text
        if changed:
            _replace(self._file, text)
            self._owes_reload = True
        if self._owes_reload:
            _tell_broker(self._reload)
            self._owes_reload = False
        return changed


def _replace(path: Path, text: str) -> None:
    """At once, and not for others' eyes: a reader sees the old file or the new one; a power cut leaves one too."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    owner = path.stat() if path.exists() else None
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    if owner is not None and os.geteuid() == 0:
        os.chown(fresh, owner.st_uid, owner.st_gid)  # Mosquitto reads it as its own user
    if owner is not None:
        fresh.chmod(owner.st_mode & 0o660)  # or by its group, as Debian has it; others never
    fresh.replace(path)


def _tell_broker(reload: str | Path | None) -> None:
    if isinstance(reload, Path):
        os.kill(int(reload.read_text(encoding="ascii").split()[0]), signal.SIGHUP)
    elif reload is not None:
        done = subprocess.run(shlex.split(reload), capture_output=True, timeout=_RELOAD_S, check=False)
        if done.returncode:
            raise OSError(f"{reload!r} ended with {done.returncode}: {done.stderr.decode(errors='replace')[:200]}")
