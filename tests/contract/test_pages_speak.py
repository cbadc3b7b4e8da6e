"""Every page speaks the reader's language throughout: no sentence of ours is left in English or in Ukrainian."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.i18n import SOURCE_LANGUAGE, load_languages
from api.rendering import LANGUAGE_COOKIE
from api.settings import Settings
from tests.contract.api_office import Office

SCOPES = (
    "figures", "operators", "devices", "try", "control", "report", "register", "names", "reports", "publish",
    "disclose", "signals", "access_log", "users", "evidence",
)  # fmt: skip
PAGES = (
    "/overview", "/branches/centre", "/figures", "/figures?from=never", "/live", "/try", "/devices",
    "/devices/centre-1", "/devices/centre-1/restart", "/updates", "/report", "/report/centre-1", "/register",
    "/register/desks", "/register/services/passport", "/register/exchange", "/requests", "/requests/new",
    "/reports", "/signals", "/signals?purpose=analysis", "/operators", "/operators?purpose=analysis", "/people",
    "/tokens", "/access-log", "/orders", "/account", "/nowhere",
)  # fmt: skip
OTHERS = sorted(set(load_languages()) - {SOURCE_LANGUAGE, "uk"})
SHOWN = ("aria-label", "title", "alt", "placeholder")
ENGLISH = re.compile(r"\b(the|of|with|and|not|from)\b", re.IGNORECASE)
CYRILLIC = re.compile(r"[\u0400-\u04ff]")
VOID = {"meta", "link", "img", "input", "br", "path", "circle", "rect"}


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
        self._open.pop()

    def handle_data(self, data: str) -> None:
        tag, language = self._now()
        if tag not in ("script", "style") and language == self._language:
            self.said.append(" ".join(data.split()))


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path)
    yield made
    made.store.close()


@pytest.fixture
def browser(office: Office) -> Iterator[TestClient]:
    settings = Settings(database_url=office.url, bench_host="127.0.0.1", bench_port=1)
    headers = {"Authorization": f"Bearer {office.token(*SCOPES)}", "Accept": "text/html"}
    with TestClient(create_app(settings, office.store), headers=headers) as client:
        yield client


@pytest.mark.parametrize("language", OTHERS)
def test_no_page_says_anything_in_another_language(office: Office, browser: TestClient, language: str) -> None:
    at = datetime.now(UTC).replace(microsecond=0)
    for days in (1, 2, 33, 64):
        for rating in (1, 2, 3, 3, None):
            office.call("centre-1", at - timedelta(days=days), rating=rating)
            office.call("centre-2", at - timedelta(days=days), rating=rating, service=None)
    register = office.store.register()
    names = {each.own_name for each in load_languages().values()}  # a choice of languages names each in itself
    names |= {each.name_en for part in (register.branches, register.services) for each in part}
    browser.cookies.set(LANGUAGE_COOKIE, language)
    found = []
    for path in PAGES:
        answer = browser.get(path)
        said = Said(answer.text, language).said if answer.status_code < 500 else [f"the answer {answer.status_code}"]
        assert len(said) > 10, path
        found += [(path, text) for text in set(said) - names if ENGLISH.search(text) or CYRILLIC.search(text)]
    assert found == []
