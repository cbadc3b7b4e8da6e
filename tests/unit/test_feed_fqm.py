"""FQM, by recorded answers of a real one (tests/data/fqm): what its rows say, and how a poller bears with it."""

import json
import logging
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from time import tzset
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from collector.feed.errors import SourceDown
from collector.feed.fqm import CHUNK, END_CHUNKS, FEW_CHUNKS, WHOLE_EVERY, Client, FqmPoller
from collector.feed.fqm_rows import KEPT_MS, Names, Pull, Said, Snapshot, dump, read_rows, restore, translate
from collector.feed.intake import Intake
from collector.feed.model import Branch
from collector.feed.seats import Seat, Seats
from collector.feed.source import Means, Site
from collector.feed.store import FeedStore
from protocol.fields import EVENT_ID
from protocol.messages import CallClosed, CallOpened

RECORDED = Path(__file__).parent.parent / "data" / "fqm"
NOW = int(datetime(2026, 11, 22, 1, tzinfo=UTC).timestamp() * 1000)  # minutes after the recordings
NAMES = Names(
    source="fqm",
    offices={1: "centre", 2: "annex"},
    seats={
        2: (Seat("op-a1", "centre-1"),),
        3: (Seat("op-a2", "centre-2"),),
        4: (Seat("op-b1", "annex-1"),),
        5: (Seat("op-b2", "annex-2"),),
    },
    services={1: "passport", 3: "address"},
    desk_branches={"centre-1": "centre", "centre-2": "centre", "annex-1": "annex", "annex-2": "annex"},
    ticket_secret="a secret of the tests",
)


def recorded(name: str) -> Any:
    [path] = RECORDED.glob(f"{name}-*.json")
    return json.loads(path.read_text(encoding="utf-8"))


def pulls(name: str) -> list[Pull]:
    found, unreadable = read_rows(recorded(name)["body"])
    assert unreadable == 0
    return found


def after(*names: str, now: int = NOW) -> tuple[Snapshot, Said]:
    """What the last of these recordings says to one who has seen the others, each a whole sweep."""
    snapshot: Snapshot | None = None
    for name in names:
        said = translate(NAMES, snapshot, pulls(name), whole=True, now_unix_ms=now)
        snapshot = restore(dump(said.snapshot))  # as it comes back after a restart
        assert snapshot == said.snapshot
    return said.snapshot, said


def words(said: Said) -> list[tuple[str, str, str | None]]:
    """(type, FQM's id of the ticket, desk) of every event."""
    return [
        (event.type, str(event.ticket_key).split(":")[1].split("@")[0], event.desk)
        for events in said.events.values()
        for event in events
    ]


@pytest.mark.parametrize(
    ("seen", "now_seen", "says"),
    [
        ("01", "03", []),  # waiting tickets are no calls
        ("03", "05", [("called", "3", "centre-1")]),
        ("05", "06", [("recalled", "3", "centre-1")]),
        ("06", "07", [("called", "4", "centre-1")]),
        ("07", "08", [("called", "6", "centre-2")]),
        ("08", "09", [("called", "5", "annex-1")]),
        ("09", "10", []),  # an announcement repeated on the web page leaves no trace in the rows
        ("10", "11", []),  # a waiting ticket put on hold
        ("11", "12", [("called", "8", "centre-1")]),
        ("12", "14", [("called", "7", "centre-1")]),  # called while on hold
        ("14", "15", [("no_show", "8", None)]),
        ("15", "15", []),
        ("15", "16", []),  # one absence proves nothing
        ("27", "27", []),
    ],
)
def test_what_a_change_between_two_sweeps_says(seen: str, now_seen: str, says: list[object]) -> None:
    assert words(after(seen, now_seen)[1]) == says


def test_a_ticket_gone_from_two_whole_sweeps_is_removed_once(caplog: pytest.LogCaptureFixture) -> None:
    assert words(after("15", "16", "17")[1]) == [("removed", "8", None)]
    assert words(after("15", "16", "17", "17")[1]) == []


def test_a_ticket_called_again_after_it_was_set_back_is_called_not_recalled() -> None:
    assert words(after("15", "16", "17", "18")[1]) == [("called", "8", "centre-2")]


def test_a_ticket_called_again_by_the_same_operator_after_it_was_set_back_is_a_new_call() -> None:
    seen, _ = after("15", "16", "17")
    [row] = [row for row in recorded("15")["body"] if row["id"] == 8]
    again, _ = read_rows([{**row, "pdt": "2026-11-22T00:59:00", "status": "Processed"}])
    said = translate(NAMES, seen, again, whole=False, now_unix_ms=NOW)
    assert words(said) == [("called", "8", "centre-1")]


