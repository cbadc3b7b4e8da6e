"""The pages as a browser gets them: who may see them, what they say, and that they need no inline code."""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.settings import Settings
from tests.contract.api_office import IN_ONE_ZONE, Office

EVERYTHING = ("figures", "devices", "try", "control", "report")
HTML = {"Accept": "text/html"}
# Elements without an end tag (HTML standard 13.1.2), and SVG's that are written so.
VOID = {"meta", "link", "img", "input", "br", "path", "circle", "rect"}


class Page(HTMLParser):
    """What a test wants to know of a page."""

    def __init__(self, text: str):
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        assert self._open == [], "an element is not closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open and self._open.pop() == tag, f"</{tag}> closes another element"

    def handle_data(self, data: str) -> None:
        if "script" not in self._open:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]

    def marked(self, testid: str) -> dict[str, str | None]:
        found = [attributes for _, attributes in self.tags if attributes.get("data-testid") == testid]
        assert len(found) == 1, f"{len(found)} elements are marked {testid}"
        return found[0]


FOR_EVERYBODY = ["nav-public", "nav-open-data"]  # the pages that need no sign-in


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path, IN_ONE_ZONE)
    yield made
    made.store.close()


@pytest.fixture
def browser(office: Office) -> Iterator[TestClient]:
    """A client with the demonstration's scopes at a server that has a bench (nobody answers there)."""
    settings = Settings(database_url=office.url, bench_host="127.0.0.1", bench_port=1)
    headers = {"Authorization": f"Bearer {office.token(*EVERYTHING)}", **HTML}
    with TestClient(create_app(settings, office.store), headers=headers, raise_server_exceptions=False) as client:
        yield client


def fill(office: Office, *ratings: int, silent: int = 0, days_ago: int = 0, desk: str = "centre-1") -> None:
    at = datetime.now(UTC).replace(microsecond=0) - timedelta(days=days_ago)
    for rating in [*ratings, *[None] * silent]:
        office.call(desk, at, rating=rating)


PATHS = (
    "/signin",
    "/overview",
    "/branches/centre",
    "/live",
    "/figures",
    "/try",
    "/nowhere",
    "/figures?from=never",
    "/devices",
    "/devices?faulty=1&q=centre&branch=centre",
    "/devices/centre-1",
    "/devices/centre-1/restart",
    "/updates",
    "/updates/start?version=1.1.0&plan=all&soak_min=0",
    "/report",
    "/report/centre-1",
)


# ---- every page
@pytest.mark.parametrize("language", ["uk", "en"])
@pytest.mark.parametrize("path", PATHS)
def test_a_page_is_whole_and_needs_no_inline_code(
    office: Office, browser: TestClient, path: str, language: str
) -> None:
    fill(office, 1, 2, 3, 3, silent=2)
    if path == "/signin":
        del browser.headers["Authorization"]  # whoever is signed in is sent on
    page = Page(browser.get(path, params={"lang": language}).text)
    for tag, attributes in page.tags:
        assert "style" not in attributes, tag
        assert not [name for name in attributes if name.startswith("on")], tag
    for script in page.all("script"):
        assert script.get("src") or script.get("type") == "application/json"
    assert page.all("html")[0]["lang"] == language
    assert len(page.all("h1")) == 1
    assert all("alt" in image for image in page.all("img"))
    ids = Counter(attributes["id"] for _, attributes in page.tags if "id" in attributes)
    assert [name for name, times in ids.items() if times > 1] == []


@pytest.mark.parametrize("path", PATHS)
def test_what_a_page_points_at_exists(office: Office, browser: TestClient, path: str) -> None:
    fill(office, 1, 2, 3)
    page = Page(browser.get(path).text)
    ids = {attributes.get("id") for _, attributes in page.tags}
    for _, attributes in page.tags:
        for name in ("for", "aria-labelledby", "aria-describedby"):
            assert set((attributes.get(name) or "").split()) <= ids, attributes
        for name in ("src", "href"):
            target = attributes.get(name) or ""
            if target.startswith("/static/"):
                assert browser.get(target).status_code == 200, target
            assert not re.match(r"(?:https?:)?//", target), "a page points at another host"


