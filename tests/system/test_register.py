"""Somebody who keeps the register, with a browser: renames, uploads, takes back; by mouse, by keys, on a phone."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from schemas.register_archive import unpack
from sim.city import CITY
from sim.office import register
from tests.contract.api_office import Office, serving
from tests.system.browser import Watched, chromium, keep

NO_SCRIPTS = pytest.mark.parametrize("page", [False], indirect=True)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    made = Office(tmp_path_factory.mktemp("office"))
    made.store.load_register(register(CITY))
    yield made
    made.store.close()


@pytest.fixture(scope="module")
def address(office: Office) -> Iterator[str]:
    with serving(office) as where:
        yield where


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture
def page(browser: Browser, office: Office, address: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    context = browser.new_context(
        viewport={"width": 1440, "height": 900}, locale="uk-UA", java_script_enabled=getattr(request, "param", True)
    )
    context.set_default_timeout(60_000)
    opened = context.new_page()
    watched = Watched(opened, address)
    opened.goto(f"{address}/signin?next=/register")
    opened.get_by_test_id("with-token").click()
    opened.get_by_test_id("token").fill(office.token("figures", "register"))
    opened.get_by_test_id("sign-in").click()
    expect(opened.get_by_test_id("entries")).to_be_visible()
    yield opened
    assert watched.complaints == []
    assert watched.strangers == []
    context.close()


def fits(page: Page) -> bool:
    wide: bool = page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    return wide


def test_a_service_is_renamed_from_a_day_by_keys_alone_and_taken_back(page: Page) -> None:
    page.get_by_test_id("part-services").focus()
    page.keyboard.press("Enter")
    page.get_by_test_id("entry-pension").get_by_role("link").focus()
    page.keyboard.press("Enter")
    page.get_by_label("Назва українською").fill("Пенсії та виплати")
    page.locator("#change-from").fill("2026-07-01")
    page.get_by_test_id("change").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("done")).to_be_visible()
    expect(page.get_by_test_id("rows").get_by_role("listitem")).to_have_count(2)
    keep(page, "register-renamed-uk")
    page.get_by_test_id("undo").click()
    page.get_by_test_id("confirm").click()
    expect(page.get_by_test_id("done")).to_be_visible()
    page.get_by_test_id("part-services").click()
    expect(page.get_by_test_id("entry-pension")).to_contain_text("Пенсійні послуги")


@NO_SCRIPTS
def test_sheets_come_back_shown_first_and_done_at_once_without_scripts(page: Page, office: Office) -> None:
    page.get_by_test_id("part-exchange").click()
    with page.expect_download() as coming:
        page.get_by_test_id("download").click()
    files = unpack(coming.value.path().read_bytes())
    changed = files["desks.csv"] + b"tsentr-10;tsentr;10;2026-12-01;\r\n"
    page.locator("#files").set_input_files([{"name": "desks.csv", "mimeType": "text/csv", "buffer": changed}])
    page.get_by_test_id("upload").click()
    expect(page.get_by_test_id("changes").locator("[data-kind=added]")).to_contain_text("tsentr-10")
    keep(page, "register-proposal-uk")
    assert "tsentr-10" not in {each.id for each in office.store.book.whole()[1].desks}
    page.get_by_test_id("confirm").click()
    expect(page.get_by_test_id("done")).to_be_visible()
    assert "tsentr-10" in {each.id for each in office.store.book.whole()[1].desks}


def test_every_part_fits_a_phone_in_both_languages(page: Page, address: str) -> None:
    page.set_viewport_size({"width": 360, "height": 780})
    for language in ("en", "uk"):
        for path in ("branches", "operators", "operators/op-09", "hours", "calendar", "participants", "exchange"):
            page.goto(f"{address}/register/{path}?lang={language}")
            assert fits(page), (path, language)
        keep(page, f"register-phone-{language}")
