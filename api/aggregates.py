"""``GET /v1/aggregates``: figures of whole calendar periods. It reads roll-ups and adds up; it never reads a vote."""

import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Annotated, Any, Self

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, model_validator

from api.access.narrowing import OWN_VOTES, narrowed
from api.access.operators import Wish
from api.access.operators import disclose as disclosed
from api.access.reach import Seen
from api.auth import require
from api.errors import BadQuestion, TooManyCells
from api.figures import (
    FIRST_DATE,
    LAST_DATE,
    Place,
    Span,
    Tally,
    add_up,
    count_spans,
    default_first,
    left_out,
    rating_figure,
    response_rate,
    spans,
)
from api.parts import parts_of
from api.publication.rules import tells_of_a_colleague
from api.purposes import NOTICE, NOTICE_EN, OPERATOR_CUTS, PURPOSES
from api.wording import METHOD, METHOD_EN, SCALE
from collector.store import NO_LIMITS, Limits, Register, Rollup, Store, Token
from schemas.periods import Period, day_date, day_key, day_of
from schemas.register_names import Employers, by_id, labels_in, merged_into, names_in
from schemas.register_rules import begins, ends
from schemas.resources import Aggregates, Cell, Cut

MAX_PERIODS = 400  # a year of days, with room
MAX_CELLS = 2_500  # about 1.3 MB, and 35 ms of work: no answer waits long behind another (tests/bench/bench_figures.py)
NOT_NAMED = ("не вказано", "not named")

_ANSWER = TypeAdapter(Aggregates)

router = APIRouter()


def _iso_day(value: object) -> object:
    """Only 2026-11-22: pydantic would take a number for seconds since 1970."""
    if isinstance(value, str) and (len(value) != 10 or value[4] != "-" or value[7] != "-"):
        raise ValueError("must be a day like 2026-11-22")
    return value


Day = Annotated[date, BeforeValidator(_iso_day), Field(ge=FIRST_DATE, le=LAST_DATE)]
Name = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$")]


