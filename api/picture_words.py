"""A place's month in words and charts, in one language: what the pages Overview, Branch and Service direction share.

It asks and computes nothing. The words are neutral: a share rose or fell; whether that is good is for people to say.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from api import charts
from api.figures_answers import as_one, worst_case
from api.figures_page import (
    RATINGS,
    figure_text,
    left_out_words,
    rating_names,
    response_text,
    row_values,
    share_described,
)
from api.i18n import Language
from api.pictures import COMPARED, Against, Gallery, Picture, last_day, months_before
from api.statistics.case_mix import Rating
from schemas.periods import Period
from schemas.resources import Cell

SMALL_PX = 96
_CHOICES = 24  # months to choose from


class PictureWords:
    """Turns a gallery into values for templates/parts/pictures.html."""

    def __init__(self, gallery: Gallery, language: Language):
        self._gallery = gallery
        self._language = language
        self.names = rating_names(language)

    def values(self, whole: str, href: str | None = None) -> dict[str, Any]:
        """Everything of the page; ``whole`` names the place, ``href`` is the address of a part without its id."""
        gallery, language = self._gallery, self._language
        parts = [self._part(each, href) for each in gallery.parts]
        return {
            "names": self.names,
            "month": language.month(gallery.month),
            "days": self._days(),
            "is_over": gallery.whole.now.complete,
            "whole": self._picture(gallery.whole, whole),
            "worst": self._worst(gallery.whole.now),
            "charts": self._charts(gallery.whole),
            "parts": parts,
            "places": self._place_charts(href),
            "changes": self._beyond(whole, parts),
            "comparisons": gallery.comparisons,
            "left_out": left_out_words(gallery.whole.now.left_out, language),
        }

    def months(self, asked: date, newest: date) -> dict[str, Any]:
        """The months to choose from, and the addresses of the one before and the one after."""
        choices = [months_before(newest, back) for back in range(_CHOICES)]
        if asked not in choices:
            choices.append(asked)
        later = months_before(asked, -1)
        return {
            "month_choices": [(f"{each:%Y-%m}", self._language.month(each), each == asked) for each in choices],
            "earlier": (f"{months_before(asked, 1):%Y-%m}", self._language.month(months_before(asked, 1))),
            "later": (f"{later:%Y-%m}", self._language.month(later)) if later <= newest else None,
        }

    def hours(self, found: Sequence[tuple[int, Cell]]) -> dict[str, Any]:
        """A branch's hours of the day, with the months they are of."""
        language = self._language
        if not found:
            return {"hours": [], "hour_charts": {}, "hour_months": ""}
        labels = [(f"{hour}:00", cell) for hour, cell in found]
        charts_of = {
            f"{rating}-places": charts.shares_by_place(
                rating,
                [
                    charts.Mark(label, "", cell, f"{label}: {figure_text(rating, cell, language)}")
                    for label, cell in labels
                ],
                getattr(as_one([cell for _, cell in found]), rating),
                share_described(rating, language),
                language.tick,
            )
            for rating in RATINGS
        }
        first, last = found[0][1].first, found[0][1].last
        return {
            "hours": [row_values(cell, label, language) for label, cell in labels],
            "hour_charts": charts_of,
            "hour_months": f"{language.month(first)} – {language.month(last)}",
        }

    def _days(self) -> str:
        """The days that are counted."""
        month = self._gallery.month
        end = min(self._gallery.end, last_day(month))
        return f"{self._language.day(month)} – {self._language.day(end)}" if end >= month else ""

    def _part(self, picture: Picture, href: str | None) -> dict[str, Any]:
        name = self._language.name_of(picture.now)
        if picture.place is None:
            name = self._language.gettext("not named")
        return self._picture(picture, name) | {
            "href": f"{href}{picture.place}?month={self._gallery.month:%Y-%m}" if href and picture.place else None,
            # Only branches, which have pages of their own, are shown as small pictures.
            "small": {rating: self._small(picture, rating, name) for rating in COMPARED} if href else {},
        }

    def _picture(self, picture: Picture, name: str) -> dict[str, Any]:
        return row_values(picture.now, name, self._language) | {
            "against": [self._against(each) for each in (picture.previous, picture.last_year) if each is not None]
        }

    def _against(self, against: Against) -> dict[str, Any]:
        when = self._language.month(against.then.first)
        return {
            "when": when,
            "words": self._language.gettext("Against %(when)s") % {"when": when},
            "response_differs": against.response_differs,
            "response": self._language.share(against.then.response_rate.share, digits=0),
            "changes": {rating: self._change(against, rating) for rating in COMPARED},
        }

    def _change(self, against: Against, rating: Rating) -> dict[str, Any] | None:
        change = against.changes[rating]
        if change.difference is None or change.low is None or change.high is None:
            return None
        return {
            "points": self._language.points(change.difference),
            "interval": self._language.points_interval(change.low, change.high),
            "beyond": change.beyond_noise,
            "rose": change.difference > 0,
            "then": self._language.share(getattr(against.then, rating).share),
        }

    def _beyond(self, whole: str, parts: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """What changed by more than chance explains, a sentence each: the whole first, then part by part."""
        found = []
        gallery = self._gallery
        places = [(whole, gallery.whole, None), *zip((p["label"] for p in parts), gallery.parts, parts, strict=True)]
        for name, picture, part in places:
            for against in (picture.previous, picture.last_year):
                if against is None:
                    continue
                found += [
                    {"place": name, "href": part["href"] if part else None, "rating": rating}
                    | self._said(against, rating, picture)
                    for rating in COMPARED
                    if against.changes[rating].beyond_noise
                ]
        return found

    def _said(self, against: Against, rating: Rating, picture: Picture) -> dict[str, str]:
        _ = self._language.gettext
        change = self._change(against, rating) or {}
        now = getattr(picture.now, rating).share
        rose = _("the share of “%(rating)s” rose from %(then)s to %(now)s against %(when)s")
        fell = _("the share of “%(rating)s” fell from %(then)s to %(now)s against %(when)s")
        values = {
            "rating": self.names[rating],
            "then": change["then"],
            "now": self._language.share(now),
            "when": self._language.month(against.then.first),
        }
        size = _("%(points)s points, 95%% interval %(interval)s") % change
        return {"text": (rose if change["rose"] else fell) % values, "size": size}

    def _worst(self, cell: Cell) -> dict[str, str] | None:
        bounds = worst_case(cell, "bad")
        if bounds is None:
            return None
        return {"low": self._language.share(bounds[0], digits=0), "high": self._language.share(bounds[1], digits=0)}

    # ---- charts
    def _charts(self, picture: Picture) -> dict[str, charts.Chart]:
        tick = self._language.tick
        found = {
            f"{rating}-times": charts.shares_in_time(
                rating, self._marks(picture, rating), share_described(rating, self._language), tick
            )
            for rating in RATINGS
        }
        described = self._language.gettext("Response rate, period by period")
        return found | {"response-times": charts.response_in_time(self._marks(picture, None), described, tick)}

    def _small(self, picture: Picture, rating: Rating, name: str) -> charts.Chart:
        """One of the small multiples: all of them have one scale."""
        beside = [cell for each in self._gallery.parts for cell in each.months]
        described = f"{name}: {share_described(rating, self._language)}"
        marks = self._marks(picture, rating)
        return charts.shares_in_time(rating, marks, described, self._language.tick, beside=beside, height=SMALL_PX)

    def _marks(self, picture: Picture, rating: str | None) -> list[charts.Mark]:
        language = self._language
        marks = []
        for cell in picture.months:
            text = figure_text(rating, cell, language) if rating else response_text(cell, language)
            label = language.period_in_year(cell.first, Period.MONTH)
            marks.append(charts.Mark(label, str(cell.first.year), cell, f"{language.month(cell.first)}: {text}"))
        return marks

    def _place_charts(self, href: str | None) -> Mapping[str, charts.Chart]:
        language, gallery = self._language, self._gallery
        found = {}
        for rating in RATINGS:
            marks = [
                charts.Mark(name, "", each.now, f"{name}: {figure_text(rating, each.now, language)}")
                for each in gallery.parts
                for name in (self._part_name(each),)
            ]
            whole = getattr(gallery.whole.now, rating)
            described = share_described(rating, language)
            found[f"{rating}-places"] = charts.shares_by_place(rating, marks, whole, described, language.tick)
        return found

    def _part_name(self, picture: Picture) -> str:
        return self._language.name_of(picture.now) if picture.place else self._language.gettext("not named")


def newest_month(gallery: Gallery) -> date:
    """The month of the last day that may be shown."""
    return max(gallery.end, gallery.month).replace(day=1)
