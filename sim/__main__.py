"""``python -m sim``: the demonstration and its parts. It decides nothing; every subcommand is a function elsewhere."""

import argparse
import asyncio
import logging
import signal
import sys
from pathlib import Path

from sim.errors import SettingsError, SimError


def main() -> int:
    parser = argparse.ArgumentParser(prog="sim", description="A whole simulated service centre.")
    commands = parser.add_subparsers(dest="command", required=True)
    broker = commands.add_parser("broker", help="the embedded broker alone")
    broker.add_argument("--config", type=Path, required=True, metavar="FILE")
    broker.set_defaults(run=run_broker)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        return int(arguments.run(arguments))
    except SettingsError as error:
        print(f"sim: {error}", file=sys.stderr)
        return 2
    except (SimError, OSError) as error:
        print(f"sim: {error}", file=sys.stderr)
        return 1


def run_broker(arguments: argparse.Namespace) -> int:
    from sim import broker  # amqtt takes a quarter of a second to import

    async def serve() -> None:
        stopping = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stopping.set)
        await broker.serve(broker.load_settings(arguments.config), stopping)

    asyncio.run(serve())
    return 0


if __name__ == "__main__":
    sys.exit(main())
