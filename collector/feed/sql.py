"""Asks somebody's database for the rows that were added; what they mean is in columns.py. The one who only reads.

The query is the office's, with a bind parameter ``:since``, and must be sorted by its mark: a column that only grows
(a number, or a time). Rows may be committed late, so each look asks from ``overlap`` before the highest mark seen;
whatever comes again is known by its key. The session is read-only and every statement ends in time; no transaction
stays open, nothing is locked, and a SQLite file is opened so that it cannot be written.
"""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Annotated, Any, Literal, Self
from urllib.parse import quote

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from sqlalchemy import Engine, create_engine, event, exc, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.pool import NullPool

from collector.feed.columns import Layout, Row, Table, layout_of, replay_rows
from collector.feed.errors import BadSettings, SourceDown
from collector.feed.source import Means, Poller, Replay, Site

STATEMENT_S = 5
CONNECT_S = 5
BUSY_S = 2.0  # how long we wait for a writer of a SQLite file; who waits there holds no lock
MOST_ROWS = 5000  # of one answer
MOST_ANSWERS = 50  # of one look
MOST_SEEN = 20_000
BACKENDS = ("sqlite", "postgresql", "mysql", "mariadb")
_WRITES = re.compile(r"\b(for\s+(no\s+key\s+)?(update|share)|lock\s+in|into\s+(out|dump)file)\b|;\s*\S", re.IGNORECASE)

Mark = int | datetime | str


def _reading(query: str) -> str:
    if not re.match(r"\s*(select|with)\b", query, re.IGNORECASE) or _WRITES.search(query):
        raise ValueError("must be one SELECT that locks nothing")
    if not re.search(r">=\s*:since\b", query):  # without the row we know we could not tell an emptied table
        raise ValueError("must compare its mark with >= :since, as in WHERE id >= :since ORDER BY id LIMIT 500")
    if not 10 <= limit_of(query) <= MOST_ROWS:
        raise ValueError(f"must end in a LIMIT from 10 to {MOST_ROWS}; what is over comes with the next question")
    return query


def limit_of(query: str) -> int:
    found = re.search(r"\blimit\s+(\d+)\s*$", query, re.IGNORECASE)
    return int(found[1]) if found else 0


class SqlTable(Table):
    """A log of calls in a database, a ``[[sql]]`` table. Its URL, with a password, is a secret of the environment:
    ZRAZKOVO_FEED_SOURCE_SECRETS='{"hall": "postgresql://reader:...@192.0.2.7/queue"}' (sqlite, postgresql, mysql).

        [[sql]]
        name = "hall"
        query = "SELECT id, ts, action, number, win FROM log WHERE id >= :since ORDER BY id LIMIT 500"
        mark = "id"
        begin = 0                 # where a first look begins: a number, or a time in ISO 8601
        overlap = 100             # rows committed late: so much is asked again; seconds, if the mark is a time
        columns = {key = ["id"], time = "ts", event = "action", ticket = "number", desk = "win"}
        words = {CALL = "called", END = "finished"}
        desks = {"1" = "centre-1"}
    """

    query: Annotated[str, Field(min_length=1, max_length=4000), AfterValidator(_reading)]
    mark: Annotated[str, Field(min_length=1, max_length=80)]
    begin: int | datetime = 0
    overlap: Annotated[int, Field(ge=0, le=1_000_000)] = 0

    @staticmethod
    def secret_problem(secret: str | None) -> str | None:
        try:
            kind = make_url(secret or "").get_backend_name()
        except exc.ArgumentError:
            kind = ""
        if kind in BACKENDS:
            return None
        return "needs the URL of its database, as postgresql://USER:PASSWORD@HOST/NAME, sqlite:///FILE or mysql://..."

    @model_validator(mode="after")
    def _times_have_one_form(self) -> Self:
        if isinstance(self.begin, datetime) and self.begin.tzinfo is not None:
            raise ValueError("begin: the mark's times are compared as the database writes them, without an offset")
        return self


class Kept(BaseModel):
    """The highest mark seen, as the store keeps it; None if there is none."""

    model_config = ConfigDict(frozen=True)

    form: Literal["number", "time", "text", "none"]
    mark: str = ""

    @classmethod
    def of(cls, mark: Mark | None) -> "Kept":
        match mark:
            case None:
                return cls(form="none")
            case int():
                return cls(form="number", mark=str(mark))
            case datetime():
                return cls(form="time", mark=mark.isoformat())
        return cls(form="text", mark=mark)

    def value(self) -> Mark | None:
        match self.form:
            case "none":
                return None
            case "number":
                return int(self.mark)
            case "time":
                return datetime.fromisoformat(self.mark)
        return self.mark


