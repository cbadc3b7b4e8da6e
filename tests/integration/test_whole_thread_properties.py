"""The whole thread in one process: the real call machine, pads, journals, join and database, against a tiny model.

Between them stands a network that delays, doubles, reorders and forgets. Whatever it and the people do, the figures
must be those of ``Model``, which knows nothing of journals, sequence numbers, retained messages or rows.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import time
from io import BytesIO
from pathlib import Path
from shutil import copyfile
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.feed import calls
from collector.feed.model import Branch, BranchState, Event
from collector.feed.steps import desks_changed, on_desk
from collector.model import Arrival
from collector.store import Branch as RegisterBranch
from collector.store import Desk, Organisation, Register, Service, Store
from firmware.core import journal as journals
from firmware.core.pad import SAVE, Pad
from protocol import codec, topics
from protocol.messages import CallOpened, QueueEvent

DESKS = ("vyshenka-01", "vyshenka-02")
TICKETS = ("A1", "A2", "A3")
FEED_JOURNAL = "0badcafe"
NOON_UNIX_MS = 1795341600000  # 2026-11-22 10:00 UTC, noon in Kyiv
PASSED_ON = {"no_show", "transferred", "held", "called_elsewhere", "resumed"}

desks = st.sampled_from(DESKS)
queue_steps = st.one_of(
    st.tuples(st.just("called"), desks, st.sampled_from(TICKETS)),
    st.tuples(st.sampled_from(("finished", "no_show", "transferred", "held")), desks),
)
pad_steps = st.one_of(
    st.tuples(st.just("press"), desks, st.sampled_from((1, 2, 3))),
    st.tuples(st.sampled_from(("restart", "send")), desks),
)
network_steps = st.tuples(st.sampled_from(("deliver", "double", "lose")), st.integers(0, 50))
visits = st.tuples(st.just("visit"), desks, st.sampled_from(TICKETS), st.sampled_from((1, 2, 3)))
steps = st.lists(st.one_of(visits, visits, queue_steps, pad_steps, network_steps), min_size=5, max_size=60)


class Model:
    """What ought to come out, said as shortly as it can be."""

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []

    def open_at(self, desk: str) -> dict[str, Any] | None:
        return next((call for call in self.calls if call["desk"] == desk and not call["over"]), None)

    def called(self, desk: str, ticket: str) -> None:
        here = self.open_at(desk)
        if here is None or here["ticket"] != ticket:
            for call in self.calls:
                if not call["over"] and (call["desk"] == desk or call["ticket"] == ticket):
                    call["over"] = "next_call" if call["desk"] == desk else "called_elsewhere"
            before = [call for call in self.calls if call["ticket"] == ticket]
            if before and before[-1]["over"] == "next_call":
                before[-1]["over"] = "resumed"
            self.calls.append({"desk": desk, "ticket": ticket, "over": None, "rating": None})

    def figures(self) -> Counter[tuple[str, str]]:
        counts: Counter[tuple[str, str]] = Counter()
        for call in self.calls:
            counts[call["desk"], "calls"] += 1
            counts[call["desk"], "eligible"] += bool(call["rating"]) or call["over"] not in PASSED_ON
            if call["rating"]:
                counts[call["desk"], ("bad", "good", "exemplary")[call["rating"] - 1]] += 1
        return +counts


@dataclass
class World:
    """The real parts, and the messages on their way to the collector."""

    store: Store
    branch: Branch
    now_unix_ms: int = NOON_UNIX_MS
    state: BranchState = field(default_factory=BranchState)
    seq: int = 1
    flash: dict[str, bytes] = field(default_factory=dict)
    pads: dict[str, Pad] = field(default_factory=dict)
    records: dict[str, journals.Journal] = field(default_factory=dict)
    on_the_way: list[tuple[str, bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        for number, desk in enumerate(DESKS):
            self.flash[desk] = bytes(journals.Journal(bytes([number, 1, 2, 3])).dump())
            self.restart(desk)

    @property
    def ticks_ms(self) -> int:
        return self.now_unix_ms - NOON_UNIX_MS

    def restart(self, desk: str) -> None:
        """All that the pad had in memory is gone; then it meets the retained call."""
        self.records[desk] = journals.Journal(bytes(4))
        self.records[desk].restore(BytesIO(self.flash[desk]).readinto)
        self.records[desk].start(self.seq.to_bytes(4, "big"))
        self.flash[desk] = bytes(self.records[desk].dump())
        self.pads[desk] = Pad(self.records[desk], lambda late, early: late - early)
        self.tell(desk)

    def tell(self, desk: str) -> None:
        if desk in self.state.calls:
            message = on_desk(self.state.calls[desk])
            pad = self.pads[desk]
            if isinstance(message, CallOpened):
                pad.call_opened(message, self.now_unix_ms, False, self.ticks_ms)
            else:
                pad.call_closed(self.ticks_ms)

    def queue_says(self, type: str, desk: str, ticket: str | None) -> None:  # noqa: A002 - the wire's name
        event = Event(f"e{self.seq}", type, self.now_unix_ms, desk=desk, ticket_key=ticket, ticket=ticket)
        step = calls.take(self.branch, self.state, event)
        changed = desks_changed(self.state, step.state)
        self.state = step.state
        for fact in step.facts:
            values = {name: getattr(fact, name) for name in type_fields(fact)}
            message = QueueEvent(journal=FEED_JOURNAL, seq=self.seq, **values)
            self.on_the_way.append((topics.queue(self.branch.id, "event"), codec.encode(message)))
            self.seq += 1
        for told in changed:
            self.tell(told)

    def press(self, desk: str, button: int) -> None:
        for effect, _ in self.pads[desk].press((button,), self.ticks_ms):
            if effect == SAVE:
                self.flash[desk] = bytes(self.records[desk].dump())

    def send(self, desk: str) -> None:
        vote = self.records[desk].oldest()
        if vote is not None:
            self.on_the_way.append((topics.desk(desk, "vote"), codec.encode(vote)))

    def deliver(self, *chosen: tuple[str, bytes]) -> None:
        arrivals = [Arrival(topic, payload, self.now_unix_ms) for topic, payload in chosen]
        for answer in self.store.ingest(arrivals):
            assert answer.disposition != "failed"
            if answer.ack is not None:
                room, name, _ = topics.parse(answer.ack[0])
                if room == "desk":
                    self.records[name].acknowledge(answer.ack[1])
                    self.flash[name] = bytes(self.records[name].dump())

    def settle(self) -> None:
        """The network works again: everything arrives in the end."""
        self.deliver(*self.on_the_way)
        self.on_the_way.clear()
        for desk in DESKS:
            while self.records[desk].depth:
                self.send(desk)
                self.deliver(self.on_the_way.pop())

    def figures(self) -> Counter[tuple[str, str]]:
        counts: Counter[tuple[str, str]] = Counter()
        for row in self.store.rollups("desk", 20261122, 20261122):
            for amount in ("calls", "eligible", "bad", "good", "exemplary"):
                counts[row.key, amount] += getattr(row, amount)
        return +counts


def type_fields(fact: object) -> tuple[str, ...]:
    return tuple(name for name, _ in QueueEvent.FIELDS if name not in ("journal", "seq") and hasattr(fact, name))


def take_step(world: World, model: Model, step: tuple[Any, ...]) -> None:
    world.now_unix_ms += 1000
    match step:
        case ("visit", desk, ticket, button):
            take_step(world, model, ("called", desk, ticket))
            take_step(world, model, ("press", desk, button))
        case ("called", desk, ticket):
            world.queue_says("called", desk, ticket)
            model.called(desk, ticket)
        case ("finished" | "no_show" | "transferred" | "held" as outcome, desk):
            call = model.open_at(desk)
            world.queue_says(outcome, desk, call["ticket"] if call else "A1")
            if call:
                call["over"] = outcome
        case ("press", desk, button):
            world.press(desk, button)
            call = model.open_at(desk)
            if call and not call["rating"]:
                call["rating"] = button
        case ("restart", desk):
            world.restart(desk)
        case ("send", desk):
            world.send(desk)
        case (fate, which) if world.on_the_way:
            meet_fate(world, fate, which % len(world.on_the_way))


def meet_fate(world: World, fate: str, index: int) -> None:
    topic, payload = world.on_the_way[index]
    if fate == "double":
        world.on_the_way.append((topic, payload))
    elif fate == "deliver":
        world.deliver(world.on_the_way.pop(index))
    elif topics.parse(topic)[0] == "desk":  # the feed's outbox gives an event up only for an ack; so would the pad's
        world.on_the_way.pop(index)


@pytest.fixture(scope="module")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database with its register; each example works on a copy."""
    path = tmp_path_factory.mktemp("thread") / "empty.db"
    branch = RegisterBranch(
        id="vyshenka", name="Вишенька", name_en="Vyshenka", timezone="Europe/Kyiv", day_ends="20:00"
    )
    register = Register(
        organisation=Organisation(name="Центр", name_en="Centre", simulated=True),
        branches=[branch],
        services=[Service(id="passport", name="Паспорт", name_en="Passport")],
        desks=[Desk(id=desk, branch="vyshenka", label=desk[-1]) for desk in DESKS],
    )
    with Store.open(f"sqlite:///{path}") as store:
        store.load_register(register)
    return path


@given(steps=steps)
@settings(max_examples=120)
def test_any_day_on_any_network_gives_the_figures_of_the_model(
    empty_database: Path, steps: list[tuple[Any, ...]]
) -> None:
    path = empty_database.with_name(uuid4().hex + ".db")
    copyfile(empty_database, path)
    with Store.open(f"sqlite:///{path}") as store:
        world = World(store, Branch("vyshenka", "Europe/Kyiv", time(20)))
        model = Model()
        for step in steps:
            take_step(world, model, step)
        world.settle()
        assert world.figures() == model.figures()
        assert store.recount() == []
        assert store.counts()["waiting"] == 0
    path.unlink()
