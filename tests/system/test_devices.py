"""IT and an operator with a browser: a real pad blinks and restarts, a dead one is a fault, lights are reported."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.system.browser import Watched, chromium, keep
from tests.system.centre import Centre, eventually

NO_SCRIPTS = pytest.mark.parametrize("page", [False], indirect=True)


@pytest.fixture(scope="module")
def centre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Centre]:
    with Centre(tmp_path_factory.mktemp("centre"), desks=5) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture
def page(browser: Browser, centre: Centre, request: pytest.FixtureRequest) -> Iterator[Page]:
    """Somebody who may do everything, signed in; with scripts unless the test says otherwise."""
    has_scripts = getattr(request, "param", True)
    context = browser.new_context(
        viewport={"width": 1440, "height": 900},
        locale="uk-UA",
        timezone_id="Europe/Kyiv",
        java_script_enabled=has_scripts,
    )
    context.set_default_timeout(60_000)
    opened = context.new_page()
    watched = Watched(opened, centre.stack.address)
    opened.goto(f"{centre.stack.address}/signin?next=/devices")
    opened.get_by_test_id("with-token").click()
    opened.get_by_test_id("token").fill(centre.token)
    opened.get_by_test_id("sign-in").click()
    expect(opened.get_by_test_id("summary")).to_be_visible()
    yield opened
    assert watched.complaints == []
    assert watched.strangers == []
    context.close()


def boots(centre: Centre, desk: str) -> int:
    desks = centre.api.get("/v1/desks").json()["desks"]
    return next(int(each["boot"] or 0) for each in desks if each["desk"] == desk)


def test_a_real_pad_blinks_when_it_is_asked_to_on_the_page(page: Page, centre: Centre) -> None:
    desk = centre.city.desks[1].id
    assert centre.lamps(desk) == "000"
    page.get_by_test_id(f"identify-{desk}").click()
    eventually(f"{desk} blinks", lambda: centre.lamps(desk) != "000")
    expect(page.get_by_test_id(f"asked-{desk}")).to_have_attribute("data-outcome", "sent")  # by itself
    keep(page, "devices-uk")
    eventually(f"{desk} is dark again", lambda: centre.lamps(desk) == "000")


@NO_SCRIPTS
def test_a_pad_is_restarted_after_a_last_question_without_scripts(page: Page, centre: Centre) -> None:
    desk = centre.city.desks[2].id
    before = boots(centre, desk)
    page.get_by_test_id(f"restart-{desk}").click()
    page.get_by_test_id("cancel").click()
    expect(page.get_by_test_id(f"row-{desk}")).to_be_visible()
    page.get_by_test_id(f"restart-{desk}").click()
    keep(page, "restart-uk")
    page.get_by_test_id("confirm").click()
    expect(page.get_by_test_id(f"row-{desk}")).to_be_visible()
    eventually(f"{desk} has started anew", lambda: boots(centre, desk) > before, within_s=60)

    def told() -> bool:
        page.goto(f"{centre.stack.address}/devices/{desk}")
        return page.get_by_test_id("command-restart").first.get_attribute("data-outcome") == "done"

    eventually("the page says that it is done", told)


@NO_SCRIPTS
def test_filters_work_without_scripts(page: Page, centre: Centre) -> None:
    desk = centre.city.desks[-1]
    page.locator("#q").fill(desk.id)
    page.get_by_test_id("show").click()
    rows = page.locator("[data-testid^=row-]")
    expect(rows).to_have_count(1)
    page.goto(f"{centre.stack.address}/devices?branch={desk.branch}")
    shown = [row.get_attribute("data-testid") for row in rows.all()]
    assert shown == [f"row-{each.id}" for each in centre.city.desks if each.branch == desk.branch]
    page.goto(f"{centre.stack.address}/devices?q=nothing-of-that-kind")
    expect(page.get_by_test_id("none-fit")).to_be_visible()


def test_an_operator_reports_with_one_press_and_live_shows_it_until_it_closes(page: Page, centre: Centre) -> None:
    desk = centre.city.desks[3].id
    page.goto(f"{centre.stack.address}/report/{desk}")
    expect(page.get_by_test_id("book")).to_contain_text("книзі скарг і пропозицій")
    page.get_by_test_id("report").click()
    expect(page.get_by_test_id("reported")).to_be_visible()
    expect(page.get_by_test_id("report")).to_have_count(0)
    keep(page, "report-uk")
    page.goto(f"{centre.stack.address}/live")
    expect(page.get_by_test_id("faults")).to_be_visible()
    page.locator(f"[data-testid=faults] a[href='/devices/{desk}']").click()
    page.get_by_test_id("close-reported").click()
    expect(page.get_by_test_id("close-reported")).to_have_count(0)
    keep(page, "device-uk")
    page.goto(f"{centre.stack.address}/live")
    expect(page.locator(f"[data-testid=faults] a[href='/devices/{desk}']")).to_have_count(0)


def test_a_dead_pad_is_a_fault_at_the_next_call_until_it_is_lit_again(page: Page, centre: Centre) -> None:
    desk = centre.city.desks[4].id
    row = page.get_by_test_id(f"row-{desk}")
    centre.stack.pads.kill(desk)
    centre.queue("called", desk, "devices-1")
    # By itself (order 3.3): within seconds, but for the service's own first moments, when it judges nobody.
    expect(row.locator("[data-kind=dark]")).to_be_visible(timeout=60_000)
    keep(page, "devices-dark-uk")
    centre.run(centre.stack.pads.restart(desk))
    centre.shows(desk, "111")
    expect(row.locator("[data-kind=dark]")).to_have_count(0, timeout=30_000)


@pytest.mark.parametrize("width", [390, 1300, 1440])
def test_the_pads_pages_read_in_english_without_scrolling_sideways(page: Page, centre: Centre, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 850})
    desk = centre.city.desks[0].id
    for path in ("/devices", f"/devices/{desk}", f"/devices/{desk}/restart", "/updates", "/report", f"/report/{desk}"):
        page.goto(f"{centre.stack.address}{path}?lang=en")
        assert page.locator("html").get_attribute("lang") == "en"
        keep(page, f"{path.strip('/').replace('/', '-')}-en-{width}")
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{path} is {wide} px wider than the screen"
