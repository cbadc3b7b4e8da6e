"""Whatever is asked, the answer is an answer or a problem document, never a fault of ours."""

from collections.abc import Iterator
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from tests.contract.api_office import SCOPES, Office

TEXT = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        [
            "centre", "branch", "service", "operator", "desk", "day", "week", "month", "quarter", "year", "analysis",
            "2026-01-01", "2026-12-31", "2000-01-01", "2100-12-31", "0001-01-01", "9999-12-31", "2026-02-30", "-1",
            "1e400", "NaN", "olena", "centre-1", "passport", "../../etc/passwd", "%00", "\0", "' or 1=1 --", "x" * 3000,
        ]
    ),
)  # fmt: skip
NAMES = st.one_of(
    st.sampled_from(["by", "period", "from", "to", "branch", "key", "purpose", "button", "desk", "next"]),
    st.text(min_size=1, max_size=6),
)
PATHS = st.sampled_from(
    [
        "/v1/aggregates",
        "/v1/comparison",
        "/v1/operators/funnel",
        "/v1/signals",
        "/v1/desks",
        "/v1/register",
        "/v1/health",
        "/metrics",
        "/v1/try",
        "/v1/faults",
        "/v1/commands",
        "/v1/rollouts",
        "/v1/none",
    ]
)
QUESTIONS = st.fixed_dictionaries(
    {},
    optional={
        "by": st.sampled_from(["centre", "branch", "service", "operator", "desk"]),
        "period": st.sampled_from(["day", "week", "month", "quarter", "year"]),
        "from": st.dates().map(str),
        "to": st.dates().map(str),
        "branch": st.sampled_from(["centre", "lisbon", "atlantis"]),
        "key": st.sampled_from(["olena", "passport", "centre-1", "lisbon-1"]),
        "purpose": st.sampled_from(["analysis", "discipline"]),
    },
)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    office = Office(tmp_path_factory.mktemp("fuzz"))
    with office.client(*SCOPES) as made:
        yield made
    office.store.close()


def sound(client: TestClient, url: str, method: str = "GET", **request: object) -> None:
    response = client.request(method, url, **request)  # type: ignore[arg-type]
    assert response.status_code < 500, (url, request, response.text)
    if response.status_code >= 400:
        assert response.headers["content-type"] == "application/problem+json", (url, response.text)
        assert response.json()["status"] == response.status_code
        assert len(response.content) < 10_000


@settings(max_examples=150)
@given(PATHS, st.lists(st.tuples(NAMES, TEXT), max_size=6))
def test_any_parameters_get_an_answer_or_a_problem(
    client: TestClient, path: str, parameters: list[tuple[str, str]]
) -> None:
    sound(client, f"{path}?{urlencode(parameters, errors='surrogatepass')}")


@settings(max_examples=200)
@given(QUESTIONS)
def test_any_combination_of_legal_words_gets_figures_or_a_problem(client: TestClient, question: dict[str, str]) -> None:
    sound(client, "/v1/aggregates", params=question)


@settings(max_examples=80)
@given(st.binary(max_size=60))
def test_any_bytes_for_a_query_get_an_answer_or_a_problem(client: TestClient, query: bytes) -> None:
    sound(client, f"/v1/aggregates?{quote(query)}")


@settings(max_examples=80)
@given(st.text(max_size=30), st.sampled_from(["press", "call", "explode", ""]))
def test_any_desk_gets_an_answer_or_a_problem(client: TestClient, desk: str, action: str) -> None:
    sound(client, f"/v1/try/{quote(desk, safe='', errors='surrogatepass')}/{action}", "POST")


@settings(max_examples=80)
@given(
    st.binary(max_size=200),
    st.sampled_from(["application/json", "application/x-www-form-urlencoded", "text/plain", "", "a/b; charset=x"]),
)
def test_any_body_of_a_sign_in_gets_an_answer_or_a_problem(client: TestClient, body: bytes, kind: str) -> None:
    sound(client, "/session", "POST", content=body, headers={"Content-Type": kind})
