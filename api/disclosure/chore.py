"""What is done about requests at night: says which are overdue or nearly so, and forgets who asked long ago."""

from api.disclosure.case import Case
from api.disclosure.desk import case_of
from api.disclosure.page import SOON_DAYS
from api.settings import Settings
from collector.store import Store

_DAY_MS = 86_400_000


def look_after_requests(store: Store, settings: Settings, now_unix_ms: int) -> list[str]:
    """A sentence for each request that is late or due within two days, and one for names that were forgotten."""
    _, register = store.book.whole()
    cases = [case_of(each, register) for each in store.disclosures.all()]
    said = [sentence for each in cases if (sentence := _sentence(each, now_unix_ms))]
    before = now_unix_ms - settings.requester_days * _DAY_MS
    old = [each.request.id for each in cases if each.closed_unix_ms is not None and each.closed_unix_ms < before]
    forgotten = store.disclosures.forget_people(old)
    if forgotten:
        said.append(f"requests: who made {forgotten} of them, answered long ago, is forgotten")
    return said


def _sentence(case: Case, now_unix_ms: int) -> str | None:
    due = case.due_unix_ms
    if case.state != "open" or due is None or due - now_unix_ms > SOON_DAYS * _DAY_MS:
        return None
    if case.is_overdue(now_unix_ms):
        return f"request {case.request.name} is overdue since {case.due.last_day}"
    return f"request {case.request.name} is due on {case.due.last_day}"
