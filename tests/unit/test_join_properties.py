"""Any order, duplication and batching of messages gives the figures of a model of ten lines, and a clean recount."""

from collections import Counter
from pathlib import Path
from shutil import copyfile
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.store import Arrival, Branch, Desk, Organisation, Register, Service, Store
from protocol import codec, topics
from protocol.messages import QueueEvent, Vote

NOON_UNIX_MS = 1795341600000  # 2026-11-22 10:00 UTC
DESKS = ("centre-01", "centre-02", "vyshenka-01")
BRANCH_OF = {"centre-01": "centre", "centre-02": "centre", "vyshenka-01": "vyshenka"}
ENDINGS = ("finished", "no_show", "left", "transferred", "held", "removed")
REASONS = ("next_call", "end_of_day", "operator_closed", "called_elsewhere", "reset")
SILENT_NOT_ELIGIBLE = {"no_show", "transferred", "held", "removed", "called_elsewhere"}
CALLS = ("01kb3x9c00000001", "01kb3x9c00000002", "01kb3x9c00000003", "01kb3x9c00000004")
UNKNOWN_CALL = "01kb3x9c0000000z"

Story = tuple[list[QueueEvent], list[tuple[str, Vote]]]


@st.composite
def stories(draw: st.DrawFn) -> Story:
    """Valid messages about up to four calls: events, and votes: right, repeated, at the wrong desk, for no call."""
    events, votes, seq = [], [], 0
    for number, call in enumerate(CALLS[: draw(st.integers(1, 4))]):
        desk = draw(st.sampled_from(DESKS))
        called = NOON_UNIX_MS + number * 86_400_000 * draw(st.integers(0, 1))
        types = ["called", *draw(st.lists(st.sampled_from(("recalled", "started")), max_size=2))]
        types += draw(st.lists(st.sampled_from((*ENDINGS, *REASONS)), max_size=2))
        for type_ in types:
            seq += 1
            reason = type_ if type_ in REASONS else None
            at = called + seq * 1000
            kind = "closed" if reason else type_
            events.append(
                QueueEvent(
                    f"e{seq}",
                    "0badcafe",
                    seq,
                    kind,
                    at,
                    call=call,
                    called_unix_ms=called,
                    desk=desk,
                    operator=draw(st.sampled_from((None, "op-1", "op-2"))),
                    service="passport",
                    ticket="t1",
                    reason=reason,
                )
            )
    for number in range(draw(st.integers(0, 8))):
        desk, call = draw(st.sampled_from(DESKS)), draw(st.sampled_from((*CALLS, UNKNOWN_CALL)))
        votes.append((desk, Vote(call, draw(st.integers(1, 3)), 2500, "11111111", 1, number)))
    return events, votes


def model(events: list[QueueEvent], votes_as_they_come: list[tuple[str, Vote]]) -> Counter[tuple[str, str, int, str]]:
    """The figures: of each call its last word and the first vote from its own desk."""
    counts: Counter[tuple[str, str, int, str]] = Counter()
    for call in {event.call for event in events}:
        said = sorted((event for event in events if event.call == call), key=lambda event: event.seq)
        endings = [event.reason or event.type for event in said if event.type in (*ENDINGS, "closed")]
        rating = next((v.rating for d, v in votes_as_they_come if v.call == call and d == said[0].desk), None)
        eligible = rating or not (endings and endings[-1] in SILENT_NOT_ELIGIBLE)
        for name in (
            "calls",
            *(["eligible"] if eligible else []),
            *([("bad", "good", "exemplary")[rating - 1]] if rating else []),
        ):
            for cut, key in (("desk", said[0].desk), ("operator", said[-1].operator or "")):
                counts[cut, key, said[0].called_unix_ms, name] += 1
    return counts


def stored(store: Store) -> Counter[tuple[str, str, str, str]]:
    counts: Counter[tuple[str, str, str, str]] = Counter()
    for cut in ("desk", "operator"):
        for row in store.rollups(cut, 20200101, 20991231):
            for name in ("calls", "eligible", "bad", "good", "exemplary"):
                counts[cut, row.key, str(row.day), name] += getattr(row, name)
    return +counts


def by_day(counts: Counter[tuple[str, str, int, str]]) -> Counter[tuple[str, str, str, str]]:
    days: Counter[tuple[str, str, str, str]] = Counter()
    for (cut, key, called, name), number in counts.items():
        days[cut, key, str(20261122 + (called - NOON_UNIX_MS) // 86_400_000), name] += number
    return days


@pytest.fixture(scope="module")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("join") / "empty.db"
    register = Register(
        organisation=Organisation(name="Центр", name_en="Centre"),
        branches=tuple(Branch(id=name, name=name, name_en=name) for name in ("centre", "vyshenka")),
        services=(Service(id="passport", name="Паспорт", name_en="Passport"),),
        desks=tuple(Desk(id=desk, branch=BRANCH_OF[desk], label=desk[-1]) for desk in DESKS),
    )
    with Store.open(f"sqlite:///{path}") as store:
        store.load_register(register)
    return path


@given(story=stories(), data=st.data())
@settings(max_examples=100)
def test_any_order_and_any_repetition_gives_the_figures_of_the_model(
    empty_database: Path, story: Story, data: st.DataObject
) -> None:
    events, votes = story
    messages: list[QueueEvent | tuple[str, Vote]] = [*events, *votes]
    order = data.draw(st.permutations(messages))
    again = data.draw(st.lists(st.sampled_from(messages), max_size=6))
    sent = [*order, *again]
    path = empty_database.with_name(uuid4().hex + ".db")
    copyfile(empty_database, path)
    with Store.open(f"sqlite:///{path}") as store:
        arrivals = [arrival(message) for message in sent]
        size = data.draw(st.integers(1, len(arrivals)), label="batch size")
        answers = [
            answer for start in range(0, len(arrivals), size) for answer in store.ingest(arrivals[start : start + size])
        ]
        assert all(answer.ack for answer in answers), "every vote and event gets its receipt"
        assert stored(store) == by_day(model(events, [each for each in sent if isinstance(each, tuple)]))
        assert store.recount() == []
        counts = store.counts()
        accounted_for = counts["votes"] + counts["waiting"] + sum(counts["kept"].values())
        assert accounted_for == len(votes), "a vote counts, waits or is kept, and only one of these"
    path.unlink()


def arrival(message: QueueEvent | tuple[str, Vote]) -> Arrival:
    if isinstance(message, QueueEvent):
        assert message.desk
        return Arrival(topics.queue(BRANCH_OF[message.desk], "event"), codec.encode(message), NOON_UNIX_MS)
    desk, vote = message
    return Arrival(topics.desk(desk, "vote"), codec.encode(vote), NOON_UNIX_MS)
