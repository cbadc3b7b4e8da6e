"""What has happened to a request, and what may happen next. Pure: rows in, a state or a reason why not out.

Rules of the file
1.  A request is its row and its events in order; the state is what they fold to. ``taken_back`` makes an earlier event
    as if it had not been, ``corrected`` puts other words into the row: nothing is changed where it stands.
2.  Nothing is given to the media without the media department's consent (4.4), nothing to a court or an investigator
    without a legal basis (4.6). The clock runs meanwhile: consent is no reason to be late.
3.  An extension holds only if the requester was told in time (law 2939-VI art. 20 p. 4).
4.  A refusal names its reason, who is responsible, and where to complain (art. 22).
5.  Who answered, and who released it, is part of the answer (4.4: heads of the centre and of branches).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from api.disclosure.clock import Due, IsWorking, appeal_due, information_due, notice_due
from api.disclosure.rules import BY_LAW, CLASSES, INFORMATION, NEVER_OPERATORS, RequesterClass

State = Literal["open", "answered", "refused", "forwarded", "withdrawn"]
Consent = Literal["not_needed", "missing", "asked", "given", "refused"]
CLOSING: dict[str, State] = {
    "answered": "answered",
    "refused": "refused",
    "forwarded": "forwarded",
    "withdrawn": "withdrawn",
}
CONSENTS: dict[str, Consent] = {"consent_asked": "asked", "consent_given": "given", "consent_refused": "refused"}
WHATS = (
    "assigned",
    *CONSENTS,
    "extended",
    "decided",
    "noted",
    "corrected",
    "taken_back",
    *CLOSING,
)
# What of a request may be corrected; all else is as it came.
CORRECTABLE = (
    "kind",
    "requester_class",
    "form",
    "language",
    "branch",
    "received_unix_ms",
    "subject",
    "urgent",
    "simple",
    "reasons",
    "legal_basis",
    "due_unix_ms",
)


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it was registered; see schemas/disclosure_tables.py."""

    id: int
    year: int
    number: int
    kind: str
    requester_class: str
    form: str
    language: str
    branch: str | None
    received_unix_ms: int
    subject: str
    urgent: bool
    simple: bool
    reasons: str | None
    legal_basis: str | None
    due_unix_ms: int | None
    registered_by: str
    registered_unix_ms: int

    @property
    def name(self) -> str:
        return f"{self.year}/{self.number}"

    @property
    def of(self) -> RequesterClass:
        return CLASSES[self.requester_class]


@dataclass(frozen=True, slots=True)
class Event:
    seq: int
    at_unix_ms: int
    who: str
    what: str
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Case:
    """A request as it stands. ``events`` has all of them, ``gone`` the numbers of those that were taken back."""

    request: Request
    events: tuple[Event, ...]
    gone: frozenset[int]
    state: State
    consent: Consent
    assigned: str | None
    extended: bool
    operators: bool  # whether figures of operators may be in the answer
    closed_unix_ms: int | None
    due: Due
    notice_due: datetime | None  # until when an extension may still be told; None where there is none to tell

    @property
    def due_unix_ms(self) -> int | None:
        return int(self.due.at.timestamp() * 1000) if self.due.at else None

    def is_overdue(self, now_unix_ms: int) -> bool:
        """Whether it is open after its time; ``was_late`` says it of one that is closed."""
        return self.state == "open" and self.due_unix_ms is not None and now_unix_ms >= self.due_unix_ms

    @property
    def was_late(self) -> bool:
        return (
            self.closed_unix_ms is not None and self.due_unix_ms is not None and self.closed_unix_ms >= self.due_unix_ms
        )


def fold(request: Request, events: Sequence[Event], zone: ZoneInfo, is_working: IsWorking) -> Case:
    """The state that ``events``, in the order of their numbers, have made of ``request``."""
    gone = frozenset(int(each.fields["event"]) for each in events if each.what == "taken_back")
    live = [each for each in events if each.seq not in gone and each.what != "taken_back"]
    for each in live:
        if each.what == "corrected":
            request = replace(request, **{name: each.fields[name] for name in CORRECTABLE if name in each.fields})
    closing = next((each for each in live if each.what in CLOSING), None)
    consents = [CONSENTS[each.what] for each in live if each.what in CONSENTS]
    extended = any(each.what == "extended" for each in live)
    decisions = [bool(each.fields["grant"]) for each in live if each.what == "decided"]
    received = datetime.fromtimestamp(request.received_unix_ms / 1000, UTC).astimezone(zone)
    return Case(
        request=request,
        events=tuple(events),
        gone=gone,
        state=CLOSING[closing.what] if closing else "open",
        consent=(consents[-1] if consents else "missing") if request.of.consent else "not_needed",
        assigned=next((str(each.fields["to"]) for each in reversed(live) if each.what == "assigned"), None),
        extended=extended,
        operators=_may_name_operators(request, decisions),
        closed_unix_ms=closing.at_unix_ms if closing else None,
        due=_due(request, received, is_working, extended=extended),
        notice_due=notice_due(received, is_working) if _may_extend(request) else None,
    )


