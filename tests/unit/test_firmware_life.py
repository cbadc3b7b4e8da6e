"""A start that goes wrong: what only a person can mend ends at the prompt, what may pass is tried again."""

from pathlib import Path

import pytest

from firmware.board import life
from firmware.board.config import ConfigError
from firmware.boot import NORMAL


class Board:
    NAME = "unix"

    def __init__(self) -> None:
        self.said: list[str] = []
        self.left: list[str] = []

    def log(self, text: str) -> None:
        self.said.append(text)

    def leave(self, reset: str) -> None:
        self.left.append(reset)


def start(tmp_path: Path, board: Board, failure: Exception) -> object:
    settings = tmp_path / "pad.json"
    settings.write_text('{"desk": "d", "broker_host": "h", "broker_port": 1, "password": "p"}')

    def connect(config: object) -> None:
        raise failure

    return life.run(board, str(tmp_path), NORMAL, str(settings), connect)  # type: ignore[arg-type]


@pytest.mark.parametrize("failure", [OSError(12, "no memory"), OSError(19, "no such device"), MemoryError()])
def test_a_driver_that_fails_at_the_start_is_a_crash_and_so_is_tried_again(tmp_path: Path, failure: Exception) -> None:
    board = Board()
    with pytest.raises(type(failure)):
        start(tmp_path, board, failure)
    assert board.left == ["crash"]


def test_settings_that_cannot_be_used_are_said_and_end_at_the_prompt(tmp_path: Path) -> None:
    board = Board()
    assert start(tmp_path, board, ConfigError("pad.json: network must be wifi")) == life.BAD_SETTINGS
    assert board.said == ["pad.json: network must be wifi"] and board.left == []


def test_no_settings_end_at_the_prompt(tmp_path: Path) -> None:
    board = Board()
    missing = str(tmp_path / "pad.json")
    assert life.run(board, str(tmp_path), NORMAL, missing, lambda config: None) == life.BAD_SETTINGS  # type: ignore[arg-type, return-value]
    assert board.said == ["pad.json cannot be read"]
