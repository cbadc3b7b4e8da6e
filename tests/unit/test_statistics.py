"""The statistics of the figures against the domain study's vectors, SciPy, statsmodels, and any counts."""

import subprocess
import sys
from math import sqrt
from random import Random

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.contingency_tables import Table
from statsmodels.stats.power import NormalIndPower
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from api import figures
from api.figures import Tally
from api.statistics import (
    MIN_OPERATORS,
    MixRow,
    Prior,
    Rates,
    TrendClass,
    cliffs_delta,
    compare,
    compare_all,
    delta_interval,
    design_effect,
    exact_interval,
    funnel_limits,
    in_funnel,
    intraclass,
    linear_by_linear,
    mann_whitney,
    newcombe,
    overdispersion,
    prior_of,
    reliability,
    response_differs,
    share_limits,
    shrink,
    standardised,
    trend,
    two_sided_p,
    votes_needed,
    votes_to_see,
    wilson,
    worst_case,
)

BEFORE, AFTER = (30, 50, 120), (20, 45, 135)
SHARES = st.integers(1, 20_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
LEVELS = st.tuples(st.integers(0, 60), st.integers(0, 60), st.integers(0, 60)).filter(lambda each: sum(each) > 0)


def tally(bad: int, good: int, exemplary: int, eligible: int | None = None) -> Tally:
    votes = bad + good + exemplary
    return Tally(eligible or votes * 2, eligible or votes * 2, bad, good, exemplary)


# ---- intervals
@pytest.mark.parametrize(
    ("count", "n", "low", "high"),
    [  # domain study 6.1
        (0, 5, 0, 0.4345),
        (0, 10, 0, 0.2775),
        (5, 5, 0.5655, 1),
        (10, 10, 0.7225, 1),
        (17, 20, 0.6396, 0.9476),
        (27, 30, 0.7438, 0.9654),
        (160, 200, 0.7391, 0.8495),
        (900, 1000, 0.8798, 0.9171),
    ],
)
def test_wilson_intervals_are_those_of_the_study(count: int, n: int, low: float, high: float) -> None:
    assert wilson(count, n) == pytest.approx((low, high), abs=5e-5)
    assert wilson(count, n) == figures.wilson(count, n)


@given(SHARES, st.sampled_from([0.8, 0.95, 0.998]))
def test_wilson_and_exact_intervals_are_those_of_statsmodels(pair: tuple[int, int], confidence: float) -> None:
    count, n = pair
    assert wilson(count, n, confidence=confidence) == pytest.approx(
        proportion_confint(count, n, 1 - confidence, "wilson"), abs=1e-9
    )
    assert exact_interval(count, n, confidence=confidence) == pytest.approx(
        proportion_confint(count, n, 1 - confidence, "beta"), abs=1e-9
    )


def test_a_share_of_no_votes_may_be_anything() -> None:
    assert wilson(0, 0) == (0, 1)


@pytest.mark.parametrize(("count", "n"), [(-1, 3), (4, 3)])
def test_what_is_no_share_is_refused(count: int, n: int) -> None:
    for interval in (wilson, exact_interval):
        with pytest.raises(ValueError, match="is no share"):
            interval(count, n)


@given(SHARES, st.floats(1, 20))
def test_clustering_only_ever_widens_an_interval(pair: tuple[int, int], effect: float) -> None:
    low, high = wilson(*pair)
    wide_low, wide_high = wilson(*pair, design_effect=effect)
    assert wide_low <= low + 1e-12
    assert wide_high >= high - 1e-12


@pytest.mark.parametrize(("n", "p"), [(10, 0.1), (30, 0.03), (30, 0.6), (100, 0.9), (400, 0.02)])
def test_wilson_covers_about_what_it_says_and_the_exact_interval_never_less(n: int, p: float) -> None:
    chances = stats.binom.pmf(range(n + 1), n, p)
    covered = {
        interval: sum(chance for k, chance in enumerate(chances) if interval(k, n)[0] <= p <= interval(k, n)[1])
        for interval in (wilson, exact_interval)
    }
    assert covered[wilson] > 0.9
    assert covered[exact_interval] >= 0.95


def test_newcombe_is_the_study_s_and_statsmodels() -> None:
    low, high = newcombe(135, 200, 120, 200)
    assert (low, high) == pytest.approx((-0.019, 0.167), abs=5e-4)
    theirs = confint_proportions_2indep(135, 200, 120, 200, method="newcomb", compare="diff")
    assert (low, high) == pytest.approx(theirs, abs=1e-9)


@given(SHARES, SHARES)
def test_newcombe_is_the_same_seen_from_either_side_and_holds_the_difference(
    one: tuple[int, int], other: tuple[int, int]
) -> None:
    low, high = newcombe(*one, *other)
    assert newcombe(*other, *one) == pytest.approx((-high, -low), abs=1e-12)
    assert low - 1e-12 <= one[0] / one[1] - other[0] / other[1] <= high + 1e-12
    assert -1 <= low <= high <= 1


def test_newcombe_covers_about_what_it_says() -> None:
    n, p1, p2 = 40, 0.9, 0.8
    first, second = stats.binom.pmf(range(n + 1), n, p1), stats.binom.pmf(range(n + 1), n, p2)
    covered = 0.0
    for a, chance_a in enumerate(first):
        for b, chance_b in enumerate(second):
            low, high = newcombe(a, n, b, n)
            covered += chance_a * chance_b * (low <= p1 - p2 <= high)
    assert 0.94 < covered < 0.975


def test_without_votes_there_is_no_difference() -> None:
    with pytest.raises(ValueError, match="votes on both sides"):
        newcombe(0, 0, 3, 10)


def test_those_who_did_not_vote_could_change_everything() -> None:
    assert worst_case(270, 300, 1000) == (0.27, 0.97)  # domain study 6.2
    assert worst_case(0, 0, 0) is None
    with pytest.raises(ValueError, match="must not decrease"):
        worst_case(4, 3, 10)


# ---- clustering
def test_independent_votes_have_a_design_effect_near_one() -> None:
    dice = Random(11)
    days = [(sum(dice.random() < 0.8 for _ in range(40)), 40) for _ in range(400)]
    assert design_effect(days) == pytest.approx(1, abs=0.15)


def test_the_design_effect_finds_what_days_have_in_common() -> None:
    dice = numpy.random.default_rng(11)
    icc, n = 0.05, 41
    weight = (1 - icc) / icc
    days = [(int(dice.binomial(n, dice.beta(0.8 * weight, 0.2 * weight))), n) for _ in range(2000)]
    assert design_effect(days) == pytest.approx(1 + (n - 1) * icc, rel=0.12)  # Kish: 1 + (n-1) ICC = 3


@given(st.lists(st.integers(0, 50).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), max_size=40))
def test_a_design_effect_never_makes_an_interval_narrower(days: list[tuple[int, int]]) -> None:
    effect = design_effect(days)
    assert (effect is None) == (sum(1 for _, n in days if n) < 10)
    assert effect is None or effect >= 1


