"""What QSystem's list of operators means: pure translation of two looks at it into our events. It asks nobody.

QSystem (Apertum) answers "the list of users" with every operator, the text of the desk ("point"), a pause, and a
shadow: the client held now, or the last one held. A shadow has a state. While the client is held it has the moment of
the call (old_start_time) and no end, afterwards an end (old_fin_time) and no start. Facts: queue-systems.md section 1.

    seen at an operator                              says
    another client, held                             called (dated by QSystem's moment of the call); started, if at work
    the same client, INVITED -> WORK                 started, at the moment we saw it
    the same client, again INVITED_SECONDARY         held, and called: it had gone back to the queue between two looks
    the same client, another desk                    called there; transferred, if our table does not know that desk
    the client's end, as FINISH, DEAD, REDIRECT      finished, no_show, transferred, held: by the state
    another client, ended already                    called and ended: both lie between two looks
    a held client, then no shadow                    removed; reset, if no operator has a shadow any more
    a held client, then another at another desk      removed, and called there
    pause on, off                                    operator_paused, operator_opened

It cannot see: a recall (the same state is set again), a client called and ended between two looks before the last one,
one of two parallel clients of an operator (v17) while the other is at work.

An end is told by the state that the client takes, so the shadow of a redirected client already names its new service:
the service of a call is the one that was seen while it was held.
The times are without a zone and of whole seconds. QSystem formats them with an object that several threads share, so a
time may be another one's: what does not lie between the last look and this one is not believed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import orjson
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from collector.feed.calls import pseudonym
from collector.feed.model import Event
from collector.feed.speech import Speech, shown

RECOVERED_MS = 4 * 3_600_000  # a first look takes a call that is younger for one that still goes on
SLACK_MS = 2_500  # their seconds are whole, and our two looks are not at one moment with theirs
CLOCK_OFF_MS = 5_000  # a server's clock that is farther off is corrected for
CALLED = ("STATE_INVITED", "STATE_INVITED_SECONDARY")
SERVED = ("STATE_WORK", "STATE_WORK_SECONDARY")
ENDS = {
    "STATE_FINISH": "finished",
    "STATE_INACCURATE_TIME": "finished",  # v17: the operator forgot to press finish
    "STATE_WAIT_COMPLEX_SERVICE": "finished",  # finished here; the next of several services follows
    "STATE_DEAD": "no_show",
    "STATE_REDIRECT": "transferred",
    "STATE_BACK": "transferred",
    "STATE_POSTPONED": "held",
    "STATE_POSTPONED_REDIRECT": "held",
}
WAITING = ("STATE_WAIT", "STATE_WAIT_AFTER_POSTPONED")


class Shadow(BaseModel):
    """The client an operator holds, or held last. The typed data of the client, which v17 adds, is left out."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore", validate_by_name=True, validate_by_alias=True)

    client: Annotated[int, Field(alias="id_old_customer", ge=0, le=99_999_999_999_999)]
    service: Annotated[int | None, Field(alias="id_old_service")] = None
    prefix: Annotated[str, Field(alias="old_pref", max_length=40)] = ""
    number: Annotated[int, Field(alias="old_nom")] = 0
    state: Annotated[str, Field(alias="old_cust_state", max_length=40)] = ""
    began: Annotated[str | None, Field(alias="old_start_time", max_length=40)] = None
    ended: Annotated[str | None, Field(alias="old_fin_time", max_length=40)] = None


class User(BaseModel):
    """An operator, as far as we may and need to know one. Name and password are left out where they are read."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore", validate_by_name=True, validate_by_alias=True)

    id: int
    point: Annotated[str | None, Field(max_length=200)] = None
    pause: bool = False
    shadow: Shadow | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """One answer: QSystem's clock if it said it, the operators, and how many of them could not be read."""

    clock_unix_ms: int | None
    users: Sequence[User]
    unreadable: int = 0


