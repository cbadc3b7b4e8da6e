"""The questions behind the Figures page and their answers: by period, by branch, by service. It writes no words.

All arithmetic is in api.figures and api.aggregates; nothing here reads an operator's or a desk's figures, and nothing
is sorted by a figure (order P4.8).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from pydantic import ValidationError

from api.access.narrowing import narrowed
from api.access.reach import the_only
from api.aggregates import Question, answered
from api.errors import BadQuestion, ScopeMissing
from api.figures import Tally, left_out, rating_figure, response_rate
from collector.store import Register, Store, Token
from schemas.periods import Period, day_date, day_of
from schemas.register_names import joined, known_by
from schemas.resources import Aggregates, Cell, RatingFigure

ASKED = ("period", "branch", "service", "from", "to")


@dataclass(frozen=True)
class Asked:
    """The selectors, as they came; empty ones are left out. ``lang`` and the like are no question."""

    values: Mapping[str, str]

    @classmethod
    def of(cls, query: Mapping[str, str]) -> "Asked":
        return cls({name: query[name].strip() for name in ASKED if query.get(name, "").strip()})

    @property
    def branch(self) -> str | None:
        return self.values.get("branch")

    @property
    def service(self) -> str | None:
        return self.values.get("service")

    def within(self, token: Token, register: Register) -> "Asked":
        """The same with what a reader with limits can only mean: their own branch, a service of their direction.

        Raises ScopeMissing where several branches are theirs and none is named.
        """
        more: dict[str, str] = {}
        limits = token.limits
        if limits.branches is not None and self.branch is None:
            more["branch"] = the_only("branch", limits.branches)
        if limits.directions is not None and self.service is None:
            own = [each.id for each in register.services if each.direction in limits.directions]
            more |= {"service": own[0]} if own else {}
        if limits.operator is not None:
            more["period"] = str(Period.MONTH)
        return replace(self, values={**self.values, **more})

    def question(self, **more: str | None) -> Question:
        """A question for the time asked. Raises BadQuestion for a value that is none."""
        time = {name: self.values[name] for name in ("period", "from", "to") if name in self.values}
        try:
            return Question.model_validate(time | more)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            raise BadQuestion(first["msg"], field=str(first["loc"][0]) if first["loc"] else None) from None


@dataclass(frozen=True)
class Answers:
    """The figures of one page: period by period, each branch, each service, and all of it as one."""

    times: list[Cell]
    branches: list[Cell]
    services: list[Cell]
    whole: Cell
    asked: Aggregates


@dataclass(frozen=True)
class _Desk:
    """Where the page's questions are asked in one reader's name, at one moment."""

    store: Store
    register: Register
    token: Token
    now_unix_ms: int

    def ask(self, question: Question) -> Aggregates:
        """Raises ScopeMissing for what is not the reader's."""
        permitted = narrowed(self.token, question, self.register)
        return answered(self.store, permitted, self.now_unix_ms, self.token.limits)

    def cells(self, question: Question) -> list[Cell]:
        """Nothing where it is not the reader's."""
        try:
            return self.ask(question).cells
        except ScopeMissing:
            return []


def read_answers(store: Store, asked: Asked, now_unix_ms: int, token: Token) -> Answers:
    """Every figure of the page. Raises BadQuestion for what the register does not know, or is too much; ScopeMissing
    for a place that is not the reader's.
    """
    _, register = store.book.whole()
    desk = _Desk(store, register, token, now_unix_ms)
    main = desk.ask(_main_question(asked))
    # Only its periods are used, with nothing in them: of a service there may be none in some.
    whole = asked.question(by="centre")
    frame = answered(store, whole, now_unix_ms) if asked.service or token.limits.operator is not None else main
    times = filled(main.cells, frame.cells)
    return Answers(
        times=times,
        branches=_branches(desk, asked),
        services=[] if asked.service else _each_as_one(desk.cells(asked.question(by="service", branch=asked.branch))),
        whole=as_one(times),
        asked=main,
    )


def as_one(cells: Sequence[Cell]) -> Cell:
    """The cells of one place added up into one that runs from the first's beginning to the last's end."""
    tally = sum((tally_of(each) for each in cells), Tally())
    return cells[-1].model_copy(
        update={
            "first": cells[0].first,
            "name": joined(each.name for each in cells),
            "name_en": joined(each.name_en for each in cells),
            "complete": all(each.complete for each in cells),
            "calls": tally.calls,
            "eligible_calls": tally.eligible,
            "left_out": left_out(tally),
            "votes": tally.votes,
            "response_rate": response_rate(tally),
            "bad": rating_figure(tally.bad, tally.votes),
            "good": rating_figure(tally.good, tally.votes),
            "exemplary": rating_figure(tally.exemplary, tally.votes),
        }
    )


def tally_of(cell: Cell) -> Tally:
    """The cell's counts, to be added to others."""
    out = cell.left_out
    return Tally(
        cell.calls, cell.eligible_calls, cell.bad.count, cell.good.count, cell.exemplary.count,
        out.unrated, out.absent, out.passed_on, out.withdrawn, out.unlit,
    )  # fmt: skip


def worst_case(cell: Cell, rating: str) -> tuple[float, float] | None:
    """Between which shares of all eligible clients the truth must lie, whatever those without a vote think.

    Domain study 6.2 (b): 270 top votes of 300, 1,000 eligible: from 27 % to 97 %. None without an eligible call.
    """
    if not cell.eligible_calls:
        return None
    figure: RatingFigure = getattr(cell, rating)
    silent = cell.eligible_calls - cell.votes
    return figure.count / cell.eligible_calls, (figure.count + silent) / cell.eligible_calls


def _main_question(asked: Asked) -> Question:
    if asked.service:
        return asked.question(by="service", key=asked.service, branch=asked.branch)
    return asked.question(by="branch" if asked.branch else "centre", branch=asked.branch)


def _branches(desk: _Desk, asked: Asked) -> list[Cell]:
    if not asked.service:
        return _each_as_one(desk.cells(asked.question(by="branch")))
    found = []
    for branch in known_by(desk.register, "branches", day_date(day_of(desk.now_unix_ms, "UTC"))):
        of_service = desk.cells(asked.question(by="service", key=asked.service, branch=branch.id))
        if of_service:
            named = {"branch": branch.id, "key": None, "name": branch.name, "name_en": branch.name_en}
            found.append(as_one(of_service).model_copy(update=named))
    return found


def _each_as_one(cells: Iterable[Cell]) -> list[Cell]:
    places: dict[tuple[str | None, str | None], list[Cell]] = {}
    for cell in cells:
        places.setdefault((cell.branch, cell.key), []).append(cell)
    return [as_one(of_place) for of_place in places.values()]


def filled(cells: Sequence[Cell], frame: Sequence[Cell]) -> list[Cell]:
    """``cells`` with an empty one for every period of ``frame`` that has none, so that no gap is drawn over."""
    found = {cell.period: cell for cell in cells}
    nothing = rating_figure(0, 0)
    empty = {
        "calls": 0,
        "eligible_calls": 0,
        "left_out": left_out(Tally()),
        "votes": 0,
        "response_rate": response_rate(Tally()),
        "bad": nothing,
        "good": nothing,
        "exemplary": nothing,
    }
    return [found.get(cell.period) or cell.model_copy(update=empty) for cell in frame]
