"""``make run`` as people meet it: started, tried, killed in parts, stopped, started again. Two desks, no history."""

import contextlib
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import psutil
import pytest

from sim.city import CITY
from sim.errors import NoInterpreter
from sim.interpreter import find
from sim.place import Place

ROOT = Path(__file__).parents[2]
STARTED_S = 90.0
DESK = CITY.desks[0].id


def wait_until(condition: Callable[[], object], within_s: float = 60.0) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "not within the deadline"
        time.sleep(0.02)


class Running:
    """A demonstration in its own process, and all that it has printed."""

    def __init__(self, data: Path, *options: str):
        command = [sys.executable, "-m", "sim", "run", "--data", str(data), "--no-history", "--desks", "2", *options]
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
        )
        self.data = data
        self.printed = ""
        self._client = httpx2.Client(timeout=60, trust_env=False)
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    @property
    def address(self) -> str:
        return self._found(r"open (http://127\.0\.0\.1:\d+)/#token=")

    @property
    def token(self) -> str:
        return self._found(r"#token=(\S+)")

    def wait_for(self, text: str, within_s: float = STARTED_S) -> None:
        deadline = time.monotonic() + within_s
        while text not in self.printed:
            if self.process.poll() is not None:
                self._reader.join()
                assert text in self.printed, self.printed
            assert time.monotonic() < deadline, self.printed
            time.sleep(0.02)

    def family(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def member(self, words: str) -> psutil.Process:
        return next(process for process in self.family() if words in " ".join(process.cmdline()))

    def ask(self, method: str, path: str, token: str | None = None, **parameters: str) -> httpx2.Response:
        headers = {"Authorization": f"Bearer {token or self.token}"}
        return self._client.request(method, self.address + path, params=parameters, headers=headers)

    def lamps(self) -> str:
        (desk,) = self.ask("GET", "/v1/try").json()["desks"]
        return str(desk["lamps"]) if desk["connected"] else "off"

    def try_(self, action: str, **parameters: str) -> None:
        answer = self.ask("POST", f"/v1/try/{DESK}/{action}", **parameters)
        assert answer.is_success, answer.text

    def votes(self) -> int:
        answer = self.ask("GET", "/v1/aggregates", by="desk", key=DESK, period="year", purpose="analysis")
        return sum(cell["votes"] for cell in answer.json()["cells"])

    def stop(self, number: int = signal.SIGINT) -> int:
        self.process.send_signal(number)
        code = self.process.wait(60)
        self._reader.join()
        return code

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        self._reader.join()
        self._client.close()

    def _found(self, pattern: str) -> str:
        found = re.search(pattern, self.printed)
        assert found, self.printed
        return found[1]

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.printed += line


@contextlib.contextmanager
def running(data: Path, *options: str) -> Iterator[Running]:
    demo = Running(data, *(options or ("--any-ports",)))
    try:
        demo.wait_for("Ctrl-C stops everything.")
        yield demo
    finally:
        demo.end()


@pytest.fixture(scope="module")
def interpreter() -> None:
    try:
        find(os.environ)
    except NoInterpreter as error:
        pytest.skip(f"MicroPython: {error}")


@pytest.fixture
def data(tmp_path: Path, interpreter: None) -> Path:
    return tmp_path / "demo"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory, interpreter: None) -> Iterator[Running]:
    """One for the tests that leave it running."""
    with running(tmp_path_factory.mktemp("sim") / "demo") as started:
        yield started


def vote(demo: Running, button: str) -> None:
    """One client at the bench's desk, from the call to the vote in the figures."""
    before = demo.votes()
    demo.try_("call")
    wait_until(lambda: demo.lamps() == "111")
    demo.try_("press", button=button)
    demo.try_("release", button=button)
    wait_until(lambda: demo.votes() == before + 1)


def test_the_first_run_shows_a_vote_and_the_second_one_goes_on_from_it(data: Path) -> None:
    with running(data) as first:
        assert httpx2.get(first.address + "/v1/health", trust_env=False).is_success
        wait_until(lambda: first.lamps() == "000")
        vote(first, "3")
        old_token = first.token
        family = first.family()
        assert len(family) == 5 + 2
        assert first.stop() == 0
        assert not [process for process in family if process.is_running()]
    with contextlib.closing(sqlite3.connect(data / "zrazkovo.db")) as database:
        assert database.execute("pragma integrity_check").fetchone() == ("ok",)
    with running(data) as second:
        assert second.votes() >= 1
        assert second.token != old_token
        assert second.ask("GET", "/v1/aggregates", token=old_token).status_code == 401
        assert second.stop(signal.SIGTERM) == 0


