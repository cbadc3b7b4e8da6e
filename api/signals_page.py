"""The Signals page: purpose first, then what stands out by month, why it may mean nothing, and a form to close it.

It computes nothing: everything is api/signals.py's answer, in one language. Nothing is sorted or coloured by how strong
a signal is, and no operator has a name here.
"""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import ValidationError

from api.auth import require
from api.errors import BadQuestion, BadRequestBody, ScopeMissing
from api.forms import form_fields
from api.i18n import Language
from api.parts import parts_of
from api.rendering import Renderer
from api.signals import PURPOSES, Asked, Number, Review, method_words, reviewed, signals_for
from collector.store import Register, Token
from schemas.months import read_month
from schemas.periods import Period
from schemas.register_names import by_id
from schemas.resources import RatingFigure
from schemas.signal_resources import SignalResource, Signals, WithoutMarked

router = APIRouter(include_in_schema=False)
Reader = Annotated[Token, require("signals", page=True, within_limits=True)]
Reviewer = Annotated[Token, require("signals", "operators", page=True, within_limits=True)]
Fields = Annotated[dict[str, str], Depends(form_fields)]


@router.get("/signals")
def signals(request: Request, token: Reader) -> Response:
    """What stood out; who sees operators says first what for (order P4.7)."""
    renderer: Renderer = request.app.state.pages
    store, language = parts_of(request).store, renderer.language_of(request)
    query = {name: value for name, value in request.query_params.items() if value and name in Asked.model_fields}
    query.pop("lang", None)
    values: dict[str, Any] = _frame(token, language, query, store.book.whole()[1])
    status = 200
    if values["sees_operators"] and "purpose" not in query:
        return renderer.page(request, "signals.html", values, frame=renderer.frame(token))
    try:
        answer = signals_for(store, token, Asked.model_validate(query), language)
        values |= Shown(answer, store.book.whole()[1], language).values()
    except (ValidationError, BadQuestion, ScopeMissing) as problem:
        status = 403 if isinstance(problem, ScopeMissing) else 422
        values["problem"] = _said(problem, language)
    return renderer.page(request, "signals.html", values, frame=renderer.frame(token), status=status)


@router.post("/signals/{one}/review")
def review(request: Request, one: Number, token: Reviewer, fields: Fields) -> Response:
    """Records what it was and goes back to where it stands."""
    try:
        said = Review.model_validate(
            {name: fields[name] for name in ("outcome", "note", "purpose") if fields.get(name)}
        )
    except ValidationError:
        raise BadRequestBody("A review says one of three outcomes and at most 500 characters.") from None
    done = reviewed(parts_of(request).store, token, one, said)
    return RedirectResponse(f"/signals?purpose={said.purpose}&month={done.month}#signal-{one}", 303)


class Shown:
    """The answer in one language: the values of signals.html."""

    def __init__(self, answer: Signals, register: Register, language: Language):
        self._answer, self._language = answer, language
        self._branches = {name: rows[-1] for name, rows in by_id(register.branches).items()}
        self._desks = {name: rows[-1] for name, rows in by_id(register.desks).items()}
        self._kinds = {each.id: each for each in answer.kinds}

    def values(self) -> dict[str, Any]:
        answer = self._answer
        by_month: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for each in answer.signals:
            by_month[each.month].append(self._signal(each))
        without: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for row in answer.without_marked:
            without[row.month].append(self._without(row))
        return {
            "asked_already": True,
            "months": [
                {
                    "name": self._month(each.month),
                    "log_only": each.log_only,
                    "operators": each.operators,
                    "calls": each.calls,
                    "signals": by_month[each.month],
                    "without": without[each.month],
                }
                for each in reversed(answer.months)
            ],
            "kinds": [(each, self._rates(each.id)) for each in answer.kinds],
            "notice": answer.notice,
        }

    def _signal(self, each: SignalResource) -> dict[str, Any]:
        kind, language = self._kinds[each.kind], self._language
        desk = self._desks.get(each.desk or "")
        return {
            "row": each,
            "kind": kind,
            "branch": self._branch(each.branch),
            "desk": desk.label if desk is not None else each.desk,
            "numbers": numbers_in(language, each),
            "chance": chance_in(language, each.p),
            "marked": sum((each.marked.bad, each.marked.good, each.marked.exemplary)) if each.marked else 0,
            "outcome": outcomes(language).get(each.outcome or ""),
            "when": language.day(each.reviewed_at.date()) if each.reviewed_at else None,
        }

    def _without(self, row: WithoutMarked) -> dict[str, Any]:
        return {
            "row": row,
            "figures": {
                name: (self._figure(getattr(row, name)), self._figure(getattr(row, f"{name}_without")))
                for name in ("bad", "exemplary")
            },
        }

    def _figure(self, figure: RatingFigure) -> str:
        if figure.low is None or figure.high is None:
            return "–"
        return f"{self._language.share(figure.share)} ({self._language.interval(figure.low, figure.high)})"

    def _rates(self, kind: str) -> dict[str, int]:
        mine = [each for each in self._answer.rates if each.kind == kind]
        return {name: sum(getattr(each, name) for each in mine) for name in ("tests", "stand_out")}

    def _branch(self, branch: str) -> str:
        row = self._branches.get(branch)
        return self._language.name_of(row) if row is not None else branch

    def _month(self, month: str) -> str:
        return month_in(self._language, month)


