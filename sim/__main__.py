"""``python -m sim``: the demonstration and its parts. It decides nothing; every subcommand is a function elsewhere."""

import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sim.arguments import parse
from sim.errors import SettingsError, SimError


def main() -> int:
    given = vars(parse())
    command = given.pop("command")
    # Where people look on, the terminal is for them; a server's log is all there is of it.
    level = logging.INFO if command == "broker" else logging.WARNING
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        return _COMMANDS[command](**given)
    except (SimError, OSError) as error:
        print(f"sim: {error}", file=sys.stderr)
        return 2 if isinstance(error, SettingsError) else 1


# Each imports its part when it is asked for: the broker needs no database, a database no broker.
def _run(**given: Any) -> int:
    from sim import demo

    return demo.run(demo.Options(**given))


def _day(**given: Any) -> int:
    from sim import headless

    return headless.run(headless.Options(**given))


def _chaos(keep: Path | None = None, schedule: bool = False, **given: Any) -> int:
    from sim.chaos import campaign
    from sim.chaos.schedule import Options

    return campaign.run(campaign.able(Options(**given)), keep, schedule)


def _history(data: Path, **given: Any) -> int:
    from sim import past, place

    past.run(place.Place(data), **given)
    return 0


def _broker(config: Path) -> int:
    from sim import broker, supervisor

    settings = broker.load_settings(config)
    return supervisor.serve(lambda stopping: broker.serve(settings, stopping))


_COMMANDS: dict[str, Callable[..., int]] = {
    "run": _run,
    "day": _day,
    "chaos": _chaos,
    "history": _history,
    "broker": _broker,
}

if __name__ == "__main__":
    sys.exit(main())
