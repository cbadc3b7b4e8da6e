"""Cases as the api's resources. It decides nothing."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from api.disclosure.case import Case, Event
from collector.store import Store
from schemas.disclosure_resources import PaperResource, RequestEvent, RequestLine, RequestResource, Requests


def requests_resource(cases: Sequence[Case], now_unix_ms: int) -> Requests:
    """The list, in the order of ``cases``."""
    return Requests(
        generated_at=_moment(now_unix_ms),
        overdue=sum(each.is_overdue(now_unix_ms) for each in cases),
        open=sum(each.state == "open" for each in cases),
        requests=[RequestLine.model_validate(_line(each, now_unix_ms)) for each in cases],
    )


def request_resource(store: Store, case: Case, now_unix_ms: int) -> RequestResource:
    """One request with its entries, its papers and who asked."""
    request = case.request
    person = store.disclosures.person(request.id)
    papers = [
        PaperResource(
            id=each.id,
            kind=each.kind,
            made_at=_moment(each.made_unix_ms),
            made_by=each.made_by,
            language=each.language,
            sha256=each.sha256,
            href=f"/v1/requests/{request.name}/papers/{each.id}.pdf",
        )
        for each in store.disclosures.papers(request.id)
    ]
    more = {
        "clause": request.of.clause,
        "form": request.form,
        "language": request.language,
        "registered_at": _moment(request.registered_unix_ms),
        "registered_by": request.registered_by,
        "urgent": request.urgent,
        "simple": request.simple,
        "reasons": request.reasons,
        "legal_basis": request.legal_basis,
        "assigned": case.assigned,
        "due_rule": case.due.rule,
        "notice_due_at": case.notice_due.astimezone(UTC) if case.notice_due else None,
        "events": [_event(each, each.seq in case.gone) for each in case.events],
        "papers": papers,
        "person": person[0] or None if person else None,
        "contact": person[1] or None if person else None,
    }
    return RequestResource.model_validate(_line(case, now_unix_ms) | more)


def _line(case: Case, now_unix_ms: int) -> dict[str, Any]:
    request = case.request
    return {
        "number": request.name,
        "kind": request.kind,
        "requester_class": request.requester_class,
        "branch": request.branch,
        "received_at": _moment(request.received_unix_ms),
        "subject": request.subject,
        "state": case.state,
        "consent": case.consent,
        "due_at": case.due.at.astimezone(UTC) if case.due.at else None,
        "overdue": case.is_overdue(now_unix_ms),
        "closed_at": _moment(case.closed_unix_ms) if case.closed_unix_ms else None,
        "late": case.was_late,
    }


def _event(event: Event, gone: bool) -> RequestEvent:
    fields = {
        name.replace("_unix_ms", "_at") if name.endswith("_unix_ms") else name: (
            _moment(value).isoformat() if name.endswith("_unix_ms") and value is not None else value
        )
        for name, value in event.fields.items()
    }
    return RequestEvent(
        seq=event.seq,
        at=_moment(event.at_unix_ms),
        who=event.who,
        what=event.what,
        fields=fields,
        taken_back=gone,
    )


def _moment(unix_ms: int) -> datetime:
    return datetime.fromtimestamp(unix_ms / 1000, UTC)