def problem(case: Case, what: str, fields: Mapping[str, Any], now_unix_ms: int) -> str | None:
    """Why ``what`` cannot happen to ``case`` now: a word of PROBLEMS; None if it can."""
    if what == "taken_back":
        return _problem_of_taking_back(case, int(fields["event"]))
    if what == "noted":
        return None
    if case.state != "open":
        return "closed"
    if what in CONSENTS:
        return None if case.request.of.consent else "no_consent_needed"
    check = {"extended": _problem_of_extending, "answered": _problem_of_answering, "decided": _problem_of_deciding}
    return check[what](case, fields, now_unix_ms) if what in check else None


# Each with its sentence for programs; the pages say it in the reader's language.
PROBLEMS = {
    "closed": "The request is closed; take back how it was closed first.",
    "no_consent_needed": "Consent of the media department is for the media only (order 4.4).",
    "consent_missing": "Nothing is given to the media before the media department has consented (order 4.4).",
    "consent_refused": "The media department has refused its consent (order 4.4).",
    "no_legal_basis": "A court or an investigator is answered on a legal basis, which must be named (order 4.6).",
    "not_extendable": "Only a request that is not urgent and has a time limit is extended, and only once.",
    "notice_too_late": "The requester was not told within the first five working days (law 2939-VI art. 20 p. 4).",
    "notice_in_the_future": "The notice to the requester lies in the future, or before the request.",
    "nothing_to_decide": "Operators' figures are decided on for the public only; these have their own rules.",
    "no_such_event": "There is no such entry, or it cannot be taken back.",
    "nothing_said": "An answer needs its letter, or what was said.",
}


def in_order(cases: Iterable[Case], now_unix_ms: int) -> list[Case]:
    """Overdue ones first, the longest overdue at the top; then by when they are due; closed ones last, newest first."""
    far = 1 << 62

    def place(case: Case) -> tuple[int, int]:
        if case.state != "open":
            return 2, -(case.closed_unix_ms or 0)
        due = case.due_unix_ms
        return (0 if case.is_overdue(now_unix_ms) else 1), due if due is not None else far

    return sorted(cases, key=place)


def _due(request: Request, received: datetime, is_working: IsWorking, *, extended: bool) -> Due:
    if request.due_unix_ms is not None:
        return Due(datetime.fromtimestamp(request.due_unix_ms / 1000, UTC).astimezone(received.tzinfo), "set")
    if request.kind != INFORMATION:
        return appeal_due(received, simple=request.simple, extended=extended)
    if not request.of.clock:
        return Due(None, "none")
    return information_due(received, is_working, urgent=request.urgent, extended=extended and not request.urgent)


def _may_extend(request: Request) -> bool:
    return request.kind == INFORMATION and request.of.clock and not request.urgent and request.due_unix_ms is None


def _may_name_operators(request: Request, decisions: Sequence[bool]) -> bool:
    if request.requester_class in BY_LAW:
        return request.legal_basis is not None
    return bool(decisions and decisions[-1])


def _problem_of_extending(case: Case, fields: Mapping[str, Any], now_unix_ms: int) -> str | None:
    request = case.request
    if case.extended or request.due_unix_ms is not None:
        return "not_extendable"
    if request.kind != INFORMATION:
        return None
    if case.notice_due is None:
        return "not_extendable"
    sent = int(fields["notice_sent_unix_ms"])
    if sent > now_unix_ms or sent < request.received_unix_ms:
        return "notice_in_the_future"
    return "notice_too_late" if sent >= case.notice_due.timestamp() * 1000 else None


def _problem_of_answering(case: Case, fields: Mapping[str, Any], now_unix_ms: int) -> str | None:
    if not fields.get("paper") and not fields.get("text"):
        return "nothing_said"
    return why_nothing_is_given(case)


def why_nothing_is_given(case: Case) -> str | None:
    """Why no figure may leave the house yet; None if one may."""
    if case.consent in ("missing", "asked"):
        return "consent_missing"
    if case.consent == "refused":
        return "consent_refused"
    if case.request.of.legal_basis and not case.request.legal_basis:
        return "no_legal_basis"
    return None


def _problem_of_deciding(case: Case, fields: Mapping[str, Any], now_unix_ms: int) -> str | None:
    requester = case.request.requester_class
    return "nothing_to_decide" if requester in BY_LAW or requester in NEVER_OPERATORS else None


def _problem_of_taking_back(case: Case, seq: int) -> str | None:
    event = next((each for each in case.events if each.seq == seq), None)
    if event is None or event.what == "taken_back" or seq in case.gone:
        return "no_such_event"
    return "closed" if case.state != "open" and event.what not in CLOSING else None
