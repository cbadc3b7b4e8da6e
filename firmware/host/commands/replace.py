"""``replace``: another board takes a desk's place, with the votes that the old pad still holds.

The old pad's password dies when the new one's is registered. If the old pad still talks, its journal goes over to the
new one and it is emptied at the very end, so that whatever fails in between, a second run finds all it needs.
"""

import argparse
import dataclasses
import json
import time

from firmware.host import options, tree
from firmware.host.device import Device
from firmware.host.errors import BoardError, HostError, UsageError
from firmware.host.provision import Registrar, provision
from firmware.host.screen import Terminal
from firmware.host.server import Server


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", required=True, metavar="PORT", help="the new board's")
    parser.add_argument("--desk", required=True, metavar="NAME")
    old = parser.add_mutually_exclusive_group(required=True)
    old.add_argument("--old-port", metavar="PORT", help="the old pad's; the same port: they are plugged in in turn")
    old.add_argument("--dead", action="store_true", help="the old pad cannot be read any more")
    options.add_options(parser)


def run(arguments: argparse.Namespace) -> int:
    screen = Terminal()
    began = time.monotonic()
    registrar, witness = options.registrar(arguments)
    order = options.order(arguments, arguments.desk)
    in_turn = arguments.old_port == arguments.port
    journal = None
    if arguments.old_port:
        journal = _read_old(arguments.old_port, arguments.desk, screen)
        if in_turn:
            _swap(arguments.port, screen)
    else:
        votes = _last_reported(registrar, arguments.desk)
        screen.say(f"the votes that the old pad has not delivered stay on it: {votes}")
    order = dataclasses.replace(order, new_password=True, journal=journal)
    with Device(arguments.port) as device:
        result = provision(device, order, registrar, lambda: witness(arguments.desk), screen)
    if arguments.old_port and not in_turn:
        screen.step("the old pad")
        _empty(arguments.old_port, screen)
    result = dataclasses.replace(result, seconds=round(time.monotonic() - began, 1))
    print(json.dumps({"ok": True, "outcome": "replaced", **dataclasses.asdict(result)}, ensure_ascii=False))
    return 0


def _read_old(port: str, desk: str, screen: Terminal) -> bytes | None:
    """The old pad's journal; None if it has none. The pad stays stopped, so that it delivers nothing twice."""
    screen.step("the old pad")
    with Device(port) as device:
        was = tree.read_settings(device.read_if_there(tree.SETTINGS)).get("desk")
        if was is None:
            screen.say("it is no pad any more: it was emptied before")
            return None
        if was != desk:
            raise BoardError(f"the old pad on {port} is the pad of {was}, not of {desk}")
        journal = device.read_if_there(tree.JOURNAL)
    votes = tree.votes_in(journal) if journal is not None else 0
    if votes is None:
        screen.say("its journal cannot be read: what it held is lost")
        return None
    screen.say(f"{votes} votes that nobody has confirmed go over to the new pad")
    return journal


def _last_reported(registrar: Registrar, desk: str) -> str:
    """How many votes the desk's pad last said it had not delivered; only a server can know."""
    row = registrar.pad(desk) if isinstance(registrar, Server) else None
    health = (row or {}).get("health")
    return f"{health['outbox']} by its last report" if health else "how many is not known"


def _swap(port: str, screen: Terminal) -> None:
    if not screen.has_person:
        raise UsageError(f"nobody is there to swap the pads on {port}")
    screen.ask(f"unplug the old pad, plug in the new board on {port}, press Enter ")


def _empty(port: str, screen: Terminal) -> None:
    """Takes password and votes off a pad whose place is taken. It may have failed meanwhile: then it is only said."""
    try:
        with Device(port) as device:
            for path in (tree.SETTINGS, "/client.key", tree.JOURNAL):
                if device.read_if_there(path) is not None:
                    device.remove(path)
        screen.say("emptied: its password and its votes are gone from it")
    except HostError as error:
        screen.problem(f"it could not be emptied ({error}); its password is of no use any more")
