"""What systemd hears: schemas/service.py."""

import os
import socket
import threading
from pathlib import Path

from schemas.service import Service


def test_who_is_at_one_long_work_is_heard_to_live_and_then_no_more(tmp_path: Path) -> None:
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(path)
        systemd.settimeout(10)
        service = Service({"NOTIFY_SOCKET": path, "WATCHDOG_PID": str(os.getpid()), "WATCHDOG_USEC": "20000"})
        with service.living():
            assert [systemd.recv(100) for _ in range(3)] == [b"WATCHDOG=1"] * 3
    assert not any(thread.name == "watchdog" for thread in threading.enumerate())


def test_without_systemd_it_costs_nothing() -> None:
    with Service({}).living():
        pass
