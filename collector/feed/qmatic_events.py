"""What Qmatic Orchestra's public events mean: pure translation of one posted event into ours. No network.

The connector orchestra-events posts {eventName, eventTime, eventType, unitId, parameters}; of a service point's events
the unit is the service point. Names and parameters are those of Qmatic's own sources (queue-systems.md section 5); what
was never seen from a running Orchestra is marked (?).

    Orchestra's event                                says
    VISIT_CREATE                                     issued
    VISIT_CALL; again for the same visit (?)         called; a recall, for who keeps the calls knows the visit is open
    VISIT_CONFIRM                                    started; where calls are not confirmed it never comes
    VISIT_END, VISIT_NOSHOW, VISIT_REMOVE            finished, no_show, removed
    VISIT_TRANSFER_TO_QUEUE, _SERVICE_POINT_POOL     transferred
    VISIT_RECYCLE (?)                                transferred: it goes back into its queue
    VISIT_TRANSFER_TO_USER_POOL                      held: parked
    VISIT_END_TRANSACTION (?)                        nothing; the same visit goes on at the same desk
    USER_SERVICE_POINT_SESSION_START, _END           operator_opened, operator_closed
    SERVICE_POINT_CLOSE                              operator_closed
    RESET                                            reset
    anything else (VISIT_NEXT, CFU_SELECTION_DONE)   nothing

Orchestra gives events no id: one is made of what it says, so the same event posted twice is one.
Names of operators and clients stand in the parameters; they are left out where they are read.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import orjson
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from collector.feed.model import Event
from collector.feed.speech import Speech
from protocol.fields import UNIX_MS

KINDS = {
    "VISIT_CREATE": "issued",
    "VISIT_CALL": "called",
    "VISIT_CONFIRM": "started",
    "VISIT_END": "finished",
    "VISIT_NOSHOW": "no_show",
    "VISIT_REMOVE": "removed",
    "VISIT_TRANSFER_TO_QUEUE": "transferred",
    "VISIT_TRANSFER_TO_SERVICE_POINT_POOL": "transferred",
    "VISIT_RECYCLE": "transferred",
    "VISIT_TRANSFER_TO_USER_POOL": "held",
    "USER_SERVICE_POINT_SESSION_START": "operator_opened",
    "USER_SERVICE_POINT_SESSION_END": "operator_closed",
    "SERVICE_POINT_CLOSE": "operator_closed",
    "RESET": "reset",
}
SUMMONS = ("called", "started")
_OFFSET = re.compile(r"([+-]\d\d)(\d\d)$")


def _number(value: object) -> str | None:
    """Their ids are numbers, in some versions written as text."""
    if value is None or isinstance(value, bool):
        return None
    return str(value)


Number = Annotated[Annotated[str, Field(max_length=20, pattern=r"^\d+$")] | None, BeforeValidator(_number)]


class Parameters(BaseModel):
    """The parameters we may and need to know; the rest, names among them, is left out."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    branch: Annotated[Number, Field(alias="branchId")] = None
    visit: Annotated[Number, Field(alias="visitId")] = None
    service: Annotated[Number, Field(alias="service")] = None
    service_point: Annotated[Number, Field(alias="servicePointId")] = None
    user: Annotated[Number, Field(alias="userId")] = None


class Posted(BaseModel):
    """One event as it was posted."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: Annotated[str, Field(alias="eventName", max_length=60)]
    time: Annotated[str, Field(alias="eventTime", max_length=40)]
    unit: Annotated[Number, Field(alias="unitId")] = None
    parameters: Parameters = Parameters()

    @property
    def at_unix_ms(self) -> int:
        return int(datetime.fromisoformat(_OFFSET.sub(r"\1:\2", self.time)).timestamp() * 1000)

    @property
    def service_point(self) -> str | None:
        return self.parameters.service_point or self.unit


@dataclass(frozen=True, slots=True)
class Names:
    """One Orchestra's numbers in our names; ``timezones`` of our branches, ``desk_branches`` of our desks."""

    source: str
    branches: Mapping[str, str]
    service_points: Mapping[str, str]
    operators: Mapping[str, str]
    services: Mapping[str, str]
    timezones: Mapping[str, str]
    desk_branches: Mapping[str, str]
    ticket_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Said:
    events: Mapping[str, Sequence[Event]]
    unknown: frozenset[str] = frozenset()


def read_posted(body: bytes) -> Posted:
    """The event in the body of a POST. Raises ValueError, which quotes nothing of it."""
    try:
        value: Any = orjson.loads(body)
        if not isinstance(value, dict):
            raise ValueError("it is not an object")
        if value.get("parameters") is None:
            value = {**value, "parameters": {}}
        posted = Posted.model_validate(value)
        if datetime.fromisoformat(_OFFSET.sub(r"\1:\2", posted.time)).tzinfo is None:
            raise ValueError("eventTime has no offset")
        if UNIX_MS.problem(posted.at_unix_ms):
            raise ValueError("eventTime is of another age")
        return posted
    except ValidationError as error:
        raise ValueError(f"{'.'.join(str(part) for part in error.errors()[0]['loc'])} is missing or wrong") from None
    except orjson.JSONDecodeError:
        raise ValueError("it is not JSON") from None


def translate(names: Names, posted: Sequence[Posted]) -> Said:
    """What these events say, in the order of their own times."""
    speech = Speech(names.source, names.ticket_secret)
    for each in sorted(posted, key=lambda event: event.at_unix_ms):
        kind = KINDS.get(each.name)
        branch = speech.named(names.branches, "branch", each.parameters.branch, "its events are left out")
        if kind is not None and branch is not None:
            _tell(names, speech, each, kind, branch)
    return Said(speech.events, frozenset(speech.unknown))


def _tell(names: Names, speech: Speech, posted: Posted, kind: str, branch: str) -> None:
    said = posted.parameters
    about_ticket = not kind.startswith("operator_") and kind != "reset"
    if about_ticket and said.visit is None:
        speech.wonder(f"a {posted.name} without a visit (left out)")
        return
    desk = operator = None
    if kind in SUMMONS or kind.startswith("operator_"):
        desk = speech.named(names.service_points, "service point", posted.service_point, "no pad is armed")
        if desk is None or names.desk_branches.get(desk) != branch:
            return
        operator = speech.named(names.operators, "user", said.user, "calls name no operator")
    at = posted.at_unix_ms
    speech.say(
        branch,
        kind,
        at,
        (said.branch, posted.name, at, said.visit or posted.unit),
        ticket_key=_ticket_key(names, branch, posted) if about_ticket else None,
        desk=desk,
        operator=operator,
        service=speech.named(names.services, "service", said.service, "its calls name no service"),
    )


def _ticket_key(names: Names, branch: str, posted: Posted) -> str:
    """Whether visits' numbers are ever given again nobody has told us: so the day belongs to the key."""
    day = datetime.fromtimestamp(posted.at_unix_ms / 1000, ZoneInfo(names.timezones[branch])).date()
    return f"{names.source}:{posted.parameters.branch}:{posted.parameters.visit}:{day.isoformat()}"
