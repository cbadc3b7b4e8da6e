"""What the Figures page adds up and says of it, without a store."""

from datetime import date

import pytest

from api.errors import BadQuestion
from api.figures import Tally, rating_figure, response_rate
from api.figures_answers import Asked, as_one, worst_case
from schemas.periods import Period
from schemas.resources import Cell


def cell(month: int, tally: Tally, *, complete: bool = True) -> Cell:
    return Cell(
        period=f"2026-{month:02}",
        first=date(2026, month, 1),
        last=date(2026, month, 28),
        complete=complete,
        branch=None,
        key=None,
        name="Центр",
        name_en="Centre",
        calls=tally.calls,
        eligible_calls=tally.eligible,
        votes=tally.votes,
        response_rate=response_rate(tally),
        bad=rating_figure(tally.bad, tally.votes),
        good=rating_figure(tally.good, tally.votes),
        exemplary=rating_figure(tally.exemplary, tally.votes),
    )


def test_all_of_the_time_is_the_sum_of_its_periods_and_not_the_mean_of_their_shares() -> None:
    whole = as_one([cell(1, Tally(12, 10, 9, 0, 0)), cell(2, Tally(1000, 900, 0, 0, 81), complete=False)])
    assert (whole.calls, whole.eligible_calls, whole.votes) == (1012, 910, 90)
    assert (whole.bad.count, whole.bad.share) == (9, 0.1)
    assert (whole.first, whole.last, whole.complete) == (date(2026, 1, 1), date(2026, 2, 28), False)
    assert whole.response_rate.share == pytest.approx(90 / 910, abs=1e-6)


def test_the_worst_case_is_that_of_the_domain_study() -> None:
    # Study 6.2: 1,000 eligible, 300 votes, 270 of them top: anything from 27 % to 97 %.
    assert worst_case(cell(1, Tally(1000, 1000, 10, 20, 270)), "exemplary") == (0.27, 0.97)


def test_without_an_eligible_call_there_is_no_worst_case() -> None:
    assert worst_case(cell(1, Tally()), "bad") is None


def test_empty_and_unknown_selectors_ask_nothing() -> None:
    asked = Asked.of(
        {"period": "week", "branch": " ", "service": "", "lang": "en", "purpose": "analysis", "by": "operator"}
    )
    assert asked.values == {"period": "week"}
    assert asked.question().period is Period.WEEK
    assert asked.question().by == "centre"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"period": "fortnight"}, "period"),
        ({"from": "2026-02-30"}, "from"),
        ({"from": "yesterday"}, "from"),
        ({"to": "9" * 400}, "to"),
        ({"from": "2026-03-01", "to": "2026-02-01"}, None),
    ],
    ids=str,
)
def test_a_question_that_makes_no_sense_names_the_selector(query: dict[str, str], field: str | None) -> None:
    with pytest.raises(BadQuestion) as refused:
        Asked.of(query).question()
    assert refused.value.field == field
