"""An office with people of every role for the tests of who may see what, and others' figures planted in it. No test.

What is planted has names of its own: they must not stand in the answer to a role that sees its own only.
"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import httpx2
from fastapi import FastAPI
from starlette.testclient import TestClient

from api.access.roles import ROLES
from api.app import create_app
from api.disclosure.desk import registered
from api.settings import Settings
from collector.store import Limits, NewReport, NewSignal, Person, ReadingOrder, SignalMonth, Token
from schemas.disclosure_resources import NewRequest
from schemas.periods import day_key
from schemas.register import Direction, Operator, Participant, Service
from tests.contract.access_matrix import NOBODY, Line
from tests.contract.api_office import IN_ONE_ZONE, KYIV, Office

FOREIGN_BRANCH, FOREIGN_DESK = "vyshenka", "vyshenka-1"
TODAY = datetime.now(KYIV).date()
LAST_MONTH = (TODAY.replace(day=1) - timedelta(days=1)).replace(day=15)
LEFT = LAST_MONTH.replace(day=10)  # the last day of an employee who changed the organisation
LIMITS = {
    "head_of_branch": Limits(branches=frozenset({"centre"})),
    "participant_head": Limits(participants=frozenset({"own-org"}), directions=frozenset({"own-direction"})),
    "operator": Limits(operator="own-operator", branches=frozenset({"centre"})),
}
BROWSER = {"Origin": "http://testserver"}
HTML = {"Accept": "text/html"}


@dataclass(frozen=True)
class House:
    office: Office
    app: FastAPI
    client: TestClient
    people: dict[str, Person]
    order: int

    def cookie(self, who: str) -> dict[str, str]:
        if who == NOBODY:
            return {}
        secret = self.office.store.staff.open_session(self.people[who].id, now_unix_ms() + 60_000)
        return {"Cookie": f"zrazkovo={secret}"}

    def ask(self, who: str, line: Line, places: dict[str, str], more: str = "", **headers: str) -> httpx2.Response:
        """The answer to a line's question; ``more`` is added to its query."""
        address = line.address.format_map(places)
        address += (("&" if "?" in address else "?") + more) if more else ""
        page = {} if line.path.startswith("/v1/") else HTML
        return self.client.request(
            line.method, address, headers=BROWSER | page | self.cookie(who) | headers, follow_redirects=False
        )


@contextmanager
def open_house(folder: Path) -> Iterator[House]:
    """The office, its application and its people, by role."""
    office = Office(folder)
    office.store.load_register(_register())
    _fill(office)
    people = {
        role: office.store.staff.create(
            Person(role.replace("_", "-"), role, role, LIMITS.get(role, Limits()), created_by="test")
        )
        for role in ROLES
    }
    app = create_app(Settings(database_url=office.url), office.store)
    with TestClient(app, raise_server_exceptions=False) as client:
        app.state.parts.hub.close()  # a stream would not end; one that is let in is told that there is no room
        yield House(office, app, client, people, _order(office))
    office.store.close()


def nobody_any_more(house: House, kind: str) -> dict[str, str]:
    """The headers of somebody who was somebody once."""
    staff = house.office.store.staff
    if kind == "forged":
        return {"Cookie": "zrazkovo=p_" + "A" * 43}
    if kind == "revoked_token":
        secret = house.office.store.create_token("gone", ["figures", "operators", "devices", "register", "users"])
        house.office.store.revoke_token("gone")
        return {"Authorization": f"Bearer {secret}"}
    role = {"unknown_role": "mayor", "without_limits": "head_of_branch"}.get(kind, "head_of_centre")
    ends = now_unix_ms() + 500 if kind == "expired" else None
    made = staff.create(Person(f"was-{kind.replace('_', '-')}", kind, role, created_by="test", expires_unix_ms=ends))
    secret = staff.open_session(made.id, now_unix_ms() - 1 if kind == "ended" else now_unix_ms() + 60_000)
    if kind == "disabled":
        staff.disable(made.id, "test")
    if kind == "idle":
        forget_use(house.office)
    if kind == "expired":
        while now_unix_ms() <= (ends or 0):
            time.sleep(0.01)
    return {"Cookie": f"zrazkovo={secret}"}


def forget_use(office: Office) -> None:
    with sqlite3.connect(office.url.removeprefix("sqlite:///")) as database:
        database.execute("update person_session set seen_unix_ms = seen_unix_ms - 10000000")


