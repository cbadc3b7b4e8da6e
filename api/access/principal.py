"""A person's session becomes the Token that every route asks. It opens no session and knows no password."""

import contextlib
import time

from api.access.roles import role_of
from collector.store import Person, Store, StoreError, Token

SESSION_PREFIX = "p_"  # of a person's session; a token's has none


def token_of(person: Person) -> Token:
    """What the person may do: their role's scopes and their own limits.

    A role that this version does not know, or limits that do not fit it, open nothing at all.
    """
    role = role_of(person.role)
    fits = role is not None and not role.missing(person.limits)
    return Token(
        id=person.id,
        name=person.login,
        scopes=role.scopes if role is not None and fits else frozenset(),
        created_unix_ms=person.created_unix_ms,
        expires_unix_ms=person.expires_unix_ms,
        revoked_unix_ms=person.disabled_unix_ms,
        role=person.role,
        limits=person.limits,
        person=person.id,
        shown=person.shown,
        must_change=person.must_change,
    )


def behind_session(store: Store, secret: str, idle_ms: int, *, is_use: bool) -> Token | None:
    """Who is behind a session's cookie, person or program; None if it, or they, are good no more.

    With ``is_use`` it counts as a use: a session that is not used for ``idle_ms`` is over.
    """
    if not secret.startswith(SESSION_PREFIX):
        return store.find_session(secret)
    found = store.staff.find_session(secret, idle_ms)
    if found is None:
        return None
    person, seen_unix_ms = found
    if is_use and time.time_ns() // 1_000_000 - seen_unix_ms > idle_ms // 8:
        with contextlib.suppress(StoreError):  # a database that takes nothing in just now can still be read
            store.staff.touch_session(secret)
    return token_of(person)
