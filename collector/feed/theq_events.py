"""What TheQ's analytics events mean: pure translation of what its Snowplow tracker sends into our events. No network.

TheQ (bcgov/queue-management) tells an analytics collector of every transition: a self-describing event with the
contexts citizen, office and agent. TheQ knows no desks: where an agent sits is the office's own table, with its days.

    TheQ's event                                              says
    addtoqueue                                                issued
    invitecitizen, invitefromlist, returninvite,              called, to the desk where the agent sits
      returnfromlist
    beginservice, servecitizen, invitefromhold                started: without a call before, this opens the call
    additionalservice, restartservice                         service_switched
    hold                                                      held
    queuefromprep, returntoqueue                              transferred
    finish                                                    finished
    customerleft: at-prep; any other                          no_show; left
    chooseservice                                             nothing; the service and the channel of what follows
    anything else (addcitizen, stopservice, appointments)     nothing

TheQ tells before it commits, in a function that is tried up to 12 times: the same word about the same citizen and
service within seconds is one word. A word whose commit failed at last stays a phantom; the desk's next call ends it.
Events of one request come by several threads and may come in any order; each carries its own time.
The agent's user name, and whatever else a context holds, is left out where it is read.
"""

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from collector.feed.model import Event
from collector.feed.seats import Seats
from collector.feed.speech import Speech, shown
from protocol.fields import UNIX_MS

KINDS = {
    "addtoqueue": "issued",
    "invitecitizen": "called",
    "invitefromlist": "called",
    "returninvite": "called",
    "returnfromlist": "called",
    "beginservice": "started",
    "servecitizen": "started",
    "invitefromhold": "started",
    "additionalservice": "service_switched",
    "restartservice": "service_switched",
    "hold": "held",
    "queuefromprep": "transferred",
    "returntoqueue": "transferred",
    "finish": "finished",
    "customerleft": "left",
}
SUMMONS = ("called", "started")
REPEATED_MS = 15_000  # TheQ gives up its tries after this time
VISIT_MS = 36 * 3_600_000  # a visit nothing was heard of for so long is forgotten,
OVER_MS = 60_000  # and one that is over, when its end cannot be repeated any more
MOST_VISITS = 20_000
_SCHEMA = re.compile(r"iglu:[^/]+/([A-Za-z_]{1,40})/jsonschema/")
_Small = Annotated[int, Field(ge=0, le=999_999_999_999)]


class Tracked(BaseModel):
    """One event of TheQ, as far as we may and need to know it: numbers and words of its own, no names."""

    model_config = ConfigDict(frozen=True)

    id: Annotated[str, Field(max_length=80)]
    name: str
    at_unix_ms: Annotated[int, Field(ge=UNIX_MS.low, le=UNIX_MS.high)]
    citizen: _Small
    service_request: _Small = 1
    office: _Small
    agent: _Small
    service: Annotated[str | None, Field(max_length=80)] = None
    channel: Annotated[str | None, Field(max_length=40)] = None
    left: Annotated[str | None, Field(max_length=40)] = None


class Visit(BaseModel):
    """What is remembered of a citizen: services and channels by number of request, and the last word about them."""

    model_config = ConfigDict(frozen=True)

    at_unix_ms: int
    services: dict[int, str] = {}
    remote: tuple[int, ...] = ()
    last: str = ""
    last_unix_ms: int = 0
    over: bool = False

    def worth_keeping(self, now_unix_ms: int) -> bool:
        return self.at_unix_ms > now_unix_ms - (OVER_MS if self.over else VISIT_MS)


class Snapshot(BaseModel):
    model_config = ConfigDict(frozen=True)

    visits: dict[int, Visit] = {}


@dataclass(frozen=True, slots=True)
class Names:
    """One TheQ's words in ours. ``channels``: those whose citizens stand at the desk."""

    source: str
    offices: Mapping[str, str]
    operators: Mapping[str, str]
    services: Mapping[str, str]
    channels: frozenset[str]
    seats: Seats
    desk_branches: Mapping[str, str]
    ticket_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Said:
    snapshot: Snapshot
    events: Mapping[str, Sequence[Event]]
    unknown: frozenset[str] = frozenset()


def read_tracked(pairs: Mapping[str, str]) -> Tracked | None:
    """One event out of the name-value pairs of a tracker (Snowplow tracker protocol 2); None for other kinds.

    Raises ValueError for what claims to be a self-describing event of TheQ's and is none. It quotes nothing.
    """
    if pairs.get("e") != "ue":
        return None
    schema, data = _parts(_json(pairs, "ue_pr", "ue_px").get("data"))
    contexts: dict[str, Any] = {}
    for each in _list(_json(pairs, "co", "cx").get("data")):
        name, values = _parts(each)
        contexts[name] = values
    if "citizen" not in contexts:
        return None
    try:
        return Tracked(
            id=pairs.get("eid", ""),
            name=schema,
            at_unix_ms=pairs.get("dtm") or pairs.get("stm") or 0,  # by TheQ's clock
            citizen=contexts["citizen"].get("client_id"),
            service_request=contexts["citizen"].get("service_count") or 1,
            office=contexts.get("office", {}).get("office_id"),
            agent=contexts.get("agent", {}).get("agent_id"),
            service=_text(data.get("program_id")),
            channel=_text(data.get("channel")),
            left=_text(data.get("leave_status")),
        )
    except ValidationError as error:
        raise ValueError(f"an event {schema!r} without {error.errors()[0]['loc'][0]}") from None


