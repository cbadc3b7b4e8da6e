"""The attacker against a published year of a small office, corrections and all; and against suppressors that fail."""

import json

import pytest

from api.publication.cover import Decided
from api.publication.rules import verdict
from api.publication.sheets import Sheet
from tests.attacker import Attacker
from tests.published_year import PublishedYear, published, small_city

CITY = small_city(1, services=6, branches=3)
CALLS = 7_000


@pytest.fixture(scope="module")
def year() -> PublishedYear:
    return published(CITY, seed=1, calls=CALLS, late={5: 0.4})


def careless(sheets: list[Sheet]) -> Decided:
    """Withholds what may not be published by itself, and nothing else."""
    fresh = [sheet for sheet in sheets if not sheet.codes]
    return Decided({s.name: {place: verdict(one.tally, one.givers) for place, one in s.sums.items()} for s in fresh})


def test_of_a_published_year_nothing_withheld_is_recovered(year: PublishedYear) -> None:
    attacker = Attacker(year.contents, year.offered)
    haul = attacker.attack(year.truth(), ("votes", "exemplary"))
    assert haul.tried > 100
    assert haul.recovered == {}
    assert year.gave_up == 0


def test_not_even_what_a_correction_changed_by_a_few_votes(year: PublishedYear) -> None:
    unsafe = year.unsafe_changes()
    haul = Attacker(year.contents, year.offered).attack_changes(unsafe)
    assert haul.tried == len(unsafe) > 0
    assert haul.recovered == {}


def test_a_colleague_who_knows_who_works_at_what_learns_nobodys_figures(year: PublishedYear) -> None:
    of_some_periods = {
        name: {"votes": values["votes"]}
        for name, values in year.operators().items()
        if name[0] in ("2026-02/1", "2026/2")
    }
    haul = Attacker(year.contents, year.offered, year.workers).attack_operators(of_some_periods)
    assert haul.tried > 20
    assert haul.recovered == {}


def test_propagating_bounds_finds_no_more(year: PublishedYear) -> None:
    truth = year.truth()
    found = Attacker(year.contents, year.offered).propagated()
    assert found
    for target, (low, high) in found.items():
        assert low <= truth[target] <= high
        if target.measure == "votes":
            assert high - low >= 9, target


def test_without_secondary_suppression_the_attacker_solves_for_figures_at_once() -> None:
    year = published(CITY, seed=1, calls=CALLS, decide=careless)
    attacker = Attacker(year.contents, year.offered)
    solved = attacker.solved_exactly([columns for _, _, columns in attacker.hidden])
    assert sum(solved) > 5


def test_with_one_figure_shown_too_many_the_attacker_finds_it_out(year: PublishedYear) -> None:
    """The edition of a month is published once more with one of its secondary figures in the open."""
    sheet = next(
        sheet for sheet in year.sheets if not sheet.parts and "secondary" in {c.value for c in sheet.codes.values()}
    )
    contents = []
    for content in year.contents:
        edition = json.loads(content)
        if f"{edition['period']}/{edition['number']}" == sheet.name:
            cell = next(cell for cell in edition["cells"] if cell["code"] == "secondary")
            tally = next(one.tally for place, one in sheet.sums.items() if place == (cell["cut"], cell["key"]))
            cell |= {"code": "published", "votes": tally.votes, "bad": tally.bad, "good": tally.good}
            cell |= {"exemplary": tally.exemplary}
        contents.append(json.dumps(edition).encode())
    attacker = Attacker(contents, year.offered)
    of_month = [(columns, "votes") for name, _, columns in attacker.hidden if name == sheet.name]
    assert any(high - low < 9 for low, high in attacker.bounds_of(of_month))
