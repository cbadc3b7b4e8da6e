"""The one door to the database: every other room asks and writes through ``Store``. It holds no rules of its own."""

import threading
import time
from collections.abc import Iterable, Sequence
from typing import Self
from zlib import crc32

from sqlalchemy import Engine, text

from collector.errors import StoreError
from collector.model import Answer, Arrival, Office
from collector.store import figures, people, registry
from collector.store.archive import Archive
from collector.store.book import Book
from collector.store.coarse import Wanted
from collector.store.disclosures import Disclosures
from collector.store.editions import Editions
from collector.store.engine import make_engine, reading, snapshot, translated, worth_repeating, writing
from collector.store.figures import Counts, PadRow, Rollup
from collector.store.fleet import Fleet
from collector.store.ledger import Ledger
from collector.store.limits import NO_LIMITS, Limits
from collector.store.migrate import upgrade
from collector.store.mix import MixRow
from collector.store.nights import Nights
from collector.store.partitions import keep_ahead
from collector.store.people import NO_MORE_KNOWN, Read, Token
from collector.store.reports import Reports
from collector.store.retention import Periods, forget_numbers, forget_some
from collector.store.signals import Signals
from collector.store.staff import Staff
from collector.store.totals import Totals
from collector.store.upkeep import Upkeep
from schemas.months import month_of
from schemas.periods import Period
from schemas.register import Register

# So often two collectors may stand in each other's way over one batch before it counts as a fault.
_ATTEMPTS = 5


