"""A service that hardly anybody asks for, in one branch and from two clerks: what is published of it must be withheld.

Without one a demonstration would show no withheld figure, so nobody would see how that looks. It exists in the past
days only, and no call more or less is told for its sake: some calls of its clerks bear its name instead of another.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sim.city import City
from sim.year import PastCall


@dataclass(frozen=True, slots=True)
class RareService:
    """``instead_of``: services, of the same direction, of whose calls it takes the ``share``, 0..1."""

    id: str
    name: str
    name_en: str
    direction: str
    branch: str
    operators: frozenset[str]
    instead_of: frozenset[str]
    share: float

    def is_in(self, city: City) -> bool:
        return any(branch.id == self.branch for branch in city.branches)


# About five votes a month, and of two clerks: no month of it can be published, nor a quarter.
SIGNS = RareService(
    id="signs",
    name="Дозволи на вивіски",
    name_en="Permits for signs",
    direction="land",
    branch="stare-misto",
    operators=frozenset({"op-32", "op-33"}),
    instead_of=frozenset({"land", "building"}),
    share=0.05,
)


def with_rare(calls: Sequence[PastCall], rare: RareService | None) -> list[PastCall]:
    """The same calls, some of them for the rare service; which ones, only their tickets decide."""
    if rare is None:
        return list(calls)
    return [replace(call, service=rare.id) if _is_rare(call, rare) else call for call in calls]


def _is_rare(call: PastCall, rare: RareService) -> bool:
    return (
        call.branch == rare.branch
        and call.operator in rare.operators
        and call.service in rare.instead_of
        and int(call.ticket[:8], 16) < rare.share * 2**32
    )
