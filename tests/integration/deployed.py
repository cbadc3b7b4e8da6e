"""An installation started from what ``python -m deploy`` has written, as systemd would: no test is in it.

Folders come from tmpfiles.conf; command, environment and credentials of a service from its unit.
"""

import getpass
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from firmware.host.ca import Authority
from sim.ports import choose_lasting
from tests.integration.pad_broker import mosquitto_binary

ROOT = Path(__file__).parents[2]
# Only how long a failing test waits. A feed's pauses grow to a minute while nobody answers it.
DEADLINE_S = 100.0
_RUNNING = " running\n"


def until(reached: Callable[[], object], what: Callable[[], str]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not reached():
        assert time.monotonic() < deadline, what()
        time.sleep(0.02)


class Installation:
    """Args:
    enter: a command that starts another in a place of its own, such as a network namespace.
    """

    def __init__(self, folder: Path, kind: str, register: Path, *, enter: tuple[str, ...] = ()):
        self.out, self.state = folder / "out", folder / "state"
        self.kind = kind
        self.ports = {name: choose_lasting() for name in ("pads", "servers", "feed", "api")}
        self.ports |= {name: choose_lasting() for name in ("collector-metrics", "fleet-metrics")}
        self._register = register
        self._enter = enter
        self._folder = folder
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        folder.mkdir(parents=True, exist_ok=True)

    def write(self, authority: Authority, domain: str, *more: str) -> "Installation":
        """Runs the command, puts the certificate where it says, makes the folders."""
        ports = [argument for name, port in self.ports.items() for argument in ("--port", f"{name}={port}")]
        command = [sys.executable, "-m", "deploy", self.kind, "--register", str(self._register)]
        command += ["--out", str(self.out), "--state", str(self.state), "--domain", domain]
        command += ["--broker-user", getpass.getuser(), *ports, *more]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        certificate = authority.server([domain])
        for source, name in (
            (certificate, "broker.pem"),
            (certificate.with_suffix(".key"), "broker.key"),
            (authority.folder / "ca.pem", "ca.pem"),
        ):
            shutil.copy(source, self.out / "tls" / name)
        self._make_folders()
        return self

    def secret(self, name: str) -> str:
        return (self.out / "secrets" / name).read_text().strip()

    def log(self, name: str) -> str:
        path = self._folder / f"{name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def start_broker(self) -> None:
        said = self.log("broker").count(_RUNNING)
        self._spawn("broker", [mosquitto_binary(), "-c", str(self.out / "mosquitto" / "mosquitto.conf")], {})
        until(lambda: self.log("broker").count(_RUNNING) > said, lambda: self.log("broker"))

    def start(self, unit: str, ready: str) -> None:
        """Starts a service of that name (``zrazkovo-`` and ``.service`` left out) and waits for its ready line."""
        name, _, instance = unit.partition("@")
        text = (self.out / "systemd" / f"zrazkovo-{name}{'@' if instance else ''}.service").read_text()
        text = text.replace("%i", instance)
        assert f"WorkingDirectory={ROOT}\n" in text
        (command,) = re.findall(r"^ExecStart=(.*)$", text, re.M)
        files = re.findall(r"^EnvironmentFile=(.*)$", text, re.M)
        environ = dict(line.split("=", 1) for file in files for line in Path(file).read_text().splitlines())
        credentials = self._folder / f"credentials-{unit}"
        for each in re.findall(r"^LoadCredential=(.*)$", text, re.M):
            key, _, path = each.partition(":")
            credentials.mkdir(mode=0o700, exist_ok=True)
            shutil.copy(path, credentials / key)
        environ["CREDENTIALS_DIRECTORY"] = str(credentials)
        said = self.log(unit).count(ready)
        assert "Type=notify\n" in text
        with tempfile.TemporaryDirectory() as short, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
            environ["NOTIFY_SOCKET"] = f"{short}/notify"
            systemd.bind(environ["NOTIFY_SOCKET"])
            systemd.settimeout(DEADLINE_S)
            self._spawn(unit, command.split(), environ)
            while b"READY=1" not in systemd.recv(4096):
                pass  # otherwise systemd would end it, and TimeoutError this
        until(lambda: self.log(unit).count(ready) > said, lambda: self.log(unit))

    def reload_broker(self) -> None:
        """What zrazkovo-broker.path has done."""
        self._processes["broker"].send_signal(signal.SIGHUP)

    def kill(self, name: str) -> None:
        process = self._processes.pop(name, None)
        if process:
            process.kill()
            process.wait(DEADLINE_S)

    def stop(self, name: str) -> int:
        process = self._processes.pop(name)
        process.terminate()
        return process.wait(DEADLINE_S)

    def end(self) -> None:
        for name in list(self._processes):
            self.kill(name)

    def _spawn(self, name: str, command: list[str], environ: dict[str, str]) -> None:
        with (self._folder / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(
                [*self._enter, *command], cwd=ROOT, env=os.environ | environ, stdout=log, stderr=log
            )

    def _make_folders(self) -> None:
        """What systemd-tmpfiles does with our lines, but for owners."""
        for line in (self.out / "systemd" / "tmpfiles.conf").read_text().splitlines():
            what, name, mode, *rest = line.split()
            path = Path(name)
            if what == "d":
                path.mkdir(parents=True, exist_ok=True)
            elif what == "C" and not path.exists():
                shutil.copy(rest[-1], path)
            elif what == "f" and not path.exists():
                path.touch()
            if what in "dCf":
                path.chmod(int(mode, 8))
