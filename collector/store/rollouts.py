"""Roll-outs as they are kept: one that runs at most, its pads, and how it stands. collector/fleet decides."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select, update

from collector.errors import OutOfTurn
from schemas.fleet_tables import rollout, rollout_pad

RUNNING, PAUSED, STOPPED, UNDONE, DONE = "running", "paused", "stopped", "undone", "done"
_COLUMNS = [column for column in rollout.c if column.name != "active"]


@dataclass(frozen=True, slots=True)
class Rollout:
    """A version on its way to the pads, stage by stage.

    ``stages`` are as they were asked for ("1", "10%", "100%"), ``stage`` is the one under way, from 0. ``soak_s`` is
    how long a whole stage must be well before the next begins, ``limit_s`` how long a pad may take from changing over
    to being back, ``allowed`` how many failures do not stop it yet. ``reason`` says why it stands as it does.
    """

    id: int
    version: str
    stages: tuple[str, ...]
    stage: int
    state: str
    soak_s: int
    limit_s: int
    allowed: int
    reason: str
    asked_by: str
    started_unix_ms: int
    stage_done_unix_ms: int | None
    ended_unix_ms: int | None


@dataclass(frozen=True, slots=True)
class RolloutPad:
    """A pad of a roll-out. ``before`` is what it ran; ``state`` is one of collector/fleet/rollout.py's."""

    desk: str
    stage: int
    board: str
    before: str
    state: str
    changed_unix_ms: int


def begin(connection: Connection, new: Rollout) -> int:
    """The id of a roll-out that starts now. Raises OutOfTurn while another is running or paused."""
    other = connection.execute(select(rollout.c.version).where(rollout.c.active)).scalar()
    if other is not None:
        raise OutOfTurn(f"the roll-out of {other} is under way; stop it first")
    values = _values(new) | {"started_unix_ms": new.started_unix_ms, "version": new.version, "asked_by": new.asked_by}
    return int(connection.execute(insert(rollout).returning(rollout.c.id), values).scalar_one())


def save(connection: Connection, new: Rollout) -> None:
    connection.execute(update(rollout).where(rollout.c.id == new.id).values(_values(new)))


def read(connection: Connection, limit: int) -> list[Rollout]:
    """The newest first."""
    question = select(*_COLUMNS).order_by(rollout.c.id.desc()).limit(limit)
    return [Rollout(row[0], row[1], tuple(row[2].split(",")), *row[3:]) for row in connection.execute(question)]


def pads(connection: Connection, of: int) -> list[RolloutPad]:
    """By stage and desk."""
    columns = [column for column in rollout_pad.c if column.name != "rollout"]
    question = select(*columns).where(rollout_pad.c.rollout == of).order_by(rollout_pad.c.stage, rollout_pad.c.desk)
    return [RolloutPad(*row) for row in connection.execute(question)]


def save_pads(connection: Connection, of: int, changed: Iterable[RolloutPad]) -> None:
    for each in changed:
        its = (rollout_pad.c.rollout == of) & (rollout_pad.c.desk == each.desk)
        connection.execute(delete(rollout_pad).where(its))
        values = {
            "rollout": of,
            "desk": each.desk,
            "stage": each.stage,
            "board": each.board,
            "before": each.before,
            "state": each.state,
            "changed_unix_ms": each.changed_unix_ms,
        }
        connection.execute(insert(rollout_pad), values)


def _values(new: Rollout) -> dict[str, object]:
    return {
        "stages": ",".join(new.stages),
        "stage": new.stage,
        "state": new.state,
        "active": new.state in (RUNNING, PAUSED),
        "soak_s": new.soak_s,
        "limit_s": new.limit_s,
        "allowed": new.allowed,
        "reason": new.reason[:200],
        "stage_done_unix_ms": new.stage_done_unix_ms,
        "ended_unix_ms": new.ended_unix_ms,
    }
