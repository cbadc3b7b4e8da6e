"""From a board on a port to a pad at work on its desk, step by step; every step can be repeated after a failure.

    1 ask the board         2 read what it was      3 register its verifier      4 write what differs
    5 try its own settings  6 lamps and buttons     7 restart, first status      8 label

Before the pad's files are touched, the server knows the password that will be in them; a failure in between leaves a
pad that cannot connect until this is run again, and never two pads for one desk.
"""

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from firmware import VERSION
from firmware.host import credentials, kinds, label, selftest, tree, watch
from firmware.host.device import Device, Listing, Who
from firmware.host.errors import BoardError, PadError
from firmware.host.kinds import Kind
from firmware.host.server import Broker

_PEM_CERTIFICATE = re.compile("-----BEGIN CERTIFICATE-----(.+?)-----END CERTIFICATE-----", re.DOTALL)


class Screen(Protocol):
    """Where the person reads and answers."""

    def step(self, text: str) -> None: ...

    def say(self, text: str) -> None: ...

    def progress(self, text: str, total_bytes: int) -> "Callable[[int], None]":
        """Begins a bar; the function moves it by so many bytes."""

    def ask_panel(self, problem: str) -> selftest.Answer: ...


class Registrar(Protocol):
    """Whoever must know the pad's verifier: the server, or a broker's password file."""

    def register(self, desk: str, verifier: str, board: str, hardware: str, firmware: str) -> Broker: ...


@dataclass(frozen=True, slots=True)
class Order:
    """What is to become of the board, the same for every pad of a batch but the desk."""

    desk: str
    board: str | None = None  # None: what it is, if that is clear
    network: dict[str, Any] = field(default_factory=dict)
    fleet_key: bytes | None = None
    certificate: tuple[bytes, bytes] | None = None  # the pad's own and its key, in DER
    new_password: bool = False
    move: bool = False  # the pad may have been another desk's
    forget: bool = False  # and its votes may be lost
    panel: bool = True
    status_s: float = 60
    labels: Path | None = None
    journal: bytes | None = None  # votes of the pad that this one replaces


@dataclass(frozen=True, slots=True)
class Result:
    """One line of the record; no secret is in it."""

    desk: str
    port: str
    board: str
    hardware: str
    micropython: str
    firmware: str
    written: int
    removed: int
    bytes: int
    panel: str
    boot: int
    status: str
    label: str | None
    seconds: float = 0.0

    @property
    def changed(self) -> bool:
        return bool(self.written or self.removed)


def identify(device: Device, asked: str | None, before: str | None) -> tuple[Who, Kind]:
    """Who is on the port, if a pad can be made of it. Raises BoardError."""
    who = device.who()
    if who.implementation != "micropython":
        raise BoardError(f"{who.implementation} runs on this board, not MicroPython: write it with --image")
    problem = kinds.too_old(who.version)
    if problem:
        raise BoardError(problem)
    kind = kinds.choose(who.machine, asked, before)
    if who.storage_bytes < kinds.MINIMUM_STORAGE_BYTES:
        raise BoardError(
            f"the flash is too small: {who.storage_bytes // 1024} KB for files, "
            f"{kinds.MINIMUM_STORAGE_BYTES // 1024} KB are needed"
        )
    return who, kind


def provision(
    device: Device, order: Order, registrar: Registrar, witness: "Callable[[], watch.Witness | None]", screen: Screen
) -> Result:
    """Makes the board on ``device`` the pad of the desk. Raises HostError at the step that failed."""
    screen.step("the board")
    listing = device.listing()
    before = tree.read_settings(device.read(tree.SETTINGS) if tree.SETTINGS in listing.files else None)
    who, kind = identify(device, order.board, None)
    screen.say(f"{who.machine}, MicroPython {who.micropython}, number {who.hardware or 'unknown'}")
    moved = _check_owner(device, order, before, listing)
    screen.step("its password")
    known = before.get("password") if before.get("desk") == order.desk and not order.new_password else None
    password = known if isinstance(known, str) and known else credentials.new_password()
    verifier = credentials.verifier(order.desk, password)
    broker = registrar.register(order.desk, verifier, kind.name, who.hardware, VERSION)
    which = "the one it has" if password == known else "a new one"
    screen.say(f"{which} is registered; the broker is {broker.host}:{broker.port}")
    screen.step("its files")
    wanted = tree.software(kind) | _own_files(order, password, broker)
    if order.journal is not None and _takes_over(device, order.journal, before.get("desk") == order.desk, listing):
        wanted[tree.JOURNAL] = order.journal
    plan = tree.plan(wanted, listing, keep_state=not moved)
    _carry_out(device, plan, screen)
    _check_settings(device)
    panel = _try_panel(device, kind, order, screen)
    screen.step("its first status")
    start, status = _first_status(device, witness, order, screen)
    made = _label(order, kind, who, screen)
    return Result(
        desk=order.desk,
        port=device.port.device,
        board=kind.name,
        hardware=who.hardware,
        micropython=who.micropython,
        firmware=start.firmware,
        written=len(plan.write),
        removed=len(plan.remove),
        bytes=plan.size_bytes,
        panel=panel,
        boot=start.boot,
        status=status,
        label=made,
    )


