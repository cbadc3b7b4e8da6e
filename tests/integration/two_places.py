"""Two network namespaces, a branch and the centre, with one line between them that a test may cut. No test is in it."""

import ctypes
import itertools
import os
import shlex
import shutil
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

MISSING = "two network namespaces: they need root and iproute2 (apt-get install iproute2)"
CENTRE, BRANCH = "10.203.0.1", "10.203.0.2"
_CLONE_NEWNET = 0x40000000
_numbers = itertools.count()

T = TypeVar("T")


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


class TwoPlaces:
    """Skips the test where there cannot be any."""

    def __init__(self) -> None:
        if not shutil.which("ip") or os.geteuid() != 0:
            pytest.skip(MISSING)
        name = f"zr{os.getpid()}-{next(_numbers)}"
        self.centre, self.branch = f"{name}-c", f"{name}-b"
        for place in (self.centre, self.branch):
            _ip("netns", "add", place)
            _ip("-n", place, "link", "set", "lo", "up")
        _ip("-n", self.centre, "link", "add", "line", "type", "veth", "peer", "name", "line", "netns", self.branch)
        for place, address in ((self.centre, CENTRE), (self.branch, BRANCH)):
            _ip("-n", place, "address", "add", f"{address}/24", "dev", "line")
            _ip("-n", place, "link", "set", "line", "up")

    def close(self) -> None:
        for place in (self.centre, self.branch):
            _ip("netns", "delete", place)

    def cut(self) -> None:
        """The cable is out, at the centre's end."""
        _ip("-n", self.centre, "link", "set", "line", "down")

    def mend(self) -> None:
        _ip("-n", self.centre, "link", "set", "line", "up")

    def swallow(self, place: str, address: str) -> None:
        """Everything that ``place`` sends to ``address`` disappears; what comes from there arrives."""
        _ip("-n", place, "route", "add", "blackhole", f"{address}/32")

    def let_out(self, place: str, address: str) -> None:
        _ip("-n", place, "route", "delete", "blackhole", f"{address}/32")

    @staticmethod
    def enter(place: str) -> tuple[str, ...]:
        """What to put in front of a command."""
        return ("ip", "netns", "exec", place)

    def script(self, place: str, program: str, file: Path) -> Path:
        """A file that runs ``program`` there."""
        file.write_text(f'#!/bin/sh\nexec {shlex.join(self.enter(place))} {shlex.quote(program)} "$@"\n')
        file.chmod(0o755)
        return file

    @staticmethod
    def inside(place: str, work: Callable[[], T]) -> T:
        """What ``work`` gives when its sockets are opened there. Namespaces are a thread's own."""
        found: list[T] = []
        failed: list[BaseException] = []

        def there() -> None:
            try:
                with Path(f"/run/netns/{place}").open("rb") as handle:
                    if ctypes.CDLL(None, use_errno=True).setns(handle.fileno(), _CLONE_NEWNET):
                        raise OSError(ctypes.get_errno(), "setns")
                found.append(work())
            except BaseException as error:  # handed on to the caller
                failed.append(error)

        thread = threading.Thread(target=there)
        thread.start()
        thread.join()
        if failed:
            raise failed[0]
        return found[0]
