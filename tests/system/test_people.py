"""Signing in with a real browser: a password that was handed over, the office's own account, and how pages look."""

from collections.abc import Iterator
from pathlib import Path

import oidc_provider_mock
import pytest
from playwright.sync_api import Browser, Page, expect

from api.access import passwords
from collector.store import Limits, Person, ReadingOrder
from tests.contract.api_office import Office, now_unix_ms, serving
from tests.system.browser import Watched, chromium, keep

HANDED, OWN = "handed over to somebody", "four words of my own"
NARROW, WIDE = {"width": 390, "height": 844}, {"width": 1280, "height": 900}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path)
    yield made
    made.store.close()


def account(office: Office, login: str, role: str, limits: Limits, *, until: int | None = None) -> Person:
    made = office.store.staff.create(Person(login, f"Олена {login.title()}", role, limits, created_by="root"))
    office.store.staff.set_password(made.id, passwords.hashed(HANDED), "root", until)
    return made


def enter(page: Page, address: str, login: str, password: str) -> None:
    page.goto(f"{address}/signin?lang=en")
    page.get_by_test_id("login").fill(login)
    page.get_by_test_id("password").fill(password)
    page.get_by_test_id("person-sign-in").click()


def test_a_handed_over_password_is_changed_before_anything_else(office: Office, browser: Browser) -> None:
    account(office, "branch", "head_of_branch", Limits(frozenset({"centre"})), until=now_unix_ms() + 600_000)
    with serving(office) as address, browser.new_context(viewport=WIDE) as context:  # type: ignore[arg-type]
        page = context.new_page()
        watched = Watched(page, address)
        enter(page, address, "branch", "not the password")
        expect(page.get_by_test_id("person-problem")).to_have_text(
            "Login or password is wrong, or the account is closed."
        )
        enter(page, address, "branch", HANDED)
        expect(page.get_by_test_id("password-form")).to_be_visible()
        page.goto(f"{address}/figures")
        expect(page.get_by_test_id("password-form")).to_be_visible()
        keep(page, "people-password-en-wide")
        for name, value in (("old", HANDED), ("new", OWN), ("again", OWN)):
            page.get_by_test_id(name).fill(value)
        page.get_by_test_id("change").click()
        page.wait_for_url("**/overview")
        page.goto(f"{address}/account")
        expect(page.get_by_role("heading", level=1)).to_have_text("Олена Branch")
        page.get_by_test_id("everywhere").click()
        page.goto(f"{address}/figures")
        expect(page.get_by_test_id("person-form")).to_be_visible()
        assert watched.complaints == [] and watched.strangers == []


def test_the_offices_own_account_signs_in_and_out(office: Office, browser: Browser) -> None:
    users = [oidc_provider_mock.User(sub="1", claims={"name": "Софія Міська", "groups": ["city"]})]
    with oidc_provider_mock.run_server_in_thread(user_claims=users, require_nonce=True) as provider:
        issuer = f"http://localhost:{provider.server_port}"
        settings = {
            "oidc_issuer": issuer,
            "oidc_client_id": "zrazkovo",
            "oidc_client_secret": "secret",
            "oidc_name": "Міська пошта",
            "oidc_groups": [{"group": "city", "role": "city_leadership"}],
        }
        with serving(office, **settings) as address, browser.new_context(viewport=WIDE) as context:  # type: ignore[arg-type]
            page = context.new_page()
            page.goto(f"{address}/figures?period=year&lang=en")
            keep(page, "people-sign-in-elsewhere-en-wide")
            page.get_by_test_id("elsewhere").click()
            page.get_by_role("button", name="1", exact=True).click()
            page.wait_for_url("**/figures?period=year*")
            expect(page.get_by_test_id("account")).to_have_text("Софія Міська")
            page.get_by_test_id("sign-out").click()
            page.wait_for_url(f"{issuer}/**")
            page.goto(f"{address}/figures")
            expect(page.get_by_test_id("person-form")).to_be_visible()


@pytest.mark.parametrize("language", ["uk", "en"])
@pytest.mark.parametrize(("size", "viewport"), [("narrow", NARROW), ("wide", WIDE)])
def test_every_page_about_people_fits_and_complains_of_nothing(
    office: Office, browser: Browser, language: str, size: str, viewport: dict[str, int]
) -> None:
    fill(office)
    pages = {
        "signin": (None, "/signin"),
        "account": ("branch", "/account"),
        "my-figures": ("window", "/my-figures"),
        "people": ("admin", "/people"),
        "person": ("admin", "/people/1"),
        "tokens": ("admin", "/tokens"),
        "access-log": ("head", "/access-log"),
        "orders": ("head", "/orders"),
    }
    with serving(office) as address:
        for name, (login, path) in pages.items():
            with browser.new_context(viewport=viewport) as context:  # type: ignore[arg-type]
                if login is not None:
                    person = office.store.staff.by_login(login)
                    assert person is not None
                    secret = office.store.staff.open_session(person.id, now_unix_ms() + 600_000)
                    context.add_cookies([{"name": "zrazkovo", "value": secret, "url": address}])
                page = context.new_page()
                watched = Watched(page, address)
                page.goto(f"{address}{path}?lang={language}")
                expect(page.get_by_role("heading", level=1)).to_be_visible()
                wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
                assert wider <= 0, f"{name} is {wider} px too wide"
                keep(page, f"people-{name}-{language}-{size}")
                assert watched.complaints == [] and watched.strangers == [], name


def fill(office: Office) -> None:
    """Some people, tokens, orders and readings."""
    staff = office.store.staff
    for login, role, limits in (
        ("branch", "head_of_branch", Limits(frozenset({"centre"}))),
        ("admin", "administrator", Limits()),
        ("head", "head_of_centre", Limits()),
        ("city", "city_leadership", Limits()),
        ("window", "operator", Limits(operator="op-7", branches=frozenset({"centre"}))),
    ):
        made = staff.create(Person(login, f"Олена {login.title()}", role, limits, created_by="root"))
        staff.log_sign_in(made.id, "password", "ok", "10.0.0.7")
    office.store.create_token("monitoring", ["metrics", "devices"], created_by="admin")
    order = ReadingOrder(
        "12-р", 20260110, "Міський голова", "аналіз роботи за квартал", "centre", None, "head", 20991231
    )
    number = staff.record_order(order)
    with office.client() as client:
        for login in ("head", "branch", "city"):
            person = staff.by_login(login)
            assert person is not None
            cookie = {"Cookie": f"zrazkovo={staff.open_session(person.id, now_unix_ms() + 60_000)}"}
            for purpose in ("analysis", "improvement", "discipline"):
                question = f"/v1/aggregates?by=operator&branch=centre&key=op-7&purpose={purpose}&order={number}"
                client.get(question, headers=cookie)
