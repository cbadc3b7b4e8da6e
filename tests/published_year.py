"""A year of a small office, counted and published month by month: the ground that the attacker works on. No test.

The calls are sim's (sim/year.py): the demonstration's city at a tenth of its size and less, with services that hardly
anybody wants, a branch with two clerks, and a clerk who alone knows how to do one thing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from random import Random
from time import perf_counter

from api.publication.contents import written
from api.publication.cover import Decided, decide
from api.publication.sheets import Atom, Place, Sheet, longer_sheet, month_sheet
from collector.rollup import NOT_ELIGIBLE
from collector.store import Register
from schemas.register import Branch, Direction, Organisation, Service
from schemas.statistics_resources import DesignEffects
from sim import city as cities
from sim.year import calls_of_day
from tests.attacker import RATINGS, Target

YEAR = 2026
_UNKNOWN = DesignEffects(bad=None, exemplary=None)
Decide = Callable[[list[Sheet]], Decided]


@dataclass
class PublishedYear:
    """Every edition in order, as sheets and as bytes, and what stands behind them."""

    sheets: list[Sheet] = field(default_factory=list)
    contents: list[bytes] = field(default_factory=list)
    atoms: dict[str, list[Atom]] = field(default_factory=dict)  # by month edition
    seconds: float = 0.0
    programmes: int = 0
    gave_up: int = 0

    @property
    def offered(self) -> Mapping[str, set[tuple[str, str]]]:
        return {name: {(atom.branch, atom.service) for atom in atoms} for name, atoms in self.atoms.items()}

    @property
    def workers(self) -> Mapping[str, set[tuple[str, str, str]]]:
        return {name: {(a.branch, a.service, a.giver) for a in atoms} for name, atoms in self.atoms.items()}

    def truth(self) -> dict[Target, int]:
        return {
            Target(sheet.name, place.cut, place.key, measure): getattr(one.tally, measure)
            for sheet in self.sheets
            for place, one in sheet.sums.items()
            for measure in ("votes", *RATINGS)
        }

    def operators(self) -> dict[tuple[str, str], dict[str, int]]:
        """Of every edition and operator with votes: how many, and how many of the best."""
        found: dict[tuple[str, str], dict[str, int]] = {}
        for sheet in self.sheets:
            for month in sheet.parts or (sheet.name,):
                for atom in self.atoms[month]:
                    mine = found.setdefault((sheet.name, atom.giver), {"votes": 0, "exemplary": 0})
                    mine["votes"] += atom.bad + atom.good + atom.exemplary
                    mine["exemplary"] += atom.exemplary
        return {name: values for name, values in found.items() if values["votes"]}

    def unsafe_changes(self) -> dict[tuple[str, str, str], int]:
        """What corrections changed by too few votes, or of too few operators, by edition, cut and key."""
        named = {sheet.name: sheet for sheet in self.sheets}
        found = {}
        for sheet in self.sheets:
            before = named.get(sheet.before)
            for place, one in sheet.sums.items() if before else ():
                assert before is not None
                earlier = before.sums[place]
                change = one.tally.votes - earlier.tally.votes
                givers = sum(votes > earlier.givers.get(giver, 0) for giver, votes in one.givers.items())
                if change and (change < 10 or givers < 3):
                    found[sheet.name, place.cut, place.key] = change
        return found

    def codes(self) -> dict[str, int]:
        counts: dict[str, int] = {}
        for sheet in self.sheets:
            for code in sheet.codes.values():
                counts[code.value] = counts.get(code.value, 0) + 1
        return counts


def small_city(seed: int, *, services: int = 12, branches: int = 4) -> cities.City:
    """Branches of 7, 4, 3 and 2 clerks; services of which some are rare and one belongs to one clerk."""
    dice = Random(f"small city {seed}")
    offered = tuple(
        replace(service, weight=service.weight * dice.paretovariate(1.1) / (1 + 12 * (number % 4 == 3)))
        for number, service in enumerate(cities.CITY.services[:services])
    )
    names = [service.id for service in offered]
    alone = names[dice.randrange(len(names))]
    operators, desks = [], []
    for branch, many in zip(cities.CITY.branches[:branches], (7, 4, 3, 2), strict=False):
        for number in range(1, many + 1):
            knows = frozenset(dice.sample(names, dice.randint(3, min(8, services)))) - {alone}
            operators.append(
                cities.Operator(f"{branch.id}-{number}", branch.id, knows, dice.uniform(-0.6, 0.7), 1.0, number % 2)
            )
            desks.append(cities.Desk(f"{branch.id}-d{number}", branch.id, str(number)))
    operators[0] = replace(operators[0], services=operators[0].services | {alone})
    places = cities.CITY.branches[:branches]
    return replace(cities.CITY, branches=places, services=offered, operators=tuple(operators), desks=tuple(desks))


def directions_of(city: cities.City) -> dict[str, str]:
    return {service.id: f"direction-{number // 3}" for number, service in enumerate(city.services)}


def register_of(city: cities.City) -> Register:
    directions = directions_of(city)
    return Register(
        organisation=Organisation(name="Місто", name_en="Town", simulated=True),
        branches=tuple(Branch(id=each.id, name=each.name, name_en=each.name_en) for each in city.branches),
        directions=tuple(Direction(id=each, name=each, name_en=each) for each in dict.fromkeys(directions.values())),
        services=tuple(
            Service(id=each.id, name=each.name, name_en=each.name_en, direction=directions[each.id])
            for each in city.services
        ),
    )


def months_of(city: cities.City, *, seed: int, calls: int) -> dict[int, list[Atom]]:
    """The atoms of every month of a year with so many clients."""
    sums: dict[int, dict[tuple[str, str, str], list[int]]] = {month: {} for month in range(1, 13)}
    day = date(YEAR, 1, 1)
    while day.year == YEAR:
        for call in calls_of_day(city, day, seed=seed, calls=calls, progress=day.month / 12):
            row = sums[day.month].setdefault((call.branch, call.service, call.operator), [0] * 5)
            row[0] += 1
            row[1] += bool(call.rating) or call.outcome not in NOT_ELIGIBLE
            if call.rating:
                row[1 + call.rating] += 1
        day += timedelta(days=1)
    return {
        month: [Atom(*key, amounts[0], amounts[1], *amounts[2:]) for key, amounts in sorted(rows.items())]
        for month, rows in sums.items()
    }


def published(
    city: cities.City,
    *,
    seed: int,
    calls: int,
    decide: Decide = decide,
    late: Mapping[int, float] | None = None,
) -> PublishedYear:
    """The year as it would have been published.

    Args:
        late: of which months a part of one branch's votes comes after the year is out, and is corrected then.
    """
    made, directions = PublishedYear(), directions_of(city)
    whole = months_of(city, seed=seed, calls=calls)
    first = {month: _without_late(atoms, (late or {}).get(month, 0.0)) for month, atoms in whole.items()}
    places = {"branches": [b.id for b in city.branches], "services": [s.id for s in city.services]}
    latest: dict[int, Sheet] = {}
    for month in range(1, 13):
        sheet = month_sheet(f"{YEAR}-{month:02}", 1, first[month], directions, **places)
        made.atoms[sheet.name] = first[month]
        latest[month] = sheet
        fresh = [sheet]
        if month % 3 == 0:
            parts = [latest[each] for each in range(month - 2, month + 1)]
            fresh.append(longer_sheet(f"{YEAR}-Q{month // 3}", 1, parts, directions))
        if month == 12:
            fresh.append(longer_sheet(str(YEAR), 1, list(latest.values()), directions))
        _publish(made, fresh, city, decide)
    for number, month in enumerate(sorted(late or {}), start=2):
        sheet = month_sheet(f"{YEAR}-{month:02}", 2, whole[month], directions, **places)
        made.atoms[sheet.name] = whole[month]
        latest[month] = sheet
        quarter = (month + 2) // 3
        parts = [latest[each] for each in range(quarter * 3 - 2, quarter * 3 + 1)]
        again = 1 + sum(each.period == f"{YEAR}-Q{quarter}" for each in made.sheets)
        fresh = [
            sheet,
            longer_sheet(f"{YEAR}-Q{quarter}", again, parts, directions),
            longer_sheet(str(YEAR), number, list(latest.values()), directions),
        ]
        _publish(made, fresh, city, decide)
    return made


def _publish(made: PublishedYear, fresh: list[Sheet], city: cities.City, decide: Decide) -> None:
    begun = perf_counter()
    decided = decide([*made.sheets, *fresh])
    made.seconds += perf_counter() - begun
    made.programmes += decided.programmes
    made.gave_up += decided.gave_up
    register = register_of(city)
    for sheet in fresh:
        out = sheet.decided(decided.codes[sheet.name])
        made.sheets.append(out)
        made.contents.append(written(out, register, _UNKNOWN, revision=1, reason="", now_unix_ms=1_790_000_000_000))


def _without_late(atoms: list[Atom], part: float) -> list[Atom]:
    """Of the largest branch: its operators' votes without every so many-th, which come late."""
    if not part:
        return atoms
    dice = Random("late")
    largest = max({atom.branch for atom in atoms}, key=lambda name: sum(a.calls for a in atoms if a.branch == name))
    found = []
    for atom in atoms:
        kept = list(atom[5:])
        if atom.branch == largest:
            kept = [sum(dice.random() >= part for _ in range(count)) for count in kept]
        found.append(Atom(*atom[:5], *kept))
    return found


__all__ = ["Place", "PublishedYear", "published", "small_city"]
