"""A pad that loads what it is offered, piece by piece, as plain MQTT; nothing of the firmware is in it."""

import base64
import json
import queue
import threading
from hashlib import sha256
from typing import Any

from protocol import topics
from protocol.messages import Message, Piece, UpdateOffered, Want
from tests.integration.fleet_process import FakePad
from tests.integration.mosquitto import GuardedMosquitto

_PATIENCE_S = 2.0  # before a piece is asked for again


class UpdatingPad(FakePad):
    """``fate``: done, refused, or rolled_back after the trial. ``loaded`` counts bytes, while it ``may_load``."""

    def __init__(self, broker: GuardedMosquitto, desk: str, fate: str = "done"):
        self.fate = fate
        self.loaded = 0
        self.asked_again = 0
        self.may_load = threading.Event()
        self.may_load.set()
        self._news: queue.SimpleQueue[UpdateOffered | None] = queue.SimpleQueue()
        self._pieces: queue.SimpleQueue[Piece] = queue.SimpleQueue()
        super().__init__(broker, desk)
        self.on = self._told
        # What is retained may have come before there was anybody to tell.
        for topic, message in list(self.heard):
            self._told(topic, message)
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def leave(self) -> None:
        self._news.put(None)
        self._thread.join()
        super().leave()

    def _told(self, _: str, message: Message) -> None:
        if isinstance(message, UpdateOffered):
            self._news.put(message)
        elif isinstance(message, Piece):
            self._pieces.put(message)

    def _work(self) -> None:
        while (offer := self._news.get()) is not None:
            if offer.version == self.words["firmware"]:
                continue
            self.say(update="loading")
            self.may_load.wait()
            manifest = json.loads(self._load(offer.manifest).partition(b"\n")[0])
            for _, size, name in manifest["files"]:
                assert len(self._load(name)) == size
            if self.fate == "refused":
                self.say(update="refused")
                continue
            before = self.words["firmware"]
            boot: Any = self.words["boot"]
            self.say(firmware=offer.version, update="trial", boot=boot + 1, reset="update")
            if self.fate == "done":
                self.say(update="done")
            else:
                self.say(firmware=before, update="rolled_back", boot=boot + 2, reset="update")

    def _load(self, name: str) -> bytes:
        content, size = b"", 1
        while len(content) < size:
            self.tell(topics.desk(self.desk, "want"), Want(name, len(content)), retain=False)
            try:
                piece = self._pieces.get(timeout=_PATIENCE_S)
            except queue.Empty:
                self.asked_again += 1
                continue
            if (piece.sha256, piece.offset) == (name, len(content)):
                assert piece.size, "there is no such file"
                size = piece.size
                content += base64.b64decode(piece.data)
        assert sha256(content).hexdigest() == name
        self.loaded += len(content)
        return content
