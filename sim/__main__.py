"""``python -m sim``: the demonstration and its parts. It decides nothing; every subcommand is a function elsewhere."""

import argparse
import logging
import sys
from datetime import date
from pathlib import Path

from sim.errors import SettingsError, SimError


def main() -> int:
    arguments = _parser().parse_args()
    level = logging.WARNING if arguments.command == "history" else logging.INFO
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        return int(arguments.run(arguments))
    except (SimError, OSError) as error:
        print(f"sim: {error}", file=sys.stderr)
        return 2 if isinstance(error, SettingsError) else 1


# Each imports its part when it is asked for: the broker needs no database, a database no broker.
def _run(arguments: argparse.Namespace) -> int:
    from sim import demo

    given = {key: value for key, value in vars(arguments).items() if key not in ("command", "run")}
    return demo.run(demo.Options(**given))


def _broker(arguments: argparse.Namespace) -> int:
    from sim import broker, supervisor

    return supervisor.serve(lambda stopping: broker.serve(broker.load_settings(arguments.config), stopping))


def _history(arguments: argparse.Namespace) -> int:
    from sim import past, place

    past.run(place.Place(arguments.data), arguments.first, arguments.last)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sim", description="A whole simulated service centre.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    run = commands.add_parser("run", help="the demonstration, until Ctrl-C", argument_default=argparse.SUPPRESS)
    run.add_argument("--data", type=Path, metavar="DIR", help="where its data live (var/demo)")
    run.add_argument("--seed", type=int, help="of the living day (another one each time)")
    run.add_argument("--speed", type=float, help="seconds of the city in a real one (15)")
    run.add_argument("--no-history", dest="has_history", action="store_false", help="lay down no past days")
    run.add_argument("--fast", dest="is_fast", action="store_true", help="lay down five weeks instead of a year")
    run.set_defaults(run=_run)
    history = commands.add_parser("history", help="lay down past days in the data of a demonstration")
    history.add_argument("--data", type=Path, required=True, metavar="DIR")
    history.add_argument("--first", type=date.fromisoformat, required=True, metavar="YYYY-MM-DD")
    history.add_argument("--last", type=date.fromisoformat, required=True, metavar="YYYY-MM-DD")
    history.set_defaults(run=_history)
    broker = commands.add_parser("broker", help="the embedded broker alone")
    broker.add_argument("--config", type=Path, required=True, metavar="FILE")
    broker.set_defaults(run=_broker)
    return parser


if __name__ == "__main__":
    sys.exit(main())
