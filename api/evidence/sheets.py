"""Evidence as a workbook: a sheet of what supports what, and one of every value of every measure."""

import io
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import xlsxwriter

from api.evidence.words import band_words, trend_word
from api.i18n import Language
from schemas.evidence_resources import Evidence

_OPTIONS = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
_FORMATS = {"share": "0.0%", "count": "#,##0", "seconds": "#,##0.0"}


def workbook(evidence: Evidence, language: Language) -> bytes:
    """The bytes of the XLSX file."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, _OPTIONS)
    _items(book, evidence, language)
    _values(book, evidence, language)
    _without(book, evidence, language)
    book.set_properties({"title": f"{evidence.model} – {language.gettext('Evidence')}"})
    book.close()
    return out.getvalue()


def _items(book: Any, evidence: Evidence, language: Language) -> None:
    _ = language.gettext
    heads = (
        _("Id"),
        _("Title"),
        _("Supports"),
        _("Does not support"),
        _("Measures"),
        _("Band to begin from"),
        _("Reasons"),
    )
    titles = {each.id: each.title for each in evidence.measures}
    rows = [
        (
            each.id,
            each.title,
            each.supports,
            each.does_not_support,
            "; ".join(titles[name] for name in each.measures),
            band_words(each.band),
            " ".join(each.band.reasons) if each.band else "",
        )
        for each in evidence.items
    ]
    _texts(book, _("Evidence"), heads, rows, (8, 34, 48, 48, 40, 14, 44))


def _without(book: Any, evidence: Evidence, language: Language) -> None:
    _ = language.gettext
    rows = [(each.id, each.title, each.reason) for each in evidence.without]
    rows += [("", "", each) for each in evidence.notes]
    _texts(book, _("No evidence"), (_("Id"), _("Title"), _("Why not")), rows, (10, 50, 80))


def _values(book: Any, evidence: Evidence, language: Language) -> None:
    _ = language.gettext
    sheet = book.add_worksheet(_("Values")[:31])
    head = book.add_format({"bold": True, "text_wrap": True, "valign": "bottom", "bottom": 1})
    day = book.add_format({"num_format": "yyyy-mm-dd", "align": "left"})
    styles = {unit: book.add_format({"num_format": pattern}) for unit, pattern in _FORMATS.items()}
    heads = (
        _("Measure"),
        _("Unit"),
        _("Period"),
        _("from"),
        _("to"),
        _("Value"),
        _("Interval from"),
        _("Interval to"),
        _("Cases"),
        _("Response rate"),
        _("Trend"),
    )
    for column, words in enumerate(heads):
        sheet.write_string(0, column, words, head)
    row = 0
    for measure in evidence.measures:
        for value in measure.values:
            row += 1
            sheet.write_string(row, 0, measure.title)
            sheet.write_string(row, 1, measure.unit)
            sheet.write_string(row, 2, value.period)
            for column, each in enumerate((value.first, value.last), 3):
                sheet.write_datetime(row, column, datetime(each.year, each.month, each.day), day)  # noqa: DTZ001
            for column, number in enumerate((value.value, value.low, value.high), 5):
                if number is not None:
                    sheet.write_number(row, column, number, styles[measure.unit])
            if value.n is not None:
                sheet.write_number(row, 8, value.n, styles["count"])
            if value.response_rate is not None:
                sheet.write_number(row, 9, value.response_rate, styles["share"])
            sheet.write_string(row, 10, trend_word(measure.trend.verdict, language))
    sheet.set_column(0, 0, 40)
    sheet.set_column(1, len(heads) - 1, 13)
    sheet.freeze_panes(1, 1)
    sheet.autofilter(0, 0, max(1, row), len(heads) - 1)
    _printable(sheet)


def _texts(
    book: Any, name: str, heads: tuple[str, ...], rows: Sequence[tuple[str, ...]], widths: tuple[int, ...]
) -> None:
    sheet = book.add_worksheet(name[:31])
    head = book.add_format({"bold": True, "bottom": 1})
    wrapped = book.add_format({"text_wrap": True, "valign": "top"})
    for column, (words, width) in enumerate(zip(heads, widths, strict=True)):
        sheet.write_string(0, column, words, head)
        sheet.set_column(column, column, width)
    for number, row in enumerate(rows, 1):
        for column, words in enumerate(row):
            sheet.write_string(number, column, words, wrapped)
    sheet.freeze_panes(1, 1)
    _printable(sheet)


def _printable(sheet: Any) -> None:
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
    sheet.set_footer("&R&8&P / &N")
