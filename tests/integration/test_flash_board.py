"""`make flash` over a pseudo-terminal: real mpremote, real MicroPython with LittleFS, real Mosquitto, real pad."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from firmware.host.device import Device
from tests.integration.flash_office import Office
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
