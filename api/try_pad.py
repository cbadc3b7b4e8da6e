"""``/v1/try``: play the client and the operator of one desk. Only in the demonstration; elsewhere it says so."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request
from fastapi.concurrency import run_in_threadpool

from api.auth import require
from api.bench import Bench
from api.errors import BadQuestion, NoBench, NoSuchThing
from api.parts import parts_of
from collector.store import Token
from schemas.resources import TryDesk, TryDesks, TryDone

Action = Literal["press", "release", "call", "recall", "finish", "no_show", "transfer"]
WITH_BUTTON = ("press", "release")

router = APIRouter()
_May = Annotated[Token, require("try")]


@router.get("/v1/try")
async def read_try(request: Request, _token: _May) -> TryDesks:
    """The desks that can be played, and what their lamps show."""
    bench = _bench(request)
    register = await run_in_threadpool(parts_of(request).store.register)
    labels = {each.id: each.label for each in register.desks}
    desks = []
    for desk, branch in bench.desks.items():
        lamp = bench.lamps.get(desk)
        desks.append(
            TryDesk(
                desk=desk,
                branch=branch,
                label=labels.get(desk, desk),
                lamps=lamp.lamps if lamp else None,
                connected=bool(lamp and lamp.connected),
            )
        )
    return TryDesks(connected=bench.connected, desks=desks)


@router.post("/v1/try/{desk}/{action}")
async def do_try(
    request: Request,
    desk: Annotated[str, Path(max_length=40)],
    action: Action,
    _token: _May,
    button: Annotated[int | None, Query(ge=1, le=3, description="1, 2 or 3, for press and release")] = None,
) -> TryDone:
    """Press or let go of a button, or do what the operator's queue can do: call, recall, finish, no_show, transfer."""
    bench = _bench(request)
    if bench.connected and desk not in bench.desks:
        raise NoSuchThing("There is no such desk in the demonstration.")
    if (button is None) == (action in WITH_BUTTON):
        raise BadQuestion("A press and a release need a button, the rest has none.", field="button")
    await bench.do(desk, action, button)
    return TryDone(desk=desk, done=action)


def _bench(request: Request) -> Bench:
    bench = parts_of(request).bench
    if bench is None:
        raise NoBench("Pads can be tried only where the simulator runs: start it with 'make run'.")
    return bench
