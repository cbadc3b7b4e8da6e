"""The figures of a report as rows, for programs and for the workbook; and the CSV that is made of them.

The CSV is UTF-8 with a byte order mark: people open it by a double click, and without one a spreadsheet takes Ukrainian
for something else (open data, which programs read, have none). Commas, a point in numbers, ISO dates. A cell not
shown says "hidden" and is neither zero nor empty; an empty one is where there is nothing to divide by.
"""

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from api.figures import Tally, left_out, rating_figure, response_rate
from api.reports.content import Content, Line
from api.reports.text import Text, without_empty

HIDDEN = "hidden"
RATINGS = ("bad", "good", "exemplary")
REASONS = ("absent", "passed_on", "withdrawn", "unlit", "unrated", "unknown")
COUNTS = ("calls", "eligible_calls", *(f"left_out_{reason}" for reason in REASONS), "votes", *RATINGS)
SHARES = ("response_rate", *(f"{rating}_{what}" for rating in RATINGS for what in ("share", "low", "high")))
HEAD = ("table", "id", "name", "employer", "from", "to", "complete", *COUNTS, *SHARES)
_TABLES = ("branch", "direction", "service", "operator")


@dataclass(frozen=True)
class Record:
    """One row: of a period of the whole, or of one place in the report's period. ``tally``: None if it is hidden."""

    table: str
    id: str
    name: str
    first: date
    last: date
    complete: bool
    tally: Tally | None
    employer: str = ""


def records(text: Text) -> list[Record]:
    """All rows: the periods first, then branches, directions, services, operators in the register's order."""
    content = text.content
    rows = [
        Record("period", each.span.name, text.when(each), each.span.first, each.span.last, each.complete, each.tally)
        for each in content.times
    ]
    for table, lines in zip(_TABLES, _lines(content), strict=True):
        rows += [_record(table, each, text) for each in without_empty(lines)]
    return rows


def numbers(tally: Tally | None) -> dict[str, float | int | str | None]:
    """The counts and shares of a row by name, as ``/v1/aggregates`` gives them."""
    if tally is None:
        return dict.fromkeys((*COUNTS, *SHARES), HIDDEN)
    found: dict[str, float | int | str | None] = {
        "calls": tally.calls,
        "eligible_calls": tally.eligible,
        **{f"left_out_{reason}": getattr(left_out(tally), reason) for reason in REASONS},
        "votes": tally.votes,
        "response_rate": response_rate(tally).share,
    }
    for rating in RATINGS:
        figure = rating_figure(getattr(tally, rating), tally.votes)
        found |= {rating: figure.count}
        found |= {f"{rating}_share": figure.share, f"{rating}_low": figure.low, f"{rating}_high": figure.high}
    return found


def csv_file(text: Text) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(HEAD)
    for each in records(text):
        values = numbers(each.tally)
        about = (each.table, each.id, each.name, each.employer)
        writer.writerow(
            [
                *(harmless(word) for word in about),
                each.first.isoformat(),
                each.last.isoformat(),
                "true" if each.complete else "false",
                *("" if values[name] is None else values[name] for name in (*COUNTS, *SHARES)),
            ]
        )
    return out.getvalue().encode("utf-8-sig")


def harmless(word: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return "'" + word if word[:1] in ("=", "+", "-", "@", "\t") else word


def _lines(content: Content) -> Iterable[tuple[Line, ...]]:
    return content.branches, content.directions, content.services, content.operators


def _record(table: str, line: Line, text: Text) -> Record:
    content = text.content
    return Record(
        table,
        line.what.id,
        text.name(line.what),
        content.span.first,
        content.span.last,
        content.is_over,
        None if line.hidden else line.now,
        text.name(line.employer) if line.employer else "",
    )