class Question(BaseModel):
    """What is asked; a parameter that is not in it is refused, not overlooked."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    by: Cut = "centre"
    period: Period = Period.MONTH
    first: Day | None = Field(None, alias="from", description="widened to whole periods")
    last: Day | None = Field(None, alias="to", description="widened to whole periods; today if not given")
    branch: Name | None = None
    key: Name | None = Field(None, description="one service, operator or desk")
    merged: bool = Field(False, description="count a branch that was merged as the one that took it in")
    participant: Name | None = Field(None, description="operators: only calls while they worked for it")
    # Not a closed type: what is not in the order's list is refused with the order's words, and logged.
    purpose: str | None = Field(None, description=f"for operators and desks: {', '.join(PURPOSES)}")
    order: int | None = Field(None, ge=1, le=2**31 - 1, description="the recorded order to read by (order P4.3)")

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.first and self.last and self.first > self.last:
            raise ValueError("from is later than to")
        if self.by == "centre" and self.branch:
            raise ValueError("branch: the centre is all branches; ask by=branch")
        if self.by in ("centre", "branch") and self.key:
            raise ValueError("key: only a service, an operator or a desk has one")
        if self.participant and self.by != "operator":
            raise ValueError("participant: only an operator has one")
        return self


@dataclass(frozen=True)
class Frame:
    """The whole periods a question comes to, and today in each branch it is about."""

    spans: list[Span]
    zones: Mapping[str, str]  # branch -> time zone, in register order
    todays: Mapping[str, date]

    def figures_end(self, simulated: bool) -> date:
        """The last day that is counted. Of a real office the running day is left out.

        Whoever asks again and again would otherwise see every single vote come in, next to the desk that has just
        turned "voted" (order P3.2e).
        """
        return self.spans[-1].last if simulated else min(self.spans[-1].last, self.first_today - timedelta(days=1))

    @cached_property
    def first_today(self) -> date:
        """The day that it still is somewhere."""
        return min(self.todays.values(), default=FIRST_DATE)

    def complete(self, span: Span, branch: str | None) -> bool:
        return span.last < (self.todays.get(branch, self.first_today) if branch else self.first_today)


@router.get("/v1/aggregates", response_model=Aggregates)
def read_aggregates(
    request: Request,
    question: Annotated[Question, Query()],
    token: Annotated[Token, require("figures", within_limits=True)],
) -> Response:
    """Calls, votes, response rate and the three shares with intervals, per period and place."""
    store = parts_of(request).store
    permitted = permit(store, token, question)
    answer = answered(store, permitted, time.time_ns() // 1_000_000, token.limits)
    # Encoded here, in the endpoint's thread: a large answer must not hold up the event loop.
    return Response(encoded(answer), media_type="application/json")


def encoded(answer: Aggregates) -> bytes:
    """As it goes out. Not by way of a text, which takes as long again as it is large."""
    return _ANSWER.dump_json(answer, by_alias=True)


def permit(store: Store, token: Token, question: Question) -> Question:
    """The question as far as this reader may ask it; at the level of operators and desks only once it is written down.

    Raises ScopeMissing, UnknownPurpose or OrderMissing.
    """
    if question.by in OPERATOR_CUTS:
        return disclose(store, token, question)
    return narrowed(token, question, store.book.whole()[1])


def disclose(store: Store, token: Token, question: Question) -> Question:
    """Write the reading down, granted or refused, before anything is read (order P4.7, P4.8); the question as it may
    be asked. Raises ScopeMissing, UnknownPurpose or OrderMissing.
    """
    said = question.model_dump(exclude_none=True, by_alias=True)
    asked = " ".join(f"{name}={value}" for name, value in said.items() if value is not False)
    wish = Wish(asked, question.purpose, question.order, question.branch, question.key)
    return disclosed(store, token, wish, lambda: narrowed(token, question, store.book.whole()[1]))


def answered(store: Store, question: Question, now_unix_ms: int, limits: Limits = NO_LIMITS) -> Aggregates:
    """The figures asked for, at a moment. Raises BadQuestion for what the register does not know or is too much.

    Args:
        limits: the reader's; no row beyond them is counted, whatever the question says.
    """
    _, register = store.book.whole()
    _known(question, register)
    seen = Seen(limits, register)
    register = seen.visible()
    frame = framed(question, register, now_unix_ms)
    end = frame.figures_end(register.organisation.simulated)
    rows = _rows(store, question, seen, (day_key(frame.spans[0].first), day_key(end)))
    sums = add_up(rows, question.by, question.period, branch=question.branch)
    return Aggregates(
        by=question.by,
        period=question.period,
        first=frame.spans[0].first,
        last=frame.spans[-1].last,
        branch=question.branch,
        key=question.key,
        timezones=list(dict.fromkeys(frame.zones.values())),
        simulated=register.organisation.simulated,
        figures_end=end,
        generated_at=datetime.fromtimestamp(now_unix_ms / 1000, UTC),
        scale=list(SCALE),
        method=METHOD,
        method_en=METHOD_EN,
        notice=NOTICE if question.by in OPERATOR_CUTS else None,
        notice_en=NOTICE_EN if question.by in OPERATOR_CUTS else None,
        cells=_enough(store, _cells(question, frame, register, sums), limits),
    )


def _enough(store: Store, cells: list[Cell], limits: Limits) -> list[Cell]:
    """Of an operator's own figures and branch: months that are over, and those with too few votes not at all; of the
    branch none from which a colleague's could be worked out.
    """
    if limits.operator is None:
        return cells
    enough = [cell for cell in cells if cell.complete and cell.votes >= OWN_VOTES]
    of_branch = [cell for cell in enough if cell.branch is not None]
    if not of_branch:
        return enough
    givers: dict[tuple[str, int], Counter[str]] = defaultdict(Counter)
    days = day_key(of_branch[0].first), day_key(of_branch[-1].last)
    for row in store.rollups("operator", *days, period=Period.MONTH):
        givers[row.branch, row.day][row.key] += row.bad + row.good + row.exemplary
    return [
        cell
        for cell in enough
        if cell.branch is None or not tells_of_a_colleague(givers[cell.branch, _month(cell)], limits.operator)
    ]


def _month(cell: Cell) -> int:
    return cell.first.year * 100 + cell.first.month


def _rows(store: Store, question: Question, seen: Seen, days: tuple[int, int]) -> list[Rollup]:
    """The rows of the roll-up, as the register of each row's own day places them."""
    register = seen.register
    heirs = merged_into(register.branches) if question.merged else {}
    # Who belonged where is told of days and branches; else the database adds up, which is quicker at it.
    summed = question.participant is None and not seen.by_day
    # An operator is of one branch, nearly always: there would be a row for each of theirs all the same.
    by_branch = question.branch is not None or question.by in ("branch", "desk", "operator")
    found = store.rollups(
        "branch" if question.by == "centre" else question.by,
        *days,
        branch=None if heirs else question.branch,
        key=question.key,
        period=question.period if summed else Period.DAY,
        everywhere=summed and not (heirs or by_branch or seen.is_limited),
    )
    if heirs:
        placed = [row._replace(branch=heirs.get(row.branch, row.branch)) for row in found]
        found = [row for row in placed if question.branch in (None, row.branch)]
    found = seen.rows(found, question.by)
    if question.participant:
        employers = Employers(register)
        found = [row for row in found if employers.of(row.key, day_date(row.day)) == question.participant]
    return found


