"""Real pads (MicroPython, built firmware, LittleFS image) at a real Mosquitto: what order P2.4 to P2.8 asks for."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from firmware.host.build import build
from protocol import codec
from protocol.messages import Command, Health, Vote
from tests.integration.pad_broker import Centre, Mosquitto, plain_broker, plain_centre
from tests.integration.pad_process import ALL, BAD, DARK, EXEMPLARY, GOOD, PadProcess, micropython
from tests.integration.spoiled import spoiled

ONE, TWO = "0000000000000001", "0000000000000002"


def command(do: str) -> bytes:
    return codec.encode(Command("test", do))


broker, centre = plain_broker, plain_centre


@pytest.fixture(scope="session")
def entry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The firmware, built once a worker."""
    return build(tmp_path_factory.mktemp("firmware"))


@pytest.fixture
def make_pad(entry: Path, broker: Mosquitto, tmp_path: Path) -> Iterator[Callable[..., PadProcess]]:
    made: list[PadProcess] = []

    def make(entry: Path = entry, **settings: object) -> PadProcess:
        pad = PadProcess(entry, tmp_path / f"pad{len(made)}", **({"broker_port": broker.port} | settings))
        made.append(pad)
        return pad

    yield make
    for pad in made:
        pad.kill()


@pytest.fixture
def pad(make_pad: Callable[..., PadProcess]) -> PadProcess:
    """A pad that is on and connected."""
    pad = make_pad().start()
    pad.wait_for_log("connected")
    return pad


def test_a_pad_starts_dark_and_says_it_is_online(pad: PadProcess, centre: Centre) -> None:
    status = centre.wait_for_status(state="online", phase="dark")
    pad.has_shown(DARK)
    assert (status.boot, status.reset, status.storage, status.buttons) == (1, "power", "ok", "ok")


def test_a_call_arms_one_press_is_the_vote_and_its_button_stays_lit(pad: PadProcess, centre: Centre) -> None:
    centre.open_call(ONE)
    pad.wait_for_lamps(ALL)
    centre.wait_for_status(phase="armed", call=ONE)
    pad.press(2)
    pad.wait_for_lamps(GOOD)
    vote = centre.wait_for_vote(ONE)
    centre.wait_for_status(phase="voted", call=ONE)
    assert (vote.rating, vote.seq, vote.boot) == (2, 1, 1)
    pad.has_shown(DARK, ALL, GOOD)


def test_every_button_gives_its_own_rating(pad: PadProcess, centre: Centre) -> None:
    for rating, lamps in ((1, BAD), (2, GOOD), (3, EXEMPLARY)):
        call = f"000000000000000{rating}"
        centre.open_call(call)
        centre.wait_for_status(phase="armed", call=call)
        pad.press(rating)
        pad.wait_for_lamps(lamps)
        vote = centre.wait_for_vote(call)
        assert (vote.rating, vote.seq) == (rating, rating)
        centre.acknowledge(vote)


def test_the_status_is_retained_and_says_offline_when_the_power_is_cut(
    pad: PadProcess, centre: Centre, broker: Mosquitto
) -> None:
    centre.wait_for_status(state="online")
    late = Centre(broker.port)
    assert late.wait_for_status().state == "online"
    assert late.heard[0][3], "not retained"
    late.close()
    pad.kill()
    offline = centre.wait_for_status(state="offline")
    assert (offline.phase, offline.call) == ("dark", None)


def test_presses_after_the_vote_are_counted_as_repeats_and_change_nothing(pad: PadProcess, centre: Centre) -> None:
    centre.open_call(ONE)
    pad.wait_for_lamps(ALL)
    pad.press(3)
    pad.wait_for_lamps(EXEMPLARY)
    centre.acknowledge(centre.wait_for_vote(ONE))
    pad.press(1)
    pad.press(2)
    centre.wait_for_report(command("report"), votes=1, repeats=2, no_call=0, outbox=0)
    pad.has_shown(DARK, ALL, EXEMPLARY)
    assert len({(vote.journal, vote.seq) for vote in centre.votes}) == 1


def test_a_press_without_a_call_lights_nothing_and_is_counted(pad: PadProcess, centre: Centre) -> None:
    pad.press(1)
    centre.wait_for_report(command("report"), votes=0, no_call=1)
    pad.has_shown(DARK)


def test_a_recall_changes_nothing(pad: PadProcess, centre: Centre) -> None:
    centre.open_call(ONE)
    pad.wait_for_lamps(ALL)
    centre.open_call(ONE)
    pad.press(1)
    pad.wait_for_lamps(BAD)
    centre.open_call(ONE)
    centre.publish("command", command("report"), retain=False)
    centre.wait_for(lambda message: isinstance(message, Health))
    pad.has_shown(DARK, ALL, BAD)


