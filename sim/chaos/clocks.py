"""The clocks of the centre's processes: libfaketime reads an offset from a file, which the campaign rewrites.

Only the wall clock is moved; how long something lasts is measured by the monotonic one, here as everywhere.
"""

import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from zoneinfo import ZoneInfo

from sim.passwords import write_private
from sim.ports import HOST

AFTER_S = 25
_DATE_S = 3.0  # a server dates its answers to the second, and looks at its clock once a second
_LIBRARIES = ("/usr/lib/*/faketime/libfaketimeMT.so.1", "/usr/lib/faketime/libfaketimeMT.so.1")


def find_library() -> Path | None:
    """libfaketime for programs with threads, if it is installed (Debian's package ``faketime``)."""
    return next((path for pattern in _LIBRARIES for path in Path("/").glob(pattern[1:])), None)


class Clocks:
    """Args:
    folder: where the offsets lie, a file a process.
    library: None: the machine's clock is everybody's.
    """

    def __init__(self, folder: Path, library: Path | None):
        self._folder = folder
        self._library = library
        self._base_s = 0  # by how much every clock is off the machine's, the queue's and the pads' as well
        self._names: set[str] = set()
        folder.mkdir(exist_ok=True)

    def environ(self, name: str) -> dict[str, str]:
        """What a process of that name must be started with."""
        if self._library is None:
            return {}
        self._names.add(name)
        self.set(name, 0)
        return {
            "LD_PRELOAD": str(self._library),
            "FAKETIME_TIMESTAMP_FILE": str(self._folder / name),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",
        }

    def set(self, name: str, hours: float) -> None:
        """The clock of ``name`` is wrong by so much; 0: it is right."""
        write_private(self._folder / name, f"{self._base_s + round(3600 * hours):+d}\n")

    def start_at(self, moment: datetime) -> None:
        """From now on it is ``moment``, everywhere."""
        if self._library is not None:
            self._base_s = round(moment.timestamp() - time.time())
            for name in self._names:
                self.set(name, 0)

    def now_unix_ms(self) -> int:
        """What a right clock says."""
        return time.time_ns() // 1_000_000 + 1000 * self._base_s

    def shown_right(self, port: int) -> bool:
        """Whether the server at ``port`` has the right time, by the date of its answer; False while it gives none."""
        try:
            with closing(HTTPConnection(HOST, port, timeout=_DATE_S)) as connection:
                connection.request("GET", "/")
                date = connection.getresponse().getheader("date")
        except (OSError, HTTPException):
            return False
        return date is not None and abs(parsedate_to_datetime(date).timestamp() - self.now_unix_ms() / 1000) < _DATE_S


def next_change(zone: str, now: datetime, *, autumn: bool) -> datetime:
    """The next moment (UTC, to the minute) at which the clocks of ``zone`` go back (autumn) or forward."""
    local = ZoneInfo(zone)
    moment = now.astimezone(UTC).replace(second=0, microsecond=0)
    step = timedelta(hours=1)
    for _ in range(24 * 400):
        change = (moment + step).astimezone(local).utcoffset(), moment.astimezone(local).utcoffset()
        if change[0] != change[1] and (change[0] < change[1]) == autumn:  # type: ignore[operator]
            while (moment + timedelta(minutes=1)).astimezone(local).utcoffset() == change[1]:
                moment += timedelta(minutes=1)
            return moment + timedelta(minutes=1)
        moment += step
    raise ValueError(f"the clocks of {zone} are not changed")


def start_of(moment: str, zone: str, now: datetime) -> datetime:
    """When desks open for what is to come AFTER_S later: an end of day, midnight, or a change of clocks."""
    if moment in ("spring", "autumn"):
        return next_change(zone, now, autumn=moment == "autumn") - timedelta(seconds=AFTER_S)
    if moment == "midnight":
        tomorrow = now.astimezone(ZoneInfo(zone)).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        return tomorrow - timedelta(seconds=AFTER_S)
    soon = now.replace(second=0, microsecond=0) + timedelta(minutes=2)
    return soon - timedelta(seconds=AFTER_S)
