"""`make flash` over a pseudo-terminal: real mpremote, real MicroPython with LittleFS, real Mosquitto, real pad."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from firmware.host.device import Device
from tests.integration.flash_office import Office, finish
from tests.integration.pty_board import PtyBoard

DESK = "vyshenka-07"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    office = Office(tmp_path_factory.mktemp("office"))
    yield office
    office.close()


@pytest.fixture
def make_board(tmp_path: Path) -> Iterator[Callable[..., PtyBoard]]:
    boards: list[PtyBoard] = []

    def make(name: str = "board", hardware: str = "e6614c311b2a3c2f") -> PtyBoard:
        boards.append(PtyBoard(tmp_path / name, hardware))
        return boards[-1]

    yield make
    for board in boards:
        board.power_off()


@pytest.fixture
def board(make_board: Callable[..., PtyBoard]) -> PtyBoard:
    return make_board()


@pytest.fixture
def words(office: Office, tmp_path: Path) -> tuple[str, ...]:
    return *office.where, "--labels", str(tmp_path / "labels"), "--no-panel"


def test_a_blank_board_becomes_a_pad_whose_first_status_the_broker_has(
    office: Office, board: PtyBoard, words: tuple[str, ...], tmp_path: Path
) -> None:
    ran = office.run("flash", "--port", board.port, "--desk", DESK, *words)
    assert ran.code == 0, ran.seen
    assert ran.row["ok"] and ran.row["outcome"] == "done"
    assert (ran.row["desk"], ran.row["board"], ran.row["hardware"]) == (DESK, "unix", board.hardware)
    assert (ran.row["boot"], ran.row["status"], ran.row["panel"]) == (1, "seen by the broker", "skipped")
    assert Path(ran.row["label"]).read_bytes().startswith(b"%PDF")
    assert f"{DESK}:$7$" in office.passwords.read_text()


def test_a_second_run_changes_nothing_and_says_so(office: Office, board: PtyBoard, words: tuple[str, ...]) -> None:
    first = office.run("flash", "--port", board.port, "--desk", DESK, *words)
    lines = office.passwords.read_text()
    second = office.run("flash", "--port", board.port, "--desk", DESK, *words)
    assert (first.code, second.code) == (0, 0), second.seen
    assert second.row["outcome"] == "unchanged"
    assert (second.row["written"], second.row["removed"], second.row["bytes"]) == (0, 0, 0)
    assert "unchanged: all" in second.seen
    assert office.passwords.read_text() == lines


def test_no_password_is_seen_anywhere(office: Office, board: PtyBoard, words: tuple[str, ...]) -> None:
    ran = office.run("flash", "--port", board.port, "--desk", DESK, *words)
    with Device(board.port) as device:
        password = json.loads(device.read("/pad.json"))["password"]
    assert len(password) == 32
    assert password not in ran.seen + json.dumps(ran.rows) + office.passwords.read_text()


def press_each(board: PtyBoard, *order: int) -> None:
    """A person who presses these buttons, one at each lamp that lights."""
    lamps = {1: "L100", 2: "L010", 3: "L001"}
    for turn, button in enumerate(order, start=1):
        board.wait_for(lamps[turn])
        board.press(button)


def test_the_person_presses_each_lit_button(office: Office, board: PtyBoard, words: tuple[str, ...]) -> None:
    process = office.begin("flash", "--port", board.port, "--desk", DESK, *words[:-1])
    press_each(board, 1, 2, 3)
    ran = finish(process)
    assert ran.code == 0, ran.seen
    assert ran.row["panel"] == "ok"
    assert "press the button that is lit: the left (bad) one" in ran.seen
    assert "right (exemplary): lamp and button work" in ran.seen


def test_swapped_wires_fail_the_pad_by_the_names_of_the_buttons(
    office: Office, board: PtyBoard, words: tuple[str, ...]
) -> None:
    process = office.begin("flash", "--port", board.port, "--desk", DESK, *words[:-1])
    press_each(board, 1, 3, 2)
    ran = finish(process)
    assert ran.code == 1
    assert "the right (exemplary) button was pressed: wrong button, or swapped wires" in ran.seen
    assert "broken: middle (good), right (exemplary); mend it and run this again" in ran.seen


def test_a_pad_cut_off_anywhere_is_mended_by_running_again(
    office: Office, make_board: Callable[..., PtyBoard], words: tuple[str, ...]
) -> None:
    """Each run is cut a little later than the one before, and goes on from what that one left."""
    for received_bytes in range(4_000, 60_000, 8_000):
        board = make_board()
        board.cut_after(received_bytes)
        ran = office.run("flash", "--port", board.port, "--desk", DESK, *words)
        board.power_off()
        if ran.code == 0:
            break
        assert "Traceback" not in ran.seen
    board = make_board()
    last = office.run("flash", "--port", board.port, "--desk", DESK, *words)
    assert last.code == 0, last.seen
    assert last.row["status"] == "seen by the broker"


def test_a_stranger_on_the_board_is_removed(office: Office, board: PtyBoard, words: tuple[str, ...]) -> None:
    with Device(board.port) as device:
        device.write("/boot.py", b"import webrepl\n")
        device.write("/lib/old/thing.py", b"1\n")
    ran = office.run("flash", "--port", board.port, "--desk", DESK, *words)
    assert ran.code == 0, ran.seen
    assert ran.row["removed"] == 2
    with Device(board.port) as device:
        found = device.listing()
    assert "/boot.py" not in found.files
    assert not [folder for folder in found.folders if folder.startswith("/lib")]


def test_pads_lists_what_is_on_a_port_and_lets_the_pad_go_on(
    office: Office, board: PtyBoard, words: tuple[str, ...]
) -> None:
    assert office.run("flash", "--port", board.port, "--desk", DESK, *words).code == 0
    ran = office.run("pads", "--json", "--port", board.port)
    assert ran.code == 0, ran.seen
    row = ran.row
    assert (row["port"], row["board"], row["desk"], row["hardware"]) == (board.port, "unix", DESK, board.hardware)
    assert row["micropython"].startswith("1.") and row["problem"] == ""
    board.wait_for("boot 2")


def test_another_desks_pad_is_taken_only_when_told_to(office: Office, board: PtyBoard, words: tuple[str, ...]) -> None:
    assert office.run("flash", "--port", board.port, "--desk", "desk-1", *words).code == 0
    refused = office.run("flash", "--port", board.port, "--desk", DESK, *words)
    assert refused.code == 1 and "this is the pad of desk-1; to make it the pad of vyshenka-07: --move" in refused.seen
    moved = office.run("flash", "--port", board.port, "--desk", DESK, "--move", *words)
    assert moved.code == 0, moved.seen
    assert moved.row["boot"] == 1


def test_many_pads_from_a_list_with_a_summary_and_a_record_to_go_on_from(
    office: Office, make_board: Callable[..., PtyBoard], words: tuple[str, ...], tmp_path: Path
) -> None:
    first, second = make_board("first", "aa" * 8), make_board("second", "bb" * 8)
    listed, record = tmp_path / "pads.csv", tmp_path / "record.jsonl"
    listed.write_text(f"desk,port\ndesk-1,{first.port}\ndesk-2,/dev/nothing\ndesk-3,{second.port}\n")
    many = ("flash", "--list", str(listed), "--record", str(record), *words)
    ran = office.run(*many)
    assert ran.code == 1
    assert [(row["desk"], row["ok"]) for row in ran.rows] == [("desk-1", True), ("desk-2", False), ("desk-3", True)]
    assert "2 of 3 pads are at work" in ran.seen
    listed.write_text(listed.read_text().replace("/dev/nothing", second.port).replace(f"desk-3,{second.port}\n", ""))
    again = office.run(*many, "--move")
    assert again.code == 0, again.seen
    assert [row["desk"] for row in again.rows] == ["desk-2"]
    assert "2 of 2 pads are at work" in again.seen
