"""The parts of the flashing tool that need no board: plans, verifiers, images, drives, labels."""

import hashlib
import shutil
import struct
import subprocess
import threading
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from firmware.core.journal import Journal
from firmware.host import credentials, images, kinds, label, tree
from firmware.host.ca import Authority
from firmware.host.device import Listing
from firmware.host.errors import BoardError, PadError, UsageError
from firmware.host.provision import der

UF2_HEAD = b"UF2\n\x57\x51\x5d\x9e" + bytes(20)


def listing(files: dict[str, bytes], *folders: str) -> Listing:
    return Listing({path: hashlib.sha256(content).hexdigest() for path, content in files.items()}, {}, folders)


WANTED = {
    "/main.py": b"main",
    "/pad.json": b"{}",
    "/firmware/loader.mpy": b"loader",
    "/a/start.mpy": b"start",
    "/a/manifest.json": b"manifest",
}


def test_a_blank_board_gets_the_manifest_after_its_slot_the_settings_after_all_code_and_main_last() -> None:
    plan = tree.plan(WANTED, listing({}))
    assert list(plan.write) == ["/a/start.mpy", "/firmware/loader.mpy", "/a/manifest.json", "/pad.json", "/main.py"]
    assert (plan.clear, plan.remove, plan.remove_folders, plan.same) == ((), (), (), 0)


def test_a_board_that_is_as_it_should_be_is_left_alone_with_its_state() -> None:
    plan = tree.plan(WANTED, listing(WANTED | {"/state/journal": b"votes", "/state/boot": b"record"}, "/a", "/state"))
    assert plan.is_empty and plan.same == len(WANTED)


def test_new_code_takes_the_manifest_away_first_and_forgets_how_the_old_code_fared() -> None:
    found = WANTED | {"/a/start.mpy": b"older", "/state/boot": b"record", "/state/journal": b"votes"}
    plan = tree.plan(WANTED, listing(found, "/a"))
    assert plan.clear == ("/a/manifest.json",)
    assert list(plan.write) == ["/a/start.mpy", "/a/manifest.json"]
    assert plan.remove == ("/state/boot",)


def test_a_new_password_alone_touches_no_code() -> None:
    plan = tree.plan(WANTED, listing(WANTED | {"/pad.json": b"older", "/state/boot": b"record"}))
    assert (plan.clear, list(plan.write), plan.remove) == ((), ["/pad.json"], ())


def test_strangers_and_the_other_slot_go_with_their_folders_but_only_after_the_writing() -> None:
    found = listing({"/boot.py": b"", "/b/start.mpy": b"", "/lib/x/y.py": b""}, "/b", "/lib", "/lib/x", "/state")
    plan = tree.plan(WANTED, found)
    assert plan.remove == ("/b/start.mpy", "/boot.py", "/lib/x/y.py")
    assert plan.remove_folders.index("/lib/x") < plan.remove_folders.index("/lib")
    assert "/state" not in plan.remove_folders


def test_a_pad_that_moves_to_another_desk_loses_its_state() -> None:
    found = WANTED | {"/state/journal": b"votes", "/state/boot": b"record"}
    plan = tree.plan(WANTED, listing(found), keep_state=False)
    assert plan.remove == ("/state/boot", "/state/journal")


def test_votes_in_a_journal_are_counted_and_a_damaged_one_is_said_to_be_unknown() -> None:
    journal = Journal(b"abcd")
    for number in range(3):
        journal.add(f"c{number:015}", 2, 0)
    record = bytes(journal.dump())
    assert tree.votes_in(record) == 3
    assert tree.votes_in(record[:-1] + b"\0") is None
    assert tree.votes_in(b"") is None
    assert tree.votes_in(bytes(100_000)) is None


def test_settings_are_the_same_bytes_for_the_same_values_and_own_keys_win() -> None:
    one = tree.settings("desk-1", "p", ("10.0.0.1", 1883), {"ntp_host": "10.0.0.2", "wifi_ssid": "x"})
    two = tree.settings("desk-1", "p", ("10.0.0.1", 1883), {"wifi_ssid": "x", "ntp_host": "10.0.0.2"})
    assert one == two
    assert tree.read_settings(one)["desk"] == "desk-1"
    assert tree.read_settings(b"\xff") == tree.read_settings(None) == tree.read_settings(b"[1]") == {}


def test_the_same_password_gives_the_same_verifier_and_another_another() -> None:
    assert credentials.verifier("desk-1", "secret") == credentials.verifier("desk-1", "secret")
    assert credentials.verifier("desk-1", "secret") != credentials.verifier("desk-2", "secret")
    assert credentials.new_password() != credentials.new_password()


def test_mosquittos_own_tool_makes_the_same_kind_of_line(tmp_path: Path) -> None:
    tool = shutil.which("mosquitto_passwd")
    if not tool:
        pytest.skip("mosquitto_passwd is not installed: apt-get install mosquitto")
    file = tmp_path / "passwords"
    subprocess.run([tool, "-b", "-c", str(file), "desk-1", "secret"], check=True, capture_output=True)
    theirs = file.read_text().strip().partition(":")[2].split("$")
    ours = credentials.verifier("desk-1", "secret").split("$")
    assert [len(part) for part in ours] == [len(part) for part in theirs]
    assert ours[:3] == theirs[:3]


