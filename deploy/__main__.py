"""``python -m deploy``: reads arguments, writes the folder, prints what to do next. It starts and installs nothing."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from collector.errors import CollectorError
from deploy.errors import DeployError
from deploy.installation import install, plan_of
from deploy.plan import KINDS, PORTS


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="python -m deploy",
        description="Writes all configuration of an installation into one folder, and says what to do with it. "
        "Secrets are made once and kept. Run again, it shows what would change, and changes it with --force only.",
    )
    top.add_argument("kind", choices=KINDS, help="office: all on one machine; centre and branch: joined by a bridge")
    top.add_argument("--register", type=Path, required=True, metavar="FILE", help="branches, services, desks (TOML)")
    top.add_argument("--out", type=Path, required=True, metavar="DIR", help="where the configuration lies and stays")
    top.add_argument("--domain", required=True, metavar="NAME", help="this machine's name, in its certificate too")
    top.add_argument("--branch", metavar="ID", help="for a branch: which one of the register")
    top.add_argument("--centre", metavar="NAME[:PORT]", help="for a branch: the centre's broker")
    top.add_argument("--collectors", type=int, default=1, metavar="N", help="how many share the load (%(default)s)")
    top.add_argument(
        "--database", metavar="KIND", help="sqlite (an office's default), postgresql (a centre's), or a URL"
    )
    top.add_argument("--state", type=Path, default=Path("/var/lib/zrazkovo"), metavar="DIR", help="%(default)s")
    top.add_argument("--broker-user", default="mosquitto", metavar="USER", help="Mosquitto's user (%(default)s)")
    top.add_argument(
        "--port", action="append", default=[], metavar="NAME=N", help="another port for one of: " + ", ".join(PORTS)
    )
    top.add_argument("--force", action="store_true", help="write what changes; without it changes are only shown")
    return top


def main(arguments: Sequence[str]) -> int:
    options = parser().parse_args(arguments)
    try:
        print(install(plan_of(options), options.register, force=options.force))
    except (DeployError, CollectorError) as error:
        print(f"deploy: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
