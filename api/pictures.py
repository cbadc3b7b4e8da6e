"""A place's month against its own past: what the pages Overview, Branch and Service direction show. It writes no words.

A place is the centre, a branch, a service or a direction of services. It is compared with itself a month and a year
ago, never with another place, and nothing is sorted by a figure (order P4.8).
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from api.access.reach import Seen
from api.aggregates import MAX_PERIODS, Question, answered
from api.errors import BadQuestion
from api.figures import FIRST_DATE, Tally, left_out, rating_figure, response_rate
from api.figures_answers import as_one, filled, tally_of
from api.publication.rules import hidden_parts
from api.statistics import Change, compare, pooled_design_effect, response_differs
from api.statistics.case_mix import RATINGS, Rating
from collector.store import Limits, Register, Rollup, Store
from schemas.periods import Period, bounds, day_date, day_key, day_of
from schemas.resources import Aggregates, Cell

# The two ends of the scale are compared; the middle is what is left of them.
COMPARED: tuple[Rating, ...] = ("bad", "exemplary")
HOUR_MONTHS = 3
MONTHS = 13  # a month, the same one of last year, and all between them


@dataclass(frozen=True)
class Against:
    """An earlier month of the same place; ``response_differs`` warns that other clients may have voted then."""

    then: Cell
    changes: Mapping[Rating, Change]
    response_differs: bool


@dataclass(frozen=True)
class Picture:
    """Thirteen months of one place, the last of them compared."""

    place: str | None
    months: list[Cell]
    previous: Against | None
    last_year: Against | None

    @property
    def now(self) -> Cell:
        return self.months[-1]


@dataclass(frozen=True)
class Gallery:
    """The pictures of one page: the whole first, then its parts in the register's order.

    ``comparisons`` is how many differences the page shows; a change is called beyond noise among all of them.
    ``effects``: by how much votes of a day that hang together widen what is said of the parts; None where not known.
    """

    month: date
    end: date  # the last day that is counted
    whole: Picture
    parts: list[Picture]
    comparisons: int
    simulated: bool
    effects: Mapping[Rating, float | None]


def month_of(text: str | None, register: Register, now_unix_ms: int) -> date:
    """The first day of the month asked for (``2026-11``), else of the one of the newest day that may be shown.

    Raises BadQuestion for what is no month, or one in the future.
    """
    today = max((day_date(day_of(now_unix_ms, each.timezone)) for each in register.branches), default=None)
    today = today or day_date(day_of(now_unix_ms, "UTC"))
    newest = today if register.organisation.simulated else today - timedelta(days=1)
    if not text:
        return newest.replace(day=1)
    try:
        asked = date.fromisoformat(f"{text}-01")
    except ValueError:
        raise BadQuestion("A month is written 2026-11.", field="month") from None
    if len(text) != 7 or not text.isascii() or asked > newest:
        raise BadQuestion("That month has not begun.", field="month")
    if asked < FIRST_DATE:
        raise BadQuestion("Nothing of that month can be asked.", field="month")
    return asked


def months_before(first: date, count: int) -> date:
    """The first day of the month ``count`` months before."""
    month = first.year * 12 + first.month - 1 - count
    return date(month // 12, month % 12 + 1, 1)


def last_day(first: date) -> date:
    """The last day of the month that begins on ``first``."""
    return bounds(first, Period.MONTH)[1]


def centre_and_branches(store: Store, month: date, limits: Limits, now_unix_ms: int) -> Gallery | None:
    """The centre with its branches; within limits, the reader's and what they are together. None without a branch."""
    answer = answered(store, _asked(month, by="branch"), now_unix_ms, limits)
    if not answer.cells:
        return None
    rows = _days(store, "branch", month, answer.figures_end, limits)
    return _gallery(month, _end(answer), answer.cells, rows, by_branch=True, simulated=answer.simulated)