def test_a_second_one_on_the_same_data_is_refused_and_disturbs_nothing(demo: Running) -> None:
    other = Running(demo.data, "--any-ports")
    assert other.process.wait(60) == 1
    other.end()
    assert f"process {demo.process.pid}" in other.printed
    assert "Traceback" not in other.printed
    vote(demo, "1")


@pytest.mark.parametrize(
    ("words", "name"),
    [("tether collector --", "collector"), ("tether collector.feed", "feed"), ("tether sim broker", "broker")],
)
def test_a_part_that_is_killed_comes_back_and_the_thread_holds(demo: Running, words: str, name: str) -> None:
    told = demo.printed.count(f"{name} is back")
    demo.member(words).kill()
    wait_until(lambda: demo.printed.count(f"{name} is back") == told + 1, STARTED_S)
    wait_until(lambda: demo.lamps() != "off", 60)
    vote(demo, "2")


def test_a_pad_that_is_killed_comes_back_and_takes_votes(demo: Running) -> None:
    demo.member(DESK).kill()
    wait_until(lambda: demo.lamps() == "off")
    wait_until(lambda: demo.lamps() != "off", 60)
    vote(demo, "1")


def test_no_secret_stands_in_an_argument_a_log_or_a_file_for_all(demo: Running) -> None:
    wait_until(lambda: demo.lamps() != "off")
    kept = json.loads((demo.data / "secrets" / "secrets.json").read_text())
    hidden = [*kept["passwords"].values(), kept["webhook_token"], kept["ticket_secret"], demo.token]
    assert len(set(hidden)) == 3 + 2 + 3
    shown = [" ".join(process.cmdline()) for process in [psutil.Process(demo.process.pid), *demo.family()]]
    shown += [file.read_text() for folder in ("log", "config") for file in (demo.data / folder).iterdir()]
    assert not [secret for secret in hidden if any(secret in text for text in shown)]
    for file in demo.data.rglob("*"):
        with contextlib.suppress(FileNotFoundError):  # it is at work: what is written anew is another file meanwhile
            if file.is_file() and any(secret.encode() in file.read_bytes() for secret in hidden):
                assert file.stat().st_mode & 0o077 == 0, file


def test_everything_listens_on_this_machine_alone(demo: Running) -> None:
    connections = [each for process in demo.family() for each in process.net_connections("inet")]
    assert len([each for each in connections if each.status == psutil.CONN_LISTEN]) == 3
    assert {each.laddr.ip for each in connections} == {"127.0.0.1"}


def test_killing_the_demonstration_leaves_no_process(data: Path) -> None:
    with running(data) as demo:
        family = demo.family()
        demo.end()
        _, left = psutil.wait_procs(family, timeout=60)
        assert not left


def test_the_second_ctrl_c_does_not_wait(data: Path) -> None:
    with running(data) as demo:
        family = demo.family()
        feed = demo.member("collector.feed")
        feed.suspend()  # it will not hear SIGTERM
        demo.process.send_signal(signal.SIGINT)
        demo.wait_for("stopping")
        assert demo.stop() == 130
        _, left = psutil.wait_procs(family, timeout=60)
        assert not left


def test_ctrl_c_while_it_starts_stops_what_there_is(data: Path) -> None:
    demo = Running(data, "--any-ports")
    demo.wait_for("starting feed")
    family = demo.family()
    assert demo.stop() == 0
    demo.end()
    assert not [process for process in family if process.is_running()]
    assert "Traceback" not in demo.printed


def test_taken_ports_are_named_and_others_are_used(data: Path) -> None:
    taken = []
    for port in (8080, 8085, 1883):
        blocker = socket.socket()
        with contextlib.suppress(OSError):  # then somebody else has it, which is as good
            blocker.bind(("127.0.0.1", port))
            blocker.listen()
        taken.append(blocker)
    with running(data, "--speed", "15") as demo:
        for port in (8080, 8085, 1883):
            assert f"port {port} is taken" in demo.printed
        assert demo.ask("GET", "/v1/health").is_success
        assert demo.stop() == 0
    for blocker in taken:
        blocker.close()


def test_without_an_interpreter_it_says_plainly_that_there_are_no_pads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MICROPYTHON", str(tmp_path / "none"))
    with running(tmp_path / "demo") as demo:
        assert "runs with no pads" in demo.printed
        assert "there is no pad" in demo.ask("POST", f"/v1/try/{DESK}/press", button="1").text
        assert demo.stop() == 0


def test_a_database_that_is_none_is_named_without_a_traceback(data: Path) -> None:
    Place(data).prepare(CITY)
    (data / "zrazkovo.db").write_bytes(b"this is no database, but long enough to be looked at" * 40)
    demo = Running(data, "--any-ports")
    assert demo.process.wait(60) == 1
    demo.end()
    assert "zrazkovo.db" in demo.printed or "database" in demo.printed
    assert "Traceback" not in demo.printed