# ---- funnel
@pytest.mark.parametrize(
    ("n", "limits"),
    [  # domain study 6.4, at a common share of 0.8; 10 of 10 and 20 of 20 are never out of the ordinary
        (10, (5, 10, 4, 10)),
        (20, (12, 19, 10, 20)),
        (50, (34, 45, 31, 48)),
        (100, (72, 88, 67, 91)),
        (200, (149, 171, 142, 177)),
        (500, (382, 417, 372, 427)),
    ],
)
def test_funnel_limits_are_those_of_the_study(n: int, limits: tuple[int, int, int, int]) -> None:
    assert funnel_limits(n, 0.8) == limits


@given(st.integers(0, 3000), st.one_of(st.sampled_from([0.0, 1.0]), st.floats(1e-4, 1 - 1e-4)))
def test_funnel_limits_are_scipy_s_and_leave_out_no_more_than_they_say(n: int, p0: float) -> None:
    limits = funnel_limits(n, p0)
    if n:
        assert limits == tuple(int(stats.binom.ppf(q, n, p0)) for q in (0.025, 0.975, 0.001, 0.999))
    assert 0 <= limits.low998 <= limits.low95 <= limits.high95 <= limits.high998 <= n
    for low, high, tail in ((limits.low95, limits.high95, 0.025), (limits.low998, limits.high998, 0.001)):
        assert stats.binom.cdf(low - 1, n, p0) < tail + 1e-12
        assert stats.binom.sf(high, n, p0) <= tail + 1e-12


@given(st.integers(1, 500), st.floats(0.05, 0.95))
def test_a_funnel_seen_from_the_other_rating_is_its_mirror(n: int, p0: float) -> None:
    low95, high95, low998, high998 = funnel_limits(n, p0)
    # A quantile that falls on a step goes to its lower side, so a mirrored limit may differ by the one count.
    mirrored = funnel_limits(n, 1 - p0)
    assert mirrored == pytest.approx((n - high95, n - low95, n - high998, n - low998), abs=1)