class Store:
    """An open database. Safe to share between threads; every method is one transaction. ``fleet`` holds what IT does
    with pads, ``upkeep`` what it does with the database itself, ``book`` the register with its history,
    ``reports`` what was made for people to keep, ``nights`` which work of the night was done, ``staff`` who signs in,
    ``editions`` what was published.
    ``disclosures`` who asked for information and what they were given.
    ``totals`` the coarser figures that the night makes.

    All methods raise StoreUnavailable when the database does not answer, and StoreError when it refuses.
    """

    def __init__(self, engine: Engine):
        self._engine = engine
        self._ledger = Ledger(engine.dialect)
        self.fleet = Fleet(engine, self._ledger)
        self.archive = Archive(engine)
        self.upkeep = Upkeep(engine)
        self.book = Book(engine)
        self.reports = Reports(engine)
        self.nights = Nights(engine)
        self.editions = Editions(engine)
        self.totals = Totals(engine)
        self.staff = Staff(engine)
        self.disclosures = Disclosures(engine)
        self.signals = Signals(engine)
        self._office: Office | None = None
        self._watch = _Watch(engine)

    @classmethod
    def open(cls, url: str) -> Self:
        """The database at ``url``, migrated to this version of the program. Raises NewerDatabase."""
        engine = make_engine(url)
        try:
            upgrade(engine, "collector")
            with translated():
                return cls(engine)
        except BaseException:
            engine.dispose()
            raise

    def close(self) -> None:
        self._watch.close()
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ---- messages
    def ingest(self, arrivals: Sequence[Arrival]) -> list[Answer]:
        """Takes a batch in one transaction: an answer an arrival, in order; committed when this returns."""
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                with writing(self._engine) as connection:
                    office = registry.office(connection, self._office)
                    answers = self._ledger.take(connection, arrivals, office)
                self._office = office
                return answers
            except StoreError as error:
                if attempt == _ATTEMPTS or not worth_repeating(error.__cause__):
                    raise
        raise AssertionError("unreachable")

    def look_after(self, now_unix_ms: int) -> list[str]:
        """What a collector sees to once an hour; a sentence for each thing that a person should look at."""
        with writing(self._engine) as connection:
            return keep_ahead(connection, month_of(now_unix_ms))

    def forget_some(self, periods: Periods, now_unix_ms: int) -> bool:
        """A step of forgetting tickets and readings that are older than they may be; whether there is more to do."""
        with writing(self._engine) as connection:
            return forget_some(connection, periods, now_unix_ms)

    def forget_numbers(self, after_desk: str, now_unix_ms: int) -> str | None:
        """Forgets the old numbers of votes of the desk after that one, and gives it; None after the last."""
        with writing(self._engine) as connection:
            return forget_numbers(connection, after_desk, now_unix_ms)

    # ---- the register
    def load_register(self, register: Register) -> None:
        """Makes the stored register equal to ``register``. Raises StoreError if a branch with figures is missing."""
        for attempt in range(1, _ATTEMPTS + 1):  # collectors that start together all load it
            try:
                self.book.save(register, author="", how="file")
                return
            except StoreError as error:
                if attempt == _ATTEMPTS or not worth_repeating(error.__cause__):
                    raise

    def office(self) -> Office:
        """Branches and desks as ingesting knows them; cheap while the register is not loaded anew."""
        with reading(self._engine) as connection:
            self._office = registry.office(connection, self._office)
            return self._office

    def register(self) -> Register:
        """The register as it stands today; ``book`` has the whole of it."""
        return self.book.today()

    # ---- figures and devices
    def rollups(
        self,
        cut: str,
        first_day: int,
        last_day: int,
        *,
        branch: str | None = None,
        key: str | None = None,
        period: Period = Period.DAY,
        everywhere: bool = False,
    ) -> list[Rollup]:
        """Figures of the days (``yyyymmdd``, both ends included), each or added up by a longer period; ``cut`` is one
        of rollup.CUTS. With ``everywhere`` those of all branches are one row, whose branch is "".
        """
        wanted = Wanted(cut, (first_day, last_day), branch, key, everywhere)
        if period is Period.DAY:
            with reading(self._engine) as connection:
                return figures.by_day(connection, wanted)
        with snapshot(self._engine) as connection:
            return figures.by_longer(connection, wanted, period)

    def mix(
        self, first_month: int, last_month: int, *, branch: str | None = None, operator: str | None = None
    ) -> list[MixRow]:
        """What was rated how by month (``yyyymm``, both ends included), branch, operator, service and local hour; of
        the last two years, as of the last night.
        """
        return self.totals.mix(first_month, last_month, branch=branch, operator=operator)

    def pads(self) -> list[PadRow]:
        """Every registered desk, in the register's order, with the last word of its pad."""
        with reading(self._engine) as connection:
            return figures.pads(connection)

    def open_calls(self) -> dict[str, str]:
        """The open call's id, by desk."""
        with reading(self._engine) as connection:
            return figures.open_calls(connection)

    def services_of(self, call: str) -> set[str]:
        """Every service of a call that had more than one; empty for any other call."""
        with reading(self._engine) as connection:
            return figures.services_of(connection, call)

    def counts(self) -> Counts:
        """Totals for metrics."""
        with reading(self._engine) as connection:
            return figures.counts(connection)

    def waiting_votes(self) -> int:
        """How many votes are kept whose call is not known yet."""
        with reading(self._engine) as connection:
            return figures.waiting_votes(connection)

    def recount(self) -> list[str]:
        """What in the roll-ups is not borne out by the rows, a sentence each. Reads every row."""
        return self.upkeep.recount().sentences

    def change_mark(self) -> int:
        """A number that is another one as soon as anybody has committed anything; cheap enough to ask every 100 ms."""
        return self._watch.mark()

    # ---- people
    def create_token(
        self,
        name: str,
        scopes: Iterable[str],
        expires_unix_ms: int | None = None,
        *,
        limits: Limits = NO_LIMITS,
        created_by: str | None = None,
    ) -> str:
        """A new token's secret, shown this once. Raises StoreError for an unknown scope or a name in use."""
        with writing(self._engine) as connection:
            return people.create_token(
                connection,
                name,
                scopes,
                now_unix_ms=_now_unix_ms(),
                expires_unix_ms=expires_unix_ms,
                limits=limits,
                created_by=created_by,
            )

    def find_token(self, token: str) -> Token | None:
        """The token behind a secret, if neither revoked nor expired."""
        with reading(self._engine) as connection:
            return people.find_token(connection, token, _now_unix_ms())

    def tokens(self) -> list[Token]:
        with reading(self._engine) as connection:
            return people.tokens(connection)

    def revoke_token(self, name: str) -> None:
        """Ends a token and its sessions. Raises StoreError if no token of that name is in use."""
        with writing(self._engine) as connection:
            people.revoke_token(connection, name, _now_unix_ms())

    def open_session(self, token_id: int, expires_unix_ms: int) -> str:
        """The secret of a new session, for a cookie."""
        with writing(self._engine) as connection:
            return people.open_session(
                connection, token_id, now_unix_ms=_now_unix_ms(), expires_unix_ms=expires_unix_ms
            )

    def find_session(self, secret: str) -> Token | None:
        """The token behind a session, if both are valid."""
        with reading(self._engine) as connection:
            return people.find_session(connection, secret, _now_unix_ms())

    def close_session(self, secret: str) -> None:
        with writing(self._engine) as connection:
            people.close_session(connection, secret)

    def log_access(
        self, reader: str, purpose: str | None, granted: bool, question: str, read: Read = NO_MORE_KNOWN
    ) -> None:
        """Records a reading at the level of an operator or desk, granted or refused (order P4.7, P4.8)."""
        with writing(self._engine) as connection:
            people.log_access(
                connection, reader, purpose, granted=granted, question=question, now_unix_ms=_now_unix_ms(), read=read
            )


class _Watch:
    """Asks the database itself whether something was committed; writes nothing for it."""

    def __init__(self, engine: Engine):
        self._engine = engine
        self._lock = threading.Lock()
        # SQLite's data_version changes for commits of *other* connections, so this one is never used for anything else.
        self._sqlite = engine.raw_connection() if engine.dialect.name == "sqlite" else None

    def mark(self) -> int:
        if self._sqlite is None:
            with reading(self._engine) as connection:
                # Every commit ends a transaction, and with it this text changes.
                snapshot = connection.execute(text("SELECT CAST(pg_current_snapshot() AS text)")).scalar_one()
            return crc32(snapshot.encode())
        with self._lock:
            cursor = self._sqlite.cursor()
            try:
                cursor.execute("PRAGMA data_version")
                (version,) = cursor.fetchone() or (0,)
                return int(version)
            finally:
                cursor.close()

    def close(self) -> None:
        if self._sqlite is not None:
            self._sqlite.close()


def _now_unix_ms() -> int:
    return time.time_ns() // 1_000_000
