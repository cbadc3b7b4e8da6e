"""The api's resources about pads: faults, what IT asks of them, roll-outs of versions, registration. No arithmetic."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from schemas.resources import Resource

Doing = Literal["identify", "restart", "report", "test"]
Word = Annotated[str, StringConstraints(min_length=1, max_length=40, pattern=r"^[A-Za-z0-9._:-]+$")]
_PLAIN = "^[ -~]+$"  # printable ASCII


class Body(BaseModel):
    """What a request may hold; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", strict=True)


# ---- faults
class FaultResource(Resource):
    """A fault of a desk's pad; ``told_at`` is when the first of those who must know was told, null while none was."""

    id: int
    desk: str
    branch: str | None
    kind: str
    opened_at: datetime
    closed_at: datetime | None
    closed_by: str | None = Field(description="null: it closed by itself, or is open")
    lasted_s: int = Field(description="so far, if it is open")
    reported_by: str | None
    detail: str
    told_at: datetime | None


class Faults(Resource):
    generated_at: datetime
    faults: list[FaultResource]


class ReportDone(Resource):
    """``new`` is false if the fault had been reported before; whoever must know is told within seconds, once."""

    desk: str
    new: bool


# ---- commands
class AskBody(Body):
    do: Doing


class SettingsBody(Body):
    """How the lamps behave; the pad keeps to it from its next turn on."""

    armed_pct: Annotated[int, Field(ge=1, le=100)] = 100
    chosen_pct: Annotated[int, Field(ge=1, le=100)] = 100
    chosen_s: Annotated[int, Field(ge=0, le=3600, description="0: the chosen lamp stays lit (order P2.6)")] = 0


class CommandResource(Resource):
    """What was asked of a pad, and what came of it: null while it is under way."""

    id: str
    desk: str
    do: str
    asked_by: str
    asked_at: datetime
    sent_at: datetime | None
    ended_at: datetime | None
    outcome: Literal["done", "sent", "no_answer", "offline"] | None


class Commands(Resource):
    commands: list[CommandResource]


# ---- roll-outs
class RolloutBody(Body):
    version: Word
    stages: Annotated[list[Annotated[str, StringConstraints(pattern=r"^[0-9]{1,6}%?$")]], Field(min_length=1)] = [
        "1",
        "10%",
        "100%",
    ]
    soak_s: Annotated[int, Field(ge=0, le=7 * 86400)] = 600
    limit_s: Annotated[int, Field(ge=60, le=86400)] = 900
    allowed_failures: Annotated[int, Field(ge=0, le=1000)] = 0


class RolloutPadResource(Resource):
    desk: str
    stage: int
    before: str
    state: str
    changed_at: datetime


class RolloutResource(Resource):
    """A version on its way to the pads, stage by stage; ``reason`` says why it stands as it does."""

    id: int
    version: str
    stages: list[str]
    stage: int = Field(description="the one under way, from 0")
    state: Literal["running", "paused", "stopped", "undone", "done"]
    reason: str
    asked_by: str
    started_at: datetime
    ended_at: datetime | None
    pads: list[RolloutPadResource]


class Rollouts(Resource):
    rollouts: list[RolloutResource]


# ---- registration
class RegisterPadBody(Body):
    """``verifier`` is Mosquitto's line for the pad's password; the password itself never comes here."""

    verifier: Annotated[str, StringConstraints(min_length=20, max_length=200, pattern=_PLAIN)]
    hardware: Annotated[str, StringConstraints(min_length=1, max_length=80, pattern=_PLAIN)]
    board: Word
    firmware: Word


class RegisteredPad(Resource):
    """Where the pad finds its broker, as the office's settings say; null: the flashing computer must know."""

    desk: str
    broker_host: str | None
    broker_port: int | None
    ca: str | None = Field(description="PEM of the authority that signed the broker's certificate")
