"""``GET /v1/live`` behind a real server: what a page is told, when, and what it is never told."""

import json
import time
from collections.abc import Iterator
from datetime import datetime
from itertools import cycle
from pathlib import Path
from typing import Any

import httpx2
import pytest

from api.livestate import look
from collector.store.faults import Closed, Opened
from tests.contract.api_office import KYIV, REGISTER, Office, events_of, now_unix_ms, serving, until


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path)
    yield made
    made.store.close()


@pytest.fixture
def address(office: Office) -> Iterator[str]:
    with serving(office) as made:
        yield made


class Stream:
    """One open stream, read event by event."""

    def __init__(self, response: httpx2.Response):
        self.response = response
        self._events = events_of(response)

    def next(self) -> tuple[str, dict[str, Any]]:
        name, data = next(self._events)
        return name, json.loads(data)

    def next_of(self, wanted: str) -> dict[str, Any]:
        """The next event of that name; others are passed over."""
        while True:
            name, data = self.next()
            if name == wanted:
                return data


def opened(office: Office, address: str, *scopes: str) -> Any:
    headers = {"Authorization": f"Bearer {office.token(*(scopes or ('figures', 'devices')))}"}
    return httpx2.stream("GET", f"{address}/v1/live", headers=headers, timeout=60)


def test_a_stream_begins_with_a_snapshot_of_every_desk_and_today(office: Office, address: str) -> None:
    office.pad("centre-1", "armed")
    office.call("centre-1", datetime.now(KYIV), rating=2)
    with opened(office, address) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        assert response.headers["cache-control"] == "no-store"
        name, data = Stream(response).next()
    assert name == "snapshot"
    assert data["simulated"] is True
    assert data["desks"][0] == {
        "desk": "centre-1",
        "branch": "centre",
        "label": "1",
        "state": "armed",
        "call_open": False,
        "faults": [],
    }
    assert [desk["state"] for desk in data["desks"][1:]] == ["never"] * 3
    assert [counts["branch"] for counts in data["today"]["branches"]] == ["centre", "vyshenka", "lisbon"]
    centre = data["today"]["centre"]
    assert (centre["branch"], centre["calls"], centre["votes"], centre["good"]) == (None, 1, 1, 1)


def test_a_change_is_told_with_the_changed_desk_only(office: Office, address: str) -> None:
    office.pad("centre-1", "dark")
    with opened(office, address) as response:
        stream = Stream(response)
        stream.next_of("snapshot")
        office.pad("centre-2", "armed")
        assert stream.next_of("desks")["desks"] == [
            {
                "desk": "centre-2",
                "branch": "centre",
                "label": "2",
                "state": "armed",
                "call_open": False,
                "faults": [],
            }
        ]
        office.call("centre-1", datetime.now(KYIV), outcome=None)
        assert [desk["desk"] for desk in stream.next_of("desks")["desks"] if desk["call_open"]] == ["centre-1"]


def test_a_vote_moves_the_figures_of_its_branch_and_of_the_centre(office: Office, address: str) -> None:
    with opened(office, address) as response:
        stream = Stream(response)
        stream.next_of("snapshot")
        office.call("vyshenka-1", datetime.now(KYIV), rating=3)
        today = stream.next_of("today")
    votes = {counts["branch"]: (counts["votes"], counts["exemplary"]) for counts in today["branches"]}
    assert votes == {"centre": (0, 0), "vyshenka": (1, 1), "lisbon": (0, 0)}
    assert today["centre"]["exemplary"] == 1


def test_a_fault_of_a_pad_is_told_and_so_is_its_end(office: Office, address: str) -> None:
    with opened(office, address) as response:
        stream = Stream(response)
        stream.next_of("snapshot")
        office.store.fleet.record([Opened("centre-2", "dark", None, "")])
        assert [(each["desk"], each["faults"]) for each in stream.next_of("desks")["desks"]] == [("centre-2", ["dark"])]
        office.store.fleet.record([Closed("centre-2", "dark")])
        assert [(each["desk"], each["faults"]) for each in stream.next_of("desks")["desks"]] == [("centre-2", [])]


