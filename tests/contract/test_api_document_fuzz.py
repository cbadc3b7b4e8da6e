"""Whatever the OpenAPI document allows, of every operation in it, the answer is no fault of ours.

schemathesis draws requests out of the document: those that fit it, and those that just do not. They go to a real server
as somebody who may do everything.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode

from api.app import create_app, routes_only
from api.settings import Settings
from tests.contract.api_office import KYIV, SCOPES, Office, serving_app

EXAMPLES = 12
# A stream would not end: with the hub closed, whoever asks for one is told that there is no room.
NO_ROOM = "/v1/live"
DOCUMENT: dict[str, Any] = routes_only().openapi()
OPERATIONS = [
    (path, method.upper())
    for path, methods in DOCUMENT["paths"].items()
    for method in methods
    if method in ("get", "post", "put", "delete", "patch")
]
BOUNDED = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize=True,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)


@schemathesis.serializer("application/zip")
def as_it_is(_: object, value: object) -> bytes:
    return bytes(value) if isinstance(value, bytes | bytearray) else str(value).encode("utf-8", "replace")


@dataclass(frozen=True)
class Served:
    """A running api and the document it gives of itself."""

    address: str
    headers: dict[str, str]
    schema: Any


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    office = Office(tmp_path_factory.mktemp("document"))
    for month in (9, 10, 11):
        for number in range(12):
            at = datetime(2026, month, 10, 9, number, tzinfo=KYIV)
            office.call("centre-1", at, rating=number % 3 + 1, outcome=None if number == 5 else "finished")
    app = create_app(Settings(database_url=office.url), office.store)
    with serving_app(app) as address:
        app.state.parts.hub.close()
        schema = schemathesis.openapi.from_url(f"{address}/v1/openapi.json")
        schema.config.generation.update(modes=list(GenerationMode))
        yield Served(address, {"Authorization": f"Bearer {office.token(*SCOPES)}"}, schema)
    office.store.close()


def test_the_document_that_is_served_is_the_one_that_is_tried(served: Served) -> None:
    there = {(each.ok().path, each.ok().method.upper()) for each in served.schema.get_all_operations()}
    assert there == set(OPERATIONS)


@pytest.mark.parametrize(("path", "method"), OPERATIONS, ids=lambda part: part)
def test_no_request_of_the_document_finds_a_fault_of_the_server(served: Served, path: str, method: str) -> None:
    @BOUNDED
    @given(served.schema[path][method].as_strategy())
    def ask(case: Any) -> None:
        answer = case.call(headers=served.headers, timeout=60)
        if path == NO_ROOM and answer.status_code == 503:
            assert answer.json()["type"].endswith("too-many-streams")
            return
        assert answer.status_code < 500, f"{answer.status_code} {answer.text[:500]}"

    ask()
