"""How clients behave, over many throws of seeded dice."""

from collections import Counter
from datetime import date
from random import Random

import pytest

from sim import people
from sim.city import CITY, Service

DAY = date(2026, 10, 7)
MANY = 20_000
AVERAGE = next(operator for operator in CITY.operators if operator.quality == 0.0)


@pytest.mark.parametrize("service", CITY.services, ids=lambda service: service.id)
def test_between_45_and_65_of_a_hundred_clients_vote(service: Service) -> None:
    dice = Random(7)
    today = people.mood("tsentr", DAY)
    votes = sum(people.votes(dice, service, today, wait_min=6) for _ in range(MANY))
    assert 0.44 < votes / MANY < 0.66


@pytest.mark.parametrize("service", CITY.services, ids=lambda service: service.id)
def test_few_votes_are_bad_and_most_are_exemplary(service: Service) -> None:
    dice = Random(7)
    today = people.mood("tsentr", DAY)
    ratings = Counter(people.rating(dice, service, AVERAGE, today, wait_min=6) for _ in range(MANY))
    assert set(ratings) == {1, 2, 3}
    assert 0.015 < ratings[1] / MANY < 0.08
    assert ratings[3] > ratings[2]


def test_one_branch_improves_over_the_year_and_the_others_hardly_move() -> None:
    def bad_share(branch: str, progress: float) -> float:
        dice, today = Random(7), people.mood(branch, DAY, progress)
        service = CITY.services[0]
        return sum(people.rating(dice, service, AVERAGE, today, wait_min=6) == 1 for _ in range(MANY)) / MANY

    assert bad_share("zamostia", 0) > 1.8 * bad_share("zamostia", 1)
    assert bad_share("tsentr", 0) == pytest.approx(bad_share("tsentr", 1), rel=0.25)


def test_a_better_operator_gets_fewer_bad_votes() -> None:
    worst, best = (extreme(CITY.operators, key=lambda operator: operator.quality) for extreme in (min, max))
    today, service = people.mood("tsentr", DAY), CITY.services[0]
    dice = Random(7)
    bad = [
        sum(people.rating(dice, service, operator, today, wait_min=6) == 1 for _ in range(MANY))
        for operator in (worst, best)
    ]
    assert bad[0] > 1.4 * bad[1]


def test_a_service_takes_from_40_seconds_to_an_hour_and_about_its_median() -> None:
    dice = Random(7)
    for service in CITY.services:
        times = sorted(people.service_s(dice, service, AVERAGE) for _ in range(2001))
        assert times[0] >= 40 and times[-1] <= 3600
        assert times[1000] == pytest.approx(60 * service.median_min * AVERAGE.pace, rel=0.1)


def test_a_vote_falls_into_the_second_half_of_the_service() -> None:
    dice = Random(7)
    assert all(0.5 <= people.moment_of_vote(dice) < 0.99 for _ in range(MANY))


def test_every_course_a_call_can_take_happens() -> None:
    dice = Random(7)
    courses = Counter(people.course(dice) for _ in range(MANY))
    assert set(courses) == {"served", "absent", "transferred", "held", "left", "removed"}
    assert courses["served"] / MANY == pytest.approx(0.912, abs=0.01)