@pytest.mark.parametrize("path", PATHS)
def test_every_field_has_a_label(browser: TestClient, path: str) -> None:
    page = Page(browser.get(path).text)
    labelled = {label["for"] for label in page.all("label")}
    fields = [*page.all("input"), *page.all("select")]
    assert [field for field in fields if field.get("type") != "hidden" and field.get("id") not in labelled] == []


@pytest.mark.parametrize("path", ["/signin", "/live", "/figures", "/try", "/nowhere"])
def test_simulated_data_are_called_so_on_every_page(browser: TestClient, path: str) -> None:
    page = Page(browser.get(path).text)
    assert page.marked("simulated")["aria-labelledby"] == "simulated-title"
    assert "Дані змодельовано." in page.text


def test_real_data_are_not(office: Office, browser: TestClient) -> None:
    register = office.store.register()
    real = register.organisation.model_copy(update={"simulated": False})
    office.store.load_register(register.model_copy(update={"organisation": real}))
    assert "simulated" not in browser.get("/figures").text


# ---- language
def test_ukrainian_comes_first_and_a_choice_is_remembered(browser: TestClient) -> None:
    assert "<h1>Показники</h1>" in browser.get("/figures", headers={"Accept-Language": "en"}).text
    chosen = browser.get("/figures?lang=en")
    assert "<h1>Figures</h1>" in chosen.text
    assert {"HttpOnly", "SameSite=lax", "Path=/"} <= set(chosen.headers["set-cookie"].split("; "))
    assert "<h1>Figures</h1>" in browser.get("/figures").text


def test_a_language_that_is_none_is_the_offices_own(browser: TestClient) -> None:
    for value in ("de", "", "../uk", "uk' --"):
        response = browser.get("/figures", params={"lang": value})
        assert "<h1>Показники</h1>" in response.text
        assert "set-cookie" not in response.headers


def test_changing_the_language_keeps_the_question(browser: TestClient) -> None:
    page = Page(browser.get("/figures?period=week&branch=centre&lang=uk").text)
    assert page.marked("lang-en")["href"] == "?period=week&branch=centre&lang=en"


# ---- who
@pytest.mark.parametrize("path", ["/live", "/figures?period=week", "/try"])
def test_a_browser_without_a_session_is_sent_to_the_sign_in_page_and_back(office: Office, path: str) -> None:
    with office.client() as client:
        response = client.get(path, headers=HTML)
        assert response.url.path == "/signin"
        page = Page(response.text)
        assert page.marked("sign-in-form")["data-next"] == path
        ways = [each["data-testid"] for each in page.all("a") if (each.get("data-testid") or "").startswith("nav-")]
        assert ways == FOR_EVERYBODY


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example", "/\\evil.example", '/"><script>'])
def test_the_sign_in_page_sends_nobody_elsewhere_and_runs_nothing(office: Office, target: str) -> None:
    with office.client() as client:
        response = client.get("/signin", params={"next": target})
    page = Page(response.text)
    on_to = [
        page.marked("sign-in-form")["data-next"],
        *(each["value"] for each in page.all("input") if each["name"] == "next"),
    ]
    assert len(on_to) > 1 and set(on_to) == {target if target.startswith('/"') else "/"}
    assert "<script>" not in response.text


def test_a_page_shows_only_the_pages_its_reader_may_open(office: Office) -> None:
    with office.client("figures") as client:
        page = Page(client.get("/figures").text)
        assert [each.get("data-testid") for each in page.all("a") if "nav-" in (each.get("data-testid") or "")] == [
            "nav-overview",
            "nav-figures",
            *FOR_EVERYBODY,
        ]
        refused = client.get("/live", headers=HTML)
        assert refused.status_code == 403
        assert "для вас закрита" in refused.text


def test_pads_can_be_tried_only_where_the_demonstration_is(office: Office) -> None:
    with office.client(*EVERYTHING) as client:
        response = client.get("/try", headers=HTML)
        assert response.status_code == 404
        assert "лише в демонстрації" in response.text
        assert "nav-try" not in client.get("/live").text


