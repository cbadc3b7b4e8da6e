"""``python -m collector.fleet``: reads arguments and environment, hands over to collector/fleet/cli.py."""

import argparse
import os
import sys
from pathlib import Path

from collector.errors import CollectorError, SettingsError
from collector.fleet import cli
from collector.fleet.settings import load_settings
from schemas import logs
from schemas.settings import BadSettings


def parser() -> argparse.ArgumentParser:
    """The command line; ``command`` is the function to call."""
    top = argparse.ArgumentParser(
        prog="python -m collector.fleet",
        description="Watches every pad, tells people what is wrong, serves updates and carries out what IT asks. "
        "Secrets come from the environment: ZRAZKOVO_FLEET_BROKER_PASSWORD, _MAIL_PASSWORD, _WEBHOOK_SECRET.",
    )
    top.add_argument("--config", type=Path, metavar="FILE", help="settings in TOML; the environment wins over it")
    top.add_argument(
        "--check-config", action="store_true", help="only say whether the settings are good (exit code 2 if not)"
    )
    top.set_defaults(command=cli.run)
    verbs = top.add_subparsers(metavar="COMMAND")
    verbs.add_parser("run", help="serve until SIGTERM or Ctrl-C (the default)").set_defaults(command=cli.run)
    verbs.add_parser("faults", help="what is wrong now").set_defaults(command=cli.faults)
    command = verbs.add_parser("command", help="ask a pad for something and wait for what comes of it")
    command.add_argument("desk", metavar="DESK")
    command.add_argument("do", choices=("identify", "restart", "report", "test", "settings"))
    command.add_argument("set", nargs="*", metavar="NAME=NUMBER", help="for settings: armed_pct, chosen_pct, chosen_s")
    command.set_defaults(command=cli.command)
    retire = verbs.add_parser("retire", help="there is no pad at this desk any more")
    retire.add_argument("desk", metavar="DESK")
    retire.set_defaults(command=cli.retire)
    passwords = verbs.add_parser("passwords", help="what a branch's own broker needs to let its pads in")
    passwords.add_argument("branch", metavar="BRANCH")
    passwords.set_defaults(command=cli.passwords)
    _add_rollout(verbs.add_parser("rollout", help="bring a version to the pads").add_subparsers(required=True))
    return top


def _add_rollout(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    start = verbs.add_parser("start", help="one pad, then ten per cent, then all; stops on failures")
    start.add_argument("version", metavar="VERSION")
    start.add_argument("--stages", default="1,10%,100%", metavar="A,B,C", help="pads or shares; default %(default)s")
    start.add_argument("--soak", type=int, default=600, metavar="S", help="how long a stage must be well (%(default)s)")
    start.add_argument("--limit", type=int, default=900, metavar="S", help="how long a pad may be away (%(default)s)")
    start.add_argument("--allow", type=int, default=0, metavar="N", help="failures that do not stop it (%(default)s)")
    start.add_argument("--wait", action="store_true", help="show its progress until it has ended")
    start.set_defaults(command=cli.rollout_start)
    status = verbs.add_parser("status", help="how it stands; exit code 3 if it was stopped or undone")
    status.add_argument("--wait", action="store_true", help="show its progress until it has ended")
    status.set_defaults(command=cli.rollout_status)
    for wish, text in (
        ("pause", "offer it to no further pad for now"),
        ("resume", "go on"),
        ("stop", "withdraw it from every pad that has not changed over"),
        ("undo", "stop it, and bring every pad back to what it ran before"),
    ):
        verbs.add_parser(wish, help=text).set_defaults(command=cli.rollout_wish, wish=wish)


def main() -> int:
    logs.set_up()
    arguments = parser().parse_args()
    try:
        command = cli.check_config if arguments.check_config else arguments.command
        settings = load_settings(arguments.config, os.environ)
        logs.set_up(settings.log_format)
        return int(command(settings, arguments))
    except (CollectorError, BadSettings) as error:
        print(f"fleet: {error}", file=sys.stderr)
        return 2 if isinstance(error, SettingsError | BadSettings) else 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
