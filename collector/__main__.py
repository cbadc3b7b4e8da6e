"""``python -m collector``: reads arguments and environment, hands over to collector/commands.py."""

import argparse
import os
import sys
from pathlib import Path

from collector import archive_commands, commands, register_cli, upkeep_commands
from collector.doctor import doctor as examine
from collector.errors import CollectorError, SettingsError
from collector.rollup import CUTS
from collector.settings import load_settings
from schemas import logs
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
    _add_upkeep(verbs)
    _add_token(verbs.add_parser("token", help="who may ask the api").add_subparsers(metavar="COMMAND", required=True))
    return top


def _add_upkeep(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    recount = verbs.add_parser("recount", help="compare the figures with the rows they come from")
    recount.add_argument("--branch", metavar="ID", help="of one branch only")
    recount.add_argument("--from", dest="first", metavar="DAY", help="from this local day on, 2026-11-01")
    recount.add_argument("--to", dest="last", metavar="DAY", help="to this local day, which is included")
    recount.add_argument("--cut", choices=CUTS, help="of one cut only")
    recount.add_argument("--archive", type=Path, metavar="FOLDER", help="count archived months too, from their files")
    recount.add_argument("--json", action="store_true", help="the result as JSON")
    recount.add_argument("--repair", action="store_true", help="write what the rows say; each change is recorded")
    recount.set_defaults(command=upkeep_commands.recount)
    archive = verbs.add_parser("archive", help="whole months of calls and votes into files, or back from them")
    archive.add_argument("--before", metavar="MONTH", help="of before this month, 2026-03; figures stay")
    archive.add_argument("--restore", metavar="MONTH", help="take back in what was archived from this month on")
    archive.add_argument("--to", "--from", dest="folder", type=Path, metavar="FOLDER", help="where the files are")
    archive.add_argument("--yes", action="store_true", help="do it; without, only say what would be done")
    archive.set_defaults(command=archive_commands.run)
    backup = verbs.add_parser("backup", help="save the database, while everything runs")
    backup.add_argument("target", type=Path, metavar="FILE|FOLDER")
    backup.add_argument("--keep", type=_at_least_one, metavar="N", help="of the backups in FOLDER, keep the newest N")
    backup.set_defaults(command=upkeep_commands.backup)
    restore = verbs.add_parser("restore", help="put a backup back; collector, fleet and api must be stopped")
    restore.add_argument("file", type=Path, metavar="FILE")
    restore.add_argument("--force", action="store_true", help="though votes that came after it are lost")
    restore.set_defaults(command=upkeep_commands.restore)
    doctor = verbs.add_parser("doctor", help="look at everything this stands on; exit code 1: attention, 2: failed")
    doctor.add_argument("--json", action="store_true", help="the findings as JSON")
    doctor.add_argument(
        "--login", action="store_true", help="log in at the broker, too: a running collector is cut off for a moment"
    )
    doctor.set_defaults(command=examine)


def _at_least_one(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of 1 or more")
    return int(text)


def _add_token(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    create = verbs.add_parser("create", help="print a new token, which is shown this once")
    create.add_argument("name", metavar="NAME")
    create.add_argument("--scopes", required=True, metavar="A,B", help="figures, operators, devices, control...")
    create.add_argument("--days", type=int, metavar="N", help="how long it is valid; without: until revoked")
    for part, whose in (
        ("branch", "figures, desks and faults of this branch only"),
        ("direction", "of services and directions those of this direction only"),
        ("participant", "of operators those whom this organisation employs only"),
    ):
        more = f"{whose}; may be repeated"
        create.add_argument(f"--{part}", action="append", default=[], metavar="ID", help=more)
    create.set_defaults(command=commands.token_create)
    verbs.add_parser("list", help="all tokens, without their secrets").set_defaults(command=commands.token_list)
    revoke = verbs.add_parser("revoke", help="end a token and its sessions")
    revoke.add_argument("name", metavar="NAME")
    revoke.set_defaults(command=commands.token_revoke)


def main() -> int:
    logs.set_up()
    arguments = parser().parse_args()
    try:
        command = commands.check_config if arguments.check_config else arguments.command
        settings = load_settings(arguments.config, os.environ)
        logs.set_up(settings.log_format)
        return int(command(settings, arguments))
    except (CollectorError, BadSettings) as error:
        print(f"collector: {error}", file=sys.stderr)
        return 2 if isinstance(error, SettingsError | BadSettings) else 1


if __name__ == "__main__":
    sys.exit(main())