def framed(question: Question, register: Register, now_unix_ms: int) -> Frame:
    """The whole periods of the question. Raises TooManyCells, BadQuestion for a beginning in the future."""
    branches = [rows[-1] for name, rows in by_id(register.branches).items() if question.branch in (None, name)]
    todays = {each.id: day_date(day_of(now_unix_ms, each.timezone)) for each in branches}
    last = question.last or max(todays.values(), default=day_date(day_of(now_unix_ms, "UTC")))
    first = question.first or max(FIRST_DATE, default_first(last, question.period))
    if first > last:
        raise BadQuestion(f"It begins on {first}, after {last}.", field="from")
    periods = count_spans(first, last, question.period)
    if periods > MAX_PERIODS:
        raise TooManyCells(
            f"{periods} periods are more than {MAX_PERIODS}: ask for a shorter time or a longer period.", field="period"
        )
    gone = merged_into(register.branches) if question.merged else {}
    zones = {each.id: each.timezone for each in branches if each.id not in gone}
    return Frame(spans(first, last, question.period), zones, todays)


def _known(question: Question, register: Register) -> None:
    if question.branch and not any(each.id == question.branch for each in register.branches):
        raise BadQuestion(f"There is no branch {question.branch}.", field="branch")
    known: dict[str, Iterable[str]] = {
        "service": (each.id for each in register.services),
        "desk": (each.id for each in register.desks if question.branch in (None, each.branch)),
    }
    if question.participant and question.participant not in {each.id for each in register.participants}:
        raise BadQuestion(f"There is no organisation {question.participant}.", field="participant")
    if question.key and question.by in known and question.key not in known[question.by]:
        raise BadQuestion(f"There is no {question.by} {question.key} there.", field="key")


def _cells(question: Question, frame: Frame, register: Register, sums: Mapping[tuple[str, Place], Tally]) -> list[Cell]:
    """Oldest period first, then as the register lists them. Never by figure: there is no ranking (order P4.8)."""
    places = {place for _, place in sums}
    always: set[Place] = set()  # the centre and its branches have a cell for every period, even without a call
    if question.by == "centre":
        always = {Place()}
    elif question.by == "branch":
        always = {Place(branch) for branch in frame.zones}
    slots = sum(1 for name, place in sums if place not in always) + len(always) * len(frame.spans)
    if slots > MAX_CELLS:
        raise TooManyCells(
            f"{slots} figures are more than {MAX_CELLS}: ask for one branch, a shorter time or a longer period.",
            field="by",
        )
    names = _names_of(register, question.by)
    ordered = sorted(places | always, key=names.position)
    return [
        _cell(span, place, tally or Tally(), frame.complete(span, place.branch), names)
        for span in frame.spans
        for place in ordered
        # A branch has a cell, if an empty one, for every period in which there was one; and if it was asked for.
        if (tally := sums.get((span.name, place)))
        or (place in always and (question.branch or names.is_there(place, span)))
    ]


