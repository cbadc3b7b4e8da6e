"""``Store.staff``: people who sign in, the orders they read by, and the log of what was read.

Whether a password is right and what a role may do is the api's business (api/access). Every method is one transaction
and raises as Store's do.
"""

import time

from sqlalchemy import Engine

from collector.store import orders, persons
from collector.store.engine import reading, writing
from collector.store.orders import LogFilter, LoggedReading, ReadingOrder
from collector.store.persons import Person, PersonChange, SignIn


class Staff:
    """Made by Store only."""

    def __init__(self, engine: Engine):
        self._engine = engine

    # ---- people
    def create(self, new: Person) -> Person:
        """The person with their id. Raises Declined for a login that is none or is taken."""
        with writing(self._engine) as connection:
            return persons.create(connection, new, _now())

    def change(self, changed: Person, author: str) -> None:
        """Makes name, role, limits, end and identity so; new rights end the sessions with the old ones."""
        with writing(self._engine) as connection:
            persons.change(connection, changed, author, _now())

    def disable(self, who: int, author: str) -> None:
        """Ends somebody's right to sign in and every session of theirs, at once. Raises NotThere."""
        with writing(self._engine) as connection:
            persons.set_disabled(connection, who, True, author, _now())

    def enable(self, who: int, author: str) -> None:
        with writing(self._engine) as connection:
            persons.set_disabled(connection, who, False, author, _now())

    def set_password(self, who: int, hashed: str, author: str, until_unix_ms: int | None = None) -> None:
        """A new password, as a hash; with ``until_unix_ms`` one to be changed before then. Ends every session."""
        with writing(self._engine) as connection:
            persons.set_password(connection, who, hashed, author, _now(), until=until_unix_ms)

    def rehash(self, who: int, old: str, new: str) -> None:
        with writing(self._engine) as connection:
            persons.rehash(connection, who, old, new)

    def by_id(self, who: int) -> Person:
        """Raises NotThere."""
        with reading(self._engine) as connection:
            return persons.by_id(connection, who)

    def by_login(self, login: str) -> Person | None:
        with reading(self._engine) as connection:
            return persons.by_login(connection, login)

    def by_subject(self, issuer: str, subject: str) -> Person | None:
        """Who this is to that provider of OpenID Connect."""
        with reading(self._engine) as connection:
            return persons.by_subject(connection, issuer, subject)

    def everybody(self) -> list[Person]:
        """By login."""
        with reading(self._engine) as connection:
            return persons.everybody(connection)

    # ---- sessions
    def open_session(self, who: int, expires_unix_ms: int) -> str:
        """The secret of a new session, for a cookie."""
        with writing(self._engine) as connection:
            return persons.open_session(connection, who, _now(), expires_unix_ms)

    def find_session(self, secret: str, idle_ms: int) -> tuple[Person, int] | None:
        """Whose session it is and when it was last used; None if it, or its person, is good no more."""
        with reading(self._engine) as connection:
            return persons.find_session(connection, secret, _now(), idle_ms)

    def touch_session(self, secret: str) -> None:
        with writing(self._engine) as connection:
            persons.touch(connection, secret, _now())

    def close_session(self, secret: str) -> Person | None:
        """Ends it; whose it was."""
        with writing(self._engine) as connection:
            return persons.close_session(connection, secret)

    def end_sessions(self, who: int) -> int:
        with writing(self._engine) as connection:
            return persons.end_sessions(connection, who)

    # ---- signing in
    def log_sign_in(self, who: int | None, how: str, outcome: str, address: str) -> None:
        with writing(self._engine) as connection:
            persons.log_sign_in(connection, SignIn(_now(), who, how, outcome, address))

    def sign_ins(self, who: int | None = None, limit: int = 100) -> list[SignIn]:
        with reading(self._engine) as connection:
            return persons.sign_ins(connection, who, limit)

    def know_browser(self, who: int) -> str:
        """The secret by which this browser is known as one that signed in before."""
        with writing(self._engine) as connection:
            return persons.know_browser(connection, who, _now())

    def is_known_browser(self, who: int, secret: str) -> bool:
        with reading(self._engine) as connection:
            return persons.is_known_browser(connection, who, secret)

    # ---- orders, and what was read and changed
    def record_order(self, new: ReadingOrder) -> int:
        """Its id. Raises Declined."""
        with writing(self._engine) as connection:
            return orders.record(connection, new, _now())

    def withdraw_order(self, order: int) -> None:
        """Raises NotThere."""
        with writing(self._engine) as connection:
            orders.withdraw(connection, order, _now())

    def order(self, order: int) -> ReadingOrder | None:
        with reading(self._engine) as connection:
            return next(iter(orders.orders(connection, order, 1)), None)

    def orders(self, limit: int = 200) -> list[ReadingOrder]:
        """The newest first."""
        with reading(self._engine) as connection:
            return orders.orders(connection, None, limit)

    def readings(self, wanted: LogFilter, *, offset: int = 0, limit: int = 100) -> list[LoggedReading]:
        """The access log, the newest first."""
        with reading(self._engine) as connection:
            return orders.readings(connection, wanted, offset, limit)

    def count_readings(self, wanted: LogFilter) -> int:
        with reading(self._engine) as connection:
            return orders.count_readings(connection, wanted)

    def changes(self, limit: int = 200) -> list[PersonChange]:
        """Who gave whom which rights, the newest first."""
        with reading(self._engine) as connection:
            return persons.changes(connection, limit)

    def note(self, author: str, what: str, about: str, detail: str = "") -> None:
        """Writes a change of rights down that is no person's, a token's."""
        with writing(self._engine) as connection:
            persons.note(connection, author, what, about, detail, _now())


def _now() -> int:
    return time.time_ns() // 1_000_000
