"""How much votes of one day resemble each other in an edition: told with it, for an edition has no days to see it from.

Whoever compares two editions needs it, as the inner pages do (api/comparison.py): differences are compared with limits
of chance, and chance is wider where votes of a day hang together. Only branches whose own figures are published go into
it, and it is rounded up to a tenth: it must tell nothing that was withheld.
"""

from collections import defaultdict
from math import ceil

from api.figures import Tally
from api.publication.contents import days_of
from api.publication.rules import Code
from api.publication.sheets import Place, Sheet
from api.statistics import pooled_design_effect
from api.statistics.case_mix import Rating
from collector.store import Store
from schemas.periods import day_key
from schemas.statistics_resources import DesignEffects


def design_effects(store: Store, sheet: Sheet) -> DesignEffects:
    """Those of a decided sheet; null where no published branch has votes of ten days."""
    first, last = days_of(sheet.period)
    days: dict[str, dict[int, Tally]] = defaultdict(dict)
    for row in store.rollups("branch", day_key(first), day_key(last)):
        if sheet.codes.get(Place("branch", row.branch)) is Code.PUBLISHED:
            of_branch = days[row.branch]
            of_branch[row.day] = of_branch.get(row.day, Tally()) + Tally.of(row)

    def effect(rating: Rating) -> float | None:
        found = pooled_design_effect(
            [(getattr(each, rating), each.votes) for each in of_branch.values()] for of_branch in days.values()
        )
        return None if found is None else ceil(round(found * 10, 6)) / 10

    return DesignEffects(bad=effect("bad"), exemplary=effect("exemplary"))