def test_the_first_page_is_the_first_that_its_reader_may_open(office: Office) -> None:
    for scopes, first in ((("figures", "devices"), "/overview"), (("devices",), "/devices"), (("report",), "/report")):
        with office.client(*scopes) as client:
            answer = client.get("/?lang=en", follow_redirects=False)
            assert (answer.status_code, answer.headers["location"]) == (303, f"{first}?lang=en")
    with office.client("metrics") as client:
        assert client.get("/", headers=HTML, follow_redirects=False).headers["location"].startswith("/public")
    with office.client() as client:
        assert client.get("/", follow_redirects=False).headers["location"] == "/signin"


# ---- light and dark
def test_a_choice_of_colours_is_remembered_and_leads_back(browser: TestClient) -> None:
    page = Page(browser.get("/figures?period=week").text)
    assert page.all("html")[0]["data-look"] == "auto"
    came_from = {"Referer": "http://testserver/figures?period=week"}
    answer = browser.post("/look", data={"look": "dark"}, headers=came_from, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/figures?period=week")
    assert {"HttpOnly", "SameSite=lax", "Path=/"} <= set(answer.headers["set-cookie"].split("; "))
    page = Page(browser.get("/figures").text)
    assert page.all("html")[0]["data-look"] == "dark"
    assert page.marked("look-dark")["aria-pressed"] == "true"


@pytest.mark.parametrize("back", ["https://evil.example/figures", "http://testserver//evil.example", "never", ""])
def test_a_choice_of_colours_leads_nowhere_else(browser: TestClient, back: str) -> None:
    answer = browser.post("/look", data={"look": "sepia"}, headers={"Referer": back}, follow_redirects=False)
    assert answer.headers["location"] == "/"
    assert "set-cookie" not in answer.headers


# ---- what they say
def test_live_shows_every_desk_with_its_state_and_no_rating(office: Office, browser: TestClient) -> None:
    office.pad("centre-1", "armed")
    office.pad("centre-2", "voted")
    office.pad("vyshenka-1", "dark", state="offline")
    fill(office, 1, 3, silent=2)
    response = browser.get("/live?lang=en")
    page = Page(response.text)
    states = {
        desk: page.marked(f"desk-{desk}")["data-state"] for desk in ("centre-1", "centre-2", "vyshenka-1", "lisbon-1")
    }
    assert states == {"centre-1": "armed", "centre-2": "voted", "vyshenka-1": "offline", "lisbon-1": "never"}
    # Order P3.2e: on a quiet day a branch's three counts would give a single vote away.
    assert not re.search(r"\b(Bad|Good|Exemplary|exemplary)\b", response.text)
    assert "Clients called 4 Votes 2 Response rate 50%" in page.text.replace("  ", " ")


def test_figures_carry_numbers_intervals_and_response_rates(office: Office, browser: TestClient) -> None:
    fill(office, *[1] * 4, *[2] * 10, *[3] * 26, silent=60)
    page = Page(browser.get("/figures?lang=en").text)
    assert "10.0% " in page.text and "95% interval 4.0–23.1%" in page.text  # Wilson, 4 of 40
    assert "40.0%" in page.text and "40 votes 100 clients could vote" in page.text
    assert "from 4% to 64%" in page.text  # 4 of 100, and 4 + 60 silent of 100
    assert page.marked("table-times") is not None and page.marked("table-branches") is not None
    assert len([each for each in page.all("figure") if (each.get("data-testid") or "").startswith("chart-")]) == 10


def test_few_votes_and_few_answers_are_said_in_words(office: Office, browser: TestClient) -> None:
    fill(office, 3, 3, 1, silent=17)
    page = Page(browser.get("/figures?lang=en").text)
    assert page.marked("few-votes") is not None and page.marked("low-response") is not None
    assert "few votes" in page.text


def test_enough_votes_are_not_called_few(office: Office, browser: TestClient) -> None:
    fill(office, *[3] * 30)
    text = browser.get("/figures?lang=en").text
    assert 'data-testid="few-votes"' not in text and 'data-testid="low-response"' not in text


def test_a_time_without_votes_says_so_and_draws_nothing(office: Office, browser: TestClient) -> None:
    fill(office, silent=1)
    page = Page(browser.get("/figures?lang=en").text)
    assert page.marked("no-votes") is not None
    assert "1 client was called, none voted." in page.text
    assert page.all("figure") == []


def test_a_service_is_followed_through_every_period_and_branch(office: Office, browser: TestClient) -> None:
    fill(office, 1, 3, days_ago=0)
    fill(office, 3, desk="vyshenka-1")
    now = datetime.now(UTC)
    office.call("centre-1", now, rating=2, service="address")
    text = browser.get("/figures", params={"service": "address", "lang": "en"}).text
    page = Page(text)
    assert "The whole centre · Registration of residence" in page.text
    assert "1 vote 1 client could vote" in page.text
    # All twelve months have their row, and the last of them is this one.
    assert text.count(">not over yet<") == 1 and text.count(">–</b>") == 11 * 3
    services = browser.get("/figures", params={"branch": "vyshenka", "lang": "en"})
    assert "1 vote 1 client could vote" in Page(services.text).text


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("from=2026-02-30", "Check the dates"),
        ("from=2026-03-01&to=2026-02-01", "is not right"),
        ("period=fortnight", "too many periods"),
        ("period=day&from=2001-01-01", "too many periods"),
        ("branch=nowhere", "no such branch"),
        ("service=nothing", "no such service"),
        ("branch=%3Cscript%3E", "no such branch"),
        ("from=2100-01-01", "Check the dates"),
    ],
)
def test_a_question_that_makes_no_sense_is_answered_in_words(browser: TestClient, query: str, words: str) -> None:
    response = browser.get(f"/figures?lang=en&{query}")
    assert response.status_code == 422
    page = Page(response.text)
    assert words in page.text
    assert page.marked("question-problem")["role"] == "alert"
    assert "<script>" not in response.text


