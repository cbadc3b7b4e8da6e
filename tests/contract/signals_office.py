"""An office with four closed months in its store, in which one operator calls ghosts: for the signals' tests."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from starlette.testclient import TestClient

from api.app import create_app
from api.integrity import chore
from api.settings import Settings
from collector.store import Limits, Store, Token
from schemas.register import Register
from sim import history
from sim.city import CITY, TIMEZONE
from sim.gaming import Gamer
from sim.office import register as city_register

MONTHS = (202606, 202607, 202608, 202609)
GHOSTS, COVERS = "op-03", "op-20"  # of the branches tsentr and vyshenka
NOW_UNIX_MS = int(datetime(2026, 10, 20, 3, tzinfo=ZoneInfo(TIMEZONE)).timestamp() * 1000)


@dataclass
class SignalsOffice:
    """``said`` is what the night's work had to say."""

    url: str
    store: Store
    said: list[str] = field(default_factory=list)

    def client(self, *scopes: str) -> TestClient:
        secret = self.store.create_token(f"reader {len(self.store.tokens())}", scopes)
        app = create_app(Settings(database_url=self.url), self.store)
        return TestClient(app, headers={"Authorization": f"Bearer {secret}"}, raise_server_exceptions=False)


@contextmanager
def signals_office(folder: Path) -> Iterator[SignalsOffice]:
    """A week of each month, told as the wire tells them, and then a night's work."""
    url = f"sqlite:///{folder / 'office.db'}"
    with Store.open(url) as store:
        store.load_register(register())
        for month in MONTHS:
            history.lay_down(
                url,
                CITY,
                first_day=date(month // 100, month % 100, 2),
                last_day=date(month // 100, month % 100, 8),
                seed=5,
                calls=200_000,
                gamers={GHOSTS: Gamer("calls_ghosts_in_a_row", 0.8), COVERS: Gamer("covers_the_pad_always", 0.7)},
            )
        office = SignalsOffice(url, store)
        office.said = chore.run(store, Settings(database_url=url), NOW_UNIX_MS)
        yield office


def register() -> Register:
    return city_register(CITY, date(2026, 10, 20))


def limited(*branches: str) -> Token:
    """A head of these branches."""
    scopes = frozenset({"figures", "operators", "signals"})
    limits = Limits(branches=frozenset(branches))
    return Token(1, "head", scopes, 0, None, None, role="head_of_branch", limits=limits)