def test_the_next_call_closes_the_old_one_and_arms_anew(pad: PadProcess, centre: Centre) -> None:
    centre.open_call(ONE)
    pad.wait_for_lamps(ALL)
    pad.press(1)
    pad.wait_for_lamps(BAD)
    centre.open_call(TWO)
    pad.wait_for_lamps(ALL)
    pad.press(3)
    pad.wait_for_lamps(EXEMPLARY)
    centre.acknowledge(centre.wait_for_vote(ONE))
    assert centre.wait_for_vote(TWO).rating == 3
    pad.has_shown(DARK, ALL, BAD, ALL, EXEMPLARY)


def test_the_end_of_the_call_turns_the_lamps_off_with_or_without_a_vote(pad: PadProcess, centre: Centre) -> None:
    centre.open_call(ONE)
    pad.wait_for_lamps(ALL)
    centre.close_call(ONE)
    pad.wait_for_lamps(DARK)
    centre.open_call(TWO)
    pad.wait_for_lamps(ALL)
    pad.press(2)
    pad.wait_for_lamps(GOOD)
    centre.close_call(TWO)
    pad.wait_for_lamps(DARK)
    vote = centre.wait_for_vote(TWO)
    assert set(map(repr, centre.votes)) == {repr(vote)}  # it comes again and again: nobody acknowledges it


def test_a_call_nobody_closed_ends_with_its_trust(pad: PadProcess, centre: Centre) -> None:
    centre.open_call(ONE, for_s=10)  # a pad on a busy machine must hear of it before that
    pad.has_shown(DARK, ALL, DARK)
    pad.press(1)
    centre.wait_for_report(command("report"), votes=0, late=1)


def test_after_a_power_cut_the_same_single_lamp_and_the_same_vote_again(pad: PadProcess, centre: Centre) -> None:
    centre.open_call(ONE)
    pad.wait_for_lamps(ALL)
    pad.press(3)
    pad.wait_for_lamps(EXEMPLARY)
    first = centre.wait_for_vote(ONE)
    centre.cut_power(pad)
    pad.start()
    pad.wait_for_lamps(EXEMPLARY)
    pad.has_shown(DARK, EXEMPLARY)
    again = centre.wait_for_vote(ONE)
    assert again == sent_again(first, again.journal)
    centre.wait_for_status(phase="voted", call=ONE, boot=2, journal=again.journal)
    pad.press(1)
    centre.acknowledge(again)
    centre.wait_for_report(command("report"), votes=0, repeats=1, outbox=0)


def test_a_vote_is_sent_again_until_acknowledged_and_never_after(pad: PadProcess, centre: Centre) -> None:
    centre.open_call(ONE)
    pad.wait_for_lamps(ALL)
    pad.press(1)
    first = centre.wait_for_vote(ONE)
    assert centre.wait_for_vote(ONE, times=2) == first
    centre.acknowledge(first)
    centre.wait_for_report(command("report"), outbox=0, votes=1)
    centre.forget()
    centre.close_call(ONE)
    centre.wait_for_status(phase="dark")  # said in a later turn than the one that wrote the receipt to flash
    centre.cut_power(pad)
    pad.start()
    centre.publish("command", command("report"), retain=False)
    pad.wait_for_log("connected")
    centre.wait_for_status(state="online", boot=2)
    centre.wait_for_report(command("report"), outbox=0, votes=0)
    assert centre.votes == []


def test_votes_given_while_the_broker_is_down_arrive_in_order(
    pad: PadProcess, centre: Centre, broker: Mosquitto
) -> None:
    centre.open_call(ONE)
    pad.wait_for_lamps(ALL)
    broker.stop(signal.SIGKILL)
    pad.wait_for_log("disconnected")
    pad.press(2)
    pad.wait_for_lamps(GOOD)
    broker.start()
    first = centre.wait_for_vote(ONE)
    centre.open_call(TWO)
    pad.wait_for_lamps(ALL)
    pad.press(1)
    pad.wait_for_lamps(BAD)
    centre.acknowledge(first)
    second = centre.wait_for_vote(TWO)
    assert (first.seq, first.rating, second.seq, second.rating) == (1, 2, 2, 1)
    assert {vote.call for vote in centre.votes[: centre.votes.index(second)]} == {ONE}


