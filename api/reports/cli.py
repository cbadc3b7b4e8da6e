"""``python -m api report``: makes one report now, or every monthly one that is missing, and writes the files out.

python -m api report --month 2026-10 --out reports/            all that is due of a month
python -m api report --cut branch --key tsentr --period quarter --day 2026-10-01 --out reports/
"""

import argparse
import os
import sys
from datetime import date, datetime
from pathlib import Path

from api.errors import ApiError
from api.printing import CannotPrint
from api.purposes import PURPOSES
from api.reports.chore import make_month
from api.reports.making import file_name, make
from api.reports.order import CUTS, Order, ReportCut, checked
from api.reports.routes import languages
from api.settings import Settings, load_settings
from collector.store import Report, Store, StoreError, Token
from schemas.periods import Period
from schemas.settings import BadSettings

# Whoever can start programs on the server can read its database: this asks for reasons, not for rights.
_HERE = Token(0, "command line", frozenset({"reports", "figures", "operators"}), 0, None, None)


def main(arguments: list[str]) -> int:
    """Returns the exit code: 2 for settings, 1 for what cannot be made."""
    asked = _parser().parse_args(arguments)
    try:
        settings = load_settings(asked.config, os.environ)
    except BadSettings as error:
        print(f"api: {error}", file=sys.stderr)
        return 2
    try:
        with Store.open(settings.database_url) as store:
            return _month(store, settings, asked) if asked.month else _one(store, settings, asked)
    except (ApiError, CannotPrint, StoreError, OSError) as error:
        print(f"api: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="api report", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--config", type=Path, metavar="FILE", help="settings in TOML")
    parser.add_argument("--month", type=_month_of, metavar="YYYY-MM", help="every report of that month that is missing")
    parser.add_argument("--cut", choices=CUTS, default="centre")
    parser.add_argument("--key", default="", help="the branch or direction")
    parser.add_argument("--period", choices=[str(each) for each in Period], default="month")
    parser.add_argument(
        "--day", type=date.fromisoformat, default=None, metavar="YYYY-MM-DD", help="a day of the period"
    )
    parser.add_argument("--language", choices=list(languages()), default=None)
    parser.add_argument("--ordered-by", default="", help="on whose instruction (order P4.3)")
    parser.add_argument("--instruction", default="", help="its number and day")
    parser.add_argument("--purpose", choices=list(PURPOSES), default=None, help="of a report about operators (P4.7)")
    parser.add_argument("--out", type=Path, default=None, metavar="DIR", help="write the files there, too")
    return parser


def _month_of(text: str) -> date:
    return datetime.strptime(text + "-01", "%Y-%m-%d").date()  # noqa: DTZ007


def _month(store: Store, settings: Settings, asked: argparse.Namespace) -> int:
    failed = 0
    made = 0
    for said, report in make_month(store, settings, asked.month, say=lambda line: print(f"... {line}", flush=True)):
        print(said, flush=True)
        failed += report is None
        made += 1
        if report is not None:
            _write(store, report, asked.out)
    if not made:
        print("nothing is missing")
    return 1 if failed else 0


def _one(store: Store, settings: Settings, asked: argparse.Namespace) -> int:
    cut: ReportCut = asked.cut
    order = Order(
        cut=cut,
        period=Period(asked.period),
        day=asked.day or datetime.now().astimezone().date(),
        language=asked.language or settings.default_language,
        key=asked.key,
        ordered_by=asked.ordered_by,
        instruction=asked.instruction,
        purpose=asked.purpose,
    )
    report = make(store, checked(order, store, _HERE), languages())
    print(f"report {report.id}: {report.about.title}")
    _write(store, report, asked.out)
    return 0


def _write(store: Store, report: Report, folder: Path | None) -> None:
    if folder is None:
        return
    folder.mkdir(parents=True, exist_ok=True)
    for each in report.files:
        path = folder / file_name(report, each.format)
        path.write_bytes(store.reports.body(report.id, each.format))
        print(f"    {path} ({each.size:,} bytes, SHA-256 {each.digest[:16]}...)")
