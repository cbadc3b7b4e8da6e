"""People who may sign in to a demonstration: one for each role, with one password that is new at every start.

The office is simulated and its pages say so; the password stands on the terminal of whoever started it. It is nowhere
else, and accounts of a run before open nothing any more. A real office opens its first account with ``python -m api
person add``.
"""

from dataclasses import replace

from api.access import passwords
from api.access.roles import ROLES
from collector.store import Limits, Person, Register, Store

AUTHOR = "demo"
# The login of each role; also what the panel says.
LOGINS = {
    "head_of_centre": "head",
    "head_of_branch": "branch",
    "participant_head": "organisation",
    "city_leadership": "city",
    "media_department": "media",
    "quality_department": "quality",
    "it_department": "it",
    "operator": "operator",
    "staff_representative": "staff",
    "assessor": "assessor",
    "administrator": "admin",
}
_NAMES = {
    "head_of_centre": "Марія Зразкова",
    "head_of_branch": "Іван Філія",
    "participant_head": "Олег Учасник",
    "city_leadership": "Софія Міська",
    "media_department": "Ніна Преса",
    "quality_department": "Петро Якість",
    "it_department": "Юрій Мережа",
    "operator": "Оксана Віконна",
    "staff_representative": "Леся Спілка",
    "assessor": "Anna Assessor",
    "administrator": "Роман Ключ",
}


def open_accounts(store: Store) -> str:
    """Makes the accounts of the demonstration as they should be; the password of all of them, for this run."""
    _, register = store.book.whole()
    password = passwords.new_password()
    hashed = passwords.hashed(password)
    for role in ROLES:
        wanted = Person(LOGINS[role], _NAMES[role], role, _limits(role, register), created_by=AUTHOR)
        if ROLES[role].missing(wanted.limits):
            continue  # a small office without organisations has no head of one
        known = store.staff.by_login(wanted.login)
        made = store.staff.create(wanted) if known is None else replace(known, role=role, limits=wanted.limits)
        if known is not None:
            store.staff.change(made, AUTHOR)
        store.staff.set_password(made.id, hashed, AUTHOR)
    return password


def _limits(role: str, register: Register) -> Limits:
    branch = frozenset({register.branches[0].id})
    match role:
        case "head_of_branch":
            return Limits(branches=branch)
        case "participant_head":
            organisation = next((each.id for each in register.participants), None)
            # Of the simulated city, the land office works in the direction of its own.
            directions = sorted((each.id for each in register.directions), key=lambda each: each != "land")
            direction = next(iter(directions), None)
            if organisation is None or direction is None:
                return Limits()
            return Limits(participants=frozenset({organisation}), directions=frozenset({direction}))
        case "operator":
            operator = next((each.id for each in register.operators if each.participant is None), None)
            return Limits(branches=branch, operator=operator)
    return Limits()
