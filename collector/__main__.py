"""``python -m collector``: reads arguments and environment, hands over to collector/commands.py."""

import argparse
import logging
import os
import sys
from pathlib import Path

from collector import commands, register_cli
from collector.errors import CollectorError, SettingsError
from collector.settings import load_settings
from schemas.settings import BadSettings


def parser() -> argparse.ArgumentParser:
    """The command line; ``command`` is the function to call."""
    top = argparse.ArgumentParser(
        prog="collector", description="Takes votes and queue events in and keeps the figures."
    )
    top.add_argument("--config", type=Path, metavar="FILE", help="settings, a TOML file")
    top.add_argument(
        "--check-config", action="store_true", help="only say whether the settings are good (exit code 2 if not)"
    )
    top.set_defaults(command=commands.run)
    verbs = top.add_subparsers(metavar="COMMAND", title="commands")
    verbs.add_parser("run", help="collect until told to stop (the default)").set_defaults(command=commands.run)
    register_cli.add_arguments(
        verbs.add_parser("register", help="branches, desks, services, operators: take in, give out")
    )
    migrate = verbs.add_parser("migrate", help="bring the database to this version's tables")
    migrate.set_defaults(command=commands.migrate)
    replay = verbs.add_parser("replay", help="take in again what spools hold, after a backup was put back")
    replay.add_argument("folder", type=Path, metavar="FOLDER", help="a collector's spool, or one that holds several")
    replay.set_defaults(command=commands.replay)
    recount = verbs.add_parser("recount", help="compare the figures with the rows they come from")
    recount.set_defaults(command=commands.recount)
    _add_token(verbs.add_parser("token", help="who may ask the api").add_subparsers(metavar="COMMAND", required=True))
    return top


def _add_token(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    create = verbs.add_parser("create", help="print a new token, which is shown this once")
    create.add_argument("name", metavar="NAME")
    create.add_argument("--scopes", required=True, metavar="A,B", help="figures, operators, devices, control...")
    create.add_argument("--days", type=int, metavar="N", help="how long it is valid; without: until revoked")
    create.set_defaults(command=commands.token_create)
    verbs.add_parser("list", help="all tokens, without their secrets").set_defaults(command=commands.token_list)
    revoke = verbs.add_parser("revoke", help="end a token and its sessions")
    revoke.add_argument("name", metavar="NAME")
    revoke.set_defaults(command=commands.token_revoke)


def main() -> int:
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    arguments = parser().parse_args()
    try:
        command = commands.check_config if arguments.check_config else arguments.command
        return int(command(load_settings(arguments.config, os.environ), arguments))
    except (CollectorError, BadSettings) as error:
        print(f"collector: {error}", file=sys.stderr)
        return 2 if isinstance(error, SettingsError | BadSettings) else 1


if __name__ == "__main__":
    sys.exit(main())
