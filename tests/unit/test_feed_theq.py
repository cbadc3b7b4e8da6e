"""TheQ, by what its own tracker library makes of its events: what they say, and an inbox in fair and foul."""

import json
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlencode

import pytest

from collector.errors import StoreError
from collector.feed import inbox as inbox_module
from collector.feed.errors import BadSettings
from collector.feed.seats import Seat, Seats
from collector.feed.source import Request, Site
from collector.feed.theq import PIXEL, TP2, TheQ, TheQInbox, names_of, open_theq, replay_theq
from collector.feed.theq_events import Said, Snapshot, Tracked, dump, read_tracked, restore, translate
from protocol.fields import EVENT_ID
from tests.feed_bench import DESKS, NOON, PATH_SECRET, SECRET, SITE, Bench, until, words
from tests.theq_tracker import USERNAME, Kept, TheQTracker

TABLE = TheQ(
    name="theq",
    offices={"61": "centre", "62": "zamostia"},
    operators={"7": "op-1", "8": "op-2", "9": "op-9"},
    services={"MSP001": "passport", "PVT": "address"},
)
NAMES = names_of(TABLE, SITE)


class Counter:
    """What a TheQ tells, and what one who listens has understood so far."""

    def __init__(self, *, encode_base64: bool = False) -> None:
        self.kept = Kept()
        self.theq = TheQTracker(self.kept, encode_base64)
        self.snapshot = Snapshot()
        self.now = NOON
        self.names = NAMES

    def heard(self, after_ms: int = 1000) -> Said:
        """Takes in what was told since; all of it at one moment, one after the other."""
        self.now += after_ms
        tracked = [found for pairs in self.kept.take(self.now) if (found := read_tracked(pairs))]
        said = translate(self.names, self.snapshot, tracked, self.now)
        self.snapshot = restore(dump(said.snapshot))
        assert self.snapshot == said.snapshot
        return said


@pytest.fixture
def counter() -> Counter:
    return Counter()


@pytest.mark.parametrize("encode_base64", [False, True])
def test_a_visit_from_its_ticket_to_its_end(encode_base64: bool) -> None:
    counter = Counter(encode_base64=encode_base64)
    told = []
    for event in ("addcitizen", "addtoqueue", "invitecitizen", "beginservice", "finish"):
        counter.theq.tell(event, 500)
        if event == "addcitizen":
            counter.theq.choose(500)
        said = counter.heard()
        told += words(said.events)
        for each in said.events.get("centre", ()):
            assert (each.ticket_key, each.service) == ("theq:500", "passport")
    assert told == [("issued", None), ("called", "centre-1"), ("started", "centre-1"), ("finished", None)]


@pytest.mark.parametrize("event", ["invitecitizen", "invitefromlist", "returninvite", "returnfromlist"])
def test_every_invitation_is_a_call(counter: Counter, event: str) -> None:
    counter.theq.tell(event, 500, csr=8)
    said = counter.heard()
    assert words(said.events) == [("called", "centre-2")]
    assert said.events["centre"][0].operator == "op-2"


@pytest.mark.parametrize("event", ["servecitizen", "invitefromhold"])
def test_a_service_that_begins_without_a_call_is_started(counter: Counter, event: str) -> None:
    counter.theq.tell(event, 500)
    assert words(counter.heard().events) == [("started", "centre-1")]


@pytest.mark.parametrize(
    ("event", "data", "kind"),
    [
        ("hold", {"time": 0}, "held"),
        ("queuefromprep", {}, "transferred"),
        ("returntoqueue", {}, "transferred"),
        ("finish", {"inaccurate_time": True, "quantity": 1}, "finished"),
        ("customerleft", {"leave_status": "at-prep"}, "no_show"),
        ("customerleft", {"leave_status": "being-served"}, "left"),
        ("customerleft", {"leave_status": "service-creation"}, "left"),
    ],
)
def test_every_way_in_which_a_call_ends(counter: Counter, event: str, data: dict[str, object], kind: str) -> None:
    counter.theq.tell(event, 500, csr=8, **data)  # whoever presses it
    assert words(counter.heard().events) == [(kind, None)]