def test_a_ticket_pulled_again_by_somebody_unknown_ends_its_call_and_arms_no_pad() -> None:
    seen, _ = after("05")
    taken, _ = read_rows([{**recorded("05")["body"][0], "pdt": "2026-11-22T00:59:00", "pulledBy": 77}])
    said = translate(NAMES, seen, taken, whole=True, now_unix_ms=NOW)
    assert words(said) == [("transferred", "3", None)]
    assert said.unknown == {"user 77 in office 1 (no pad is armed)"}


def test_a_part_of_the_list_removes_nothing() -> None:
    seen, _ = after("27")
    for _ in range(3):
        said = translate(NAMES, seen, pulls("29"), whole=False, now_unix_ms=NOW)
        seen = said.snapshot
        assert "removed" not in {kind for kind, _, _ in words(said)}


def test_a_ticket_moved_to_a_branch_where_its_puller_has_no_desk_ends_its_call_and_arms_no_pad() -> None:
    _, said = after("18", "21")
    assert words(said) == [("transferred", "4", None), ("called", "9", "centre-1")]
    assert list(said.events) == ["centre"]
    assert [each for each in said.unknown if each.startswith("user")] == ["user 2 in office 2 (no pad is armed)"]


def test_a_recall_is_found_in_an_early_chunk() -> None:
    assert words(after("24", "27")[1]) == [("recalled", "3", "centre-1")]


def test_ids_issued_anew_are_other_tickets() -> None:
    assert words(after("25", "29", "30")[1])[-1] == ("called", "37", "annex-2")
    first, again = after("05")[0], after("34")[0]
    assert {key.split("@")[0] for key in first} == {key.split("@")[0] for key in again} == {"3"}
    assert first.keys() != again.keys()


def test_a_wipe_removes_everything_and_calls_nobody() -> None:
    _, said = after("21", "33", "33")
    assert {kind for kind, _, _ in words(said)} == {"removed"}
    assert len(words(said)) == len(pulls("21"))


def test_an_office_reset_removes_its_own_tickets_only() -> None:
    _, said = after("21", "31", "31")
    assert "annex" not in said.events or {event.type for event in said.events["annex"]} != {"removed"}


def test_the_very_first_sweep_says_whom_each_desk_has_called_last() -> None:
    assert words(after("09")[1]) == [
        ("called", "4", "centre-1"),
        ("called", "6", "centre-2"),
        ("called", "5", "annex-1"),
    ]
    assert words(after("09", now=NOW + 5 * 3_600_000)[1]) == []


def test_event_ids_are_legal_and_the_same_whenever_the_sweep_was() -> None:
    for names in (("05", "06"), ("15", "16", "17"), ("18", "21"), ("21", "33", "33")):
        ids, again = [
            [event.event for events in after(*names, now=now)[1].events.values() for event in events]
            for now in (NOW, NOW + 60_000)
        ]
        assert ids == again
        assert len(set(ids)) == len(ids)
        assert all(EVENT_ID.problem(each) is None for each in ids)
    longest = Pull(
        id=9_999_999_999, timestamp="2026-11-22T00:52:39", pdt="2026-11-22T00:52:39", user=2, office=1, task=1,
        status="Unattended",
    )  # fmt: skip
    names12 = Names(**{**{name: getattr(NAMES, name) for name in Names.__slots__}, "source": "x" * 12})
    said = translate(names12, {}, [longest], whole=True, now_unix_ms=NOW)
    assert all(EVENT_ID.problem(event.event) is None for event in said.events["centre"])


def test_times_are_utc_with_or_without_a_fraction_wherever_the_feed_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Europe/Kyiv")
    tzset()
    rows = [{**recorded("05")["body"][0], "pdt": "2026-11-22T00:52:40"}]
    said = translate(NAMES, {}, read_rows(rows)[0], whole=True, now_unix_ms=NOW)
    moment = datetime(2026, 11, 22, 0, 52, 40, tzinfo=UTC)
    monkeypatch.undo()
    tzset()
    assert said.events["centre"][0].occurred_unix_ms == moment.timestamp() * 1000


def test_services_come_from_the_table_and_an_unknown_task_is_named() -> None:
    _, said = after("08", "09")
    assert said.events["annex"][0].service is None
    assert said.unknown == {"task 2 (its calls name no service)"}
    assert after("03", "05")[1].events["centre"][0].service == "passport"


