"""Every page in a real browser: axe-core, light and dark, phone to wall, by keyboard, without JavaScript, on paper."""

from collections.abc import Iterator
from io import BytesIO

import pytest
from playwright.sync_api import Browser, BrowserContext, Page
from pypdf import PdfReader

from tests.system.browser import chromium, keep
from tests.system.office_pages import (
    NARROW,
    OPERATOR,
    SMALLEST,
    WALL,
    WIDE,
    OfficePages,
    findings,
    office_pages,
    too_wide,
)

# Pages of the menu and what stands beneath them; a test sees to it that no page of the menu is missing here.
PAGES = (
    "/overview",
    "/branches/tsentr",
    "/directions/documents",
    "/figures",
    "/figures?period=day&from=2030-01-01",
    "/live",
    "/devices",
    "/devices/tsentr-01",
    "/updates",
    "/report",
    "/report/tsentr-01",
    "/register/branches",
    "/register/services/passport",
    "/register/exchange",
    "/reports",
    "/operators",
    "/operators?purpose=analysis",
    "/operators/op-01?purpose=analysis&names=1",
    "/signals",
    "/evidence",
    "/requests",
    "/requests/new",
    "/signals",
    "/signals?purpose=analysis",
    "/orders",
    "/access-log",
    "/people",
    "/tokens",
    "/nowhere",
)
PUBLIC = ("/signin", "/public", "/open-data")
OF_OPERATORS = ("/my-figures",)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OfficePages]:
    with office_pages(tmp_path_factory.mktemp("pages")) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def context(browser: Browser, office: OfficePages) -> Iterator[BrowserContext]:
    opened = office.visitor(browser, locale="uk-UA")
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def stranger(browser: Browser, office: OfficePages) -> Iterator[BrowserContext]:
    opened = office.visitor(browser, signed_in=False)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def operator(browser: Browser, office: OfficePages) -> Iterator[BrowserContext]:
    opened = office.visitor(browser, person=OPERATOR, locale="uk-UA")
    yield opened
    opened.close()


def name_of(path: str) -> str:
    return path.strip("/").replace("/", "-").replace("?", "-")


@pytest.mark.parametrize("path", [*PAGES, *PUBLIC, *OF_OPERATORS])
def test_a_page_is_open_to_everybody_in_light_and_dark_wide_and_narrow(
    request: pytest.FixtureRequest, office: OfficePages, path: str
) -> None:
    who = "stranger" if path in PUBLIC else "operator" if path in OF_OPERATORS else "context"
    context: BrowserContext = request.getfixturevalue(who)
    page = context.new_page()
    watched = office.watched(page)
    page.goto(f"{office.address}{path}", wait_until="load")
    found = [f"wide light: {each}" for each in findings(page)]
    keep(page, f"{name_of(path)}-wide-light")
    page.emulate_media(color_scheme="dark")
    found += [f"wide dark: {each}" for each in findings(page, only_contrast=True)]
    page.set_viewport_size({"width": NARROW, "height": 850})
    found += [f"narrow dark: {each}" for each in findings(page, only_contrast=True)]
    keep(page, f"{name_of(path)}-narrow-dark")
    page.emulate_media(color_scheme="light")
    found += [f"narrow light: {each}" for each in findings(page)]
    assert found == []
    assert watched.strangers == []
    expected = [each for each in watched.complaints if "status of 4" not in each]  # the browser's word for a refusal
    assert expected == []
    for width in (SMALLEST, WALL):
        page.set_viewport_size({"width": width, "height": 850})
        assert too_wide(page) <= 0, f"{path} has to be scrolled sideways at {width} px"
    page.close()


@pytest.mark.parametrize("language", ["uk", "en", "cs", "pl", "et"])
def test_long_words_and_published_editions_fit_a_phone(browser: Browser, office: OfficePages, language: str) -> None:
    reader = office.visitor(browser)  # whose language is kept
    page = reader.new_page()
    for path in (*PAGES, *PUBLIC):
        page.goto(f"{office.address}{path}{'&' if '?' in path else '?'}lang={language}")
        for width in (NARROW, SMALLEST):
            page.set_viewport_size({"width": width, "height": 850})
            assert too_wide(page) <= 0, f"{path} has to be scrolled sideways at {width} px"
            if path not in ("/evidence", "/open-data", "/public"):
                continue
            beyond = page.locator("h1:visible, h2:visible, .editions:visible, .public-table:visible").evaluate_all(
                """all => all.filter(each => each.getBoundingClientRect().right > innerWidth
                || each.scrollWidth > each.clientWidth + 1).filter(each => !each.matches(".unseen"))
                .map(each => each.textContent.trim().slice(0, 60))"""
            )
            assert beyond == [], f"{path} at {width} px"
    page.goto(f"{office.address}/open-data?lang={language}")
    labels = (
        page.locator(".editions tbody tr")
        .first.locator("td")
        .evaluate_all("all => all.map(each => getComputedStyle(each, '::before').content)")
    )
    assert len(labels) == 4 and all(each.strip('"') not in ("", "none") for each in labels)
    reader.close()


