"""A person with a browser: signs in, calls a client, presses, sees the figure move; in both languages and widths."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from sim.history import lay_down
from tests.system.browser import Watched, chromium, keep
from tests.system.centre import Centre

HISTORY_CALLS = 4000


@pytest.fixture(scope="module")
def centre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Centre]:
    with Centre(tmp_path_factory.mktemp("centre"), desks=6) as running:
        yesterday = datetime.now(UTC).date() - timedelta(days=1)
        lay_down(
            running.place.database_url,
            running.city,
            first_day=yesterday - timedelta(days=80),
            last_day=yesterday,
            seed=11,
            calls=HISTORY_CALLS,
            progress=lambda fraction, text: None,
        )
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture
def page(browser: Browser, centre: Centre) -> Iterator[Page]:
    """A new visitor, signed in by the link that the demonstration prints."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="uk-UA", timezone_id="Europe/Kyiv")
    context.set_default_timeout(60_000)
    opened = context.new_page()
    watched = Watched(opened, centre.stack.address)
    opened.goto(f"{centre.stack.address}/#token={centre.token}")
    expect(opened.get_by_test_id("sign-out")).to_be_visible()
    yield opened
    assert watched.complaints == []
    assert watched.strangers == []
    context.close()


def number(page: Page, name: str) -> int:
    return int(page.get_by_test_id(name).locator("[data-count]").inner_text().replace("\xa0", ""))


def test_a_press_on_the_page_lights_the_real_lamp_and_moves_the_figure(page: Page, centre: Centre) -> None:
    page.get_by_test_id("nav-try").click()
    expect(page.get_by_test_id("link-state")).to_have_attribute("data-state", "live")
    before = number(page, "today-exemplary")
    pad = page.get_by_test_id("pad")
    expect(pad).to_have_attribute("data-lamps", "000")
    page.get_by_test_id("do-call").click()
    expect(pad).to_have_attribute("data-lamps", "111")
    page.keyboard.press("3")
    expect(pad).to_have_attribute("data-lamps", "001")
    expect(page.get_by_test_id("today-exemplary").locator("[data-count]")).to_have_text(str(before + 1))
    keep(page, "try-uk")
    with page.expect_response(lambda response: "/release" in response.url):
        page.get_by_test_id("press-1").click()  # a second press: nothing
    centre.feels(centre.city.desks[0].id)
    page.get_by_test_id("do-call").click()
    expect(pad).to_have_attribute("data-lamps", "111")
    bad = number(page, "today-bad")
    page.get_by_test_id("press-1").click()
    expect(pad).to_have_attribute("data-lamps", "100")
    expect(page.get_by_test_id("today-bad").locator("[data-count]")).to_have_text(str(bad + 1))
    page.get_by_test_id("do-finish").click()
    expect(pad).to_have_attribute("data-lamps", "000")


def test_live_shows_a_desk_armed_and_then_voted(page: Page, centre: Centre) -> None:
    desk = centre.city.desks[-1].id
    page.get_by_test_id("nav-live").click()
    tile = page.get_by_test_id(f"desk-{desk}")
    expect(tile).to_have_attribute("data-state", "dark")
    centre.queue("called", desk, "browser-1")
    expect(tile).to_have_attribute("data-state", "armed")
    keep(page, "live-uk")
    centre.press(desk, 1)
    expect(tile).to_have_attribute("data-state", "voted")
    assert "100" not in tile.evaluate("tile => tile.outerHTML")  # which one was pressed is nobody's business (P3.2e)


def test_figures_are_drawn_and_stand_in_a_table_too(page: Page) -> None:
    page.get_by_test_id("nav-figures").click()
    charts = page.locator("[data-testid^=chart-] svg.plot, [data-testid^=chart-] svg.strip__plot")
    expect(charts.first).to_be_visible()
    assert charts.count() >= 3
    rows = page.locator("[data-testid^=table-] tbody tr")
    assert rows.count() >= 4
    expect(page.get_by_test_id("simulated")).to_be_visible()
    keep(page, "figures-uk")


@pytest.mark.parametrize("width", [390, 1440])
def test_every_page_reads_in_english_without_scrolling_sideways(page: Page, centre: Centre, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 850})
    for path, heading in (("/live", "Live"), ("/figures", "Figures"), ("/try", "Try a pad")):
        page.goto(f"{centre.stack.address}{path}?lang=en")
        expect(page.locator("h1")).to_have_text(heading)
        assert page.locator("html").get_attribute("lang") == "en"
        keep(page, f"{heading.split()[0].lower()}-en-{width}")
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{path} is {wide} px wider than the screen"


def test_a_wrong_token_is_answered_in_words(browser: Browser, centre: Centre) -> None:
    context = browser.new_context(locale="uk-UA")
    page = context.new_page()
    page.goto(centre.stack.address)
    page.get_by_test_id("with-token").click()
    page.get_by_test_id("token").fill("not-a-token")
    page.get_by_test_id("sign-in").click()
    expect(page.get_by_test_id("sign-in-problem")).not_to_be_empty()
    expect(page.get_by_test_id("sign-out")).to_have_count(0)
    keep(page, "sign-in-refused-uk")
    context.close()
