"""Words that the sheet of paper and the workbook share."""

from babel.numbers import format_decimal

from api.i18n import Language
from schemas.evidence_resources import SuggestedBand, TrendWord, Unit


def trend_word(verdict: TrendWord, language: Language) -> str:
    _ = language.gettext
    return {
        "improving": _("improving"),
        "declining": _("declining"),
        "flat": _("flat"),
        "cannot_tell": _("cannot tell"),
    }[verdict]


def band_words(band: SuggestedBand | None) -> str:
    return f"{band.low}–{band.high}" if band else ""


def written(value: float | None, unit: Unit, language: Language) -> str:
    """A value as its unit wants it: a share in per cent, seconds with one digit."""
    if value is None:
        return "–"
    if unit == "share":
        return language.share(value)
    pattern = "#,##0" if unit == "count" else "#,##0.0"
    return format_decimal(value, format=pattern, locale=language.locale)
