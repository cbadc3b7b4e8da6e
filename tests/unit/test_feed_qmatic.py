"""Qmatic Orchestra, by events of the form that its connector posts: what they say, and a hook that gets lost."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from collector.feed.errors import BadSettings, SourceDown
from collector.feed.qmatic import Qmatic, QmaticInbox, followed, names_of, open_qmatic, replay_qmatic
from collector.feed.qmatic_events import KINDS, Said, read_posted, translate
from collector.feed.source import Request
from protocol.fields import EVENT_ID
from protocol.messages import EVENT_TYPES
from tests.feed_bench import NOON, PATH_SECRET, SITE, Bench, until, words
from tests.qmatic_connector import OPERATOR, Connector, orchestra

RECORDED = Path(__file__).parent.parent / "data" / "qmatic"
TABLE = Qmatic(
    name="qm",
    connector="http://127.0.0.1:1/qpevents",
    hook="http://127.0.0.1:2",
    branches={"1": "centre", "6": "zamostia"},
    service_points={"120000000001": "centre-1", "120000000002": "centre-2", "120000000006": "zamostia-1"},
    operators={"1": "op-1"},
    services={"1": "passport"},
)
NAMES = names_of(TABLE, SITE)


def said(*events: dict[str, Any]) -> Said:
    return translate(NAMES, [read_posted(json.dumps(event).encode()) for event in events])


def test_a_visit_from_its_ticket_to_its_end() -> None:
    names = ("VISIT_CREATE", "VISIT_NEXT", "VISIT_CALL", "VISIT_CONFIRM", "VISIT_END_TRANSACTION", "VISIT_END")
    told = said(*(orchestra(name, NOON + place) for place, name in enumerate(names)))
    assert words(told.events) == [
        ("issued", None), ("called", "centre-1"), ("started", "centre-1"), ("finished", None),
    ]  # fmt: skip
    called = told.events["centre"][1]
    assert (called.operator, called.service, called.occurred_unix_ms) == ("op-1", "passport", NOON + 2)
    assert len({event.ticket_key for event in told.events["centre"]}) == 1


@pytest.mark.parametrize("name", sorted(KINDS))
def test_every_event_that_we_know(name: str) -> None:
    told = said(orchestra(name, NOON))
    [(kind, desk)] = words(told.events)
    assert kind == KINDS[name]
    assert kind in EVENT_TYPES
    assert (desk is not None) == (kind in ("called", "started") or kind.startswith("operator_"))


@pytest.mark.parametrize("name", ["VISIT_NEXT", "CFU_SELECTION_DONE", "VISIT_END_TRANSACTION", "SET_WORK_PROFILE", "X"])
def test_every_other_event_says_nothing(name: str) -> None:
    assert words(said(orchestra(name, NOON)).events) == []


def test_the_same_visit_called_again_at_the_same_moment_is_one_event_and_a_second_later_two() -> None:
    ids = [event.event for event in said(*[orchestra("VISIT_CALL", NOON)] * 2).events["centre"]]
    assert ids[0] == ids[1]
    later = [event.event for event in said(orchestra("VISIT_CALL", NOON + 1000)).events["centre"]]
    assert later[0] != ids[0]


def test_the_unit_is_the_service_point_where_no_parameter_says_it() -> None:
    event = orchestra("VISIT_CALL", NOON)
    del event["parameters"]["servicePointId"]
    event["unitId"] = 120000000002
    assert words(said(event).events) == [("called", "centre-2")]


def test_what_our_tables_do_not_know_arms_no_pad_and_is_named() -> None:
    told = said(
        orchestra("VISIT_CALL", NOON, branchId=7),
        orchestra("VISIT_CALL", NOON, servicePointId=120000000099),
        orchestra("VISIT_CALL", NOON, servicePointId=120000000006),  # of the other branch
        orchestra("VISIT_CALL", NOON, visitId=None),
        orchestra("VISIT_CREATE", NOON, service=9),
    )
    assert words(told.events) == [("issued", None)]
    assert told.unknown == {
        "branch '7' (its events are left out)",
        "service point '120000000099' (no pad is armed)",
        "a VISIT_CALL without a visit (left out)",
        "service '9' (its calls name no service)",
    }


@pytest.mark.parametrize(
    "text", ["2026-01-13T17:09:35.006+0100", "2026-01-13T16:09:35.006Z", "2026-01-13T16:09:35.006+00:00"]
)
def test_times_have_an_offset_in_any_dress(text: str) -> None:
    event = {**orchestra("VISIT_CALL", NOON), "eventTime": text}
    [told] = said(event).events["centre"]
    assert told.occurred_unix_ms == int(datetime(2026, 1, 13, 16, 9, 35, 6000, tzinfo=UTC).timestamp() * 1000)


def test_names_of_people_go_no_further() -> None:
    body = json.dumps(orchestra("VISIT_CALL", NOON), ensure_ascii=False)
    assert OPERATOR in body
    posted = read_posted(body.encode())
    assert OPERATOR not in repr(posted) + repr(translate(NAMES, [posted]))


def test_event_ids_are_legal_with_the_longest_numbers() -> None:
    names = names_of(TABLE.model_copy(update={"name": "x" * 12, "branches": {"9" * 18: "centre"}}), SITE)
    posted = read_posted(
        json.dumps(
            orchestra("VISIT_TRANSFER_TO_SERVICE_POINT_POOL", NOON, visitId="8" * 20, branchId="9" * 18)
        ).encode()
    )
    [event] = translate(names, [posted]).events["centre"]
    assert EVENT_ID.problem(event.event) is None


@pytest.mark.parametrize(
    "change",
    [
        {"eventName": None}, {"eventTime": None}, {"eventTime": "now"}, {"eventTime": "2026-01-13T17:09:35"},
        {"eventTime": "1970-01-01T00:00:00+0000"}, {"parameters": 3}, {"parameters": {"branchId": "one"}},
        {"unitId": [1]}, {"unitId": "1" * 21},
    ],
)  # fmt: skip
def test_a_body_of_another_form_is_refused_without_a_quotation(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"\w") as raised:
        read_posted(json.dumps({**orchestra("VISIT_CALL", NOON), **change}).encode())
    assert OPERATOR not in str(raised.value)


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"3", b"\xff"])
def test_a_body_that_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"JSON|object"):
        read_posted(body)


def test_ends_whose_calls_never_came_are_counted_and_other_ends_are_not() -> None:
    before, missed = followed({}, said(orchestra("VISIT_CALL", NOON)), NOON)
    assert missed == 0
    after, missed = followed(before, said(orchestra("VISIT_END", NOON + 1)), NOON)
    assert (after, missed) == ({}, 0)
    assert followed({}, said(orchestra("VISIT_END", NOON)), NOON)[1] == 1
    assert followed({}, said(orchestra("VISIT_REMOVE", NOON)), NOON)[1] == 0  # one who waited
    assert followed(before, said(orchestra("RESET", NOON)), NOON)[0] == {}
    assert followed(before, said(), NOON + 40 * 3_600_000)[0] == {}


def test_the_form_of_a_call_is_that_of_qmatics_own_tests() -> None:
    """The one event of a real Orchestra that was found in public, in the shape in which the connector posts it."""
    recorded = json.loads((RECORDED / "visit-call.json").read_text(encoding="utf-8"))
    assert recorded["parameters"].keys() == orchestra("VISIT_CALL", 0)["parameters"].keys()
    recorded["eventTime"] = recorded["eventTime"].replace("2016", "2026")
    assert words(said(recorded).events) == [("called", "centre-1")]


def test_a_recorded_day_is_replayed() -> None:
    replay = replay_qmatic(TABLE, SITE)
    assert words(replay(NOON, orchestra("VISIT_CALL", NOON))[0]) == [("called", "centre-1")]
    with pytest.raises(ValueError, match="recorded"):
        replay(NOON, [])


@pytest.mark.parametrize(("key", "value"), [("branches", {"1": "nowhere"}), ("service_points", {"1": "nowhere"})])
def test_a_name_that_the_register_does_not_have_is_refused(key: str, value: dict[str, str]) -> None:
    with pytest.raises(BadSettings, match=rf"qmatic.qm.{key}.1.*nowhere"):
        names_of(TABLE.model_copy(update={key: value}), SITE)


# ---- the hook, at an emulated connector that loses it
@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.end()


class Hooked:
    """An inbox behind a door of its own, and the connector that posts to it."""

    def __init__(self, bench: Bench) -> None:
        self.connector = Connector()
        self.bench = bench
        self.inbox = self._open(bench)

    def _open(self, bench: Bench) -> QmaticInbox:
        table = TABLE.model_copy(
            update={"connector": self.connector.url, "hook": self.connector.door, "register_seconds": 0.2}
        )
        opened = open_qmatic(table, bench.means)
        self.connector.behind_door = lambda path, body: opened.post(Request("POST", path, "", {}, body)).status
        return opened

    def end(self) -> None:
        self.inbox.stop()
        self.connector.close()


@pytest.fixture
def hooked(bench: Bench) -> Iterator[Hooked]:
    hooked = Hooked(bench)
    yield hooked
    hooked.end()


def test_it_registers_and_what_is_posted_arms_the_desk(hooked: Hooked) -> None:
    hooked.inbox.start()
    until(lambda: hooked.inbox.up, "registered")
    assert hooked.connector.hooks == [f"{hooked.connector.door}/qmatic/qm/{PATH_SECRET}"]
    hooked.connector.publish(orchestra("VISIT_CALL", NOON))
    until(lambda: hooked.bench.told.armed == ["centre-1"], "the call")
    hooked.connector.publish(orchestra("VISIT_END", NOON + 1000))
    until(lambda: not hooked.bench.told.open_now(), "the end")
    assert hooked.inbox.missed == 0


def test_a_hook_dropped_after_one_failed_post_is_registered_again_and_the_miss_is_counted(
    hooked: Hooked,
) -> None:
    hooked.inbox.start()
    until(lambda: hooked.inbox.up, "registered")
    hooked.connector.door_shut = True
    hooked.connector.publish(orchestra("VISIT_CALL", NOON, visitId=1))  # lost, and the hook with it
    assert hooked.connector.dropped == 1
    hooked.connector.door_shut = False
    until(lambda: hooked.connector.hooks, "registered again")
    hooked.connector.publish(orchestra("VISIT_END", NOON + 1000, visitId=1))
    until(lambda: hooked.inbox.missed == 1, "the miss noticed")
    hooked.connector.publish(orchestra("VISIT_CALL", NOON + 2000, visitId=2))
    until(lambda: hooked.bench.told.armed == ["centre-1"], "the next call")
    assert len(hooked.connector.hooks) == 1  # however often it registers


def test_a_connector_that_restarts_has_forgotten_us_and_hears_of_us_again(hooked: Hooked) -> None:
    hooked.inbox.start()
    until(lambda: hooked.inbox.up, "registered")
    hooked.connector.hooks.clear()
    until(lambda: hooked.connector.hooks, "registered again")


@pytest.mark.parametrize("status", [404, 500, 302])
def test_a_connector_that_refuses_is_trouble(hooked: Hooked, status: int) -> None:
    hooked.connector.status = status
    with pytest.raises(SourceDown, match=str(status)):
        hooked.inbox.register()
    hooked.inbox.start()
    until(lambda: hooked.connector.asked > 2, "two tries")
    assert not hooked.inbox.up
    hooked.connector.status = 204
    until(lambda: hooked.inbox.up, "registered")


def test_no_connector_is_trouble(bench: Bench) -> None:
    opened = open_qmatic(TABLE, bench.means)
    with pytest.raises(SourceDown, match="ConnectError"):
        opened.register()


def test_a_restart_in_the_middle_arms_nobody_twice_and_misses_nothing(hooked: Hooked) -> None:
    hooked.inbox.start()
    call = orchestra("VISIT_CALL", NOON)
    until(lambda: hooked.inbox.up, "registered")
    hooked.connector.publish(call)
    until(lambda: hooked.bench.told.armed == ["centre-1"], "the call")
    hooked.inbox.stop()
    later = hooked.bench.again()
    hooked.inbox = hooked._open(later)
    hooked.inbox.start()
    hooked.connector.publish(call)  # posted a second time
    hooked.connector.publish(orchestra("VISIT_END", NOON + 1000))
    until(lambda: later.told.desks, "the end")
    assert (later.told.armed, hooked.inbox.missed) == ([], 0)
    assert [fact.type for fact in later.facts()] == ["called", "finished"]
    later.end()


@pytest.mark.parametrize("body", [b"", b"{", b'{"eventName": 3}'])
def test_garbage_is_answered_counted_and_keeps_the_hook(hooked: Hooked, body: bytes) -> None:
    hooked.inbox.start()
    until(lambda: hooked.connector.hooks, "registered")
    hooked.connector.publish(body)
    assert (hooked.inbox.unreadable, hooked.connector.dropped) == (1, 0)


def test_who_does_not_know_the_secret_finds_nothing(bench: Bench) -> None:
    opened = open_qmatic(TABLE, bench.means)
    assert opened.post(Request("POST", "/qmatic/qm/guess", "", {}, b"{}")).status == 404


def test_a_posting_thread_is_never_kept_waiting(hooked: Hooked, monkeypatch: pytest.MonkeyPatch) -> None:
    holding = threading.Event()
    monkeypatch.setattr(hooked.inbox, "take_in", lambda items: holding.wait(20))
    hooked.inbox.start()
    until(lambda: hooked.connector.hooks, "registered")
    for each in range(50):
        hooked.connector.publish(orchestra("VISIT_CALL", NOON + each, visitId=each))
    holding.set()
    assert hooked.connector.dropped == 0
