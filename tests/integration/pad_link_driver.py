"""The pad's own link, courier and journal under MicroPython, with nothing else: what measure_pad_link.py measures.

Run as `micropython pad_link_driver.py PORT SECONDS KEEPALIVE_S`; takes a new vote half a second after the last was
acknowledged, turns its loop every millisecond, and prints one JSON object at the end.
"""

import gc
import json
import sys

gc.collect()
heap_before_bytes = gc.mem_alloc()
from firmware.board import mqtt  # noqa: E402, F401 - its cost is what is measured

gc.collect()
heap_mqtt_bytes = gc.mem_alloc() - heap_before_bytes

from firmware.board import unix_net  # noqa: E402
from firmware.board.config import parse  # noqa: E402
from firmware.board.courier import Courier  # noqa: E402
from firmware.board.link import ARRIVED, DOWN, ONLINE, UP, Link  # noqa: E402
from firmware.board.unix import UnixBoard  # noqa: E402
from firmware.core.journal import Journal  # noqa: E402
from protocol import codec  # noqa: E402
from protocol.errors import ProtocolError  # noqa: E402
from protocol.messages import PadStatus  # noqa: E402

PAUSE_MS = 500


def settings(port, keepalive_s):
    given = {
        "desk": "desk-1",
        "broker_host": "127.0.0.1",
        "broker_port": port,
        "password": "x",
        "keepalive_s": keepalive_s,
        "reconnect_max_s": 4,
    }
    return parse(json.dumps(given).encode())


class Driver:
    def __init__(self, port, keepalive_s):
        self.board = UnixBoard()
        self.board.connector = unix_net.make(self.board, settings(port, keepalive_s), self.board.poll, ".")
        self.journal = Journal(b"meas")
        self.link = Link(settings(port, keepalive_s), self.board, self.will)
        self.courier = Courier(self.journal, self.link, self.board.ticks_diff)
        self.latencies_ms = []
        self.downs = []
        self.published = 0
        self.stall_max_ms = 0
        self.heap_connected_bytes = 0
        self.due_ticks = self.voted_ticks = self.board.ticks_ms()

    def will(self):
        return PadStatus("offline", "dark", None, self.journal.id, 1, "0", "unknown", "unverified", "ok", "ok")

    def run(self, seconds):
        began = last = self.board.ticks_ms()
        while self.board.ticks_diff(last, began) < seconds * 1000:
            now = self.board.ticks_ms()
            self.stall_max_ms = max(self.stall_max_ms, self.board.ticks_diff(now, last))
            last = now
            self.turn(now, self.board.ticks_diff(now, began))
            self.board.wait(1)

    def turn(self, now, elapsed_ms):
        if not self.journal.depth and self.board.ticks_diff(now, self.due_ticks) >= PAUSE_MS:
            self.published += 1
            self.voted_ticks = now
            self.journal.add(f"{self.published:016d}", 1, 0)
        for event in self.link.step(now):
            if event[0] == ARRIVED and event[1] == "ack":
                self.on_ack(event[2], now)
            elif event[0] in (UP, DOWN):
                self.downs.append([elapsed_ms, event[1] if event[0] == DOWN else "up"])
        self.courier.step(now)
        if self.link.state == ONLINE and not self.heap_connected_bytes:
            gc.collect()
            self.heap_connected_bytes = gc.mem_alloc()

    def on_ack(self, payload, now):
        try:
            found = self.journal.acknowledge(codec.decode("ack", payload))
        except ProtocolError:
            return
        if found == "dropped":
            self.latencies_ms.append(self.board.ticks_diff(now, self.voted_ticks))
            self.due_ticks = now


gc.collect()
heap_imported_bytes = gc.mem_alloc()
driver = Driver(int(sys.argv[1]), int(sys.argv[3]))
gc.collect()
heap_made_bytes = gc.mem_alloc()
driver.run(int(sys.argv[2]))
print(
    json.dumps(
        {
            "heap_mqtt_import_bytes": heap_mqtt_bytes,
            "heap_pad_import_bytes": heap_imported_bytes - heap_before_bytes,
            "heap_connected_bytes": driver.heap_connected_bytes - heap_made_bytes,
            "stall_max_ms": driver.stall_max_ms,
            "published": driver.published,
            "acked": len(driver.latencies_ms),
            "latencies_ms": driver.latencies_ms,
            "connects": driver.link.connects,
            "link": driver.downs,
        }
    )
)
