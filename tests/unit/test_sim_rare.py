"""The rare service: a few calls in one branch, of two clerks, and not a single call more for its sake."""

from dataclasses import replace
from datetime import date, timedelta

from sim.city import CITY, with_fewer_desks
from sim.office import register
from sim.rare import SIGNS, with_rare
from sim.year import PastCall, calls_of_day


def month() -> list[PastCall]:
    days = (date(2026, 10, 1) + timedelta(days=day) for day in range(31))
    return [call for day in days for call in calls_of_day(CITY, day, seed=2026, calls=300_000, progress=0.5)]


def test_only_the_service_of_some_calls_is_another_one() -> None:
    before = month()
    after = with_rare(before, SIGNS)
    assert [replace(call, service="") for call in after] == [replace(call, service="") for call in before]
    rare = [call for call in after if call.service == SIGNS.id]
    assert {call.branch for call in rare} == {SIGNS.branch} and {call.operator for call in rare} == SIGNS.operators
    # It is asked for, and by too few for a month of it to be published.
    assert 0 < sum(call.rating > 0 for call in rare) < 10
    assert with_rare(before, None) == before


def test_the_register_knows_it_where_its_branch_is() -> None:
    row = next(each for each in register().services if each.id == SIGNS.id)
    assert row.direction in {each.id for each in register().directions}
    clerks = {operator.id: operator for operator in CITY.operators}
    assert all(clerks[name].branch == SIGNS.branch for name in SIGNS.operators)
    assert all(SIGNS.instead_of <= clerks[name].services for name in SIGNS.operators)
    assert SIGNS.id not in {each.id for each in register(with_fewer_desks(CITY, 2)).services}
