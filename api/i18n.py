"""Languages of the pages: gettext catalogues, plurals, numbers and dates. It chooses no words; those are in locales/.

English is the language of the msgids and needs no catalogue. Every folder ``locales/<code>`` with a ``messages.po``
is one more language, and every ``.po`` beside it holds the texts of one subject; catalogues are read as text at start,
there is no compile step.
"""

import gettext
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cached_property, lru_cache
from io import BytesIO
from pathlib import Path
from typing import Protocol

from babel import Locale
from babel.dates import format_date, format_datetime, format_timedelta
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal

from schemas.periods import Period

LOCALES = Path(__file__).parent / "locales"
SOURCE_LANGUAGE = "en"
# English as the European Union writes it: day before month, 24 hours.
_FORMATS = {SOURCE_LANGUAGE: "en_GB"}


class Named(Protocol):
    """Anything of the office that has a name in Ukrainian and in English."""

    @property
    def name(self) -> str: ...
    @property
    def name_en(self) -> str: ...


@dataclass(frozen=True)
class Language:
    """One language: its texts and the way it writes numbers, shares and dates."""

    code: str
    texts: gettext.NullTranslations

    @cached_property
    def locale(self) -> Locale:
        return Locale.parse(_FORMATS.get(self.code, self.code))

    @cached_property
    def own_name(self) -> str:
        """The language's name in itself, capitalised, as a language switch shows it."""
        name = Locale.parse(self.code).get_display_name(self.code) or self.code
        return name[:1].upper() + name[1:]

    def gettext(self, message: str) -> str:
        return self.texts.gettext(message)

    def ngettext(self, singular: str, plural: str, n: int) -> str:
        return self.texts.ngettext(singular, plural, n)

    def pgettext(self, context: str, message: str) -> str:
        return self.texts.pgettext(context, message)

    def name_of(self, thing: Named) -> str:
        """The name the office gave it: its Ukrainian one in Ukrainian, else the English one.

        Where nothing has a name, the words for that are ours, so they are in every language.
        """
        return thing.name if self.code == "uk" else self._nameless.get(thing.name_en, thing.name_en)

    @cached_property
    def _nameless(self) -> Mapping[str, str]:
        _ = self.gettext
        return {
            "not named": _("not named"),
            "service not named": _("service not named"),
            "no direction": _("no direction"),
        }

    def number(self, n: float) -> str:
        return _number(n, self.locale)

    def decimal(self, n: float, digits: int) -> str:
        """A number with so many decimals, no more and no fewer."""
        return _written(_rounded(n, digits), "#,##0." + "0" * digits, self.locale)

    def share(self, share: float | None, digits: int = 1) -> str:
        """``share`` (0..1) in per cent, a dash if there is none."""
        if share is None:
            return "–"
        return _written(_rounded(share, digits + 2), _decimals(digits) + self._per_cent, self.locale)

    @cached_property
    def _per_cent(self) -> str:
        """The per cent sign with the space that stands before it in some languages."""
        return str(self.locale.percent_formats[None].pattern).lstrip("#,0.")

    def points(self, difference: float) -> str:
        """A difference of shares in points, with its sign: 0.075 is +7.5."""
        return self._signed(round(difference * 100, 1))

    def points_interval(self, low: float, high: float) -> str:
        """From where to where a difference of shares may lie, in points."""
        ends = {"low": self.points(low), "high": self.points(high)}
        return self.gettext("%(low)s to %(high)s") % ends

    def _signed(self, value: float) -> str:
        bare = self.decimal(abs(value), 1)
        return f"{'−' if value < 0 else '+' if value > 0 else '±'}{bare}"

    def interval(self, low: float, high: float, digits: int = 1) -> str:
        """An interval of shares, low and high from 0 to 1, with one per cent sign."""
        bare = _written(_rounded(low * 100, digits), _decimals(digits), self.locale)
        return f"{bare}–{self.share(high, digits=digits)}"

    def tick(self, share: float) -> str:
        """A share on an axis: without decimals where there are none."""
        return self.share(share, digits=0 if round(share * 100, 6).is_integer() else 1)

    @cached_property
    def _long_day(self) -> str:
        """A day with its month in words; the number is an ordinal with a point in some languages."""
        return "d. MMMM y" if "d." in str(self.locale.date_formats["long"].pattern) else "d MMMM y"

    def _short_day(self, day: date) -> str:
        return format_date(day, str(self.locale.datetime_skeletons["MMMd"].pattern), locale=self.locale)

    def day(self, day: date) -> str:
        return format_date(day, self._long_day, locale=self.locale)

    def month(self, first: date) -> str:
        return format_date(first, "LLLL y", locale=self.locale)

    def moment(self, moment: datetime) -> str:
        return format_datetime(moment, f"{self._long_day}, HH:mm", locale=self.locale)

    def clock(self, moment: datetime, today: date) -> str:
        """A moment in its own time zone, as short as can be: without its day if that is ``today``."""
        clock = f"{moment:%H:%M}"
        return clock if moment.date() == today else f"{self._short_day(moment.date())}, {clock}"

    def duration(self, seconds: float) -> str:
        """How long something lasts, in its largest unit."""
        return format_timedelta(timedelta(seconds=max(1.0, seconds)), threshold=1.0, locale=self.locale)

    def period(self, first: date, period: Period) -> str:
        """The name of the period that begins on ``first``."""
        match period:
            case Period.DAY:
                return self.day(first)
            case Period.MONTH:
                return self.month(first)
            case Period.YEAR:
                return str(first.year)
            case Period.QUARTER:
                return self.gettext("Q%(quarter)d %(year)d") % _quarter(first)
            case Period.WEEK:
                iso = first.isocalendar()
                return self.gettext("week %(week)d, %(year)d") % {"week": iso.week, "year": iso.year}

    def period_in_year(self, first: date, period: Period) -> str:
        """The same as short as an axis needs it, without its year where something else is left."""
        match period:
            case Period.DAY:
                return self._short_day(first)
            case Period.MONTH:
                return format_date(first, "LLL", locale=self.locale)
            case Period.YEAR:
                return str(first.year)
            case Period.QUARTER:
                return self.gettext("Q%(quarter)d") % _quarter(first)
            case Period.WEEK:
                return self.gettext("wk %(week)d") % {"week": first.isocalendar().week}


