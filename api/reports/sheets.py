"""A report as a workbook (XLSX): numbers are numbers, shares are shown in per cent, the method is a sheet of its own.

What can be computed with is in it, and nothing that a spreadsheet could take for a formula or an address.
"""

import io
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import xlsxwriter

from api.reports.changes import shifts
from api.reports.method import method
from api.reports.rows import COUNTS, SHARES, Record, numbers, records
from api.reports.text import Text

_OPTIONS = {
    "in_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
    "default_date_format": "yyyy-mm-dd",
}
_FONT = {"font_name": "Calibri", "font_size": 11}
_NAME_WIDTH, _WIDTH = 34, 12


def workbook(text: Text) -> bytes:
    """The bytes of the XLSX file."""
    out = io.BytesIO()
    book = _Book(xlsxwriter.Workbook(out, _OPTIONS), text)
    book.write()
    return out.getvalue()


class _Book:
    def __init__(self, book: Any, text: Text):
        self._book = book
        self._text = text
        self._ = text.language.gettext
        plain = _FONT | {"valign": "top"}
        self._plain = book.add_format(plain)
        self._wrapped = book.add_format(plain | {"text_wrap": True})
        self._title = book.add_format(plain | {"bold": True, "font_size": 16})
        self._bold = book.add_format(plain | {"bold": True})
        self._head = book.add_format(_FONT | {"bold": True, "text_wrap": True, "valign": "bottom", "bottom": 1})
        self._count = book.add_format(plain | {"num_format": "#,##0"})
        self._percent = book.add_format(plain | {"num_format": "0.0%"})
        self._points = book.add_format(plain | {"num_format": "+0.0%;-0.0%"})
        self._day = book.add_format(plain | {"num_format": "yyyy-mm-dd", "align": "left"})

    def write(self) -> None:
        """Every sheet; the book is closed after it."""
        text, _ = self._text, self._
        self._book.set_properties(
            {
                "title": text.full_title,
                "subject": text.title,
                "author": text.organisation,
                "comments": " ".join(text.warnings()),
                "created": datetime.fromtimestamp(text.content.made_unix_ms / 1000, UTC).replace(tzinfo=None),
            }
        )
        self._summary()
        rows = records(text)
        names = {
            "period": _("Periods"),
            "branch": _("Branches"),
            "direction": _("Directions"),
            "service": _("Services"),
            "operator": _("Operators"),
        }
        for table, name in names.items():
            of_table = [each for each in rows if each.table == table]
            if of_table:
                self._figures(name, of_table)
        self._changes()
        self._pads()
        self._method()
        self._book.close()

    def _summary(self) -> None:
        text, _ = self._text, self._
        sheet = self._sheet(_("Report"), landscape=False)
        sheet.set_column(0, 0, 34)
        sheet.set_column(1, 4, 14)
        sheet.write_string(0, 0, text.title, self._title)
        sheet.write_string(1, 0, text.organisation, self._plain)
        sheet.write_string(2, 0, f"{text.place}. {text.period}", self._bold)
        row = 4
        for label, value in text.about():
            sheet.write_string(row, 0, label, self._plain)
            sheet.write_string(row, 1, value, self._plain)
            row += 1
        for line in (*text.warnings(), text.caution()):
            if line:
                row = self._paragraph(sheet, row, line)
        row = self._whole(sheet, row + 1)
        if text.summary():
            sheet.write_string(row + 1, 0, _("What changed"), self._bold)
        row += 2
        for sentence in (*text.summary(), text.summary_note()):
            row = self._paragraph(sheet, row, sentence) if sentence else row

    def _whole(self, sheet: Any, row: int) -> int:
        _, now = self._, numbers(self._text.content.now)
        counts = [
            (_("Clients called"), "calls"),
            (_("Could vote"), "eligible_calls"),
            (_("Voted"), "votes"),
        ]
        for label, name in counts:
            sheet.write_string(row, 0, label, self._plain)
            self._value(sheet, row, 1, now[name], self._count)
            row += 1
        sheet.write_string(row, 0, _("Response rate"), self._plain)
        self._value(sheet, row, 1, now["response_rate"], self._percent)
        row += 2
        for column, head in enumerate((_("Rating"), _("Votes"), _("Share"), _("from"), _("to"))):
            sheet.write_string(row, column, head, self._head)
        for rating in ("bad", "exemplary", "good"):
            row += 1
            sheet.write_string(row, 0, self._text.names[rating], self._plain)
            self._value(sheet, row, 1, now[rating], self._count)
            for column, what in enumerate(("share", "low", "high"), 2):
                self._value(sheet, row, column, now[f"{rating}_{what}"], self._percent)
        return row + 1

    def _figures(self, name: str, rows: Sequence[Record]) -> None:
        _ = self._
        sheet = self._sheet(name)
        has_employer = any(each.employer for each in rows)
        heads = [_("Id"), _("Name"), *([_("Organisation")] if has_employer else []), _("from"), _("to"), *self._heads()]
        for column, head in enumerate(heads):
            sheet.write_string(0, column, head, self._head)
        for number, each in enumerate(rows, 1):
            texts = [each.id, each.name, *([each.employer] if has_employer else [])]
            for column, word in enumerate(texts):
                sheet.write_string(number, column, word, self._plain)
            at = len(texts)
            for column, day in enumerate((each.first, each.last), at):
                sheet.write_datetime(number, column, datetime(day.year, day.month, day.day), self._day)  # noqa: DTZ001
            values = numbers(each.tally)
            for column, key in enumerate((*COUNTS, *SHARES), at + 2):
                self._value(sheet, number, column, values[key], self._count if key in COUNTS else self._percent)
        sheet.set_column(0, 0, 16)
        sheet.set_column(1, 1, _NAME_WIDTH)
        sheet.set_column(2, len(heads) - 1, _WIDTH)
        sheet.set_row(0, 48)
        sheet.freeze_panes(1, 2)
        sheet.autofilter(0, 0, len(rows), len(heads) - 1)
        sheet.repeat_rows(0)

    def _heads(self) -> list[str]:
        _, names = self._, self._text.names
        counts = [
            _("Calls"),
            _("Could vote"),
            _("Could not: did not come"),
            _("Could not: passed on"),
            _("Could not: taken back"),
            _("Could not: no lit pad"),
            _("Could not: service not rated"),
            _("Could not: reason not kept"),
            _("Votes"),
            *(names[rating] for rating in ("bad", "good", "exemplary")),
        ]
        shares = [_("Response rate")]
        for rating in ("bad", "good", "exemplary"):
            rated = {"rating": names[rating]}
            shares += [
                _("%(rating)s, share") % rated,
                _("%(rating)s, interval from") % rated,
                _("%(rating)s, interval to") % rated,
            ]
        return counts + shares

    def _changes(self) -> None:
        _, text = self._, self._text
        found = shifts(text.content).found
        if not found:
            return
        sheet = self._sheet(_("Changes"))
        heads = (
            _("Where"), _("Compared with"), _("Rating"), _("before"), _("now"), _("Difference"), _("from"), _("to"),
        )  # fmt: skip
        for column, head in enumerate(heads):
            sheet.write_string(0, column, head, self._head)
        for row, each in enumerate(found, 1):
            texts = (text.name(each.place) if each.place else text.place, text.when(each.then), text.names[each.rating])
            for column, word in enumerate(texts):
                sheet.write_string(row, column, word, self._plain)
            for column, value in enumerate((each.then_share, each.now_share), 3):
                self._value(sheet, row, column, value, self._percent)
            for column, moved in enumerate((each.change.difference, each.change.low, each.change.high), 5):
                self._value(sheet, row, column, moved, self._points)
        sheet.set_column(0, 1, _NAME_WIDTH)
        sheet.set_column(2, len(heads) - 1, _WIDTH)
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, len(found), len(heads) - 1)

    def _pads(self) -> None:
        _, text = self._, self._text
        rows = text.content.availability
        if not rows:
            return
        sheet = self._sheet(_("Pads"))
        heads = (
            _("Branch"), _("Desks"), _("Faults open in the period"), _("Calls without a lit pad: found by itself"),
            _("Calls without a lit pad: reported"), _("Calls"),
        )  # fmt: skip
        for column, head in enumerate(heads):
            sheet.write_string(0, column, head, self._head)
        for row, each in enumerate(rows, 1):
            sheet.write_string(row, 0, text.name(each.branch), self._plain)
            for column, value in enumerate((each.desks, each.faults, each.dark, each.reported, each.calls), 1):
                self._value(sheet, row, column, value, self._count)
        sheet.set_column(0, 0, _NAME_WIDTH)
        sheet.set_column(1, len(heads) - 1, 18)
        sheet.set_row(0, 48)
        sheet.freeze_panes(1, 1)
        sheet.autofilter(0, 0, len(rows), len(heads) - 1)

    def _method(self) -> None:
        sheet = self._sheet(self._("Method"), landscape=False)
        sheet.set_column(0, 0, 90, self._wrapped)
        row = 0
        for heading, words in method(self._text.language):
            sheet.write_string(row, 0, heading, self._bold)
            sheet.write_string(row + 1, 0, words, self._wrapped)
            sheet.set_row(row + 1, 15.5 * (1 + len(words) // 88))
            row += 3

    # ---- parts
    def _sheet(self, name: str, *, landscape: bool = True) -> Any:
        sheet = self._book.add_worksheet(name[:31])
        if landscape:
            sheet.set_landscape()
        sheet.set_paper(9)  # A4
        sheet.fit_to_pages(1, 0)
        sheet.set_margins(0.5, 0.5, 0.7, 0.7)
        sheet.set_footer(f"&L&8{self._text.full_title.replace('&', '&&')[:200]}&R&8&P / &N")
        sheet.hide_gridlines(2)
        return sheet

    def _paragraph(self, sheet: Any, row: int, words: str) -> int:
        sheet.merge_range(row, 0, row, 4, "", self._wrapped)
        sheet.write_string(row, 0, words, self._wrapped)
        sheet.set_row(row, 15.5 * (1 + len(words) // 84))
        return row + 1

    def _value(self, sheet: Any, row: int, column: int, value: float | str | None, style: Any) -> None:
        if value is None:
            sheet.write_blank(row, column, None, style)
        elif isinstance(value, str):
            sheet.write_string(row, column, self._("not shown"), self._plain)
        else:
            sheet.write_number(row, column, value, style)
