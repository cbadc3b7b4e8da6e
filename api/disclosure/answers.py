"""The figures of an answer, frozen when it is made. What leaves the house, and in which cells, is decided here.

Rules of the file
1.  Only whole periods that are over. A cell of fewer than ten votes is named and withheld: a percentage of six votes
    is no accurate information about anybody (domain study 5.3, 6.3). So is a service that one or two operators serve.
2.  The public, the media among it, gets what is published, from the newest edition of each period, and no other cut:
    answers to many people, each with a cut of their own, would give every withheld cell away.
3.  Figures of operators go to courts and investigators on their legal basis (order 4.6), and to others after a recorded
    decision only; every such answer is in the log of readings before it is made (4.7, 4.8).
"""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

from api.aggregates import Question, answered
from api.auth import allowed
from api.disclosure.case import Case, why_nothing_is_given
from api.disclosure.desk import StepRefused
from api.errors import BadQuestion
from api.figures import FIRST_DATE, rating_figure, spans
from api.publication.rules import MIN_VOTES, has_few_operators, hidden_parts
from collector.store import Store, Token
from schemas.disclosure_figures import FrozenFigures, FrozenRow, Withheld
from schemas.disclosure_resources import NewPaper
from schemas.edition_resources import EditionContent, PublishedCell
from schemas.periods import Period, bounds, day_date, day_key, day_of
from schemas.resources import Cell, RatingFigure

# What an edition calls it, and what a letter says of it.
_WITHHELD: dict[str, Withheld] = {"small": "small", "few_operators": "few_operators", "alike": "all_equal"}


def figures_for(store: Store, token: Token, case: Case, paper: NewPaper, now_unix_ms: int) -> FrozenFigures:
    """The figures that the answer to ``case`` holds. Raises StepRefused, ScopeMissing, BadQuestion."""
    why = why_nothing_is_given(case)
    if why is not None:
        raise StepRefused(why)
    question = _question(store, case, paper, now_unix_ms)
    if case.request.of.outside and paper.by != "operator":
        return _published(store, paper, question, now_unix_ms)
    if token.limits.any and paper.by == "centre":
        raise BadQuestion("You may give the figures of your own branch: ask by branch or by service.", field="by")
    if paper.by == "direction":
        raise BadQuestion("Directions are in what is published only; ask by service.", field="by")
    if paper.by == "operator":
        _log_operators(store, token, case, question)
    revision, _ = store.book.whole()
    found = answered(store, question, now_unix_ms, token.limits)
    told = [cell for cell in found.cells if cell.complete]
    hidden = _of_few(store, told, question.branch) if paper.by == "service" and not case.operators else {}
    rows = [_row(cell, hidden.get((cell.period, cell.key))) for cell in told]
    if not rows:
        raise BadQuestion("There is no whole period with figures in that time.", field="from")
    return FrozenFigures(
        by=paper.by,
        period=found.period,
        first=rows[0].first,
        last=rows[-1].last,
        source="figures",
        register_revision=revision,
        made_at=datetime.fromtimestamp(now_unix_ms / 1000, UTC),
        rows=rows,
    )


def _question(store: Store, case: Case, paper: NewPaper, now_unix_ms: int) -> Question:
    """The question behind an answer; without days the last whole period."""
    today = day_date(day_of(now_unix_ms, store.register().timezone))
    last = paper.last or _last_whole(today, paper.period)
    first = paper.first or bounds(last, paper.period)[0]
    if not FIRST_DATE <= first <= last:
        raise BadQuestion("The first day is not before the last.", field="from")
    branch = case.request.branch if paper.by != "centre" else None
    by = "service" if paper.by == "direction" else paper.by
    return Question.model_validate(
        {"by": by, "period": paper.period, "from": first.isoformat(), "to": last.isoformat(), "branch": branch}
    )


