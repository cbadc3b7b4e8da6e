"""Reads api/access/matrix.md, and says what a request must come to. A line there is a question; a column is a role."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fastapi import FastAPI

from api.access.roles import ROLES
from api.auth import SIGNED_IN, scopes_by_route

FILE = Path(__file__).parents[2] / "api" / "access" / "matrix.md"
ALL, YES, OWN, PURPOSE, OWN_PURPOSE, ORDER, REQUEST, NO = (
    "all", "yes", "own", "purpose", "own, purpose", "order", "request", "no",
)  # fmt: skip
WORDS = (ALL, YES, OWN, PURPOSE, OWN_PURPOSE, ORDER, REQUEST, NO)
OPENING = (ALL, YES, OWN, PURPOSE, OWN_PURPOSE, ORDER)
NOBODY = "nobody"
COLUMNS = (NOBODY, *ROLES)
# Files and descriptions that are the same for everybody.
UNMARKED = ("/v1/openapi.json", "/static")
_LINE = re.compile(r"\| `(GET|HEAD|POST|PUT|DELETE|PATCH) (/[^`]*)` \|")


@dataclass(frozen=True)
class Line:
    """One question: ``method`` and ``address``, whose path has places like {desk}; ``said`` by column."""

    method: str
    address: str
    said: dict[str, str]

    @property
    def path(self) -> str:
        return self.address.partition("?")[0]

    @property
    def name(self) -> str:
        return f"{self.method} {self.address}"


def lines() -> list[Line]:
    """Every line of the table. Raises AssertionError for a word that is none."""
    found = []
    for text in FILE.read_text(encoding="utf-8").splitlines():
        match = _LINE.match(text)
        if match is None:
            continue
        cells = [cell.strip() for cell in text.strip().strip("|").split("|")]
        said = dict(zip(COLUMNS, cells[3:], strict=True))
        unknown = {word for word in said.values() if word not in WORDS}
        assert not unknown, f"{match[0]} has {unknown}, which are no words of the table"
        found.append(Line(match[1], match[2], said))
    return found


def routes(app: FastAPI) -> Iterator[tuple[str, str, frozenset[str]]]:
    """(method, path, scopes) of every route that the table must name."""
    for method, path, scopes in scopes_by_route(app):
        if path not in UNMARKED:
            yield method, path, scopes or frozenset()


def suggested(method: str, path: str, scopes: frozenset[str]) -> str:
    """A line as the marks in the code have it, for whoever adds a route; to be held against the order by a person."""

    def word(role: str) -> str:
        if not scopes:
            return ALL
        if scopes == {SIGNED_IN}:
            return YES
        rules = ROLES[role]
        if not scopes <= rules.scopes:
            return REQUEST if rules.on_request and scopes & {"figures", "reports", "evidence"} else NO
        return f"{NO} (or own: within_limits)" if rules.needs else YES

    cells = [ALL if not scopes else NO, *(word(role) for role in ROLES)]
    return f"| `{method} {path}` | what it shows | point | {' | '.join(cells)} |"
