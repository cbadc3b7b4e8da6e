"""Plurals, numbers, shares and periods as each language writes them."""

from datetime import UTC, date, datetime

import pytest

from api.i18n import Language, load_languages
from schemas.periods import Period

LANGUAGES = load_languages()
UK, EN, CS, ET, PL = (LANGUAGES[code] for code in ("uk", "en", "cs", "et", "pl"))
NBSP = "\u00a0"
NUMBERS = (0, 1, 2, 4, 5, 11, 12, 14, 21, 22, 25, 101, 111, 112, 1003)


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


@pytest.mark.parametrize(
    ("n", "word"),
    [(0, "panelů"), (1, "panel"), (2, "panely"), (4, "panely"), (5, "panelů"), (21, "panelů"), (22, "panelů")],
)
def test_czech_has_three_plural_forms(n: int, word: str) -> None:
    assert CS.ngettext("%(n)s pad", "%(n)s pads", n) == f"%(n)s {word}"


@pytest.mark.parametrize(
    ("n", "word"),
    [
        (0, "ocen"), (1, "ocena"), (2, "oceny"), (4, "oceny"), (5, "ocen"), (12, "ocen"), (14, "ocen"), (21, "ocen"),
        (22, "oceny"), (25, "ocen"), (101, "ocen"), (112, "ocen"), (1003, "oceny"),
    ],
)  # fmt: skip
def test_polish_has_three_plural_forms(n: int, word: str) -> None:
    assert PL.ngettext("%(n)s vote", "%(n)s votes", n) == f"%(n)s {word}"


@pytest.mark.parametrize(("n", "word"), [(0, "pulti"), (1, "pult"), (2, "pulti"), (21, "pulti"), (101, "pulti")])
def test_estonian_has_two(n: int, word: str) -> None:
    assert ET.ngettext("%(n)s pad", "%(n)s pads", n) == f"%(n)s {word}"


def test_english_has_two() -> None:
    assert [EN.ngettext("%(n)s vote", "%(n)s votes", n) for n in (0, 1, 2, 21)] == [
        "%(n)s votes",
        "%(n)s vote",
        "%(n)s votes",
        "%(n)s votes",
    ]


def test_ukrainian_comes_first_and_english_last() -> None:
    codes = list(LANGUAGES)
    assert (codes[0], codes[-1]) == ("uk", "en")
    assert codes[1:-1] == sorted(codes[1:-1])
    assert [each.own_name for each in (UK, CS, ET, PL, EN)] == [
        "Українська",
        "Čeština",
        "Eesti",
        "Polski",
        "English",
    ]


@pytest.mark.parametrize(
    ("language", "number", "share", "interval", "whole"),
    [
        (UK, f"12{NBSP}345", "4,2%", "3,9–4,5%", "4%"),
        (CS, f"12{NBSP}345", f"4,2{NBSP}%", f"3,9–4,5{NBSP}%", f"4{NBSP}%"),
        (ET, f"12{NBSP}345", "4,2%", "3,9–4,5%", "4%"),
        (PL, f"12{NBSP}345", "4,2%", "3,9–4,5%", "4%"),
        (EN, "12,345", "4.2%", "3.9–4.5%", "4%"),
    ],
    ids=["uk", "cs", "et", "pl", "en"],
)
def test_numbers_and_shares(language: Language, number: str, share: str, interval: str, whole: str) -> None:
    assert language.number(12345) == number
    assert language.share(0.0421) == share
    assert language.interval(0.0388, 0.0449) == interval
    assert language.share(0.0421, 0) == whole


@pytest.mark.parametrize(("language", "text"), [(UK, "−7,5"), (CS, "−7,5"), (ET, "−7,5"), (PL, "−7,5"), (EN, "−7.5")])
def test_points_have_the_languages_decimal_sign(language: Language, text: str) -> None:
    assert language.points(-0.075) == text


