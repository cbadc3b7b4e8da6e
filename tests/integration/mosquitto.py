"""A real Mosquitto as an office would run it: passwords, the access list of protocol/access.py, sessions on disk."""

import contextlib
import getpass
import signal
import subprocess
import time
from pathlib import Path

import paho.mqtt.client as paho

from protocol.access import MOSQUITTO_RULES, mosquitto_acl
from sim.ports import choose_lasting
from tests.integration.pad_broker import mosquitto_binary

DEADLINE_S = 60


class GuardedMosquitto:
    """Keeps port, users, sessions and queued messages over a restart."""

    def __init__(
        self,
        folder: Path,
        users: tuple[str, ...],
        *,
        options: str = "",
        branches: dict[str, tuple[str, ...]] | None = None,
    ):
        self.binary = mosquitto_binary()
        self.port = choose_lasting()
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "acl").write_text(mosquitto_acl(branches))
        self.passwords = passwords = folder / "passwords"
        passwords.write_text("".join(f"{user}:{self.password(user)}\n" for user in users))
        subprocess.run(["mosquitto_passwd", "-U", str(passwords)], check=True, capture_output=True)
        for path in (folder / "acl", passwords):
            path.chmod(0o600)
        (folder / "mosquitto.conf").write_text(
            f"user {getpass.getuser()}\n"
            f"listener {self.port} 127.0.0.1\n"
            + "".join(f"{rule}\n" for rule in MOSQUITTO_RULES)
            + f"password_file {passwords}\n"
            f"acl_file {folder / 'acl'}\n"
            f"persistence true\npersistence_location {folder}/\n" + options
        )

    @staticmethod
    def password(user: str) -> str:
        return f"secret-of-{user}"

    def start(self) -> "GuardedMosquitto":
        log = self._folder / "mosquitto.log"
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [self.binary, "-c", str(self._folder / "mosquitto.conf")], stdout=output, stderr=output
            )
        deadline = time.monotonic() + DEADLINE_S
        while True:
            try:
                self.client("it").disconnect()
                return self
            except OSError:
                assert time.monotonic() < deadline and self._process.poll() is None, log.read_text()
                time.sleep(0.01)

    def stop(self) -> None:
        """Ends it in good order, so that its sessions are written.

        It is told again until it has ended: it takes connections before its loop runs, and forgets what it was told
        before that.
        """
        if self._process:
            deadline = time.monotonic() + DEADLINE_S
            while self._process.poll() is None:
                assert time.monotonic() < deadline, f"the broker does not end: {self.says}"
                self._process.send_signal(signal.SIGTERM)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(1)
            self._process = None

    @property
    def says(self) -> str:
        return (self._folder / "mosquitto.log").read_text(errors="replace")

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    def signal(self, sign: int) -> None:
        assert self._process
        self._process.send_signal(sign)

    def client(self, user: str, client_id: str = "") -> paho.Client:
        """A connected client; its network loop is the caller's to run."""
        client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id, reconnect_on_failure=False)
        client.username_pw_set(user, self.password(user))
        client.connect("127.0.0.1", self.port)
        return client