@given(SHARES, st.floats(0.01, 0.99))
def test_a_count_beyond_the_limits_is_as_surprising_as_it_looks(pair: tuple[int, int], p0: float) -> None:
    count, n = pair
    p = two_sided_p(count, n, p0)
    limits = funnel_limits(n, p0)
    assert 0 <= p <= 1
    assert (p < 0.05 - 1e-12) <= (not limits.low95 < count < limits.high95)
    assert p == pytest.approx(
        min(1, 2 * min(stats.binom.cdf(count, n, p0), stats.binom.sf(count - 1, n, p0))), rel=1e-6, abs=1e-12
    )


@given(SHARES, st.floats(0.01, 0.99))
def test_limits_of_shares_are_those_of_the_counts(pair: tuple[int, int], p0: float) -> None:
    count, n = pair
    counts, shares = funnel_limits(n, p0), share_limits(n, p0)
    assert shares == tuple(each / n for each in counts)
    where = in_funnel(count / n, shares)
    assert (where == "outside") == (not counts.low998 <= count <= counts.high998)
    assert (where == "inside") == (counts.low95 <= count <= counts.high95)


def test_votes_that_resemble_each_other_have_the_limits_of_fewer() -> None:
    assert share_limits(250, 0.8, design_effect=2.5) == share_limits(100, 0.8)
    assert share_limits(10, 0.8, design_effect=40) == share_limits(1, 0.8)
    for wrong in ({"n": 0}, {"n": 10, "design_effect": 0.5}):
        with pytest.raises(ValueError, match="no limits"):
            share_limits(p0=0.8, **wrong)


def test_overdispersion_is_seen_and_chance_is_not_taken_for_it() -> None:
    dice = numpy.random.default_rng(3)
    alike = [(int(dice.binomial(100, 0.8)), 100) for _ in range(60)]
    unlike = [(int(dice.binomial(100, share)), 100) for share in dice.beta(8, 2, size=60)]
    assert not overdispersion(alike, 0.8).significant
    assert overdispersion(unlike, 0.8).significant
    assert overdispersion(unlike, 0.8).factor > 3
    assert overdispersion(alike[:4], 0.8) is None


def test_the_few_that_a_funnel_is_meant_to_find_do_not_widen_it() -> None:
    dice = numpy.random.default_rng(3)
    points = [(int(dice.binomial(100, 0.8)), 100) for _ in range(40)]
    assert not overdispersion([*points, (20, 100), (30, 100)], 0.8).significant


# ---- shrinkage and reliability
@pytest.mark.parametrize(
    ("count", "n", "share"), [(4, 5, 0.800), (5, 5, 0.822), (45, 50, 0.856), (150, 200, 0.758)]
)  # domain study 6.4
def test_shrunk_shares_are_those_of_the_study(count: int, n: int, share: float) -> None:
    shrunk = shrink(count, n, Prior(0.8, 40))
    assert shrunk.share == pytest.approx(share, abs=5e-4)
    assert (shrunk.low, shrunk.high) == pytest.approx(stats.beta.interval(0.95, 32 + count, 8 + n - count), abs=1e-9)


@given(SHARES, st.floats(0.01, 0.99), st.floats(0.1, 1e5))
def test_a_shrunk_share_lies_between_the_own_and_everybody_s(pair: tuple[int, int], mean: float, weight: float) -> None:
    own = pair[0] / pair[1]
    share = shrink(*pair, Prior(mean, weight)).share
    assert min(own, mean) - 1e-9 <= share <= max(own, mean) + 1e-9


def test_the_prior_is_found_again_from_operators_that_were_made_by_it() -> None:
    dice = numpy.random.default_rng(5)
    groups = [(int(dice.binomial(150, share)), 150) for share in dice.beta(0.8 * 40, 0.2 * 40, size=1500)]
    prior = prior_of(groups)
    assert prior is not None
    assert prior.mean == pytest.approx(0.8, abs=0.01)
    assert prior.weight == pytest.approx(40, rel=0.15)


def test_with_fewer_than_twelve_operators_nothing_is_shrunk() -> None:
    groups = [(40 + n, 60) for n in range(MIN_OPERATORS)]
    assert prior_of(groups) is not None
    assert prior_of([*groups[:-1], (0, 0)]) is None


