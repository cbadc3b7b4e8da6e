"""``python -m api`` as a process: its ready line, its log, its end, and what it says when it cannot start."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from tests.contract.api_office import Office, events_of, until


class Process:
    """A running api and everything it has logged so far."""

    def __init__(self, arguments: list[str], environment: dict[str, str]):
        plain = {name: value for name, value in os.environ.items() if not name.startswith("ZRAZKOVO_")}
        self.child = subprocess.Popen(
            [sys.executable, "-m", "api", *arguments],
            env=plain | environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.log: list[str] = []
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()

    def _read(self) -> None:
        assert self.child.stderr
        self.log.extend(iter(self.child.stderr.readline, ""))

    @property
    def text(self) -> str:
        return "".join(self.log)

    def address(self) -> str:
        until(lambda: "ready" in self.text or self.child.poll() is not None, within_s=60)
        found = re.search(r"ready on (http://\S+)", self.text)
        assert found, self.text
        return found[1]

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        self.child.send_signal(how)
        return self.wait()

    def wait(self) -> int:
        code = self.child.wait(60)
        self._reading.join(60)
        return code


@contextmanager
def running(folder: Path, settings: str, **environment: str) -> Iterator[Process]:
    file = folder / "api.toml"
    file.write_text(settings, encoding="utf-8")
    process = Process(["--config", str(file)], environment)
    try:
        yield process
    finally:
        if process.child.poll() is None:
            process.child.kill()
            process.wait()


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path)
    yield made
    made.store.close()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_it_says_once_that_it_is_ready_and_stops_at_once_with_a_stream_open(
    office: Office, tmp_path: Path, how: signal.Signals
) -> None:
    with running(tmp_path, f'database_url = "{office.url}"\nlisten_port = 0\n') as process:
        headers = {"Authorization": f"Bearer {office.token('figures', 'devices')}"}
        with httpx2.stream("GET", f"{process.address()}/v1/live", headers=headers, timeout=60) as response:
            events = events_of(response)
            assert next(events)[0] == "snapshot"
            assert process.stop(how) == 0
            assert list(events) == []
    assert process.text.count("ready") == 1
    assert "Traceback" not in process.text and "WARNING" not in process.text


def test_its_log_holds_no_query_and_no_token(office: Office, tmp_path: Path) -> None:
    with running(tmp_path, f'database_url = "{office.url}"\nlisten_port = 0\n') as process:
        token = office.token("figures", "operators")
        address = process.address()
        params = {"by": "operator", "key": "olena", "purpose": "analysis"}
        headers = {"Authorization": f"Bearer {token}"}
        assert httpx2.get(f"{address}/v1/aggregates", params=params, headers=headers).status_code == 200
        until(lambda: "/v1/aggregates" in process.text)
        assert process.stop() == 0
    assert "olena" not in process.text and token not in process.text


def test_a_host_beyond_this_machine_is_served_with_a_warning(office: Office, tmp_path: Path) -> None:
    settings = f'database_url = "{office.url}"\nlisten_host = "0.0.0.0"\nlisten_port = 0\n'
    with running(tmp_path, settings) as process:
        process.address()
        assert "reverse proxy with TLS" in process.text
        assert process.stop() == 0


def test_bad_settings_end_it_with_2_and_name_the_key(tmp_path: Path) -> None:
    with running(tmp_path, "listen_prt = 1\n") as process:
        assert process.wait() == 2
    assert re.fullmatch(
        r"api: .*api\.toml, line 1: listen_prt: there is no such setting; did you mean listen_port\?\n", process.text
    )


def test_a_bad_value_in_the_environment_is_named_too(tmp_path: Path) -> None:
    with running(tmp_path, "", ZRAZKOVO_API_LISTEN_PORT="http") as process:
        assert process.wait() == 2
    assert process.text == "api: ZRAZKOVO_API_LISTEN_PORT: must be a whole number, not 'http'\n"


def test_a_taken_port_ends_it_with_1_and_one_line(office: Office, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with running(tmp_path, f'database_url = "{office.url}"\nlisten_port = {port}\n') as process:
            assert process.wait() == 1
    assert re.fullmatch(rf"api: .*127\.0\.0\.1.*{port}.*\n", process.text)


def test_a_database_that_cannot_be_opened_ends_it_with_1_and_one_line(tmp_path: Path) -> None:
    with running(tmp_path, 'database_url = "mysql://nowhere"\nlisten_port = 0\n') as process:
        assert process.wait() == 1
    assert re.fullmatch(r"api: .+\n", process.text)


def test_the_openapi_document_is_written_without_settings_or_database(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "api", "openapi"],
        stdout=subprocess.PIPE,
        env=dict(os.environ) | {"ZRAZKOVO_API_DATABASE_URL": "nonsense"},
        check=True,
    )
    assert b'"/v1/aggregates"' in run.stdout
    assert not list(tmp_path.iterdir())
