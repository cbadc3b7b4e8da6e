"""``Store.disclosures``: requests for information, what happened to them, and the papers that were made.

Rows go in and stay; who asked can be forgotten. It knows no rules: those are api/disclosure/case.py's. Every method is
one transaction and raises as Store's do.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, delete, func, insert, select

from collector.errors import NotThere, OutOfTurn
from collector.store.engine import reading, writing
from schemas.disclosure_tables import disclosure, disclosure_event, disclosure_paper, disclosure_person

_PAPER = [column for column in disclosure_paper.c if column.name not in ("figures", "content")]


@dataclass(frozen=True, slots=True)
class Paper:
    """A letter or receipt that was made; its bytes are asked for apart."""

    id: int
    disclosure: int
    kind: str
    made_unix_ms: int
    made_by: str
    language: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Stored:
    """A request's row as it is, and its events as (seq, at, who, what, fields)."""

    row: dict[str, Any]
    events: tuple[tuple[int, int, str, str, dict[str, Any]], ...]


class Disclosures:
    """Made by Store only."""

    def __init__(self, engine: Engine):
        self._engine = engine

    def register(self, year: int, values: Mapping[str, Any], person: tuple[str, str] | None) -> int:
        """A new request; its number within ``year``. ``person``: name, and where the answer goes."""
        with writing(self._engine) as connection:
            _lock(connection)
            number = connection.scalar(select(func.max(disclosure.c.number)).where(disclosure.c.year == year)) or 0
            made = connection.execute(insert(disclosure).values(**values, year=year, number=number + 1))
            (key,) = made.inserted_primary_key or (None,)
            assert key is not None
            if person is not None:
                connection.execute(
                    insert(disclosure_person).values(disclosure=key, name=person[0][:200], contact=person[1][:500])
                )
            return int(number) + 1

    def one(self, year: int, number: int) -> Stored:
        """Raises NotThere."""
        with reading(self._engine) as connection:
            found = _stored(connection, (disclosure.c.year == year) & (disclosure.c.number == number))
        if not found:
            raise NotThere(f"there is no request {year}/{number}")
        return found[0]

    def all(self, since_unix_ms: int = 0) -> list[Stored]:
        """Those that were received at ``since_unix_ms`` or later, and any without an entry that closes it."""
        with reading(self._engine) as connection:
            closed = select(disclosure_event.c.disclosure).where(
                disclosure_event.c.what.in_(("answered", "refused", "forwarded", "withdrawn"))
            )
            recent = disclosure.c.received_unix_ms >= since_unix_ms
            return _stored(connection, recent | disclosure.c.id.not_in(closed))

    def add(self, request: int, seq: int, what: str, fields: Mapping[str, Any], who: str, at_unix_ms: int) -> None:
        """The next thing that happened. Raises OutOfTurn if somebody has entered number ``seq`` meanwhile."""
        values = {
            "disclosure": request,
            "seq": seq,
            "at_unix_ms": at_unix_ms,
            "who": who[:80],
            "what": what,
            "fields": json.dumps(dict(fields), ensure_ascii=False),
        }
        with writing(self._engine) as connection:
            _lock(connection)
            last = connection.scalar(
                select(func.max(disclosure_event.c.seq)).where(disclosure_event.c.disclosure == request)
            )
            if (last or 0) + 1 != seq:
                raise OutOfTurn("somebody else has entered something meanwhile")
            connection.execute(insert(disclosure_event).values(values))

    # ---- who asked
    def person(self, request: int) -> tuple[str, str] | None:
        """Name and address; None if nobody gave any, or it was forgotten."""
        columns = (disclosure_person.c.name, disclosure_person.c.contact)
        with reading(self._engine) as connection:
            row = connection.execute(select(*columns).where(disclosure_person.c.disclosure == request)).one_or_none()
        return (row[0], row[1]) if row else None

    def forget_people(self, requests: Sequence[int]) -> int:
        """Forgets who made these; how many of them were still known."""
        if not requests:
            return 0
        its = disclosure_person.c.disclosure.in_(list(requests))
        with writing(self._engine) as connection:
            return int(connection.execute(delete(disclosure_person).where(its)).rowcount)

    # ---- papers
    def keep(
        self, request: int, kind: str, content: bytes, figures: bytes | None, language: str, who: str, at_unix_ms: int
    ) -> int:
        """A paper as it is given out; its id."""
        values = {
            "disclosure": request,
            "kind": kind,
            "made_unix_ms": at_unix_ms,
            "made_by": who[:80],
            "language": language,
            "figures": figures,
            "content": content,
            "sha256": hashlib.sha256(content).hexdigest(),
        }
        with writing(self._engine) as connection:
            (key,) = connection.execute(insert(disclosure_paper).values(values)).inserted_primary_key or (None,)
        assert key is not None
        return int(key)

    def papers(self, request: int) -> list[Paper]:
        """The oldest first."""
        question = select(*_PAPER).where(disclosure_paper.c.disclosure == request).order_by(disclosure_paper.c.id)
        with reading(self._engine) as connection:
            return [Paper(*row) for row in connection.execute(question)]

    def paper(self, request: int, paper: int) -> tuple[Paper, bytes, bytes | None]:
        """A paper, its bytes and the figures it was made from. Raises NotThere."""
        columns = (*_PAPER, disclosure_paper.c.content, disclosure_paper.c.figures)
        its = (disclosure_paper.c.disclosure == request) & (disclosure_paper.c.id == paper)
        with reading(self._engine) as connection:
            row = connection.execute(select(*columns).where(its)).one_or_none()
        if row is None:
            raise NotThere(f"there is no paper {paper} of that request")
        return Paper(*row[: len(_PAPER)]), bytes(row.content), None if row.figures is None else bytes(row.figures)


def _stored(connection: Connection, which: Any) -> list[Stored]:
    heads = connection.execute(select(disclosure).where(which).order_by(disclosure.c.id)).mappings().all()
    question = select(disclosure_event).order_by(disclosure_event.c.disclosure, disclosure_event.c.seq)
    question = question.where(disclosure_event.c.disclosure.in_(select(disclosure.c.id).where(which)))
    events: dict[int, list[tuple[int, int, str, str, dict[str, Any]]]] = {}
    for row in connection.execute(question):
        entry = (row.seq, row.at_unix_ms, row.who, row.what, json.loads(row.fields))
        events.setdefault(row.disclosure, []).append(entry)
    return [Stored(dict(head), tuple(events.get(head["id"], ()))) for head in heads]


def _lock(connection: Connection) -> None:
    """Numbers follow one another: one writer at a time. SQLite has only one anyhow."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("LOCK TABLE disclosure, disclosure_event IN SHARE ROW EXCLUSIVE MODE")
