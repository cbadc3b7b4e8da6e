"""A waiting hall: who is called to which desk, and that the n-th client is the same whatever the clock says."""

from itertools import count

import pytest

from sim.city import CITY, Operator
from sim.hall import Hall, Visitor

BRANCH = CITY.branches[0]
EVERYTHING = frozenset(service.id for service in CITY.services)


def hall(*, seed: int = 7, begins: int = 0) -> Hall:
    moments = count(begins)
    return Hall(CITY, BRANCH, seed=seed, unix_ms=lambda: next(moments))


def operator(services: frozenset[str]) -> Operator:
    return Operator("op-01", BRANCH.id, services, 0.0, 1.0, 0)


def filled(size: int) -> tuple[Hall, list[Visitor]]:
    full = hall()
    visitors = [full.issue() for _ in range(size)]
    for visitor in visitors:
        full.join(visitor)
    return full, visitors


def test_the_same_seed_brings_the_same_clients_at_any_time() -> None:
    def clients(each: Hall) -> list[tuple[str, float]]:
        return [(visitor.service.id, visitor.dice.random()) for visitor in (each.issue() for _ in range(20))]

    assert clients(hall()) == clients(hall(begins=10**12))
    assert clients(hall()) != clients(hall(seed=8))


def test_no_two_tickets_have_the_same_key() -> None:
    one, later = hall(), hall(begins=10_000)
    keys = [visitor.key for each in (one, later) for visitor in (each.issue() for _ in range(1500))]
    assert len(set(keys)) == len(keys)
    assert max(map(len, keys)) <= 80  # what the feed takes


def test_clients_are_called_in_the_order_in_which_they_came() -> None:
    full, visitors = filled(5)
    assert [full.take("tsentr-01", operator(EVERYTHING)) for _ in range(6)] == [*visitors, None]


def test_a_client_waits_for_somebody_who_knows_the_service_if_there_is_one() -> None:
    full, [visitor] = filled(1)
    other = operator(EVERYTHING - {visitor.service.id})
    full.present = {"tsentr-01": other, "tsentr-02": operator(EVERYTHING)}
    assert full.take("tsentr-01", other) is None
    full.present = {"tsentr-01": other}
    assert full.take("tsentr-01", other) is visitor


@pytest.mark.parametrize(("desk", "fits"), [("tsentr-01", False), ("tsentr-02", True)])
def test_a_transferred_client_is_called_to_another_desk_only(desk: str, fits: bool) -> None:
    full, [visitor] = filled(1)
    visitor.not_desk = "tsentr-01"
    assert (full.take(desk, operator(EVERYTHING)) is visitor) is fits


@pytest.mark.parametrize(("desk", "fits"), [("tsentr-01", True), ("tsentr-02", False)])
def test_a_client_who_was_held_comes_back_to_the_same_desk(desk: str, fits: bool) -> None:
    full, [visitor] = filled(1)
    visitor.desk = "tsentr-01"
    assert (full.take(desk, operator(frozenset())) is visitor) is fits


def test_who_was_sent_on_goes_before_all_who_wait() -> None:
    full, _ = filled(3)
    sent = full.issue()
    full.join(sent, first=True)
    assert full.take("tsentr-01", operator(EVERYTHING)) is sent
