"""``label``: prints a pad's label once more, without the pad."""

import argparse
from datetime import datetime
from pathlib import Path

from firmware.host import kinds, label


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--desk", required=True, metavar="NAME")
    parser.add_argument("--board", required=True, choices=kinds.NAMES)
    parser.add_argument("--hardware", default="", metavar="NUMBER", help="as make pads shows it")
    parser.add_argument("--labels", type=Path, default=Path("build/labels"), metavar="DIR", help="build/labels")


def run(arguments: argparse.Namespace) -> int:
    today = datetime.now().astimezone().date()
    text = label.Label(arguments.desk, arguments.board, arguments.hardware, today)
    print(label.write(text, arguments.labels / f"{arguments.desk}.pdf"))
    return 0