def test_no_share_is_a_dash_and_not_zero() -> None:
    assert {each.share(None) for each in LANGUAGES.values()} == {"–"}
    assert UK.share(0.0) == "0,0%"


@pytest.mark.parametrize(
    ("period", "uk", "cs", "et", "pl", "en"),
    [
        (
            Period.DAY,
            "29 грудня 2025",
            "29. prosince 2025",
            "29. detsember 2025",
            "29 grudnia 2025",
            "29 December 2025",
        ),
        (
            Period.WEEK,
            "тиждень 1, 2026",
            f"1.{NBSP}týden 2026",
            f"1.{NBSP}nädal 2026",
            f"tydzień{NBSP}1, 2026",
            "week 1, 2026",
        ),
        (Period.MONTH, "грудень 2025", "prosinec 2025", "detsember 2025", "grudzień 2025", "December 2025"),
        (
            Period.QUARTER,
            "IV кв. 2025",
            f"4.{NBSP}čtvrtletí 2025",
            f"IV{NBSP}kvartal 2025",
            f"IV{NBSP}kw. 2025",
            "Q4 2025",
        ),
        (Period.YEAR, "2025", "2025", "2025", "2025", "2025"),
    ],
)
def test_periods_have_names_in_every_language(period: Period, uk: str, cs: str, et: str, pl: str, en: str) -> None:
    monday = date(2025, 12, 29)
    assert [each.period(monday, period) for each in (UK, CS, ET, PL, EN)] == [uk, cs, et, pl, en]


@pytest.mark.parametrize(
    ("language", "short", "moment"),
    [
        (UK, "29 груд.", "29 грудня 2025, 09:05"),
        (CS, f"29.{NBSP}12.", "29. prosince 2025, 09:05"),
        (ET, "29. dets", "29. detsember 2025, 09:05"),
        (PL, "29 gru", "29 grudnia 2025, 09:05"),
        (EN, "29 Dec", "29 December 2025, 09:05"),
    ],
    ids=["uk", "cs", "et", "pl", "en"],
)
def test_days_and_moments(language: Language, short: str, moment: str) -> None:
    when = datetime(2025, 12, 29, 9, 5, tzinfo=UTC)
    assert language.period_in_year(when.date(), Period.DAY).replace(" ", NBSP) == short.replace(" ", NBSP)
    assert language.moment(when) == moment
    assert language.clock(when, when.date()) == "09:05"
    assert language.clock(when, date(2026, 1, 1)) == f"{language.period_in_year(when.date(), Period.DAY)}, 09:05"


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_language_has_a_name_for_every_period(code: str) -> None:
    """Each holds its number and year, no placeholder is left, and no two of a year are called alike."""
    language = LANGUAGES[code]
    for period, firsts in {
        Period.WEEK: [date.fromisocalendar(2025, week, 1) for week in range(1, 53)],
        Period.MONTH: [date(2025, month, 1) for month in range(1, 13)],
        Period.QUARTER: [date(2025, month, 1) for month in (1, 4, 7, 10)],
    }.items():
        names = [language.period(first, period) for first in firsts]
        short = [language.period_in_year(first, period) for first in firsts]
        assert len(set(names)) == len(set(short)) == len(firsts)
        assert not [text for text in names + short if "%" in text or "(" in text]
        assert all("2025" in text for text in names)


class Named:
    def __init__(self, name: str, name_en: str):
        self.name, self.name_en = name, name_en


def test_a_thing_of_the_office_is_named_in_the_readers_language() -> None:
    branch = Named("Вишенька", "Vyshenka")
    assert [each.name_of(branch) for each in (UK, CS, ET, PL, EN)] == ["Вишенька"] + ["Vyshenka"] * 4


def test_what_has_no_name_is_said_so_in_the_readers_language() -> None:
    nothing = Named("не вказано", "not named")
    assert [each.name_of(nothing) for each in (UK, CS, ET, PL, EN)] == [
        "не вказано",
        "neuvedeno",
        "nimetamata",
        "nie podano",
        "not named",
    ]
