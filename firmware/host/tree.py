"""What must lie on a pad, and what has to be done about what does. Pure but for build(); it talks to no board.

main.py, loader.mpy     the application's start, and a slot with the application itself
pad.json                desk, password, network: the only file that differs from pad to pad
ca.der, fleet.pub       what to trust: the broker's certificate authority, the fleet's key for updates
client.der, client.key  the pad's own certificate, if the broker wants one
state/                  the pad's: its votes, its starts. Never touched here, but see replace
"""

import hashlib
import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from firmware.core.journal import BadRecord, Journal
from firmware.host.build import build, sizes
from firmware.host.device import Listing
from firmware.host.kinds import Kind

SETTINGS = "/pad.json"
STATE = "/state"
JOURNAL = "/state/journal"
SLOTS = ("/a", "/b")


@dataclass(frozen=True, slots=True)
class Plan:
    """Steps in their order. A board cut off anywhere between two of them is mended by planning again."""

    write: dict[str, bytes] = field(default_factory=dict)
    remove: tuple[str, ...] = ()
    remove_folders: tuple[str, ...] = ()
    same: int = 0

    @property
    def is_empty(self) -> bool:
        return not self.write and not self.remove and not self.remove_folders

    @property
    def size_bytes(self) -> int:
        return sum(len(content) for content in self.write.values())


def application(kind: Kind) -> dict[str, bytes]:
    """The compiled application for that kind of board, by paths from the board's root. Raises BuildError."""
    with tempfile.TemporaryDirectory(prefix="zrazkovo-") as folder:
        out = Path(folder)
        build(out)
        return {f"/{path}": (out / path).read_bytes() for path in sizes(out)}


def settings(desk: str, password: str, broker: tuple[str, int], network: dict[str, Any]) -> bytes:
    """pad.json. The same values give the same bytes."""
    own = {"desk": desk, "broker_host": broker[0], "broker_port": broker[1], "password": password}
    return json.dumps({**network, **own}, indent=1, sort_keys=True).encode() + b"\n"


def read_settings(content: bytes | None) -> dict[str, Any]:
    """pad.json of a board that was a pad before; empty if it is none or cannot be read."""
    try:
        found = json.loads(content or b"")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def votes_in(journal: bytes) -> int | None:
    """How many votes wait in a pad's journal; None if it is none that we can read."""
    record = Journal()

    def read_into(buffer: memoryview) -> int:
        buffer[: len(journal)] = journal
        return len(journal)

    try:
        record.restore(read_into)
    except (BadRecord, ValueError):  # ValueError: longer than any record
        return None
    return record.depth


def version_in(read: Callable[[str], bytes | None]) -> str:
    """The version of the application on a board; "" if there is none. ``read`` gives a file or None."""
    for slot in SLOTS:
        manifest = read(f"{slot}/manifest.json")
        if manifest is not None:
            try:
                return str(json.loads(manifest.splitlines()[0])["version"])
            except (ValueError, KeyError, IndexError, TypeError):
                return "damaged"
    return ""


def plan(wanted: dict[str, bytes], found: Listing, *, keep_state: bool = True) -> Plan:
    """What to write and remove so that ``found`` becomes ``wanted``. state/ is the pad's own, if it stays one desk's.

    main.py goes last: a board that was cut off before starts nothing half.
    """
    changed = {path: content for path, content in wanted.items() if found.files.get(path) != _digest(content)}
    order = sorted(changed, key=lambda path: (path == "/main.py", path == SETTINGS, path))
    strangers = [path for path in found.files if path not in wanted and not (keep_state and _is_state(path))]
    parents = {str(parent) for path in wanted for parent in Path(path).parents}
    folders = [path for path in found.folders if path not in parents and not _is_state(path)]
    return Plan(
        {path: changed[path] for path in order},
        tuple(sorted(strangers)),
        tuple(sorted(folders, key=len, reverse=True)),
        len(wanted) - len(changed),
    )


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _is_state(path: str) -> bool:
    return path == STATE or path.startswith(STATE + "/") or path == "/flash.img"
