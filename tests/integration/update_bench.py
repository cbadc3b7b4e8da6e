"""Real pads with two slots, releases made of changed source, and the fleet's end of the wire, for tests of updates.

The times in firmware/board/update.py are shortened in the copy of the source that the pads run.
"""

import hashlib
import os
import shutil
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import paho.mqtt.client as paho
from cryptography.hazmat.primitives.asymmetric import rsa

from collector.fleet.shelf import Shelf
from firmware.host.build import build
from firmware.host.release import release, slot
from firmware.host.sign import public_file
from protocol import codec, topics
from protocol.messages import Piece, UpdateOffered, UpdateWithdrawn, Want
from tests.integration.pad_broker import Centre
from tests.integration.pad_process import DEADLINE_S, PadProcess, micropython

ROOT = Path(__file__).parents[2]
# A trial is long enough for a pad that has no processor for seconds to come back to its broker.
FAST = {"CALM_MS = 3000": "CALM_MS = 300", "AGAIN_MS = 5000": "AGAIN_MS = 500", "TRIAL_MS = 600000": "TRIAL_MS = 15000"}
STEADY = {"STEADY_MS = 20000": "STEADY_MS = 500"}
NAPS = {"_NAPS = 7": "_NAPS = 5"}
OLD, NEW = "1.0.0", "2.0.0"
_NOBODY = "nobody"


class Workshop:
    """Source, key and releases; made once, used by many tests."""

    def __init__(self, folder: Path):
        self.key = rsa.generate_private_key(65537, 2048)
        self.source = self.change(
            "source", {"firmware/board/update.py": FAST | STEADY, "firmware/board/unix_watchdog.py": NAPS}, ROOT, folder
        )
        self.entry = build(folder / "root", root=self.source)
        self._folder = folder
        self._slot = slot("unix", OLD, self.key, self.source)
        self.good = self.release(NEW)

    def change(
        self, name: str, changes: dict[str, dict[str, str]], source: Path | None = None, folder: Path | None = None
    ) -> Path:
        """A copy of the source in which ``changes`` = {file: {text: instead}} have been made."""
        copy = (folder or self._folder) / name
        for room in ("firmware", "protocol"):
            shutil.copytree((source or self.source) / room, copy / room)
        for path, texts in changes.items():
            text = (copy / path).read_text()
            for before, after in texts.items():
                assert text.count(before) == 1, f"{path} has changed: {before!r} is not in it once"
                text = text.replace(before, after)
            (copy / path).write_text(text)
        return copy

    def release(
        self,
        version: str,
        changes: dict[str, dict[str, str]] | None = None,
        key: rsa.RSAPrivateKey | None = None,
        name: str | None = None,
    ) -> Path:
        """A release folder of the source with ``changes``, signed by ``key`` (the fleet's, if None)."""
        name = name or version
        source = self.change(name + "-source", changes) if changes else self.source
        release(self._folder / name, version, key or self.key, ["unix"], source)
        return self._folder / name

    def pad(
        self,
        folder: Path,
        port: int,
        source: Path | None = None,
        state: dict[str, bytes] | None = None,
        **settings: object,
    ) -> PadProcess:
        """A pad whose slot a has OLD (or ``source``); what was on its flash stays, but for files in ``state``."""
        flash = folder / "flash"
        files = slot("unix", OLD, self.key, source) if source else self._slot
        for name, content in (state or {}).items():
            (flash / "state").mkdir(parents=True, exist_ok=True)
            (flash / "state" / name).write_bytes(content)
        for path, content in files.items():
            target = flash / "a" / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        (flash / "fleet.pub").write_bytes(public_file(self.key))
        pad = PadProcess(self.entry, folder / "pad", broker_port=port, **settings)
        script = ROOT / "tests/micropython/fill_flash.py"
        environment = os.environ | {"MICROPYPATH": str(self.entry.parent)}
        command = [micropython(), str(script), str(pad.folder / "flash.img"), str(flash)]
        subprocess.run(command, env=environment, check=True)
        return pad


class Fleet:
    """Offers releases and serves their pieces, as collector/fleet does; and counts, delays or spoils them."""

    def __init__(self, port: int, centre: Centre):
        self.served = 0
        self.wants: list[Want] = []
        self.stop_after: int | None = None  # from then on nobody answers
        self.spoil: Callable[[Piece], Piece] = lambda piece: piece
        self._centre = centre
        self._shelf: Shelf | None = None
        self._changed = threading.Condition()
        self._passed = threading.Event()
        self._client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id="")
        ready = threading.Event()
        self._client.on_connect = lambda client, *_: client.subscribe(topics.every_desk("want"))
        self._client.on_subscribe = lambda *_: ready.set()
        self._client.on_message = self._on_want
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert ready.wait(DEADLINE_S)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def offer(self, folder: Path, board: str = "unix") -> str:
        """Offers the release in ``folder``; returns the SHA-256 of its manifest."""
        self._shelf = Shelf(folder)
        self._shelf.look()
        version = next(iter(self._shelf.releases))
        manifest = self._shelf.manifest(version, board)
        assert manifest
        self._centre.publish("update", codec.encode(UpdateOffered(version, manifest)), retain=True)
        return manifest

    def withdraw(self) -> None:
        self._centre.publish("update", codec.encode(UpdateWithdrawn()), retain=True)

    def wait_until_served(self, count: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self.served >= count, DEADLINE_S), self.served

    def wait_for_what_came(self) -> None:
        """Until everything is counted that the broker had of pads before: a pad asks again when it had to wait.

        The broker hands out in order what it takes: a word of our own comes after all that it had by then.
        """
        self._passed.clear()
        self._client.publish(topics.desk(_NOBODY, "want"), b"", 0)
        assert self._passed.wait(DEADLINE_S), "the broker does not hand out"

    def _on_want(self, client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        if topics.parse(message.topic)[1] == _NOBODY:
            self._passed.set()
            return
        want = codec.decode("want", message.payload)
        assert isinstance(want, Want) and self._shelf
        with self._changed:
            self.wants.append(want)
            if self.stop_after is not None and self.served >= self.stop_after:
                return
            self.served += 1
            self._changed.notify_all()
        piece = self.spoil(self._shelf.piece(want))
        desk = topics.parse(message.topic)[1]
        client.publish(topics.desk(desk, "piece"), codec.encode(piece), 0, False)


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
