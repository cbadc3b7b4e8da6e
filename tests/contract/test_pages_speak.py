"""Every page speaks the reader's language throughout: no sentence of ours is left in English or in Ukrainian."""

import io
import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from html.parser import HTMLParser

import openpyxl
import pypdf
import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.i18n import SOURCE_LANGUAGE, load_languages
from api.publication import closing
from api.rendering import LANGUAGE_COOKIE
from api.reports.gathering import gather
from api.reports.order import Order
from api.reports.paper import paper
from api.reports.sheets import workbook
from api.reports.text import Text
from api.settings import Settings
from collector.store import Limits, Person, Read
from schemas.periods import Period
from tests.contract.api_office import KYIV, Office, now_unix_ms

SCOPES = (
    "figures", "operators", "devices", "try", "control", "report", "register", "names", "reports", "publish",
    "disclose", "signals", "access_log", "users", "evidence",
)  # fmt: skip
PAGES = (
    "/overview", "/overview?month=2026-06", "/branches/centre?month=2026-06", "/figures", "/figures?from=never",
    "/live", "/try", "/devices", "/devices/centre-1", "/devices/centre-1/restart", "/updates", "/report",
    "/report/centre-1", "/register", "/register/desks", "/register/services/passport", "/register/exchange",
    "/requests", "/requests/new", "/reports", "/signals", "/signals?purpose=analysis", "/operators",
    "/operators?purpose=analysis", "/people", "/tokens", "/access-log", "/orders", "/account", "/nowhere",
    "/public", "/open-data", "/evidence",
)  # fmt: skip
NOW = int(datetime(2026, 8, 6, 12, tzinfo=KYIV).timestamp() * 1000)
OTHERS = sorted(set(load_languages()) - {SOURCE_LANGUAGE, "uk"})
SHOWN = ("aria-label", "title", "alt", "placeholder")
ENGLISH = re.compile(r"\b(the|of|with|and|not|from)\b", re.IGNORECASE)
CYRILLIC = re.compile(r"[\u0400-\u04ff]")
VOID = {"meta", "link", "img", "input", "br", "hr", "col"}


class Said(HTMLParser):
    """What a page says in its own language: text and labels outside everything that is marked as another's."""

    def __init__(self, text: str, language: str):
        super().__init__()
        self.said: list[str] = []
        self._language = language
        self._open: list[tuple[str, str]] = []
        self.feed(text)

    def _now(self) -> tuple[str, str]:
        return self._open[-1] if self._open else ("", self._language)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        language = found.get("lang") or self._now()[1]
        if language == self._language:
            self.said += [found[name] or "" for name in SHOWN if name in found]
        if tag not in VOID:
            self._open.append((tag, language))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        return None

    def handle_endtag(self, tag: str) -> None:
        if tag == self._now()[0]:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        tag, language = self._now()
        if tag not in ("script", "style") and language == self._language:
            self.said.append(" ".join(data.split()))


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    made = Office(tmp_path_factory.mktemp("office"))
    whole_year(made)
    yield made
    made.store.close()


@pytest.fixture
def browser(office: Office) -> Iterator[TestClient]:
    settings = Settings(database_url=office.url, bench_host="127.0.0.1", bench_port=1)
    headers = {"Authorization": f"Bearer {office.token(*SCOPES)}", "Accept": "text/html"}
    with TestClient(create_app(settings, office.store), headers=headers) as client:
        yield client


def foreign(said: Iterable[str], names: set[str]) -> list[str]:
    """What is English or Ukrainian of it, but for ``names``."""
    return [text for text in set(said) - names if ENGLISH.search(text) or CYRILLIC.search(text)]


def names_of(office: Office) -> set[str]:
    """The office's own names in English, and each language's name in itself: a choice of languages shows these."""
    register = office.store.register()
    named = {each.name_en for part in (register.branches, register.services) for each in part}
    return named | {each.own_name for each in load_languages().values()}


def whole_year(office: Office) -> None:
    """Calls and votes of the months before ``NOW``, those of named and of unnamed services, and two editions."""
    for month in range(1, 8):
        begin = datetime(2026, month, 2, 9, tzinfo=KYIV)
        for number in range(90):
            office.call(
                ("centre-1", "centre-2", "vyshenka-1")[number % 3],
                begin + timedelta(minutes=7 * number),
                rating=(3, 3, 2, 3, None, 1 if month < 6 else 3)[number % 6],
                operator=("olena", "petro", "ivan", "taras")[number // 3 % 4],
                service="passport" if number % 9 else None,
            )
    for month_name in ("2026-05", "2026-06"):
        closing.publish(office.store, closing.plan(office.store, month_name, NOW), by="head", now_unix_ms=NOW)


@pytest.mark.parametrize("language", OTHERS)
def test_no_page_says_anything_in_another_language(office: Office, browser: TestClient, language: str) -> None:
    browser.cookies.set(LANGUAGE_COOKIE, language)
    found = []
    for path in PAGES:
        answer = browser.get(path)
        assert answer.status_code < 500, path
        said = Said(answer.text, language).said
        assert len(said) > 10, path
        found += [(path, text) for text in foreign(said, names_of(office))]
    assert found == []


@pytest.mark.parametrize("language", OTHERS)
def test_an_operators_own_page_does_not_either(office: Office, language: str) -> None:
    staff = office.store.staff
    limits = Limits(operator="olena", branches=frozenset({"centre"}))
    person = staff.by_login("olena") or staff.create(Person("olena", "Olena", "operator", limits, created_by="test"))
    secret = staff.open_session(person.id, now_unix_ms() + 600_000)
    office.store.log_access("head", "analysis", True, "by=operator", Read(role="head_of_centre", about="olena"))
    with office.client() as client:
        headers = {"Cookie": f"zrazkovo={secret}; {LANGUAGE_COOKIE}={language}", "Accept": "text/html"}
        answer = client.get("/my-figures", headers=headers)
    said = Said(answer.text, language).said
    assert answer.status_code == 200 and len(said) > 10
    assert foreign(said, names_of(office) | {"Olena"}) == []


@pytest.mark.parametrize("language", OTHERS)
def test_no_paper_and_no_workbook_says_anything_in_another_language(office: Office, language: str) -> None:
    speaks = load_languages()[language]
    for cut in ("centre", "operator"):
        asked = Order(cut=cut, period=Period.MONTH, day=date(2026, 6, 1), language=language, purpose="analysis")
        text = Text(gather(office.store, asked, NOW), speaks)
        book = openpyxl.load_workbook(io.BytesIO(workbook(text)))
        said = [str(each.value) for sheet in book for row in sheet.iter_rows() for each in row if each.value]
        pages = pypdf.PdfReader(io.BytesIO(paper(text))).pages
        said += [line for page in pages for line in page.extract_text().splitlines()]
        assert len(said) > 60
        assert foreign(said, names_of(office)) == []
