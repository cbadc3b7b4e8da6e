"""The simulated city's register: hours, calendar, who employs whom, and what changed in the middle of the year.

The changes lie some months before the day it is made on, so that a year of history always has them: a service was
renamed, and an operator went over to another organisation in mid-month. No name of a person is made up.
"""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from schemas.register import (
    Branch,
    CalendarDay,
    Direction,
    Hours,
    Operator,
    OperatorKind,
    Organisation,
    Participant,
    Register,
    Service,
)
from schemas.register import Desk as RegisterDesk
from schemas.register_toml import to_toml
from sim import hours
from sim.city import CITY, TIMEZONE, City
from sim.rare import SIGNS

COMPLAINTS_BOOK = "на столику біля входу, праворуч від інформаційної стійки"
COMPLAINTS_BOOK_EN = "on the small table by the entrance, to the right of the information desk"
HEADING = "The register of the simulated city. Nobody in it is real."
_DAY = timedelta(days=1)

_DIRECTIONS = (
    ("documents", "Документи громадян", "Citizens' documents"),
    ("social", "Соціальні послуги", "Social services"),
    ("business", "Бізнес і нерухомість", "Business and real estate"),
    ("land", "Земля та будівництво", "Land and building"),
)
_DIRECTION_OF = {
    "passport": "documents", "residence": "documents", "family": "documents", "driving": "documents",
    "certificates": "documents", "subsidies": "social", "pension": "social", "veterans": "social",
    "business": "business", "property": "business", "land": "land", "building": "land",
}  # fmt: skip
_PARTICIPANTS = (
    ("land-office", "Управління земельних ресурсів", "Land resources office"),
    ("pension-fund", "Пенсійна служба", "Pension service"),
)
# Who works for whom; everybody else for the centre. The second began in mid-month to work for another.
_EMPLOYED = {"op-08": "land-office", "op-12": "pension-fund", "op-17": "land-office", "op-25": "land-office"}
_WENT_OVER = "op-09"
_STATE = ("op-04", "op-05", "op-16", "op-24")
# The service that was renamed, with its name of before.
_RENAMED = ("driving", "Водійські документи", "Driver's documents")


def register(city: City = CITY, today: date | None = None) -> Register:
    """The register of ``city`` as it stands on ``today``, with the changes of the year before."""
    day = today or datetime.now(UTC).date()
    renamed = _months_before(day, 5)
    return Register(
        organisation=Organisation(name=city.name, name_en=city.name_en, simulated=True),
        branches=tuple(
            Branch(
                id=branch.id, name=branch.name, name_en=branch.name_en, timezone=TIMEZONE, day_ends=branch.day_ends,
                complaints_book=COMPLAINTS_BOOK, complaints_book_en=COMPLAINTS_BOOK_EN,
            )
            for branch in city.branches
        ),
        directions=tuple(Direction(id=name, name=uk, name_en=en) for name, uk, en in _DIRECTIONS),
        services=(*(row for service in city.services for row in _service(service.id, city, renamed)), *_rare(city)),
        desks=tuple(RegisterDesk(id=desk.id, branch=desk.branch, label=desk.label) for desk in city.desks),
        participants=tuple(Participant(id=name, name=uk, name_en=en) for name, uk, en in _PARTICIPANTS),
        operators=tuple(row for each in city.operators for row in _operator(each.id, _months_before(day, 4))),
        hours=tuple(row for branch in city.branches for row in _hours(branch.id)),
        calendar=tuple(
            CalendarDay(day=each, kind="closed", note="Вихідний день")
            for offset in range(-400, 400)
            if hours.is_holiday(each := day + timedelta(days=offset))
        ),
    )  # fmt: skip


def write_register(path: Path, city: City = CITY) -> None:
    """The file as the collector and the feed read it."""
    path.write_text(to_toml(register(city), HEADING), encoding="utf-8")


def _service(name: str, city: City, renamed: date) -> list[Service]:
    service = next(each for each in city.services if each.id == name)
    now = Service(id=name, name=service.name, name_en=service.name_en, direction=_DIRECTION_OF[name])
    if name != _RENAMED[0]:
        return [now]
    was = {"name": _RENAMED[1], "name_en": _RENAMED[2], "valid_to": renamed - _DAY}
    return [now.model_copy(update=was), now.model_copy(update={"valid_from": renamed})]


def _rare(city: City) -> list[Service]:
    if not SIGNS.is_in(city):
        return []
    return [Service(id=SIGNS.id, name=SIGNS.name, name_en=SIGNS.name_en, direction=SIGNS.direction)]


def _operator(name: str, month: date) -> list[Operator]:
    kind: OperatorKind = "state_administrator" if name in _STATE else "administrator"
    if name in _EMPLOYED:
        return [Operator(id=name, kind="participant", participant=_EMPLOYED[name])]
    if name == _WENT_OVER:
        went = month.replace(day=15)
        return [
            Operator(id=name, kind=kind, valid_to=went - _DAY),
            Operator(id=name, kind="participant", participant="land-office", valid_from=went),
        ]
    return [Operator(id=name, kind=kind)]


def _hours(branch: str) -> list[Hours]:
    return [
        Hours(branch=branch, days=days, opens=_clock(opens), closes=_clock(closes))
        for days, (opens, closes) in (("mon-fri", hours.WEEKDAY_HOURS), ("sat", hours.SATURDAY_HOURS))
    ]


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _months_before(day: date, months: int) -> date:
    month = day.year * 12 + day.month - 1 - months
    return date(month // 12, month % 12 + 1, 1)
