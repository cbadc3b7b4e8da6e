"""``python -m firmware.host COMMAND``: the tool for IT's computer. It only finds the command's module and runs it."""

import argparse
import importlib
import sys

from firmware.host.errors import HostError

# Command (its module is firmware/host/commands/<command>.py) -> its line in the help.
COMMANDS = {
    "build": "compile the pad's files into a folder",
    "key": "make the key that signs updates",
    "release": "compile and sign a version for the fleet",
    "ca": "the office's own certificate authority: for the broker, and for pads",
    "wiring": "draw the wiring diagrams and tables of firmware/README.md from the board files",
    "flash": "make a board on a port the pad of a desk: program, password, first status, label",
    "label": "print a pad's label once more",
    "pads": "list the serial ports and what is on them",
    "replace": "put another board in a pad's place, with the votes it still holds",
}


def main(words: list[str] | None = None) -> int:
    """Runs the command in ``words`` (sys.argv if None); 0 done, 1 refused or failed, 2 not understood."""
    words = sys.argv[1:] if words is None else words
    parser = argparse.ArgumentParser(prog="python -m firmware.host", description="Prepares pads.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    parsers = {name: commands.add_parser(name, help=line, description=line) for name, line in COMMANDS.items()}
    named = next((word for word in words if not word.startswith("-")), "")
    module = importlib.import_module(f"firmware.host.commands.{named}") if named in COMMANDS else None
    if module:
        module.add_arguments(parsers[named])
    arguments = parser.parse_args(words)
    try:
        return int(module.run(arguments)) if module else 2
    except (HostError, OSError) as error:
        print(f"firmware.host: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nfirmware.host: stopped; run it again to go on", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
