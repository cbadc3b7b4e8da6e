"""Pads for IT: faults, commands, lamp settings, roll-outs, registration; for operators: "the lights are absent".

Nothing here speaks to a pad: it is written down, and the fleet service carries it out within a second or two.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from fastapi import Path as Place
from pydantic import AwareDatetime

from api.access.reach import desk_within, only_branches
from api.auth import require
from api.errors import ApiError, BadRequestBody, NoSuchThing, NotNow
from api.livestate import FAULTS
from api.parts import parts_of
from collector.store import Declined, Fault, NotThere, OutOfTurn, PadCommand, Rollout, Store, Token
from schemas.fleet_resources import (
    AskBody,
    CommandResource,
    Commands,
    FaultResource,
    Faults,
    RegisteredPad,
    RegisterPadBody,
    ReportDone,
    RolloutBody,
    RolloutPadResource,
    RolloutResource,
    Rollouts,
    SettingsBody,
)

log = logging.getLogger("api")
router = APIRouter()
_NAME = "^[a-z0-9-]{1,40}$"  # a desk's id; the database never sees anything else
_LARGEST_ID = 2**31 - 1
DeskName = Annotated[str, Place(pattern=_NAME)]
_MayRead = Annotated[Token, require("devices")]
_MayReadTheirs = Annotated[Token, require("devices", within_limits=True)]
_MayAsk = Annotated[Token, require("control")]
_PROBLEMS: dict[type[Declined], type[ApiError]] = {NotThere: NoSuchThing, OutOfTurn: NotNow}


# ---- faults
@router.get("/v1/faults")
def read_faults(
    request: Request,
    token: _MayReadTheirs,
    is_open: Annotated[bool | None, Query(alias="open", description="only open ones, or only closed ones")] = None,
    desk: Annotated[str | None, Query(pattern=_NAME)] = None,
    since: Annotated[AwareDatetime | None, Query(description="closed ones only if they closed then or later")] = None,
    limit: Annotated[int, Query(ge=1, le=5000)] = 500,
) -> Faults:
    """The newest first."""
    since_unix_ms = 0 if since is None else int(since.timestamp() * 1000)
    fleet = parts_of(request).store.fleet
    mine = only_branches(token)
    most = limit if mine is None else FAULTS
    found = fleet.faults(is_open=is_open, desk=desk, since_unix_ms=since_unix_ms, limit=most)
    shown = [each for each in found if mine is None or each.branch in mine][:limit]
    return Faults(generated_at=datetime.now(UTC), faults=[fault_resource(each) for each in shown])


@router.post("/v1/faults/{fault}/close")
def close_fault(request: Request, fault: Annotated[int, Place(ge=1, le=_LARGEST_ID)], token: _MayAsk) -> FaultResource:
    """IT says that it is mended; what is still wrong opens again by itself."""
    fleet = parts_of(request).store.fleet
    with understood():
        fleet.close(fault, token.name)
    log.info("fault %d: closed, by %s", fault, token.name)
    return fault_resource(fleet.faults(fault=fault)[0])


@router.post("/v1/desks/{desk}/report")
def report_desk(
    request: Request, desk: DeskName, token: Annotated[Token, require("report", within_limits=True)]
) -> ReportDone:
    """The operator says that the pad shows no lights after a call (order P3.3): head of branch and IT are told."""
    store = parts_of(request).store
    desk_within(token, store.register(), desk)
    with understood():
        made = store.fleet.report(desk, token.name)
    log.info("%s: reported without lights, by %s", desk, token.name)
    return ReportDone(desk=desk, new=made is not None)


# ---- commands
@router.post("/v1/desks/{desk}/command", status_code=202)
def ask_pad(request: Request, desk: DeskName, body: AskBody, token: _MayAsk) -> CommandResource:
    """Ask the pad to blink, to restart (never while a client may press), to report, or to test itself."""
    return _asked(parts_of(request).store, desk, body.do, token, None)


@router.post("/v1/desks/{desk}/settings", status_code=202)
def set_lamps(request: Request, desk: DeskName, body: SettingsBody, token: _MayAsk) -> CommandResource:
    """Set how bright the lamps are and how long the chosen one stays lit."""
    return _asked(parts_of(request).store, desk, "settings", token, body.model_dump())


@router.get("/v1/commands")
def read_commands(
    request: Request,
    _token: _MayRead,
    desk: Annotated[str | None, Query(pattern=_NAME)] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Commands:
    """What was asked of pads, the newest first."""
    found = parts_of(request).store.fleet.commands(desk, limit)
    return Commands(commands=[command_resource(each) for each in found])


# ---- roll-outs
@router.get("/v1/rollouts")
def read_rollouts(request: Request, _token: _MayRead, limit: Annotated[int, Query(ge=1, le=100)] = 20) -> Rollouts:
    """The newest first, each with its pads."""
    store = parts_of(request).store
    return Rollouts(rollouts=[rollout_resource(store, each) for each in store.fleet.rollouts(limit)])


@router.post("/v1/rollouts", status_code=202)
def start_rollout(request: Request, body: RolloutBody, token: _MayAsk) -> RolloutResource:
    """Bring a version to the pads: one, ten per cent, all, unless other stages are named."""
    store = parts_of(request).store
    with understood():
        made = store.fleet.start_rollout(
            body.version,
            token.name,
            stages=body.stages,
            soak_s=body.soak_s,
            limit_s=body.limit_s,
            allowed=body.allowed_failures,
        )
    log.info("roll-out of %s: started, by %s", body.version, token.name)
    return next(rollout_resource(store, each) for each in store.fleet.rollouts() if each.id == made)


@router.post("/v1/rollouts/{wish}", status_code=202)
def steer_rollout(
    request: Request, wish: Literal["pause", "resume", "stop", "undo"], token: _MayAsk
) -> RolloutResource:
    """Pause, resume, stop or undo the newest roll-out. Undo offers every pad what it ran before."""
    store = parts_of(request).store
    with understood():
        steered = store.fleet.wish(wish, token.name)
    log.info("roll-out of %s: %s, by %s", steered.version, wish, token.name)
    return rollout_resource(store, steered)


# ---- registration
@router.post("/v1/desks/{desk}/pad")
def register_pad(
    request: Request, desk: DeskName, body: RegisterPadBody, token: Annotated[Token, require("provision")]
) -> RegisteredPad:
    """This device is the desk's pad from now on; the one before is let in no more."""
    parts = parts_of(request)
    settings = parts.settings
    authority = Path(settings.pads_ca_file).read_text("ascii") if settings.pads_ca_file else None
    with understood():
        parts.store.fleet.register_pad(
            desk,
            verifier=body.verifier,
            hardware=body.hardware,
            board=body.board,
            firmware=body.firmware,
            by=token.name,
        )
    log.info("%s: registered %s as its pad, by %s", desk, body.hardware, token.name)
    return RegisteredPad(
        desk=desk, broker_host=settings.pads_broker_host, broker_port=settings.pads_broker_port, ca=authority
    )


