"""Programs that are not ours as children: they run in the foreground and die with us, however we die (Linux)."""

import re
from collections.abc import Sequence
from pathlib import Path

from sim.children import Child

# Somebody who was killed is back at once: an office's service manager would wait a little longer.
PAUSES_S = (0.1, 0.3, 1.0, 2.0)


class Program(Child):
    """Args:
    ready: what its log says when it serves.
    as_user: whom to run it as, None for ourselves.
    """

    def __init__(self, name: str, command: Sequence[str], *, ready: bytes, log_file: Path, as_user: str | None = None):
        super().__init__(name, (), environ={}, log_file=log_file, pauses_s=PAUSES_S)
        self.ready = re.compile(ready)
        self._command = list(command)
        self._as_user = as_user

    def command(self) -> list[str]:
        user = ["--reuid", self._as_user, "--regid", self._as_user, "--clear-groups"] if self._as_user else []
        return ["setpriv", *user, "--pdeathsig", "KILL", *self._command]
