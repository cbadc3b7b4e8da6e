"""The values of the page Requests: the list, one request, its forms. It reads cases and asks nobody."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from api.disclosure.case import CLOSING, Case, Event, why_nothing_is_given
from api.disclosure.rules import BY_LAW, CLASSES, FORMS, INFORMATION, KINDS, NEVER_OPERATORS
from api.disclosure.words import (
    class_words,
    form_words,
    kind_words,
    paper_words,
    rule_words,
    state_words,
    step_words,
)
from api.i18n import Language
from collector.store import Limits, Paper, Register
from schemas.register_names import by_id

SOON_DAYS = 2
STATES = ("open", "closed", "all")


def list_values(
    cases: Sequence[Case],
    register: Register,
    language: Language,
    zone: ZoneInfo,
    now_unix_ms: int,
    asked: Mapping[str, str],
) -> dict[str, Any]:
    """The values of requests.html; ``asked`` are the filters as they came."""
    state = asked.get("state") if asked.get("state") in STATES else "open"
    text = asked.get("q", "").strip()[:80]
    shown = [each for each in cases if _fits(each, state or "open", text)]
    return {
        "rows": [line_of(each, register, language, zone, now_unix_ms) for each in shown],
        "open": sum(each.state == "open" for each in cases),
        "overdue": sum(each.is_overdue(now_unix_ms) for each in cases),
        "soon": sum(_is_soon(each, now_unix_ms) for each in cases),
        "late": sum(each.was_late for each in cases),
        "total": len(cases),
        "state": state,
        "text": text,
    }


def line_of(case: Case, register: Register, language: Language, zone: ZoneInfo, now_unix_ms: int) -> dict[str, Any]:
    """What the list and the head of a request say of it."""
    request = case.request
    rows = by_id(register.branches).get(request.branch or "")
    return {
        "number": request.name,
        "href": f"/requests/{request.name}",
        "subject": request.subject,
        "kind": kind_words(language)[request.kind],
        "requester": class_words(language)[request.requester_class],
        "form": form_words(language)[request.form],
        "branch": language.name_of(rows[-1]) if rows else request.branch,
        "received": language.clock(local(request.received_unix_ms, zone), local(now_unix_ms, zone).date()),
        "state": case.state,
        "state_words": state_words(language)[case.state],
        "due": due_words(case, language, now_unix_ms),
        "is_overdue": case.is_overdue(now_unix_ms),
        "is_soon": _is_soon(case, now_unix_ms),
        "was_late": case.was_late,
        "waits_for_consent": case.state == "open" and case.consent in ("missing", "asked"),
        "assigned": case.assigned,
    }


def due_words(case: Case, language: Language, now_unix_ms: int) -> str:
    """Until when, and how far that is, as a person says it."""
    _ = language.gettext
    if case.due.at is None:
        return _("no time limit")
    last = case.due.last_day
    assert last is not None
    by_hour = case.due.rule in ("urgent", "set")
    when = language.moment(case.due.at) if by_hour else language.day(last)
    if case.state != "open":
        return when
    left_s = (case.due.at.timestamp() * 1000 - now_unix_ms) / 1000
    if left_s <= 0:
        return _("%(when)s, overdue for %(duration)s") % {"when": when, "duration": language.duration(-left_s)}
    return _("%(when)s, %(duration)s left") % {"when": when, "duration": language.duration(left_s)}


def case_values(
    case: Case,
    papers: Sequence[Paper],
    person: tuple[str, str] | None,
    register: Register,
    language: Language,
    zone: ZoneInfo,
    now_unix_ms: int,
) -> dict[str, Any]:
    """The values of request.html."""
    request = case.request
    today = local(now_unix_ms, zone).date()
    labels = paper_words(language)
    why = why_nothing_is_given(case)
    return {
        "case": line_of(case, register, language, zone, now_unix_ms),
        "clause": request.of.clause,
        "rule": rule_words(language)[case.due.rule],
        "notice_due": language.day((case.notice_due - timedelta(seconds=1)).date()) if case.notice_due else None,
        "legal_basis": request.legal_basis,
        "reasons": request.reasons,
        "person": person,
        "registered": {
            "by": request.registered_by,
            "at": language.clock(local(request.registered_unix_ms, zone), today),
        },
        "events": [_event(each, case, language, zone, today) for each in case.events],
        "papers": [
            {
                "id": each.id,
                "kind": labels[each.kind],
                "at": language.clock(local(each.made_unix_ms, zone), today),
                "by": each.made_by,
                "href": f"/requests/{request.name}/papers/{each.id}.pdf",
            }
            for each in papers
        ],
        "paper_choices": [(each.id, f"{labels[each.kind]} {each.id}") for each in papers if each.kind == "answer"],
        "blocked": why,
        "seq": len(case.events) + 1,
        "steps": _steps(case),
        "cut_choices": _cuts(case, language),
        "branch_id": request.branch,
    }


def _cuts(case: Case, language: Language) -> list[tuple[str, str]]:
    """By what an answer may show its figures; see answers.py."""
    _ = language.gettext
    found = [("centre", _("of the whole centre")), ("branch", _("by branch"))]
    if case.request.of.outside:
        found.append(("direction", _("by direction of services")))
    found.append(("service", _("by service")))
    return [*found, ("operator", _("by operator"))] if case.operators else found


def _steps(case: Case) -> list[str]:
    """What may be entered now; each is a form of the page. Taking back stands beside the entries themselves."""
    if case.state != "open":
        return ["noted"]
    request = case.request
    found = []
    if request.of.consent:
        found += ["consent_asked", "consent_given", "consent_refused"]
    if not case.extended and (request.kind != INFORMATION or case.notice_due is not None):
        found.append("extended")
    if request.requester_class not in BY_LAW | NEVER_OPERATORS:
        found.append("decided")
    return [*found, "answered", "refused", "forwarded", "withdrawn", "assigned", "noted", "corrected"]


def form_choices(
    register: Register, language: Language, codes: Sequence[tuple[str, str]], limits: Limits
) -> dict[str, Any]:
    """What the selects of the forms offer; a head of branch enters what is about that branch only."""
    classes, forms, kinds = class_words(language), form_words(language), kind_words(language)
    branches = [
        (name, language.name_of(rows[-1]))
        for name, rows in by_id(register.branches).items()
        if limits.branches is None or name in limits.branches
    ]
    return {
        "classes": [(each.id, classes[each.id], each.clause) for each in CLASSES.values()],
        "forms": [(each, forms[each]) for each in FORMS],
        "kinds": [(each, kinds[each]) for each in KINDS],
        "branch_choices": branches,
        "whole": None if limits.any else language.gettext("The whole centre"),
        "language_choices": list(codes),
    }


def local(unix_ms: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(unix_ms / 1000, UTC).astimezone(zone)


def _event(event: Event, case: Case, language: Language, zone: ZoneInfo, today: Any) -> dict[str, Any]:
    gone = event.seq in case.gone
    may_go = not gone and event.what != "taken_back" and (case.state == "open" or event.what in CLOSING)
    return {
        "seq": event.seq,
        "what": step_words(language)[event.what],
        "who": event.who,
        "at": language.clock(local(event.at_unix_ms, zone), today),
        "details": [_detail(name, value, language, zone) for name, value in event.fields.items() if value is not None],
        "gone": gone,
        "may_go": may_go,
    }


def _detail(name: str, value: Any, language: Language, zone: ZoneInfo) -> tuple[str, str]:
    labels = field_labels(language)
    label = labels.get(name.removesuffix("_unix_ms"), labels.get(name, name))
    words: dict[str, Mapping[str, str]] = {
        "how": form_words(language),
        "form": form_words(language),
        "kind": kind_words(language),
        "requester_class": class_words(language),
    }
    if name.endswith("_unix_ms"):
        return label, language.moment(local(int(value), zone))
    if isinstance(value, bool):
        return label, language.gettext("yes") if value else language.gettext("no")
    return label, words.get(name, {}).get(str(value), str(value))


def field_labels(language: Language) -> dict[str, str]:
    """What the fields of entries are called, in the forms and in the history."""
    _ = language.gettext
    return {
        "to": _("To whom"),
        "note": _("Note"),
        "reference": _("Number and date of the paper"),
        "reason": _("Reason"),
        "notice_sent": _("Requester told at"),
        "notice_sent_at": _("Requester told at"),
        "grant": _("Figures of operators may be given"),
        "interest": _("What legitimate interest a refusal would protect"),
        "harm": _("What harm disclosure would do to it"),
        "balance": _("Why the public interest weighs more, or less"),
        "decided_by": _("Decided by"),
        "released_by": _("Released by (head of the centre or branch)"),
        "how": _("How it was given"),
        "paper": _("Letter"),
        "text": _("What was said"),
        "responsible": _("Responsible for the refusal"),
        "appeal": _("Where and until when to complain"),
        "kind": _("What it is"),
        "requester_class": language.pgettext("sender", "From"),
        "form": _("Form"),
        "language": _("Language of the answer"),
        "branch": _("About"),
        "received": _("Received"),
        "subject": _("In the words of the request"),
        "urgent": _("Urgent: life, health or an emergency (48 hours)"),
        "simple": _("A complaint or proposal that needs no study (15 days)"),
        "reasons": _("Why it is urgent"),
        "legal_basis": _("Legal basis"),
        "due": _("Time limit set by whoever asks"),
        "event": _("Entry"),
        "person": _("Who asks"),
        "contact": _("Where the answer goes"),
        "signed_by": _("Signed by"),
    }


def _fits(case: Case, state: str, text: str) -> bool:
    if state != "all" and (case.state == "open") != (state == "open"):
        return False
    return not text or text.casefold() in f"{case.request.name} {case.request.subject} {case.assigned or ''}".casefold()


def _is_soon(case: Case, now_unix_ms: int) -> bool:
    due = case.due_unix_ms
    return case.state == "open" and due is not None and 0 <= due - now_unix_ms < SOON_DAYS * 86_400_000
