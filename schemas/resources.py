"""The api's resources: what its answers look like, and therefore its OpenAPI document. No arithmetic lives here.

A share is a fraction from 0 to 1, rounded to 6 digits, and null where there is nothing to divide by. A moment is UTC;
a date is a local day of the branch. Names come in Ukrainian (``name``) and English (``name_en``).
"""

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from schemas.periods import Period

Cut = Literal["centre", "branch", "service", "operator", "desk"]
# What a desk's pad is doing, as far as is known; "never": no word of it was ever heard.
PadState = Literal["offline", "dark", "armed", "voted", "never"]


class Resource(BaseModel):
    model_config = ConfigDict(frozen=True, validate_by_name=True, serialize_by_alias=True)


# ---- problems (RFC 9457)
class FieldProblem(Resource):
    """One parameter, or one field of the body, that is at fault."""

    parameter: str
    detail: str
    rule: str | None = Field(None, description="which rule, for programs; only where there is a list of them")
    about: str | None = Field(None, description="the id of the entry at fault")


class Problem(Resource):
    """What went wrong; ``type`` tells kinds apart for programs, ``detail`` is a sentence for people."""

    type: str
    title: str
    status: int
    detail: str | None = None
    instance: str | None = None
    errors: list[FieldProblem] | None = None


# ---- figures
class ResponseRate(Resource):
    """Votes of eligible calls. ``low`` warns that the silent ones could turn the figures round."""

    share: float | None
    low: bool | None


class RatingFigure(Resource):
    """How many votes, their share of all votes, and its Wilson 95 % interval."""

    count: int
    share: float | None
    low: float | None
    high: float | None


class LeftOut(Resource):
    """How many clients could not vote, by reason; no call has two. They are the calls that are not eligible."""

    unrated: int = Field(0, description="called for a service that is not rated")
    absent: int = Field(0, description="did not come")
    passed_on: int = Field(0, description="passed on to another desk, held or called again: counted where they ended")
    withdrawn: int = Field(0, description="the call was taken back")
    unlit: int = Field(0, description="no pad was alight (order P3.4)")
    unknown: int = Field(0, description="of days archived before reasons were counted")


class Cell(Resource):
    """One period of one centre, branch, service, operator or desk."""

    period: str = Field(examples=["2026-11", "2026-W47"])
    first: date = Field(alias="from")
    last: date = Field(alias="to")
    complete: bool = Field(description="whether the period is over, in the time zone of its branches")
    branch: str | None
    key: str | None = Field(description="service, operator or desk; null for centre and branch, or where none is named")
    name: str
    name_en: str
    calls: int
    eligible_calls: int
    left_out: LeftOut = Field(
        default_factory=LeftOut, description="the other calls, by why their clients did not count"
    )
    votes: int
    response_rate: ResponseRate
    bad: RatingFigure
    good: RatingFigure
    exemplary: RatingFigure


class ScaleStep(Resource):
    rating: int
    id: Literal["bad", "good", "exemplary"]
    name: str
    name_en: str


class Aggregates(Resource):
    """The figures asked for; ``from`` and ``to`` are widened to whole periods."""

    by: Cut
    period: Period
    first: date = Field(alias="from")
    last: date = Field(alias="to")
    branch: str | None
    key: str | None
    timezones: list[str]
    simulated: bool = Field(description="whether these data come from a simulator and say nothing about anybody")
    figures_end: date = Field(description="the last day that is counted; of a real office never the running one")
    generated_at: datetime
    scale: list[ScaleStep]
    method: str
    method_en: str
    notice: str | None = Field(description="order P4.8, on every answer about operators and desks")
    notice_en: str | None
    cells: list[Cell]


# ---- the register
class OrganisationResource(Resource):
    name: str
    name_en: str
    simulated: bool


class BranchResource(Resource):
    id: str
    name: str
    name_en: str
    timezone: str


class ServiceResource(Resource):
    id: str
    name: str
    name_en: str


class RegisterResource(Resource):
    organisation: OrganisationResource
    branches: list[BranchResource]
    services: list[ServiceResource]