class Held(BaseModel):
    """An operator's client as the last look left it; ``open`` while held. ``tag``: of the ticket's number, keyed."""

    model_config = ConfigDict(frozen=True)

    client: int
    tag: str
    state: str
    open: bool
    called_unix_ms: int
    branch: str | None = None
    desk: str | None = None
    operator: str | None = None
    service: str | None = None
    told_unix_ms: int = 0  # the newest moment told of this client


class Seen(BaseModel):
    model_config = ConfigDict(frozen=True)

    held: Held | None = None
    pause: bool = False


class Snapshot(BaseModel):
    """What a look leaves for the next, by the operators' numbers."""

    model_config = ConfigDict(frozen=True)

    at_unix_ms: int
    users: dict[int, Seen]


@dataclass(frozen=True, slots=True)
class Names:
    """One QSystem's words in ours: texts of desks, numbers of operators and services. ``desk_branches``: our desks."""

    source: str
    timezone: str
    desks: Mapping[str, str]
    operators: Mapping[str, str]
    services: Mapping[str, str]
    desk_branches: Mapping[str, str]
    ticket_secret: str = field(repr=False)

    def tag(self, shadow: Shadow) -> str:
        return pseudonym(self.ticket_secret, self.source, f"{shadow.prefix}{shadow.number}")[:8]

    def service(self, shadow: Shadow) -> str | None:
        return self.services.get(str(shadow.service))


@dataclass(frozen=True, slots=True)
class Said:
    snapshot: Snapshot
    events: Mapping[str, Sequence[Event]]
    unknown: frozenset[str] = frozenset()


def read_answer(text: str) -> Look:
    """The operators in an answer, decoded already. Raises ValueError, which never quotes it: it holds passwords."""
    try:
        answer = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise ValueError("its answer is not JSON") from None
    if not isinstance(answer, dict) or answer.get("error") is not None:
        raise ValueError("it refuses to list its operators: another version, or another encoding of the request?")
    rows = answer.get("result")
    if not isinstance(rows, list) or not rows:
        raise ValueError("its answer is not a list of operators")
    users, unreadable = [], 0
    for row in rows:
        try:
            users.append(User.model_validate(row))
        except ValidationError:
            unreadable += 1
    if not users:
        raise ValueError("no operator in its answer can be read")
    clock = str(answer.get("id", ""))
    return Look(int(clock) if clock.isascii() and clock.isdecimal() and len(clock) == 13 else None, users, unreadable)


def translate(names: Names, before: Snapshot | None, look: Look, now_unix_ms: int) -> Said:
    """What changed since ``before``, None at the very first look: that one says whom each desk holds."""
    teller = _Teller(names, before, look, now_unix_ms)
    ends_first = sorted(look.users, key=lambda user: user.shadow is None or user.shadow.ended is None)
    users = {user.id: teller.told(user) for user in ends_first}
    if before is not None:
        missing = before.users.keys() - users.keys()  # an account that was deleted, or a row that cannot be read
        gone = [held for each in sorted(missing) if (held := before.users[each].held) and held.open]
        if look.unreadable:  # it may be one of those rows: nothing is over
            users.update({each: before.users[each] for each in missing})
            gone = []
        teller.vanished(gone, everybody=not any(seen.held for seen in users.values()))
    users = {each: teller.dated(seen) for each, seen in users.items()}
    return Said(Snapshot(at_unix_ms=now_unix_ms, users=users), teller.speech.events, frozenset(teller.speech.unknown))


def dump(snapshot: Snapshot) -> bytes:
    return snapshot.model_dump_json().encode()


_SNAPSHOT = TypeAdapter(Snapshot)


def restore(snapshot: bytes) -> Snapshot:
    """Raises ValueError for bytes that ``dump`` did not make."""
    return _SNAPSHOT.validate_json(snapshot)


