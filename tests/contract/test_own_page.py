"""My figures: an operator's own months, beside a branch that gives no colleague away, and who else has looked."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from api.pictures import months_before
from collector.store import Limits, LogFilter, Person
from schemas.register import Operator
from tests.contract.api_office import Office, now_unix_ms
from tests.contract.test_pages_html import VOID, Page

THIS_MONTH = datetime.now(UTC).date().replace(day=1)
LAST, BEFORE, LONG_AGO = (months_before(THIS_MONTH, n) for n in (1, 2, 3))
COLLEAGUES = ("petro", "iryna")


class Marked(Page):
    """A page and what stands in each of its marked elements."""

    def __init__(self, text: str):
        self._within: list[str | None] = []
        self._said: dict[str, list[str]] = {}
        super().__init__(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        super().handle_starttag(tag, attrs)
        mark = dict(attrs).get("data-testid")
        if mark:
            self._said.setdefault(mark, [])
        if tag not in VOID:
            self._within.append(mark)

    def handle_endtag(self, tag: str) -> None:
        super().handle_endtag(tag)
        self._within.pop()

    def handle_data(self, data: str) -> None:
        super().handle_data(data)
        for mark in self._within:
            if mark:
                self._said[mark].append(data)

    def has(self, mark: str) -> bool:
        return mark in self._said

    def said(self, mark: str) -> str:
        return " ".join(" ".join(self._said[mark]).split())


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path)
    register = made.store.register()
    people = tuple(Operator(id=name) for name in ("olena", *COLLEAGUES))
    made.store.load_register(register.model_copy(update={"operators": people}))
    yield made
    made.store.close()


def served(office: Office, operator: str, month: date, ratings: list[int], *, desk: str = "centre-1") -> None:
    at = datetime(month.year, month.month, 15, 10, tzinfo=UTC)
    for rating in ratings:
        office.call(desk, at, rating=rating, operator=operator)


def busy(office: Office) -> None:
    """Two whole months of three operators, and between them one in which Olena had few clients."""
    for month, own in ((LONG_AGO, [1, 2, *[3] * 18]), (BEFORE, [3] * 4), (LAST, [1, *[2] * 5, *[3] * 14])):
        served(office, "olena", month, own)
        for name in COLLEAGUES:
            served(office, name, month, [1] * 7 + [3] * 33)
    office.call("centre-1", datetime(LAST.year, LAST.month, 16, 10, tzinfo=UTC), outcome="no_show", operator="olena")


@contextmanager
def person(office: Office, role: str, limits: Limits) -> Iterator[TestClient]:
    staff = office.store.staff
    login = role.replace("_", "-")
    made = staff.by_login(login) or staff.create(Person(login, "Somebody Known", role, limits, created_by="test"))
    secret = staff.open_session(made.id, now_unix_ms() + 600_000)
    with office.client() as client:
        client.headers |= {"Cookie": f"zrazkovo={secret}", "Accept": "text/html"}
        yield client


OLENA = Limits(operator="olena", branches=frozenset({"centre"}))


def read(office: Office) -> Marked:
    with person(office, "operator", OLENA) as client:
        answer = client.get("/my-figures?lang=en")
        assert answer.status_code == 200, answer.text
        return Marked(answer.text)


def test_months_that_are_over_and_have_ten_votes_are_shown_and_no_colleague_is(office: Office) -> None:
    busy(office)
    page = read(office)
    words = page.text
    months = page.said("table-months")
    for month, is_shown in ((LONG_AGO, True), (BEFORE, False), (LAST, True), (THIS_MONTH, False)):
        assert (f"{month:%B %Y}" in months) == is_shown, month
    assert f"These were: {BEFORE:%B %Y}." in words
    assert "5.0%" in page.said("tile-bad") and "2 votes" in page.said("tile-bad")
    assert "40 votes" in page.said("tile-response") and "1 did not come" in page.said("left-out")
    assert "penalties" in page.said("notice-48")
    assert not [name for name in COLLEAGUES if name in words]


def test_the_branch_stands_beside_in_the_same_months(office: Office) -> None:
    busy(office)
    beside = read(office).said("table-beside")
    assert "You" in beside and "Centre" in beside
    assert "200" in beside  # 2 * (20 + 40 + 40): without the month that is not shown


def test_below_thirty_votes_nothing_is_compared(office: Office) -> None:
    for name in COLLEAGUES:
        served(office, name, LAST, [1, *[3] * 20])
    served(office, "olena", LAST, [1, *[3] * 20])
    page = read(office)
    assert not page.has("table-beside") and "fewer than 30 votes of your own" in page.said("beside")


@pytest.mark.parametrize("others", [{"petro": 60}, {"petro": 60, "iryna": 3}, {}])
def test_a_branch_that_would_tell_of_one_colleague_is_not_shown_anywhere(
    office: Office, others: dict[str, int]
) -> None:
    served(office, "olena", LAST, [1, *[3] * 39])
    for name, votes in others.items():
        served(office, name, LAST, [1, *[3] * (votes - 1)], desk="centre-2")
    page = read(office)
    assert not page.has("table-beside") and page.has("table-months")
    with person(office, "operator", OLENA) as client:
        assert client.get("/v1/aggregates?by=branch&period=month").json()["cells"] == []
        assert len(client.get("/v1/aggregates?by=operator&period=month").json()["cells"]) == 1
        assert Marked(client.get("/figures?lang=en").text).has("no-votes")


def test_without_a_month_to_show_it_says_so_kindly(office: Office) -> None:
    served(office, "olena", LAST, [3] * 9)
    page = read(office)
    assert "at least 10 votes" in page.said("nothing-yet") and not page.has("table-months")


def test_who_looked_is_told_by_day_role_and_purpose_and_not_by_name(office: Office) -> None:
    busy(office)
    with person(office, "head_of_centre", Limits()) as head:
        for key, purpose in (("olena", "analysis"), ("petro", "duties_review"), ("olena", "discipline")):
            head.get(f"/v1/aggregates?by=operator&key={key}&purpose={purpose}")
        head.get("/v1/aggregates?by=operator&purpose=improvement")
    read(office)
    looked = read(office).said("own-readings")
    assert "Head of the centre" in looked and "analysis of the work" in looked
    for hidden in ("review of the administrators", "discipline", "improvement", "Somebody Known", "head-of-centre"):
        assert hidden not in looked
    assert looked.count("Head of the centre") == 1 and "Operator" not in looked


def test_the_own_reading_is_written_down_too(office: Office) -> None:
    busy(office)
    read(office)
    [line] = office.store.staff.readings(LogFilter())
    assert (line.role, line.purpose, line.about, line.granted) == ("operator", None, "olena", True)


def test_it_is_the_first_page_of_operators_and_nobody_elses(office: Office) -> None:
    with person(office, "operator", OLENA) as client:
        assert client.get("/", follow_redirects=False).headers["location"] == "/my-figures"
        assert 'data-testid="nav-my-figures"' in client.get("/figures").text
    with person(office, "head_of_centre", Limits()) as client:
        assert client.get("/my-figures").status_code == 403
        assert "nav-my-figures" not in client.get("/overview").text
    with office.client("figures", "operators") as client:
        assert client.get("/my-figures", headers={"Accept": "text/html"}).status_code == 403