def test_nothing_of_operators_or_desks_is_on_the_figures_page(office: Office, browser: TestClient) -> None:
    fill(office, 1, 2, 3)
    for query in ("", "?by=operator&key=olena&purpose=analysis", "?by=desk&key=centre-1"):
        text = browser.get(f"/figures{query}").text
        assert "olena" not in re.sub(r'href="[^"]*"', "", text) and "centre-1" not in re.sub(r'href="[^"]*"', "", text)


def test_try_shows_the_desk_asked_for(office: Office, browser: TestClient) -> None:
    fill(office, 1, 3)
    page = Page(browser.get("/try?desk=vyshenka-1&lang=en").text)
    assert "Vyshenka · desk 1" in page.text and "Vyshenka today" in page.text
    assert [page.marked(f"press-{n}")["data-button"] for n in (1, 2, 3)] == ["1", "2", "3"]
    unknown = Page(browser.get("/try?desk=nowhere&lang=en").text)
    assert "Centre · desk 1" in unknown.text


# ---- when something is wrong
def test_a_browser_gets_a_page_and_a_program_a_document(browser: TestClient) -> None:
    assert "Такої сторінки немає" in browser.get("/nowhere").text
    document = browser.get("/nowhere", headers={"Accept": "application/json"})
    assert document.headers["content-type"] == "application/problem+json"
    assert browser.get("/v1/nowhere").headers["content-type"] == "application/problem+json"


def test_without_a_database_the_page_says_that_no_vote_is_lost(office: Office, browser: TestClient) -> None:
    office.store.close()
    database = Path(office.url.removeprefix("sqlite:///"))
    database.unlink()
    database.mkdir()
    response = browser.get("/figures")
    assert response.status_code == 503
    assert "Оцінки не втрачено" in response.text


def test_a_failed_sign_in_without_scripts_is_a_page_too(office: Office) -> None:
    with office.client() as client:
        headers = {"Origin": "http://testserver", **HTML}
        response = client.post("/session", data={"token": "wrong"}, headers=headers)
    assert response.status_code == 401
    assert "Увійдіть, будь ласка" in response.text


# ---- files
def test_the_faces_are_small_and_their_licence_is_with_them() -> None:
    fonts = Path(__file__).parents[2] / "api" / "static" / "fonts"
    assert sum(path.stat().st_size for path in fonts.glob("*.woff2")) < 300_000
    assert "SIL OPEN FONT LICENSE" in (fonts / "OFL.txt").read_text(encoding="utf-8")


def test_who_is_signed_in_is_not_signed_in_again_by_a_link(browser: TestClient) -> None:
    answer = browser.get("/signin?next=/figures", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/figures")
