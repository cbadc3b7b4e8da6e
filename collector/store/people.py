"""Tokens, sessions and the access log: who asks. A secret is never stored, only its SHA-256; each has 256 random bits.

With that much randomness a plain digest cannot be searched for, so no slow password hash is needed.
"""

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from collector.errors import StoreError
from collector.store import limits as limits_of
from collector.store.limits import NO_LIMITS, Limits
from schemas.tables import access_log, api_token, web_session

_NAME_CHARACTERS = 80
# register: changes the office's register; names: reads and writes who the operators are.
# control: asks pads to do something and starts roll-outs; provision: registers pads; report: says that a pad is dark.
# reports: makes and reads reports; publish: releases open data; disclose: keeps the register of requests for
# information; signals: reads integrity signals; access_log: reads who read what; users: manages people and tokens;
# evidence: reads what certification and CAF build upon.
_SCOPES = frozenset(
    [
        "figures",
        "operators",
        "devices",
        "metrics",
        "try",
        "control",
        "provision",
        "report",
        "register",
        "names",
        "reports",
        "publish",
        "disclose",
        "signals",
        "access_log",
        "users",
        "evidence",
    ]
)


@dataclass(frozen=True, slots=True)
class Token:
    """Someone who may ask, and what; the secret itself is not here.

    ``person`` is a person's id, ``role`` theirs in the access matrix, ``shown`` their name; None for a program's token,
    whose own id ``id`` is. A person's ``name`` is their login.
    """

    id: int
    name: str
    scopes: frozenset[str]
    created_unix_ms: int
    expires_unix_ms: int | None
    revoked_unix_ms: int | None
    role: str | None = None
    limits: Limits = NO_LIMITS
    person: int | None = None
    shown: str | None = None
    must_change: bool = False


def create_token(
    connection: Connection,
    name: str,
    scopes: Iterable[str],
    *,
    now_unix_ms: int,
    expires_unix_ms: int | None,
    limits: Limits = NO_LIMITS,
    created_by: str | None = None,
) -> str:
    """A new token's secret, which is shown once and nowhere kept. Raises StoreError for a name that is in use."""
    wanted = frozenset(scopes)
    if not wanted or wanted - _SCOPES:
        raise StoreError(f"scopes are some of {', '.join(sorted(_SCOPES))}; not {', '.join(sorted(wanted)) or 'none'}")
    if not 1 <= len(name) <= _NAME_CHARACTERS or not name.isprintable():
        raise StoreError(f"a token's name has 1 to {_NAME_CHARACTERS} printable characters")
    if connection.execute(select(api_token.c.id).where(_is_active(name))).first():
        raise StoreError(f"there is a token named {name!r} already; revoke it first")
    secret = "zr_" + secrets.token_urlsafe(32)
    connection.execute(
        insert(api_token),
        {
            "name": name,
            "digest": _digest(secret),
            "scopes": ",".join(sorted(wanted)),
            "created_unix_ms": now_unix_ms,
            "expires_unix_ms": expires_unix_ms,
            "limits": limits_of.written(limits),
            "created_by": created_by,
        },
    )
    return secret


def find_token(connection: Connection, secret: str, now_unix_ms: int) -> Token | None:
    """The token behind ``secret`` if it is valid now."""
    row = connection.execute(select(api_token).where(api_token.c.digest == _digest(secret))).one_or_none()
    return _if_valid(row, now_unix_ms)


def tokens(connection: Connection) -> list[Token]:
    """Every token there ever was, oldest first."""
    return [_token(row) for row in connection.execute(select(api_token).order_by(api_token.c.id))]


def revoke_token(connection: Connection, name: str, now_unix_ms: int) -> None:
    """Ends the token and its sessions at once. Raises StoreError if no token of that name is in use."""
    ended = connection.execute(update(api_token).where(_is_active(name)).values(revoked_unix_ms=now_unix_ms))
    if not ended.rowcount:
        raise StoreError(f"no token named {name!r} is in use")


def open_session(connection: Connection, token: int, *, now_unix_ms: int, expires_unix_ms: int) -> str:
    """The secret of a new session of ``token`` (its id), for a cookie."""
    connection.execute(delete(web_session).where(web_session.c.expires_unix_ms <= now_unix_ms))
    secret = secrets.token_urlsafe(32)
    connection.execute(
        insert(web_session),
        {
            "digest": _digest(secret),
            "token": token,
            "created_unix_ms": now_unix_ms,
            "expires_unix_ms": expires_unix_ms,
        },
    )
    return secret


def find_session(connection: Connection, secret: str, now_unix_ms: int) -> Token | None:
    """The token behind a session, if both are valid now."""
    question = (
        select(api_token)
        .join(web_session, web_session.c.token == api_token.c.id)
        .where(web_session.c.digest == _digest(secret), web_session.c.expires_unix_ms > now_unix_ms)
    )
    return _if_valid(connection.execute(question).one_or_none(), now_unix_ms)


def close_session(connection: Connection, secret: str) -> None:
    """Ends a session; nothing happens if there is none."""
    connection.execute(delete(web_session).where(web_session.c.digest == _digest(secret)))


@dataclass(frozen=True, slots=True)
class Read:
    """Who read about whom, as far as it is known: of a person their id and role, the order they read by (P4.3), the
    branch it was narrowed to and the one operator or desk it was about.
    """

    person: int | None = None
    role: str | None = None
    reading_order: int | None = None
    branch: str | None = None
    about: str | None = None


NO_MORE_KNOWN = Read()


def log_access(
    connection: Connection,
    reader: str,
    purpose: str | None,
    *,
    granted: bool,
    question: str,
    now_unix_ms: int,
    read: Read = NO_MORE_KNOWN,
) -> None:
    """Records that someone asked at the level of an operator or desk (order P4.7, P4.8), cut to the columns' width."""
    connection.execute(
        insert(access_log),
        {
            "at_unix_ms": now_unix_ms,
            "reader": _fit(reader, 80),
            "purpose": None if purpose is None else _fit(purpose, 40),
            "granted": granted,
            "question": _fit(question, 300),
            "person": read.person,
            "role": read.role,
            "reading_order": read.reading_order,
            "branch": None if read.branch is None else _fit(read.branch, 40),
            "about": None if read.about is None else _fit(read.about, 40),
        },
    )


def _is_active(name: str) -> Any:
    return (api_token.c.name == name) & api_token.c.revoked_unix_ms.is_(None)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _fit(text: str, width: int) -> str:
    # PostgreSQL refuses NUL and half surrogate pairs in a text; a log entry must not fail for that.
    return text.replace("\0", "").encode("utf-8", "replace").decode()[:width]


def _if_valid(row: Row[Any] | None, now_unix_ms: int) -> Token | None:
    if row is None or row.revoked_unix_ms is not None:
        return None
    if row.expires_unix_ms is not None and row.expires_unix_ms <= now_unix_ms:
        return None
    return _token(row)


def _token(row: Row[Any]) -> Token:
    return Token(
        row.id,
        row.name,
        frozenset(row.scopes.split(",")),
        row.created_unix_ms,
        row.expires_unix_ms,
        row.revoked_unix_ms,
        limits=limits_of.read(row.limits),
    )
