"""A real Mosquitto as an office runs it: passwords, the access list, TLS for pads, sessions and messages on disk."""

import getpass
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from firmware.host.ca import Authority
from protocol import topics
from protocol.access import MOSQUITTO_RULES, mosquitto_acl
from sim.chaos.programs import Program
from sim.errors import SettingsError
from sim.passwords import write_private
from sim.ports import HOST, choose_lasting

OBSERVER = "campaign"  # a user of our own: reads everything, and says again what others have said


@dataclass(frozen=True, slots=True)
class Doors:
    """The broker's ports: without encryption for the campaign itself, and with TLS for everybody else."""

    plain: int
    tls: int


class Broker:
    """Mosquitto in ``folder``; ``program`` is its process, ``anchor`` what its clients trust (DER)."""

    def __init__(self, folder: Path, passwords: Mapping[str, str], log_file: Path):
        if shutil.which("mosquitto") is None:
            raise SettingsError("mosquitto is not installed: apt-get install mosquitto")
        self.doors = Doors(choose_lasting(), choose_lasting())
        self._folder = folder
        folder.mkdir(mode=0o700)
        authority = Authority(folder / "ca")
        authority.init("Campaign CA")
        certificate = authority.server([HOST])
        self.anchor = (authority.folder / "ca.der").read_bytes()
        self.anchor_pem = authority.folder / "ca.pem"
        write_private(folder / "passwords", "".join(f"{user}:{secret}\n" for user, secret in passwords.items()))
        subprocess.run(["mosquitto_passwd", "-U", str(folder / "passwords")], check=True, capture_output=True)
        (folder / "passwords").chmod(0o600)
        write_private(folder / "acl", f"{mosquitto_acl()}user {OBSERVER}\ntopic readwrite {topics.ROOT}/#\n")
        (folder / "mosquitto.conf").write_text(self._configuration(certificate))
        command = ["mosquitto", "-c", str(folder / "mosquitto.conf")]
        self.program = Program("broker", command, ready=rb"version [0-9.]+ running", log_file=log_file)

    def wipe(self) -> None:
        """Everything that it had kept on disk is gone; to be called while it is down."""
        for file in self._folder.glob("mosquitto.db*"):
            file.unlink()

    def _configuration(self, certificate: Path) -> str:
        lines = [
            f"user {getpass.getuser()}",
            *(rule for rule in MOSQUITTO_RULES if not rule.startswith("use_")),
            f"password_file {self._folder}/passwords",
            f"acl_file {self._folder}/acl",
            "persistence true",
            f"persistence_location {self._folder}/",
            "autosave_interval 5",
            "set_tcp_nodelay true",
            f"listener {self.doors.plain} {HOST}",
            f"listener {self.doors.tls} {HOST}",
            *(rule for rule in MOSQUITTO_RULES if rule.startswith("use_")),
            f"certfile {certificate}",
            f"keyfile {certificate.with_suffix('.key')}",
            "tls_version tlsv1.2",
        ]
        return "\n".join(lines) + "\n"
