"""Brings a slot to what a manifest says, step by step. It knows no network, no clock and no call.

``install`` is a generator. It yields None (a step is done, more can be done at once) or a wish: (SHA-256, offset), and
is sent (size of the whole file, bytes from that offset on). It may be abandoned at any yield, and the power may be cut
within any step: begun anew, it keeps what is there already. Nothing outside of the slot's folder is written.

Order, so that a slot is whole (loader.py) only if everything in it has been verified

    1. the manifest is loaded into memory, its signature checked, its version and board compared
    2. the slot's old manifest.json is removed: from here on it is not whole
    3. what the manifest does not name is removed; there is room for the rest, or it ends here
    4. each file is verified if it is there; else copied from the running slot if that has it, or loaded; into
       <path>.part first, renamed when its SHA-256 is right
    5. manifest.json is written

One step writes 4 KB at most: that is one block of flash.
"""

import binascii
import hashlib
import json
import os

from firmware.board import signature
from firmware.boot import MANIFEST, read_manifest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator

    Files = list[tuple[str, int, str]]
    Wish = tuple[str, int]
    Answer = tuple[int, bytes]
    Steps = Generator[Wish | None, Answer, None]

# Eight pieces: as much as fits a block of LittleFS beside its pointers.
_BLOCK = 4032
_CHUNK = 512
_MANIFEST_LIMIT = 12288
_FILE_LIMIT = 65536
_PART = ".part"
# A folder takes two blocks; a file is copied before the old one goes.
_RESERVE_BLOCKS = 16
_PATH = "abcdefghijklmnopqrstuvwxyz0123456789_/."
_IS_FOLDER = 0x4000


class Refused(Exception):
    """The update cannot be installed; ``word`` is the PadStatus.update that says so, str() why."""

    def __init__(self, word: str, why: str):
        super().__init__(why)
        self.word = word


def install(root: str, target: str, running: str, offer: "tuple[str, str]", board: str) -> "Steps":
    """Installs ``offer`` = (version, SHA-256 of the manifest) into slot ``target``. Raises Refused or OSError."""
    manifest = bytearray()
    yield from _load_manifest(manifest, offer[1])
    signed, signed_by = signature.split(bytes(manifest))
    is_right = [False]
    for step in signature.verify(signed, signed_by, signature.read_key(root)):
        is_right[0] = bool(step)
        yield None
    if not is_right[0]:
        raise Refused("refused", "the manifest is not signed by the fleet's key")
    files = _parse(signed, offer[0], board)
    folder = root + "/" + target
    _remove(folder + MANIFEST)
    yield None
    _remove_strangers(folder, {path for path, _, _ in files})
    yield None
    _check_room(root, folder, files)
    sources = _find_sources(root + "/" + running, files)
    for number, (path, size, sha256) in enumerate(files):
        source = sources[number]
        yield from _bring(folder, path, size, sha256, source and root + "/" + running + "/" + source)
    with open(folder + MANIFEST, "wb") as file:
        file.write(manifest)


def _load_manifest(manifest: bytearray, sha256: str) -> "Steps":
    size = 1
    while len(manifest) < size:
        answer = yield (sha256, len(manifest))
        size = answer[0]
        if not 0 < size <= _MANIFEST_LIMIT or not answer[1]:
            raise Refused("refused", "a manifest of %d bytes" % size)
        manifest.extend(answer[1])
    if len(manifest) != size or _hex(hashlib.sha256(manifest)) != sha256:
        raise Refused("refused", "the manifest is not the one that was offered")


def _parse(signed: bytes, version: str, board: str) -> "Files":
    try:
        told = json.loads(signed)
        files = [(path, size, sha256) for path, size, sha256 in told["files"]]
        for path, size, sha256 in files:
            if type(size) is not int or not 0 < size <= _FILE_LIMIT or len(sha256) != 64 or not _is_safe(path):
                raise ValueError
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Refused("refused", "the manifest makes no sense") from None
    if told.get("board") != board:
        raise Refused("refused", "the update is for another board")
    if told.get("version") != version:
        raise Refused("refused", "the update is of another version than was offered")
    return files


def _is_safe(path: str) -> bool:
    """Whether it names a file below the slot's folder, and nothing else."""
    for letter in path:
        if letter not in _PATH:
            return False
    return all([part.strip(".") for part in path.split("/")]) and "/" + path != MANIFEST and not path.endswith(_PART)


