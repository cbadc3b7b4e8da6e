"""No endpoint updates or deletes a vote, whatever it is sent (DESIGN section 3, point 7; order P2.8)."""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, event, text
from starlette.testclient import TestClient

from api.app import create_app
from api.auth import SCOPES, scopes_by_route
from api.settings import Settings
from collector.store.engine import make_engine
from tests.contract.api_office import KYIV, Office

METHODS = ("POST", "PUT", "PATCH", "DELETE")
# A stream does not end, and a report is made for seconds.
LEFT_OUT = ("/v1/live",)
TOUCHES_A_VOTE = re.compile(r"\b(UPDATE|DELETE\s+FROM|REPLACE\s+INTO|INSERT\s+INTO)\s+\"?vote\b", re.IGNORECASE)
TOUCHES_A_FIGURE = re.compile(r"\b(UPDATE|DELETE\s+FROM|INSERT\s+INTO)\s+\"?(call|rollup_day)\b", re.IGNORECASE)
WORDS = st.sampled_from(
    ["1", "0", "", "analysis", "centre", "centre-1", "olena", "passport", "watch", "explained", "month", "2026-03",
     "void", "vote", "x" * 300, "3", "exemplary", "tickets", "2026-03-10"]
)  # fmt: skip
FIELDS = st.dictionaries(
    st.sampled_from(
        ["purpose", "outcome", "note", "rating", "call", "vote", "desk", "branch", "id", "name", "period", "day", "cut",
         "key", "scopes", "text", "class", "form", "lang", "login", "password", "role", "number", "revision"]
    ),
    WORDS,
    max_size=6,
)  # fmt: skip


class House:
    """An office with votes, a client that may do everything, and what its database was told."""

    def __init__(self, office: Office, client: TestClient, routes: list[tuple[str, str]], said: list[str]):
        self.office, self.client, self.routes, self.said = office, client, routes, said

    def send(self, method: str, address: str, **body: Any) -> None:
        """Asks as somebody new with every scope: an earlier request may have ended the token before."""
        headers = {"Authorization": f"Bearer {self.office.token(*SCOPES)}", "Origin": "http://testserver"}
        self.client.request(method, address, headers=headers, follow_redirects=False, **body)

    def votes(self) -> list[tuple[Any, ...]]:
        engine = make_engine(self.office.url)
        with engine.connect() as connection:
            rows = [tuple(row) for row in connection.execute(text("SELECT * FROM vote ORDER BY call, desk"))]
        engine.dispose()
        return rows


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    office = Office(tmp_path_factory.mktemp("votes"))
    for number in range(12):
        office.call("centre-1", datetime(2026, 3, 10, 9, number, tzinfo=KYIV), rating=1 + number % 3)
    said: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        said.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    app = create_app(Settings(database_url=office.url), office.store)
    routes = sorted({path for _, path, _ in scopes_by_route(app) if path not in LEFT_OUT and path != "/static"})
    with TestClient(app, raise_server_exceptions=False) as client:
        yield House(office, client, [(method, path) for path in routes for method in METHODS], said)
    event.remove(Engine, "before_cursor_execute", note)
    office.store.close()


PLACES = st.sampled_from(["1", "2", "centre", "centre-1", "branches", "passport", "none", "caf", "csv", "2026"])


def test_every_route_in_every_method_leaves_every_vote_as_it_was(house: House) -> None:
    before = house.votes()
    assert len(before) == 12
    house.said.clear()
    for method, path in house.routes:
        address = re.sub(r"\{[^}]*\}", "1", path)
        for body in ({"json": {"purpose": "analysis", "outcome": "watch"}}, {"data": {"purpose": "analysis"}}):
            house.send(method, address, **body)
    assert house.votes() == before
    assert len(house.said) > len(house.routes)  # they were listened to
    assert [each for each in house.said if TOUCHES_A_VOTE.search(each) or TOUCHES_A_FIGURE.search(each)] == []


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_request_writes_to_a_vote(house: House, data: st.DataObject) -> None:
    method, path = data.draw(st.sampled_from(house.routes))
    address = re.sub(r"\{[^}]*\}", lambda _: data.draw(PLACES), path)
    fields = data.draw(FIELDS)
    body: dict[str, Any] = {"json": fields} if data.draw(st.booleans()) else {"data": fields}
    house.said.clear()
    house.send(method, address, params=data.draw(FIELDS), **body)
    assert [each for each in house.said if TOUCHES_A_VOTE.search(each)] == []


def test_a_statement_that_would_touch_a_vote_is_recognised() -> None:
    assert TOUCHES_A_VOTE.search("UPDATE vote SET rating=1")
    assert TOUCHES_A_VOTE.search('DELETE FROM "vote" WHERE call = 1')
    assert not TOUCHES_A_VOTE.search("INSERT INTO vote_number (desk) VALUES (1)")
    assert not TOUCHES_A_VOTE.search("SELECT rating FROM vote")
