"""Brings a folder to what it should hold; or, if that would change what is there, shows the difference and does not."""

import difflib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

# Files with a secret in them: their differences are told, not shown.
_CONCEALED = ("mosquitto/servers", "mosquitto/bridge/centre.conf")
_EXECUTABLE = (".sh",)
_OURS = "config/"  # for our own user alone


def differences(folder: Path, wanted: Mapping[str, str]) -> Iterator[str]:
    """For each file that is there and differs, a unified difference; from what is there to what would be written."""
    for name, text in sorted(wanted.items()):
        path = folder / name
        if not path.exists():
            continue
        found = path.read_text(encoding="utf-8", errors="replace")
        if found == text:
            continue
        if name in _CONCEALED:
            yield f"--- {path}\n+++ {path} (new)\n(differs; there are secrets in it)"
        else:
            lines = difflib.unified_diff(
                found.splitlines(), text.splitlines(), str(path), f"{path} (new)", n=1, lineterm=""
            )
            yield "\n".join(lines)


def missing(folder: Path, wanted: Mapping[str, str]) -> list[str]:
    return [name for name in sorted(wanted) if not (folder / name).exists()]


def write(folder: Path, wanted: Mapping[str, str]) -> list[str]:
    """Writes what differs, each file at once; gives the names. What is there besides is left alone."""
    written = []
    for name, text in sorted(wanted.items()):
        path = folder / name
        if path.exists() and path.read_text(encoding="utf-8", errors="replace") == text:
            continue
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        _replace(path, text, _mode(name))
        written.append(name)
    return written


def _mode(name: str) -> int:
    if name in _CONCEALED:
        return 0o600
    if name.startswith(_OURS):
        return 0o640
    return 0o755 if name.endswith(_EXECUTABLE) else 0o644


def _replace(path: Path, text: str, mode: int) -> None:
    """At once, and with the owner and mode of what was there."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    owner = path.stat() if path.exists() else None
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    if owner is not None and os.geteuid() == 0:
        os.chown(fresh, owner.st_uid, owner.st_gid)
    fresh.chmod(mode if owner is None else owner.st_mode & 0o777)
    fresh.replace(path)
