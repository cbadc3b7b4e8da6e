"""``flash``: a board on a port becomes the pad of a desk; or many of them, one after the other, from a list."""

import argparse
import contextlib
import csv
import dataclasses
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from firmware.host import images, options, ports
from firmware.host.device import Device
from firmware.host.errors import HostError, UsageError
from firmware.host.kinds import NAMES
from firmware.host.provision import Result, provision
from firmware.host.screen import Terminal


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", action="append", default=[], metavar="PORT", help="its port; several for a list")
    parser.add_argument("--desk", metavar="NAME", help="whose pad it becomes")
    parser.add_argument("--list", type=Path, metavar="CSV", help="many pads: columns desk, and if wanted port, board")
    parser.add_argument("--record", type=Path, metavar="FILE", help="append the results here; done desks are left out")
    parser.add_argument(
        "--image", type=Path, metavar="FILE", help="write this MicroPython first (.uf2, or .bin of ESP32)"
    )
    parser.add_argument("--erase", action="store_true", help="with --image on an ESP32: erase all of it before")
    options.add_options(parser)


@dataclass(frozen=True, slots=True)
class Job:
    desk: str
    port: str | None
    board: str | None


def run(arguments: argparse.Namespace) -> int:
    screen = Terminal()
    jobs = _jobs(arguments)
    done = _done(arguments.record)
    registrar, witness = options.registrar(arguments)
    outcomes: list[tuple[Job, Result | None, str]] = []
    for number, job in enumerate(jobs, start=1):
        if job.desk in done:
            outcomes.append((job, None, "done before"))
            continue
        if len(jobs) > 1:
            screen.step(f"{job.desk} ({number} of {len(jobs)})")
        try:
            port = job.port or _next_port(job, screen)
            began = time.monotonic()
            with _board(arguments, job, port, screen) as device:
                order = options.order(arguments, job.desk, job.board)
                result = provision(device, order, registrar, lambda desk=job.desk: witness(desk), screen)  # type: ignore[misc]
            result = dataclasses.replace(result, seconds=round(time.monotonic() - began, 1))
            outcomes.append((job, result, "done" if result.changed else "unchanged"))
        except (HostError, OSError) as error:  # the next pad of the list may fare better
            screen.problem(str(error))
            outcomes.append((job, None, str(error)))
        _record(arguments.record, *outcomes[-1])
    if len(jobs) > 1:
        _summary(outcomes, screen)
    return 0 if all(result or text == "done before" for _, result, text in outcomes) else 1


def _jobs(arguments: argparse.Namespace) -> list[Job]:
    """Raises UsageError."""
    if bool(arguments.list) == bool(arguments.desk):
        raise UsageError("say which desk: --desk NAME (make flash DESK=...), or many: --list CSV")
    if arguments.desk:
        if len(arguments.port) != 1:
            raise UsageError("say which port: --port PORT (make flash PORT=...); make pads lists them")
        return [Job(arguments.desk, arguments.port[0], arguments.board)]
    try:
        with arguments.list.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{arguments.list} cannot be read: {error}") from None
    given = iter(arguments.port)
    jobs = [
        Job((row.get("desk") or "").strip(), row.get("port") or next(given, None), row.get("board") or None)
        for row in rows
    ]
    for line, job in enumerate(jobs, start=2):
        if not job.desk or (job.board and job.board not in NAMES):
            raise UsageError(f"{arguments.list}, line {line}: {'no desk' if not job.desk else f'no board {job.board}'}")
    if len({job.desk for job in jobs}) != len(jobs):
        raise UsageError(f"{arguments.list}: a desk stands twice")
    if not jobs:
        raise UsageError(f"{arguments.list}: no desk in it; the first line must be: desk,port,board")
    return jobs


def _next_port(job: Job, screen: Terminal) -> str:
    """The port that appears when the person plugs in the next board."""
    before = {port.device for port in ports.plugged_in()}
    if not screen.has_person:
        raise UsageError(f"no port is given for {job.desk}, and nobody is there to plug in the next board")
    screen.step(f"plug in the board for {job.desk}")
    while True:
        now = {port.device for port in ports.plugged_in()}
        fresh = sorted(now - before)
        if fresh:
            return fresh[0]
        before &= now
        time.sleep(0.2)


@contextlib.contextmanager
def _board(arguments: argparse.Namespace, job: Job, port: str, screen: Terminal) -> Iterator[Device]:
    """The open board, with a fresh MicroPython if one was asked for."""
    if arguments.image:
        _write_image(arguments, job, port, screen)
    with Device(port) as device:
        yield device


def _write_image(arguments: argparse.Namespace, job: Job, port: str, screen: Terminal) -> None:
    screen.step("MicroPython")
    fits = images.kinds_for(arguments.image)
    board = job.board or arguments.board
    if board and board not in [kind.name for kind in fits]:
        raise UsageError(f"{arguments.image} is for {' or '.join(kind.name for kind in fits)}, not for {board}")
    if fits[0].esptool:
        ports.check(port)
        images.write_esp32(port, arguments.image, screen.say, erase=arguments.erase)
    else:
        with contextlib.suppress(HostError), Device(port) as device:  # it may be blank, or be a drive already
            device.bootloader()
        images.write_uf2(arguments.image, fits[0], screen.say)
    ports.wait_for(ports.find(port), 30)


def _done(record: Path | None) -> set[str]:
    """The desks that the record says are done."""
    if record is None or not record.exists():
        return set()
    try:
        rows = [json.loads(line) for line in record.read_text(encoding="utf-8").splitlines() if line]
        return {row["desk"] for row in rows if row["ok"]}
    except (ValueError, KeyError, TypeError):
        raise UsageError(f"{record} is no record of this tool") from None


def _record(file: Path | None, job: Job, result: Result | None, text: str) -> None:
    row = {"ok": result is not None, "desk": job.desk, "outcome": text}
    line = json.dumps(row | (dataclasses.asdict(result) if result else {"port": job.port}), ensure_ascii=False)
    print(line, flush=True)
    if file:
        with file.open("a", encoding="utf-8") as target:
            target.write(line + "\n")


def _summary(outcomes: list[tuple[Job, Result | None, str]], screen: Terminal) -> None:
    rows = [
        (job.desk, result.board if result else "-", result.hardware if result else "-", text)
        for job, result, text in outcomes
    ]
    good = sum(1 for _, result, text in outcomes if result or text == "done before")
    screen.table(f"{good} of {len(outcomes)} pads are at work", ("desk", "board", "number", "outcome"), rows)