# ---- shared with the pages
@contextmanager
def understood() -> Iterator[None]:
    """Turns what the store declines into a problem that says so. Raises NoSuchThing, NotNow or BadRequestBody."""
    try:
        yield
    except Declined as error:
        kind = _PROBLEMS.get(type(error), BadRequestBody)
        text = str(error)
        raise kind(text[:1].upper() + text[1:] + ".") from None


def fault_resource(fault: Fault) -> FaultResource:
    ended_unix_ms = fault.closed_unix_ms or time.time_ns() // 1_000_000
    opened_at = moment(fault.opened_unix_ms)
    assert opened_at
    return FaultResource(
        id=fault.id,
        desk=fault.desk,
        branch=fault.branch,
        kind=fault.kind,
        opened_at=opened_at,
        closed_at=moment(fault.closed_unix_ms),
        closed_by=fault.closed_by,
        lasted_s=max(0, ended_unix_ms - fault.opened_unix_ms) // 1000,
        reported_by=fault.reported_by,
        detail=fault.detail,
        told_at=moment(fault.told_unix_ms or None),
    )


def command_resource(command: PadCommand) -> CommandResource:
    return CommandResource.model_validate(
        {
            "id": command.id,
            "desk": command.desk,
            "do": command.do,
            "asked_by": command.asked_by,
            "asked_at": moment(command.asked_unix_ms),
            "sent_at": moment(command.sent_unix_ms),
            "ended_at": moment(command.ended_unix_ms),
            "outcome": command.outcome,
        }
    )


def rollout_resource(store: Store, rollout: Rollout) -> RolloutResource:
    pads = [
        RolloutPadResource.model_validate(
            {
                "desk": each.desk,
                "stage": each.stage,
                "before": each.before,
                "state": each.state,
                "changed_at": moment(each.changed_unix_ms),
            }
        )
        for each in store.fleet.pads_of(rollout.id)
    ]
    return RolloutResource.model_validate(
        {
            "id": rollout.id,
            "version": rollout.version,
            "stages": list(rollout.stages),
            "stage": rollout.stage,
            "state": rollout.state,
            "reason": rollout.reason,
            "asked_by": rollout.asked_by,
            "started_at": moment(rollout.started_unix_ms),
            "ended_at": moment(rollout.ended_unix_ms),
            "pads": pads,
        }
    )


def moment(unix_ms: int | None) -> datetime | None:
    return None if unix_ms is None else datetime.fromtimestamp(unix_ms / 1000, UTC)


def _asked(store: Store, desk: str, do: str, token: Token, settings: dict[str, int] | None) -> CommandResource:
    with understood():
        asked = store.fleet.ask(desk, do, token.name, settings)
    log.info("%s: asked to %s, by %s", desk, do, token.name)
    return next(command_resource(each) for each in store.fleet.commands(desk) if each.id == asked)
