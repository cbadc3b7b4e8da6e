"""``pads``: which ports there are, and what is on them. A pad that is at work is interrupted for it, and restarted."""

import argparse
import dataclasses
import json
from dataclasses import dataclass

from rich.console import Console

from firmware.host import kinds, ports, tree
from firmware.host.device import Device, Who
from firmware.host.errors import HostError
from firmware.host.screen import Terminal


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", action="append", default=[], metavar="PORT", help="only this; may be given again")
    parser.add_argument("--json", action="store_true", help="a JSON line for each port instead of a table")


@dataclass(frozen=True, slots=True)
class Found:
    """What is on a port; ``problem`` says why the rest is not known."""

    port: str
    board: str = ""
    micropython: str = ""
    desk: str = ""
    firmware: str = ""
    votes: int | None = None
    hardware: str = ""
    problem: str = ""


def run(arguments: argparse.Namespace) -> int:
    devices = arguments.port or [port.device for port in ports.plugged_in()]
    found = [_look(device) for device in devices]
    if arguments.json:
        for each in found:
            print(json.dumps(dataclasses.asdict(each), ensure_ascii=False))
    elif not found:
        print("no board is plugged in; a cable that only charges shows nothing either")
    else:
        head = ("port", "board", "MicroPython", "desk", "firmware", "votes kept", "number")
        Terminal(Console(highlight=False)).table(f"{len(found)} ports", head, [_row(each) for each in found])
        for each in found:
            if each.problem:
                print(each.problem)
    return 0 if found and not any(each.problem for each in found) else 1


def _look(device: str) -> Found:
    who: Who | None = None
    try:
        with Device(device) as board:
            who = board.who()
            settings = tree.read_settings(board.read_if_there(tree.SETTINGS))
            journal = board.read_if_there(tree.JOURNAL)
            firmware = tree.version_in(board.read_if_there)
            if board.read_if_there("/main.py") is not None:
                board.restart()
    except HostError as error:
        return Found(device, _board(who), who.micropython if who else "", problem=str(error))
    possible = kinds.kinds_of(who.machine)
    problem = kinds.too_old(who.version) or ("" if possible else f"no pad is made of this board: {who.machine}")
    return Found(
        port=device,
        board=_board(who),
        micropython=who.micropython,
        desk=str(settings.get("desk", "")),
        firmware=firmware,
        votes=tree.votes_in(journal) if journal is not None else None,
        hardware=who.hardware,
        problem=f"{device}: {problem}" if problem else "",
    )


def _board(who: Who | None) -> str:
    if who is None:
        return ""
    return " or ".join(kind.name for kind in kinds.kinds_of(who.machine)) or who.machine


def _row(found: Found) -> tuple[str, ...]:
    votes = "" if found.votes is None else str(found.votes)
    cells = (found.port, found.board, found.micropython, found.desk, found.firmware, votes, found.hardware)
    return tuple(cell or "-" for cell in cells)
