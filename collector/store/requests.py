"""What IT asks of pads: commands, and which device stands at which desk. Carrying it out is collector/fleet's work."""

import json
import re
import secrets
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select, update

from collector.errors import Declined
from collector.store.faults import require_desk
from protocol.messages import Settings
from schemas.fleet_tables import pad_command, pad_credential

DOINGS = ("identify", "restart", "report", "test", "settings")
OUTCOMES = ("done", "sent", "no_answer", "offline")
# What `mosquitto_passwd` writes for PBKDF2: iterations, salt and SHA-512 digest, both in base64. Mosquitto computes it
# in its only thread at each sign-in, so more than 999 iterations (it takes 101) would let one pad hold up all others.
_VERIFIER = re.compile(r"\$7\$[1-9][0-9]{0,2}\$[A-Za-z0-9+/]{8,44}={0,2}\$[A-Za-z0-9+/]{86}==")


@dataclass(frozen=True, slots=True)
class PadCommand:
    """Something asked of one pad. ``outcome`` is None while it is under way, else one of OUTCOMES.

    done: its effect was seen. sent: it has no effect that the pad tells of (identify, settings). no_answer: sent, and
    nothing came of it in time. offline: the pad was not there to be asked.
    """

    id: str
    desk: str
    do: str
    settings: dict[str, int] | None
    asked_by: str
    asked_unix_ms: int
    sent_unix_ms: int | None
    ended_unix_ms: int | None
    outcome: str | None


@dataclass(frozen=True, slots=True)
class Credential:
    """The device at a desk and what the broker checks its password with; ``replaced_unix_ms`` is None while it is."""

    desk: str
    verifier: str
    hardware: str
    board: str
    firmware: str
    registered_by: str
    registered_unix_ms: int
    replaced_unix_ms: int | None


def ask(connection: Connection, desk: str, do: str, settings: dict[str, int] | None, by: str, now: int) -> str:
    """The id of a new command. Raises Declined for an unknown desk or word, or settings out of range."""
    require_desk(connection, desk)
    if do not in DOINGS:
        raise Declined(f"a pad is asked to {', '.join(DOINGS)}; not to {do!r}")
    if (do == "settings") != (settings is not None):
        raise Declined("settings are given with the command settings, and with no other")
    values = {
        "id": secrets.token_hex(8),
        "desk": desk,
        "do": do,
        "settings": None if settings is None else json.dumps(_checked(settings)),
        "asked_by": by[:80],
        "asked_unix_ms": now,
    }
    connection.execute(insert(pad_command), values)
    return str(values["id"])


def commands(connection: Connection, *, desk: str | None, under_way: bool, limit: int) -> list[PadCommand]:
    """The newest first."""
    question = select(pad_command).order_by(pad_command.c.asked_unix_ms.desc(), pad_command.c.id).limit(limit)
    if desk is not None:
        question = question.where(pad_command.c.desk == desk)
    if under_way:
        question = question.where(pad_command.c.outcome.is_(None))
    return [
        PadCommand(
            row.id,
            row.desk,
            row.do,
            json.loads(row.settings) if row.settings else None,
            row.asked_by,
            row.asked_unix_ms,
            row.sent_unix_ms,
            row.ended_unix_ms,
            row.outcome,
        )
        for row in connection.execute(question)
    ]


def sent(connection: Connection, command: str, now: int) -> None:
    connection.execute(update(pad_command).where(pad_command.c.id == command).values(sent_unix_ms=now))


def ended(connection: Connection, command: str, outcome: str, now: int) -> None:
    """What came of it; the first word stands."""
    assert outcome in OUTCOMES, outcome
    its = (pad_command.c.id == command) & pad_command.c.outcome.is_(None)
    connection.execute(update(pad_command).where(its).values(ended_unix_ms=now, outcome=outcome))


def forget_commands(connection: Connection, before: int) -> None:
    """Ended ones of long ago; their asking stands in the access log."""
    connection.execute(delete(pad_command).where(pad_command.c.ended_unix_ms < before))


# ---- registration
def register_pad(connection: Connection, new: Credential) -> None:
    """From now on this device, and no other, is the pad of that desk. Raises Declined for a verifier that is none."""
    require_desk(connection, new.desk)
    if not _VERIFIER.fullmatch(new.verifier):
        raise Declined("the verifier is not one of Mosquitto's: $7$ITERATIONS$SALT$DIGEST")
    retire_pad(connection, new.desk, new.registered_unix_ms)
    values = {
        "desk": new.desk,
        "verifier": new.verifier,
        "hardware": new.hardware[:80],
        "board": new.board[:40],
        "firmware": new.firmware[:40],
        "registered_by": new.registered_by[:80],
        "registered_unix_ms": new.registered_unix_ms,
    }
    connection.execute(insert(pad_credential), values)


def retire_pad(connection: Connection, desk: str, now: int) -> bool:
    """Ends the device's right to be that desk's pad; False if there was none."""
    its = (pad_credential.c.desk == desk) & pad_credential.c.replaced_unix_ms.is_(None)
    return bool(connection.execute(update(pad_credential).where(its).values(replaced_unix_ms=now)).rowcount)


def credentials(connection: Connection, *, with_replaced: bool) -> list[Credential]:
    """By desk, the newest first."""
    columns = [column for column in pad_credential.c if column.name != "id"]
    question = select(*columns).order_by(pad_credential.c.desk, pad_credential.c.id.desc())
    if not with_replaced:
        question = question.where(pad_credential.c.replaced_unix_ms.is_(None))
    return [Credential(*row) for row in connection.execute(question)]


def _checked(settings: dict[str, int]) -> dict[str, int]:
    rules = dict(Settings.FIELDS)
    for name, value in settings.items():
        problem = rules[name].problem(value) if name in rules else "is no setting of a pad"
        if problem:
            raise Declined(f"{name} {problem}")
    return settings
