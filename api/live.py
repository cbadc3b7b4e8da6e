"""``GET /v1/live``: the hub's changes as server-sent events. The stream decides nothing; see hub.py for what is in it.

Events: ``snapshot`` first, then ``desks`` (only the changed ones) and ``today``; ``lamps`` for who may try the pads.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from api.access.reach import only_branches
from api.auth import allowed, require, still_there
from api.errors import ApiError, TooManyStreams
from api.hub import Hub, Subscription
from api.parts import parts_of
from collector.store import StoreError, Token

log = logging.getLogger("api.live")

HEARTBEAT_S = 15.0
RETRY_MS = 2000
SCOPES = ("figures", "devices")

router = APIRouter()


@router.get("/v1/live", response_class=StreamingResponse, responses={200: {"content": {"text/event-stream": {}}}})
async def stream(request: Request, token: Annotated[Token, require(*SCOPES, within_limits=True)]) -> StreamingResponse:
    """Desks and today's figures as they change. It ends when the token does."""
    hub = parts_of(request).hub
    branches = only_branches(token)
    subscription = await hub.subscribe(lamps="try" in token.scopes and branches is None, branches=branches)
    if subscription is None:
        raise TooManyStreams("Try again later.", retry_after_s=10)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}  # a proxy must pass each event on at once
    return StreamingResponse(_events(request, hub, subscription), media_type="text/event-stream", headers=headers)


async def _events(request: Request, hub: Hub, subscription: Subscription) -> AsyncIterator[bytes]:
    clock = asyncio.get_running_loop().time
    ask_again_s = clock() + HEARTBEAT_S
    try:
        yield b"retry: %d\n\n" % RETRY_MS
        while True:
            event: bytes | None = b": still here\n\n"
            with contextlib.suppress(TimeoutError):
                event = await asyncio.wait_for(subscription.events.get(), max(0.0, ask_again_s - clock()))
            if event is None:
                return
            if clock() >= ask_again_s:  # by the clock: in a busy centre no pause ever lasts a heartbeat
                if not await run_in_threadpool(_still_allowed, request):
                    return
                ask_again_s = clock() + HEARTBEAT_S
            yield event
    finally:
        hub.leave(subscription)


def _still_allowed(request: Request) -> bool:
    """Whether the reader's token or session is still good: a stream must not outlive a revoked token."""
    try:
        allowed(still_there(request), SCOPES)
    except ApiError:
        return False
    except StoreError:
        log.warning("could not ask whether a live stream may go on")
    return True
