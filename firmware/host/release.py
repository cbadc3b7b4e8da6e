"""One version of the application for every kind of board: compiled, listed, signed, and named by content.

    OUT/release.json           {"version", "manifests": {board: SHA-256 of its manifest}}
    OUT/objects/<SHA-256>      manifests and files
    manifest                   {"version", "board", "files": [[path, size, SHA-256], ...]}, newline, signature in base64

The fleet service serves it; pads load what they lack (firmware/board/install.py). The same source, version and key give
the same bytes.
"""

import hashlib
import json
import re
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from firmware.host.boards import ROOT, TARGETS, available
from firmware.host.build import application, compile_module
from firmware.host.errors import HostError
from firmware.host.sign import signed

MANIFEST = "manifest.json"
_VERSION = re.compile(r"[A-Za-z0-9._:-]{1,40}")


def bundle(board: str, version: str, root: Path = ROOT) -> dict[str, bytes]:
    """The compiled files of a slot, by path. Raises HostError."""
    if not _VERSION.fullmatch(version):
        raise HostError(f"{version!r} is no version: 1 to 40 letters, digits, and ._:-")
    texts = application(board, version, root)
    return {name: compile_module(name, text, TARGETS[board]) for name, text in sorted(texts.items())}


def manifest(board: str, version: str, files: dict[str, bytes], key: RSAPrivateKey) -> bytes:
    """The signed list of a slot's files."""
    listed = [[path, len(content), _digest(content)] for path, content in sorted(files.items())]
    # One line: the newline ends what is signed.
    told = {"version": version, "board": board, "files": listed}
    return signed(json.dumps(told, separators=(",", ":")).encode(), key)


def slot(board: str, version: str, key: RSAPrivateKey, root: Path = ROOT) -> dict[str, bytes]:
    """Everything in a slot, its manifest included, by path."""
    files = bundle(board, version, root)
    return files | {MANIFEST: manifest(board, version, files, key)}


def release(
    out: Path, version: str, key: RSAPrivateKey, boards: list[str] | None = None, root: Path = ROOT
) -> dict[str, dict[str, int]]:
    """Writes a release to ``out`` for ``boards`` (all there are, if None); returns each file's bytes, by board."""
    objects = out / "objects"
    objects.mkdir(parents=True, exist_ok=True)
    manifests: dict[str, str] = {}
    sizes: dict[str, dict[str, int]] = {}
    for board in boards or available(root):
        files = slot(board, version, key, root)
        for content in files.values():
            (objects / _digest(content)).write_bytes(content)
        manifests[board] = _digest(files[MANIFEST])
        sizes[board] = {path: len(content) for path, content in files.items()}
    # Last: whoever finds release.json finds everything in it.
    fresh = out / "release.json.new"
    fresh.write_text(json.dumps({"version": version, "manifests": manifests}, indent=1) + "\n")
    fresh.replace(out / "release.json")
    return sizes


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
