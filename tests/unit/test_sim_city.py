"""The invented city: a legal register, enough people for every service, fewer desks on request."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from collector.register import read_register
from protocol.fields import NAME
from schemas.opening import opening_hours
from sim import hours
from sim.city import CITY, with_fewer_desks
from sim.office import register, write_register


def test_the_register_file_is_read_back_as_the_register(tmp_path: Path) -> None:
    write_register(tmp_path / "register.toml")
    read = read_register(tmp_path / "register.toml")
    assert read == register()
    assert read.organisation.simulated
    assert [branch.name for branch in read.branches] == ["Центр", "Вишенька", "Замостя", "Старе місто"]
    assert len(read.desks) == 24


def test_every_name_is_legal_on_the_wire() -> None:
    names = [each.id for group in (CITY.branches, CITY.services, CITY.desks, CITY.operators) for each in group]
    assert [name for name in names if NAME.problem(name)] == []
    assert len(set(names)) == len(names)


def test_every_service_can_be_had_in_every_branch_and_no_desk_lacks_an_operator() -> None:
    services = {service.id for service in CITY.services}
    for branch in CITY.branches:
        team = CITY.operators_of(branch.id)
        assert set().union(*(operator.services for operator in team)) == services
        assert len(team) > len(CITY.desks_of(branch.id))


def test_fewer_desks_are_taken_in_turn_from_the_branches() -> None:
    small = with_fewer_desks(CITY, 6)
    assert [len(small.desks_of(branch.id)) for branch in small.branches] == [2, 2, 1, 1]
    assert {operator.branch for operator in small.operators} == {branch.id for branch in small.branches}
    assert [branch.id for branch in with_fewer_desks(CITY, 2).branches] == ["tsentr", "vyshenka"]


@pytest.mark.parametrize("count", [0, 25, -1])
def test_a_number_of_desks_that_the_city_does_not_have_is_refused(count: int) -> None:
    with pytest.raises(ValueError, match="from 1 to 24"):
        with_fewer_desks(CITY, count)


def test_the_year_has_changes_and_the_hours_are_those_in_which_people_are_called() -> None:
    today = date(2026, 11, 24)
    made = register(CITY, today)
    names = [
        [each.name_en for each in made.on(day).services if each.id == "driving"] for day in (date(2026, 1, 9), today)
    ]
    assert names == [["Driver's documents"], ["Driving licence"]]
    employers = [[each.participant for each in made.on(day).operators if each.id == "op-09"]
                 for day in (date(2026, 7, 14), date(2026, 7, 15))]  # fmt: skip
    assert employers == [[None], ["land-office"]]
    for offset in range(365):
        day = today - timedelta(days=offset)
        spans = opening_hours(made, "tsentr", day)
        assert spans is not None
        said = [(each[0].hour * 60 + each[0].minute, each[1].hour * 60 + each[1].minute) for each in spans]
        assert said == ([opening] if (opening := hours.opening(day)) else [])


def test_a_smaller_city_has_a_register_that_fits_together() -> None:
    for desks in (1, 5, 24):
        city = with_fewer_desks(CITY, desks)
        assert len(register(city).desks) == desks
        assert {each.id for each in register(city).operators} == {each.id for each in city.operators}
