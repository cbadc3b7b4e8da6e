"""Which past days a demonstration lays down, and that it goes on after having been stopped in the middle."""

import asyncio
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from collector.register import read_register
from collector.store import Store
from schemas.periods import day_key
from sim import past
from sim.city import CITY, TIMEZONE, with_fewer_desks
from sim.errors import ChildFailed
from sim.place import Place

DESKS = 2


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A folder whose database knows the register and no call."""
    made = Place(tmp_path / "demo")
    made.claim()
    made.prepare(with_fewer_desks(CITY, DESKS))
    with Store.open(made.database_url) as store:
        store.load_register(read_register(made.register))
    return made


def yesterday() -> date:
    return datetime.now(ZoneInfo(TIMEZONE)).date() - timedelta(days=1)


def days_with_calls(place: Place) -> list[int]:
    with Store.open(place.database_url) as store:
        return sorted({row.day for row in store.rollups("branch", 19700101, 99991231)})


def test_a_first_run_lacks_every_day_up_to_yesterday(place: Place) -> None:
    assert past.missing_days(place, 10) == (yesterday() - timedelta(days=9), yesterday())


def test_days_are_laid_down_with_progress_and_nothing_is_missing_then(place: Place) -> None:
    told: list[float] = []
    first, last = yesterday() - timedelta(days=8), yesterday()
    asyncio.run(past.lay_down(place, first, last, lambda fraction, _day: told.append(fraction), desks=DESKS))
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert set(days_with_calls(place)) <= {day_key(first + timedelta(days=number)) for number in range(9)}
    missing = past.missing_days(place, 365)  # a Sunday has no calls, so yesterday may stay without any
    assert missing is None or missing[0] > first + timedelta(days=6)
    with Store.open(place.database_url) as store:
        assert store.recount() == []
        assert store.counts()["kept"] == {}


def test_a_history_that_was_stopped_in_the_middle_is_gone_on_with(place: Place) -> None:
    first, last = yesterday() - timedelta(days=200), yesterday()

    async def stop_in_the_middle() -> None:
        middle = asyncio.Event()
        work = asyncio.create_task(
            past.lay_down(place, first, last, lambda fraction, _: middle.set() if fraction > 0.1 else None, desks=DESKS)
        )
        await middle.wait()
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)

    asyncio.run(stop_in_the_middle())
    laid = days_with_calls(place)
    assert laid
    missing = past.missing_days(place, 365)
    assert missing is not None
    assert day_key(missing[0]) == laid[-1] + 1 or missing[0].day == 1
    assert missing[1] == last
    with Store.open(place.database_url) as store:
        assert store.recount() == []


def test_what_stops_the_history_is_told(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.prepare(with_fewer_desks(CITY, DESKS))
    (tmp_path / "zrazkovo.db").write_bytes(b"no database" * 1000)
    with pytest.raises(ChildFailed, match="history"):
        asyncio.run(past.lay_down(place, yesterday(), yesterday(), lambda *_: None, desks=DESKS))