def test_yesterdays_calls_are_not_todays_figures(office: Office, address: str) -> None:
    office.call("centre-1", datetime(2026, 3, 10, 11, tzinfo=KYIV), rating=3)
    with opened(office, address) as response:
        assert Stream(response).next()[1]["today"]["centre"]["calls"] == 0


def test_no_desk_is_ever_shown_with_a_rating_a_call_or_an_operator(office: Office, address: str) -> None:
    seen = ""
    with opened(office, address) as response:
        stream = Stream(response)
        seen += json.dumps(stream.next_of("snapshot")["desks"])
        call = office.call("centre-1", datetime.now(KYIV), rating=1, outcome=None)
        office.pad("centre-1", "voted")
        changed: set[str] = set()
        while "voted" not in changed:
            desks = stream.next_of("desks")["desks"]
            changed |= {desk["state"] for desk in desks}
            assert all(set(desk) == {"desk", "branch", "label", "state", "call_open", "faults"} for desk in desks)
            seen += json.dumps(desks)
    assert call not in seen and "olena" not in seen and "bad" not in seen


@pytest.mark.parametrize("scopes", [("figures",), ("devices",), ("figures", "operators", "metrics", "try")], ids=str)
def test_a_stream_needs_figures_and_devices(office: Office, address: str, scopes: tuple[str, ...]) -> None:
    with opened(office, address, *scopes) as response:
        assert response.status_code == 403


def test_only_who_may_try_pads_is_told_of_lamps(office: Office, address: str) -> None:
    with opened(office, address, "figures", "devices", "try") as response:
        stream = Stream(response)
        assert [stream.next()[0], stream.next()] == ["snapshot", ("lamps", {"lamps": []})]
    with opened(office, address) as response:
        stream = Stream(response)
        stream.next()
        office.pad("centre-1")
        assert stream.next()[0] == "desks"


def test_a_stream_ends_when_its_token_is_revoked(office: Office, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.live.HEARTBEAT_S", 0.05)
    token = office.store.create_token("soon gone", ["figures", "devices"])
    with httpx2.stream("GET", f"{address}/v1/live", headers={"Authorization": f"Bearer {token}"}) as response:
        stream = Stream(response)
        stream.next()
        office.store.revoke_token("soon gone")
        with pytest.raises(StopIteration):
            stream.next_of("nothing")


def test_a_closed_page_is_forgotten(office: Office, address: str) -> None:
    with opened(office, address) as response:
        stream = Stream(response)
        stream.next()
        assert httpx2.get(f"{address}/v1/health").json()["live_streams"] == 1
    until(lambda: httpx2.get(f"{address}/v1/health").json()["live_streams"] == 0)


def test_a_busy_stream_ends_too_when_its_token_is_revoked(
    office: Office, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where something happens all the time no pause ever lasts a heartbeat."""
    monkeypatch.setattr("api.live.HEARTBEAT_S", 1.0)
    token = office.store.create_token("soon gone", ["figures", "devices"])
    with httpx2.stream("GET", f"{address}/v1/live", headers={"Authorization": f"Bearer {token}"}) as response:
        stream = Stream(response)
        stream.next()
        office.store.revoke_token("soon gone")
        deadline = time.monotonic() + 20
        with pytest.raises(StopIteration):
            for phase in cycle(("armed", "dark")):
                assert time.monotonic() < deadline, "the stream outlived its token"
                office.pad("centre-1", phase)
                stream.next_of("desks")


def test_a_real_office_is_shown_votes_but_no_rating_live(office: Office) -> None:
    """A desk turning "voted" beside a count of "bad" going up by one would show that client's vote (order P3.2e)."""
    real = REGISTER.organisation.model_copy(update={"simulated": False})
    office.store.load_register(REGISTER.model_copy(update={"organisation": real}))
    office.call("centre-1", datetime.now(KYIV), rating=1)
    today = look(office.store, now_unix_ms()).today
    for counts in (today.centre, *today.branches):
        assert (counts.bad, counts.good, counts.exemplary) == (None, None, None)
    assert (today.centre.calls, today.centre.votes) == (1, 1)
