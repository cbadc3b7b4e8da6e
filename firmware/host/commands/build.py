"""``build OUT``: compiles the pad's files into a folder and says how large they are."""

import argparse
from pathlib import Path

from firmware.host.build import build, sizes


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("out", type=Path, metavar="OUT")


def run(arguments: argparse.Namespace) -> int:
    build(arguments.out)
    files = sizes(arguments.out)
    for path, size_bytes in files.items():
        print(f"{size_bytes:7,}  {path}")
    print(f"{sum(files.values()):7,}  total")
    return 0
