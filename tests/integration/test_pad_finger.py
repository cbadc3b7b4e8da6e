"""A real pad's buttons and lamps: answered by an interrupt while its loop is busy, as bright as it is told."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from firmware.host.build import build
from protocol import codec
from protocol.messages import Command, Settings
from tests.bench.bench_finger import compile_driver, measure
from tests.integration.pad_broker import Centre, Mosquitto
from tests.integration.pad_process import ALL, BAD, DARK, GOOD, PadProcess
from tests.integration.spoiled import spoiled

ONE, TWO = "0000000000000001", "0000000000000002"


@pytest.fixture(scope="module")
def entry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("firmware"))


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[Centre]:
    broker = Mosquitto(tmp_path / "broker").start()
    centre = Centre(broker.port)
    centre.broker_port = broker.port  # type: ignore[attr-defined]
    yield centre
    centre.close()
    broker.stop()


@pytest.fixture
def pad(entry: Path, centre: Centre, tmp_path: Path) -> Iterator[PadProcess]:
    pad = PadProcess(entry, tmp_path / "pad", broker_port=centre.broker_port).start()  # type: ignore[attr-defined]
    pad.wait_for_log("connected")
    yield pad
    pad.kill()


def lines(pad: PadProcess) -> list[str]:
    return [line for line in pad.log.split("\n") if line[:1] in ("L", "B")]


def test_a_press_is_answered_while_the_loop_sleeps(entry: Path, tmp_path: Path) -> None:
    """Its loop sleeps for 100 ms in each turn: answered by the loop, half of the presses would take 50 ms and more."""
    compile_driver(entry.parent)
    series = measure("blocked", tmp_path, entry, 15, random.Random(5))
    assert max(series.turns_ms) >= 100
    assert sorted(series.pad_ms)[7] < 30


def test_settings_kept_at_the_broker_dim_the_lamps(pad: PadProcess, centre: Centre) -> None:
    centre.publish("settings", codec.encode(Settings(armed_pct=40, chosen_pct=70)), retain=True)
    centre.open_call(ONE)
    pad.wait_for_lamps(ALL)
    pad.press(2)
    pad.wait_for_log("B70")
    assert lines(pad) == ["L000", "B40", "L111", "L010", "B70"]
    centre.open_call(TWO)
    pad.wait_for_lamps(ALL)
    assert lines(pad)[-2:] == ["B40", "L111"]


def test_a_pad_that_starts_again_behaves_as_the_one_before(
    entry: Path, pad: PadProcess, centre: Centre, tmp_path: Path
) -> None:
    centre.publish("settings", codec.encode(Settings(chosen_s=1)), retain=True)
    pad.kill()
    pad.start()
    pad.wait_for_log("connected")
    centre.open_call(ONE)
    pad.wait_for_lamps(ALL)
    pad.press(1)
    centre.acknowledge(centre.wait_for_vote(ONE))
    pad.has_shown(DARK, ALL, BAD, DARK)
    pad.press(3)  # the lock outlasts the light
    centre.open_call(TWO)
    pad.wait_for_lamps(ALL)
    pad.press(2)
    assert centre.wait_for_vote(TWO).rating == 2
    assert {(vote.call, vote.rating) for vote in centre.votes} == {(ONE, 1), (TWO, 2)}
    pad.has_shown(DARK, ALL, BAD, DARK, ALL, GOOD, DARK)


def test_what_a_test_does_after_a_push_comes_after_it_however_late_the_pad_feels_it(
    entry: Path, centre: Centre, tmp_path: Path
) -> None:
    """On a busy machine the thread that is its wires may be without a processor while the next call comes in."""
    line = "        level = line[2] - _LOW\n"
    late = line + "        time.sleep_ms(300)\n"
    slow = spoiled(entry.parent, tmp_path / "slow", "firmware/board/unix_wire.py", line, late)
    pad = PadProcess(slow, tmp_path / "pad", broker_port=centre.broker_port).start()  # type: ignore[attr-defined]
    try:
        centre.open_call(ONE)
        pad.wait_for_lamps(ALL)
        pad.press(1)
        centre.acknowledge(centre.wait_for_vote(ONE))
        pad.press(3)
        centre.open_call(TWO)
        pad.wait_for_lamps(ALL)
        centre.wait_for_report(codec.encode(Command("r", "report")), votes=1, repeats=1)
        pad.has_shown(DARK, ALL, BAD, ALL)
    finally:
        pad.kill()
