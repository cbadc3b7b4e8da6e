"""``GET /v1/desks``: what desks there are, and how their pads are. No figures of anybody's work."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Request

from api.access.reach import only_branches
from api.auth import require
from api.livestate import open_faults, pad_state
from api.parts import parts_of
from collector.store import PadRow, Store, Token
from schemas.resources import DeskResource, Desks, PadHealth

router = APIRouter()


@router.get("/v1/desks")
def read_desks(request: Request, token: Annotated[Token, require("devices", within_limits=True)]) -> Desks:
    """Every desk of the register with its pad's state, last self-test and counters."""
    mine = only_branches(token)
    desks = [each for each in every_desk(parts_of(request).store) if mine is None or each.branch in mine]
    return Desks(generated_at=datetime.now(UTC), desks=desks)


def every_desk(store: Store) -> list[DeskResource]:
    """The desks in the register's order, each with its pad and its open faults."""
    calls = store.open_calls()
    devices = {each.desk: each.hardware for each in store.fleet.credentials()}
    faults = open_faults(store)
    return [_desk(pad, pad.desk in calls, devices.get(pad.desk), faults.get(pad.desk, [])) for pad in store.pads()]


def _desk(pad: PadRow, call_open: bool, hardware: str | None, faults: list[str]) -> DeskResource:
    return DeskResource(
        desk=pad.desk,
        branch=pad.branch,
        label=pad.label,
        state=pad_state(pad),
        call_open=call_open,
        firmware=pad.firmware,
        boot=pad.boot,
        reset=pad.reset,
        lamps=pad.lamps,
        buttons=pad.buttons,
        storage=pad.storage,
        memory=pad.memory,
        clock=pad.clock,
        during=pad.during,
        update=pad.update,
        mode=pad.mode,
        board=pad.board,
        hardware=hardware,
        faults=faults,
        changed_at=_moment(pad.changed_unix_ms),
        health=PadHealth.model_validate(pad.health) if pad.health else None,
        health_at=_moment(pad.health_unix_ms),
    )


def _moment(unix_ms: int | None) -> datetime | None:
    return None if unix_ms is None else datetime.fromtimestamp(unix_ms / 1000, UTC)
