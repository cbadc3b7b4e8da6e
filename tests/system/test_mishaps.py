"""Every server process dies by kill -9 in the middle of the work; no vote is lost and none is counted twice."""

from collections.abc import Iterator

import pytest

from tests.system.centre import ALL, NONE, ONE, Centre


@pytest.fixture(scope="module")
def centre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Centre]:
    with Centre(tmp_path_factory.mktemp("centre"), desks=5) as running:
        yield running


def desk_of(centre: Centre, number: int) -> str:
    return centre.city.desks[number].id


def test_votes_taken_while_the_collector_is_dead_arrive_when_it_is_back(centre: Centre) -> None:
    desk = desk_of(centre, 0)
    centre.queue("called", desk, "C1")
    centre.shows(desk, ALL)
    dead = centre.kill("collector")
    centre.press(desk, 3)
    centre.shows(desk, ONE[3])
    centre.queue("called", desk, "C2")  # arming needs the feed and the broker only
    centre.shows(desk, ALL)
    centre.press(desk, 1)
    centre.shows(desk, ONE[1])
    centre.is_back("collector", dead)
    centre.comes_to(desk, 2, 2, 1, 0, 1)


def test_a_broker_that_forgets_everything_loses_no_vote(centre: Centre) -> None:
    """The embedded broker keeps nothing on disk: after kill -9 every retained call and session is gone."""
    desk = desk_of(centre, 1)
    centre.queue("called", desk, "B1")
    centre.shows(desk, ALL)
    dead = centre.kill("broker")
    centre.press(desk, 2)
    centre.shows(desk, ONE[2])
    centre.is_back("broker", dead)
    centre.comes_to(desk, 1, 1, 0, 1, 0)
    centre.queue("called", desk, "B2")
    centre.shows(desk, ALL)


def test_a_feed_that_dies_in_a_call_knows_it_again(centre: Centre) -> None:
    desk = desk_of(centre, 2)
    centre.queue("called", desk, "F1")
    centre.shows(desk, ALL)
    dead = centre.kill("feed")
    centre.press(desk, 3)
    centre.shows(desk, ONE[3])
    centre.is_back("feed", dead)
    centre.queue("called", desk, "F1")  # a recall: the same call still
    centre.queue("finished", desk, "F1")
    centre.shows(desk, NONE)
    centre.comes_to(desk, 1, 1, 0, 0, 1)


def test_with_the_api_dead_everything_else_goes_on(centre: Centre) -> None:
    desk = desk_of(centre, 3)
    dead = centre.kill("api")
    centre.queue("called", desk, "D1")
    centre.shows(desk, ALL)
    centre.press(desk, 1)
    centre.shows(desk, ONE[1])
    centre.is_back("api", dead)
    centre.comes_to(desk, 1, 1, 1, 0, 0)


def test_everything_stops_at_once_and_comes_back(centre: Centre) -> None:
    desk = desk_of(centre, 4)
    centre.queue("called", desk, "E1")
    centre.shows(desk, ALL)
    centre.press(desk, 2)
    centre.shows(desk, ONE[2])
    centre.says(desk, "voted")
    dead = {name: centre.kill(name) for name in ("collector", "broker", "feed")}
    centre.run(centre.stack.pads.restart(desk))
    for name, pid in dead.items():
        centre.is_back(name, pid)
    centre.shows(desk, ONE[2])
    centre.comes_to(desk, 1, 1, 0, 1, 0)