def test_a_clients_name_is_dropped_where_the_row_is_read() -> None:
    name = "Іван Петренко"
    found, _ = read_rows([{**recorded("05")["body"][0], "name": name}])
    said = translate(NAMES, {}, found, whole=True, now_unix_ms=NOW)
    assert name not in repr(said)
    assert name not in dump(said.snapshot).decode()


@pytest.mark.parametrize(
    "row",
    [None, 3, [], {"p": True, "pdt": "x"}, {"id": "3"}, {"timestamp": "yesterday"}, {"pdt": 5}, {"office_id": None}],
)
def test_a_row_of_another_form_is_left_out_and_counted(row: Any) -> None:
    good = recorded("05")["body"][0]
    odd = {**good, **row} if isinstance(row, dict) else row
    found, unreadable = read_rows([odd, good])
    assert (len(found), unreadable) == (1, 1)


def test_fqms_own_rows_and_waiting_ones_are_no_calls() -> None:
    assert read_rows([recorded("35")["body"]]) == ([], 0)
    assert pulls("03") == []


def test_what_was_pulled_long_ago_is_neither_remembered_nor_told() -> None:
    seen, _ = after("21")
    said = translate(NAMES, seen, pulls("21"), whole=True, now_unix_ms=NOW + KEPT_MS + 3_600_000)
    assert (said.snapshot, said.events) == ({}, {})


# ---- a poller, and an HTTP server that answers as FQM did
class Stage:
    """Serves one recorded list, in chunks of 30 as FQM does, or one recorded refusal."""

    def __init__(self) -> None:
        self.answer: Any = recorded("01")
        self.asked: list[str] = []
        stage = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                stage.asked.append(self.path)
                body, status = stage.answer["body"], stage.answer["status"]
                if isinstance(body, list):
                    chunk = int(parse_qs(urlsplit(self.path).query)["chunk"][0])
                    body = body[(chunk - 1) * 30 : chunk * 30]
                content = body if isinstance(body, str) else json.dumps(body)
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                if status in (302, 308):
                    self.send_header("Location", "/")
                self.end_headers()
                self.wfile.write(content.encode())

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class Told:
    def __init__(self) -> None:
        self.desks: list[tuple[str, CallOpened | CallClosed]] = []

    def tell(self, desk: str, message: CallOpened | CallClosed) -> None:
        self.desks.append((desk, message))

    def posted(self) -> None:
        pass


class Polled:
    def __init__(self, stage: Stage, folder: Path):
        self.told = Told()
        self.store = FeedStore.open(f"sqlite:///{folder}/feed.db")
        branches = {name: Branch(name, "Europe/Kyiv", time(20)) for name in ("centre", "annex")}
        intake = Intake(self.store, self.told, branches=branches, desks=NAMES.desk_branches, clock=lambda: NOW)
        site = Site(branches, NAMES.desk_branches, Seats(), NAMES.ticket_secret)
        means = Means(site, intake, self.store, lambda: NOW)
        self.poller = FqmPoller(Client(stage.url, "a token"), NAMES, means, poll_seconds=0.01)

    def end(self) -> None:
        self.poller.stop()
        self.store.close()


@pytest.fixture
def stage() -> Iterator[Stage]:
    stage = Stage()
    yield stage
    stage.close()


def test_polls_arm_the_desk_of_whoever_pulled_and_a_restart_says_nothing_twice(stage: Stage, tmp_path: Path) -> None:
    polled = Polled(stage, tmp_path)
    for name in ("01", "05", "06", "07"):
        stage.answer = recorded(name)
        polled.poller.poll()
    assert [(desk, type(message)) for desk, message in polled.told.desks] == [("centre-1", CallOpened)] * 2
    depths = polled.store.depths()
    polled.end()
    again = Polled(stage, tmp_path)
    again.poller.poll()
    assert (again.told.desks, again.store.depths()) == ([], depths)
    stage.answer = recorded("08")
    again.poller.poll()
    assert [desk for desk, _ in again.told.desks] == ["centre-2"]
    again.end()


def test_without_the_kept_snapshot_known_event_ids_keep_it_from_saying_things_twice(
    stage: Stage, tmp_path: Path
) -> None:
    polled = Polled(stage, tmp_path)
    for name in ("01", "09"):
        stage.answer = recorded(name)
        polled.poller.poll()
    told, depths = len(polled.told.desks), polled.store.depths()
    with polled.store.transaction() as transaction:
        transaction.keep_source("fqm", b"not a snapshot")
    polled.end()
    again = Polled(stage, tmp_path)
    again.poller.poll()
    assert told == 3
    assert (again.told.desks, again.store.depths()) == ([], depths)
    again.end()


