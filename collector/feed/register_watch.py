"""Notices that the register file has changed under a running feed, and takes in what it can without a restart.

Desks that are new or have moved are taken in; a new branch, other hours or another seating need a restart, and
``GET /v1/health`` says so. A file that cannot be read changes nothing: the feed goes on with what it knows.
"""

import logging
import time
from datetime import UTC, date, datetime

from collector.feed.errors import BadSettings
from collector.feed.settings import Settings
from collector.feed.site import site_of
from collector.feed.source import Site

logger = logging.getLogger(__name__)

LOOK_S = 5.0
CURRENT, RESTART, WRONG = "current", "restart to take it in", "wrong"


class RegisterWatch:
    """``look`` is to be called every second or so, always from the thread that tells the desks."""

    def __init__(self, settings: Settings, site: Site, desks: dict[str, str]):
        self._settings, self._site, self._desks = settings, site, desks
        self._seen = self._stamp()
        self._due_s = time.monotonic() + LOOK_S
        self.state, self.problem = CURRENT, ""

    def health(self) -> dict[str, str]:
        return {"state": self.state, **({"problem": self.problem} if self.problem else {})}

    def look(self) -> None:
        """Looks at the file's time, size and place, and, once a day, at what begins or ends today."""
        if time.monotonic() < self._due_s:
            return
        self._due_s = time.monotonic() + LOOK_S
        stamp = self._stamp()
        if stamp != self._seen:
            self._seen = stamp
            self._take_in()

    def _take_in(self) -> None:
        try:
            fresh = site_of(self._settings)
        except BadSettings as error:
            self.state, self.problem = WRONG, str(error)
            logger.warning("the register file has changed and is not taken in: %s", error)
            return
        known = dict(self._desks)
        self._desks.update({desk: branch for desk, branch in fresh.desks.items() if branch in self._site.branches})
        is_same = fresh.branches == self._site.branches and fresh.seats == self._site.seats
        self.state, self.problem = (CURRENT if is_same else RESTART), ""
        logger.info("the register file has changed: %d desks are new; %s", len(self._desks) - len(known), self.state)

    def _stamp(self) -> tuple[int, int, int, date]:
        today = datetime.now(UTC).date()
        try:
            file = self._settings.register_file.stat()
        except OSError:
            return 0, 0, 0, today
        return file.st_mtime_ns, file.st_size, file.st_ino, today
