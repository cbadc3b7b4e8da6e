"""When branches are open, as the fleet service asks it: by the register, or by what offices usually do. Pure."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from schemas import opening
from schemas.register import Branch, Register

# A register that does not say: Monday to Friday, the hours in which every office serves. Too few hours only mean that
# a silence is noticed later; too many, that people are told of faults every evening.
USUAL_DAYS, USUALLY_OPENS, USUALLY_CLOSES = range(5), time(9), time(17)


class Opening:
    """``register`` is None as long as nobody has asked the store."""

    def __init__(self, register: Register | None):
        self._register = register
        self._today: tuple[date, dict[str, Branch]] | None = None

    @property
    def branches(self) -> frozenset[str]:
        """Every branch that there is or was."""
        return frozenset(each.id for each in self._register.branches) if self._register else frozenset()

    def is_open(self, branch: str, now_ms: int) -> bool:
        """Whether it is open; a branch that is no more never is."""
        its = self._on(datetime.fromtimestamp(now_ms / 1000, UTC).date()).get(branch)
        if its is None or self._register is None:
            return False
        says = opening.is_open(self._register, its, now_ms)
        return _usually(its, now_ms) if says is None else says

    def _on(self, day: date) -> dict[str, Branch]:
        if self._today is None or self._today[0] != day:
            rows = self._register.branches if self._register else ()
            self._today = day, {row.id: row for row in rows if row.holds(day)}
        return self._today[1]


def _usually(branch: Branch, now_ms: int) -> bool:
    local = datetime.fromtimestamp(now_ms / 1000, UTC).astimezone(ZoneInfo(branch.timezone))
    closes = min(USUALLY_CLOSES, time.fromisoformat(branch.day_ends))
    return local.weekday() in USUAL_DAYS and USUALLY_OPENS <= local.time() < closes