def test_a_restarted_broker_gets_a_birth_and_the_offline_status_does_not_stay(
    pad: PadProcess, centre: Centre, broker: Mosquitto
) -> None:
    centre.wait_for_status(state="online")
    broker.stop(signal.SIGTERM)
    pad.wait_for_log("disconnected")
    broker.start()
    pad.wait_for_log("connected", times=3)  # "disconnected" has it, too
    late = Centre(broker.port)
    late.wait_for_status(state="online")
    late.close()


def test_a_stale_retained_call_does_not_arm(pad: PadProcess, centre: Centre) -> None:
    centre.open_call(ONE, opened_s=-7200, for_s=3600)
    pad.wait_for_log("not armed")
    pad.kill()
    pad.start()
    pad.wait_for_log("not armed")
    pad.has_shown(DARK)


def test_a_call_from_the_future_does_not_arm(pad: PadProcess, centre: Centre) -> None:
    centre.open_call(ONE, opened_s=3600)
    pad.wait_for_log("not armed")
    pad.has_shown(DARK)


def test_garbage_and_oversized_messages_are_refused_and_the_pad_works_on(pad: PadProcess, centre: Centre) -> None:
    for payload in (b"", b"{", b"\xff\xfe", b'{"v":2,"state":"open"}', b"x" * 900, b"x" * 70000):
        centre.publish("call", payload, retain=False)
    pad.wait_for_log("refused", times=6)
    centre.open_call(ONE)
    pad.wait_for_lamps(ALL)
    centre.publish("call", b"x" * 200000, retain=False)
    centre.publish("ack", b"[1]", retain=False)
    pad.wait_for_log("refused", times=8)
    assert "disconnected" not in pad.log
    pad.press(2)
    assert centre.wait_for_vote(ONE).rating == 2
    pad.has_shown(DARK, ALL, GOOD)


def test_two_buttons_at_once_are_no_vote_and_the_client_may_press_again(
    entry: Path, make_pad: Callable[..., PadProcess], centre: Centre, tmp_path: Path
) -> None:
    """What counts as at once is longer here: between two lines of its wire a pad may be without a processor."""
    patient = "TOGETHER_MS = 1000"
    patient_entry = spoiled(entry.parent, tmp_path / "tree", "firmware/board/touch.py", "TOGETHER_MS = 10", patient)
    pad = make_pad(entry=patient_entry).start()
    pad.wait_for_log("connected")
    centre.open_call(ONE)
    pad.wait_for_lamps(ALL)
    pad.write("P11\nP31\nP10\nP30\n")
    pad.write("nonsense\nP91\nP1\n")
    pad.wait_for_log("not understood", times=3)
    pad.has_shown(DARK, ALL, BAD, ALL)  # answered at once, taken back when the second followed
    pad.press(2)
    pad.wait_for_lamps(GOOD)
    assert centre.wait_for_vote(ONE).rating == 2


def test_of_two_quick_presses_the_first_wins_even_if_they_come_in_one_gulp(pad: PadProcess, centre: Centre) -> None:
    centre.open_call(ONE)
    pad.wait_for_lamps(ALL)
    pad.write("P31\nP30\nP11\nP10\n")
    assert centre.wait_for_vote(ONE).rating == 3
    pad.wait_for_lamps(EXEMPLARY)


def test_restart_on_command_shows_the_vote_again_and_says_why_it_started(pad: PadProcess, centre: Centre) -> None:
    centre.open_call(ONE)
    pad.wait_for_lamps(ALL)
    pad.press(1)
    pad.wait_for_lamps(BAD)
    centre.acknowledge(centre.wait_for_vote(ONE))
    centre.publish("command", command("restart"), retain=False)
    status = centre.wait_for_status(state="online", phase="voted", boot=2)
    assert status.reset == "soft"
    pad.has_shown(DARK, ALL, BAD, DARK, BAD)


def test_identify_blinks_a_dark_pad_and_ends_with_the_truth(pad: PadProcess, centre: Centre) -> None:
    centre.publish("command", command("identify"), retain=False)
    pad.wait_for_log("L" + ALL)
    pad.wait_for_lamps(DARK)
    centre.open_call(ONE)
    centre.wait_for_status(phase="armed")
    pad.press(2)
    pad.wait_for_lamps(GOOD)
    assert pad.lamps[-2:] == [ALL, GOOD]


def test_a_pad_obeys_only_the_calls_of_its_own_desk(
    make_pad: Callable[..., PadProcess], centre: Centre, broker: Mosquitto
) -> None:
    pads = [make_pad(desk=f"desk-{number}").start() for number in (1, 2)]
    for pad in pads:
        pad.wait_for_log("connected")
    other = Centre(broker.port, "desk-2")
    other.open_call(TWO)
    pads[1].wait_for_lamps(ALL)
    assert pads[0].lamps == [DARK]
    other.close()


