"""One truth about pins: what the pads run is what the tables, the diagrams' sources and their pictures say."""

import json
import re
import shutil
from pathlib import Path

import pytest

from firmware.host import wiring
from firmware.host.errors import HostError, UsageError
from firmware.host.kinds import NAMES

BOARDS = tuple(wiring.LAYOUTS)
SVG_TEXT = re.compile(r"<text[^>]*>([^<]*)</text>")


def committed(board: str, suffix: str) -> str:
    return (wiring.FOLDER / f"{board}{suffix}").read_text(encoding="utf-8")


def test_every_board_of_the_flashing_tool_but_the_unix_build_is_documented() -> None:
    assert {*BOARDS, "unix"} == set(NAMES)


@pytest.mark.parametrize("board", BOARDS)
def test_the_boards_file_has_three_buttons_and_three_lamps_that_come_out_on_its_header(board: str) -> None:
    found = wiring.pins(board)
    assert len(set(found.buttons + found.lamps)) == 6
    places = [wiring.LAYOUTS[board].place(gpio) for gpio in found.buttons + found.lamps]
    layout = wiring.LAYOUTS[board]
    assert len({*places, layout.volts_5, layout.volts_3, layout.grounds[0]}) == 9


@pytest.mark.parametrize("board", BOARDS)
def test_the_readme_has_the_pins_that_the_code_has(board: str) -> None:
    readme = wiring.README.read_text(encoding="utf-8")
    found, layout = wiring.pins(board), wiring.LAYOUTS[board]
    table = readme.partition(f"**{board}** (")[2].partition("\n\n**")[0]
    for what, numbers in (("button", found.buttons), ("lamp", found.lamps)):
        for (rating, label), gpio in zip(wiring.RATINGS, numbers, strict=True):
            assert f"| {what}: {rating} ({label}) | {gpio} | {layout.place(gpio)} |" in table


def test_the_readme_is_what_the_generator_makes() -> None:
    readme = wiring.README.read_text(encoding="utf-8")
    assert wiring.filled(readme) == readme, "run: .venv/bin/python -m firmware.host wiring"


@pytest.mark.parametrize("board", BOARDS)
def test_the_diagrams_source_connects_each_button_and_lamp_to_its_pin(board: str) -> None:
    document = json.loads(wiring.source(board))
    found, layout = wiring.pins(board), wiring.LAYOUTS[board]
    ends = [(next(iter(chain[0])), *chain[0].values(), *chain[-1].items()) for chain in document["connections"]]
    places = [int(place) if place.isdigit() else place for place in map(layout.place, found.buttons)]
    assert [end[1][0] for end in ends[:3]] == places
    assert [end[2][0] for end in ends[:3]] == ["S1", "S2", "S3"]
    lamps = [int(place) if place.isdigit() else place for place in map(layout.place, found.lamps)]
    assert ends[3][1][:3] == lamps
    # The driver's outputs face its inputs: 1 to 16, 2 to 15, 3 to 14.
    assert [(end[1][0], end[2][0]) for end in ends[4:]] == [(16, "S1"), (15, "S2"), (14, "S3")]


@pytest.mark.parametrize("board", BOARDS)
def test_source_and_picture_are_of_today(board: str) -> None:
    hint = "run: .venv/bin/python -m firmware.host wiring, and look at the picture"
    assert committed(board, ".yml") == wiring.source(board) + "\n", hint
    assert committed(board, ".svg").endswith(wiring.stamp(board)), hint


@pytest.mark.parametrize("board", BOARDS)
def test_the_picture_says_what_a_fresh_one_says(board: str) -> None:
    """Letter for letter; graphviz versions lay out differently."""
    if not shutil.which("dot"):
        pytest.skip("graphviz is not installed: apt-get install graphviz")
    fresh = sorted(SVG_TEXT.findall(wiring.draw(wiring.source(board))))
    assert sorted(SVG_TEXT.findall(committed(board, ".svg"))) == fresh
    assert len(fresh) > 80


def test_without_its_tools_it_says_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wiring.sys, "executable", str(tmp_path / "python"))
    with pytest.raises(HostError, match="wireviz cannot be run"):
        wiring.draw("{}")


def test_a_readme_without_its_places_is_refused() -> None:
    with pytest.raises(UsageError, match="no place for pins"):
        wiring.filled("# nothing")


def test_the_budget_adds_up() -> None:
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in wiring.budget().splitlines()[2:]]
    for board, dark, armed, peak, *_ in rows:
        layout = wiring.LAYOUTS[board]
        assert dark == f"{layout.typical_ma} mA"
        assert armed == f"{layout.typical_ma + 60} mA"
        assert int(peak.split()[0]) == layout.peak_ma + 60 < 1000
