"""A whole office's pages for a test: thirteen simulated months in a real store behind a real server. No test is in it.

It has no pads and no broker: what those show is the business of test_browser.py and test_devices.py.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page

from api.auth import SCOPES
from api.nightly import run_chores
from api.pictures import MONTHS, months_before
from api.publication import closing
from api.settings import Settings
from collector.store import Limits, Person, Read, Store
from sim.city import CITY, with_fewer_desks
from sim.gaming import Gamer
from sim.history import lay_down
from sim.office import register
from tests.contract.api_office import now_unix_ms, serving
from tests.system.browser import Watched

CALLS_A_YEAR = 30_000
OPERATOR = "op-01"  # who has an account, by this login
WIDE, NARROW, SMALLEST, WALL = 1440, 390, 320, 2560
# WCAG 2.2 AA with axe's own good practice; "region" and the like are no law, and cost nothing to keep.
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_AXE = Axe()


@dataclass(frozen=True)
class OfficePages:
    """Where the pages are and whose token opens all of them."""

    address: str
    token: str
    store: Store

    def visitor(
        self, browser: Browser, *, signed_in: bool = True, person: str | None = None, **options: Any
    ) -> BrowserContext:
        """A new visitor: with the token of everything, as the person of that login, or nobody; ``options`` as of a
        browser's context.
        """
        headers = {"Authorization": f"Bearer {self.token}"} if signed_in and person is None else {}
        # Without motion no colour is on its way from light to dark while it is measured.
        still = {"viewport": {"width": WIDE, "height": 900}, "color_scheme": "light", "reduced_motion": "reduce"}
        options = still | options
        context = browser.new_context(extra_http_headers=headers, **options)
        context.set_default_timeout(60_000)
        if person is not None:
            who = self.store.staff.by_login(person)
            assert who is not None
            secret = self.store.staff.open_session(who.id, now_unix_ms() + 3_600_000)
            context.add_cookies([{"name": "zrazkovo", "value": secret, "url": self.address}])
        return context

    def watched(self, page: Page) -> Watched:
        return Watched(page, self.address)


@contextmanager
def office_pages(folder: Path) -> Iterator[OfficePages]:
    """The office, filled to yesterday, with the night's work done and a month published."""
    url = f"sqlite:///{folder / 'office.db'}"
    city = with_fewer_desks(CITY, 12)
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    with Store.open(url) as store:
        store.load_register(register(city))
        first = months_before(yesterday.replace(day=1), MONTHS - 1)
        gamers = {"op-02": Gamer("calls_ghosts_in_a_row", 0.8)}  # so that the page of signals has one
        lay_down(url, city, first_day=first, last_day=yesterday, seed=5, calls=CALLS_A_YEAR, gamers=gamers)
        run_chores(store, Settings(database_url=url), now_unix_ms())
        holder = _Holder(url, store)
        month = f"{months_before(yesterday.replace(day=1), 2):%Y-%m}"  # the one after it the night may have published
        closing.publish(store, closing.plan(store, month, now_unix_ms()), by="", now_unix_ms=now_unix_ms())
        token = store.create_token("everybody", SCOPES)
        own = Limits(operator=OPERATOR, branches=frozenset({"tsentr"}))
        store.staff.create(Person(OPERATOR, "Оксана Віконна", "operator", own, created_by="test"))
        read = Read(role="head_of_centre", about=OPERATOR)  # so that the operator's own page tells of one
        store.log_access("head", "analysis", True, f"by=operator key={OPERATOR}", read)
        with serving(holder) as address:  # type: ignore[arg-type]  # it needs no more of an office
            yield OfficePages(address, token, store)


@dataclass(frozen=True)
class _Holder:
    url: str
    store: Store


def findings(page: Page, *, only_contrast: bool = False) -> list[str]:
    """What axe-core finds on the page as it stands, a line each: how grave, which rule, where."""
    run = {"type": "rule", "values": ["color-contrast"]} if only_contrast else {"type": "tag", "values": RULES}
    answer = _AXE.run(page, options={"resultTypes": ["violations"], "runOnly": run})
    return [
        f"{each['impact']} {each['id']}: {node['target']} {node.get('failureSummary', '')[:200]}"
        for each in answer.response["violations"]
        for node in each["nodes"]
    ]


def too_wide(page: Page) -> int:
    """How many pixels the page must be scrolled sideways."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))
