"""Updates over the air with real pads and a real Mosquitto: what arrives, what is refused, what goes back by itself."""

import base64
import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from firmware.host.sign import signed
from protocol import codec
from protocol.messages import Command, PadStatus, Piece, Vote
from tests.integration.pad_broker import Centre, Mosquitto, plain_broker, plain_centre
from tests.integration.pad_process import ALL, DARK, GOOD, PadProcess
from tests.integration.update_bench import NEW, OLD, Fleet, Workshop

ONE = "0000000000000001"
KILLED = -9
DEAF = "    def _try_to_open(self, *_: int) -> None:\n        pass\n\n"
# What a version can do wrong: file, text, instead.
WRONGS = {
    "raises-at-import": ("firmware/board/app.py", '"""The pad', 'raise RuntimeError("spoiled")\n"""The pad'),
    "raises-at-start": ("firmware/board/app.py", "        self._store = store\n", "        raise KeyError(1)\n"),
    "is-not-reached": ("firmware/board/link.py", "    def _try_to_open(self", DEAF + "    def _never(self"),
    "fails-its-self-test": ("firmware/board/app.py", "found.lamps, found.memory", 'found.lamps, "low"'),
}

broker, centre = plain_broker, plain_centre


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    return Workshop(tmp_path_factory.mktemp("workshop"))


@pytest.fixture
def fleet(broker: Mosquitto, centre: Centre) -> Iterator[Fleet]:
    fleet = Fleet(broker.port, centre)
    yield fleet
    fleet.close()


@pytest.fixture
def pad(workshop: Workshop, broker: Mosquitto, tmp_path: Path) -> Iterator[PadProcess]:
    """A pad that runs OLD and is connected."""
    pad = workshop.pad(tmp_path, broker.port).start()
    pad.wait_for_log("connected")
    yield pad
    pad.kill()


def states(centre: Centre) -> list[str]:
    """What PadStatus.update has said, without repeats."""
    said = [message.update for _, _, message, _ in centre.heard if isinstance(message, PadStatus)]
    return [state for number, state in enumerate(said) if number == 0 or said[number - 1] != state]


def test_a_new_version_is_loaded_tried_and_kept(
    workshop: Workshop, pad: PadProcess, centre: Centre, fleet: Fleet
) -> None:
    manifest = fleet.offer(workshop.good)
    status = centre.wait_for_status(update="done", firmware=NEW)
    assert (status.reset, status.mode) == ("update", "normal")
    # The last will of the old version lies between: it was made when that connected.
    assert [state for state in states(centre) if state != "none"] == ["loading", "waiting", "trial", "done"]
    assert fleet.wants[0].sha256 == manifest
    pad.has_shown(DARK, DARK)
    centre.cut_power(pad)
    fleet.wait_for_what_came()
    served = fleet.served
    pad.start()
    assert centre.wait_for_status(state="online", update="done").firmware == NEW
    fleet.wait_for_what_came()
    assert fleet.served == served


def test_what_the_running_slot_has_is_not_loaded_again(
    workshop: Workshop, pad: PadProcess, centre: Centre, fleet: Fleet
) -> None:
    manifest = fleet.offer(workshop.good)
    centre.wait_for_status(update="done", firmware=NEW)
    assert len({want.sha256 for want in fleet.wants} - {manifest}) == 1  # firmware/__init__.mpy has the version


@pytest.mark.parametrize("wrong", sorted(WRONGS))
def test_a_version_that_does_not_work_gives_way_to_the_old_one(
    workshop: Workshop, pad: PadProcess, centre: Centre, fleet: Fleet, wrong: str
) -> None:
    path, before, instead = WRONGS[wrong]
    fleet.offer(workshop.release("3.0.0", {path: {before: instead}}, name=wrong))
    centre.wait_for_status(state="online", update="rolled_back", firmware=OLD)
    fleet.wait_for_what_came()
    served = fleet.served
    centre.open_call(ONE)
    pad.wait_for_lamps(ALL)
    pad.press(2)
    assert centre.wait_for_vote(ONE).rating == 2
    centre.close_call(ONE)
    # The retained offer comes again with the next connection, and is not taken again.
    centre.cut_power(pad)
    pad.start()
    centre.wait_for_status(state="online", update="rolled_back", firmware=OLD)
    fleet.wait_for_what_came()
    assert fleet.served == served
    # A better version is taken.
    fleet.offer(workshop.good)
    centre.wait_for_status(update="done", firmware=NEW)


def test_a_version_that_hangs_is_ended_by_the_watchdog_and_gives_way(
    workshop: Workshop, pad: PadProcess, centre: Centre, fleet: Fleet
) -> None:
    hang = {"firmware/board/app.py": {"        self._store = store\n": "        while True:\n            pass\n"}}
    fleet.offer(workshop.release("3.0.0", hang, name="hangs"))
    for _ in range(3):
        assert pad.wait_for_exit() == KILLED
        pad.start()
    centre.wait_for_status(state="online", update="rolled_back", firmware=OLD)


def test_a_manifest_signed_by_another_key_is_refused_before_anything_is_written(
    workshop: Workshop, pad: PadProcess, centre: Centre, fleet: Fleet
) -> None:
    stranger = rsa.generate_private_key(65537, 2048)
    manifest = fleet.offer(workshop.release("3.0.0", key=stranger, name="stranger"))
    centre.wait_for_status(update="refused", firmware=OLD)
    assert {want.sha256 for want in fleet.wants} == {manifest}
    pad.wait_for_log("not signed by the fleet's key")
    centre.cut_power(pad)
    fleet.wait_for_what_came()
    served = fleet.served
    pad.start()
    centre.wait_for_status(state="online", update="refused")
    fleet.wait_for_what_came()
    assert fleet.served == served
    fleet.offer(workshop.good)
    centre.wait_for_status(update="done", firmware=NEW)


