"""People who sign in: their rows, their sessions, and what was changed about them. Passwords come here as hashes."""

import hashlib
import re
import secrets
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from collector.errors import Declined, NotThere
from collector.store import limits as limits_of
from collector.store.limits import NO_LIMITS, Limits
from schemas.people_tables import known_browser, person, person_change, person_session, sign_in

# Sent by browsers beside a token's: the first letters say whose session it is.
SESSION_PREFIX = "p_"
TOUCH_MS = 60_000  # how exactly the last use of a session is known
SIGN_INS_DAYS = 180
BROWSER_DAYS = 400
_DAY_MS = 86_400_000
_LOGIN = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,79}")
_NAME_CHARACTERS = 120
_BROWSERS = 20  # that one person is known by


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may sign in. ``id`` is 0 before they are in the database. ``password`` is an argon2id hash."""

    login: str
    shown: str
    role: str
    limits: Limits = NO_LIMITS
    password: str | None = field(default=None, repr=False)
    password_until_unix_ms: int | None = None
    must_change: bool = False
    issuer: str | None = None
    subject: str | None = None
    created_unix_ms: int = 0
    created_by: str = ""
    expires_unix_ms: int | None = None
    disabled_unix_ms: int | None = None
    signed_in_unix_ms: int | None = None
    id: int = 0

    def may_sign_in(self, now_unix_ms: int) -> bool:
        return self.disabled_unix_ms is None and (self.expires_unix_ms is None or now_unix_ms < self.expires_unix_ms)


@dataclass(frozen=True, slots=True)
class PersonChange:
    """Who changed what about a person or a token, oldest rows are never rewritten."""

    at_unix_ms: int
    author: str
    what: str
    about: str
    detail: str


@dataclass(frozen=True, slots=True)
class SignIn:
    at_unix_ms: int
    person: int | None
    how: str
    outcome: str
    address: str


def create(connection: Connection, new: Person, now: int) -> Person:
    """The person as they are now in the database. Raises Declined for a login that is none or taken."""
    _check(new)
    if connection.execute(select(person.c.id).where(person.c.login == new.login)).first():
        raise Declined(f"there is somebody with the login {new.login} already")
    values = _values(new) | {"created_unix_ms": now, "created_by": new.created_by[:80]}
    made = connection.execute(insert(person).returning(person.c.id), values).scalar_one()
    note(connection, new.created_by, "created", new.login, _rights(new), now)
    return replace(new, id=made, created_unix_ms=now)


def change(connection: Connection, changed: Person, author: str, now: int) -> None:
    """Makes name, role, limits, end and identity of that person so; other rights end the sessions with the old ones.

    Raises NotThere or Declined.
    """
    _check(changed)
    before = by_id(connection, changed.id)
    kept = ("login", "password", "password_until_unix_ms", "must_change", "disabled_unix_ms")
    values = {name: value for name, value in _values(changed).items() if name not in kept}
    connection.execute(update(person).where(person.c.id == changed.id).values(values))
    if (before.role, before.limits, before.expires_unix_ms) != (changed.role, changed.limits, changed.expires_unix_ms):
        end_sessions(connection, changed.id)
        note(connection, author, "changed", before.login, f"{_rights(before)} -> {_rights(changed)}", now)
    elif before.shown != changed.shown:
        note(connection, author, "changed", before.login, "the name", now)


def set_disabled(connection: Connection, who: int, disabled: bool, author: str, now: int) -> None:
    """Lets somebody in no more, at once, or in again. Raises NotThere."""
    before = by_id(connection, who)
    connection.execute(update(person).where(person.c.id == who).values(disabled_unix_ms=now if disabled else None))
    if disabled:
        end_sessions(connection, who)
        connection.execute(delete(known_browser).where(known_browser.c.person == who))
    if (before.disabled_unix_ms is not None) != disabled:
        note(connection, author, "disabled" if disabled else "enabled", before.login, "", now)


def set_password(
    connection: Connection, who: int, hashed: str, author: str, now: int, *, until: int | None = None
) -> None:
    """A new password; one with ``until`` must be changed before then. Every session of before ends."""
    before = by_id(connection, who)
    values = {"password": hashed, "password_until_unix_ms": until, "must_change": until is not None}
    connection.execute(update(person).where(person.c.id == who).values(values))
    end_sessions(connection, who)
    note(connection, author, "password", before.login, "" if until is None else "to be changed", now)


def rehash(connection: Connection, who: int, old: str, new: str) -> None:
    """The same password with today's cost, unless it was changed meanwhile."""
    connection.execute(update(person).where(person.c.id == who, person.c.password == old).values(password=new))


