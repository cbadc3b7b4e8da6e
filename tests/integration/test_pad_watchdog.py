"""A pad that hangs or crashes restarts and says in what: real MicroPython, with one module of the firmware spoiled."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from firmware.host.build import build
from tests.integration.pad_broker import Centre, Mosquitto, plain_broker, plain_centre
from tests.integration.pad_process import ALL, DARK, EXEMPLARY, PadProcess
from tests.integration.spoiled import spoiled

ONE = "0000000000000001"
KILLED = -9

broker, centre = plain_broker, plain_centre


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("firmware")).parent


@pytest.fixture
def spoil(built: Path, broker: Mosquitto, tmp_path: Path) -> Iterator[Callable[[str, str, str], PadProcess]]:
    """spoil(module, line, instead): a pad whose ``module`` has ``instead`` in place of ``line``, once."""
    pads: list[PadProcess] = []

    def make(module: str, line: str, instead: str) -> PadProcess:
        entry = spoiled(built, tmp_path / "tree", module, line, instead)
        pads.append(PadProcess(entry, tmp_path / "it's a pad", broker_port=broker.port))
        return pads[-1]

    yield make
    for pad in pads:
        pad.kill()


def test_a_hung_network_task_restarts_the_pad_and_no_vote_is_lost(
    spoil: Callable[[str, str, str], PadProcess], centre: Centre
) -> None:
    line = "        vote = self._journal.oldest()\n"
    hang = "        while self._journal.boot == 1:\n            pass\n"
    pad = spoil("firmware/board/courier.py", line, hang + line).start()
    centre.open_call(ONE)
    pad.wait_for_lamps(ALL)
    pad.write("P31\nP30\n")
    assert pad.wait_for_exit() == KILLED
    pad.start()
    status = centre.wait_for_status(boot=2)
    assert (status.reset, status.during) == ("watchdog", "network")
    vote = centre.wait_for_vote(ONE)
    assert (vote.rating, vote.boot) == (3, 1)
    pad.wait_for_lamps(EXEMPLARY)
    assert pad.switch_off() == 0
    pad.start()
    assert centre.wait_for_status(boot=3).reset == "power"


def test_an_interpreter_that_sleeps_in_one_call_is_ended_too(
    spoil: Callable[[str, str, str], PadProcess], centre: Centre
) -> None:
    line = "        record = changed.dump()\n"
    pad = spoil(
        "firmware/board/store.py", line, line + "        if changed.depth:\n            __import__('time').sleep(60)\n"
    )
    pad.start()
    centre.open_call(ONE)
    pad.wait_for_lamps(ALL)
    pad.press(3)
    assert pad.wait_for_exit() == KILLED
    pad.start()
    status = centre.wait_for_status(boot=2)
    assert (status.reset, status.during) == ("watchdog", "storage")
    assert centre.votes == []
    pad.wait_for_lamps(ALL)  # the vote had not reached flash: the client may press again


def test_a_crash_while_starting_is_named_by_the_start_that_succeeds(
    spoil: Callable[[str, str, str], PadProcess], centre: Centre
) -> None:
    line = "        found.start(self._random_bytes(4))\n        self.save(found)\n"
    crash = line + "        if found.boot == 1:\n            raise RuntimeError('spoiled')\n"
    pad = spoil("firmware/board/store.py", line, crash).start()
    pad.wait_for_log("crash: RuntimeError")
    pad.wait_for_lamps(DARK)
    status = centre.wait_for_status(boot=2)
    assert (status.reset, status.during) == ("crash", "starting")