def translate(names: Names, before: Snapshot, tracked: Sequence[Tracked], now_unix_ms: int) -> Said:
    """What these events say, in the order of their own times."""
    visits = {each: visit for each, visit in before.visits.items() if visit.worth_keeping(now_unix_ms)}
    speech = Speech(names.source, names.ticket_secret)
    for event in sorted(tracked, key=lambda event: event.at_unix_ms):
        visit = visits.pop(event.citizen, Visit(at_unix_ms=now_unix_ms))  # the citizen last heard of stands last
        visits[event.citizen] = _taken(names, speech, visit, event, now_unix_ms)
    while len(visits) > MOST_VISITS:
        del visits[next(iter(visits))]
    return Said(Snapshot(visits=visits), speech.events, frozenset(speech.unknown))


def dump(snapshot: Snapshot) -> bytes:
    return snapshot.model_dump_json().encode()


def restore(snapshot: bytes) -> Snapshot:
    """Raises ValueError for bytes that ``dump`` did not make."""
    return Snapshot.model_validate_json(snapshot)


def _taken(names: Names, speech: Speech, visit: Visit, event: Tracked, now_unix_ms: int) -> Visit:
    request, visit = event.service_request, visit.model_copy(update={"at_unix_ms": now_unix_ms})
    if event.name == "chooseservice":
        remote = {*visit.remote} - {request}
        if event.channel is not None and event.channel not in names.channels:
            remote.add(request)
        services = {**visit.services, request: event.service} if event.service else visit.services
        return visit.model_copy(update={"services": services, "remote": tuple(sorted(remote))})
    kind = KINDS.get(event.name)
    if kind is None:
        return visit
    word = f"{event.name}:{request}:{event.agent}"  # two agents who call one citizen are no repetition
    if word == visit.last and abs(event.at_unix_ms - visit.last_unix_ms) < REPEATED_MS:
        return visit
    _tell(names, speech, visit, event, "no_show" if event.left == "at-prep" else kind)
    over = kind in ("finished", "left")
    return visit.model_copy(update={"last": word, "last_unix_ms": event.at_unix_ms, "over": over})


def _tell(names: Names, speech: Speech, visit: Visit, event: Tracked, kind: str) -> None:
    branch = speech.named(names.offices, "office", event.office, "no pad is armed")
    if branch is None:
        return
    desk = operator = None
    if kind in SUMMONS:
        if event.service_request in visit.remote:
            return  # by telephone, mail or in the back office: nobody stands at the desk
        operator = speech.named(names.operators, "agent", event.agent, "no pad is armed")
        if operator is None:
            return
        desk = names.seats.desk_of(names.source, operator, event.at_unix_ms)
        if desk is None or names.desk_branches.get(desk) != branch:
            speech.wonder(f"where agent {event.agent} sits in office {event.office} (no pad is armed)")
            return
    code = visit.services.get(event.service_request)
    speech.say(
        branch,
        kind,
        event.at_unix_ms,
        (event.id or f"{event.name}:{event.citizen}:{event.service_request}:{event.at_unix_ms}",),
        ticket_key=f"{names.source}:{event.citizen}",
        desk=desk,
        operator=operator,
        service=speech.named(names.services, "service", code, "its calls name no service"),
    )


def _json(pairs: Mapping[str, str], plain: str, encoded: str) -> dict[str, Any]:
    """The JSON of a pair, as it is or in base64url without need of padding."""
    text = pairs.get(plain)
    try:
        if text is None and encoded in pairs:
            raw = pairs[encoded]
            text = base64.urlsafe_b64decode(raw + "=" * (-len(raw) % 4)).decode()
        value = orjson.loads(text or "{}")
    except ValueError:
        raise ValueError(f"{plain} is not JSON") from None
    return value if isinstance(value, dict) else {}


def _parts(value: object) -> tuple[str, dict[str, Any]]:
    """Name of the schema, and data, of a self-describing value."""
    schema, data = (value.get("schema"), value.get("data")) if isinstance(value, dict) else (None, None)
    found = _SCHEMA.match(schema) if isinstance(schema, str) else None
    if found is None:
        raise ValueError(f"no schema that can be read: {shown(schema)}")
    return found[1], data if isinstance(data, dict) else {}


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str | None:
    return None if value is None else str(value)
