"""Brings signals to what runs in the event loop. It knows nothing of what that is."""

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine
from typing import Any

STOPPED_BY_SIGNAL = 130
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def serve(service: Callable[[asyncio.Event], Coroutine[Any, Any, None]]) -> int:
    """Runs a server that stops by itself when the event it is given is set, at the first signal; returns 0."""

    async def run() -> None:
        stopping = asyncio.Event()
        _on_signal(stopping.set)
        await service(stopping)

    asyncio.run(run())
    return 0


def supervise(work: Coroutine[Any, Any, None], *, at_once: Callable[[], None]) -> int:
    """Runs ``work``, cancels it at the first signal and returns 0 when it has ended.

    At the second signal ``at_once`` is called and the process ends. Raises what ``work`` raises.
    """

    async def run() -> None:
        task = asyncio.create_task(work)
        asked = False

        def on_signal() -> None:
            nonlocal asked
            if asked:
                at_once()
                os._exit(STOPPED_BY_SIGNAL)
            asked = True
            task.cancel()

        _on_signal(on_signal)
        try:
            await task
        except asyncio.CancelledError:
            if not asked:
                raise

    asyncio.run(run())
    return 0


def _on_signal(act: Callable[[], None]) -> None:
    for number in SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, act)
