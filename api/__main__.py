"""``python -m api [--config FILE]`` serves; ``openapi`` writes the OpenAPI document to stdout; ``nightly`` does the
night's work now, all of it or one ``--chore NAME``; ``report`` makes a report (``report --help``); ``person`` opens
accounts at the command line (``person --help``).
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

from api import person_commands
from api.app import create_app, routes_only
from api.nightly import CHORES, Busy, run_chores
from api.reports import cli as report_cli
from api.serve import listening_socket, serve
from api.settings import Settings, load_settings
from collector.store import Store, StoreError
from schemas import logs
from schemas.settings import BadSettings


def main() -> int:
    first, arguments_of = _named_first(sys.argv[1:])
    if first in _PROGRAMS:
        return _PROGRAMS[first](arguments_of)
    parser = argparse.ArgumentParser(prog="api", description=__doc__)
    parser.add_argument("do", nargs="?", choices=("serve", "openapi", "nightly"), default="serve")
    parser.add_argument("--config", type=Path, metavar="FILE", help="settings in TOML")
    parser.add_argument("--check-config", action="store_true", help="only say whether the settings are good")
    parser.add_argument("--chore", choices=[each.name for each in CHORES], help="nightly: only this one")
    arguments = parser.parse_args()
    if arguments.chore is not None and arguments.do != "nightly":
        parser.error("--chore: belongs to nightly")
    if arguments.do == "openapi":
        return _print_openapi()
    logs.set_up()
    try:
        settings = load_settings(arguments.config, os.environ)
        logs.set_up(settings.log_format)
    except BadSettings as error:
        print(f"api: {error}", file=sys.stderr)
        return 2
    if arguments.check_config:
        print("api: the settings are good")
        return 0
    try:
        return _nightly(settings, arguments.chore) if arguments.do == "nightly" else _serve(settings)
    except Busy as error:
        print(f"api: {error}", file=sys.stderr)
        return 1
    except (StoreError, OSError) as error:
        print(f"api: {error}", file=sys.stderr)
        return 1


def _named_first(arguments: list[str]) -> tuple[str | None, list[str]]:
    """What is to be done, and the arguments without it: ``--config FILE`` may stand before it, as everywhere."""
    ahead = 2 if arguments[:1] == ["--config"] else 1 if arguments and arguments[0].startswith("--config=") else 0
    first = arguments[ahead] if len(arguments) > ahead else None
    return first, arguments[:ahead] + arguments[ahead + 1 :]


_PROGRAMS = {"report": report_cli.main, "person": person_commands.main}


def _serve(settings: Settings) -> int:
    bound = listening_socket(settings)
    store = Store.open(settings.database_url)
    try:
        serve(create_app(settings, store), settings, bound)
    finally:
        store.close()
    return 0


def _nightly(settings: Settings, chore: str | None) -> int:
    """Exit code 1 if any chore failed."""
    with Store.open(settings.database_url) as store:
        runs = run_chores(
            store, settings, time.time_ns() // 1_000_000, only=chore, say=lambda line: print(f"api: {line}", flush=True)
        )
    return 0 if all(each.ok for each in runs) else 1


def _print_openapi() -> int:
    print(json.dumps(routes_only().openapi(), indent=1, ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
