"""What the flashing tool says when something is not as it should be: what to do about it, and exit code 1."""

import fcntl
import json
import multiprocessing
import os
import pty
import subprocess
import sys
import threading
import tty
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from firmware.host import kinds, ports
from firmware.host.device import Device
from firmware.host.errors import BoardError, PortError
from tests.integration.flash_office import Office, finish
from tests.integration.pty_board import PtyBoard

DESK = "vyshenka-07"
pytestmark = pytest.mark.usefixtures("office")


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    office = Office(tmp_path_factory.mktemp("office"))
    yield office
    office.close()


@pytest.fixture
def board(tmp_path: Path) -> Iterator[PtyBoard]:
    board = PtyBoard(tmp_path / "board")
    yield board
    board.power_off()


@pytest.fixture
def flash(office: Office, board: PtyBoard) -> Callable[..., str]:
    """Runs the tool, which must fail; gives what the person saw."""

    def run(*words: str, where: tuple[str, ...] = office.where, **environment: str) -> str:
        given = ("flash", "--port", board.port, "--desk", DESK, "--labels", "", "--no-panel")
        ran = office.run(*given, *where, *words, **environment)
        assert ran.code == 1, ran.seen
        assert "Traceback" not in ran.seen
        return ran.seen

    return run


def test_a_port_that_is_not_there_is_said_with_those_that_are(flash: Callable[..., str], board: PtyBoard) -> None:
    board.power_off()
    assert f"nothing on the port {board.port}; ports with something plugged in:" in flash()


def test_a_busy_port_is_said_with_the_program_that_has_it(flash: Callable[..., str], board: PtyBoard) -> None:
    with Path(board.port).open("rb") as port, subprocess.Popen(["sleep", "60"], stdin=port) as other:
        port.close()
        seen = flash()
        other.kill()
    assert f"busy: sleep (pid {other.pid}) has it open; close that first" in seen