def _register() -> object:
    social, other = Direction(id="own-direction", name="С", name_en="S"), Direction(id="other", name="І", name_en="O")
    return IN_ONE_ZONE.model_copy(
        update={
            "directions": (social, other),
            "services": (
                Service(id="passport", name="Паспорт", name_en="Passport", direction="own-direction"),
                Service(id="planted-service", name="Чужа", name_en="Foreign", direction="other"),
            ),
            "participants": (
                Participant(id="own-org", name="Своя", name_en="Own"),
                Participant(id="planted-org", name="Інша", name_en="Other"),
            ),
            "operators": (
                Operator(id="own-operator", kind="participant", participant="own-org"),
                Operator(id="colleague"),
                Operator(id="planted-operator", kind="participant", participant="planted-org"),
                Operator(id="leaver", kind="participant", participant="own-org", valid_to=LEFT),
                Operator(
                    id="leaver", kind="participant", participant="planted-org", valid_from=LEFT + timedelta(days=1)
                ),
            ),
        }
    )


def _fill(office: Office) -> None:
    """Last month 12, 12, 10 + 11 own votes and 13 of others; this month 12 of the own operator, which is not over."""

    def some(number: int, desk: str, operator: str, day: date, service: str = "passport") -> None:
        for n in range(number):
            at = datetime(day.year, day.month, day.day, 9, n, tzinfo=UTC)
            office.call(desk, at, rating=1 + n % 3, operator=operator, service=service)

    some(12, "centre-1", "own-operator", LAST_MONTH)
    some(12, "centre-2", "colleague", LAST_MONTH)
    some(10, "centre-1", "leaver", LEFT)
    some(11, "centre-1", "leaver", LEFT + timedelta(days=1))
    some(13, FOREIGN_DESK, "planted-operator", LAST_MONTH, "planted-service")
    some(12, "centre-1", "own-operator", TODAY)
    _reports(office)
    _signals(office)
    _requests(office)
    office.store.totals.make_mix(now_unix_ms())
    office.pad("centre-1")
    office.pad(FOREIGN_DESK)
    office.store.fleet.report("centre-1", "test")
    office.store.fleet.report(FOREIGN_DESK, "test")


def _reports(office: Office) -> None:
    """Numbers 1 and 2 of the own branch and direction; 3 and 4 of others'."""
    day = day_key(LAST_MONTH)
    for cut, key, title in (
        ("branch", "centre", "Own branch"),
        ("direction", "own-direction", "Own direction"),
        ("branch", FOREIGN_BRANCH, f"{FOREIGN_BRANCH} planted-service planted-operator colleague"),
        ("direction", "other", f"{FOREIGN_BRANCH} planted-service planted-operator colleague"),
    ):
        new = NewReport("test", cut, key, "month", day, day, day, "en", title, 1, "0", "{}")
        office.store.reports.add(new, {"csv": title.encode()})


def _requests(office: Office) -> None:
    """Number 1 about the own branch, number 2 about another one."""
    clerk = Token(0, "test", frozenset({"disclose"}), 0, None, None)
    for branch, subject in (("centre", "own"), (FOREIGN_BRANCH, f"{FOREIGN_BRANCH} planted-operator")):
        asked = {"requester_class": "council", "form": "written", "branch": branch, "subject": subject}
        new = NewRequest.model_validate(asked | {"received_at": datetime.now(UTC)})
        registered(office.store, clerk, new, now_unix_ms())


def _signals(office: Office) -> None:
    """Number 1 of the own branch, number 2 of another one, in a month that is shown."""
    month = LAST_MONTH.year * 100 + LAST_MONTH.month
    found = [
        NewSignal("empty_service", operator, branch, "", 0.5, 0.0, 50, 1e-9, 1e-7, 0, 0, 25, {"count": 25.0})
        for operator, branch in (("own-operator", "centre"), ("planted-operator", FOREIGN_BRANCH))
    ]
    office.store.signals.keep(SignalMonth(month, 0, "", 4, 58, False), found, rates=[], marked=[])


def _order(office: Office) -> int:
    day = day_key(TODAY - timedelta(days=2))
    ends = day_key(TODAY + timedelta(days=5))
    return office.store.staff.record_order(ReadingOrder("7", day, "Mayor", "to see", None, None, "test", ends))


def now_unix_ms() -> int:
    return time.time_ns() // 1_000_000
