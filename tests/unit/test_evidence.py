"""The rules of evidence: no trend of two periods, no target set afterwards, no band beyond what is known."""

from datetime import date

import pytest

from api.evidence import model
from api.evidence.judging import band, judged, status_of, trend_of
from api.evidence.measures import measures
from api.evidence.series import Value
from api.figures import Span, Tally
from api.i18n import load_languages
from api.statistics import Trend, TrendClass
from collector.store import NewTarget, Target

LANGUAGES = load_languages()


def value(month: int, bad: int, exemplary: int, *, complete: bool = True) -> Value:
    votes = bad + exemplary
    span = Span(f"2026-{month:02}", date(2026, month, 1), date(2026, month, 28))
    share = exemplary / votes
    return Value(span, complete, share, share - 0.02, share + 0.02, votes, 0.5, Tally(votes, votes, bad, 0, exemplary))


def target(month: int, wanted: float, number: int = 1) -> Target:
    return Target(
        number,
        NewTarget(
            "exemplary", 20260000 + month * 100 + 1, 20260000 + month * 100 + 28, wanted, "at_least", 20251201, "x"
        ),
    )


def trend(verdict: TrendClass) -> Trend:
    return Trend(verdict, 3, 0.1, 3.0, 0.01, False)


def test_of_two_periods_nobody_can_tell_and_a_third_that_is_not_over_does_not_help() -> None:
    values = [value(1, 50, 50), value(2, 30, 70), value(3, 10, 90, complete=False)]
    assert trend_of(values, has_better=True).verdict is TrendClass.CANNOT_TELL


def test_three_periods_that_rise_beyond_chance_improve() -> None:
    values = [value(1, 500, 500), value(2, 400, 600), value(3, 300, 700)]
    assert trend_of(values, has_better=True).verdict is TrendClass.IMPROVING


def test_a_measure_without_a_better_side_has_no_trend() -> None:
    values = [value(1, 500, 500), value(2, 400, 600), value(3, 300, 700)]
    assert trend_of(values, has_better=False).verdict is TrendClass.CANNOT_TELL


def test_a_target_is_judged_when_its_period_is_over_and_says_whether_chance_could_have_done_it() -> None:
    values = [value(1, 20, 80), value(2, 20, 80), value(3, 20, 80, complete=False)]
    found = {
        each.target.id: each for each in judged([target(1, 0.7, 1), target(2, 0.79, 2), target(3, 0.5, 3)], values)
    }
    assert (found[1].met, found[1].clear) == (True, True)
    assert (found[2].met, found[2].clear) == (True, False)
    assert (found[3].met, found[3].clear, found[3].reached) == (None, None, None)


def test_of_two_targets_for_one_period_the_later_holds() -> None:
    (found,) = judged([target(1, 0.5, 1), target(1, 0.9, 2)], [value(1, 20, 80)])
    assert (found.target.id, found.met) == (2, False)


@pytest.mark.parametrize(
    ("met", "word"),
    [([], "none"), ([0.99], "none_met"), ([0.5], "all_met"), ([0.5, 0.99], "some_met"), ([0.5, 0.5, 0.99], "most_met")],
)
def test_how_many_targets_were_met(met: list[float], word: str) -> None:
    targets = [target(month, wanted, month) for month, wanted in enumerate(met, 1)]
    assert status_of(judged(targets, [value(month, 20, 80) for month in range(1, 4)])) == word


@pytest.mark.parametrize(
    ("verdict", "status", "band_of"),
    [
        (TrendClass.CANNOT_TELL, "all_met", (11, 50)),
        (TrendClass.FLAT, "none", (31, 50)),
        (TrendClass.FLAT, "all_met", (31, 70)),
        (TrendClass.IMPROVING, "none", (51, 70)),
        (TrendClass.IMPROVING, "all_met", (51, 90)),
        (TrendClass.DECLINING, "all_met", (11, 30)),
        (TrendClass.FLAT, "none_met", (11, 30)),
    ],
)
def test_a_band_is_capped_by_what_is_known(verdict: TrendClass, status: str, band_of: tuple[int, int]) -> None:
    found = band([trend(verdict)], status, measured=True)  # type: ignore[arg-type]
    assert (found.low, found.high) == band_of
    assert "no_comparison" in found.why


def test_what_is_not_measured_has_the_lowest_band() -> None:
    assert (band([], "none", measured=False).low, band([], "none", measured=False).high) == (0, 10)


@pytest.mark.parametrize("code", list(LANGUAGES))
def test_every_sub_criterion_of_caf_is_either_supported_or_said_to_be_without_evidence(code: str) -> None:
    made = model.caf(LANGUAGES[code])
    ids = [each.id for each in (*made.items, *made.without)]
    expected = {"1": 4, "2": 4, "3": 3, "4": 6, "5": 3, "6": 2, "7": 2, "8": 2, "9": 2}
    assert sorted(ids) == sorted(f"{one}.{n}" for one, count in expected.items() for n in range(1, count + 1))


@pytest.mark.parametrize("code", list(LANGUAGES))
def test_every_measure_named_by_a_model_is_there(code: str) -> None:
    known = measures(LANGUAGES[code])
    for made in (model.caf(LANGUAGES[code]), model.certification(LANGUAGES[code])):
        for item in made.items:
            assert set(item.measures) <= set(known)
            assert set(item.tested) <= set(item.measures)
