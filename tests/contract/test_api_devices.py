"""Desks, register, health and metrics over a real store."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from collector.store.faults import Opened
from tests.contract.api_office import KYIV, Office


def samples_of(text: str) -> list[Sample]:
    return [sample for family in text_string_to_metric_families(text) for sample in family.samples]


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path)
    yield made
    made.store.close()


def test_every_desk_of_the_register_is_there_even_if_its_pad_was_never_heard_of(office: Office) -> None:
    with office.client("devices") as client:
        desks = client.get("/v1/desks").json()["desks"]
    assert [(desk["desk"], desk["branch"], desk["label"]) for desk in desks] == [
        ("centre-1", "centre", "1"),
        ("centre-2", "centre", "2"),
        ("vyshenka-1", "vyshenka", "1"),
        ("lisbon-1", "lisbon", "1"),
    ]
    assert {desk["state"] for desk in desks} == {"never"}
    assert desks[0]["firmware"] is desks[0]["health"] is desks[0]["changed_at"] is None


@pytest.mark.parametrize(
    ("state", "phase", "shown"),
    [
        ("online", "dark", "dark"),
        ("online", "armed", "armed"),
        ("online", "voted", "voted"),
        ("offline", "armed", "offline"),
    ],
)
def test_a_pad_is_shown_as_it_said(office: Office, state: str, phase: str, shown: str) -> None:
    office.pad("centre-1", phase, state=state)
    with office.client("devices") as client:
        desk = client.get("/v1/desks").json()["desks"][0]
    assert (desk["state"], desk["firmware"], desk["boot"], desk["lamps"]) == (shown, "0.1.0", 3, "ok")
    assert abs((datetime.fromisoformat(desk["changed_at"]) - datetime.now(UTC)).total_seconds()) < 60


def test_a_pads_counters_are_shown(office: Office) -> None:
    office.pad("centre-1")
    office.health("centre-1")
    with office.client("devices") as client:
        desk = client.get("/v1/desks").json()["desks"][0]
    assert (desk["health"]["heap_used_bytes"], desk["health"]["signal_dbm"]) == (40000, None)
    assert desk["health_at"] is not None


def test_a_desk_with_a_client_says_so(office: Office) -> None:
    office.call("centre-2", datetime.now(KYIV), outcome=None)
    with office.client("devices") as client:
        desks = client.get("/v1/desks").json()["desks"]
    assert {desk["desk"] for desk in desks if desk["call_open"]} == {"centre-2"}


def test_devices_say_nothing_of_ratings_operators_or_calls(office: Office) -> None:
    call = office.call("centre-1", datetime.now(KYIV), rating=1, outcome=None)
    office.pad("centre-1", "voted")
    with office.client("devices") as client:
        text = client.get("/v1/desks").text
    assert call not in text and "olena" not in text and "rating" not in text


def test_the_register_names_the_office_its_branches_and_services(office: Office) -> None:
    with office.client("figures") as client:
        register = client.get("/v1/register").json()
    assert register["organisation"]["simulated"] is True
    assert [branch["id"] for branch in register["branches"]] == ["centre", "vyshenka", "lisbon"]
    assert register["branches"][2]["timezone"] == "Europe/Lisbon"
    assert register["services"][0] == {"id": "passport", "name": "Паспорт", "name_en": "Passport"}


def test_health_says_how_long_ago_a_pad_was_heard(office: Office) -> None:
    with office.client() as client:
        assert client.get("/v1/health").json() == {
            "status": "ok",
            "database": "reachable",
            "newest_message_age_s": None,
            "live_streams": 0,
        }
        office.pad("centre-1")
        assert 0 <= client.get("/v1/health").json()["newest_message_age_s"] < 60


def test_without_a_database_health_says_so_and_everything_else_is_a_problem(office: Office) -> None:
    with office.client("figures") as client:
        path = Path(office.url.removeprefix("sqlite:///"))
        office.store._engine.dispose()
        path.write_bytes(b"this is no database" * 1000)
        for suffix in ("-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        health = client.get("/v1/health")
        assert (health.status_code, health.json()["database"]) == (503, "unreachable")
        response = client.get("/v1/register")
    assert (response.status_code, response.json()["type"]) == (503, "urn:zrazkovo:problem:no-database")
    assert str(path) not in response.text


def test_metrics_count_calls_votes_kept_pads_and_answers(office: Office) -> None:
    at = datetime(2026, 3, 10, 11, tzinfo=KYIV)
    office.call("centre-1", at, rating=3)
    office.call("centre-1", at)
    office.pad("centre-1")
    with office.client("metrics") as client:
        client.get("/v1/health")
        client.get("/v1/none/of/that")
        response = client.get("/metrics")
    assert response.headers["content-type"].startswith("text/plain")
    samples = {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(response.text)
        for sample in family.samples
    }
    assert samples[("zrazkovo_calls",)] == 2
    assert samples[("zrazkovo_votes",)] == 1
    assert samples[("zrazkovo_waiting",)] == 0
    assert samples[("zrazkovo_pads", ("state", "online"))] == 1
    assert samples[("zrazkovo_pads", ("state", "never"))] == 3
    route = (("method", "GET"), ("route", "/v1/health"), ("status", "200"))
    assert samples[("zrazkovo_http_requests_total", *route)] == 1
    unknown = (("method", "GET"), ("route", "none"), ("status", "404"))
    assert samples[("zrazkovo_http_requests_total", *unknown)] == 1


def test_metrics_name_no_operator_and_a_desk_beside_its_devices_health_only(office: Office) -> None:
    office.call("centre-1", datetime.now(KYIV), rating=1)
    office.pad("centre-1", "voted")
    office.health("centre-1")
    with office.client("metrics", "figures", "operators") as client:
        client.get("/v1/aggregates", params={"by": "operator", "key": "olena", "purpose": "analysis"})
        text = client.get("/metrics").text
    assert "olena" not in text
    named = {sample.name for sample in samples_of(text) if "desk" in sample.labels}
    assert named == {
        "zrazkovo_pad_up",
        "zrazkovo_pad_info",
        "zrazkovo_pad_update",
        "zrazkovo_pad_health_age_seconds",
        "zrazkovo_pad_uptime_seconds",
        "zrazkovo_pad_stall_max_seconds",
        "zrazkovo_pad_reconnects",
        "zrazkovo_pad_refused_messages",
        "zrazkovo_pad_heap_free_bytes",
        "zrazkovo_pad_flash_free_bytes",
    }


def test_metrics_tell_how_every_pad_is(office: Office) -> None:
    office.pad("centre-1")
    office.health("centre-1")
    office.pad("centre-2", state="offline")
    office.health("centre-2")
    office.store.fleet.record([Opened("centre-2", "dark", None, "")])
    office.store.fleet.record([Opened("lisbon-1", "offline", None, "")])
    with office.client("metrics") as client:
        text = client.get("/metrics").text
    found = {(sample.name, *sorted(sample.labels.values())): sample.value for sample in samples_of(text)}
    assert {name[1:]: value for name, value in found.items() if name[0] == "zrazkovo_pad_up"} == {
        ("centre", "centre-1"): 1,
        ("centre", "centre-2"): 0,
        ("vyshenka", "vyshenka-1"): 0,
        ("lisbon", "lisbon-1"): 0,
    }
    uptimes = {name[1:] for name in found if name[0] == "zrazkovo_pad_uptime_seconds"}
    assert uptimes == {("centre", "centre-1")}  # what was true of a pad that is away is true no more
    assert found["zrazkovo_pad_stall_max_seconds", "centre", "centre-1"] == 0.012
    assert found["zrazkovo_pads_outbox",] == 0
    kinds = {name[1]: value for name, value in found.items() if name[0] == "zrazkovo_pad_faults"}
    assert kinds["dark"] == kinds["offline"] == 1 and sum(kinds.values()) == 2
    assert found["zrazkovo_pad_fault", "centre", "centre-2", "dark"] == 1
    assert 0 <= found["zrazkovo_pad_health_age_seconds", "centre", "centre-2"] < 60
    (info,) = [
        each.labels
        for each in samples_of(text)
        if each.name == "zrazkovo_pad_info" and each.labels["desk"] == "centre-1"
    ]
    assert (info["version"], info["reset"]) == ("0.1.0", "power")
