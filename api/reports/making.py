"""Makes a report, once: its figures, its three files, and the row that keeps them for good."""

import json
import time
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version

from api.i18n import Language
from api.reports.content import Content
from api.reports.gathering import gather
from api.reports.order import Order
from api.reports.paper import paper
from api.reports.rows import csv_file
from api.reports.sheets import workbook
from api.reports.text import Text
from collector.store import NewReport, Report, Store
from schemas.periods import day_key

MEDIA_TYPES = {
    "pdf": "application/pdf",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
}


def make(store: Store, order: Order, languages: Mapping[str, Language]) -> Report:
    """Makes and keeps the report of an order that is ``checked``; a second one of the same is another report.

    Takes some seconds, most of it for the charts. Raises BadQuestion, CannotPrint, StoreError.
    """
    content = gather(store, order, time.time_ns() // 1_000_000)
    text = Text(content, languages[order.language])
    about = _about(content, text)
    return store.reports.add(about, {"pdf": paper(text), "xlsx": workbook(text), "csv": csv_file(text)})


def file_name(report: Report, kind: str) -> str:
    """What a browser calls the file: cut, place, period, language and number, in ASCII."""
    about = report.about
    place = f"-{about.key}" if about.key else ""
    return f"zrazkovo-{about.cut}{place}-{about.first_day}-{about.last_day}-{about.language}-{report.id}.{kind}"


def _about(content: Content, text: Text) -> NewReport:
    order = content.order
    return NewReport(
        made_by=order.made_by,
        cut=order.cut,
        key=order.key,
        period=str(order.period),
        first_day=day_key(content.span.first),
        last_day=day_key(content.span.last),
        figures_end=day_key(content.figures_end),
        language=order.language,
        title=text.full_title[:400],
        revision=content.revision,
        program=_program(),
        parameters=json.dumps(order.asked(), ensure_ascii=False),
        ordered_by=order.ordered_by,
        instruction=order.instruction,
        purpose=order.purpose,
    )


def _program() -> str:
    try:
        return version("zrazkovo")
    except PackageNotFoundError:  # run from a working copy that was never installed
        return "0"
