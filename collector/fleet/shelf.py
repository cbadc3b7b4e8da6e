"""What pads may load: the files of the releases in one folder, by SHA-256, and nothing else. It knows no broker.

A release (``python -m firmware.host release``) is FOLDER/NAME/release.json {"version", "manifests": {board: sha256}}
and FOLDER/NAME/objects/SHA256. Manifests name the files. A file is served only if a release names it and its content is
what its name says; so nothing outside of the releases can be asked for, and a damaged disk is not passed on.
"""

import base64
import json
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from protocol.messages import PIECE_BYTES, Piece, Want

log = logging.getLogger(__name__)

_SHA256 = re.compile("[0-9a-f]{64}")
# An .mpy has some kilobytes; a whole release stays in memory while pads load it.
_OBJECT_BYTES = 1 << 20
_KEPT_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class Release:
    version: str
    manifests: dict[str, str]  # SHA-256 by board
    objects: Path = field(repr=False)
    files: frozenset[str] = field(repr=False)  # manifests and what they name


class Shelf:
    """The releases in ``folder`` as of the last ``look``."""

    def __init__(self, folder: Path | None):
        self._folder = folder
        self._seen: dict[Path, int] = {}
        self._broken: dict[Path, int] = {}  # and said so
        self._places: dict[str, Path] = {}
        self._kept: dict[str, bytes] = {}
        self.releases: dict[str, Release] = {}

    def look(self) -> None:
        """Reads the folder again if a release came, went or changed."""
        if self._folder is None:
            return
        found: dict[Path, int] = {}
        for each in (self._folder / "release.json", *sorted(self._folder.glob("*/release.json"))):
            try:
                found[each] = each.stat().st_mtime_ns
            except OSError:
                continue
        if found == self._seen:
            return
        read = []
        for path, at in list(found.items()):
            try:
                read.append(_read(path))
            except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
                # Perhaps it is being copied here and lacks its objects yet: it is read again at the next look.
                if self._broken.get(path) != at:
                    log.error("%s is no release: %s", path, error)
                self._broken[path] = found.pop(path)
        self._seen = found
        before = set(self.releases)
        self.releases = {release.version: release for release in read}
        self._places = {name: release.objects / name for release in read for name in release.files}
        if before != set(self.releases):
            log.info("releases: %s", ", ".join(sorted(self.releases)) or "none")

    def manifest(self, version: str, board: str) -> str | None:
        """The SHA-256 of the manifest of ``version`` for ``board``."""
        release = self.releases.get(version)
        return release.manifests.get(board) if release else None

    def piece(self, want: Want) -> Piece:
        """The answer to ``want``; size 0 says that there is no such file."""
        content = self._content(want.sha256)
        part = content[want.offset : want.offset + PIECE_BYTES]
        return Piece(want.sha256, want.offset, len(content), base64.b64encode(part).decode())

    def _content(self, name: str) -> bytes:
        kept = self._kept.get(name)
        if kept is not None:
            return kept
        path = self._places.get(name)
        content = _object(path) if path is not None else b""
        if content:
            while self._kept and sum(map(len, self._kept.values())) + len(content) > _KEPT_BYTES:
                del self._kept[next(iter(self._kept))]
            self._kept[name] = content
        return content


def _read(path: Path) -> Release:
    told = json.loads(path.read_bytes())
    version, manifests = str(told["version"]), {str(k): str(v) for k, v in told["manifests"].items()}
    objects = path.parent / "objects"
    files = {name for each in manifests.values() for name in (each, *_named(objects / _checked(each)))}
    return Release(version, manifests, objects, frozenset(files))


def _named(manifest: Path) -> Iterator[str]:
    """The SHA-256 of every file that a manifest lists; its signature is the pad's to check."""
    content = _object(manifest)
    if not content:
        raise ValueError(f"the manifest {manifest.name[:12]}... is missing or damaged")
    told: Any = json.loads(content.partition(b"\n")[0])
    for _, _, name in told["files"]:
        yield _checked(name)


def _checked(name: Any) -> str:
    if not isinstance(name, str) or not _SHA256.fullmatch(name):
        raise ValueError("a file is not named by its SHA-256")
    return name


def _object(path: Path) -> bytes:
    """The content of an object; nothing if it is not there, too large, or not what its name says."""
    try:
        with path.open("rb") as file:
            content = file.read(_OBJECT_BYTES + 1)
    except OSError as error:
        log.error("%s: %s", path, error.strerror)
        return b""
    if len(content) > _OBJECT_BYTES or sha256(content).hexdigest() != path.name:
        log.error("%s is damaged: its content is not what its name says", path)
        return b""
    return content