def numbers_in(language: Language, each: SignalResource) -> str:
    """What was seen and what would have been expected, in a sentence."""
    _ = language.gettext
    number, numbers = language.number, each.numbers
    match each.kind:
        case "long_run":
            said = _("%(length)s equal votes in a row among %(n)s votes.")
            return said % {"length": number(int(numbers.get("length", 0))), "n": number(each.n)}
        case "silent_calls":
            said = _("%(share)s of %(n)s eligible calls have a vote; %(expected)s would be expected.")
        case "selective_silence":
            said = _("Response in long services minus response in others: %(share)s; with peers %(expected)s.")
        case "rate_score_coupling":
            said = _("Correlation over %(n)s weeks: %(r)s.")
            return said % {"n": number(each.n), "r": number(round(each.statistic, 2))}
        case "repeats":
            said = _("%(count)s further presses beside %(n)s votes; %(wanted)s would be expected.")
        case "no_call_presses":
            said = _("%(count)s presses without a client on %(n)s days; %(wanted)s would be expected.")
        case "console_shadow":
            said = _("Trouble began on %(count)s of %(n)s days; %(wanted)s would be expected.")
        case "zero_bad":
            said = _("No bad vote among %(n)s; %(wanted)s would be expected.")
        case "burst":
            said = _("%(count)s of %(n)s triples of successive votes; %(wanted)s would be expected.")
        case _other:
            said = _("%(count)s of %(n)s votes; %(wanted)s would be expected.")
    return said % {
        "share": language.share(each.statistic),
        "expected": language.share(each.expected),
        "n": number(each.n),
        "count": number(int(numbers.get("count", 0))),
        "wanted": number(round(numbers.get("expected", 0.0), 1)),
    }


def chance_in(language: Language, p: float) -> str:
    """How rare as much would be among people like the peers."""
    _ = language.gettext
    if p < 1e-6:
        return _("By chance alone among people like the peers: less than once in a million.")
    return _("By chance alone among people like the peers: about once in %(times)s.") % {
        "times": language.number(round(1 / p, -max(0, len(str(int(1 / p))) - 2)))
    }


def outcomes(language: Language) -> Mapping[str, str]:
    """What a person may say a signal was."""
    _ = language.gettext
    return {
        "explained": _("Explained: there is an innocent reason"),
        "watch": _("To be watched: look again next month"),
        "system_fault": _("A fault of the system: pad, queue or program"),
    }


def month_in(language: Language, month: str) -> str:
    number = read_month(month)
    return language.period(date(number // 100, number % 100, 1), Period.MONTH)


def _frame(token: Token, language: Language, query: Mapping[str, str], register: Register) -> dict[str, Any]:
    _ = language.gettext
    purposes = {"analysis": _("analysis of the work"), "improvement": _("measures of improvement")}
    return {
        "sees_operators": "operators" in token.scopes,
        "purposes": [(name, purposes[name]) for name in PURPOSES],
        "asked": dict(query),
        "asked_already": False,
        "problem": None,
        "months": [],
        "kinds": [],
        "outcomes": outcomes(language),
        "method": method_words(language),
        "notice": None,
    }


def _said(problem: Exception, language: Language) -> str:
    _ = language.gettext
    if isinstance(problem, ScopeMissing):
        return _("This is not part of what you may see.")
    if isinstance(problem, BadQuestion) and problem.field == "purpose":
        return _("Signals may be read for analysis or improvement only, never when duties or a bonus are judged.")
    return _("Something in the address or in the form is not right.")