def test_what_says_nothing_of_a_call_says_nothing(counter: Counter) -> None:
    for event in ("addcitizen", "stopservice", "finishstopped", "appointment_checkin", "a_new_one"):
        counter.theq.tell(event, 500)
    counter.theq.appointment(500)
    counter.theq.choose(500)
    assert words(counter.heard().events) == []


def test_a_second_service_of_a_visit_is_the_same_call_with_another_service(counter: Counter) -> None:
    counter.theq.choose(500)
    counter.theq.tell("servecitizen", 500)
    counter.heard()
    counter.theq.tell("stopservice", 500, sr=1)
    counter.theq.choose(500, "PVT", sr=2)
    counter.theq.tell("additionalservice", 500, sr=2)
    said = counter.heard(20_000)
    assert [(each.type, each.service) for each in said.events["centre"]] == [("service_switched", "address")]
    counter.theq.tell("stopservice", 500, sr=2)
    counter.theq.tell("restartservice", 500, sr=1)
    said = counter.heard(20_000)
    assert [(each.type, each.service) for each in said.events["centre"]] == [("service_switched", "passport")]


def test_a_word_repeated_by_theqs_tries_is_one_and_a_real_second_one_is_two(counter: Counter) -> None:
    counter.theq.tell("hold", 500)
    assert words(counter.heard().events) == [("held", None)]
    counter.theq.tell("hold", 500)  # another id, a moment later: the commit was tried again
    counter.theq.tell("hold", 501)
    assert words(counter.heard().events) == [("held", None)]  # of 501
    counter.theq.tell("invitefromhold", 500)
    counter.theq.tell("hold", 500)
    assert words(counter.heard().events) == [("started", "centre-1"), ("held", None)]
    counter.theq.tell("invitefromhold", 500)
    counter.heard(60_000)
    counter.theq.tell("invitefromhold", 500)
    assert words(counter.heard(60_000).events) == [("started", "centre-1")]


@pytest.mark.parametrize("channel", ["phone", "back-office", "email-fax-mail", "sms"])
def test_who_is_not_at_the_desk_arms_no_pad(counter: Counter, channel: str) -> None:
    counter.theq.choose(500, channel=channel)
    counter.theq.tell("servecitizen", 500)
    assert words(counter.heard().events) == []
    counter.theq.choose(500, channel="in-person")  # it was corrected
    counter.theq.tell("beginservice", 500)
    assert words(counter.heard().events) == [("started", "centre-1")]


def test_an_agent_nobody_knows_and_one_without_a_desk_arm_no_pad_and_are_named(counter: Counter) -> None:
    for citizen, csr, office in ((1, 77, 61), (2, 9, 61), (3, 7, 62), (4, 7, 63)):
        counter.theq.tell("invitecitizen", citizen, csr=csr, office=office)
    said = counter.heard()
    assert words(said.events) == []
    assert said.unknown == {
        "agent '77' (no pad is armed)",
        "where agent 9 sits in office 61 (no pad is armed)",
        "where agent 7 sits in office 62 (no pad is armed)",
        "office '63' (no pad is armed)",
    }


def test_an_agent_is_where_the_register_says_at_that_moment(counter: Counter) -> None:
    seats = Seats.of([Seat("op-1", "centre-1", to_unix_ms=NOON + 5000), Seat("op-1", "centre-2", NOON + 5000)])
    counter.names = names_of(TABLE, Site(SITE.branches, DESKS, seats, SECRET))
    counter.theq.tell("invitecitizen", 500)
    assert words(counter.heard().events) == [("called", "centre-1")]
    counter.theq.tell("invitecitizen", 501)
    assert words(counter.heard(10_000).events) == [("called", "centre-2")]


