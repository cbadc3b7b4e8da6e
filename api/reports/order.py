"""What a report may be about, and for whom: the order for one, checked. It makes none.

Rules of the file
1.  Cuts and periods are those of order P4.1-4.3: the centre, a branch, a direction of services, operators; a day, a
    week, a month, a quarter, a year. Nothing else can be asked, so no two reports differ by a few days.
2.  A report about operators names its purpose (P4.7) and on whose instruction it is made (P4.3), and the question is
    written down before anything is read. So does one that shows cells with fewer than three operators.
"""

import json
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal, get_args

from api.access.operators import Wish, disclose
from api.access.reach import the_only, within
from api.auth import allowed
from api.errors import BadQuestion, ScopeMissing
from collector.store import Register, Report, Store, Token
from schemas.periods import Period, day_date

ReportCut = Literal["centre", "branch", "direction", "operator"]
CUTS: tuple[ReportCut, ...] = get_args(ReportCut)


@dataclass(frozen=True)
class Order:
    """``day`` lies in the period. ``key``: branch or direction; of operators the branch, or "" for the whole centre.

    ``participant``: of operators, only calls while they worked for it. ``order``: the number of an instruction that is
    recorded. ``shows_small``: cells behind which fewer than three operators stand are shown, too.
    """

    cut: ReportCut
    period: Period
    day: date
    language: str
    key: str = ""
    made_by: str = ""
    ordered_by: str = ""
    instruction: str = ""
    purpose: str | None = None
    order: int | None = None
    participant: str = ""
    shows_small: bool = False

    @property
    def is_about_people(self) -> bool:
        return self.cut == "operator" or self.shows_small

    @property
    def branch(self) -> str | None:
        """The one branch it is about, if it is about one."""
        return self.key if self.key and self.cut in ("branch", "operator") else None

    def asked(self) -> dict[str, str]:
        """Everything that was asked, as it is kept with the report and in the access log."""
        said = {
            "cut": self.cut,
            "key": self.key,
            "period": str(self.period),
            "day": self.day.isoformat(),
            "language": self.language,
            "ordered_by": self.ordered_by,
            "instruction": self.instruction,
            "purpose": self.purpose or "",
            "order": "" if self.order is None else str(self.order),
            "participant": self.participant,
            "shows_small": "yes" if self.shows_small else "",
        }
        return {name: value for name, value in said.items() if value}


def checked(order: Order, store: Store, token: Token) -> Order:
    """The order in the reader's name, if they may have it; written down first where it is about people.

    Raises BadQuestion, UnknownPurpose, OrderMissing, ScopeMissing.
    """
    named = replace(order, made_by=token.name)
    _, register = store.book.whole()
    known(named, register)
    if not named.is_about_people:
        allowed(token, ("reports", "figures"))
        _within(named, register, token)
        return named
    if named.cut == "operator" and not named.participant and token.limits.participants is not None:
        named = replace(named, participant=the_only("participant", token.limits.participants))
    asked = "report " + " ".join(f"{name}={value}" for name, value in named.asked().items() if name != "purpose")
    wish = Wish(asked[:300], named.purpose, named.order, named.branch)
    return disclose(store, token, wish, lambda: _about_people(named, store, token))


def _about_people(order: Order, store: Store, token: Token) -> Order:
    """The order with the words of the recorded instruction. Raises BadQuestion, ScopeMissing."""
    allowed(token, ("reports", "figures"))
    _within(order, store.book.whole()[1], token)
    recorded = store.staff.order(order.order) if order.order is not None else None
    if recorded is not None:
        words = {"ordered_by": recorded.ordered_by[:120], "instruction": f"{recorded.number}, {day_date(recorded.day)}"}
        return replace(order, **words)  # type: ignore[arg-type]
    if not order.ordered_by.strip():
        raise BadQuestion("Say on whose instruction it is made (order P4.3).", field="ordered_by")
    return order


def known(order: Order, register: Register) -> None:
    """Raises BadQuestion if the order fits no branch or direction of the register."""
    if order.cut == "centre" and order.key:
        raise BadQuestion("The whole centre has no key.", field="key")
    if order.cut in ("branch", "direction") and not order.key:
        raise BadQuestion(f"Name the {order.cut}.", field="key")
    rows = register.directions if order.cut == "direction" else register.branches
    if order.participant and order.participant not in {each.id for each in register.participants}:
        raise BadQuestion(f"There is no organisation {order.participant}.", field="participant")
    if order.key and order.key not in {each.id for each in rows}:
        raise BadQuestion(f"There is no {'direction' if order.cut == 'direction' else 'branch'} there.", field="key")


def of_report(report: Report, purpose: str | None, order: int | None = None) -> Order:
    """The order that a report was made by, asked once more by somebody with a purpose, and an order, of their own."""
    said = json.loads(report.about.parameters)
    return Order(
        cut=report.about.cut,  # type: ignore[arg-type]  # stored as it was checked
        period=Period(report.about.period),
        day=day_date(report.about.first_day),
        language=report.about.language,
        key=report.about.key,
        ordered_by=report.about.ordered_by,
        instruction=report.about.instruction,
        purpose=purpose,
        order=order,
        participant=said.get("participant", ""),
        shows_small=bool(said.get("shows_small")),
    )


def visible(report: Report, store: Store, token: Token) -> bool:
    """Whether the reader may know that there is such a report: one inside their limits, and at their level."""
    order = of_report(report, None)
    if order.is_about_people and "operators" not in token.scopes:
        return False
    try:
        _within(order, store.book.whole()[1], token)
    except ScopeMissing:
        return False
    return True


def _within(order: Order, register: Register, token: Token) -> None:
    """Raises ScopeMissing for a place beyond the reader's limits."""
    if token.limits.operator is not None:
        raise ScopeMissing("Reports are made for those who answer for others' work.")
    direction = order.key if order.cut == "direction" else None
    within(token, register, branch=order.branch, direction=direction, participant=order.participant or None)