def test_operators_who_do_not_differ_are_drawn_all_the_way() -> None:
    prior = prior_of([(40, 50)] * 12)
    assert prior is not None
    assert shrink(50, 50, prior).share == pytest.approx(0.8, abs=0.001)


def test_without_any_bad_vote_anywhere_there_is_no_prior_to_shrink_by() -> None:
    assert prior_of([(0, 50)] * 12) is None


@pytest.mark.parametrize(
    ("icc", "at_7", "at_8"), [(0.01, 231, 397), (0.02, 115, 197), (0.05, 45, 77), (0.10, 21, 37)]
)  # domain study 6.4
def test_votes_needed_are_those_of_the_study(icc: float, at_7: int, at_8: int) -> None:
    assert (votes_needed(icc, 0.7), votes_needed(icc, 0.8)) == (at_7, at_8)


@given(st.floats(0.001, 0.9), st.floats(0.05, 0.95))
def test_that_many_votes_suffice_and_not_many_fewer_do(icc: float, wanted: float) -> None:
    votes = votes_needed(icc, wanted)
    assert votes is not None
    assert reliability(votes, icc) >= wanted - 1e-9
    assert votes <= 2 or reliability(votes - 2, icc) < wanted


def test_operators_who_do_not_differ_need_votes_for_ever() -> None:
    assert votes_needed(0, 0.7) is None
    with pytest.raises(ValueError, match="between 0 and 1"):
        votes_needed(0.1, 1)


def test_the_icc_is_that_of_the_analysis_of_variance() -> None:
    groups = [(8, 10), (5, 10), (9, 10), (2, 10)]
    votes = [[1] * x + [0] * (n - x) for x, n in groups]
    f = stats.f_oneway(*votes).statistic
    assert intraclass(groups) == pytest.approx((f - 1) / (f - 1 + 10))
    assert intraclass([(5, 10), (5, 10)]) == 0
    assert intraclass([(5, 10)]) is None
    assert intraclass([(0, 10), (0, 10)]) is None


# ---- case mix
def row(service: str, hour: int, bad: int, votes: int, branch: str = "centre") -> MixRow:
    return MixRow(service, branch, hour, votes * 2, bad, 0, votes - bad)


def test_who_takes_the_hard_service_is_compared_with_the_hard_service() -> None:
    """Seen alone, a fifth of bad votes is four times the centre's; for this service it is just what everybody gets."""
    own = [row("land", 10, 20, 100)]
    others = [row("land", 10, 80, 400), row("passport", 10, 20, 4000)]
    result = standardised(own, Rates([*own, *others], "bad"))
    assert result.observed == 20
    assert result.expected == pytest.approx(20)
    assert result.ratio == pytest.approx(1)
    assert result.low < 1 < result.high


def test_own_votes_are_not_compared_with_themselves() -> None:
    own = [row("land", 10, 50, 100)]
    assert standardised(own, Rates([*own, row("land", 10, 10, 100)], "bad")).expected == pytest.approx(10)


def test_a_thin_cell_is_judged_by_a_wider_one() -> None:
    own = [row("land", 17, 5, 10)]
    thin = [row("land", 17, 20, 20, branch="other")]
    wide = [row("land", 10, 100, 1000)]
    # land at 17 elsewhere has only 20 votes; land at any hour of the others has 120 bad of 1,020
    assert standardised(own, Rates([*own, *thin, *wide], "bad")).expected == pytest.approx(10 * 120 / 1020)


def test_an_only_operator_is_as_expected_and_no_votes_expect_nothing() -> None:
    own = [row("land", 10, 5, 50)]
    assert standardised(own, Rates(own, "bad")).ratio == pytest.approx(1)
    nothing = standardised([], Rates(own, "bad"))
    assert (nothing.observed, nothing.expected, nothing.ratio) == (0, 0, None)


def test_for_a_rare_rating_the_interval_is_nearly_poisson_s() -> None:
    own = [row("land", 10, 4, 800)]
    result = standardised(own, Rates([*own, row("land", 10, 100, 20_000)], "bad"))
    low, high = stats.chi2.ppf(0.025, 8) / 2 / 4, stats.chi2.ppf(0.975, 10) / 2 / 4
    assert (result.low, result.high) == pytest.approx((low, high), rel=0.01)


