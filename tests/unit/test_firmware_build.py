"""The pad's files: what is in them, that they are the same every time, and that only changes are compiled."""

import subprocess
import sys
from pathlib import Path

import pytest

from firmware.host import build as builder
from firmware.host.boards import TARGETS
from firmware.host.build import build, sizes, sources
from firmware.host.errors import BuildError


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_pad_gets_main_and_its_modules_and_nothing_of_the_server(tmp_path: Path) -> None:
    entry = build(tmp_path)
    assert entry == tmp_path / "main.py"
    files = set(sizes(tmp_path))
    assert {
        "main.py",
        "firmware/loader.mpy",
        "start.mpy",
        "firmware/core/pad.mpy",
        "firmware/board/unix.mpy",
        "protocol/codec.mpy",
    } <= files
    assert not {"protocol/access.mpy", "firmware/board/contract.mpy"} & files
    assert not [name for name in files if name.startswith("firmware/host")]


def test_the_same_source_gives_the_same_bytes_and_names_no_folder_of_this_machine(tmp_path: Path) -> None:
    build(tmp_path / "a")
    build(tmp_path / "b")
    first = contents(tmp_path / "a")
    assert first == contents(tmp_path / "b")
    assert not [name for name, data in first.items() if str(Path.cwd()).encode() in data]


def test_an_unchanged_module_is_not_compiled_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build(tmp_path)
    compiled: list[str] = []
    monkeypatch.setattr(builder, "compile_module", lambda name, text, target: compiled.append(name) or b"M")
    build(tmp_path)
    assert compiled == []
    (tmp_path / "firmware/core/pad.mpy").unlink()
    build(tmp_path)
    assert compiled == ["firmware/core/pad.mpy"]


def test_a_module_that_is_gone_from_the_source_is_removed(tmp_path: Path) -> None:
    build(tmp_path)
    stranger = tmp_path / "firmware/core/old.mpy"
    stranger.write_bytes(b"M")
    build(tmp_path)
    assert not stranger.exists()


def test_an_interrupted_or_foreign_stamp_file_means_a_full_build(tmp_path: Path) -> None:
    build(tmp_path)
    before = contents(tmp_path)
    (tmp_path / "build.json").write_bytes(b"{")
    (tmp_path / "firmware/core/pad.mpy").write_bytes(b"stale")
    build(tmp_path)
    assert contents(tmp_path) == before


def test_a_module_that_does_not_compile_is_named() -> None:
    with pytest.raises(BuildError, match=r"^protocol/broken\.py: "):
        builder.compile_module("protocol/broken.mpy", b"def (:\n", TARGETS["unix"])


def test_every_module_of_core_is_on_the_pad() -> None:
    root = Path(builder.__file__).parents[2]
    core = {path.relative_to(root).as_posix() for path in (root / "firmware/core").glob("*.py")}
    assert len(core) >= 4
    assert core <= set(sources())


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "firmware.host", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_command_prints_each_size_and_the_total(tmp_path: Path) -> None:
    done = run("build", str(tmp_path))
    lines = done.stdout.splitlines()
    assert done.returncode == 0
    assert lines[-1].split() == [f"{sum(sizes(tmp_path).values()):,}", "total"]
    assert len(lines) == len(sizes(tmp_path)) + 1


def test_a_folder_that_cannot_be_written_is_one_sentence_and_exit_1(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = run("build", str(tmp_path / "file"))
    assert done.returncode == 1
    assert done.stderr.startswith("firmware.host: ")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("board", sorted(set(TARGETS) - {"unix"}))
def test_every_chips_tree_compiles_and_holds_no_other_boards_code(tmp_path: Path, board: str) -> None:
    build(tmp_path, board)
    files = set(sizes(tmp_path))
    module = f"firmware/board/{board.replace('-', '_')}.mpy"
    others = {f"firmware/board/{name.replace('-', '_')}.mpy" for name in TARGETS} - {module}
    assert {module, "start.mpy", "firmware/board/chip.mpy", "firmware/board/app.mpy"} <= files
    assert not files & (others | {"firmware/board/unix_watchdog.mpy", "firmware/flash_image.mpy"})
    assert sum(sizes(tmp_path).values()) < 80_000
