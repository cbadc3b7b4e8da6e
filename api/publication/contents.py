"""An edition in bytes: its content for everybody, and its basis, which nobody is shown. Pure.

The content is written once, when the edition is made, with the names that things had in its period. The basis is what
the next decision needs: counts with their operators, and the codes as they were published.
"""

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from api.publication.rules import MIN_OPERATORS, MIN_VOTES, Code, alike
from api.publication.sheets import CENTRE, CUTS, Atom, Place, Sheet, longer_sheet, month_sheet
from api.wording import METHOD, METHOD_EN, SCALE
from collector.store import Register
from schemas.edition_resources import CellCode, EditionContent, EditionKind, PublishedCell, PublishedCut
from schemas.periods import Period, bounds
from schemas.register_names import Names, by_id, names_in
from schemas.statistics_resources import DesignEffects

RULESET = "19/01-03-13/551"  # the order of 04.11.2013 (order O1)
METHOD_VERSION = "1"  # raised whenever counting or withholding changes
NO_DIRECTION: Names = ("без напряму", "no direction")
NOT_NAMED: Names = ("послугу не вказано", "service not named")
_PERIODS: Mapping[EditionKind, Period] = {"month": Period.MONTH, "quarter": Period.QUARTER, "year": Period.YEAR}


@dataclass(frozen=True, slots=True)
class Basis:
    """Everything a sheet can be made anew from; ``atoms`` of a month, ``parts`` of a longer period."""

    directions: Mapping[str, str]
    branches: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    atoms: tuple[Atom, ...] = ()
    parts: tuple[str, ...] = ()

    def sheet(self, period: str, number: int, months: Mapping[str, Sheet]) -> Sheet:
        """The sheet, not yet decided. ``months``: the sheets of the parts, by name."""
        if self.parts:
            return longer_sheet(period, number, [months[name] for name in self.parts], self.directions)
        return month_sheet(period, number, self.atoms, self.directions, branches=self.branches, services=self.services)


def kind_of(period: str) -> EditionKind:
    return "year" if len(period) == 4 else "quarter" if "Q" in period else "month"


def days_of(period: str) -> tuple[date, date]:
    """First and last day of a period, by its name. Raises ValueError for what is no name of one."""
    kind = kind_of(period)
    year = int(period[:4])
    month = int(period[6:]) * 3 if kind == "quarter" else int(period[5:]) if kind == "month" else 1
    return bounds(date(year, month, 1), _PERIODS[kind])


def written(
    sheet: Sheet, register: Register, effects: DesignEffects, *, revision: int, reason: str, now_unix_ms: int
) -> bytes:
    """The content of a decided sheet, as it will be kept and answered."""
    first, last = days_of(sheet.period)
    names = _Names(register, first, last)
    content = EditionContent(
        period=sheet.period,
        kind=kind_of(sheet.period),
        first=first,
        last=last,
        number=sheet.number,
        reason=reason,
        published_at=datetime.fromtimestamp(now_unix_ms // 1000, UTC),
        organisation=register.organisation.name,
        organisation_en=register.organisation.name_en,
        simulated=register.organisation.simulated,
        register_revision=revision,
        ruleset=RULESET,
        method_version=METHOD_VERSION,
        made_of=list(sheet.parts),
        least_votes=MIN_VOTES,
        least_operators=MIN_OPERATORS,
        scale=list(SCALE),
        method=METHOD,
        method_en=METHOD_EN,
        design_effects=effects,
        cells=[_cell(sheet, place, names) for place in sorted(sheet.sums, key=names.position)],
    )
    return content.model_dump_json().encode()


def packed(basis: Basis, codes: Mapping[Place, Code]) -> bytes:
    document = {
        "directions": dict(basis.directions),
        "branches": basis.branches,
        "services": basis.services,
        "atoms": basis.atoms,
        "parts": basis.parts,
        "codes": [[*place, code] for place, code in codes.items()],
    }
    return zlib.compress(json.dumps(document, ensure_ascii=False).encode())


def unpacked(basis: bytes) -> tuple[Basis, dict[Place, Code]]:
    document: dict[str, Any] = json.loads(zlib.decompress(basis))
    codes = {Place(cut, key): Code(code) for cut, key, code in document.pop("codes")}
    atoms = tuple(Atom(*each) for each in document.pop("atoms"))
    lists = {name: tuple(document[name]) for name in ("branches", "services", "parts")}
    return Basis(document["directions"], atoms=atoms, **lists), codes


def _cell(sheet: Sheet, place: Place, names: "_Names") -> PublishedCell:
    code, tally = sheet.codes[place], sheet.sums[place].tally
    known = code in (Code.PUBLISHED, Code.NONE)
    amounts = (tally.calls, tally.eligible, tally.votes, tally.bad, tally.good, tally.exemplary)
    calls, eligible, votes, bad, good, exemplary = amounts if known else (None,) * 6
    name, name_en = names.of(place)
    parent = sheet.parents.get(place, CENTRE)
    cut: PublishedCut = place.cut  # type: ignore[assignment]  # one of CUTS
    told: CellCode = code.value  # the enumeration has the same words
    return PublishedCell(
        cut=cut,
        key=place.key,
        name=name,
        name_en=name_en,
        direction=parent.key if cut == "service" else None,
        code=told,
        calls=calls,
        eligible_calls=eligible,
        votes=votes,
        bad=bad,
        good=good,
        exemplary=exemplary,
        alike=alike(tally) if code is Code.ALIKE else None,
    )


class _Names:
    """Names and order of places as the register has them for the days of an edition."""

    def __init__(self, register: Register, first: date, last: date):
        self._days = (first, last)
        self._centre: Names = (register.organisation.name, register.organisation.name_en)
        self._rows = {
            "branch": by_id(register.branches),
            "direction": by_id(register.directions),
            "service": by_id(register.services),
        }

    def of(self, place: Place) -> Names:
        if place == CENTRE:
            return self._centre
        if not place.key:
            return NO_DIRECTION if place.cut == "direction" else NOT_NAMED
        rows = self._rows[place.cut].get(place.key)
        return names_in(rows, *self._days) if rows else (place.key, place.key)

    def position(self, place: Place) -> tuple[int, int, str]:
        """As the register lists them, cut by cut; what it does not know behind, what is not named at the end."""
        known = list(self._rows.get(place.cut, ()))
        number = known.index(place.key) if place.key in known else len(known) + (place.key == "")
        return CUTS.index(place.cut), number, place.key
