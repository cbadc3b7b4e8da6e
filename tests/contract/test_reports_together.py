"""Whoever holds all reports of a year of one branch, and subtracts, works out nothing of two operators or fewer."""

from collections.abc import Iterator
from datetime import date
from itertools import combinations, pairwise

import numpy as np
import pytest

from api.reports.content import Content, Line
from api.reports.gathering import gather
from api.reports.order import Order
from collector.store import Store
from schemas.periods import Period
from tests.contract.reports_city import NOW_UNIX_MS, laid_down

MONTHS = (202512, 202601, 202602, 202603, 202604)
FIRST_DAY, LAST_DAY = 20251201, 20260404
BRANCH = "zamostia"


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with laid_down(tmp_path_factory.mktemp("city")) as store:
        store.totals.consolidate(NOW_UNIX_MS)
        store.totals.make_mix(NOW_UNIX_MS)
        yield store


def report(store: Store, period: Period, day: date) -> Content:
    order = Order(cut="branch", key=BRANCH, period=period, day=day, language="en")
    return gather(store, order, NOW_UNIX_MS)


def all_reports(store: Store) -> list[tuple[list[int], Content]]:
    """Each with the months that it is about."""
    days = [(Period.MONTH, date(month // 100, month % 100, 1)) for month in MONTHS]
    days += [
        (Period.QUARTER, date(2025, 12, 1)),
        (Period.QUARTER, date(2026, 1, 1)),
        (Period.QUARTER, date(2026, 4, 1)),
    ]
    days += [(Period.YEAR, date(2025, 12, 1)), (Period.YEAR, date(2026, 1, 1))]
    made = [report(store, period, day) for period, day in days]
    return [([month for month in MONTHS if _in(month, each)], each) for each in made]


def _in(month: int, content: Content) -> bool:
    first, last = (day.year * 100 + day.month for day in (content.span.first, content.span.last))
    return first <= month <= last


class Reader:
    """Knows who served what, and of the figures only what stands in reports."""

    def __init__(self, store: Store):
        rows = store.rollups("service", FIRST_DAY, LAST_DAY, branch=BRANCH, period=Period.MONTH)
        rated = {(row.day, row.key) for row in rows if row.bad + row.good + row.exemplary}
        self.behind = {
            (month, service): frozenset(who)
            for month, of_month in store.reports.operators_behind(FIRST_DAY, LAST_DAY, BRANCH).items()
            for (_, service), who in of_month.items()
            if (month, service) in rated
        }
        self.places = sorted(self.behind)
        self.direction = {each.id: each.direction for each in store.register().services}
        self.rows: list[list[int]] = []

    def read(self, months: list[int], content: Content, *, whole_only: bool = False) -> None:
        self.rows.append([int(month in months) for month, _ in self.places])
        if whole_only:
            return
        for line in _shown(content.services):
            self.rows.append([int(month in months and service == line) for month, service in self.places])
        for line in _shown(content.directions):
            self.rows.append(
                [int(month in months and self.direction.get(service) == line) for month, service in self.places]
            )
        # What stood there in the period before is said of whatever moved.
        for each in content.services:
            if each.before.votes and content.before is not None:
                then = [month for month in MONTHS if _before(month, content)]
                self.rows.append([int(month in then and service == each.what.id) for month, service in self.places])

    def told(self, pair: frozenset[str]) -> int:
        sums = np.array(self.rows)
        others = [number for number, place in enumerate(self.places) if not self.behind[place] <= pair]
        return int(np.linalg.matrix_rank(sums) - (np.linalg.matrix_rank(sums[:, others]) if others else 0))


def _shown(lines: tuple[Line, ...]) -> list[str]:
    return [each.what.id for each in lines if not each.hidden]


def _before(month: int, content: Content) -> bool:
    assert content.before is not None
    first, last = (day.year * 100 + day.month for day in (content.before.span.first, content.before.span.last))
    return first <= month <= last


def test_nothing_of_two_operators_is_left_when_reports_are_taken_away_from_each_other(city: Store) -> None:
    reader, whole = Reader(city), Reader(city)
    made = all_reports(city)
    for months, content in made:
        reader.read(months, content)
        whole.read(months, content, whole_only=True)
    small = [who for who in reader.behind.values() if len(who) < 3]
    assert small, "nothing there has to be hidden"
    people = sorted(frozenset[str]().union(*small))
    for pair in map(frozenset, combinations(people, 2)):
        assert reader.told(pair) == whole.told(pair), sorted(pair)
    assert any(each.hidden for _, content in made for each in content.services)
    year = made[-1][1]
    assert any(not each.hidden and each.now.votes for each in year.services), "it is not that nothing is shown"


def test_what_was_hidden_in_the_period_before_is_not_compared_with(city: Store) -> None:
    days = [report(city, Period.DAY, date(2026, 3, number)) for number in range(2, 15)]
    met = 0
    for yesterday, today in pairwise(days):
        hidden = {each.what.id for each in yesterday.services if each.hidden}
        for each in today.services:
            if each.what.id in hidden and not each.hidden:
                assert not each.before.calls
                met += 1
    assert met, "nothing was hidden on one day and shown on the next"
