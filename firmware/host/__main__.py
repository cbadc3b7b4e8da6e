"""``python -m firmware.host``: the tool for IT's computer."""

import argparse
import sys
from pathlib import Path

from firmware.host.build import BuildError, build, sizes


def main() -> int:
    parser = argparse.ArgumentParser(prog="firmware.host", description="Prepares pads.")
    commands = parser.add_subparsers(dest="command", required=True)
    builder = commands.add_parser("build", help="compile the pad's files into a folder")
    builder.add_argument("out", type=Path, metavar="OUT")
    arguments = parser.parse_args()
    try:
        build(arguments.out)
    except (BuildError, OSError) as error:
        print(f"firmware.host: {error}", file=sys.stderr)
        return 1
    files = sizes(arguments.out)
    for path, size_bytes in files.items():
        print(f"{size_bytes:7,}  {path}")
    print(f"{sum(files.values()):7,}  total")
    return 0


if __name__ == "__main__":
    sys.exit(main())