def test_the_end_of_stdin_switches_the_pad_off_and_the_world_hears_of_it(pad: PadProcess, centre: Centre) -> None:
    centre.wait_for_status(state="online")
    assert pad.switch_off() == 0
    centre.wait_for_status(state="offline")


def test_a_pad_waits_patiently_for_a_broker_that_is_not_there(
    make_pad: Callable[..., PadProcess], broker: Mosquitto
) -> None:
    broker.stop()
    pad = make_pad().start()
    pad.wait_for_log("disconnected", times=2)
    broker.start()
    pad.wait_for_log("# connected")
    pad.has_shown(DARK)


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"broker_port": "1883"}, "broker_port must be an integer"),
        ({"color": 1}, "no such key: color"),
        ({"desk": "Desk 1"}, "desk has a character that is not allowed"),
        ({"keepalive_s": 1}, "keepalive_s must be from 5 to 600"),
    ],
)
def test_a_bad_configuration_is_refused_by_name(
    entry: Path, tmp_path: Path, settings: dict[str, object], problem: str
) -> None:
    pad = PadProcess(entry, tmp_path / "pad", **({"broker_port": 1} | settings)).start()
    assert pad.wait_for_exit() == 2
    assert pad.log.splitlines()[-1] == f"# pad.json: {problem}"


def test_a_missing_configuration_is_refused(entry: Path, tmp_path: Path) -> None:
    pad = PadProcess(entry, tmp_path / "pad", broker_port=1)
    (tmp_path / "pad" / "pad.json").unlink()
    assert pad.start().wait_for_exit() == 2
    assert pad.log.splitlines()[-1] == "# pad.json cannot be read"


@pytest.mark.parametrize("damage", [b"", b"\x00" * 131072, b"not a flash image"])
def test_a_destroyed_flash_is_made_anew_and_reported_as_a_fault(
    make_pad: Callable[..., PadProcess], centre: Centre, damage: bytes
) -> None:
    pad = make_pad()
    (pad.folder / "flash.img").write_bytes(damage)
    pad.start()
    assert centre.wait_for_status(state="online").storage == "fault"
    centre.open_call(ONE)
    pad.wait_for_lamps(ALL)
    pad.press(1)
    assert centre.wait_for_vote(ONE).rating == 1
    pad.kill()
    pad.start()
    pad.wait_for_lamps(BAD)
    centre.wait_for_status(boot=2, storage="ok")


def test_a_full_journal_fits_the_heap_and_the_flash(
    make_pad: Callable[..., PadProcess], entry: Path, centre: Centre
) -> None:
    """The 400th vote nobody confirmed is taken; then the pad stays dark, keeps all of them, and recovers."""
    pad = make_pad()
    fill_journal(entry, pad.folder, 399)
    pad.start()
    first = centre.wait_for(lambda message: isinstance(message, Vote))
    centre.open_call(ONE)
    pad.wait_for_lamps(ALL)
    pad.press(2)
    centre.wait_for_status(phase="voted", storage="full")
    centre.open_call(TWO)
    pad.wait_for_log("not armed")
    centre.cut_power(pad)
    pad.start()
    pad.wait_for_log("not armed")
    assert isinstance(first, Vote)
    again = centre.wait_for_vote(first.call)
    assert again == sent_again(first, again.journal)
    centre.acknowledge(Vote(again.call, 1, 0, again.journal, 1, 399))
    assert centre.wait_for_vote(ONE).seq == 400
    centre.wait_for_status(storage="ok")
    centre.open_call(TWO)
    pad.wait_for_lamps(ALL)
    pad.press(3)
    pad.wait_for_lamps(EXEMPLARY)
    assert "error" not in pad.log


def sent_again(vote: Vote, journal: str) -> Vote:
    """``vote`` as the pad sends it after a restart."""
    return Vote(vote.call, vote.rating, vote.after_ms, journal, vote.boot, vote.seq)


def fill_journal(entry: Path, folder: Path, votes: int) -> None:
    """Writes a journal of that many votes to the pad's flash, with the pad's own code."""
    code = (
        "from firmware import flash_image\n"
        "from firmware.board import store\n"
        "from firmware.core.journal import Journal\n"
        f"flash_image.mount({str(folder / 'flash.img')!r})\n"
        "journal = Journal(b'abcd')\n"
        f"for number in range({votes}): journal.add('c%015d' % number, 1, 0)\n"
        "store.Store('/flash', None).save(journal)\n"
    )
    subprocess.run([micropython(), "-c", code], env=os.environ | {"MICROPYPATH": str(entry.parent)}, check=True)