def load_languages(folder: Path = LOCALES) -> Mapping[str, Language]:
    """Every language by its code: the office's own first, the source language last, the others between by code.

    Raises babel's PoFileError for a broken catalogue, ValueError for a text that two catalogues of a language hold.
    """
    codes = sorted({path.parent.name for path in folder.glob("*/messages.po")}, key=lambda code: (code != "uk", code))
    found = {code: Language(code, _compiled(read_catalogue(folder / code))) for code in codes}
    return found | {SOURCE_LANGUAGE: Language(SOURCE_LANGUAGE, gettext.NullTranslations())}


def read_catalogue(folder: Path) -> Catalog:
    """All catalogues of a language, ``folder``, as one. Raises as ``load_languages``."""
    whole: Catalog | None = None
    for path in sorted(folder.glob("*.po"), key=lambda path: path.name != "messages.po"):
        with path.open("rb") as file:
            part = read_po(file, locale=folder.name, abort_invalid=True)
        if whole is None:
            whole = part
            continue
        for message in part:
            if not message.id:
                continue
            if whole.get(message.id, message.context) is not None:
                raise ValueError(f"{path}: {message.id!r} stands in another catalogue of this language too")
            whole[message.id] = message
    assert whole is not None, folder
    return whole


def _compiled(catalogue: Catalog) -> gettext.GNUTranslations:
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


# Babel takes a twentieth of a millisecond for a number, and a page has thousands; but few are different when rounded.
@lru_cache(maxsize=16_384)
def _number(n: float, locale: Locale) -> str:
    return format_decimal(n, locale=locale)


@lru_cache(maxsize=16_384)
def _written(value: Decimal, pattern: str, locale: Locale) -> str:
    return format_decimal(value, format=pattern, locale=locale)


def _rounded(value: float, digits: int) -> Decimal:
    """As it is written down, and as babel would round it."""
    return round(Decimal(str(value)), digits)


def _quarter(first: date) -> dict[str, object]:
    number = (first.month + 2) // 3
    return {"quarter": number, "roman": ("I", "II", "III", "IV")[number - 1], "year": first.year}


def _decimals(digits: int) -> str:
    return "#,##0." + "0" * digits if digits else "#,##0"
