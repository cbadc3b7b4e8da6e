"""Plurals, numbers, shares and periods as each language writes them."""

from datetime import date

import pytest

from api.i18n import Language, load_languages
from schemas.periods import Period

LANGUAGES = load_languages()
UK, EN = LANGUAGES["uk"], LANGUAGES["en"]
NBSP = "\u00a0"


@pytest.mark.parametrize(
    ("n", "word"),
    [
        (0, "оцінок"), (1, "оцінка"), (2, "оцінки"), (4, "оцінки"), (5, "оцінок"), (11, "оцінок"), (12, "оцінок"),
        (14, "оцінок"), (21, "оцінка"), (22, "оцінки"), (25, "оцінок"), (101, "оцінка"), (111, "оцінок"),
        (112, "оцінок"), (1003, "оцінки"),
    ],
)  # fmt: skip
def test_ukrainian_has_three_plural_forms(n: int, word: str) -> None:
    assert UK.ngettext("%(n)s vote", "%(n)s votes", n) == f"%(n)s {word}"


def test_english_has_two() -> None:
    assert [EN.ngettext("%(n)s vote", "%(n)s votes", n) for n in (0, 1, 2, 21)] == [
        "%(n)s votes",
        "%(n)s vote",
        "%(n)s votes",
        "%(n)s votes",
    ]


def test_ukrainian_comes_first_and_english_last() -> None:
    assert list(LANGUAGES) == ["uk", "en"]
    assert (UK.own_name, EN.own_name) == ("Українська", "English")


@pytest.mark.parametrize(
    ("language", "number", "share", "interval"),
    [(UK, f"12{NBSP}345", "4,2%", "3,9–4,5%"), (EN, "12,345", "4.2%", "3.9–4.5%")],
    ids=["uk", "en"],
)
def test_numbers_and_shares(language: Language, number: str, share: str, interval: str) -> None:
    assert language.number(12345) == number
    assert language.share(0.0421) == share
    assert language.interval(0.0388, 0.0449) == interval
    assert language.share(0.0421, 0) == "4%"


def test_no_share_is_a_dash_and_not_zero() -> None:
    assert UK.share(None) == EN.share(None) == "–"
    assert UK.share(0.0) == "0,0%"


@pytest.mark.parametrize(
    ("period", "uk", "en"),
    [
        (Period.DAY, "29 грудня 2025", "29 December 2025"),
        (Period.WEEK, "тиждень 1, 2026", "week 1, 2026"),
        (Period.MONTH, "грудень 2025", "December 2025"),
        (Period.QUARTER, "IV кв. 2025", "Q4 2025"),
        (Period.YEAR, "2025", "2025"),
    ],
)
def test_periods_have_names_in_both_languages(period: Period, uk: str, en: str) -> None:
    monday = date(2025, 12, 29)
    assert (UK.period(monday, period), EN.period(monday, period)) == (uk, en)


def test_a_thing_of_the_office_is_named_in_the_readers_language() -> None:
    class Branch:
        name = "Вишенька"
        name_en = "Vyshenka"

    assert (UK.name_of(Branch()), EN.name_of(Branch())) == ("Вишенька", "Vyshenka")
