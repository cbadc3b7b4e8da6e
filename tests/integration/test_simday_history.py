"""History laid down through the collector's own join and store: nothing kept aside, figures as invented, days whole."""

from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest

from collector.store import Store
from schemas.periods import day_key
from sim.city import CITY
from sim.history import lay_down, next_day
from sim.office import register
from sim.year import calls_of_day

FIRST, SUNDAY, LAST = date(2026, 9, 24), date(2026, 9, 27), date(2026, 10, 4)
CALLS_A_YEAR = 40_000

Figures = dict[tuple[str, str, str, int], tuple[int, ...]]


class Interrupted(Exception):
    pass


def quiet(fraction: float, text: str) -> None:
    pass


def lay(url: str, first: date = FIRST, last: date = LAST, *, told: Callable[[float, str], None] = quiet) -> int:
    return lay_down(url, CITY, first_day=first, last_day=last, seed=7, calls=CALLS_A_YEAR, progress=told)


def figures(url: str) -> Figures:
    with Store.open(url) as store:
        assert store.recount() == []
        assert store.counts()["kept"] == {}
        assert store.counts()["waiting"] == 0
        return {
            (cut, row.branch, row.key, row.day): (row.calls, row.eligible, row.bad, row.good, row.exemplary)
            for cut in ("branch", "service", "operator", "desk")
            for row in store.rollups(cut, 20200101, 20991231)
        }


@pytest.fixture
def url(tmp_path: Path) -> str:
    return database(tmp_path / "collector.db")


def database(file: Path) -> str:
    url = f"sqlite:///{file}"
    with Store.open(url) as store:
        store.load_register(register())
    return url


def test_what_was_invented_is_what_is_counted(url: str) -> None:
    told: list[tuple[float, str]] = []
    laid = lay(url, told=lambda fraction, day: told.append((fraction, day)))
    wanted: Counter[tuple[str, int, int]] = Counter()
    for number in range((LAST - FIRST).days + 1):
        today = FIRST + timedelta(days=number)
        # As far as the year's drift had come by that day.
        for call in calls_of_day(CITY, today, seed=7, calls=CALLS_A_YEAR, progress=number / 365):
            wanted[call.branch, day_key(today), call.rating] += 1
    shown = {(branch, day): row for (cut, branch, _, day), row in figures(url).items() if cut == "branch"}
    for (branch, day), row in shown.items():
        assert row[2:] == tuple(wanted[branch, day, rating] for rating in (1, 2, 3))
        assert row[0] == sum(wanted[branch, day, rating] for rating in range(4))
    assert laid == wanted.total() == sum(row[0] for row in shown.values())
    assert told[-1] == (1.0, LAST.isoformat())
    assert [fraction for fraction, _ in told] == sorted(fraction for fraction, _ in told)


def test_days_that_were_laid_down_in_two_runs_are_the_same_as_in_one(tmp_path: Path) -> None:
    one, two = database(tmp_path / "one.db"), database(tmp_path / "two.db")
    lay(one)
    lay(two, FIRST, SUNDAY)
    goes_on = next_day(two)
    assert goes_on == SUNDAY  # it has no calls; to lay it down again is nothing
    lay(two, goes_on, LAST)
    assert figures(one) == figures(two)


def test_a_run_that_was_interrupted_leaves_whole_days_and_is_gone_on_with(tmp_path: Path) -> None:
    def stop(fraction: float, day: str) -> None:
        if fraction > 0.5:
            raise Interrupted

    one, two = database(tmp_path / "one.db"), database(tmp_path / "two.db")
    lay(one)
    with pytest.raises(Interrupted):
        lay(two, told=stop)
    goes_on = next_day(two)
    assert goes_on and FIRST < goes_on <= LAST
    lay(two, goes_on, LAST)
    assert figures(one) == figures(two)


def test_the_same_run_again_changes_nothing(url: str) -> None:
    lay(url)
    before = figures(url)
    lay(url)
    assert figures(url) == before


def test_an_empty_database_has_no_next_day(url: str) -> None:
    assert next_day(url) is None
