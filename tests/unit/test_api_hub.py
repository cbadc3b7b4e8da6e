"""The live hub with a real store, inside one event loop: order, slow readers, its end."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.hub import BACKLOG, SUBSCRIBERS, Hub
from collector.store import StoreUnavailable
from schemas.resources import LampState
from tests.contract.api_office import Office, until


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path)
    yield made
    made.store.close()


def lamp(lamps: str) -> LampState:
    return LampState(desk="centre-1", lamps=lamps, connected=True)


def test_a_subscriber_that_does_not_read_is_dropped_and_its_stream_ends(office: Office) -> None:
    async def scenario() -> tuple[int, list[bytes | None]]:
        hub = Hub(office.store)
        subscription = await hub.subscribe(lamps=True)
        assert subscription is not None
        for n in range(BACKLOG * 2):
            hub.show_lamps([lamp("010" if n % 2 else "000")])
        left = hub.subscribers
        events = []
        while not subscription.events.empty():
            events.append(subscription.events.get_nowait())
        return left, events

    left, events = asyncio.run(scenario())
    assert left == 0
    assert len(events) == BACKLOG + 1
    assert events[-1] is None
    assert events[0] is not None and events[0].startswith(b"event: snapshot\n")


def test_lamps_shown_before_a_subscription_are_in_its_first_lamps_event(office: Office) -> None:
    async def scenario() -> bytes | None:
        hub = Hub(office.store)
        hub.show_lamps([lamp("111")])
        hub.show_lamps([lamp("010")])
        subscription = await hub.subscribe(lamps=True)
        assert subscription is not None
        await subscription.events.get()
        return await subscription.events.get()

    assert asyncio.run(scenario()) == (
        b'event: lamps\ndata: {"lamps":[{"desk":"centre-1","lamps":"010","connected":true}]}\n\n'
    )


def test_closing_ends_every_stream_and_lets_nobody_in(office: Office) -> None:
    async def scenario() -> tuple[bytes | None, bool]:
        hub = Hub(office.store)
        subscription = await hub.subscribe(lamps=False)
        assert subscription is not None
        await subscription.events.get()
        hub.close()
        return await subscription.events.get(), await hub.subscribe(lamps=False) is None

    assert asyncio.run(scenario()) == (None, True)


def test_there_is_room_for_so_many_streams_and_no_more(office: Office) -> None:
    async def scenario() -> bool:
        hub = Hub(office.store)
        for _ in range(SUBSCRIBERS):
            assert await hub.subscribe(lamps=False) is not None
        return await hub.subscribe(lamps=False) is None

    assert asyncio.run(scenario())


def test_a_change_between_two_subscriptions_reaches_the_first_as_a_difference(office: Office) -> None:
    async def scenario() -> list[bytes]:
        hub = Hub(office.store)
        first = await hub.subscribe(lamps=False)
        await asyncio.to_thread(office.pad, "centre-1", "armed")
        second = await hub.subscribe(lamps=False)
        assert first is not None and second is not None
        return [event or b"" for event in (first.events.get_nowait(), first.events.get_nowait())]

    snapshot, desks = asyncio.run(scenario())
    assert snapshot.startswith(b"event: snapshot\n")
    assert desks.startswith(b"event: desks\n") and b'"armed"' in desks


class Unwell:
    """A store that fails when told to; everything else is the real one's."""

    def __init__(self, office: Office):
        self._store = office.store
        self.failing = False

    def __getattr__(self, name: str) -> object:
        if self.failing:
            raise StoreUnavailable("the database does not answer: out of reach")
        return getattr(self._store, name)


def test_the_watcher_outlives_a_database_that_does_not_answer(
    office: Office, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("api.hub.LOOK_EVERY_S", 0.01)

    async def scenario() -> bytes | None:
        store = Unwell(office)
        hub = Hub(store)  # type: ignore[arg-type]
        watcher = asyncio.create_task(hub.run())
        subscription = await hub.subscribe(lamps=False)
        assert subscription is not None
        await subscription.events.get()
        store.failing = True
        await asyncio.to_thread(until, lambda: "live pages stand still" in caplog.text)
        store.failing = False
        await asyncio.to_thread(office.pad, "centre-1", "armed")
        async with asyncio.timeout(60):
            event = await subscription.events.get()
        watcher.cancel()
        await asyncio.gather(watcher, return_exceptions=True)
        return event

    event = asyncio.run(scenario())
    assert event is not None and event.startswith(b"event: desks\n")
    assert caplog.text.count("live pages stand still") == 1