def _check_owner(device: Device, order: Order, before: dict[str, Any], listing: Listing) -> bool:
    """Whether it was another desk's pad. It may still hold that desk's votes, which no other desk can deliver."""
    was = before.get("desk")
    if was in (None, order.desk):
        return False
    votes = tree.votes_in(device.read(tree.JOURNAL)) if tree.JOURNAL in listing.files else 0
    if votes and not order.forget:
        raise BoardError(
            f"this is the pad of {was} and holds {votes} votes of it: plug it in at {was} and let it deliver them, "
            f"or lose them with --move --forget-votes"
        )
    if not order.move:
        raise BoardError(f"this is the pad of {was}; to make it the pad of {order.desk}: --move")
    return True


def _takes_over(device: Device, journal: bytes, is_same_desk: bool, listing: Listing) -> bool:
    """Whether the old pad's journal is to be written onto this board.

    It is written before pad.json makes the board the desk's pad. One that is that already may have had the journal in a
    run that was cut short, and may have taken votes since: those are not written over.
    """
    if not is_same_desk or tree.JOURNAL not in listing.files:
        return True
    own = device.read(tree.JOURNAL)
    if tree.holds_votes_of(own, journal):
        return False
    if tree.votes_in(own):
        raise BoardError(
            "both boards hold votes of this desk that nobody has confirmed: plug in the new one alone, let it deliver "
            "its own, then run this again"
        )
    return True


def _own_files(order: Order, password: str, broker: Broker) -> dict[str, bytes]:
    files = {tree.SETTINGS: tree.settings(order.desk, password, (broker.host, broker.port), order.network)}
    if broker.ca_pem is not None:
        files["/ca.der"] = der(broker.ca_pem)
    if order.fleet_key is not None:
        files["/fleet.pub"] = order.fleet_key
    if order.certificate is not None:
        files["/client.der"], files["/client.key"] = order.certificate
    return files


def der(pem: str) -> bytes:
    """The certificates in ``pem`` one after the other, as the pad reads them. Raises PadError if there is none."""
    try:
        bodies = ["".join(body.split()) for body in _PEM_CERTIFICATE.findall(pem)]
        found = b"".join(base64.b64decode(body, validate=True) for body in bodies)
    except ValueError:
        found = b""
    if not found:
        raise PadError("the broker's certificate authority is no PEM certificate")
    return found


def _carry_out(device: Device, plan: tree.Plan, screen: Screen) -> None:
    if plan.is_empty:
        screen.say(f"unchanged: all {plan.same} files are as they should be")
        return
    for path in plan.clear:
        device.remove(path)
    if plan.write:
        bar = screen.progress(f"{len(plan.write)} files, {plan.same} unchanged", plan.size_bytes)
    for path, content in plan.write.items():
        done = 0

        def moved(now: int) -> None:
            nonlocal done
            bar(now - done)
            done = now

        device.write(path, content, moved)
    for path in plan.remove:
        device.remove(path)
        screen.say(f"removed {path}")
    for path in plan.remove_folders:
        device.remove(path, folder=True)


def _check_settings(device: Device) -> None:
    """The pad's own code reads the settings as it will at its start."""
    code = (
        f"import sys\nsys.path.insert(0, {tree.SLOT!r})\nfrom firmware.board import config\n"
        f"with open({tree.SETTINGS!r}, 'rb') as file:\n    config.parse(file.read())\n"
    )
    try:
        device.execute(code)
    except BoardError as error:
        raise PadError(f"the pad does not accept its settings: {error}; see --network") from None


def _try_panel(device: Device, kind: Kind, order: Order, screen: Screen) -> str:
    if not order.panel:
        return "skipped"
    screen.step("lamps and buttons")
    found = selftest.try_panel(device, kind.name, tree.SLOT, screen.ask_panel, screen.say)
    if found.verdict == "broken":
        names = ", ".join(name for name, word in zip(selftest.NAMES, found.results, strict=True) if word == "broken")
        raise PadError(f"broken: {names}; mend it and run this again")
    return found.verdict


def _first_status(
    device: Device, witness: "Callable[[], watch.Witness | None]", order: Order, screen: Screen
) -> tuple[watch.Start, str]:
    listener = witness()
    try:
        device.restart()
        start = watch.first_status(device, listener, order.status_s, screen.say)
    finally:
        if listener:
            listener.close()
    seen = f"seen by {listener.called}" if listener else "only the pad's own word"
    screen.say(f"first status: {seen}")
    return start, seen


def _label(order: Order, kind: Kind, who: Who, screen: Screen) -> str | None:
    if order.labels is None:
        return None
    text = label.Label(order.desk, kind.name, who.hardware, datetime.now().astimezone().date())
    file = label.write(text, order.labels / f"{order.desk}.pdf")
    screen.say(f"label: {file}")
    return str(file)
