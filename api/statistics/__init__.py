"""Statistics of the figures: what may be said of counts, and what may not. Pure: no store, no clock, no texts.

    intervals     shares with intervals, differences of shares (Newcombe), bounds for those who did not vote
    clustering    votes of one day hang together: by how much every interval has to be wider
    funnel        exact limits round a common share, and whether the funnel is too narrow for these figures
    case_mix      what the whole centre would have got with somebody's own services, branches and hours
    shrinkage     a figure of few votes drawn towards everybody's, by a weight that the figures themselves give
    reliability   how many votes until differences between operators are more than noise
    comparison    now against then, and whether that is beyond noise among many comparisons
    trend         improving, declining, flat, or cannot tell
    effect        two distributions of the three ratings: Mann-Whitney, Cliff's delta, linear-by-linear, sample sizes

Every rule names its source ("domain study" is the project's own, its section 6 is on statistics). What the hot path of
aggregates needs stands in api.figures. SciPy is used through ``scipy.special`` only and loaded at the first use:
``scipy.stats`` would cost a second at every start, and the tests hold these functions against it and statsmodels.
"""

from api.statistics.case_mix import MixRow, Rates, Standardised, standardised
from api.statistics.clustering import MIN_CLUSTERS, design_effect, pooled_design_effect
from api.statistics.comparison import Change, compare, compare_all, response_differs
from api.statistics.effect import (
    Levels,
    RankTest,
    cliffs_delta,
    delta_interval,
    linear_by_linear,
    mann_whitney,
    votes_to_see,
)
from api.statistics.funnel import (
    FunnelLimits,
    InFunnel,
    ShareLimits,
    funnel_limits,
    in_funnel,
    overdispersion,
    share_limits,
    two_sided_p,
)
from api.statistics.intervals import exact_interval, newcombe, wilson, worst_case
from api.statistics.reliability import intraclass, reliability, votes_needed
from api.statistics.shrinkage import MIN_OPERATORS, Prior, Shrunk, prior_of, shrink
from api.statistics.trend import Trend, TrendClass, trend

__all__ = [
    "MIN_CLUSTERS",
    "MIN_OPERATORS",
    "Change",
    "FunnelLimits",
    "InFunnel",
    "Levels",
    "MixRow",
    "Prior",
    "RankTest",
    "Rates",
    "ShareLimits",
    "Shrunk",
    "Standardised",
    "Trend",
    "TrendClass",
    "cliffs_delta",
    "compare",
    "compare_all",
    "delta_interval",
    "design_effect",
    "exact_interval",
    "funnel_limits",
    "in_funnel",
    "intraclass",
    "linear_by_linear",
    "mann_whitney",
    "newcombe",
    "overdispersion",
    "pooled_design_effect",
    "prior_of",
    "reliability",
    "response_differs",
    "share_limits",
    "shrink",
    "standardised",
    "trend",
    "two_sided_p",
    "votes_needed",
    "votes_to_see",
    "wilson",
    "worst_case",
]
