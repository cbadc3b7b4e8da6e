"""A pad whose application cannot run still answers IT: real MicroPython and Mosquitto, spoiled code and flash."""

from pathlib import Path

import pytest

from protocol import codec
from protocol.messages import Command, Health, Vote
from tests.integration.pad_broker import Centre, Mosquitto, plain_broker, plain_centre
from tests.integration.pad_process import ALL, DARK
from tests.integration.update_bench import NEW, OLD, Fleet, Workshop

ONE, TWO = "0000000000000001", "0000000000000002"
SPOILED = {"firmware/board/app.py": {"        self._store = store\n": "        raise RuntimeError('spoiled')\n"}}

broker, centre = plain_broker, plain_centre


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    return Workshop(tmp_path_factory.mktemp("workshop"))


@pytest.fixture(scope="module")
def spoiled(workshop: Workshop) -> Path:
    """Source of an application that ends before its loop begins."""
    return workshop.change("spoiled", SPOILED)


def test_three_crashes_in_a_row_end_in_a_safe_mode_that_answers_it_and_takes_no_votes(
    workshop: Workshop, spoiled: Path, broker: Mosquitto, centre: Centre, tmp_path: Path
) -> None:
    pad = workshop.pad(tmp_path, broker.port, spoiled).start()
    try:
        status = centre.wait_for_status(state="online", mode="safe")
        assert (status.reset, status.firmware, status.phase) == ("crash", OLD, "dark")
        pad.wait_for_log("crash: RuntimeError", times=3)
        centre.open_call(ONE)
        pad.press(1)
        centre.publish("command", codec.encode(Command("r", "report")), retain=False)
        health = centre.wait_for(lambda message: isinstance(message, Health))
        assert isinstance(health, Health) and health.votes == 0
        pad.has_shown(DARK)
        assert centre.votes == []
        # IT may ask for another attempt: it fails as the ones before.
        centre.publish("command", codec.encode(Command("s", "restart")), retain=False)
        pad.wait_for_log("crash: RuntimeError", times=6)
        centre.wait_for_status(state="online", mode="safe", times=3)
    finally:
        pad.kill()


def test_safe_mode_delivers_the_votes_that_wait_and_an_update_mends_the_pad(
    workshop: Workshop, spoiled: Path, broker: Mosquitto, centre: Centre, tmp_path: Path
) -> None:
    pad = workshop.pad(tmp_path, broker.port).start()
    centre.open_call(ONE)
    pad.wait_for_lamps(ALL)
    pad.press(3)
    vote = centre.wait_for_vote(ONE)
    centre.close_call(ONE)
    pad.wait_for_lamps(DARK)
    pad.kill()
    pad = workshop.pad(tmp_path, broker.port, spoiled).start()
    fleet = Fleet(broker.port, centre)
    try:
        status = centre.wait_for_status(state="online", mode="safe")
        again = centre.wait_for(lambda message: isinstance(message, Vote) and message.journal == status.journal)
        assert isinstance(again, Vote)
        assert (again.call, again.rating, again.boot) == (vote.call, 3, vote.boot)
        fleet.offer(workshop.good)
        centre.wait_for_status(update="done", firmware=NEW, mode="normal")
        centre.open_call(TWO)
        pad.wait_for_lamps(ALL)
    finally:
        pad.kill()
        fleet.close()


@pytest.mark.parametrize("rotten", [b"", b"\xff" * 300, b"ZPJ\x01" + bytes(90)])
def test_safe_mode_is_reached_with_a_rotten_journal_and_a_rotten_boot_record(
    workshop: Workshop, spoiled: Path, broker: Mosquitto, centre: Centre, tmp_path: Path, rotten: bytes
) -> None:
    pad = workshop.pad(tmp_path, broker.port, spoiled, {"journal": rotten, "boot": rotten}).start()
    try:
        centre.wait_for_status(state="online", mode="safe", firmware=OLD)
    finally:
        pad.kill()


@pytest.mark.parametrize("rotten", [b"", b"\xff" * 300])
def test_a_rotten_boot_record_alone_is_no_reason_not_to_work(
    workshop: Workshop, broker: Mosquitto, centre: Centre, tmp_path: Path, rotten: bytes
) -> None:
    pad = workshop.pad(tmp_path, broker.port, None, {"boot": rotten}).start()
    try:
        centre.wait_for_status(state="online", mode="normal", firmware=OLD)
    finally:
        pad.kill()