@pytest.mark.parametrize(
    "change", [{"board": "pico-w"}, {"version": "9.9.9"}, {"files": [["../pad.json", 3, "a" * 64]]}]
)
def test_a_signed_manifest_that_is_not_for_this_pad_is_refused(
    workshop: Workshop, pad: PadProcess, centre: Centre, fleet: Fleet, tmp_path: Path, change: dict[str, object]
) -> None:
    told = json.loads((workshop.good / "release.json").read_text())
    listed = json.loads((workshop.good / "objects" / told["manifests"]["unix"]).read_bytes().split(b"\n")[0])
    content = signed(json.dumps(listed | change).encode(), workshop.key)
    (tmp_path / "odd" / "objects").mkdir(parents=True)
    (tmp_path / "odd" / "objects" / sha256(content).hexdigest()).write_bytes(content)
    told["manifests"]["unix"] = sha256(content).hexdigest()
    (tmp_path / "odd" / "release.json").write_text(json.dumps(told))
    fleet.offer(tmp_path / "odd")
    centre.wait_for_status(update="refused", firmware=OLD)
    assert len({want.sha256 for want in fleet.wants}) == 1


def test_a_file_that_is_not_what_the_manifest_says_is_never_run(
    workshop: Workshop, pad: PadProcess, centre: Centre, fleet: Fleet
) -> None:
    def spoil(piece: Piece) -> Piece:
        data = base64.b64decode(piece.data)
        turned = base64.b64encode(data[:-1] + bytes([data[-1] ^ 1])).decode()
        return piece if piece.sha256 == fleet.wants[0].sha256 else Piece(piece.sha256, piece.offset, piece.size, turned)

    fleet.spoil = spoil
    fleet.offer(workshop.good)
    centre.wait_for_status(update="refused", firmware=OLD)
    fleet.spoil = lambda piece: piece
    fleet.offer(workshop.good)  # made anew: it arrives live
    centre.wait_for_status(update="done", firmware=NEW)


def test_a_withdrawn_offer_is_left_where_it_stands(
    workshop: Workshop, pad: PadProcess, centre: Centre, fleet: Fleet
) -> None:
    fleet.stop_after = 3
    fleet.offer(workshop.good)
    fleet.wait_until_served(3)
    centre.wait_for_status(update="loading")
    centre.forget()
    fleet.withdraw()
    centre.wait_for_status(update="none", firmware=OLD)
    fleet.stop_after = None
    fleet.offer(workshop.good)
    centre.wait_for_status(update="done", firmware=NEW)


def test_a_call_that_opens_meanwhile_arms_at_once_and_the_update_waits_for_its_end(
    workshop: Workshop, pad: PadProcess, centre: Centre, fleet: Fleet
) -> None:
    fleet.stop_after = 4
    fleet.offer(workshop.good)
    fleet.wait_until_served(4)
    centre.open_call(ONE)
    pad.wait_for_lamps(ALL)
    centre.wait_for_status(phase="armed")
    fleet.wait_for_what_came()
    fleet.stop_after = None
    asked = len(fleet.wants)
    pad.press(2)
    pad.wait_for_lamps(GOOD)
    centre.wait_for_vote(ONE)
    centre.publish("command", codec.encode(Command("r", "report")), retain=False)
    centre.wait_for_status(update="loading", phase="voted")
    fleet.wait_for_what_came()
    assert len(fleet.wants) <= asked + 1
    centre.close_call(ONE)
    pad.wait_for_lamps(DARK)
    centre.wait_for_status(update="done", firmware=NEW)


def test_a_vote_that_nobody_has_acknowledged_survives_the_update(
    workshop: Workshop, pad: PadProcess, centre: Centre, fleet: Fleet
) -> None:
    centre.open_call(ONE)
    pad.wait_for_lamps(ALL)
    pad.press(2)
    vote = centre.wait_for_vote(ONE)
    centre.close_call(ONE)
    fleet.offer(workshop.good)
    centre.wait_for_status(update="done", firmware=NEW)
    # It goes out again, under the id that the journal has since this start.
    again = centre.wait_for(lambda message: isinstance(message, Vote) and message.journal != vote.journal)
    assert isinstance(again, Vote)
    assert (again.call, again.rating, again.boot) == (vote.call, 2, vote.boot)


@pytest.mark.parametrize("served", [1, 5, 9, 10, 11])
def test_a_pad_switched_off_while_loading_goes_on_where_it_was(
    workshop: Workshop, pad: PadProcess, centre: Centre, fleet: Fleet, served: int
) -> None:
    fleet.stop_after = served
    fleet.offer(workshop.good)
    fleet.wait_until_served(served)
    pad.kill()
    fleet.stop_after = None
    pad.start()
    centre.wait_for_status(update="done", firmware=NEW)


@pytest.mark.parametrize("line", ["is on flash", "pad " + NEW, "committed"])
def test_a_pad_switched_off_while_changing_over_ends_with_the_new_version(
    workshop: Workshop, pad: PadProcess, centre: Centre, fleet: Fleet, line: str
) -> None:
    fleet.offer(workshop.good)
    pad.wait_for_log(line)
    pad.kill()
    centre.forget()
    pad.start()
    centre.wait_for_status(state="online", update="done", firmware=NEW)
