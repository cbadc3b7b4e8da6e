"""Releases: what is in them, that they are the same every time, and whose signature a pad takes."""

import hashlib
import json
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from firmware.board import signature
from firmware.host.__main__ import main
from firmware.host.boards import TARGETS, available
from firmware.host.errors import HostError
from firmware.host.passphrase import VARIABLE
from firmware.host.release import bundle, release
from firmware.host.sign import make_key, public_file, read_key, signed

MANIFEST = b'{"version":"1","board":"unix","files":[]}'


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def accepts(folder: Path, manifest: bytes) -> bool:
    """Whether a pad with ``folder``/fleet.pub takes the manifest."""
    return bool(list(signature.verify(*signature.split(manifest), signature.read_key(str(folder))))[-1])


def test_a_release_has_every_board_its_files_by_content_and_the_same_bytes_every_time(
    tmp_path: Path, key: rsa.RSAPrivateKey
) -> None:
    release(tmp_path / "one", "1.2.3", key)
    release(tmp_path / "two", "1.2.3", key)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    told = json.loads((tmp_path / "one/release.json").read_text())
    assert (told["version"], sorted(told["manifests"])) == ("1.2.3", sorted(available()))
    for board, name in told["manifests"].items():
        listed = json.loads((tmp_path / "one/objects" / name).read_bytes().split(b"\n")[0])
        assert (listed["version"], listed["board"]) == ("1.2.3", board)
        for _, size, digest in listed["files"]:
            content = (tmp_path / "one/objects" / digest).read_bytes()
            assert (len(content), hashlib.sha256(content).hexdigest()) == (size, digest)


def test_a_pad_gets_its_own_board_s_file_and_no_other_s() -> None:
    for board in available():
        files = set(bundle(board, "1"))
        mine = f"firmware/board/{board.replace('-', '_')}.mpy"
        others = {f"firmware/board/{other.replace('-', '_')}.mpy" for other in TARGETS if other != board}
        assert mine in files and not files & others
        assert {"start.mpy", "firmware/boot.mpy", "firmware/board/safe.mpy"} <= files
        assert not files & {"firmware/loader.mpy", "firmware/flash_image.mpy", "firmware/main.mpy"}


def test_the_version_is_what_the_pad_will_report() -> None:
    one, two = bundle("unix", "1.0.0"), bundle("unix", "1.0.1")
    assert [path for path in one if one[path] != two[path]] == ["firmware/__init__.mpy"]
    assert b"1.0.1" in two["firmware/__init__.mpy"]


@pytest.mark.parametrize("version", ["", "1 0", "x" * 41, "1/2"])
def test_what_cannot_be_reported_is_no_version(version: str) -> None:
    with pytest.raises(HostError, match="is no version"):
        bundle("unix", version)


@pytest.mark.parametrize("bits", [2048, 3072])
def test_a_pad_takes_what_the_fleet_s_key_has_signed(tmp_path: Path, bits: int) -> None:
    public = make_key(tmp_path / "key", None, bits)
    public.rename(tmp_path / "fleet.pub")
    assert accepts(tmp_path, signed(MANIFEST, read_key(tmp_path / "key", None)))


def test_any_bit_changed_in_manifest_or_signature_is_refused(tmp_path: Path, key: rsa.RSAPrivateKey) -> None:
    (tmp_path / "fleet.pub").write_bytes(public_file(key))
    good = signed(MANIFEST, key)
    assert accepts(tmp_path, good)
    for at in range(0, len(good) - 4, 3):
        assert not accepts(tmp_path, good[:at] + bytes([good[at] ^ 4]) + good[at + 1 :]), at
    for end in (0, 10, len(MANIFEST), len(MANIFEST) + 1, len(good) - 20):
        assert not accepts(tmp_path, good[:end])


def test_another_key_s_signature_no_key_and_a_small_key_are_refused(tmp_path: Path, key: rsa.RSAPrivateKey) -> None:
    good = signed(MANIFEST, key)
    assert not accepts(tmp_path, good)
    (tmp_path / "fleet.pub").write_bytes(public_file(rsa.generate_private_key(65537, 2048)))
    assert not accepts(tmp_path, good)
    small = rsa.generate_private_key(65537, 1024)
    (tmp_path / "fleet.pub").write_bytes(public_file(small))
    assert not accepts(tmp_path, signed(MANIFEST, small))


def test_the_private_key_is_for_its_owner_only_and_never_overwritten(tmp_path: Path) -> None:
    make_key(tmp_path / "key", b"correct horse", 2048)
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    assert b"ENCRYPTED" in (tmp_path / "key").read_bytes()
    with pytest.raises(HostError, match="there already"):
        make_key(tmp_path / "key", None, 2048)
    with pytest.raises(HostError, match="passphrase"):
        read_key(tmp_path / "key", None)
    with pytest.raises(HostError, match="passphrase is wrong"):
        read_key(tmp_path / "key", b"wrong horse")
    assert read_key(tmp_path / "key", b"correct horse").key_size == 2048


def test_the_commands_make_a_key_and_a_release(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(VARIABLE, "correct horse")
    assert main(["key", str(tmp_path / "key")]) == 0
    words = ["release", str(tmp_path / "out"), "--version", "1.0.0", "--key", str(tmp_path / "key"), "--board", "unix"]
    assert main(words) == 0
    assert "unix" in capsys.readouterr().out
    assert json.loads((tmp_path / "out/release.json").read_text())["version"] == "1.0.0"
    monkeypatch.setenv(VARIABLE, "wrong")
    assert main(words) == 1
    assert "passphrase is wrong" in capsys.readouterr().err
