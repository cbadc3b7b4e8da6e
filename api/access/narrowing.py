"""What a question for figures comes to for a reader with limits: narrowed to their own where that is clear, or refused.

Narrowing is never silent: the answer says which branch, organisation or operator it is about. Pure.

- A head of one branch who names none gets their own; of several, ``by=branch`` and ``by=desk`` give theirs, and a sum
  over branches is refused. The centre is refused: its total is everybody's.
- A head of an organisation gets own employees, while employed, and the services of the own direction.
- Who reads operators on a recorded order only, or not at all, gets services of the whole centre, by month or longer: in
  one branch, or on one day, a service is often one person's (order 4.3, 4.7.3; domain study 6.3). A program's token is
  asked for the scope ``operators``: a figure that may be one operator's wants no less than the operator's own.
- An operator gets the own branch, and of operators oneself, for months that are over and have enough votes; of the
  branch none that would give a colleague away (api/aggregates.py).
"""

from collections.abc import Mapping
from typing import Any, Protocol, Self, TypeVar

from api.access.reach import the_only, within
from api.access.roles import ROLES
from api.errors import ScopeMissing
from collector.store import Register, Token
from schemas.periods import Period

# Order P3.2e: an operator is not to learn a single vote. The smallest number that the domain study publishes at (6.3).
OWN_VOTES = 10


class Asking(Protocol):
    """A question for figures, as api/aggregates.py has it."""

    @property
    def by(self) -> str: ...
    @property
    def period(self) -> Period: ...
    @property
    def branch(self) -> str | None: ...
    @property
    def key(self) -> str | None: ...
    @property
    def participant(self) -> str | None: ...

    def model_copy(self, *, update: Mapping[str, Any] | None = None) -> Self: ...


Q = TypeVar("Q", bound=Asking)


def narrowed(token: Token, question: Q, register: Register) -> Q:
    """The question within the reader's limits. Raises ScopeMissing with words on how to ask."""
    limits = token.limits
    if question.by == "service":
        services_within(token, question.branch, question.period)
    if not limits.any:
        return question
    if limits.operator is not None:
        question = _own(question, limits.operator)
        if question.by == "operator":
            return question
    if limits.branches is not None:
        question = _branch(question, limits.branches)
    if limits.participants is not None or limits.directions is not None:
        return _organisation(token, question, register)
    return question


def may_see_parts(token: Token) -> bool:
    """Whether somebody may see what may be one operator's under another name: services of one branch, or of one day."""
    role = ROLES.get(token.role or "")
    return "operators" in token.scopes and not (role is not None and role.by_order)


def services_within(token: Token, branch: str | None, period: Period) -> None:
    """Raises ScopeMissing for services that may be one operator's, unless this reader may see parts. A limit by branch
    makes every service one of a branch.
    """
    if may_see_parts(token):
        return
    if branch is not None or token.limits.branches is not None or period in (Period.DAY, Period.WEEK):
        raise ScopeMissing(
            "You may see services of the whole centre, by month or longer: in one branch they are often one person's.",
            field="branch",
        )


def _own(question: Q, operator: str) -> Q:
    if question.by not in ("branch", "operator"):
        raise ScopeMissing("You may see your own branch (by=branch) and yourself (by=operator).", field="by")
    if question.period is not Period.MONTH:
        raise ScopeMissing("You may see whole months that are over (period=month).", field="period")
    if question.by == "branch":
        return question
    if question.key not in (None, operator):
        raise ScopeMissing("Of operators you may see yourself only.", field="key")
    # Of all branches together: parts of a month, one beside the other, would tell single votes.
    return question.model_copy(update={"key": operator, "branch": None})


def _branch(question: Q, allowed: frozenset[str]) -> Q:
    if question.by == "centre":
        raise ScopeMissing(f"You may see your own branch (by=branch): {', '.join(sorted(allowed))}.", field="by")
    if question.branch is not None:
        if question.branch not in allowed:
            raise ScopeMissing(f"This branch is not yours; yours: {', '.join(sorted(allowed))}.", field="branch")
        return question
    if question.by == "operator" and question.key is not None and len(allowed) > 1:
        raise ScopeMissing(f"Name one branch of yours: {', '.join(sorted(allowed))}.", field="branch")
    if question.by in ("branch", "desk") and len(allowed) > 1:
        return question  # each of its figures is of one branch, and the others' rows are left out
    return question.model_copy(update={"branch": the_only("branch", allowed)})


def _organisation(token: Token, question: Q, register: Register) -> Q:
    if question.by == "operator":
        participant = question.participant or the_only("participant", token.limits.participants or frozenset())
        question = question.model_copy(update={"participant": participant})
        within(token, register, branch=question.branch, participant=participant)
        return question
    if question.by in ("service", "direction") and token.limits.directions is not None:
        return question  # rows of other directions are left out, day by day
    raise ScopeMissing("You may see the services of your direction (by=service) and your own employees.", field="by")
