"""The simulated city: its centre, three branches, desks, services and operators, all invented. It moves nothing.

No real office is meant: the branches bear names of the order's districts so that screens read naturally, while the
organisation, its people and every number are made up, and the register says ``simulated = true``.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

TIMEZONE = "Europe/Kyiv"


@dataclass(frozen=True, slots=True)
class Branch:
    """``next_only``: share of its calls that no event ends but the next call at the desk. ``day_ends``: local."""

    id: str
    name: str
    name_en: str
    day_ends: str
    next_only: float


@dataclass(frozen=True, slots=True)
class Desk:
    id: str
    branch: str
    label: str


@dataclass(frozen=True, slots=True)
class Service:
    """``weight``: its part of all tickets. ``median_min``, ``spread``: the log-normal time of one service.

    ``bad``: share of bad votes an average operator earns; ``exemplary``: share of exemplary ones among the rest;
    ``response``: share of served clients who vote.
    """

    id: str
    name: str
    name_en: str
    weight: float
    median_min: float
    spread: float
    bad: float
    exemplary: float
    response: float


@dataclass(frozen=True, slots=True)
class Operator:
    """``quality`` from -1 (curt) over 0 to +1 (excellent); ``pace`` multiplies the time of a service.

    ``saturdays`` is 0 or 1: works on Saturdays of even or of odd weeks.
    """

    id: str
    branch: str
    services: frozenset[str]
    quality: float
    pace: float
    saturdays: int


@dataclass(frozen=True, slots=True)
class City:
    name: str
    name_en: str
    branches: tuple[Branch, ...]
    services: tuple[Service, ...]
    desks: tuple[Desk, ...]
    operators: tuple[Operator, ...]

    def desks_of(self, branch: str) -> list[Desk]:
        return [desk for desk in self.desks if desk.branch == branch]

    def operators_of(self, branch: str) -> list[Operator]:
        return [operator for operator in self.operators if operator.branch == branch]


_BRANCHES = (
    Branch("tsentr", "Центр", "Centre", "20:00", 0.06),
    Branch("vyshenka", "Вишенька", "Vyshenka", "20:00", 0.10),
    Branch("zamostia", "Замостя", "Zamostia", "20:00", 0.10),
    # The old queue of this branch knows only "next, please".
    Branch("stare-misto", "Старе місто", "Old Town", "20:00", 1.0),
)

_DESKS = {"tsentr": 9, "vyshenka": 6, "zamostia": 5, "stare-misto": 4}

_SERVICES = (
    Service("passport", "Паспорт та ID-картка", "Passport and ID card", 17, 9.0, 0.42, 0.036, 0.74, 0.57),
    Service("residence", "Реєстрація місця проживання", "Registration of residence", 19, 6.5, 0.40, 0.028, 0.76, 0.60),
    Service("business", "Реєстрація бізнесу", "Business registration", 9, 9.5, 0.48, 0.033, 0.72, 0.56),
    Service("property", "Права на нерухоме майно", "Real-estate rights", 9, 11.5, 0.50, 0.046, 0.66, 0.52),
    Service("subsidies", "Субсидії та пільги", "Subsidies and benefits", 13, 8.5, 0.45, 0.052, 0.64, 0.50),
    Service("land", "Земельні питання", "Land", 6, 9.5, 0.52, 0.057, 0.60, 0.49),
    Service("building", "Дозволи на будівництво", "Building permits", 3, 12.5, 0.55, 0.064, 0.54, 0.47),
    Service("family", "Народження, шлюб, родина", "Birth, marriage, family", 5, 8.0, 0.38, 0.021, 0.84, 0.64),
    Service("driving", "Посвідчення водія", "Driving licence", 6, 6.5, 0.40, 0.034, 0.72, 0.56),
    Service("pension", "Пенсійні послуги", "Pensions", 5, 9.0, 0.46, 0.050, 0.68, 0.48),
    Service("veterans", "Послуги для ветеранів", "Services for veterans", 4, 10.5, 0.50, 0.041, 0.75, 0.55),
    Service("certificates", "Довідки та витяги", "Certificates and extracts", 12, 4.0, 0.38, 0.024, 0.77, 0.54),
)

# What one person can be trained for; everyone hands out certificates.
_DOCUMENTS = frozenset({"passport", "residence", "family", "driving", "certificates"})
_REGISTRAR = frozenset({"business", "property", "residence", "certificates"})
_SOCIAL = frozenset({"subsidies", "pension", "veterans", "residence", "certificates"})
_LAND = frozenset({"land", "building", "property", "certificates"})
_ALL = frozenset(service.id for service in _SERVICES)

_STAFF: dict[str, tuple[tuple[frozenset[str], float, float], ...]] = {
    "tsentr": (
        (_DOCUMENTS, 0.35, 0.95),
        (_DOCUMENTS, -0.20, 1.00),
        (_DOCUMENTS | _SOCIAL, 0.10, 1.05),
        (_REGISTRAR, 0.55, 1.00),
        (_REGISTRAR, -0.05, 0.92),
        (_SOCIAL, 0.20, 1.08),
        (_SOCIAL, -0.45, 0.88),
        (_LAND, 0.05, 1.02),
        (_LAND | _REGISTRAR, -0.30, 1.10),
        (_DOCUMENTS, 0.70, 0.97),
        (_DOCUMENTS | _REGISTRAR, 0.00, 1.00),
        (_SOCIAL | _DOCUMENTS, 0.25, 1.04),
        (_ALL, 0.15, 1.12),
    ),
    "vyshenka": (
        (_DOCUMENTS | _REGISTRAR, 0.30, 0.98),
        (_DOCUMENTS, -0.10, 0.94),
        (_SOCIAL | _DOCUMENTS, 0.05, 1.05),
        (_LAND | _REGISTRAR, 0.40, 1.00),
        (_SOCIAL | _LAND, -0.55, 0.90),
        (_DOCUMENTS | _SOCIAL, 0.60, 1.03),
        (_REGISTRAR | _DOCUMENTS, -0.15, 1.00),
        (_ALL, 0.10, 1.08),
        (_ALL, 0.00, 1.02),
    ),
    "zamostia": (
        (_DOCUMENTS | _SOCIAL, 0.00, 1.00),
        (_DOCUMENTS | _REGISTRAR, 0.20, 1.02),
        (_SOCIAL | _LAND, -0.35, 0.93),
        (_REGISTRAR | _LAND, 0.10, 1.05),
        (_DOCUMENTS | _SOCIAL, 0.45, 0.99),
        (_ALL, -0.10, 1.04),
        (_ALL, 0.25, 1.06),
    ),
    "stare-misto": (
        (_DOCUMENTS | _SOCIAL, 0.50, 1.02),
        (_DOCUMENTS | _REGISTRAR, -0.05, 0.97),
        (_ALL, 0.15, 1.05),
        (_ALL, -0.25, 0.96),
        (_ALL, 0.35, 1.00),
        (_ALL, 0.00, 1.08),
    ),
}


def _desks() -> tuple[Desk, ...]:
    return tuple(
        Desk(f"{branch}-{number:02}", branch, str(number))
        for branch, count in _DESKS.items()
        for number in range(1, count + 1)
    )


def _operators() -> tuple[Operator, ...]:
    everyone = [(branch, *person) for branch, people in _STAFF.items() for person in people]
    return tuple(
        Operator(f"op-{number:02}", branch, services, quality, pace, number % 2)
        for number, (branch, services, quality, pace) in enumerate(everyone, start=1)
    )


CITY = City(
    name="Центр адміністративних послуг «Світлий офіс»",
    name_en="“Bright Office” Citizen Service Centre",
    branches=_BRANCHES,
    services=_SERVICES,
    desks=_desks(),
    operators=_operators(),
)


def closing_far_from(now: datetime, city: City) -> City:
    """``city`` with offices that close half a day from ``now``, as far as a daily hour can be."""
    far = now.astimezone(ZoneInfo(TIMEZONE)) + timedelta(hours=12)
    return replace(city, branches=tuple(replace(branch, day_ends=f"{far:%H:%M}") for branch in city.branches))


def with_fewer_desks(city: City, count: int) -> City:
    """The same city with ``count`` desks, taken in turn from its branches; a branch left without desks is gone.

    Raises ValueError if ``count`` is not from 1 to the number of its desks.
    """
    if not 1 <= count <= len(city.desks):
        raise ValueError(f"desks must be from 1 to {len(city.desks)}, not {count}")
    in_turn = sorted(city.desks, key=lambda desk: int(desk.label))
    kept = {desk.id for desk in in_turn[:count]}
    desks = tuple(desk for desk in city.desks if desk.id in kept)
    branches = tuple(branch for branch in city.branches if any(desk.branch == branch.id for desk in desks))
    names = {branch.id for branch in branches}
    operators = tuple(operator for operator in city.operators if operator.branch in names)
    return City(city.name, city.name_en, branches, city.services, desks, operators)
