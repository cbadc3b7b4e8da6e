"""``release OUT --version V --key FILE``: compiles, lists and signs the application for every board."""

import argparse
from pathlib import Path

from firmware.host.boards import available
from firmware.host.passphrase import known_passphrase
from firmware.host.release import MANIFEST, release
from firmware.host.sign import read_key


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("out", type=Path, metavar="OUT", help="a folder of its own below the fleet service's releases")
    parser.add_argument("--version", required=True, metavar="V", help="what pads will report, such as 1.4.0")
    parser.add_argument("--key", required=True, type=Path, metavar="FILE", help="made by: python -m firmware.host key")
    parser.add_argument("--board", action="append", metavar="NAME", help="only this board; may be given again")


def run(arguments: argparse.Namespace) -> int:
    key = read_key(arguments.key, known_passphrase(arguments.key.read_bytes()))
    sizes = release(arguments.out, arguments.version, key, arguments.board or available())
    for board, files in sizes.items():
        modules = sum(size for path, size in files.items() if path != MANIFEST)
        print(f"{board:12} {len(files) - 1:3} files {modules:8,} bytes, manifest {files[MANIFEST]:6,}")
    return 0