def test_events_that_came_in_another_order_are_told_in_their_own(counter: Counter) -> None:
    counter.theq.tell("invitecitizen", 500)
    counter.theq.tell("beginservice", 500)
    first, second = (read_tracked(pairs) for pairs in counter.kept.take(NOON))
    assert first and second
    said = translate(NAMES, Snapshot(), [second, first], NOON)
    assert [each.type for each in said.events["centre"]] == ["called", "started"]


def test_two_agents_who_call_one_citizen_are_told_both(counter: Counter) -> None:
    for csr in (7, 8):
        counter.theq.tell("invitecitizen", 500, csr=csr)
    assert words(counter.heard().events) == [("called", "centre-1"), ("called", "centre-2")]


def test_the_agents_name_goes_no_further(counter: Counter) -> None:
    counter.theq.tell("invitecitizen", 500)
    assert USERNAME in repr(counter.kept.pairs)
    pairs = counter.kept.pairs[0]
    said = counter.heard()
    assert USERNAME not in repr(read_tracked(pairs)) + repr(said) + dump(said.snapshot).decode()


def test_event_ids_are_legal_whatever_the_tracker_calls_them(counter: Counter) -> None:
    for eid in ("", "x" * 80, "з пробілом"):
        counter.theq.tell("invitecitizen", 500)
        tracked = read_tracked({**counter.kept.take(NOON)[0], "eid": eid})
        assert tracked
        [event] = translate(NAMES, Snapshot(), [tracked], NOON).events["centre"]
        assert EVENT_ID.problem(event.event) is None


def test_a_visit_is_forgotten_soon_after_its_end_or_after_a_day_and_a_half(counter: Counter) -> None:
    counter.theq.choose(500)
    counter.theq.tell("servecitizen", 501)
    counter.theq.tell("finish", 501)
    assert sorted(counter.heard().snapshot.visits) == [500, 501]
    assert sorted(counter.heard(120_000).snapshot.visits) == [500]
    assert sorted(counter.heard(35 * 3_600_000).snapshot.visits) == [500]
    assert sorted(counter.heard(2 * 3_600_000).snapshot.visits) == []


