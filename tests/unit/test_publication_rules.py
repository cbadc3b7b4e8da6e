"""Which figure may be published by itself (domain study 6.3): its limits, one below and one above."""

import pytest

from api.figures import Tally
from api.publication.rules import (
    Code,
    alike,
    hidden_parts,
    rating_spread_wanted,
    spread_wanted,
    tells_of_a_colleague,
    verdict,
)


def of(bad: int, good: int, exemplary: int, *, silent: int = 5) -> Tally:
    votes = bad + good + exemplary
    return Tally(votes + silent + 1, votes + silent, bad, good, exemplary)


THREE = {"a": 4, "b": 3, "c": 3}


@pytest.mark.parametrize(
    ("tally", "givers", "code"),
    [
        (Tally(), {}, Code.NONE),
        (Tally(3, 0, 0, 0, 0), {}, Code.SMALL),
        (of(0, 0, 0), {}, Code.SMALL),
        (of(1, 2, 6), {"a": 3, "b": 3, "c": 3}, Code.SMALL),
        (of(1, 2, 7), THREE, Code.PUBLISHED),
        (of(1, 2, 7), {"a": 5, "b": 5}, Code.FEW_OPERATORS),
        (of(1, 2, 7), {"a": 5, "b": 5, "c": 0}, Code.FEW_OPERATORS),
        (of(1, 2, 7), {"a": 8, "b": 1, "c": 1}, Code.PUBLISHED),
        (of(10, 20, 71), {"a": 81, "b": 10, "c": 10}, Code.FEW_OPERATORS),
        (of(0, 0, 12), {"a": 4, "b": 4, "c": 4}, Code.ALIKE),
        (of(0, 300, 0), {"a": 100, "b": 100, "c": 100}, Code.ALIKE),
        (of(0, 1, 11), {"a": 4, "b": 4, "c": 4}, Code.PUBLISHED),
    ],
)
def test_a_figure_is_published_from_ten_votes_and_three_operators_on(
    tally: Tally, givers: dict[str, int], code: Code
) -> None:
    assert verdict(tally, givers) is code


def test_votes_are_alike_only_if_every_one_is() -> None:
    assert alike(of(0, 0, 12)) == "exemplary"
    assert alike(of(12, 0, 0)) == "bad"
    assert alike(of(1, 0, 12)) is None
    assert alike(of(0, 0, 0)) is None


@pytest.mark.parametrize(
    ("code", "votes", "wanted"),
    [
        (Code.SMALL, 3, 9),
        (Code.SECONDARY, 500, 9),
        (Code.FEW_OPERATORS, 12, 10),
        (Code.FEW_OPERATORS, 51, 11),
        (Code.ALIKE, 100, 20),
    ],
)
def test_operator_data_are_owed_a_fifth_and_the_others_ten_possible_values(code: Code, votes: int, wanted: int) -> None:
    assert spread_wanted(code, votes) == wanted


def test_a_rating_that_somebody_gave_is_never_known_exactly() -> None:
    assert [rating_spread_wanted(Code.SMALL, count) for count in (0, 1, 7)] == [0, 1, 1]
    assert [rating_spread_wanted(Code.FEW_OPERATORS, count) for count in (0, 1, 100)] == [0, 1, 20]


PEOPLE = {"olena": 20, "petro": 20, "ivan": 20}


@pytest.mark.parametrize(
    ("parts", "hidden"),
    [
        ({8: PEOPLE, 9: PEOPLE}, set()),
        ({8: PEOPLE, 9: {"olena": 30, "petro": 30}}, {8, 9}),  # the other one less the whole would tell
        ({8: PEOPLE, 9: {"olena": 30}, 10: {"olena": 30}, 11: dict.fromkeys(PEOPLE, 50)}, {8, 9, 10}),
        ({8: PEOPLE, 9: {"olena": 9, "petro": 9}, 10: {"ivan": 9}}, {9, 10}),
        ({8: PEOPLE, 9: {"olena": 0}}, set()),
        ({8: PEOPLE, 9: {"": 30, "olena": 30}}, {8, 9}),  # whom nobody named may be anybody
        ({8: {"olena": 95, "petro": 3, "ivan": 2}}, {8}),
        ({}, set()),
    ],
)
def test_of_the_parts_of_a_whole_none_tells_of_an_operator_and_neither_do_those_not_shown_together(
    parts: dict[int, dict[str, int]], hidden: set[int]
) -> None:
    assert hidden_parts(parts) == hidden


@pytest.mark.parametrize(
    ("givers", "tells"),
    [
        ({"me": 40}, True),  # nobody else: it would say so
        ({"me": 40, "a": 40}, True),
        ({"me": 40, "a": 40, "": 300}, True),  # what nobody is named for hides nobody
        ({"me": 40, "a": 40, "b": 0}, True),
        ({"me": 40, "a": 81, "b": 19}, True),
        ({"me": 40, "a": 80, "b": 20}, False),
        ({"a": 30, "b": 20}, False),
    ],
)
def test_a_branch_less_ones_own_votes_is_no_single_colleagues(givers: dict[str, int], tells: bool) -> None:
    assert tells_of_a_colleague(givers, "me") is tells