def by_id(connection: Connection, who: int) -> Person:
    """Raises NotThere."""
    row = connection.execute(select(person).where(person.c.id == who)).one_or_none()
    if row is None:
        raise NotThere("there is no such person")
    return _person(row)


def by_login(connection: Connection, login: str) -> Person | None:
    row = connection.execute(select(person).where(person.c.login == login)).one_or_none()
    return None if row is None else _person(row)


def by_subject(connection: Connection, issuer: str, subject: str) -> Person | None:
    its = (person.c.issuer == issuer) & (person.c.subject == subject)
    row = connection.execute(select(person).where(its)).one_or_none()
    return None if row is None else _person(row)


def everybody(connection: Connection) -> list[Person]:
    """By login."""
    return [_person(row) for row in connection.execute(select(person).order_by(person.c.login))]


# ---- sessions
def open_session(connection: Connection, who: int, now: int, expires: int) -> str:
    """The secret of a new session, for a cookie."""
    connection.execute(delete(person_session).where(person_session.c.expires_unix_ms <= now))
    secret = SESSION_PREFIX + secrets.token_urlsafe(32)
    connection.execute(
        insert(person_session),
        {
            "digest": _digest(secret),
            "person": who,
            "created_unix_ms": now,
            "seen_unix_ms": now,
            "expires_unix_ms": expires,
        },
    )
    return secret


def find_session(connection: Connection, secret: str, now: int, idle_ms: int) -> tuple[Person, int] | None:
    """Whose session it is, if both are good now, and when it was last used."""
    question = (
        select(person, person_session.c.seen_unix_ms)
        .join(person_session, person_session.c.person == person.c.id)
        .where(person_session.c.digest == _digest(secret), person_session.c.expires_unix_ms > now)
        .where(person_session.c.seen_unix_ms > now - idle_ms)
    )
    row = connection.execute(question).one_or_none()
    if row is None:
        return None
    found = _person(row)
    return (found, row.seen_unix_ms) if found.may_sign_in(now) else None


def touch(connection: Connection, secret: str, now: int) -> None:
    its = person_session.c.digest == _digest(secret)
    connection.execute(update(person_session).where(its).values(seen_unix_ms=now))


def close_session(connection: Connection, secret: str) -> Person | None:
    """Ends one; whose it was."""
    its = person_session.c.digest == _digest(secret)
    row = connection.execute(select(person).join(person_session).where(its)).one_or_none()
    connection.execute(delete(person_session).where(its))
    return None if row is None else _person(row)


def end_sessions(connection: Connection, who: int) -> int:
    """Ends all of somebody's; how many there were."""
    return connection.execute(delete(person_session).where(person_session.c.person == who)).rowcount


# ---- browsers that signed in before
def know_browser(connection: Connection, who: int, now: int) -> str:
    """A secret for the browser to be known by."""
    mine = known_browser.c.person == who
    connection.execute(delete(known_browser).where(known_browser.c.seen_unix_ms < now - BROWSER_DAYS * _DAY_MS))
    ids = select(known_browser.c.digest).where(mine).order_by(known_browser.c.seen_unix_ms.desc())
    old = list(connection.execute(ids.offset(_BROWSERS - 1)).scalars())
    connection.execute(delete(known_browser).where(known_browser.c.digest.in_(old)))
    secret = secrets.token_urlsafe(24)
    connection.execute(insert(known_browser), {"digest": _digest(secret), "person": who, "seen_unix_ms": now})
    return secret


