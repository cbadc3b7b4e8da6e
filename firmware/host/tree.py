"""What must lie on a pad, and what has to be done about what does. Pure but for build(); it talks to no board.

main.py, loader.mpy     the application's start, and a slot with the application itself
pad.json                desk, password, network: the only file that differs from pad to pad
ca.der, fleet.pub       what to trust: the broker's certificate authority, the fleet's key for updates
client.der, client.key  the pad's own certificate, if the broker wants one
state/                  the pad's: its votes, its starts. Never touched here, but see replace
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from firmware import VERSION
from firmware.boot import BootRecord
from firmware.core.journal import BadRecord, Journal
from firmware.host.boards import ROOT
from firmware.host.build import application, build, root_modules
from firmware.host.device import Listing
from firmware.host.kinds import Kind
from protocol.messages import Ack

SETTINGS = "/pad.json"
STATE = "/state"
JOURNAL = "/state/journal"
RECORD = "/state/boot"
SLOT, OTHER_SLOT = "/a", "/b"
MANIFEST = SLOT + "/manifest.json"


@dataclass(frozen=True, slots=True)
class Plan:
    """Steps in their order: clear, write, remove. A board cut off in between is mended by planning again."""

    clear: tuple[str, ...] = ()
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


def software(kind: Kind) -> dict[str, bytes]:
    """The compiled loader and application for that kind of board, by paths from the board's root.

    Raises:
        HostError: it does not compile, or there is no such board file.
    """
    out = ROOT / "build" / "pads" / kind.name
    build(out, kind.name)
    files = {f"/{name}": (out / name).read_bytes() for name in ("main.py", *root_modules(kind.name))}
    slot = {name: (out / name).read_bytes() for name in application(kind.name)}
    rows = [[name, len(content), _digest(content)] for name, content in sorted(slot.items())]
    # Unsigned: the signature is for what comes over the air; here a person holds the cable.
    manifest = json.dumps({"version": VERSION, "board": kind.name, "files": rows}).encode() + b"\n"
    return files | {f"{SLOT}/{name}": content for name, content in slot.items()} | {MANIFEST: manifest}


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


def holds_votes_of(journal: bytes, other: bytes) -> bool:
    """Whether every vote that waits in ``other`` waits in ``journal`` too. Neither may be longer than a record."""
    mine, theirs = _votes(journal), _votes(other)
    return theirs is not None and mine is not None and theirs <= mine


def _votes(journal: bytes) -> set[tuple[str, int]] | None:
    if votes_in(journal) is None:
        return None
    record = Journal()
    record.restore(lambda buffer: _fill(buffer, journal))
    found = set()
    while (vote := record.oldest()) is not None:
        found.add((vote.call, vote.rating))
        record.acknowledge(Ack(vote.journal, vote.seq, 0))
    return found


def _fill(buffer: memoryview, content: bytes) -> int:
    buffer[: len(content)] = content
    return len(content)


def version_in(read: Callable[[str], bytes | None]) -> str:
    """The version of the application that a board starts; "" if there is none. ``read`` gives a file or None."""
    record = BootRecord()
    record.restore(read(RECORD) or b"")
    for slot in dict.fromkeys((record.active or "a", "a", "b")):
        manifest = read(f"/{slot}/manifest.json")
        if manifest is not None:
            try:
                return str(json.loads(manifest.splitlines()[0])["version"])
            except (ValueError, KeyError, IndexError, TypeError):
                return "damaged"
    return ""


def plan(wanted: dict[str, bytes], found: Listing, *, keep_state: bool = True) -> Plan:
    """What to do so that ``found`` becomes ``wanted``. state/ is the pad's own, if it stays one desk's.

    A slot with its manifest is taken for whole: the manifest goes first and comes back last. The other slot stays
    until this one is whole, pad.json comes after all code, main.py at the very end.
    """
    changed = {path: content for path, content in wanted.items() if found.files.get(path) != _digest(content)}
    strangers = [path for path in found.files if path not in wanted and not (keep_state and _is_state(path))]
    is_new_code = any(path.startswith((SLOT, OTHER_SLOT)) for path in (*changed, *strangers))
    if is_new_code and MANIFEST in wanted:
        changed[MANIFEST] = wanted[MANIFEST]
    parents = {str(parent) for path in wanted for parent in PurePosixPath(path).parents}
    return Plan(
        clear=tuple(path for path in (MANIFEST,) if is_new_code and path in found.files),
        write={path: changed[path] for path in sorted(changed, key=_turn)},
        # Which slot to start and how often that failed is about the code that was there before.
        remove=(*sorted(strangers), *((RECORD,) if is_new_code and keep_state and RECORD in found.files else ())),
        remove_folders=tuple(
            sorted((path for path in found.folders if path not in parents and not _is_state(path)), key=len)[::-1]
        ),
        same=len(wanted) - len(changed),
    )


def _turn(path: str) -> tuple[int, str]:
    last = {MANIFEST: 1, SETTINGS: 2, "/main.py": 3}
    return last.get(path, 0), path


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _is_state(path: str) -> bool:
    return path == STATE or path.startswith(STATE + "/")
