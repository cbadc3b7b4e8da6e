"""``python -m collector.feed``: reads arguments and environment, runs the feed, turns errors into exit codes."""

import argparse
import hashlib
import json
import os
import secrets
import sys
from collections.abc import Sequence
from pathlib import Path

from collector.errors import CollectorError
from collector.feed.check_screen import as_json, show
from collector.feed.errors import BadSettings, FeedError
from collector.feed.recorded_day import read_day
from collector.feed.settings import Settings, load
from collector.feed.site import site_of
from collector.feed.understood import understand
from collector.feed.webhook import document
from collector.feed.wiring import Feed, check
from schemas import logs


def main(arguments: Sequence[str] | None = None) -> int:
    """``arguments`` are the command line's unless given."""
    options = _parser().parse_args(arguments)
    logs.set_up()
    if options.do == "token":
        token = secrets.token_urlsafe(32)
        print(f"token   {token}\ndigest  {hashlib.sha256(token.encode()).hexdigest()}")
        return 0
    if options.do == "openapi":
        print(json.dumps(document(), indent=1, ensure_ascii=False))
        return 0
    try:
        settings = load(options.config, os.environ)
        logs.set_up(settings.log_format)
        if options.check_config:
            check(settings)
            print("feed: the settings are good")
            return 0
        if options.do == "check":
            return check_day(settings, options.files, as_lines=options.json)
        Feed(settings).run()
    except BadSettings as error:
        print(f"feed: {error}", file=sys.stderr)
        return 2
    except (FeedError, CollectorError, OSError) as error:
        print(f"feed: {error}", file=sys.stderr)
        return 1
    return 0


def check_day(settings: Settings, files: Sequence[Path], *, as_lines: bool) -> int:
    """Shows how a recorded day was understood. Exit code 1 if something was not."""
    site = site_of(settings)
    result = understand(read_day(files, settings, site), site.branches)
    if as_lines:
        print(as_json(result))
    else:
        show(result, site.branches, sys.stdout)
    return 0 if result.findings.understood else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m collector.feed",
        description="Takes queue events by webhook, tells every desk its current call, and posts the events to the "
        "collector. Secrets come from the environment: ZRAZKOVO_FEED_BROKER_PASSWORD, ZRAZKOVO_FEED_TICKET_SECRET "
        "(16 characters or more; keys the tickets' pseudonyms), ZRAZKOVO_FEED_FQM_TOKENS (JSON, by name).",
    )
    parser.add_argument("--config", type=Path, metavar="FILE", help="settings in TOML; the environment wins over it")
    parser.add_argument(
        "--check-config", action="store_true", help="only say whether the settings are good (exit code 2 if not)"
    )
    commands = parser.add_subparsers(dest="do", metavar="COMMAND")
    commands.add_parser("run", help="serve until SIGTERM or Ctrl-C (what happens without a command)")
    commands.add_parser(
        "token",
        help="print a fresh webhook token, for the queue system, and its digest, for `tokens` in the settings",
    )
    day = commands.add_parser(
        "check",
        help="replay a recorded day through the rules and show how each call was understood; exit code 1 if something "
        "was not. Neither broker nor database are needed; record_folder in the settings makes recordings",
    )
    day.add_argument("files", nargs="+", type=Path, metavar="FILE", help="JSON lines: a recording, or webhook bodies")
    day.add_argument("--json", action="store_true", help="for programs")
    commands.add_parser("openapi", help="write the OpenAPI document of the webhook to standard output")
    return parser


if __name__ == "__main__":
    sys.exit(main())
