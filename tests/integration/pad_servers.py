"""A name server and a time server for pads under test, on loopback ports of their own. They know one answer each."""

import socket
import struct
import threading
import time

_NTP_EPOCH_S = 2208988800


class _Udp:
    """Answers datagrams while ``answers``; counts what it was asked, once it has answered.

    ``questions`` are those that differ: whoever is kept waiting asks the same again.
    """

    def __init__(self) -> None:
        self.answers = True
        self.asked = 0
        self.questions: set[bytes] = set()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])
        self._changed = threading.Condition()
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def address(self) -> str:
        """As pad.json has it."""
        return f"127.0.0.1:{self.port}"

    def close(self) -> None:
        self._socket.close()

    def wait_until_asked(self, times: int, deadline_s: float = 60) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self.asked >= times, deadline_s), f"asked {self.asked} times"

    def wait_for_questions(self, count: int, deadline_s: float = 60) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.questions) >= count, deadline_s), self.questions

    def _serve(self) -> None:
        while True:
            try:
                question, sender = self._socket.recvfrom(512)
                with self._changed:
                    self.questions.add(question)
                if self.answers:
                    self._socket.sendto(self._answer(question), sender)
                with self._changed:
                    self.asked += 1
                    self._changed.notify_all()
            except OSError:
                return

    def _answer(self, question: bytes) -> bytes:
        raise NotImplementedError


class NameServer(_Udp):
    """Says of every name that it is 127.0.0.1."""

    def _answer(self, question: bytes) -> bytes:
        head = question[:2] + b"\x81\x80" + struct.pack("!HHHH", 1, 1, 0, 0)
        return head + question[12:] + b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 60, 4) + bytes([127, 0, 0, 1])


class TimeServer(_Udp):
    """Says the machine's time, ``off_s`` seconds wrong."""

    off_s = 0.0

    def _answer(self, question: bytes) -> bytes:
        now = time.time() + self.off_s + _NTP_EPOCH_S
        sent = struct.pack("!II", int(now) % (1 << 32), int(now % 1 * (1 << 32)))
        return bytes([0x24, 2]) + bytes(22) + question[40:48] + bytes(8) + sent
