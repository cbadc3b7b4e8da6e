"""The demonstration's requests for information: a few of each kind, entered once, some of them waiting or late.

They go through the api's own rules (api/disclosure/desk.py), as somebody who keeps the register would enter them.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from api.disclosure.case import Case
from api.disclosure.desk import entered, registered
from collector.store import Store, Token
from schemas.disclosure_resources import NewRequest, NewStep

# Days ago, what was asked, and what happened since. Nobody in it is anybody.
_ASKED: Sequence[tuple[float, dict[str, Any], Sequence[tuple[str, dict[str, Any]]]]] = (
    (
        9,
        {
            "requester_class": "citizen",
            "form": "email",
            "subject": "Скільки відвідувачів оцінили роботу центру погано за останній квартал і як це змінилося?",
            "person": "Вигаданий Запитувач",
            "contact": "nobody@example.org",
        },
        [("assigned", {"to": "відділ якості"})],
    ),
    (
        1.2,
        {
            "requester_class": "media",
            "form": "email",
            "subject": "Редакція просить показники кожного відділення за минулий рік для порівняння.",
            "person": "Вигадана редакція",
            "contact": "press@example.org",
        },
        [("consent_asked", {"note": "надіслано разом із проєктом відповіді"})],
    ),
    (
        0.3,
        {
            "requester_class": "council",
            "form": "written",
            "subject": "Показники за минулий місяць за відділеннями, до засідання комісії.",
        },
        [],
    ),
    (
        3.1,
        {
            "kind": "complaint",
            "simple": True,
            "requester_class": "citizen",
            "form": "written",
            "branch": None,
            "subject": "На столі пульт не світився, оцінити не вдалося. Прошу перевірити.",
            "person": "Вигаданий Відвідувач",
        },
        [],
    ),
    (
        24,
        {
            "requester_class": "court",
            "form": "post",
            "subject": "Ухвала про витребування відомостей щодо роботи відділення.",
            "legal_basis": "вигадана ухвала 127/0000/26",
        },
        [("answered", {"released_by": "керівник центру", "how": "post", "text": "надіслано листом"})],
    ),
    (
        33,
        {
            "requester_class": "citizen",
            "form": "oral",
            "subject": "Де подивитися оцінки відділень?",
            "person": "Вигадана Відвідувачка",
        },
        [("answered", {"released_by": "керівник відділення", "how": "oral", "text": "показано відкриті дані"})],
    ),
)  # fmt: skip


def lay_down(store: Store, now_unix_ms: int) -> int:
    """Enters them if nobody has asked anything yet; how many were entered."""
    if store.disclosures.all():
        return 0
    clerk = Token(0, "demo", frozenset({"disclose"}), 0, None, None)
    now = datetime.fromtimestamp(now_unix_ms / 1000, UTC)
    for days_ago, asked, steps in _ASKED:
        came = now - timedelta(days=days_ago)
        new = NewRequest.model_validate(asked | {"language": "uk", "received_at": came})
        case: Case = registered(store, clerk, new, int(came.timestamp() * 1000) + 3_600_000)
        for what, fields in steps:
            step = NewStep.model_validate({"what": what, "seq": len(case.events) + 1, "fields": fields})
            case = entered(store, clerk, case, step, min(now_unix_ms, int(came.timestamp() * 1000) + 2 * 86_400_000))
    return len(_ASKED)
