"""Figures of a past that was different: renamed services, merged branches, a new employer, each in its own time."""

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from schemas.register import Branch, Desk, Operator, Participant, Service
from tests.contract.api_office import BRANCH_OF, KYIV, REGISTER, Office
from tests.contract.test_api_aggregates import ask, total

YEAR = {"from": "2026-01-01", "to": "2026-12-31"}
LAST, NEXT = date(2026, 6, 14), date(2026, 6, 15)
CHANGED = REGISTER.model_copy(
    update={
        "branches": (
            REGISTER.branches[0],
            Branch(id="vyshenka", name="Вишенька", name_en="Vyshenka", valid_to=LAST, merged_into="centre"),
            REGISTER.branches[2],
        ),
        "services": (
            Service(id="passport", name="Паспорт", name_en="Passport", valid_to=LAST),
            Service(id="passport", name="Паспорт та ID", name_en="Passport and ID", valid_from=NEXT),
            *REGISTER.services[1:],
        ),
        "desks": (
            *REGISTER.desks[:2],
            Desk(id="vyshenka-1", branch="vyshenka", label="1", valid_to=LAST),
            Desk(id="vyshenka-1", branch="centre", label="3", valid_from=NEXT),
            *REGISTER.desks[3:],
        ),
        "participants": (Participant(id="land-office", name="Земля", name_en="Land"),),
        "operators": (
            Operator(id="olena", valid_to=LAST),
            Operator(id="olena", kind="participant", participant="land-office", valid_from=NEXT),
        ),
    }
)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path)
    made.store.book.save(CHANGED, author="head", how="edit")
    yield made
    made.store.close()


def at(month: int, day: int) -> datetime:
    return datetime(2026, month, day, 11, tzinfo=KYIV)


def named(answer: dict[str, Any]) -> dict[tuple[str, str | None, str | None], str]:
    return {(cell["period"], cell["branch"], cell["key"]): cell["name_en"] for cell in answer["cells"] if cell["calls"]}


def test_a_renamed_service_has_the_name_of_its_period_and_both_where_it_changed(office: Office) -> None:
    for month, day in ((5, 4), (6, 3), (6, 20), (7, 1)):
        office.call("centre-1", at(month, day), rating=3)
    with office.client("figures", "operators") as client:
        months = named(ask(client, by="service", period="month", **YEAR))
        days = named(ask(client, by="service", period="day", **{"from": "2026-06-01", "to": "2026-06-30"}))
        page = client.get("/figures?period=month&from=2026-05-01&to=2026-07-31&lang=en").text
    assert months == {
        ("2026-05", None, "passport"): "Passport",
        ("2026-06", None, "passport"): "Passport → Passport and ID",
        ("2026-07", None, "passport"): "Passport and ID",
    }
    assert list(days.values()) == ["Passport", "Passport and ID"]
    assert "Passport → Passport and ID" in page


def test_a_merged_branch_keeps_its_figures_and_joins_the_others_only_when_asked(office: Office) -> None:
    office.call("vyshenka-1", at(5, 4), rating=3)
    office.call("centre-1", at(5, 4), rating=1)
    with pytest.MonkeyPatch.context() as patched:
        patched.setitem(BRANCH_OF, "vyshenka-1", "centre")
        office.call("vyshenka-1", at(6, 20), rating=2)
    with office.client("figures", "operators") as client:
        apart = ask(client, by="branch", period="month", **YEAR)
        together = ask(client, by="branch", period="month", merged="true", **YEAR)
        centre = ask(client, by="branch", period="month", merged="true", branch="centre", **YEAR)
        whole = ask(client, by="centre", period="month", **YEAR)
        old = ask(client, by="branch", period="month", branch="vyshenka", **YEAR)
        desks = ask(client, by="desk", period="month", purpose="analysis", **YEAR)
    assert [(cell["period"], cell["branch"], cell["calls"]) for cell in apart["cells"] if cell["calls"]] == [
        ("2026-05", "centre", 1), ("2026-05", "vyshenka", 1), ("2026-06", "centre", 1),
    ]  # fmt: skip
    # No empty cells of a branch that was no more; it had them while it was there.
    assert {cell["period"] for cell in apart["cells"] if cell["branch"] == "vyshenka"} == {
        f"2026-0{month}" for month in range(1, 7)
    }
    assert {cell["branch"] for cell in together["cells"]} == {"centre", "lisbon"}
    assert total(together["cells"]) == total(apart["cells"]) == total(whole["cells"])
    assert [cell["calls"] for cell in centre["cells"] if cell["calls"]] == [2, 1]
    assert len(old["cells"]) == 12 and total(old["cells"])[0] == 1
    assert {(cell["branch"], cell["name"]) for cell in desks["cells"] if cell["key"] == "vyshenka-1"} == {
        ("vyshenka", "1"), ("centre", "3"),
    }  # fmt: skip


def test_an_operator_counts_for_who_employed_them_on_the_calls_day(office: Office) -> None:
    for day in (13, 14, 15, 16, 17):
        office.call("centre-1", at(6, day), rating=2)
    office.call("centre-1", at(6, 16), rating=2, operator="unknown")
    with office.client("figures", "operators") as client:
        june = {"by": "operator", "period": "month", "purpose": "analysis", "from": "2026-06-01", "to": "2026-06-30"}
        (theirs,) = ask(client, participant="land-office", **june)["cells"]
        everybody = ask(client, **june)["cells"]
        assert (theirs["key"], theirs["calls"]) == ("olena", 3)
        assert {cell["key"]: cell["calls"] for cell in everybody} == {"olena": 5, "unknown": 1}
        for asked in ({"participant": "nobody"}, {"participant": "land-office", "by": "branch"}):
            assert client.get("/v1/aggregates", params=june | asked).status_code == 422


def test_whatever_was_renamed_and_merged_everything_still_adds_up(office: Office) -> None:
    chance = random.Random(20260615)
    for _ in range(60):
        when = datetime(2026, 4, 1, tzinfo=UTC) + timedelta(minutes=chance.randrange(0, 74 * 24 * 60))
        office.call(chance.choice(["centre-1", "vyshenka-1", "lisbon-1"]), when, rating=chance.choice([None, 1, 2, 3]))
    assert office.store.recount() == []
    with office.client("figures") as client:
        sums = {
            total(ask(client, by=by, period=period, merged=merged, **YEAR)["cells"])
            for by in ("centre", "branch", "service")
            for period in ("month", "year")
            for merged in ("true", "false")
        }
    assert len(sums) == 1