def _find_sources(folder: str, files: "Files") -> "list[str | None]":
    """Where the running slot has the same content; strings are shared with ``files``, because RAM is scarce."""
    there = {sha256: path for path, _, sha256 in read_manifest(folder)}
    sources = [there.get(sha256) for _, _, sha256 in files]
    return [path if path == source else source for (path, _, _), source in zip(files, sources)]  # noqa: B905


def _bring(folder: str, path: str, size: int, sha256: str, source: "str | None") -> "Steps":
    """One file is there and right afterwards."""
    name = folder + "/" + path
    right = [False]
    yield from _check(name, size, sha256, right)
    for attempt in (0, 1):
        if right[0]:
            return
        _make_folders(folder, path)
        if source and not attempt:
            yield from _copy(source, name + _PART)
        else:
            yield from _load(name + _PART, size, sha256)
        yield from _check(name + _PART, size, sha256, right)
        if right[0]:
            os.rename(name + _PART, name)
        else:
            _remove(name + _PART)
        yield None
    if not right[0]:
        raise Refused("refused", "%s is not what the manifest says" % path)


def _check(name: str, size: int, sha256: str, right: "list[bool]") -> "Steps":
    """Reads the file back and compares; the result is put into ``right``."""
    right[0] = False
    if _size(name) != size:
        return
    digest = hashlib.sha256()
    buffer = bytearray(_CHUNK)
    with open(name, "rb") as file:
        while True:
            count = file.readinto(buffer)
            if not count:
                break
            digest.update(memoryview(buffer)[:count])
            yield None
    right[0] = _hex(digest) == sha256


def _copy(source: str, name: str) -> "Steps":
    buffer = bytearray(_BLOCK)
    with open(source, "rb") as old, open(name, "wb") as new:
        while True:
            count = old.readinto(buffer)
            if not count:
                return
            new.write(memoryview(buffer)[:count])
            yield None


def _load(name: str, size: int, sha256: str) -> "Steps":
    """Goes on where the part that is there ends."""
    have = _size(name)
    if have > size:
        _remove(name)
    have = max(0, have) if have <= size else 0
    buffer = bytearray(min(_BLOCK, size - have))
    while have < size:
        filled = 0
        wanted = min(len(buffer), size - have)
        while filled < wanted:
            answer = yield (sha256, have + filled)
            data = answer[1][: wanted - filled]
            if answer[0] != size or not data:
                raise Refused("refused", "a file of %d bytes that should have %d" % (answer[0], size))
            buffer[filled : filled + len(data)] = data
            filled += len(data)
        with open(name, "ab") as file:
            file.write(memoryview(buffer)[:filled])
        have += filled
        yield None


def _check_room(root: str, folder: str, files: "Files") -> None:
    found = os.statvfs(root or "/")
    needed = _RESERVE_BLOCKS
    for path, size, _ in files:
        if _size(folder + "/" + path) != size:
            needed += (size + found[0] - 1) // found[0]
    if found[3] < needed:
        raise Refused("no_space", "%d blocks of flash are needed, %d are free" % (needed, found[3]))


def _remove_strangers(folder: str, wanted: "set[str]", below: str = "") -> None:
    try:
        entries = list(os.ilistdir(folder + "/" + below))  # type: ignore[attr-defined]
    except OSError:
        return
    for entry in entries:
        path = below + entry[0]
        if entry[1] == _IS_FOLDER:
            _remove_strangers(folder, wanted, path + "/")
            try:
                os.rmdir(folder + "/" + path)
            except OSError:
                pass  # it is not empty
        elif (path[: -len(_PART)] if path.endswith(_PART) else path) not in wanted:
            os.remove(folder + "/" + path)


def _make_folders(folder: str, path: str) -> None:
    parts = path.split("/")[:-1]
    for end in range(len(parts) + 1):
        try:
            os.mkdir("/".join([folder] + parts[:end]))  # noqa: RUF005
        except OSError as error:
            if error.errno != 17:  # EEXIST
                raise


def _size(name: str) -> int:
    """-1 if there is no such file."""
    try:
        return os.stat(name)[6]
    except OSError:
        return -1


def _remove(name: str) -> None:
    try:
        os.remove(name)
    except OSError as error:
        if error.errno != 2:  # ENOENT
            raise


def _hex(digest: object) -> str:
    return binascii.hexlify(digest.digest()).decode()  # type: ignore[attr-defined]