def _published(store: Store, paper: NewPaper, question: Question, now_unix_ms: int) -> FrozenFigures:
    """What the newest editions say of the periods asked for. Raises BadQuestion if none is published."""
    assert question.first and question.last
    newest = {each.period: each.number for each in store.editions.all()}  # the later made has the higher number
    rows: list[FrozenRow] = []
    sources: list[str] = []
    revision = 0
    for span in spans(question.first, question.last, paper.period):
        if span.name not in newest:
            continue
        edition, content = store.editions.content(span.name, newest[span.name])
        found = EditionContent.model_validate_json(content)
        rows += [_of_edition(cell, found) for cell in found.cells if _is_asked(cell, paper, question)]
        sources.append(f"{span.name}/{edition.number}")
        revision = max(revision, edition.revision)
    if not rows:
        raise BadQuestion("Nothing is published of that time: close the month first.", field="from")
    return FrozenFigures(
        by=paper.by,
        period=paper.period,
        first=rows[0].first,
        last=rows[-1].last,
        source=", ".join(sources),
        register_revision=revision,
        made_at=datetime.fromtimestamp(now_unix_ms / 1000, UTC),
        rows=rows,
    )


def _is_asked(cell: PublishedCell, paper: NewPaper, question: Question) -> bool:
    return cell.cut == paper.by and (paper.by != "branch" or question.branch in (None, cell.key))


def _of_edition(cell: PublishedCell, edition: EditionContent) -> FrozenRow:
    votes = cell.votes

    def figure(count: int | None) -> RatingFigure | None:
        return None if count is None or votes is None else rating_figure(count, votes)

    return FrozenRow(
        period=edition.period,
        first=edition.first,
        last=edition.last,
        name=cell.name,
        name_en=cell.name_en,
        calls=cell.calls,
        eligible_calls=cell.eligible_calls,
        votes=votes,
        bad=figure(cell.bad),
        good=figure(cell.good),
        exemplary=figure(cell.exemplary),
        withheld=None if votes is not None else _WITHHELD.get(cell.code, "secondary"),
    )


def _last_whole(today: date, period: Period) -> date:
    """The last day of the last period that is over."""
    return bounds(today, period)[0] - timedelta(days=1)


def _log_operators(store: Store, token: Token, case: Case, question: Question) -> None:
    asked = f"request {case.request.name} by=operator from={question.first} to={question.last}"
    basis = f"request, order {case.request.of.clause}"
    may = case.operators and "operators" in token.scopes
    store.log_access(token.name, basis, may, asked)
    allowed(token, ("operators",))
    if not case.operators:
        raise BadQuestion("Figures of operators need a legal basis or a recorded decision first.", field="by")


def _of_few(store: Store, cells: Iterable[Cell], branch: str | None) -> dict[tuple[str, str | None], Withheld]:
    """Services that tell of one or two operators, or from which such a one follows, by period and id.

    Whoever is never given figures of operators is not given them as those of a service either. Of a month whose rows
    are archived nobody knows who served, so nothing of it is given.
    """
    periods: dict[tuple[str, date, date], list[Cell]] = {}
    for cell in cells:
        periods.setdefault((cell.period, cell.first, cell.last), []).append(cell)
    found: dict[tuple[str, str | None], Withheld] = {}
    for (period, first, last), own in periods.items():
        givers: dict[str, Counter[str]] = {}
        for row in store.editions.counted(day_key(first), day_key(last)):
            if branch in (None, row.branch):
                name = "" if row.giver.startswith("desk ") else row.giver
                givers.setdefault(row.service, Counter())[name] += row.bad + row.good + row.exemplary
        votes = {cell.key or "": givers.get(cell.key or "") or Counter({"": cell.votes}) for cell in own}
        hidden = hidden_parts(votes)
        for cell in own:
            if (cell.key or "") in hidden:
                few = has_few_operators({name: n for name, n in votes[cell.key or ""].items() if name})
                found[period, cell.key] = "small" if cell.votes < MIN_VOTES else "few_operators" if few else "secondary"
    return found


def _row(cell: Cell, why: Withheld | None = None) -> FrozenRow:
    why = "small" if 0 < cell.votes < MIN_VOTES else why
    withheld = why is not None
    return FrozenRow(
        period=cell.period,
        first=cell.first,
        last=cell.last,
        name=cell.name,
        name_en=cell.name_en,
        calls=None if withheld else cell.calls,
        eligible_calls=None if withheld else cell.eligible_calls,
        votes=None if withheld else cell.votes,
        bad=None if withheld else cell.bad,
        good=None if withheld else cell.good,
        exemplary=None if withheld else cell.exemplary,
        withheld=why,
    )