# ---- devices
class PadHealth(Resource):
    """Counters since the pad's last start; presses are counted by what became of them, never by rating."""

    uptime_s: int
    heap_used_bytes: int
    heap_free_bytes: int
    signal_dbm: int | None
    stall_max_ms: int
    outbox: int
    votes: int
    repeats: int
    no_call: int
    late: int
    reconnects: int
    refused_messages: int
    flash_free_bytes: int
    clock_off_ms: int | None
    self_tests: int


class DeskResource(Resource):
    """A desk and its pad; everything about a pad that was never heard of is null."""

    desk: str
    branch: str
    label: str
    state: PadState
    call_open: bool
    firmware: str | None
    boot: int | None
    reset: str | None
    lamps: str | None
    buttons: str | None
    storage: str | None
    memory: str | None
    clock: str | None
    during: str | None = Field(description="what the pad was doing when a watchdog or a crash ended it")
    update: str | None = Field(description="what its last update has come to")
    mode: str | None = Field(description="safe: it only answers IT")
    board: str | None
    hardware: str | None = Field(description="the registered device's own id")
    faults: list[str] = Field(description="kinds of the faults that are open, the oldest first")
    changed_at: datetime | None
    health: PadHealth | None
    health_at: datetime | None


class Desks(Resource):
    generated_at: datetime
    desks: list[DeskResource]


class ReconciliationCheck(Resource):
    """How many sums of a kind were compared, and how many of them differ."""

    name: str = Field(description="cuts, reasons, months or mix", examples=["cuts"])
    compared: int
    differ: int


class ReconciliationResource(Resource):
    """A comparison of sums with sums: services, operators and desks with their branch, months and mix with days."""

    at: datetime
    took_s: float
    ok: bool
    checks: list[ReconciliationCheck]
    differences: list[str] = Field(description="a sentence for each, at most 200; nothing was repaired")


class Reconciliations(Resource):
    reconciliations: list[ReconciliationResource]


class HealthResource(Resource):
    """Whether this api can answer, for whatever watches it. Nothing here is secret."""

    status: Literal["ok", "unavailable"]
    database: Literal["reachable", "unreachable"]
    newest_message_age_s: float | None = Field(description="since any pad was last heard of; null if none ever was")
    live_streams: int


# ---- live (server-sent events)
class LiveDesk(Resource):
    """``call_open``: a client is called to the desk, whether or not its pad is there to know it."""

    desk: str
    branch: str
    label: str
    state: PadState
    call_open: bool
    faults: list[str] = Field(description="kinds of the faults that are open, the oldest first")


class LiveCounts(Resource):
    """Today's counts of a branch, or of the centre (branch null). Never of one desk (order P3.2e).

    The three ratings are null in a real office: next to a desk that has just turned "voted", a count that goes up by
    one would show that client's vote. Only a simulated one shows them live.
    """

    branch: str | None
    day: date
    calls: int
    eligible_calls: int
    votes: int
    bad: int | None
    good: int | None
    exemplary: int | None


class LiveToday(Resource):
    centre: LiveCounts
    branches: list[LiveCounts]


class LiveDesks(Resource):
    desks: list[LiveDesk]


class LiveSnapshot(Resource):
    simulated: bool
    desks: list[LiveDesk]
    today: LiveToday


class LampState(Resource):
    """The three lamps of one pad, left to right: "1" lit, "0" dark. Only in the demonstration."""

    desk: str
    lamps: str
    connected: bool


class LiveLamps(Resource):
    lamps: list[LampState]


# ---- sessions
class SessionResource(Resource):
    name: str
    scopes: list[str]
    expires_at: datetime


# ---- try a pad (the demonstration only)
class TryDesk(Resource):
    desk: str
    branch: str
    label: str
    lamps: str | None
    connected: bool


class TryDesks(Resource):
    """The desks whose clients and operators the reader may play; none while the demonstration does not answer."""

    connected: bool
    desks: list[TryDesk]


class TryDone(Resource):
    desk: str
    done: str