class _Teller:
    """Tells what one look says; collects the clients that vanished, to be judged together at its end."""

    def __init__(self, names: Names, before: Snapshot | None, look: Look, now_unix_ms: int):
        self.speech = Speech(names.source, names.ticket_secret)
        self._names = names
        self._before = before
        self._now = now_unix_ms
        self._gone: list[Held] = []
        self._told: dict[object, int] = {}  # by client and by desk: the newest moment told of it
        for seen in before.users.values() if before else ():
            if seen.held is not None:
                self._note(seen.held, seen.held.told_unix_ms)
        off = (look.clock_unix_ms or now_unix_ms) - now_unix_ms
        self._off_ms = round(off, -3) if abs(off) > CLOCK_OFF_MS else 0
        self._earliest = now_unix_ms - RECOVERED_MS if before is None else before.at_unix_ms - SLACK_MS
        if look.unreadable:
            self.speech.wonder("an operator of another form")

    def told(self, user: User) -> Seen:
        known = self._before.users.get(user.id) if self._before else None
        held = self._client(user, known.held if known else None)
        if known is not None and known.pause != user.pause:
            self._paused(user, held)
        return Seen(held=held, pause=user.pause)

    def dated(self, seen: Seen) -> Seen:
        """The same, knowing what was told of it by now."""
        if seen.held is None:
            return seen
        held = seen.held.model_copy(update={"told_unix_ms": self._told.get(seen.held.client, 0)})
        return seen.model_copy(update={"held": held})

    def vanished(self, more: Sequence[Held], *, everybody: bool) -> None:
        """Says what became of clients whose operators have no shadow any more."""
        gone = [*self._gone, *more]
        if everybody and gone:
            last = max(gone, key=lambda held: held.called_unix_ms)
            for branch in sorted({self._names.desk_branches[desk] for desk in self._names.desks.values()}):
                self.speech.say(branch, "reset", self._now, (last.client, last.called_unix_ms, "reset"))
        elif gone:
            for held in gone:
                self._ending(held, "removed", self._now)

    def _client(self, user: User, known: Held | None) -> Held | None:
        shadow = user.shadow
        if shadow is None:
            if known is not None and known.open:
                self._gone.append(known)
            return None
        same = known is not None and (known.client, known.tag) == (shadow.client, self._names.tag(shadow))
        over = shadow.ended is not None and shadow.began is None
        if shadow.state in (*CALLED, *SERVED) and not over:
            self._left_behind(user, None if same else known)
            return self._held(user, shadow, known if same else None)
        if shadow.state in ENDS and (over or (same and known and known.open)):
            self._left_behind(user, None if same else known)
            return self._ended(user, shadow, known if same else None)
        if over and same and known and known.open:  # taken from the operator in no state that we know as an end
            self._ending(known, "removed", self._moment(shadow.ended))
            return known.model_copy(update={"open": False})
        if shadow.state not in (*CALLED, *SERVED, *ENDS, *WAITING):
            self.speech.wonder(f"the state {shown(shadow.state)} (ignored)")
        return known  # between two states: an operator is given a client before the client is told its new state

    def _left_behind(self, user: User, known: Held | None) -> None:
        """Another client has taken the place of ``known``. At the same desk that ends its call by itself."""
        if known is not None and known.open and self._place(user)[1] != known.desk:
            self._ending(known, "removed", self._now)

    def _held(self, user: User, shadow: Shadow, known: Held | None) -> Held:
        """``known``: the same client, as it was."""
        if known is None or not known.open:
            return self._called(user, shadow, self._moment(shadow.began))
        if shadow.state in CALLED and shadow.state != known.state:
            self._ending(known, "held", min(self._moment(shadow.began), self._now - 1))
            return self._called(user, shadow, self._moment(shadow.began))
        branch, desk, _ = self._place(user)  # who called stays who called
        now_here = known.model_copy(update={"branch": branch or known.branch, "desk": desk})
        if (desk is None and known.desk is not None) or now_here.branch != known.branch:
            self._ending(known, "transferred", self._now)
        if desk is not None and desk != known.desk:
            self._say(now_here, "called", self._now, ("called", self._now))
        if shadow.state in SERVED and known.state in CALLED:
            self._say(now_here, "started", self._now, ("started",))
        return now_here.model_copy(update={"state": shadow.state})

    def _called(self, user: User, shadow: Shadow, at: int) -> Held:
        branch, desk, operator = self._place(user)
        # Their seconds are whole and ours are not: a call is never older than what was told of its client or desk.
        at = max(at, self._told.get(shadow.client, 0) + 1, self._told.get(desk, 0) + 1)
        if str(shadow.service) not in self._names.services and shadow.service is not None:
            self.speech.wonder(f"service {shadow.service} (its calls name no service)")
        held = Held(
            client=shadow.client,
            tag=self._names.tag(shadow),
            state=shadow.state,
            open=True,
            called_unix_ms=at,
            branch=branch,
            desk=desk,
            operator=operator,
            service=self._names.service(shadow),
        )
        if self._before is None and at <= self._earliest:
            return held  # held since yesterday, most likely forgotten: its desk is not armed for it
        self._say(held, "recovered" if self._before is None else "called", at, ("called",))
        if shadow.state in SERVED:
            self._say(held, "started", max(at, self._now), ("started",))
        return held

    def _ended(self, user: User, shadow: Shadow, known: Held | None) -> Held:
        kind, at = ENDS[shadow.state], self._moment(shadow.ended)
        if known is None and self._before is not None:  # called and ended since the last look
            known = self._called(user, shadow.model_copy(update={"state": CALLED[0]}), at)
            if kind in ("transferred", "finished") and shadow.state != "STATE_FINISH":
                known = known.model_copy(update={"service": None})  # the shadow names the next service already
        if known is not None and known.open:
            self._ending(known, kind, at)
            return known.model_copy(update={"open": False, "state": shadow.state})
        if known is not None:
            return known
        return Held(
            client=shadow.client, tag=self._names.tag(shadow), state=shadow.state, open=False, called_unix_ms=at
        )

    def _place(self, user: User) -> tuple[str | None, str | None, str | None]:
        """Branch and desk of ours where the operator sits, and who it is."""
        names = self._names
        point = (user.point or "").strip()
        desk = names.desks.get(point)
        if desk is None:
            self.speech.wonder(f"the desk {shown(point)} of operator {user.id} (no pad is armed)")
        operator = names.operators.get(str(user.id))
        if operator is None:
            self.speech.wonder(f"operator {user.id} (calls name no operator)")
        return names.desk_branches[desk] if desk else None, desk, operator

    def _ending(self, held: Held, kind: str, at: int) -> None:
        """The desk is named: by now the client may have been called to another."""
        if held.desk is not None:
            at = max(at, held.called_unix_ms, self._told.get(held.client, 0))
            self._say(held.model_copy(update={"operator": None}), kind, at, (kind,))

    def _say(self, held: Held, kind: str, at: int, parts: tuple[object, ...]) -> None:
        if held.branch is None:
            return
        self._note(held, at)
        self.speech.say(
            held.branch,
            kind,
            at,
            (held.client, held.called_unix_ms, *parts),
            ticket_key=f"{self._names.source}:{held.client}:{held.tag}",
            desk=held.desk,
            operator=held.operator,
            service=held.service,
        )

    def _note(self, held: Held, at: int) -> None:
        for of in (held.client, held.desk):
            if of is not None:
                self._told[of] = max(at, self._told.get(of, 0))

    def _paused(self, user: User, held: Held | None) -> None:
        branch, desk, operator = self._place(user)
        if branch is not None:
            kind = "operator_paused" if user.pause else "operator_opened"
            self.speech.say(branch, kind, self._now, (user.id, self._now, kind), desk=desk, operator=operator)

    def _moment(self, text: str | None) -> int:
        """QSystem's local time as a moment of our clock, if it can be true; else now."""
        try:
            local = datetime.strptime(text or "", "%d.%m.%Y %H:%M:%S").replace(tzinfo=ZoneInfo(self._names.timezone))
        except ValueError:
            return self._now
        for fold in (1, 0):  # the hour that comes twice in autumn: rather the later, if it can be
            at = int(local.replace(fold=fold).timestamp() * 1000) - self._off_ms
            if self._earliest <= at <= self._now + SLACK_MS:
                return min(at, self._now)
        return self._earliest if self._before is None else self._now