def test_a_locked_port_is_busy_even_for_whoever_may_not_see_by_whom(board: PtyBoard) -> None:
    handle = os.open(board.port, os.O_RDWR | os.O_NOCTTY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    with pytest.raises(PortError, match=r"busy: another program has it open"):
        ports.check(board.port)
    os.close(handle)


def check_as_nobody(port: str, told: "multiprocessing.SimpleQueue[str]") -> None:
    os.setgroups([])
    os.setuid(65534)
    try:
        ports.check(port)
    except PortError as error:
        told.put(str(error))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can try what it is not to be root")
def test_no_permission_names_the_group_to_join(board: PtyBoard) -> None:
    os.chown(board.port, 0, 20)
    Path(board.port).chmod(0o660)
    told: multiprocessing.SimpleQueue[str] = multiprocessing.get_context("fork").SimpleQueue()
    process = multiprocessing.get_context("fork").Process(target=check_as_nobody, args=(board.port, told))
    process.start()
    process.join(20)
    assert "belongs to the group dialout; join it: sudo usermod -aG dialout" in told.get()


def test_a_silent_board_may_be_new_and_is_told_how_to_get_a_micropython(office: Office) -> None:
    outer, slave = pty.openpty()
    tty.setraw(slave)
    port = os.ttyname(slave)
    os.close(slave)
    ran = office.run("pads", "--json", "--port", port)
    os.close(outer)
    assert ran.code == 1
    assert f"no MicroPython answers on {port}: if the board is new, write one first with --image" in ran.row["problem"]


def test_another_board_than_asked_for_is_refused_before_anything_is_written(
    flash: Callable[..., str], board: PtyBoard, office: Office
) -> None:
    before = office.passwords.read_text()
    assert "wrong board: linux" in flash("--board", "pico-w")
    assert office.passwords.read_text() == before
    with Device(board.port) as device:
        assert device.listing().files == {}


def test_an_old_micropython_is_refused_with_the_version_it_takes() -> None:
    assert kinds.too_old((1, 23, 0)) is None
    assert kinds.too_old((1, 22, 9)) == (
        "MicroPython 1.22.9 is too old: 1.23.0 is needed; write a newer one with --image (make flash IMAGE=...)"
    )


@pytest.mark.parametrize(
    ("machine", "asked", "before", "chosen"),
    [
        ("Raspberry Pi Pico W with RP2040", None, None, "pico-w"),
        ("Raspberry Pi Pico 2 W with RP2350", None, None, "pico2-w"),
        ("Generic ESP32 module with ESP32", "esp32-eth", None, "esp32-eth"),
        ("Generic ESP32 module with ESP32", None, "esp32-wifi", "esp32-wifi"),
        ("Generic ESP32 module with ESP32", None, None, "say which with --board"),
        ("Raspberry Pi Pico with RP2040", None, None, "no pad is made of this board"),
        ("Generic ESP32S3 module with ESP32S3", None, None, "no pad is made of this board"),
        ("Raspberry Pi Pico 2 W with RP2350", "pico-w", None, "wrong board"),
    ],
)
def test_the_board_is_known_by_what_micropython_says_of_it(
    machine: str, asked: str | None, before: str | None, chosen: str
) -> None:
    if chosen in kinds.NAMES:
        assert kinds.choose(machine, asked, before).name == chosen
    else:
        with pytest.raises(BoardError, match=chosen):
            kinds.choose(machine, asked, before)


def test_a_port_that_vanishes_in_the_middle_is_said_and_the_next_run_mends_it(
    flash: Callable[..., str], board: PtyBoard, office: Office, tmp_path: Path
) -> None:
    board.cut_after(20_000)
    assert "run it again" in flash()
    again = PtyBoard(tmp_path / "board")
    ran = office.run("flash", "--port", again.port, "--desk", DESK, "--labels", "", "--no-panel", *office.where)
    again.power_off()
    assert ran.code == 0, ran.seen
    assert ran.row["written"] > 0


def test_a_broker_that_refuses_the_pad_is_said_in_the_pads_own_words(
    flash: Callable[..., str], office: Office, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "passwords"  # no broker reads this one
    where = ("--passwords", str(elsewhere), "--broker", f"127.0.0.1:{office.broker.port}")
    seen = flash("--wait", "6", where=where)
    assert "the pad runs but did not reach the broker in 6 s; it last said:" in seen


def test_a_broker_that_is_not_there_is_said_before_the_pad_restarts(flash: Callable[..., str], tmp_path: Path) -> None:
    seen = flash(where=("--passwords", str(tmp_path / "passwords"), "--broker", "127.0.0.1:1"))
    assert "the broker 127.0.0.1:1 does not answer" in seen


class Refusing(BaseHTTPRequestHandler):
    """A server that answers every request with the status in its path: /404/v1/..."""

    def do_POST(self) -> None:
        status = int(self.path.split("/")[1])
        body = json.dumps({"title": "No", "detail": "the server's own reason"}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/problem+json")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def refusing() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Refusing)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (401, "the server does not know this token"),
        (403, "it needs the scope provision"),
        (404, f"the server's register has no desk {DESK}"),
        (409, f"the server refuses to register this pad for {DESK}"),
        (500, "the server refuses: HTTP 500"),
    ],
)
def test_a_registration_refused_leaves_the_board_untouched(
    flash: Callable[..., str], board: PtyBoard, refusing: str, status: int, said: str
) -> None:
    seen = flash(where=("--server", f"{refusing}/{status}"), ZRAZKOVO_FLASH_TOKEN="secret-token")
    assert f"{said}" in seen and "(the server's own reason)" in seen
    assert "secret-token" not in seen
    with Device(board.port) as device:
        assert device.listing().files == {}


def test_a_server_that_does_not_answer_is_named(flash: Callable[..., str]) -> None:
    seen = flash(where=("--server", "http://127.0.0.1:1"), ZRAZKOVO_FLASH_TOKEN="x")
    assert "the server http://127.0.0.1:1 does not answer: [Errno 111] Connection refused" in seen


def test_without_a_token_or_a_place_to_register_nothing_begins(flash: Callable[..., str]) -> None:
    assert "the server wants a token" in flash(where=("--server", "http://127.0.0.1:1"))
    assert "say where the pad is registered" in flash(where=())


@pytest.mark.parametrize("words", [(), ("--desk", "x"), ("--port", "/dev/x"), ("--desk", "x", "--list", "y.csv")])
def test_an_incomplete_command_line_says_what_is_missing(office: Office, words: tuple[str, ...]) -> None:
    ran = office.run("flash", *words, *office.where)
    assert ran.code == 1 and "say which" in ran.seen


def test_a_desks_name_that_no_desk_can_have_is_refused(flash: Callable[..., str]) -> None:
    assert "the desk's name" in flash("--desk", "Стіл 7")


def test_settings_that_the_pad_would_not_accept_are_refused_by_its_own_code(
    flash: Callable[..., str], tmp_path: Path
) -> None:
    (tmp_path / "net.toml").write_text('colour = "red"\n')
    assert "the pad does not accept its settings" in flash("--network", str(tmp_path / "net.toml"))


def test_esptool_on_a_port_without_an_esp32_gives_its_last_words(flash: Callable[..., str], tmp_path: Path) -> None:
    image = tmp_path / "esp32.bin"
    image.write_bytes(b"\xe9" + bytes(1023))
    assert "esptool: " in flash("--image", str(image), "--board", "esp32-wifi")


def test_an_interrupt_ends_it_with_a_word_instead_of_a_traceback(office: Office, board: PtyBoard) -> None:
    words = ("flash", "--port", board.port, "--desk", DESK, "--labels", "", *office.where)
    process = office.begin(*words)  # with the panel: it waits for a finger that never comes
    board.wait_for("L100")
    process.send_signal(2)
    ran = finish(process)
    assert ran.code == 1 and "stopped; run it again to go on" in ran.seen


def test_help_of_every_command_comes_without_a_board() -> None:
    for command in ("flash", "pads", "replace", "label", "build"):
        done = subprocess.run(
            [sys.executable, "-m", "firmware.host", command, "-h"], capture_output=True, text=True, check=True
        )
        assert command in done.stdout
