"""An operator's own months and the own branch's beside them: what the page My figures shows. It writes no words.

Only months that are over and have enough votes (api/access/narrowing.py); the branch's only where no colleague could be
read off them (api/aggregates.py). Nobody else is ever in it, and nothing is sorted by a figure (order P4.7.3, P4.8).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from api.aggregates import Question, answered, permit
from api.figures_answers import as_one, filled
from api.figures_page import FEW_VOTES
from api.pictures import last_day, months_before
from collector.store import LogFilter, LoggedReading, Store, Token
from schemas.periods import Period
from schemas.resources import Cell

MONTHS = 12
READ_DAYS = 365  # how far back the list of readings goes
READINGS = 20
_LOOKED_THROUGH = 500
_DAY_MS = 86_400_000


@dataclass(frozen=True)
class Beside:
    """A branch of the operator's own in the months in which both have figures: the branch's and the own ones."""

    branch: str
    months: list[Cell]
    mine: Cell | None

    @property
    def comparable(self) -> bool:
        """Below that many votes of one's own nothing is compared (domain study 6.3, rule 1)."""
        return self.mine is not None and self.mine.votes >= FEW_VOTES


@dataclass(frozen=True)
class Own:
    """``months`` are those that are shown; ``in_time`` has an empty one for each between them that is not."""

    months: list[Cell]
    in_time: list[Cell]
    hidden: list[date]
    beside: list[Beside]

    @property
    def whole(self) -> Cell | None:
        return as_one(self.months) if self.months else None


def own_figures(store: Store, token: Token, today: date, now_unix_ms: int) -> Own:
    """The last twelve months that are over. The reading is written down like anybody's, without a purpose."""
    assert token.limits.operator is not None
    newest = months_before(today.replace(day=1), 1)

    def cells(**more: str) -> list[Cell]:
        said = {"period": Period.MONTH, "from": months_before(newest, MONTHS - 1), "to": last_day(newest)} | more
        question = permit(store, token, Question.model_validate(said))
        return answered(store, question, now_unix_ms, token.limits).cells

    months = cells(by="operator", key=token.limits.operator)
    in_time = _in_time(months, newest)
    hidden = [cell.first for cell in in_time if not cell.votes]
    branches = sorted(token.limits.branches or ())
    beside = [_beside(branch, months, cells(by="branch", branch=branch)) for branch in branches]
    return Own(months, in_time, hidden, beside)


def readings_of(store: Store, token: Token, now_unix_ms: int) -> list[LoggedReading]:
    """Who else was shown figures of this one operator alone, the newest first; not readings of several at once.

    The operator may know that, for which purpose, in which role and when; the access log's names stay with those who
    watch over it.
    """
    wanted = LogFilter(about=token.limits.operator, granted=True, from_unix_ms=now_unix_ms - READ_DAYS * _DAY_MS)
    found = store.staff.readings(wanted, limit=_LOOKED_THROUGH)
    others = [each for each in found if each.person != token.person or each.person is None]
    return [each for each in others if "by=desk" not in each.question][:READINGS]


def _in_time(months: Sequence[Cell], newest: date) -> list[Cell]:
    """From the first month that is shown to the newest, each with a cell."""
    if not months:
        return []
    count = (newest.year - months[0].first.year) * 12 + newest.month - months[0].first.month
    firsts = [months_before(newest, back) for back in range(count, -1, -1)]
    frame = [
        months[0].model_copy(update={"period": f"{first:%Y-%m}", "first": first, "last": last_day(first)})
        for first in firsts
    ]
    return filled(months, frame)


def _beside(branch: str, months: Sequence[Cell], of_branch: Sequence[Cell]) -> Beside:
    mine = {cell.period: cell for cell in months}
    both = [cell for cell in of_branch if cell.period in mine]
    return Beside(branch, both, as_one([mine[cell.period] for cell in both]) if both else None)
