"""What may be done with requests, for the routes and the pages alike: registering, entering, making papers.

It checks what the rules check, and writes. Who may do what is ``may_see``: heads of branches see their own branch's.
"""

import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from api.disclosure.case import PROBLEMS, Case, Event, Request, fold, in_order, problem
from api.disclosure.clock import working_days
from api.disclosure.rules import INFORMATION
from api.errors import BadQuestion, NoSuchThing, NotNow
from collector.store import NotThere, OutOfTurn, Register, Store, Stored, Token
from schemas.disclosure_resources import STEPS, NewRequest, NewStep

# Closed ones older than this are found by their number, and are not in the list.
SHOWN_DAYS = 400
_OLDEST_DAYS = 400
_MAY_BE_EMPTIED = ("branch", "reasons", "legal_basis", "due_unix_ms")
_MOMENTS = {"received_at": "received_unix_ms", "due_at": "due_unix_ms", "notice_sent_at": "notice_sent_unix_ms"}


class StepRefused(NotNow):
    """``why`` is a word of case.PROBLEMS, for the page to say in the reader's language."""

    def __init__(self, why: str):
        super().__init__(PROBLEMS[why])
        self.why = why


def zone_of(register: Register) -> ZoneInfo:
    """The office's own: its first branch's."""
    return ZoneInfo(register.timezone)


def case_of(stored: Stored, register: Register) -> Case:
    events = [Event(*each) for each in stored.events]
    return fold(Request(**stored.row), events, zone_of(register), working_days(register))


def may_see(token: Token, case: Case) -> bool:
    """A head of branch sees requests about that branch (order 4.4); nobody else who has limits sees any."""
    limits = token.limits
    if not limits.any:
        return True
    others = (limits.participants, limits.directions, limits.operator)
    only_branches = all(each is None for each in others) and limits.branches is not None
    return only_branches and case.request.branch in (limits.branches or ())


def the_cases(store: Store, token: Token, now_unix_ms: int, *, days: int = SHOWN_DAYS) -> list[Case]:
    """Every open request, and what was received in the last ``days``, as a list is shown."""
    _, register = store.book.whole()
    since = now_unix_ms - days * 86_400_000
    cases = [case_of(each, register) for each in store.disclosures.all(since)]
    return in_order([each for each in cases if may_see(token, each)], now_unix_ms)


def the_case(store: Store, token: Token, year: int, number: int) -> Case:
    """Raises NoSuchThing, also for one that the reader may not see."""
    _, register = store.book.whole()
    try:
        case = case_of(store.disclosures.one(year, number), register)
    except NotThere:
        raise NoSuchThing(f"There is no request {year}/{number}.") from None
    if not may_see(token, case):
        raise NoSuchThing(f"There is no request {year}/{number}.")
    return case


def registered(store: Store, token: Token, new: NewRequest, now_unix_ms: int) -> Case:
    """A new request. Raises BadQuestion for what cannot be."""
    _, register = store.book.whole()
    _check_moment(new.received_at, now_unix_ms)
    _check_branch(new.branch, register, token)
    fields = new.model_dump(exclude={"person", "contact", "received_at", "due_at"})
    values = fields | {
        "received_unix_ms": _unix_ms(new.received_at),
        "due_unix_ms": _unix_ms(new.due_at) if new.due_at else None,
        "registered_by": token.name[:80],
        "registered_unix_ms": now_unix_ms,
    }
    year = datetime.fromtimestamp(now_unix_ms / 1000, UTC).astimezone(zone_of(register)).year
    person = (new.person or "", new.contact or "") if new.person or new.contact else None
    return the_case(store, token, year, store.disclosures.register(year, values, person))


def entered(store: Store, token: Token, case: Case, step: NewStep, now_unix_ms: int) -> Case:
    """What happened next. Raises BadQuestion, NotNow (StepRefused where a rule forbids it)."""
    fields = checked_fields(step.what, step.fields)
    _check_fields(store, token, case, step.what, fields, now_unix_ms)
    why = problem(case, step.what, fields, now_unix_ms)
    if why is not None:
        raise StepRefused(why)
    try:
        store.disclosures.add(case.request.id, step.seq, step.what, fields, token.name, now_unix_ms)
    except OutOfTurn:
        raise NotNow("Somebody else has entered something meanwhile: look once more.") from None
    return the_case(store, token, case.request.year, case.request.number)


def checked_fields(what: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a step, moments as UTC milliseconds. Raises BadQuestion naming the one at fault."""
    try:
        body = STEPS[what].model_validate(fields)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise BadQuestion(first["msg"], field=str(first["loc"][0]) if first["loc"] else None) from None
    found: dict[str, Any] = {}
    for name, value in body.model_dump(exclude_unset=True).items():
        found[_MOMENTS.get(name, name)] = _unix_ms(value) if isinstance(value, datetime) else value
    emptied = _MAY_BE_EMPTIED if what == "corrected" else ()
    return {name: value for name, value in found.items() if value is not None or name in emptied}


def _check_fields(
    store: Store, token: Token, case: Case, what: str, fields: Mapping[str, Any], now_unix_ms: int
) -> None:
    paper = fields.get("paper")
    if paper is not None and paper not in {each.id for each in store.disclosures.papers(case.request.id)}:
        raise BadQuestion(f"There is no paper {paper} of this request.", field="paper")
    if what != "corrected":
        return
    _, register = store.book.whole()
    if "received_unix_ms" in fields:
        _check_moment(datetime.fromtimestamp(int(fields["received_unix_ms"]) / 1000, UTC), now_unix_ms)
    if "branch" in fields:
        _check_branch(fields["branch"], register, token)
    urgent = fields.get("urgent", case.request.urgent)
    if urgent and (
        fields.get("kind", case.request.kind) != INFORMATION or not fields.get("reasons", case.request.reasons)
    ):
        raise BadQuestion("Urgency must be reasoned, and is of requests for information only.", field="urgent")


def _check_moment(received: datetime, now_unix_ms: int) -> None:
    now = datetime.fromtimestamp(now_unix_ms / 1000, UTC)
    if received > now + timedelta(minutes=1):
        raise BadQuestion("It cannot have come in the future.", field="received_at")
    if received < now - timedelta(days=_OLDEST_DAYS):
        raise BadQuestion(f"It came more than {_OLDEST_DAYS} days ago.", field="received_at")


def _check_branch(branch: str | None, register: Register, token: Token) -> None:
    if branch is not None and branch not in {each.id for each in register.branches}:
        raise BadQuestion(f"There is no branch {branch}.", field="branch")
    if token.limits.any and branch not in (token.limits.branches or ()):
        raise BadQuestion("Only a request about your own branch can be entered by you.", field="branch")


def _unix_ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def now_unix_ms() -> int:
    return time.time_ns() // 1_000_000
