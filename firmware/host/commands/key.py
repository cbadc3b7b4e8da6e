"""``key OUT``: makes the key that signs updates for this fleet's pads. Keep it off the server that serves them."""

import argparse
from pathlib import Path

from firmware.host.passphrase import new_passphrase
from firmware.host.sign import make_key


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("out", type=Path, metavar="OUT", help="where the private key goes; OUT.pub is for the pads")
    parser.add_argument("--plain", action="store_true", help="no passphrase: whoever reads the file can sign updates")


def run(arguments: argparse.Namespace) -> int:
    public = make_key(arguments.out, None if arguments.plain else new_passphrase())
    print(f"{arguments.out}: signs updates; keep it, and a copy, where no pad and no server of the office can read it")
    print(f"{public}: goes onto every pad as fleet.pub")
    return 0
