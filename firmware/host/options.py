"""The command line that making a pad needs, the same for flash and replace, and what is built from it.

A secret never stands in an argument, where every process of the computer could read it: the token comes from the
environment, a file or a question.
"""

import argparse
import getpass
import json
import os
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from firmware.host import credentials, kinds, watch
from firmware.host.ca import Authority
from firmware.host.errors import CaError, UsageError
from firmware.host.provision import Order, Registrar
from firmware.host.server import Broker, Server
from protocol.fields import NAME

SERVER, TOKEN, IT_PASSWORD = "ZRAZKOVO_FLASH_SERVER", "ZRAZKOVO_FLASH_TOKEN", "ZRAZKOVO_FLASH_IT_PASSWORD"
_PLAIN_PORT, _TLS_PORT = 1883, 8883


class PasswordFile:
    """A Registrar without a server: writes the verifier into a Mosquitto password file on this computer."""

    def __init__(self, file: Path, broker: Broker):
        self._file = file
        self._broker = broker

    def register(self, desk: str, verifier: str, board: str, hardware: str, firmware: str) -> Broker:
        if credentials.write_verifier(self._file, desk, verifier):
            print(f"  {self._file} has a new line: let the broker read it (kill -HUP)", file=sys.stderr)
        return self._broker


def add_options(parser: argparse.ArgumentParser) -> None:
    where = parser.add_argument_group("where the pad is registered: a server, or a broker's password file")
    where.add_argument("--server", default=os.environ.get(SERVER), metavar="URL", help=f"the api; or {SERVER}")
    where.add_argument(
        "--server-ca", type=Path, metavar="PEM", help="what to trust of the server instead of the system"
    )
    where.add_argument("--token-file", type=Path, metavar="FILE", help=f"a token of the scope provision; or {TOKEN}")
    where.add_argument("--passwords", type=Path, metavar="FILE", help="Mosquitto's password file, without a server")
    where.add_argument("--broker", metavar="HOST:PORT", help="where pads find it, if no server says so")
    where.add_argument("--ca", type=Path, metavar="PEM", help="with --broker: its authority; it means TLS")
    pad = parser.add_argument_group("the pad")
    pad.add_argument("--board", choices=kinds.NAMES, help="which board it is, if it does not say so clearly")
    pad.add_argument("--network", type=Path, metavar="FILE", help="keys for pad.json: Wi-Fi, addresses (TOML or JSON)")
    pad.add_argument("--fleet-key", type=Path, metavar="FILE", help="the public key that updates are signed for")
    pad.add_argument("--authority", type=Path, metavar="DIR", help="certify the pad by this authority (see ca)")
    pad.add_argument("--no-panel", action="store_true", help="do not try lamps and buttons")
    pad.add_argument("--move", action="store_true", help="take it even if it was another desk's pad")
    pad.add_argument("--forget-votes", action="store_true", help="with --move: lose the votes it holds of that desk")
    pad.add_argument("--new-password", action="store_true", help="even if the one it has would do")
    pad.add_argument("--wait", type=float, default=60, metavar="S", help="for its first status; 60")
    pad.add_argument(
        "--labels", type=Path, default=Path("build/labels"), metavar="DIR", help="build/labels; '' for none"
    )


def order(arguments: argparse.Namespace, desk: str, board: str | None = None) -> Order:
    """Raises UsageError."""
    problem = NAME.problem(desk)
    if problem:
        raise UsageError(f"the desk's name {problem}: {desk}")
    return Order(
        desk=desk,
        board=board or arguments.board,
        network=_network(arguments.network) if arguments.network else {},
        fleet_key=_read(arguments.fleet_key) if arguments.fleet_key else None,
        certificate=_certificate(arguments.authority, desk) if arguments.authority else None,
        new_password=arguments.new_password,
        move=arguments.move,
        forget=arguments.forget_votes,
        panel=not arguments.no_panel,
        status_s=arguments.wait,
        labels=arguments.labels if str(arguments.labels) not in ("", ".") else None,
    )


def registrar(arguments: argparse.Namespace) -> tuple[Registrar, "Callable[[str], watch.Witness | None]"]:
    """Who registers pads, and who sees their first status, by desk. Raises UsageError."""
    broker = _broker(arguments.broker, arguments.ca) if arguments.broker else None
    if arguments.passwords and broker:
        password = os.environ.get(IT_PASSWORD)

        def at_broker(desk: str) -> watch.Witness | None:
            if not password:
                return None
            place = broker.host, broker.port
            return watch.BrokerWitness(desk, place, password, str(arguments.ca) if arguments.ca else None)

        return PasswordFile(arguments.passwords, broker), at_broker
    if arguments.passwords or not arguments.server:
        raise UsageError("say where the pad is registered: --server URL, or --passwords FILE with --broker HOST:PORT")
    server = Server(arguments.server, _token(arguments.token_file), arguments.server_ca, broker)
    return server, lambda desk: watch.ServerWitness(server, desk)


def _certificate(authority: Path, desk: str) -> tuple[bytes, bytes]:
    """The desk's certificate and key: those the authority has made already, else new ones."""
    made = authority / "clients" / f"{desk}.der"
    try:
        file = made if made.exists() else Authority(authority).client(desk)
    except CaError as error:
        raise UsageError(str(error)) from None
    return _read(file), _read(file.with_suffix(".key"))


def _token(file: Path | None) -> str:
    if file:
        return _read(file).decode().strip()
    given = os.environ.get(TOKEN)
    if given:
        return given
    return getpass.getpass("token (scope provision): ", sys.stderr).strip() if sys.stdin.isatty() else ""


def _broker(text: str, ca: Path | None) -> Broker:
    host, _, port = text.rpartition(":")
    if host and not port.isdigit():
        raise UsageError(f"{text} is no HOST:PORT")
    anchor = _read(ca).decode() if ca else None
    return Broker(host or text, int(port) if host else _TLS_PORT if ca else _PLAIN_PORT, anchor)


def _network(file: Path) -> dict[str, Any]:
    text = _read(file).decode()
    try:
        found = tomllib.loads(text) if file.suffix == ".toml" else json.loads(text)
    except ValueError as error:
        raise UsageError(f"{file} is not understood: {error}") from None
    if not isinstance(found, dict):
        raise UsageError(f"{file} must hold keys and values")
    return found


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from None
