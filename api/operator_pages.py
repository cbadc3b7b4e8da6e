"""The pages of operators: first what for, then pseudonyms in a funnel, then one of them. Names are a further step.

Every reading goes through api.access.operators and is in the access log before a figure is read (order P4.7, P4.8). The
purpose, the order and the period stand in the address: who gets it sent is asked nothing, but is written down too.
"""

import time
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import ValidationError

from api.access.operators import Wish, disclose, needs_order, orders_in_force, purposes_of
from api.aggregates import Question, answered, permit
from api.auth import require
from api.errors import BadQuestion, NoSuchThing, OrderMissing, UnknownPurpose
from api.funnel import Asked, funnel_of, narrowed_to
from api.i18n import Language
from api.operator_words import MONTHS_OF_ONE, FunnelWords, own_months, period_choices
from api.parts import parts_of
from api.pictures import last_day, months_before
from api.rendering import Renderer
from api.role_words import purpose_names
from collector.store import Register, Store, Token
from schemas.periods import Period, day_date, day_of
from schemas.register_names import known_by
from schemas.statistics_resources import Funnel

router = APIRouter(include_in_schema=False)
_SELECTORS = ("purpose", "order", "period", "month", "branch", "rating")
Reader = Annotated[Token, require("figures", "operators", page=True, within_limits=True)]


@router.get("/operators")
def operators(request: Request, token: Reader) -> Response:
    """The purpose; with one, the funnel of pseudonyms; with ``names=1`` and the right to, who they are."""
    page = _Page(request, token)
    values = page.selectors()
    funnel = page.funnel() if page.asked.get("purpose") else None
    if funnel is not None:
        names = page.names() if "names" in request.query_params else None
        values |= FunnelWords(funnel, page.language, page.register, names).values(page.address)
    return page.shown("operators.html", values | {"funnel": funnel, "problem": page.problem})


@router.get("/operators/{operator}")
def one_operator(request: Request, operator: str, token: Reader) -> Response:
    """One operator's months beside his own past, and what of it says something."""
    page = _Page(request, token)
    if not page.knows(operator):
        raise NoSuchThing(f"There is no operator {operator}.")
    values = page.selectors() | {"operator": operator, "whole": None, "point": None, "person": None}
    if page.asked.get("purpose"):
        months = page.months_of(operator)
        if months is not None:
            values |= own_months(months, operator, page.language)
            funnel = page.funnel()
            values |= FunnelWords(funnel, page.language, page.register, None).of_one(operator) if funnel else {}
        if months is not None and "names" in request.query_params:
            values["person"] = page.names().get(operator, "–")
    return page.shown("operator.html", values | {"problem": page.problem})


class _Page:
    """What was asked, by whom, and what came of it."""

    def __init__(self, request: Request, token: Token):
        self._request = request
        self._renderer: Renderer = request.app.state.pages
        self._token = token
        self._store: Store = parts_of(request).store
        self.language: Language = self._renderer.language_of(request)
        self.register: Register = self._store.book.whole()[1]
        self._now_unix_ms = time.time_ns() // 1_000_000
        self._today: date = day_date(day_of(self._now_unix_ms, "UTC"))
        query = request.query_params
        self.asked = {name: query[name].strip() for name in _SELECTORS if query.get(name, "").strip()}
        self.problem: str | None = None

    def knows(self, operator: str) -> bool:
        """Whether there is such an operator for this reader: a head of an organisation knows his own people only."""
        rows = [each for each in self.register.operators if each.id == operator]
        mine = self._token.limits.participants
        return any(mine is None or each.participant in mine for each in rows)

    @property
    def address(self) -> Mapping[str, str]:
        return self.asked

    def selectors(self) -> dict[str, Any]:
        """The choices of the form; of purposes and orders only those that are open to this reader."""
        newest = months_before(self._today.replace(day=1), 1)
        branches = known_by(self.register, "branches", self._today)
        mine, words = self._token.limits.branches, purpose_names(self.language)
        return {
            "purposes": [(each, words[each]) for each in purposes_of(self._token)],
            "orders": self._orders() if needs_order(self._token) else None,
            "may_name": "names" in self._token.scopes,
            "asked": self.asked,
            "branch_choices": [
                (each.id, self.language.name_of(each)) for each in branches if mine is None or each.id in mine
            ],
        } | period_choices(self.language, newest)

    def _orders(self) -> list[tuple[str, str]]:
        return [
            (str(each.id), f"{each.number}, {self.language.day(day_date(each.day))}: {each.about}")
            for each in orders_in_force(self._store, self._now_unix_ms)
        ]

    def funnel(self) -> Funnel | None:
        """The figures, once the reading is written down; None with a word where they cannot be had."""
        try:
            asked = self._question()
            wish = Wish(asked.words, asked.purpose, asked.order, asked.branch)
            permitted = disclose(self._store, self._token, wish, lambda: narrowed_to(self._store, self._token, asked))
            return funnel_of(self._store, permitted, self._now_unix_ms, self.language, self._token.limits)
        except BadQuestion as refused:
            self.problem = self._said(refused)
            return None

    def months_of(self, operator: str) -> list[Any] | None:
        """One operator's closed months, once the reading is written down."""
        newest = months_before(self._today.replace(day=1), 1)
        said = {
            "by": "operator",
            "key": operator,
            "period": "month",
            "from": months_before(newest, MONTHS_OF_ONE - 1),
            "to": last_day(newest),
        } | {name: self.asked[name] for name in ("purpose", "order", "branch") if name in self.asked}
        try:
            question = permit(self._store, self._token, Question.model_validate(said))
            cells = answered(self._store, question, self._now_unix_ms, self._token.limits).cells
            frame = answered(self._store, Question.model_validate(_frame_of(said)), self._now_unix_ms).cells
        except (BadQuestion, ValidationError) as refused:
            self.problem = self._said(refused)
            return None
        return [cells, frame]

    def names(self) -> Mapping[str, str]:
        """Who the operators are, by pseudonym: one more line in the access log. Nothing without the right to it."""
        if "names" not in self._token.scopes:
            return {}
        return self._store.book.names(self._token.name)

    def _question(self) -> Asked:
        said: dict[str, Any] = {
            name: self.asked[name] for name in ("purpose", "order", "branch", "rating") if name in self.asked
        }
        said["period"] = self.asked.get("period", str(Period.QUARTER))
        if "month" in self.asked:
            said["day"] = f"{self.asked['month']}-01"
        try:
            return Asked.model_validate(said)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            raise BadQuestion(first["msg"], field=str(first["loc"][0]) if first["loc"] else None) from None

    def _said(self, refused: Exception) -> str:
        _ = self.language.gettext
        match refused:
            case UnknownPurpose():
                return _("This purpose is not open to you. Choose one of those below (point 4.7 of the order).")
            case OrderMissing():
                return _("You read by a recorded order only (point 4.3). Choose one that is in force and fits.")
        return _("Something in the address or in the form is not right.")

    def shown(self, template: str, values: dict[str, Any]) -> Response:
        status = 422 if self.problem else 200
        frame = self._renderer.frame(self._token)
        return self._renderer.page(self._request, template, values, frame=frame, status=status)


def _frame_of(said: Mapping[str, Any]) -> dict[str, Any]:
    """A question that only gives the months."""
    return {"by": "centre", "period": "month", "from": said["from"], "to": said["to"]}