@given(
    st.lists(
        st.tuples(st.sampled_from("ab"), st.integers(8, 11), st.integers(0, 40), st.integers(0, 40)), min_size=1
    ).filter(lambda rows: sum(bad + fine for *_, bad, fine in rows) > 0)
)
def test_what_is_expected_of_somebody_is_never_impossible(rows: list[tuple[str, int, int, int]]) -> None:
    mix = [row(service, hour, bad, bad + fine) for service, hour, bad, fine in rows]
    own = mix[: len(mix) // 2 + 1]
    result = standardised(own, Rates(mix, "bad"))
    assert -1e-9 <= result.expected <= result.votes + 1e-9
    if result.ratio is not None:
        assert result.low <= result.ratio + 1e-9
        assert result.ratio <= result.high + 1e-9


# ---- comparison
def test_a_change_has_newcombe_s_interval_and_is_beyond_noise_only_beside_how_many() -> None:
    now, then = tally(100, 300, 600), tally(130, 300, 570)
    alone = compare(now, then, "bad")
    assert alone.difference == pytest.approx(-0.03)
    assert (alone.low, alone.high) == newcombe(100, 1000, 130, 1000)
    assert alone.beyond_noise
    assert not compare(now, then, "bad", comparisons=48).beyond_noise
    assert not compare(now, then, "bad", design_effect=2).beyond_noise


def test_without_votes_on_a_side_nothing_has_changed() -> None:
    change = compare(tally(1, 1, 1), Tally(), "bad")
    assert (change.difference, change.low, change.high, change.beyond_noise) == (None, None, None, False)


def test_on_a_page_without_any_real_change_a_false_word_is_rare() -> None:
    dice = numpy.random.default_rng(8)
    pages_with_a_word, naive = 0, 0
    for _ in range(300):
        drawn = dice.multinomial(400, [0.05, 0.3, 0.65], size=24)
        pairs = [(tally(*map(int, drawn[2 * n])), tally(*map(int, drawn[2 * n + 1]))) for n in range(12)]
        pages_with_a_word += any(change.beyond_noise for change in compare_all(pairs))
        naive += any(change.low > 0 or change.high < 0 for change in compare_all(pairs))
    assert pages_with_a_word / 300 < 0.08  # 5 % and what 300 pages leave to chance
    assert naive / 300 > 0.4  # what a page of plain 95 % intervals would have said


def test_response_rates_that_lie_apart_are_noticed() -> None:
    assert response_differs(tally(1, 2, 7, 20), tally(1, 2, 7, 34))
    assert not response_differs(tally(1, 2, 7, 20), tally(1, 2, 7, 24))
    assert not response_differs(tally(1, 2, 7), Tally())


# ---- effect
def test_the_study_s_two_periods() -> None:
    test = mann_whitney(BEFORE, AFTER)
    assert test is not None
    assert test.statistic == 21675
    assert test.p == pytest.approx(0.0890, abs=5e-5)
    assert cliffs_delta(BEFORE, AFTER) == pytest.approx(0.08375)
    linear = linear_by_linear([BEFORE, AFTER])
    assert linear is not None
    assert linear.z == pytest.approx(1.766, abs=5e-4)
    assert linear.p == pytest.approx(0.077, abs=5e-4)


@given(LEVELS, LEVELS)
def test_mann_whitney_is_scipy_s_and_linear_by_linear_statsmodels(
    before: tuple[int, int, int], after: tuple[int, int, int]
) -> None:
    votes = [numpy.repeat([1, 2, 3], counts) for counts in (before, after)]
    test = mann_whitney(before, after)
    if test is None:
        assert len(set(numpy.concatenate(votes))) == 1
        assert linear_by_linear([before, after]) is None
        return
    theirs = stats.mannwhitneyu(votes[1], votes[0], use_continuity=False, method="asymptotic")
    assert test.statistic == theirs.statistic
    assert test.p == pytest.approx(theirs.pvalue, abs=1e-9)
    linear = Table(numpy.array([before, after]), shift_zeros=False).test_ordinal_association(
        row_scores=numpy.array([0, 1]), col_scores=numpy.array([0, 1, 2])
    )
    ours = linear_by_linear([before, after])
    assert ours is not None
    assert ours.z == pytest.approx(linear.zscore, abs=1e-6)


@given(LEVELS, LEVELS)
def test_cliff_s_delta_is_antisymmetric_and_bounded(before: tuple[int, int, int], after: tuple[int, int, int]) -> None:
    delta = cliffs_delta(before, after)
    assert delta is not None
    assert -1 <= delta <= 1
    assert cliffs_delta(after, before) == pytest.approx(-delta, abs=1e-12)


def test_an_interval_of_delta_is_drawn_by_days_and_the_same_each_time() -> None:
    dice = numpy.random.default_rng(2)
    before = [tuple(map(int, dice.multinomial(20, [0.15, 0.25, 0.6]))) for _ in range(20)]
    after = [tuple(map(int, dice.multinomial(20, [0.05, 0.15, 0.8]))) for _ in range(20)]
    interval = delta_interval(before, after, seed=1)
    assert interval is not None
    assert interval == delta_interval(before, after, seed=1)
    whole = cliffs_delta(*(tuple(map(sum, zip(*days, strict=True))) for days in (before, after)))
    assert 0 < interval[0] < whole < interval[1]
    assert delta_interval(before[:9], after, seed=1) is None


@pytest.mark.parametrize(("p1", "p2", "votes"), [(0.80, 0.85, 906), (0.80, 0.90, 199), (0.90, 0.93, 1356)])
def test_sample_sizes_are_those_of_the_study(p1: float, p2: float, votes: int) -> None:
    assert votes_to_see(p1, p2) == pytest.approx(votes, abs=1)
    arcsine = 2 * (numpy.arcsin(sqrt(p2)) - numpy.arcsin(sqrt(p1)))
    assert votes_to_see(p1, p2) == pytest.approx(NormalIndPower().solve_power(arcsine, alpha=0.05, power=0.8), rel=0.03)


def test_no_number_of_votes_shows_a_change_that_is_none() -> None:
    with pytest.raises(ValueError, match="no change"):
        votes_to_see(0.8, 0.8)


# ---- trend
def test_a_trend_needs_three_periods_with_votes() -> None:
    rising = [tally(30, 50, 120), tally(20, 45, 135), tally(10, 40, 150)]
    assert trend(rising[:2]).verdict is TrendClass.CANNOT_TELL
    assert trend([*rising, Tally()]).verdict is TrendClass.CANNOT_TELL
    assert trend(rising).verdict is TrendClass.IMPROVING
    assert trend(rising[::-1]).verdict is TrendClass.DECLINING
    assert trend(rising).change == pytest.approx(0.15)


def test_a_significant_trend_that_is_too_small_is_flat() -> None:
    periods = [tally(1000, 3000 - 100 * n, 6000 + 100 * n) for n in range(3)]
    result = trend(periods)
    assert result.p < 0.05
    assert 0 < result.change < 0.03
    assert result.verdict is TrendClass.FLAT


def test_a_large_change_of_few_votes_is_flat() -> None:
    result = trend([tally(1, 5, 6), tally(1, 4, 7), tally(1, 3, 8)])
    assert result.change > 0.03
    assert result.verdict is TrendClass.FLAT


def test_the_same_votes_in_every_period_and_votes_all_alike_are_flat() -> None:
    assert trend([tally(10, 20, 70)] * 4).verdict is TrendClass.FLAT
    assert trend([tally(0, 0, 70)] * 4).verdict is TrendClass.FLAT


def test_votes_that_hang_together_make_a_trend_harder_to_show() -> None:
    rising = [tally(30, 50, 120), tally(25, 45, 130), tally(20, 40, 140)]
    assert trend(rising).verdict is TrendClass.IMPROVING
    assert trend(rising, design_effect=3).verdict is TrendClass.FLAT


def test_a_trend_tells_when_the_response_moved() -> None:
    periods = [tally(10, 20, 70, 200), tally(10, 20, 70, 250), tally(10, 20, 70, 400)]
    assert trend(periods).response_moved
    assert not trend(periods[:1] * 3).response_moved


@given(st.lists(LEVELS, min_size=3, max_size=8))
def test_a_trend_turned_round_is_the_opposite(rows: list[tuple[int, int, int]]) -> None:
    opposite = {
        TrendClass.IMPROVING: TrendClass.DECLINING,
        TrendClass.DECLINING: TrendClass.IMPROVING,
        TrendClass.FLAT: TrendClass.FLAT,
        TrendClass.CANNOT_TELL: TrendClass.CANNOT_TELL,
    }
    periods = [tally(*each) for each in rows]
    assert trend(periods[::-1]).verdict is opposite[trend(periods).verdict]


# ---- cost
def test_the_api_starts_without_loading_scipy_s_slow_parts() -> None:
    code = (
        "import sys, api.app, api.statistics; print([m for m in ('scipy.stats', 'scipy.special') if m in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert ran.stdout.strip() == "[]"
