"""What the routes share, handed over in one value by create_app: no registry, nothing is looked up by name."""

from dataclasses import dataclass

from fastapi import Request

from api.access.elsewhere import Elsewhere
from api.access.slowing import Slowing
from api.bench import Bench
from api.hub import Hub
from api.settings import Settings
from api.slowdown import Slowdown
from api.telemetry import Telemetry
from collector.store import Store


@dataclass(frozen=True)
class Parts:
    """The settings, the store's door, the live hub, and the demonstration's bench if there is one.

    ``slowdown`` is for tokens that are none, ``slowing`` for passwords that are wrong;
    ``elsewhere`` is the office's own sign-in, if it has one.
    """

    settings: Settings
    store: Store
    hub: Hub
    bench: Bench | None
    slowdown: Slowdown
    slowing: Slowing
    elsewhere: Elsewhere | None
    telemetry: Telemetry


def parts_of(request: Request) -> Parts:
    """The parts of the application that answers ``request``."""
    parts: Parts = request.app.state.parts
    return parts
