"""``GET /v1/operators/funnel`` over a real store: fair or not at all, in the register's order, within one's limits."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.funnel import Asked, funnel_of
from api.i18n import SOURCE_LANGUAGE, load_languages
from api.statistics import funnel_limits
from collector.store import Limits, Register
from collector.store.orders import LogFilter
from schemas.register import Operator, Participant
from tests.contract.api_office import KYIV, REGISTER, Office, now_unix_ms

ENGLISH = load_languages()[SOURCE_LANGUAGE]
MARCH = datetime(2026, 3, 3, 9, tzinfo=KYIV)
ASKED = {"day": "2026-03-10", "purpose": "analysis"}
NAMES = [f"op-{number:02}" for number in range(14)]


def register() -> Register:
    """Operators in an order that is not that of their ids."""
    operators = tuple(
        Operator(
            id=name,
            kind="participant" if name == "op-05" else "administrator",
            participant="fund" if name == "op-05" else None,
        )
        for name in reversed(NAMES)
    )
    return REGISTER.model_copy(
        update={"operators": operators, "participants": (Participant(id="fund", name="Фонд", name_en="Fund"),)}
    )


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    made = Office(tmp_path_factory.mktemp("funnel"))
    made.store.load_register(register())
    for place, name in enumerate(NAMES):
        votes = 12 if name == "op-00" else 40
        for number in range(votes):
            # op-03 takes the hard service only, in which everybody gets half of them bad
            hard = name == "op-03" or number % 4 == 0
            bad = (number // 4) % 2 == 0 if hard else number % 20 == 1
            made.call(
                "vyshenka-1" if name == "op-05" else "centre-1",
                MARCH + timedelta(days=number % 20, minutes=place * 30 + number),
                rating=1 if bad else 3,
                service="address" if hard else "passport",
                operator=name,
            )
    made.store.totals.make_mix(int(datetime(2026, 4, 20, tzinfo=UTC).timestamp() * 1000))
    yield made
    made.store.close()


def ask(client: TestClient, **parameters: str) -> dict[str, Any]:
    response = client.get("/v1/operators/funnel", params=ASKED | parameters)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def test_operators_stand_in_the_register_s_order_whatever_their_figures(office: Office) -> None:
    with office.client("figures", "operators") as client:
        answer = ask(client)
    assert [each["operator"] for each in answer["points"]] == NAMES[::-1]
    assert answer["months"] == ["2026-03"]
    assert answer["missing"] == []
    assert "disciplin" in answer["notice"] or "дисциплін" in answer["notice"]


def test_under_thirty_votes_nobody_is_compared(office: Office) -> None:
    with office.client("figures", "operators") as client:
        points = {each["operator"]: each for each in ask(client)["points"]}
    few = points["op-00"]
    assert few["votes"] == 12
    assert not few["enough"]
    assert {few[name] for name in ("figure", "limits", "case_mix", "shrunk", "reliability")} == {None}
    assert points["op-01"]["enough"]


def test_who_takes_the_hard_service_is_far_out_and_as_expected(office: Office) -> None:
    with office.client("figures", "operators") as client:
        answer = ask(client)
    point = next(each for each in answer["points"] if each["operator"] == "op-03")
    limits = funnel_limits(40, answer["common_share"])
    assert point["limits"] == limits._asdict()
    assert point["figure"]["count"] > limits.high998
    assert point["case_mix"]["low"] < 1 < point["case_mix"]["high"]
    assert point["case_mix"]["ratio"] == pytest.approx(1, abs=0.15)


def test_a_share_is_drawn_towards_everybody_s_and_reliability_is_said(office: Office) -> None:
    with office.client("figures", "operators") as client:
        answer = ask(client)
    assert answer["prior_weight"] > 0
    assert answer["votes_needed"]["reliability_08"] > answer["votes_needed"]["reliability_07"]
    for point in answer["points"]:
        if point["enough"]:
            own, drawn = point["figure"]["share"], point["shrunk"]["share"]
            assert min(own, answer["common_share"]) - 0.02 <= drawn <= max(own, answer["common_share"]) + 0.02
            assert 0 < point["reliability"] < 1


def test_with_fewer_than_twelve_operators_nothing_is_shrunk(office: Office) -> None:
    limits = Limits(branches=frozenset({"vyshenka"}))
    answer = funnel_of(office.store, Asked(day="2026-03-10", branch="vyshenka"), now_unix_ms(), ENGLISH, limits)  # type: ignore[arg-type]
    assert [each.operator for each in answer.points] == ["op-05"]
    assert answer.prior_weight is None
    assert answer.points[0].shrunk is None


def test_the_rows_of_another_branch_or_organisation_are_not_there_whatever_is_asked(office: Office) -> None:
    for limits, expected in (
        (Limits(branches=frozenset({"vyshenka"})), ["op-05"]),
        (Limits(participants=frozenset({"fund"})), ["op-05"]),
        (Limits(branches=frozenset({"lisbon"})), []),
    ):
        answer = funnel_of(office.store, Asked(day="2026-03-10"), now_unix_ms(), ENGLISH, limits)  # type: ignore[arg-type]
        assert [each.operator for each in answer.points] == expected


def test_a_year_says_which_months_are_missing(office: Office) -> None:
    with office.client("figures", "operators") as client:
        answer = ask(client, period="year")
    assert answer["months"] == ["2026-03"]
    assert "2026-02" in answer["missing"]
    assert len(answer["missing"]) == 11


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"purpose": "discipline"}, 422),
        ({"purpose": ""}, 422),
        ({"period": "day"}, 422),
        ({"branch": "atlantis"}, 422),
        ({"participant": "nobody"}, 422),
        ({"rating": "good or bad"}, 422),
        ({"sort": "share"}, 422),
    ],
)
def test_what_makes_no_sense_or_is_no_purpose_is_refused(office: Office, asked: dict[str, str], status: int) -> None:
    with office.client("figures", "operators") as client:
        assert client.get("/v1/operators/funnel", params=ASKED | asked).status_code == status


def test_the_reading_is_written_down_and_needs_the_scope(office: Office) -> None:
    with office.client("figures", "operators") as client:
        ask(client, rating="exemplary")
    newest = office.store.staff.readings(LogFilter(), limit=1)[0]
    assert newest.granted
    assert newest.question.startswith("funnel rating=exemplary")
    with office.client("figures") as client:
        assert client.get("/v1/operators/funnel", params=ASKED).status_code == 403