def test_the_number_of_visits_is_bounded(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collector.feed.theq_events.MOST_VISITS", 3)
    for citizen in range(5):
        counter.theq.choose(citizen)
    assert sorted(counter.heard().snapshot.visits) == [2, 3, 4]


@pytest.mark.parametrize(
    "change",
    [
        {"e": "pv"}, {"e": "se"}, {"co": json.dumps({"schema": "x", "data": []})},
    ],
)  # fmt: skip
def test_other_kinds_of_events_are_none_of_ours(counter: Counter, change: dict[str, str]) -> None:
    counter.theq.tell("invitecitizen", 500)
    assert read_tracked({**counter.kept.take(NOON)[0], **change}) is None


@pytest.mark.parametrize(
    "change",
    [
        {"ue_pr": "{"}, {"ue_pr": "{}"}, {"co": "["}, {"dtm": "soon"}, {"dtm": "1"}, {"ue_pr": "3", "co": "3"},
        {"co": '{"data": [{"schema": "iglu:x/citizen/jsonschema/1-0-0", "data": {"client_id": "one"}}]}'},
        {"co": '{"data": [{"schema": "iglu:x/citizen/jsonschema/1-0-0", "data": {"client_id": 1}}]}'},
        {"co": '{"data": [3]}'},
    ],
)  # fmt: skip
def test_what_claims_to_be_an_event_and_is_none_is_refused_without_a_quotation(
    counter: Counter, change: dict[str, str]
) -> None:
    counter.theq.tell("invitecitizen", 500)
    with pytest.raises(ValueError, match=r"JSON|schema|without") as raised:
        read_tracked({**counter.kept.take(NOON)[0], **change})
    assert USERNAME not in str(raised.value)


def test_a_recorded_day_is_replayed_from_pairs_and_from_what_was_read_of_them(counter: Counter) -> None:
    counter.theq.choose(500)
    counter.theq.tell("servecitizen", 500)
    pairs = counter.kept.take(NOON)
    replay = replay_theq(TABLE, SITE)
    assert [words(replay(NOON, each)[0]) for each in pairs] == [[], [("started", "centre-1")]]
    read = [json.loads(tracked.model_dump_json()) for each in pairs if (tracked := read_tracked(each))]
    replay = replay_theq(TABLE, SITE)
    assert [words(replay(NOON, each)[0]) for each in read] == [[], [("started", "centre-1")]]
    with pytest.raises(ValueError, match="recorded"):
        replay(NOON, [])


# ---- the inbox
@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.end()


def asked(pairs: dict[str, str], secret: str = PATH_SECRET) -> Request:
    return Request("GET", f"/theq/theq/{secret}/i", urlencode(pairs), {}, b"")


def posted(body: bytes, secret: str = PATH_SECRET) -> Request:
    return Request("POST", f"/theq/theq/{secret}/{TP2}", "", {}, body)


def running(bench: Bench) -> TheQInbox:
    opened = open_theq(TABLE, bench.means)
    opened.start()
    return opened


def test_what_is_told_is_answered_at_once_and_arms_the_desk(bench: Bench, counter: Counter) -> None:
    opened = running(bench)
    counter.theq.tell("invitecitizen", 500)
    reply = opened.get(asked(counter.kept.take(NOON)[0]))
    assert (reply.status, reply.body[:6], reply.media_type) == (200, b"GIF89a", "image/gif")
    until(lambda: bench.told.armed == ["centre-1"], "the call")
    counter.theq.tell("finish", 500)
    list_of_one = json.dumps({"schema": "iglu:x", "data": counter.kept.take(NOON)}).encode()
    assert opened.post(posted(list_of_one)).status == 200
    until(lambda: not bench.told.open_now(), "its end")
    assert opened.up and opened.last_heard_unix_ms == bench.now_unix_ms
    opened.stop()


def test_the_same_event_delivered_twice_is_one(bench: Bench, counter: Counter) -> None:
    counter.theq.tell("invitecitizen", 500)
    counter.theq.tell("finish", 500)
    first, last = counter.kept.take(NOON)
    opened = running(bench)
    opened.get(asked(first))
    until(lambda: bench.told.armed, "the call")
    for pairs in (first, last, first, last):
        opened.get(asked(pairs))
    opened.stop()
    assert bench.told.armed == ["centre-1"]
    assert [fact.type for fact in bench.facts()] == ["called", "finished"]


def test_a_restart_in_the_middle_knows_the_service_and_arms_nobody_twice(bench: Bench, counter: Counter) -> None:
    opened = running(bench)
    counter.theq.choose(500)
    counter.theq.tell("invitecitizen", 500)
    for pairs in counter.kept.take(NOON):
        opened.get(asked(pairs))
    opened.stop()
    later = bench.again()
    opened = running(later)
    counter.theq.tell("beginservice", 500)
    opened.get(asked(counter.kept.take(NOON)[0]))
    opened.stop()
    assert (bench.told.armed, later.told.armed) == (["centre-1"], [])
    assert [(fact.type, fact.service) for fact in later.facts()] == [("called", "passport"), ("started", "passport")]
    later.end()


@pytest.mark.parametrize("secret", ["", "x", PATH_SECRET[:-1], PATH_SECRET + "x"])
def test_who_does_not_know_the_secret_finds_nothing(bench: Bench, counter: Counter, secret: str) -> None:
    opened = open_theq(TABLE, bench.means)
    counter.theq.tell("invitecitizen", 500)
    assert opened.get(asked(counter.kept.take(NOON)[0], secret)).status == 404
    assert opened.post(posted(b"{}", secret)).status == 404
    assert opened._waiting.empty()


@pytest.mark.parametrize("secret", [None, "short", "with/a/slash/in/it/and/long", "with space in it, and long"])
def test_without_a_good_secret_it_does_not_begin(tmp_path: Path, secret: str | None) -> None:
    bench = Bench(tmp_path, secret=secret)
    with pytest.raises(BadSettings, match=r"theq.theq.*a secret for its path"):
        open_theq(TABLE, bench.means)
    bench.end()


@pytest.mark.parametrize("body", [b"", b"[", b"[]", b'{"data": 3}', b'{"data": ' + b"[1," * 501 + b"1]}"])
def test_garbage_is_answered_counted_and_forgotten(bench: Bench, body: bytes) -> None:
    opened = open_theq(TABLE, bench.means)
    assert opened.post(posted(body)).status == 200
    assert opened.get(asked({"e": "ue", "ue_pr": "{"})).status == 200
    assert opened.unreadable == 2
    assert opened._waiting.empty()
    assert len(opened.unknown) == 2


def test_more_than_can_wait_is_refused_at_once_and_counted(
    bench: Bench, counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox_module, "MOST_WAITING", 2)
    opened = open_theq(TABLE, bench.means)  # nobody takes in
    statuses = []
    for citizen in range(4):
        counter.theq.tell("invitecitizen", citizen)
        statuses.append(opened.get(asked(counter.kept.take(NOON)[0])).status)
    assert statuses == [200, 200, 503, 503]
    assert (opened.lost, opened.up) == (2, False)


def test_while_the_store_is_down_what_was_told_waits(
    bench: Bench, counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox_module, "PAUSES_S", (0.01,))
    accept, failing = bench.intake.accept, threading.Event()

    def full(*args: object, **kwargs: object) -> None:
        failing.set()
        raise StoreError("the disk is full")

    monkeypatch.setattr(bench.intake, "accept", full)
    opened = running(bench)
    counter.theq.tell("invitecitizen", 500)
    assert opened.get(asked(counter.kept.take(NOON)[0])).status == 200
    assert failing.wait(20)
    until(lambda: not opened.up, "down")
    monkeypatch.setattr(bench.intake, "accept", accept)
    until(lambda: bench.told.armed == ["centre-1"], "the call")
    until(lambda: opened.up, "up")
    opened.stop()
    assert opened.lost == 0


def test_an_error_of_ours_is_counted_and_the_next_word_is_taken(
    bench: Bench, counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = open_theq(TABLE, bench.means)
    take_in = opened.take_in
    monkeypatch.setattr(opened, "take_in", lambda items: 1 / 0)
    opened.start()
    counter.theq.tell("invitecitizen", 500)
    opened.get(asked(counter.kept.take(NOON)[0]))
    until(lambda: opened.lost == 1, "the loss")
    monkeypatch.setattr(opened, "take_in", take_in)
    counter.theq.tell("invitecitizen", 501)
    opened.get(asked(counter.kept.take(NOON)[0]))
    until(lambda: bench.told.armed == ["centre-1"], "the call")
    opened.stop()


def test_the_pixel_is_a_picture() -> None:
    assert (PIXEL[6:10], PIXEL[-1:]) == (b"\x01\x00\x01\x00", b";")


def test_an_office_of_no_branch_is_refused() -> None:
    with pytest.raises(BadSettings, match=r"theq.theq.offices.61.*nowhere"):
        names_of(TABLE.model_copy(update={"offices": {"61": "nowhere"}}), SITE)


def test_one_word_that_cannot_be_taken_costs_no_other(
    bench: Bench, counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = open_theq(TABLE, bench.means)
    take_in = opened.take_in

    def picky(items: Sequence[Tracked]) -> None:
        if any(item.citizen == 2 for item in items):
            raise ArithmeticError("an error of ours")
        take_in(items)

    monkeypatch.setattr(opened, "take_in", picky)
    for citizen, csr in ((1, 7), (2, 7), (3, 8)):
        counter.theq.tell("invitecitizen", citizen, csr=csr)
    for pairs in counter.kept.take(NOON):
        opened.get(asked(pairs))
    opened.start()
    until(lambda: bench.told.armed == ["centre-1", "centre-2"], "the calls")
    opened.stop()
    assert opened.lost == 1
