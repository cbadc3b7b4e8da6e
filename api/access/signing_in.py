"""A person signs in with login and password, changes the password, signs out. The routes are in api/session.py and
api/account_pages.py; whoever comes from OpenID Connect is api/access/elsewhere.py's.

Unknown login, wrong password, closed account and a handed-over password that is too old are one answer to the reader,
and take the same time; the difference stands in the log of sign-ins, which never holds what was typed.
"""

import logging
import time
from dataclasses import dataclass

from api.access import passwords
from api.access.slowing import Slowing
from api.errors import BadPassword, WeakPassword
from collector.store import Person, Store

log = logging.getLogger("api.access")


@dataclass(frozen=True, slots=True)
class Opened:
    """A session: its secret for the cookie, when it ends at the latest, and a mark for the browser to be known by."""

    person: Person
    secret: str
    expires_unix_ms: int
    browser: str | None


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who stands at the door: their address, the mark of a known browser, and the session they had until now."""

    address: str
    browser: str | None = None
    session: str | None = None


def sign_in(store: Store, slowing: Slowing, visitor: Visitor, login: str, password: str, *, hours: int) -> Opened:
    """A new session. Raises BadPassword, TooManyFailures, SignInBusy."""
    name = login.strip().casefold()[:80]
    person = store.staff.by_login(name)
    known = _known_mark(store, person, visitor)
    give_back = slowing.pay(name, visitor.address, known)
    is_right = passwords.is_right(person.password if person else None, password)
    outcome = _outcome(person, is_right, _now())
    store.staff.log_sign_in(person.id if person else None, "password", outcome, visitor.address)
    if person is None or outcome != "ok":
        raise BadPassword("Login or password is wrong, or the account is closed.")
    give_back()
    if person.password is not None and passwords.is_dated(person.password):
        store.staff.rehash(person.id, person.password, passwords.hashed(password))
    return open_session(store, person, visitor, hours=hours, has_mark=known is not None)


def open_session(store: Store, person: Person, visitor: Visitor, *, hours: int, has_mark: bool) -> Opened:
    """A session with a secret of its own; the one that the browser had before is over."""
    if visitor.session:
        close_session(store, visitor.session)
    expires_unix_ms = _now() + hours * 3_600_000
    if person.expires_unix_ms is not None:
        expires_unix_ms = min(expires_unix_ms, person.expires_unix_ms)
    secret = store.staff.open_session(person.id, expires_unix_ms)
    mark = None if has_mark else store.staff.know_browser(person.id)
    return Opened(person, secret, expires_unix_ms, mark)


def close_session(store: Store, secret: str) -> Person | None:
    """Ends the session behind a cookie, person's or token's; the person whose it was."""
    store.close_session(secret)
    return store.staff.close_session(secret)


def change_password(store: Store, slowing: Slowing, visitor: Visitor, person: Person, old: str, new: str) -> None:
    """Makes ``new`` the password and ends every session. Raises BadPassword for a wrong old one, WeakPassword."""
    give_back = slowing.pay(person.login, visitor.address, visitor.session)
    if not passwords.is_right(person.password, old):
        raise BadPassword("The present password is wrong.", field="old")
    give_back()
    if passwords.is_right(person.password, new):
        raise WeakPassword("It must be another one than before.", why="again")
    check(new, login=person.login, shown=person.shown)
    store.staff.set_password(person.id, passwords.hashed(new), person.login)
    log.info("somebody changed their password")


def check(new: str, *, login: str, shown: str) -> None:
    """Raises WeakPassword."""
    why = passwords.weakness(new, login=login, shown=shown)
    if why is not None:
        raise WeakPassword("That password is too easy to guess.", why=why)


def _outcome(person: Person | None, is_right: bool, now_unix_ms: int) -> str:
    if person is None:
        return "unknown"
    if not is_right:
        return "wrong"
    if not person.may_sign_in(now_unix_ms):
        return "disabled"
    if person.password_until_unix_ms is not None and person.password_until_unix_ms <= now_unix_ms:
        return "expired"
    return "ok"


def _known_mark(store: Store, person: Person | None, visitor: Visitor) -> str | None:
    if person is None or not visitor.browser:
        return None
    return visitor.browser if store.staff.is_known_browser(person.id, visitor.browser) else None


def _now() -> int:
    return time.time_ns() // 1_000_000
