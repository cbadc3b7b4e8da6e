"""One batch of messages: from bytes to answers and rows to write. No input, no output: the store reads and writes.

    batch = Batch(arrivals)            decodes
    batch.calls, .numbers, .desks      what the store must look up first: calls, votes by number, pads
    batch.settle(known, office)        decides: one Answer an arrival, in order
    batch.changes                      what to write, all of it in one transaction

Nothing an arrival holds can raise here: what is not understood is kept with its reason.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

from collector import join
from collector.envelope import Item, Refused, read, receipt
from collector.model import (
    ARCHIVED,
    KNOWN,
    REJECTED_EVENT,
    TAKEN,
    UNKNOWN_BRANCH,
    UNKNOWN_DESK,
    WAITING,
    WRONG_DESK,
    Answer,
    Arrival,
    CallRow,
    KeptRow,
    Office,
    PadState,
    VoteRow,
)
from collector.rollup import NOBODY, Joined
from protocol import codec, topics
from protocol.messages import Ack, Health, PadStatus, QueueEvent, Vote
from schemas.periods import day_of

KEPT_PAYLOAD_BYTES = 1024
_KEPT_TOPIC_CHARACTERS = 120
_KEPT_PROBLEM_CHARACTERS = 200

Number = tuple[str, str, int]  # desk, journal, seq


@dataclass
class Known:
    """What the store knows of the calls, votes and pads that a batch is about."""

    calls: dict[str, CallRow] = field(default_factory=dict)
    votes: dict[str, dict[str, VoteRow]] = field(default_factory=dict)  # by call, then desk
    numbers: dict[Number, VoteRow] = field(default_factory=dict)
    pads: dict[str, PadState] = field(default_factory=dict)
    unavailable: set[tuple[str, str]] = field(default_factory=set)  # call, desk

    def add_vote(self, vote: VoteRow) -> None:
        self.votes.setdefault(vote.call, {})[vote.desk] = vote
        self.numbers[vote.desk, vote.journal, vote.seq] = vote

    def joined(self, call: str) -> Joined:
        """The call, the vote of its own desk and whether that desk had no lit pad; each if known."""
        row = self.calls.get(call)
        if row is None:
            return NOBODY
        return Joined(row, self.votes.get(call, {}).get(row.desk), (call, row.desk) in self.unavailable)


@dataclass
class Changes:
    """What a batch adds. ``before`` holds each touched call as it was, for the roll-up."""

    calls: dict[str, CallRow] = field(default_factory=dict)
    services: set[tuple[str, str]] = field(default_factory=set)  # call, service; of calls that had more than one
    votes: list[VoteRow] = field(default_factory=list)
    waiting: dict[tuple[str, str], int] = field(default_factory=dict)  # (call, desk): since
    arrived: list[tuple[str, str]] = field(default_factory=list)  # no longer waiting
    kept: dict[tuple[str, str], KeptRow] = field(default_factory=dict)
    pads: dict[str, PadState] = field(default_factory=dict)
    health: dict[str, tuple[Health, int]] = field(default_factory=dict)
    before: dict[str, Joined] = field(default_factory=dict)


class Batch:
    """The work on one batch; see the module for the order of calls."""

    def __init__(self, arrivals: Sequence[Arrival]):
        self._items = [read(arrival) for arrival in arrivals]
        self.calls: set[str] = set()
        self.numbers: set[Number] = set()
        self.desks: set[str] = set()
        self.changes = Changes()
        for _, name, message in self._items:
            if isinstance(message, Vote):
                self.calls.add(message.call)
                self.numbers.add((name, message.journal, message.seq))
            elif isinstance(message, QueueEvent):
                if message.call is not None:
                    self.calls.add(message.call)
            elif isinstance(message, PadStatus):
                self.desks.add(name)

    def settle(self, known: Known, office: Office) -> list[Answer]:
        """Decides about every arrival in order; ``known`` is brought up to date on the way."""
        self._known, self._office = known, office
        return [self._answer(item) for item in self._items]

    def _answer(self, item: Item) -> Answer:
        match item.message:
            case Vote() as vote:
                return _answered(self._vote(item, vote), receipt("desk", item, vote))
            case QueueEvent() as event:
                return _answered(self._event(item, event), receipt("queue", item, event))
            case PadStatus() as status:
                return Answer(self._status(item, status), None)
            case Health() as health:
                return Answer(self._health(item, health), None)
            case Refused(reason, problem):
                digest = _digest(item.arrival.topic.encode("utf-8", "replace"), item.arrival.payload)
                return Answer(self._keep(item.arrival, reason, problem, digest), None)
        raise AssertionError(f"no rule for {item.message!r}")

    # ---- the four kinds
    def _vote(self, item: Item, message: Vote) -> str:
        desk, known = item.name, self._known
        if desk not in self._office.desks:
            return self._keep_message(item, UNKNOWN_DESK, "the desk is not in the register")
        if message.call < self._office.archived:
            return self._keep_message(item, ARCHIVED, "")
        vote = VoteRow(
            message.call,
            desk,
            message.rating,
            message.after_ms,
            message.journal,
            message.boot,
            message.seq,
            item.arrival.received_unix_ms,
        )
        first = known.votes.get(vote.call, {}).get(desk)
        verdict = join.judge(vote, known.calls.get(vote.call), first, known.numbers.get((desk, vote.journal, vote.seq)))
        if verdict not in (TAKEN, WAITING):
            return verdict if verdict == KNOWN else self._keep_message(item, verdict, "")
        self._remember(vote.call)
        known.add_vote(vote)
        self.changes.votes.append(vote)
        if verdict == WAITING:
            self.changes.waiting[vote.call, desk] = vote.received_unix_ms
        return verdict

    def _event(self, item: Item, event: QueueEvent) -> str:
        branch = item.name
        if branch not in self._office.timezones:
            return self._keep_message(item, UNKNOWN_BRANCH, "the branch is not in the register")
        if event.call is None:
            return TAKEN
        if event.call < self._office.archived:
            return self._keep_message(item, ARCHIVED, "")
        problem = join.problem_of(event)
        if problem:
            return self._keep_message(item, REJECTED_EVENT, problem)
        call = self._known.calls.get(event.call)
        if call is None:
            return self._new_call(item, event)
        problem = join.contradiction(call, event, branch)
        if problem:
            return self._keep_message(item, REJECTED_EVENT, problem)
        if event.service is not None and call.service not in (None, event.service):
            self.changes.services.update((call.id, each) for each in (call.service, event.service) if each)
        merged = join.merge(call, event)
        if merged is call:
            return KNOWN
        self._set_call(merged if merged.service == call.service else self._rated(merged))
        return TAKEN

    def _new_call(self, item: Item, event: QueueEvent) -> str:
        assert event.desk and event.called_unix_ms
        day = day_of(event.called_unix_ms, self._office.timezones[item.name])
        home = self._office.branch_of(event.desk, day)
        if home is None:
            return self._keep_message(item, UNKNOWN_DESK, f"the desk {event.desk} is not in the register")
        if home != item.name:
            return self._keep_message(item, REJECTED_EVENT, f"the desk {event.desk} is in the branch {home}")
        call = self._rated(join.first_word(event, item.name, day))
        self._set_call(call)
        for vote in self._known.votes.get(call.id, {}).values():
            self._vote_has_its_call(vote, call)
        return TAKEN

    def _rated(self, call: CallRow) -> CallRow:
        """``call`` with whether its service is rated, by the register of its own day as it stands now."""
        unrated = self._office.is_unrated(call.service, call.day)
        return call if unrated is call.unrated else call._replace(unrated=unrated)

    def _vote_has_its_call(self, vote: VoteRow, call: CallRow) -> None:
        key = (vote.call, vote.desk)
        if self.changes.waiting.pop(key, None) is None:
            self.changes.arrived.append(key)
        if vote.desk == call.desk:
            return
        message = Vote(vote.call, vote.rating, vote.after_ms, vote.journal, vote.boot, vote.seq)
        arrival = Arrival(topics.desk(vote.desk, "vote"), codec.encode(message), vote.received_unix_ms)
        self._keep_message(Item(arrival, vote.desk, message), WRONG_DESK, "found when the call came")

    def _set_call(self, call: CallRow) -> None:
        self._remember(call.id)
        self._known.calls[call.id] = call
        self.changes.calls[call.id] = call

    def _remember(self, call: str) -> None:
        """As it was before this batch."""
        if call not in self.changes.before:
            self.changes.before[call] = self._known.joined(call)

    def _status(self, item: Item, status: PadStatus) -> str:
        desk = item.name
        if desk not in self._office.desks:
            return self._keep_stranger(item)
        last = self._known.pads.get(desk)
        if last and _overtaken(last, status):
            return KNOWN
        pad = PadState(
            desk,
            status.state,
            status.phase,
            status.call,
            status.journal,
            status.boot,
            status.firmware,
            status.reset,
            status.lamps,
            status.buttons,
            status.storage,
            status.memory,
            status.clock,
            status.during,
            status.update,
            status.mode,
            status.board,
            item.arrival.received_unix_ms,
        )
        if last and last[:-1] == pad[:-1]:
            return KNOWN
        self._known.pads[desk] = self.changes.pads[desk] = pad
        return TAKEN

    def _health(self, item: Item, health: Health) -> str:
        if item.name not in self._office.desks:
            return self._keep_stranger(item)
        self.changes.health[item.name] = (health, item.arrival.received_unix_ms)
        return TAKEN

    # ---- what is kept
    def _keep_message(self, item: Item, reason: str, problem: str) -> str:
        """Keeps a well-formed message; it is the same thing again if topic and fields are, however it is spelt."""
        digest = _digest(item.arrival.topic.encode(), repr(item.message).encode())
        return self._keep(item.arrival, reason, problem, digest)

    def _keep_stranger(self, item: Item) -> str:
        """Keeps one example of what a pad without a place in the register says of itself every minute."""
        return self._keep(
            item.arrival, UNKNOWN_DESK, "the desk is not in the register", _digest(item.arrival.topic.encode(), b"")
        )

    def _keep(self, arrival: Arrival, reason: str, problem: str, digest: str) -> str:
        again = self.changes.kept.get((reason, digest))
        at = arrival.received_unix_ms
        if again:
            self.changes.kept[reason, digest] = again._replace(last_unix_ms=at, times=again.times + 1)
            return reason
        self.changes.kept[reason, digest] = KeptRow(
            reason,
            digest,
            _printable(arrival.topic)[:_KEPT_TOPIC_CHARACTERS],
            bytes(arrival.payload[:KEPT_PAYLOAD_BYTES]),
            len(arrival.payload),
            problem[:_KEPT_PROBLEM_CHARACTERS],
            at,
            at,
            1,
        )
        return reason


def _answered(disposition: str, receipt: tuple[str, Ack]) -> Answer:
    """No receipt for what only the register does not know: its writer keeps it, and it counts once that is mended."""
    return Answer(disposition, None if disposition in (UNKNOWN_DESK, UNKNOWN_BRANCH) else receipt)


def _overtaken(last: PadState, status: PadStatus) -> bool:
    """Whether ``status`` is older than ``last``: a last will may be delivered after the next birth.

    A pad counts its starts, and each has a journal of its own. Whoever says "online" is the pad that is there, even if
    it has counted fewer: another one in its place. "Offline" is believed of a later start, whose birth was not heard.
    """
    if status.journal == last.journal:
        return status.boot < last.boot
    return status.state == "offline" and status.boot <= last.boot


def _digest(topic: bytes, content: bytes) -> str:
    return blake2b(topic + b"\0" + content, digest_size=16).hexdigest()


def _printable(text: str) -> str:
    return text.encode("unicode_escape").decode("ascii") if not text.isprintable() else text