def test_no_page_of_the_menu_is_left_untested(context: BrowserContext, office: OfficePages) -> None:
    page = context.new_page()
    page.goto(f"{office.address}/overview")
    links = page.locator("[data-testid^=nav-]").evaluate_all("all => all.map(each => each.getAttribute('href'))")
    tried = {each.split("?")[0].split("/")[1] for each in (*PAGES, *PUBLIC)}
    assert {each.split("/")[1] for each in links} <= tried
    page.close()


def test_no_page_of_an_operators_menu_is_left_untested(operator: BrowserContext, office: OfficePages) -> None:
    page = operator.new_page()
    page.goto(f"{office.address}/")
    assert page.url == f"{office.address}/my-figures"
    links = page.locator("[data-testid^=nav-]").evaluate_all("all => all.map(each => each.getAttribute('href'))")
    assert "/my-figures" in links
    tried = {each.split("?")[0].split("/")[1] for each in (*PAGES, *PUBLIC, *OF_OPERATORS)}
    assert {each.split("/")[1] for each in links} <= tried
    page.close()


def test_the_menu_works_by_keyboard_wide_and_narrow(context: BrowserContext, office: OfficePages) -> None:
    page = context.new_page()
    page.goto(f"{office.address}/overview")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.set_viewport_size({"width": NARROW, "height": 850})
    page.goto(f"{office.address}/overview")
    menu = page.get_by_test_id("nav-figures")
    assert not menu.is_visible()
    page.get_by_test_id("menu-open").focus()
    page.keyboard.press("Enter")
    assert menu.is_visible()
    assert findings(page) == []
    keep(page, "menu-narrow")
    page.keyboard.press("Escape")
    assert not menu.is_visible()
    page.close()


@pytest.mark.parametrize("path", ["/overview", "/figures", "/devices"])
def test_whatever_has_the_focus_can_be_seen_to_have_it(context: BrowserContext, office: OfficePages, path: str) -> None:
    page = context.new_page()
    page.set_viewport_size({"width": WIDE, "height": 900})
    page.goto(f"{office.address}{path}")
    seen: list[str] = []
    for _ in range(60):
        page.keyboard.press("Tab")
        at = page.evaluate(
            """() => { const it = document.activeElement, style = getComputedStyle(it);
            const box = it.getBoundingClientRect();
            return [it.outerHTML.slice(0, 80), parseFloat(style.outlineWidth), style.outlineStyle,
                    box.width, box.height, box.bottom > 0 && box.top < innerHeight]; }"""
        )
        if at[0].startswith("<body"):
            break
        seen.append(at[0])
        if 'type="date"' not in at[0]:  # its parts have the focus in turn, and show it themselves
            assert at[1] >= 2 and at[2] != "none", f"no focus to be seen: {at}"
        assert at[5], f"the focus is out of sight: {at}"
        assert at[3] >= 24 or at[4] >= 24, f"a target of less than 24 px: {at}"
    assert len(seen) > 12
    page.close()


@pytest.mark.parametrize("path", ["/overview", "/branches/tsentr", "/figures", "/devices"])
def test_it_can_be_read_without_javascript(browser: Browser, office: OfficePages, path: str) -> None:
    context = office.visitor(browser, java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{office.address}{path}?lang=en")
    assert page.locator("h1").is_visible()
    assert page.locator("main").inner_text().count("\n") > 10
    if path != "/devices":
        marks = page.locator("svg.mark")
        assert marks.count() > 20 and marks.first.is_visible()
        assert "JavaScript" not in page.locator("main").inner_text()
    context.close()


def test_it_can_be_printed(browser: Browser, office: OfficePages) -> None:
    context = office.visitor(browser, color_scheme="dark")
    page = context.new_page()
    page.goto(f"{office.address}/overview?lang=en")
    paper = page.pdf(format="A4")
    text = " ".join(sheet.extract_text() for sheet in PdfReader(BytesIO(paper)).pages)
    assert "What changed beyond noise" in text and "Response rate" in text
    assert "Sign out" not in text and "Devices" not in text
    context.close()


def test_a_choice_of_colours_holds_against_the_devices_own(browser: Browser, office: OfficePages) -> None:
    context = office.visitor(browser, color_scheme="light", java_script_enabled=False)
    page: Page = context.new_page()
    page.goto(f"{office.address}/figures?period=quarter")
    page.get_by_test_id("look-dark").click()
    assert page.url == f"{office.address}/figures?period=quarter"
    assert page.get_by_test_id("look-dark").get_attribute("aria-pressed") == "true"
    page.screenshot()  # painted
    context.close()