def _cell(span: Span, place: Place, tally: Tally, complete: bool, names: "_Names") -> Cell:
    name, name_en = names.of(place, span)
    votes = tally.votes
    return Cell(
        period=span.name,
        first=span.first,
        last=span.last,
        complete=complete,
        branch=place.branch,
        key=place.key,
        name=name,
        name_en=name_en,
        calls=tally.calls,
        eligible_calls=tally.eligible,
        left_out=left_out(tally),
        votes=votes,
        response_rate=response_rate(tally),
        bad=rating_figure(tally.bad, votes),
        good=rating_figure(tally.good, votes),
        exemplary=rating_figure(tally.exemplary, votes),
    )


_KNOWN_NAMES: dict[Cut, tuple[Register, "_Names"]] = {}


def _names_of(register: Register, by: Cut) -> "_Names":
    """Those of the last register asked about are kept: it is the same one until somebody changes it."""
    known = _KNOWN_NAMES.get(by)
    if known is None or known[0] is not register:
        known = _KNOWN_NAMES[by] = (register, _Names(register, by))
    return known[1]


class _Names:
    """Names and order of the places, out of the register; names as they were in a figure's own time."""

    def __init__(self, register: Register, by: Cut):
        self._by = by
        self._organisation = (register.organisation.name, register.organisation.name_en)
        self._branches = by_id(register.branches)
        self._keys: dict[str, list[Any]] = {}
        if by == "service":
            self._keys = by_id(register.services)
        elif by == "desk":
            self._keys = by_id(register.desks)
        self._branch_order = {name: n for n, name in enumerate(self._branches)}
        self._key_order = {name: n for n, name in enumerate(self._keys)}
        self._always: dict[Place, tuple[str, str]] = {}
        limits = [(name, begins(row), ends(row)) for name, rows in self._branches.items() for row in rows]
        self._ever = {name for name, first, last in limits if first <= FIRST_DATE and last >= LAST_DATE}

    def of(self, place: Place, span: Span) -> tuple[str, str]:
        """An answer has thousands of cells, and nearly everything has had one name always: that is looked up once."""
        known = self._always.get(place)
        if known is None:
            known = self._found(place, span)
            if len(self._rows(place)) <= 1:
                self._always[place] = known
        return known

    def _rows(self, place: Place) -> Sequence[Any]:
        if self._by == "branch":
            return self._branches.get(place.branch or "", ())
        return self._keys.get(place.key or "", ())

    def _found(self, place: Place, span: Span) -> tuple[str, str]:
        if self._by == "centre":
            return self._organisation
        if self._by == "branch":
            branch = place.branch or ""
            rows = self._branches.get(branch)
            return names_in(rows, span.first, span.last) if rows else (branch, branch)
        if not place.key:
            return NOT_NAMED
        rows = self._keys.get(place.key)
        if not rows:
            return place.key, place.key
        if self._by == "desk":
            there = [row for row in rows if row.branch == place.branch] or rows
            label = labels_in(there, span.first, span.last)
            return label, label
        return names_in(rows, span.first, span.last)

    def is_there(self, place: Place, span: Span) -> bool:
        """Whether a branch is in the register on any day of the time; the centre always is."""
        if place.branch is None or place.branch in self._ever:
            return True
        rows = self._branches.get(place.branch, ())
        return any(begins(row) <= span.last and span.first <= ends(row) for row in rows)

    def position(self, place: Place) -> tuple[int, int, str, str]:
        """Branches, then keys, as the register lists them; unknown ones after them by id; "not named" at the end."""
        branch, key = place.branch or "", place.key or ""
        unknown = len(self._key_order)
        in_keys = self._key_order.get(key, unknown) if key else unknown + 1
        return self._branch_order.get(branch, len(self._branch_order)), in_keys, key, branch
