"""What pads may load, and what nobody may; real files in a folder."""

import base64
import json
from hashlib import sha256
from pathlib import Path

import pytest

from collector.fleet.shelf import Shelf
from protocol import codec
from protocol.messages import PIECE_BYTES, Want


def make_release(folder: Path, version: str, files: dict[str, bytes], boards: tuple[str, ...] = ("unix",)) -> str:
    """A release as the host tool makes it, but for the signature; the SHA-256 of its first board's manifest."""
    objects = folder / version / "objects"
    objects.mkdir(parents=True)
    manifests = {}
    for board in boards:
        listed = []
        for path, content in files.items():
            name = sha256(content).hexdigest()
            (objects / name).write_bytes(content)
            listed.append([path, len(content), name])
        manifest = json.dumps({"version": version, "board": board, "files": listed}).encode() + b"\nc2lnbmVk"
        manifests[board] = sha256(manifest).hexdigest()
        (objects / manifests[board]).write_bytes(manifest)
    (folder / version / "release.json").write_text(json.dumps({"version": version, "manifests": manifests}))
    return manifests[boards[0]]


def load(shelf: Shelf, name: str) -> bytes:
    """A file, piece by piece, as a pad does; each piece must fit the wire."""
    content = b""
    while True:
        piece = shelf.piece(Want(name, len(content)))
        assert len(codec.encode(piece)) <= codec.SIZE_LIMITS["piece"]
        content += base64.b64decode(piece.data)
        if len(content) >= piece.size:
            return content


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path)


@pytest.mark.parametrize("size", [1, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 20_000])
def test_a_release_is_loaded_whole(tmp_path: Path, shelf: Shelf, size: int) -> None:
    content = bytes(range(256)) * (size // 256 + 1)
    content = content[:size]
    manifest = make_release(tmp_path, "2", {"start.mpy": content})
    shelf.look()
    assert shelf.manifest("2", "unix") == manifest and shelf.manifest("2", "pico-w") is None
    assert sha256(load(shelf, manifest)).hexdigest() == manifest
    assert load(shelf, sha256(content).hexdigest()) == content


def test_what_no_release_names_is_not_there(tmp_path: Path, shelf: Shelf) -> None:
    make_release(tmp_path, "2", {"a": b"a"})
    secret = b"the private key"
    (tmp_path / "2" / "objects" / sha256(secret).hexdigest()).write_bytes(secret)
    shelf.look()
    assert shelf.piece(Want(sha256(secret).hexdigest(), 0)).size == 0
    assert shelf.piece(Want("0" * 64, 0)).size == 0


def test_an_offset_past_the_end_gives_no_bytes_and_the_size(tmp_path: Path, shelf: Shelf) -> None:
    make_release(tmp_path, "2", {"a": b"abc"})
    shelf.look()
    piece = shelf.piece(Want(sha256(b"abc").hexdigest(), 4_000_000_000))
    assert (piece.size, piece.data) == (3, "")


def test_a_damaged_file_is_not_passed_on(tmp_path: Path, shelf: Shelf) -> None:
    make_release(tmp_path, "2", {"a": b"abc"})
    name = sha256(b"abc").hexdigest()
    (tmp_path / "2" / "objects" / name).write_bytes(b"abd")
    shelf.look()
    assert shelf.piece(Want(name, 0)).size == 0


@pytest.mark.parametrize("name", ["../../secret", "/etc/passwd", "A" * 64, "0" * 63, 7, None])
def test_a_release_that_names_anything_but_a_hash_is_none(tmp_path: Path, shelf: Shelf, name: object) -> None:
    manifest = make_release(tmp_path, "2", {"a": b"a"})
    objects = tmp_path / "2" / "objects"
    bad = json.dumps({"files": [["a", 1, name]]}).encode() + b"\nx"
    digest = sha256(bad).hexdigest()
    (objects / digest).write_bytes(bad)
    (tmp_path / "2" / "release.json").write_text(json.dumps({"version": "2", "manifests": {"unix": digest}}))
    shelf.look()
    assert shelf.releases == {} and shelf.piece(Want(manifest, 0)).size == 0


@pytest.mark.parametrize(
    "text", ["", "[]", '{"version": "2"}', '{"version": "2", "manifests": {"unix": "../x"}}', "\0"]
)
def test_one_bad_release_does_not_hide_the_others(tmp_path: Path, shelf: Shelf, text: str) -> None:
    make_release(tmp_path, "2", {"a": b"a"})
    (tmp_path / "3").mkdir()
    (tmp_path / "3" / "release.json").write_text(text)
    shelf.look()
    assert sorted(shelf.releases) == ["2"]


def test_a_release_that_is_added_or_taken_away_is_noticed(tmp_path: Path, shelf: Shelf) -> None:
    shelf.look()
    assert shelf.releases == {}
    make_release(tmp_path, "2", {"a": b"a"})
    shelf.look()
    assert sorted(shelf.releases) == ["2"]
    (tmp_path / "2" / "release.json").unlink()
    shelf.look()
    assert shelf.releases == {} and shelf.piece(Want(sha256(b"b").hexdigest(), 0)).size == 0


def test_a_release_whose_objects_come_after_its_list_is_found_then(tmp_path: Path, shelf: Shelf) -> None:
    make_release(tmp_path, "2", {"a": b"a"})
    (tmp_path / "2" / "objects").rename(tmp_path / "away")
    shelf.look()
    assert shelf.releases == {}
    (tmp_path / "away").rename(tmp_path / "2" / "objects")
    shelf.look()
    assert sorted(shelf.releases) == ["2"]
