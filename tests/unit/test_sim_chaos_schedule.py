"""What a campaign will do is known before it begins, and known again by its seed."""

from dataclasses import replace

import pytest

from sim.chaos.schedule import CALM_S, FIRST_S, KINDS, Options, plan

DESKS = ("tsentr-01", "vyshenka-01")
LONG = Options(minutes=20)


def test_the_same_seed_brings_the_same_injuries_and_another_one_others() -> None:
    assert plan(LONG, DESKS) == plan(LONG, DESKS)
    assert plan(LONG, DESKS) != plan(replace(LONG, seed=8), DESKS)


def test_injuries_come_in_order_and_leave_the_beginning_and_the_end_in_peace() -> None:
    moments = [injury.at_s for injury in plan(LONG, DESKS)]
    assert moments == sorted(moments)
    assert moments[0] == FIRST_S
    assert moments[-1] < 60 * LONG.minutes - CALM_S


def test_a_long_campaign_inflicts_everything_that_its_centre_can_suffer() -> None:
    possible = {kind.name for kind in KINDS if kind.targets(LONG, DESKS)}
    assert {injury.kind for injury in plan(LONG, DESKS)} == possible


def test_only_what_is_asked_for_is_inflicted() -> None:
    assert {injury.kind for injury in plan(replace(LONG, only=("freeze", "wipe")), DESKS)} == {"freeze", "wipe"}


def test_an_injury_that_nobody_knows_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="'tickle'"):
        plan(replace(LONG, only=("tickle",)), DESKS)
