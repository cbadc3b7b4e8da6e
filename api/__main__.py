"""``python -m api [--config FILE]`` serves; ``python -m api openapi`` writes the OpenAPI document to stdout."""

import argparse
import json
import os
import sys
from pathlib import Path

from api.app import create_app, routes_only
from api.serve import listening_socket, serve
from api.settings import Settings, load_settings
from collector.store import Store, StoreError
from schemas import logs
from schemas.settings import BadSettings


def main() -> int:
    parser = argparse.ArgumentParser(prog="api", description=__doc__)
    parser.add_argument("do", nargs="?", choices=("serve", "openapi"), default="serve")
    parser.add_argument("--config", type=Path, metavar="FILE", help="settings in TOML")
    parser.add_argument("--check-config", action="store_true", help="only say whether the settings are good")
    arguments = parser.parse_args()
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
        return _serve(settings)
    except (StoreError, OSError) as error:
        print(f"api: {error}", file=sys.stderr)
        return 1


def _serve(settings: Settings) -> int:
    bound = listening_socket(settings)
    store = Store.open(settings.database_url)
    try:
        serve(create_app(settings, store), settings, bound)
    finally:
        store.close()
    return 0


def _print_openapi() -> int:
    print(json.dumps(routes_only().openapi(), indent=1, ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