def test_every_chunk_is_read(stage: Stage, tmp_path: Path) -> None:
    stage.answer = {"status": 200, "body": recorded("24")["body"] + recorded("25")["body"]}
    polled = Polled(stage, tmp_path)
    polled.poller.poll()
    assert [parse_qs(urlsplit(path).query)["chunk"] for path in stage.asked] == [["1"], ["2"]]
    assert all("pull" not in path for path in stage.asked)
    polled.end()


def test_of_a_very_long_list_most_sweeps_read_the_end_only(stage: Stage, tmp_path: Path) -> None:
    first = recorded("05")["body"][0]
    began = datetime(2026, 11, 21, 20, tzinfo=UTC)
    rows = [
        {**first, "id": number, "pdt": (began + timedelta(seconds=number)).replace(tzinfo=None).isoformat()}
        for number in range(CHUNK * FEW_CHUNKS + 5)
    ]
    stage.answer = {"status": 200, "body": rows}
    polled = Polled(stage, tmp_path)
    whole = FEW_CHUNKS + 1
    polled.poller.poll()
    assert len(stage.asked) == whole
    for _ in range(WHOLE_EVERY - 1):
        polled.poller.poll()
    assert len(stage.asked) == whole + (WHOLE_EVERY - 1) * END_CHUNKS
    polled.poller.poll()
    assert len(stage.asked) == whole + (WHOLE_EVERY - 1) * END_CHUNKS + whole
    assert polled.store.depths() == {}  # what was left out of a sweep was not taken for removed
    polled.end()


def test_a_list_that_has_shrunk_is_read_whole_at_the_next_sweep(stage: Stage, tmp_path: Path) -> None:
    row = recorded("05")["body"][0]
    stage.answer = {"status": 200, "body": [{**row, "id": number} for number in range(CHUNK * FEW_CHUNKS + 5)]}
    polled = Polled(stage, tmp_path)
    polled.poller.poll()
    stage.answer = {"status": 200, "body": []}
    polled.poller.poll()  # asks for the end, and finds that there is none
    stage.asked.clear()
    polled.poller.poll()
    assert [parse_qs(urlsplit(path).query)["chunk"] for path in stage.asked] == [["1"]]
    polled.end()


@pytest.mark.parametrize("name", ["37", "38", "39", "40", "41", "42", "43"])
def test_every_other_answer_is_an_outage_and_no_redirect_is_followed(stage: Stage, name: str) -> None:
    stage.answer = recorded(name)
    client = Client(stage.url, "a token")
    with pytest.raises(SourceDown, match=str(recorded(name)["status"])):
        client.processed(1)
    assert len(stage.asked) == 1
    client.close()


@pytest.mark.parametrize("body", ["", "<html>", '{"tickets": []}', "[", "null"])
def test_an_answer_that_is_no_list_is_an_outage(stage: Stage, body: str) -> None:
    stage.answer = {"status": 200, "body": body}
    client = Client(stage.url, "a token")
    with pytest.raises(SourceDown):
        client.processed(1)
    client.close()


def test_an_outage_is_logged_once_and_nothing_is_removed_by_it(
    stage: Stage, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collector.feed.source.PAUSES_S", (0.01,))
    caplog.set_level(logging.INFO, "collector.feed.fqm")
    stage.answer = recorded("09")
    polled = Polled(stage, tmp_path)
    polled.poller.start()
    asked = Asked(stage)
    asked.more()
    depths = polled.store.depths()
    stage.answer = recorded("43")
    asked.more()
    assert not polled.poller.up
    stage.answer = recorded("09")
    asked.more()
    assert polled.poller.up
    assert polled.store.depths() == depths
    lines = [record.message for record in caplog.records if "table" not in record.message]
    assert lines == ["FQM fqm: polling", "FQM fqm: it answered with HTTP 500", "FQM fqm: polling"]
    assert sum("table" in record.message for record in caplog.records) == 1
    polled.end()


class Asked:
    """Waits until the stage was asked a few times more, so that its newest answer was met and taken."""

    def __init__(self, stage: Stage):
        self._stage = stage

    def more(self) -> None:
        wanted = len(self._stage.asked) + 4
        waiting = threading.Event()
        for _ in range(3000):
            if len(self._stage.asked) >= wanted:
                return
            waiting.wait(0.01)
        raise AssertionError("the poller has stopped asking")