def test_a_password_file_keeps_its_other_lines_and_its_mode(tmp_path: Path) -> None:
    file = tmp_path / "passwords"
    assert credentials.write_verifier(file, "desk-1", "$7$a")
    assert file.stat().st_mode & 0o777 == 0o600
    file.chmod(0o640)
    assert credentials.write_verifier(file, "desk-2", "$7$b")
    assert credentials.write_verifier(file, "desk-1", "$7$c")
    assert not credentials.write_verifier(file, "desk-1", "$7$c")
    assert file.read_text() == "desk-2:$7$b\ndesk-1:$7$c\n"
    assert file.stat().st_mode & 0o777 == 0o640
    with pytest.raises(UsageError, match="cannot be"):
        credentials.write_verifier(tmp_path, "desk-1", "$7$a")


@pytest.mark.parametrize(
    ("head", "names"),
    [
        (UF2_HEAD + struct.pack("<I", kinds.UF2_RP2040), ["pico-w"]),
        (UF2_HEAD + struct.pack("<I", kinds.UF2_RP2350), ["pico2-w"]),
        (b"\xe9" + bytes(100), ["esp32-wifi", "esp32-eth"]),
    ],
)
def test_an_image_is_known_by_its_first_bytes(tmp_path: Path, head: bytes, names: list[str]) -> None:
    (tmp_path / "image").write_bytes(head)
    assert [kind.name for kind in images.kinds_for(tmp_path / "image")] == names


@pytest.mark.parametrize("head", [b"", b"\x7fELF", UF2_HEAD + struct.pack("<I", 1), b"\xe9" + bytes(11) + b"\x05\0"])
def test_an_image_for_no_board_of_ours_is_refused(tmp_path: Path, head: bytes) -> None:
    (tmp_path / "image").write_bytes(head)
    with pytest.raises(UsageError, match="is no MicroPython image for"):
        images.kinds_for(tmp_path / "image")


@pytest.fixture
def drive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Pico W's boot drive, as far as a folder can be one, mounted where a space is in the name."""
    drive = tmp_path / "RPI RP2"
    drive.mkdir()
    (drive / "INFO_UF2.TXT").write_text("UF2 Bootloader v3.0\r\nModel: Raspberry Pi RP2\r\nBoard-ID: RPI-RP2\r\n")
    mounts = tmp_path / "mounts"
    mounts.write_text(f"proc /proc proc rw 0 0\n/dev/sda1 {str(drive).replace(' ', chr(92) + '040')} vfat rw 0 0\n")
    find: Callable[..., Path | None] = images.find_drive
    monkeypatch.setattr(images, "find_drive", lambda kind: find(kind, mounts))
    return drive


def test_a_drive_is_found_by_what_it_says_of_itself(drive: Path) -> None:
    assert images.find_drive(kinds.named("pico-w")) == drive
    assert images.find_drive(kinds.named("pico2-w")) is None


def test_an_image_is_copied_to_the_drive_and_the_board_is_waited_for(drive: Path, tmp_path: Path) -> None:
    image = tmp_path / "micropython.uf2"
    image.write_bytes(b"image")
    taken: list[bytes] = []

    def be_a_board() -> None:
        deadline = time.monotonic() + 20
        while not (drive / image.name).exists() or (drive / image.name).read_bytes() != b"image":
            assert time.monotonic() < deadline
            time.sleep(0.01)
        taken.append((drive / image.name).read_bytes())
        (drive / "INFO_UF2.TXT").unlink()  # the drive goes when the board starts

    board = threading.Thread(target=be_a_board)
    board.start()
    images.write_uf2(image, kinds.named("pico-w"), lambda _text: None, 20)
    board.join(20)
    assert taken == [b"image"]


def test_a_drive_that_never_comes_or_never_goes_is_an_error(drive: Path, tmp_path: Path) -> None:
    image = tmp_path / "micropython.uf2"
    image.write_bytes(b"image")
    with pytest.raises(BoardError, match="did not take the image"):
        images.write_uf2(image, kinds.named("pico-w"), lambda _text: None, 0.5)
    with pytest.raises(BoardError, match="no drive"):
        images.write_uf2(image, kinds.named("pico2-w"), lambda _text: None, 0.5)


def test_all_anchors_of_an_authority_go_to_the_pad_as_its_own_der(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "ca")
    authority.init("Test office", days=10)
    pem, anchor = (tmp_path / "ca" / "ca.pem").read_text(), (tmp_path / "ca" / "ca.der").read_bytes()
    assert der(pem) == anchor
    assert der(pem + pem) == anchor + anchor
    with pytest.raises(PadError, match="no PEM certificate"):
        der("-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----")


def test_a_label_is_one_small_page_without_a_secret(tmp_path: Path) -> None:
    made = label.Label("vyshenka-07", "pico-w", "e6614c311b2a3c2f", date(2026, 11, 23))
    assert made.code == "zrazkovo:vyshenka-07:e6614c311b2a3c2f"
    pdf = label.write(made, tmp_path / "new" / "label.pdf").read_bytes()
    assert pdf.startswith(b"%PDF") and pdf.count(b"/MediaBox") == 1
    with pytest.raises(UsageError, match="cannot be written"):
        label.write(made, Path("/proc/label.pdf"))


def test_a_journal_that_went_over_is_known_again_though_the_pad_has_started_since() -> None:
    old, new = Journal(b"abcd"), Journal(b"wxyz")
    for number in range(3):
        old.add(f"c{number:015}", 2, 0)
        new.add(f"c{number:015}", 2, 0)
    before = bytes(old.dump())
    assert tree.holds_votes_of(bytes(new.dump()), before)
    new.add("c000000000000099", 3, 0)
    after = bytes(new.dump())
    assert tree.holds_votes_of(after, before) and not tree.holds_votes_of(before, after)
    assert not tree.holds_votes_of(b"", before) and not tree.holds_votes_of(before, b"")
