"""The funnel of branches in words and as charts, in one language. It computes nothing and judges no branch."""

from collections.abc import Mapping
from typing import Any

from api.branch_funnel import LEAST_VOTES, BranchFunnel, Placed, branch_funnels
from api.figures_page import figure_text, rating_names, row_values, share_described
from api.funnel_charts import FunnelChart, Point, funnel_chart, where_words
from api.i18n import Language
from api.pictures import Gallery
from api.statistics.case_mix import Rating

_LONGEST = 26  # letters of a name that stand beside a point


def branch_funnel_values(gallery: Gallery, language: Language) -> dict[str, Any]:
    """The values of the macro ``branch_funnel`` in templates/parts/pictures.html.

    ``funnels`` is None where the month has too few votes or branches for one.
    """
    funnels = branch_funnels(gallery)
    if funnels is None:
        return {"funnels": None}
    names = [language.name_of(each.now) for each in gallery.parts]
    return {
        "funnels": {rating: _chart(gallery, each, names, language) for rating, each in funnels.items()},
        "scattered": any(each.scattered for each in funnels.values()),
        "widened": _widened(funnels, language),
        "least_votes": LEAST_VOTES,
        "rows": [
            row_values(part.now, name, language)
            | {
                "number": number + 1,
                "places": {rating: _place(each.places[number], language) for rating, each in funnels.items()},
            }
            for number, (part, name) in enumerate(zip(gallery.parts, names, strict=True))
        ],
    }


def _chart(gallery: Gallery, funnel: BranchFunnel, names: list[str], language: Language) -> FunnelChart:
    rating = funnel.rating
    points = [
        Point(
            each.votes,
            each.figure.count / each.votes,
            f"{name}: {figure_text(rating, part.now, language)}",
            label=str(number),
            name=name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…",
        )
        for number, (each, part, name) in enumerate(zip(funnel.places, gallery.parts, names, strict=True), 1)
        if each is not None
    ]
    described = language.gettext("Funnel: %(rating)s against the number of votes, with limits of chance") % {
        "rating": share_described(rating, language)
    }
    effect = funnel.design_effect or 1.0
    return funnel_chart(points, funnel.common, described, language, design_effect=effect, from_zero=False)


def _place(placed: Placed | None, language: Language) -> dict[str, str] | None:
    if placed is None:
        return None
    limits = placed.limits
    return {
        "limits95": language.interval(limits.low95, limits.high95),
        "limits998": language.interval(limits.low998, limits.high998),
        "where": where_words(placed.where, language),
    }


def _widened(funnels: Mapping[Rating, BranchFunnel], language: Language) -> str:
    """How the design effect went into the limits, or that nobody knows it yet."""
    _, names = language.gettext, rating_names(language)
    bad, exemplary = funnels["bad"].design_effect, funnels["exemplary"].design_effect
    if bad is None or exemplary is None:
        return _(
            "They are the exact binomial ones of independent votes. Votes of one day may resemble each other; there "
            "are too few days yet to tell by how much."
        )
    text = _(
        "They are the exact binomial ones, of fewer votes than were given, because votes of one day resemble each "
        "other: the number is divided by %(bad_effect)s for “%(bad)s” and by %(exemplary_effect)s for “%(exemplary)s”."
    )
    return text % {
        "bad": names["bad"],
        "bad_effect": language.decimal(bad, 2),
        "exemplary": names["exemplary"],
        "exemplary_effect": language.decimal(exemplary, 2),
    }
