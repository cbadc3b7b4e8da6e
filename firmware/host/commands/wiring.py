"""``wiring``: writes the diagrams of firmware/wiring and the tables of firmware/README.md, for whoever changes pins."""

import argparse

from firmware.host import wiring


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """It has none."""


def run(arguments: argparse.Namespace) -> int:
    wiring.write()
    return 0