def branch_and_services(
    store: Store, branch: str, month: date, limits: Limits, now_unix_ms: int, *, with_services: bool = True
) -> Gallery:
    """One branch with its services, or alone. Raises BadQuestion for a branch that is not in the register."""
    whole = answered(store, _asked(month, by="branch", branch=branch), now_unix_ms, limits)
    parts = (
        answered(store, _asked(month, by="service", branch=branch), now_unix_ms, limits).cells if with_services else []
    )
    rows = _days(store, "service" if with_services else "branch", month, whole.figures_end, limits, branch=branch)
    return _gallery(month, _end(whole), parts, rows, by_branch=False, simulated=whole.simulated, whole=whole.cells)


def hours_of(store: Store, branch: str, month: date, like: Cell) -> list[tuple[int, Cell]]:
    """What one branch's clients said at which local hour, of ``HOUR_MONTHS`` months up to this one, as of last night.

    Several months together, for an hour of a single one has few votes; ``like`` lends the cells their place. An hour
    that would tell of one or two operators is left out, and another one if it followed from the rest. Of a real office
    the running month is not in it: a night that was made up for by day knows something of that day (order P3.2e).
    """
    is_open = like.complete or store.register().organisation.simulated
    last = month if is_open else months_before(month, 1)
    first = months_before(last, HOUR_MONTHS - 1)
    tallies: dict[int, Tally] = defaultdict(Tally)
    votes: dict[int, Counter[str]] = defaultdict(Counter)
    for row in store.mix(_yyyymm(first), _yyyymm(last), branch=branch):
        tallies[row.hour] += Tally(row.eligible, row.eligible, row.bad, row.good, row.exemplary)
        votes[row.hour][row.operator] += row.bad + row.good + row.exemplary
    hidden = hidden_parts(votes)
    return [
        (
            hour,
            like.model_copy(
                update={
                    "first": first,
                    "last": last_day(last),
                    "calls": tally.calls,
                    "eligible_calls": tally.eligible,
                    "left_out": left_out(tally),
                    "votes": tally.votes,
                    "response_rate": response_rate(tally),
                    **{rating: rating_figure(getattr(tally, rating), tally.votes) for rating in RATINGS},
                }
            ),
        )
        for hour, tally in sorted(tallies.items())
        if hour not in hidden
    ]


def services_of(
    store: Store, services: Sequence[str], month: date, limits: Limits, now_unix_ms: int, *, branch: str | None = None
) -> Gallery:
    """Some services of the centre, or of one branch: a direction with what belongs to it."""
    answer = answered(store, _asked(month, by="service", branch=branch), now_unix_ms, limits)
    cells = [cell for cell in answer.cells if cell.key in services]
    days = _days(store, "service", month, answer.figures_end, limits, branch=branch)
    rows = [row for row in days if row.key in services]
    frame = answered(store, _asked(month, by="centre"), now_unix_ms).cells  # for its months only
    return _gallery(month, _end(answer), cells, rows, by_branch=False, simulated=answer.simulated, frame=frame)


def _yyyymm(first: date) -> int:
    return first.year * 100 + first.month


def _asked(month: date, **more: str | None) -> Question:
    first = max(FIRST_DATE, months_before(month, MONTHS - 1))
    assert MONTHS < MAX_PERIODS
    said = {"period": Period.MONTH, "from": first, "to": last_day(month)} | more
    return Question.model_validate({name: value for name, value in said.items() if value is not None})


def _end(answer: Aggregates) -> date:
    """The last day that is counted and has begun."""
    zones = answer.timezones or ["UTC"]
    return min(answer.figures_end, max(answer.generated_at.astimezone(ZoneInfo(zone)).date() for zone in zones))


def _days(store: Store, cut: str, month: date, end: date, limits: Limits, *, branch: str | None = None) -> list[Rollup]:
    rows = store.rollups(cut, day_key(month), day_key(min(end, last_day(month))), branch=branch)
    return Seen(limits, store.book.whole()[1]).rows(rows, cut) if limits.any else rows


