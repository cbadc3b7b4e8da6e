"""`make flash` with the whole server behind it: api, fleet service, Mosquitto and collector, each a real process.

The api takes the registration, the fleet service writes the broker's password file, the broker lets the pad in, the
collector stores its status, and the api tells the flashing tool of it.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.test_api_process import running
from tests.integration.collector_process import CollectorProcess
from tests.integration.flash_office import Ran, finish
from tests.integration.fleet_process import FleetProcess, open_store
from tests.integration.mosquitto import GuardedMosquitto
from tests.integration.pty_board import PtyBoard

ROOT = Path(__file__).parents[2]
DESK = "centre-07"


class Centre:
    """Everything of an office's server, and the tool that talks to its api."""

    def __init__(self, folder: Path, url: str, token: str):
        self._folder = folder
        self._url = url
        self._token = token

    def flash(self, board: PtyBoard, *words: str, token: str | None = None) -> Ran:
        given = ("--server", self._url, "--labels", "", "--no-panel", *words)
        process = subprocess.Popen(
            [sys.executable, "-m", "firmware.host", "flash", "--port", board.port, *given],
            cwd=ROOT,
            env=os.environ | {"ZRAZKOVO_FLASH_TOKEN": token or self._token},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        return finish(process)


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[Centre]:
    broker = GuardedMosquitto(tmp_path / "broker", ("it", "feed", "collector"))
    base, passwords = tmp_path / "base", tmp_path / "broker" / "passwords"
    base.write_bytes(passwords.read_bytes())
    broker.start()
    database = f"sqlite:///{tmp_path / 'zrazkovo.db'}"
    store = open_store(database)
    token = store.create_token("IT", ["provision", "devices"])
    fleet = FleetProcess(
        tmp_path,
        broker,
        database,
        password_base=str(base),
        password_file=str(passwords),
        broker_reload=f"kill -HUP {broker.pid}",
    ).start()
    collector = CollectorProcess(tmp_path, broker.port, database, (DESK,)).start()
    settings = (
        f'database_url = "{database}"\nlisten_port = 0\n'
        f'pads_broker_host = "127.0.0.1"\npads_broker_port = {broker.port}\n'
    )
    try:
        with running(tmp_path, settings) as api:
            yield Centre(tmp_path, api.address(), token)
    finally:
        collector.kill()
        fleet.kill()
        broker.stop()
        store.close()


@pytest.fixture
def board(tmp_path: Path) -> Iterator[PtyBoard]:
    board = PtyBoard(tmp_path / "board")
    yield board
    board.power_off()


def test_a_pad_is_registered_let_in_and_seen_by_the_server(centre: Centre, board: PtyBoard) -> None:
    ran = centre.flash(board, "--desk", DESK)
    assert ran.code == 0, ran.seen
    assert (ran.row["desk"], ran.row["boot"], ran.row["status"]) == (DESK, 1, "seen by the server")
    again = centre.flash(board, "--desk", DESK)
    assert again.code == 0, again.seen
    assert (again.row["outcome"], again.row["boot"]) == ("unchanged", 2)


def test_an_unknown_desk_and_an_unknown_token_are_refused_by_the_real_server(centre: Centre, board: PtyBoard) -> None:
    unknown = centre.flash(board, "--desk", "nowhere-1")
    assert unknown.code == 1 and "the server's register has no desk nowhere-1" in unknown.seen
    stranger = centre.flash(board, "--desk", DESK, token="not-a-token")
    assert stranger.code == 1 and "the server does not know this token" in stranger.seen