def is_known_browser(connection: Connection, who: int, secret: str) -> bool:
    its = (known_browser.c.digest == _digest(secret)) & (known_browser.c.person == who)
    return connection.execute(select(known_browser.c.person).where(its)).first() is not None


# ---- what happened
def log_sign_in(connection: Connection, event: SignIn) -> None:
    """Writes an attempt down; a good one is the person's last."""
    old = sign_in.c.at_unix_ms < event.at_unix_ms - SIGN_INS_DAYS * _DAY_MS
    connection.execute(delete(sign_in).where(old))
    values = {"at_unix_ms": event.at_unix_ms, "person": event.person, "how": event.how, "outcome": event.outcome}
    connection.execute(insert(sign_in), values | {"address": event.address[:45]})
    if event.outcome == "ok":
        its = person.c.id == event.person
        connection.execute(update(person).where(its).values(signed_in_unix_ms=event.at_unix_ms))


def sign_ins(connection: Connection, who: int | None, limit: int) -> list[SignIn]:
    """The newest first."""
    columns = (sign_in.c.at_unix_ms, sign_in.c.person, sign_in.c.how, sign_in.c.outcome, sign_in.c.address)
    question = select(*columns).order_by(sign_in.c.id.desc()).limit(limit)
    if who is not None:
        question = question.where(sign_in.c.person == who)
    return [SignIn(*row) for row in connection.execute(question)]


def note(connection: Connection, author: str, what: str, about: str, detail: str, now: int) -> None:
    """Writes a change of somebody's rights down."""
    values = {"at_unix_ms": now, "author": author[:80], "what": what, "about": about[:80], "detail": detail[:300]}
    connection.execute(insert(person_change), values)


def changes(connection: Connection, limit: int) -> list[PersonChange]:
    """The newest first."""
    columns = [column for column in person_change.c if column.name != "id"]
    question = select(*columns).order_by(person_change.c.id.desc()).limit(limit)
    return [PersonChange(*row) for row in connection.execute(question)]


def _check(new: Person) -> None:
    if not _LOGIN.fullmatch(new.login):
        raise Declined("a login has 1 to 80 of a-z, 0-9 and . _ @ + -, and begins with a letter or digit")
    if not 1 <= len(new.shown) <= _NAME_CHARACTERS or not new.shown.isprintable():
        raise Declined(f"a name has 1 to {_NAME_CHARACTERS} printable characters")
    if not 1 <= len(new.role) <= 32:
        raise Declined("there is no such role")


def _rights(whose: Person) -> str:
    """Role and limits, for the log: no name in it."""
    return f"{whose.role} {limits_of.written(whose.limits) or 'no limits'}"


def _values(whose: Person) -> dict[str, Any]:
    names = ("login", "shown", "role", "password", "password_until_unix_ms", "must_change", "issuer", "subject",
             "expires_unix_ms", "disabled_unix_ms")  # fmt: skip
    return {name: getattr(whose, name) for name in names} | {"limits": limits_of.written(whose.limits)}


def _person(row: Row[Any]) -> Person:
    return Person(
        login=row.login,
        shown=row.shown,
        role=row.role,
        limits=limits_of.read(row.limits),
        password=row.password,
        password_until_unix_ms=row.password_until_unix_ms,
        must_change=row.must_change,
        issuer=row.issuer,
        subject=row.subject,
        created_unix_ms=row.created_unix_ms,
        created_by=row.created_by,
        expires_unix_ms=row.expires_unix_ms,
        disabled_unix_ms=row.disabled_unix_ms,
        signed_in_unix_ms=row.signed_in_unix_ms,
        id=row.id,
    )


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