def _gallery(
    month: date,
    end: date,
    cells: Sequence[Cell],
    rows: Sequence[Rollup],
    *,
    by_branch: bool,
    simulated: bool,
    whole: Sequence[Cell] | None = None,
    frame: Sequence[Cell] | None = None,
) -> Gallery:
    """``whole`` is what the parts are together, if that is more than their sum; ``frame`` has a cell a month."""
    places: dict[str | None, list[Cell]] = defaultdict(list)
    for cell in cells:
        places[cell.branch if by_branch else cell.key].append(cell)
    together = list(whole) if whole is not None else _together(cells)
    together = filled(together, frame) if frame is not None else together
    empty = together
    parts = {place: filled(of_place, _named(empty, of_place)) for place, of_place in places.items()}
    of_rows: dict[str | None, list[Rollup]] = defaultdict(list)
    for row in rows:
        of_rows[row.branch if by_branch else row.key or None].append(row)
    effects = _design_effects(of_rows)
    pairs = [pair for each in (together, *parts.values()) for pair in _pairs(each)]
    shown = sum(len(COMPARED) for now, then in pairs if now.votes and then.votes)
    return Gallery(
        month,
        end,
        _picture(None, together, effects, shown),
        [_picture(place, each, effects, shown) for place, each in parts.items()],
        shown,
        simulated,
        effects,
    )


def _together(cells: Sequence[Cell]) -> list[Cell]:
    """The cells of each month as one, oldest first."""
    months: dict[str, list[Cell]] = defaultdict(list)
    for cell in cells:
        months[cell.period].append(cell)
    return [as_one(of_month) for of_month in months.values()]


def _named(frame: Sequence[Cell], like: Sequence[Cell]) -> list[Cell]:
    name = {field: getattr(like[-1], field) for field in ("branch", "key", "name", "name_en")}
    return [cell.model_copy(update=name) for cell in frame]


def _pairs(months: Sequence[Cell]) -> list[tuple[Cell, Cell]]:
    """The last month with the one before and that of a year ago, as far as they are there."""
    return [(months[-1], months[-back]) for back in (2, MONTHS) if len(months) >= back]


def _picture(
    place: str | None,
    months: list[Cell],
    effects: Mapping[Rating, float | None],
    shown: int,
) -> Picture:
    found: list[Against | None] = [
        _against(months[-1], months[-back], effects, shown) if len(months) >= back else None for back in (2, MONTHS)
    ]
    return Picture(place, months, found[0], found[1])


def _against(now: Cell, then: Cell, effects: Mapping[Rating, float | None], shown: int) -> Against | None:
    if not then.votes or not now.votes:
        return None
    sides = tally_of(now), tally_of(then)
    changes = {
        rating: compare(*sides, rating, comparisons=max(1, shown), design_effect=effects[rating]) for rating in COMPARED
    }
    return Against(then, changes, response_differs(*sides))


def _design_effects(places: Mapping[str | None, Sequence[Rollup]]) -> dict[Rating, float | None]:
    """How much votes of a day hang together in these places, by which every difference's interval is widened."""
    days: dict[str | None, dict[int, Tally]] = {}
    for place, rows in places.items():
        of_place = days.setdefault(place, {})
        for row in rows:
            of_place[row.day] = of_place.get(row.day, Tally()) + Tally.of(row)
    return {
        rating: pooled_design_effect(
            [(getattr(each, rating), each.votes) for each in of_place.values()] for of_place in days.values()
        )
        for rating in COMPARED
    }


def named(gallery: Gallery, name: str, name_en: str) -> Gallery:
    """The same with a name for the whole, where the parts' names do not give it."""
    months = [cell.model_copy(update={"name": name, "name_en": name_en}) for cell in gallery.whole.months]
    return replace(gallery, whole=replace(gallery.whole, months=months))
