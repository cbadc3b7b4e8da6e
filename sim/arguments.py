"""The command line of ``python -m sim``: its words and their help, not what they do (that is __main__.py)."""

import argparse
from datetime import date
from pathlib import Path

from sim.city import CITY


def parse() -> argparse.Namespace:
    """The command in ``command``, and its options as far as they were given."""
    parser = argparse.ArgumentParser(prog="python -m sim", description="A whole simulated service centre.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _run(commands.add_parser("run", help="the demonstration, until Ctrl-C", argument_default=argparse.SUPPRESS))
    _day(commands.add_parser("day", help="a bounded day, then its account", argument_default=argparse.SUPPRESS))
    _chaos(commands.add_parser("chaos", help="a day of injuries, then its account", argument_default=argparse.SUPPRESS))
    _history(commands.add_parser("history", help="lay down past days in the data of a demonstration"))
    broker = commands.add_parser("broker", help="the embedded broker alone")
    broker.add_argument("--config", type=Path, required=True, metavar="FILE")
    return parser.parse_args()


def _run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, metavar="DIR", help="where its data live (var/demo)")
    parser.add_argument("--seed", type=int, help="of the living day (another one each time)")
    parser.add_argument("--speed", type=float, help="seconds of the city in a real one (15)")
    parser.add_argument("--desks", type=int, metavar="N", help="only so many of the 24 desks")
    parser.add_argument("--no-history", dest="has_history", action="store_false", help="lay down no past days")
    parser.add_argument("--fast", dest="is_fast", action="store_true", help="lay down five weeks instead of a year")
    parser.add_argument("--any-ports", action="store_true", help="do not try the usual ports first")


def _day(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, metavar="DIR", help="an empty folder to keep (one that goes again)")
    parser.add_argument("--seed", type=int, help="of everything that people do (7)")
    parser.add_argument("--minutes", type=float, help="how long the day lasts, in real minutes (1)")
    parser.add_argument("--speed", type=float, help="seconds of the city in a real one (60)")
    parser.add_argument("--desks", type=int, metavar="N", help="only so many of the 24 desks")


def _chaos(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seed", type=int, help="of what people do and of what is broken (7)")
    parser.add_argument("--minutes", type=float, help="how long it lasts, in real minutes (1)")
    parser.add_argument("--collectors", type=int, choices=(1, 3), help="how many share the work (1)")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), help="sqlite")
    parser.add_argument("--only", type=lambda text: tuple(text.split(",")), metavar="KIND,..", help="these injuries")
    parser.add_argument("--desks", type=int, metavar="N", help="only so many of the 24 desks (12)")
    parser.add_argument("--speed", type=float, help="seconds of the city in a real one (120)")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="an empty folder to keep (one that goes again)")
    parser.add_argument("--schedule", action="store_true", help="only print what would be done when")


def _history(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, required=True, metavar="DIR")
    parser.add_argument("--first", type=date.fromisoformat, required=True, metavar="YYYY-MM-DD")
    parser.add_argument("--last", type=date.fromisoformat, required=True, metavar="YYYY-MM-DD")
    parser.add_argument("--desks", type=int, default=len(CITY.desks), metavar="N")
