"""A small simulated city with months of history, for the tests of reports and evidence. No test is in it."""

from datetime import date
from pathlib import Path

from collector.store import Store
from sim import history
from sim.city import CITY, with_fewer_desks
from sim.office import register

MONTH = date(2026, 3, 1)
FIRST, LAST = date(2025, 12, 1), date(2026, 4, 4)
NOW_UNIX_MS = 1_775_390_400_000  # noon of 5 April 2026, UTC
CALLS_A_YEAR = 40_000


def laid_down(folder: Path) -> Store:
    """An open store; the same figures every time."""
    url = f"sqlite:///{folder / 'city.db'}"
    city = with_fewer_desks(CITY, 12)
    with Store.open(url) as store:
        store.load_register(register(city, today=LAST))
    history.lay_down(url, city, first_day=FIRST, last_day=LAST, seed=5, calls=CALLS_A_YEAR)
    return Store.open(url)