class SqlPoller(Poller):
    KIND = "sql"
    LABEL = "database"

    def __init__(self, table: SqlTable, layout: Layout, means: Means):
        super().__init__(table.name, layout.spoken_branches, means.clock, poll_seconds=table.poll_seconds)
        self.table = table
        self._layout = layout
        self._means = means
        self._engine = engine_of(table, means)
        self._mark: Mark | None = None
        self._begun = False
        self._taken: dict[str, None] = {}  # ids of events handed over lately, oldest first

    def close(self) -> None:
        self._engine.dispose()

    def poll(self) -> None:
        if not self._begun:
            self._mark, self._begun = self._kept(), True
        since = self._since()
        for _ in range(MOST_ANSWERS):
            rows = self._ask(since)
            if not rows and self._mark is not None:
                self._wiped()
                return
            last = self._last(rows)
            self._take(rows, last)
            if last is None or len(rows) < limit_of(self.table.query) or self.stopping:
                return
            if last == since:
                raise SourceDown(f"{len(rows)} rows have the same {self.table.mark}: take a finer mark, or more rows")
            since = last

    def _take(self, rows: Sequence[Row], last: Mark | None) -> None:
        if rows:
            self.record(self._layout.to_record(rows), changes_only=True)
        said = self._layout.translate(rows, self._clock())
        fresh = {
            branch: news
            for branch, events in said.events.items()
            if (news := [each for each in events if each.event not in self._taken])
        }
        mark = self._mark if last is None or (self._mark is not None and last < self._mark) else last  # type: ignore[operator]
        if fresh or mark != self._mark:
            self._means.intake.accept(fresh, source=(self.name, Kept.of(mark).model_dump_json().encode()))
        if mark != self._mark:
            self.unreadable += said.unreadable
        self._mark = mark
        self._taken.update(dict.fromkeys(each.event for events in fresh.values() for each in events))
        while len(self._taken) > MOST_SEEN:
            del self._taken[next(iter(self._taken))]
        self.wonder(said.unknown)

    def _ask(self, since: Mark) -> Sequence[Row]:
        try:
            with self._engine.connect() as connection:
                answer = connection.execute(text(self.table.query), {"since": since})
                return [dict(row) for row in answer.mappings()]
        except exc.SQLAlchemyError as error:
            raise SourceDown(f"no answer: {_reason(error)}") from None

    def _since(self) -> Mark:
        if self._mark is None:
            begin = self.table.begin
            as_text = isinstance(begin, datetime) and self._engine.dialect.name == "sqlite"
            return str(begin) if as_text else begin
        if isinstance(self._mark, int):
            return self._mark - self.table.overlap
        if isinstance(self._mark, datetime):
            return self._mark - timedelta(seconds=self.table.overlap)
        try:  # a time that the database keeps as text
            at = datetime.fromisoformat(self._mark) - timedelta(seconds=self.table.overlap)
        except ValueError:
            return self._mark
        return at.isoformat(sep="T" if "T" in self._mark else " ", timespec="auto")

    def _last(self, rows: Sequence[Row]) -> Mark | None:
        marks = [self._mark_of(row) for row in rows]
        if any(later < earlier for earlier, later in pairwise(marks)):  # type: ignore[operator]
            raise SourceDown(f"its rows are not sorted: ORDER BY {self.table.mark}")
        return marks[-1] if marks else None

    def _mark_of(self, row: Row) -> Mark:
        found = row.get(self.table.mark)
        if isinstance(found, bool) or not isinstance(found, int | datetime | str):
            raise SourceDown(f"the mark {self.table.mark} of a row is missing, or neither a number nor a time")
        return found

    def _wiped(self) -> None:
        """Not even the row we saw last is there: the table was emptied, and its numbers may begin again."""
        self.log.warning("database %s: the rows we knew are gone; beginning at `begin` again", self.name)
        self._mark = None
        self._means.intake.accept({}, source=(self.name, Kept.of(None).model_dump_json().encode()))

    def _kept(self) -> Mark | None:
        kept = self._means.store.source(self.name)
        try:
            return Kept.model_validate_json(kept).value() if kept is not None else None
        except ValueError:
            self.log.error("%s: the mark kept of it cannot be read; beginning anew", self.name)
            return None


def engine_of(table: SqlTable, means: Means) -> Engine:
    """An engine that only reads; nothing is opened yet. Raises BadSettings, which never shows the URL."""
    problem = table.secret_problem(means.secret)
    if problem is not None:
        raise BadSettings(f"sql.{table.name}: {problem}")
    url = make_url(means.secret or "")
    options: dict[str, Any] = {"poolclass": NullPool, "hide_parameters": True, "isolation_level": "AUTOCOMMIT"}
    match url.get_backend_name():
        case "sqlite":
            file = URL.create(
                "sqlite", database=f"file:{quote(url.database or '')}", query={"mode": "ro", "uri": "true"}
            )
            engine = create_engine(file, connect_args={"timeout": BUSY_S}, **options)
        case "postgresql":
            session = (
                f"-c default_transaction_read_only=on -c statement_timeout={STATEMENT_S * 1000} -c lock_timeout=500"
            )
            arguments = {"connect_timeout": CONNECT_S, "options": session, "application_name": "zrazkovo-feed"}
            engine = create_engine(url.set(drivername="postgresql+psycopg"), connect_args=arguments, **options)
        case _:
            arguments = {"connect_timeout": CONNECT_S, "read_timeout": STATEMENT_S + 1}
            engine = create_engine(url.set(drivername="mysql+pymysql"), connect_args=arguments, **options)
            event.listen(engine, "connect", _mysql_reads_only)
    return engine


def _mysql_reads_only(connection: Any, _: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET SESSION TRANSACTION READ ONLY")
        try:
            cursor.execute(f"SET SESSION max_statement_time = {STATEMENT_S}")  # MariaDB, in seconds
        except Exception:
            cursor.execute(f"SET SESSION max_execution_time = {STATEMENT_S * 1000}")  # MySQL


def _reason(error: exc.SQLAlchemyError) -> str:
    """The database's own first line, without the statement."""
    cause = getattr(error, "orig", None) or error
    return (str(cause).strip().splitlines() or [type(cause).__name__])[0][:200]


def open_sql(table: SqlTable, means: Means) -> SqlPoller:
    return SqlPoller(table, layout_of(table, means.site), means)


def replay_sql(table: SqlTable, site: Site) -> Replay:
    return replay_rows(layout_of(table, site))
