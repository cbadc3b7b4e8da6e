"""`replace`: a new board takes a desk's place, and the votes the old pad still holds go with it."""

import json
import queue
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import paho.mqtt.client as paho
import pytest

from firmware.host import tree
from firmware.host.device import Device
from protocol import codec, topics
from protocol.messages import CallOpened, Vote
from tests.integration.flash_office import Office
from tests.integration.pty_board import PtyBoard

DESK = "vyshenka-07"
CALL = "a" * 16
DEADLINE_S = 20


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    office = Office(tmp_path / "office")
    yield office
    office.close()


@pytest.fixture
def make_board(tmp_path: Path) -> Iterator[Callable[..., PtyBoard]]:
    boards: list[PtyBoard] = []

    def make(name: str, hardware: str) -> PtyBoard:
        boards.append(PtyBoard(tmp_path / name, hardware))
        return boards[-1]

    yield make
    for board in boards:
        board.power_off()


@pytest.fixture
def words(office: Office, tmp_path: Path) -> tuple[str, ...]:
    return "--desk", DESK, *office.where, "--labels", str(tmp_path / "labels"), "--no-panel"


class Hall:
    """The desk's feed, and a collector that hears votes but confirms none: it is down."""

    def __init__(self, office: Office):
        self.votes: queue.Queue[Vote] = queue.Queue()
        self._clients = [office.broker.client("feed", "feed-1"), office.broker.client("collector", "collector-1")]
        self._clients[1].on_message = self._on_message
        self._clients[1].subscribe(topics.every_desk("vote"), 1)
        for client in self._clients:
            client.loop_start()

    def call(self, call: str) -> None:
        now_unix_ms = int(time.time() * 1000)
        payload = codec.encode(CallOpened(call, now_unix_ms, now_unix_ms + 600_000))
        self._clients[0].publish(topics.desk(DESK, "call"), payload, 1, True).wait_for_publish(DEADLINE_S)

    def close(self) -> None:
        for client in self._clients:
            client.disconnect()
            client.loop_stop()

    def _on_message(self, _client: object, _data: object, message: paho.MQTTMessage) -> None:
        vote = codec.decode("vote", bytes(message.payload))
        assert isinstance(vote, Vote)
        self.votes.put(vote)


@pytest.fixture
def hall(office: Office) -> Iterator[Hall]:
    hall = Hall(office)
    yield hall
    hall.close()


def vote_at(board: PtyBoard, hall: Hall) -> Vote:
    """A client votes "good" at the desk, and nobody confirms it."""
    hall.call(CALL)
    board.wait_for("L111")
    board.press(2)
    return hall.votes.get(timeout=DEADLINE_S)


def password_of(board: PtyBoard) -> str:
    with Device(board.port) as device:
        return str(json.loads(device.read(tree.SETTINGS))["password"])


def lets_in(office: Office, password: str) -> bool:
    """Whether the broker would let the desk's pad in with this password."""
    answers: queue.Queue[bool] = queue.Queue()
    client = paho.Client(paho.CallbackAPIVersion.VERSION2, DESK)
    client.username_pw_set(DESK, password)
    client.on_connect = lambda _c, _d, _f, reason, _p: answers.put(not reason.is_failure)
    client.connect("127.0.0.1", office.broker.port)
    client.loop_start()
    found = answers.get(timeout=DEADLINE_S)
    client.disconnect()
    client.loop_stop()
    return found


def test_the_old_pads_vote_is_delivered_by_the_new_one_and_its_password_dies(
    office: Office, hall: Hall, make_board: Callable[..., PtyBoard], words: tuple[str, ...]
) -> None:
    old = make_board("old", "aa" * 8)
    assert office.run("flash", "--port", old.port, *words).code == 0
    vote = vote_at(old, hall)
    old_password = password_of(old)  # and so the pad is stopped, its vote in its flash
    while not hall.votes.empty():
        hall.votes.get()
    new = make_board("new", "bb" * 8)
    ran = office.run("replace", "--port", new.port, "--old-port", old.port, *words)
    assert ran.code == 0, ran.seen
    assert (ran.row["outcome"], ran.row["hardware"]) == ("replaced", "bb" * 8)
    assert "1 votes that nobody has confirmed go over to the new pad" in ran.seen
    again = hall.votes.get(timeout=DEADLINE_S)
    assert (again.call, again.rating) == (vote.call, vote.rating) == (CALL, 2)
    new.wait_for("L010")  # its client sees the choice still lit
    assert not lets_in(office, old_password)
    with Device(old.port) as device:
        left = device.listing().files
    assert tree.SETTINGS not in left and tree.JOURNAL not in left


def test_run_again_after_a_cut_it_goes_on_and_loses_nothing(
    office: Office, hall: Hall, make_board: Callable[..., PtyBoard], words: tuple[str, ...]
) -> None:
    old = make_board("old", "aa" * 8)
    assert office.run("flash", "--port", old.port, *words).code == 0
    vote_at(old, hall)
    new = make_board("new", "bb" * 8)
    new.cut_after(30_000)
    broken = office.run("replace", "--port", new.port, "--old-port", old.port, *words)
    assert broken.code == 1 and "run it again" in broken.seen
    while not hall.votes.empty():
        hall.votes.get()
    new = make_board("new", "bb" * 8)
    ran = office.run("replace", "--port", new.port, "--old-port", old.port, *words)
    assert ran.code == 0, ran.seen
    assert hall.votes.get(timeout=DEADLINE_S).call == CALL


def test_a_dead_pad_is_replaced_only_when_that_is_said(
    office: Office, make_board: Callable[..., PtyBoard], words: tuple[str, ...]
) -> None:
    new = make_board("new", "bb" * 8)
    silent = office.run("replace", "--port", new.port, *words)
    assert silent.code == 2 and "one of the arguments --old-port --dead is required" in silent.seen
    ran = office.run("replace", "--port", new.port, "--dead", *words)
    assert ran.code == 0, ran.seen
    assert "the votes that the old pad has not delivered stay on it: how many is not known" in ran.seen


def test_a_pad_of_another_desk_is_not_taken_for_the_old_one(
    office: Office, make_board: Callable[..., PtyBoard], words: tuple[str, ...]
) -> None:
    old, new = make_board("old", "aa" * 8), make_board("new", "bb" * 8)
    assert office.run("flash", "--port", old.port, *words[2:], "--desk", "desk-1").code == 0
    ran = office.run("replace", "--port", new.port, "--old-port", old.port, *words)
    assert ran.code == 1 and f"is the pad of desk-1, not of {DESK}" in ran.seen
