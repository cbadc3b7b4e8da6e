"""QSystem, by an emulated server that speaks its wire: what its operators' list says, and a poller in fair and foul."""

import json
import logging
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from collector.errors import StoreError
from collector.feed.errors import BadSettings, SourceDown
from collector.feed.qsystem import Client as Line
from collector.feed.qsystem import QSystem, from_record, names_of, open_qsystem, replay_qsystem, to_record
from collector.feed.qsystem_users import Look, Said, Snapshot, dump, read_answer, restore, translate
from protocol.fields import EVENT_ID
from tests.feed_bench import NOON, SITE, Bench, until, words
from tests.qsystem_server import CLIENTS_DATA, PASSWORD, Client, Operator, QSystemServer, broadcast

MINUTE = 60_000


class Hall:
    """The server, and what one who looks at it understands."""

    def __init__(self) -> None:
        self.now = NOON
        self.server_ahead_ms = 0
        self.server = QSystemServer(lambda: self.now + self.server_ahead_ms)
        self.server.operators = {each: Operator(each, point) for each, point in ((1, "1"), (2, "Вікно 2"), (9, "99"))}
        self.table = QSystem(
            name="qs",
            host="127.0.0.1",
            port=self.server.port,
            desks={"1": "centre-1", "Вікно 2": "centre-2"},
            operators={"1": "op-1", "2": "op-2"},
            services={"17": "passport"},
        )
        self.names = names_of(self.table, SITE)
        self.snapshot: Snapshot | None = None
        self._made = 0

    def client(self, service: int = 17) -> Client:
        self._made += 1
        return Client(self.now - 10 * MINUTE + self._made, "А", 100 + self._made, service)

    def look(self, after_ms: int = 1000) -> Said:
        self.now += after_ms
        said = translate(self.names, self.snapshot, read_answer(self.server.reply(ASKING)), self.now)
        self.snapshot = restore(dump(said.snapshot))
        assert self.snapshot == said.snapshot
        return said


ASKING = json.dumps({"method": "Получить перечень пользователей"})


@pytest.fixture
def hall() -> Iterator[Hall]:
    hall = Hall()
    yield hall
    hall.server.close()


def test_a_client_is_called_served_and_done(hall: Hall) -> None:
    assert words(hall.look().events) == []
    hall.server.invite(1, hall.client())
    called = hall.look()
    assert words(called.events) == [("called", "centre-1")]
    [event] = called.events["centre"]
    assert (event.operator, event.service) == ("op-1", "passport")
    assert 0 <= hall.now - event.occurred_unix_ms <= 1000
    assert words(hall.look().events) == []
    hall.server.start(1)
    assert words(hall.look().events) == [("started", "centre-1")]
    hall.server.end(1, "FINISH")
    assert words(hall.look().events) == [("finished", "centre-1")]
    assert words(hall.look().events) == []


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        ("FINISH", "finished"),
        ("INACCURATE_TIME", "finished"),
        ("WAIT_COMPLEX_SERVICE", "finished"),
        ("DEAD", "no_show"),
        ("REDIRECT", "transferred"),
        ("BACK", "transferred"),
        ("POSTPONED", "held"),
        ("POSTPONED_REDIRECT", "held"),
    ],
)
def test_every_way_in_which_a_call_ends(hall: Hall, state: str, kind: str) -> None:
    hall.look()
    hall.server.invite(1, hall.client())
    hall.look()
    hall.server.end(1, state, service=44)
    said = hall.look()
    assert words(said.events) == [(kind, "centre-1")]
    assert said.events["centre"][0].service == "passport"  # and not where the client goes next


def test_a_recall_leaves_no_trace(hall: Hall) -> None:
    hall.look()
    hall.server.invite(1, hall.client())
    hall.look()
    hall.server._set(hall.server.operators[1], "STATE_INVITED")
    assert words(hall.look().events) == []


def test_a_client_called_and_killed_between_two_looks_is_still_a_call(hall: Hall) -> None:
    hall.look()
    hall.server.invite(1, hall.client())
    hall.server.end(1, "DEAD")
    assert words(hall.look().events) == [("called", "centre-1"), ("no_show", "centre-1")]


def test_two_clients_between_two_looks_are_one(hall: Hall) -> None:
    """What lies before the last one QSystem has forgotten."""
    hall.look()
    hall.server.invite(1, hall.client())
    hall.server.end(1, "DEAD")
    hall.server.invite(1, hall.client())
    assert words(hall.look().events) == [("called", "centre-1")]


def test_an_operator_who_moved_and_called_another_leaves_nobody_behind(hall: Hall) -> None:
    hall.look()
    hall.server.invite(1, hall.client())
    hall.look()
    hall.server.operators[1].point = "Вікно 2"
    hall.server.invite(1, hall.client())
    assert words(hall.look().events) == [("removed", "centre-1"), ("called", "centre-2")]


def test_a_recall_over_the_limit_kills_one_and_calls_the_next_in_one_click(hall: Hall) -> None:
    hall.look()
    hall.server.invite(1, hall.client())
    hall.look()
    hall.server.end(1, "DEAD")
    hall.server.invite(1, hall.client())
    assert words(hall.look().events) == [("called", "centre-1")]  # the desk's next call ends the other


def test_a_held_client_called_again_is_called_anew(hall: Hall) -> None:
    client = hall.client()
    hall.look()
    hall.server.invite(1, client)
    first = hall.look().events["centre"][0]
    hall.server.end(1, "POSTPONED")
    assert words(hall.look().events) == [("held", "centre-1")]
    hall.server.invite(1, client)
    said = hall.look()
    assert words(said.events) == [("called", "centre-1")]
    assert said.events["centre"][0].event != first.event
    assert said.events["centre"][0].ticket_key == first.ticket_key


def test_a_client_held_and_called_again_between_two_looks_is_called_anew(hall: Hall) -> None:
    client = hall.client()
    hall.look()
    hall.server.invite(1, client)
    hall.server.start(1)
    hall.look()
    hall.now += 3000
    hall.server.end(1, "POSTPONED")
    hall.server.invite(1, client)
    assert words(hall.look().events) == [("held", "centre-1"), ("called", "centre-1")]


def test_a_redirected_client_is_called_by_another_operator(hall: Hall) -> None:
    client = hall.client()
    hall.look()
    hall.server.invite(1, client)
    hall.look()
    hall.server.end(1, "REDIRECT", service=18)
    hall.server.invite(2, client)
    assert words(hall.look().events) == [("transferred", "centre-1"), ("called", "centre-2")]


def test_an_operator_who_is_given_a_client_just_now_is_looked_at_again(hall: Hall) -> None:
    """The shadow is made before the state is set: for a moment it shows the state in which the client waited."""
    client = hall.client()
    client.state = "STATE_REDIRECT"
    hall.look()
    at = hall.server.operators[2]
    at.client = client
    hall.server._shadow(at)
    assert words(hall.look().events) == []
    hall.server._set(at, "STATE_INVITED_SECONDARY")
    assert words(hall.look().events) == [("called", "centre-2")]


def test_a_client_of_a_service_without_a_call_is_called_and_started_at_once(hall: Hall) -> None:
    hall.look()
    hall.server.invite(1, hall.client())
    hall.server.start(1)
    assert words(hall.look().events) == [("called", "centre-1"), ("started", "centre-1")]


def test_parallel_clients_follow_whoever_the_operator_turned_to_last(hall: Hall) -> None:
    one, two = hall.client(), hall.client()
    hall.look()
    hall.server.invite(1, one)
    hall.server.start(1)
    hall.look()
    hall.server.invite(1, two)  # v17: the first stays with the operator, unseen
    assert words(hall.look(5000).events) == [("called", "centre-1")]
    hall.server.operators[1].client = one
    hall.server._shadow(hall.server.operators[1])  # back to the first, at work as it was
    said = hall.look(5000)
    assert words(said.events) == [("called", "centre-1"), ("started", "centre-1")]


def test_an_operator_who_moves_takes_the_call_along(hall: Hall) -> None:
    hall.look()
    hall.server.invite(1, hall.client())
    hall.look()
    hall.server.operators[1].point = "Вікно 2"
    assert words(hall.look().events) == [("called", "centre-2")]
    hall.server.operators[1].point = "коридор"
    said = hall.look()
    assert words(said.events) == [("transferred", "centre-2")]
    assert "the desk 'коридор' of operator 1 (no pad is armed)" in said.unknown


def test_a_client_called_again_within_one_of_their_seconds_is_not_taken_for_late(hall: Hall) -> None:
    client = hall.client()
    hall.look()
    hall.server.invite(1, client)
    hall.server.start(1)
    told = [hall.look(300).events["centre"]]
    hall.server.end(1, "REDIRECT", service=18)
    hall.server.invite(2, client)
    told.append(hall.look(300).events["centre"])
    at = [event.occurred_unix_ms for events in told for event in events]
    assert words({"": told[1]}) == [("transferred", "centre-1"), ("called", "centre-2")]
    assert at == sorted(at)
    assert at[-1] > at[-2]


def test_a_desk_that_no_table_has_arms_no_pad_and_is_named(hall: Hall) -> None:
    hall.look()
    hall.server.invite(9, hall.client())
    said = hall.look()
    assert words(said.events) == []
    assert said.unknown == {"the desk '99' of operator 9 (no pad is armed)", "operator 9 (calls name no operator)"}


def test_a_pause_is_history(hall: Hall) -> None:
    hall.look()
    hall.server.operators[1].pause = True
    assert words(hall.look().events) == [("operator_paused", "centre-1")]
    hall.server.operators[1].pause = False
    assert words(hall.look().events) == [("operator_opened", "centre-1")]


def test_the_nightly_clear_is_a_reset_and_one_lost_client_is_not(hall: Hall) -> None:
    hall.look()
    for operator in (1, 2):
        hall.server.invite(operator, hall.client())
    hall.look()
    hall.server.operators[2].client = hall.server.operators[2].shadow = None
    assert words(hall.look().events) == [("removed", "centre-2")]
    hall.server.clear()
    assert words(hall.look().events) == [("reset", None)]
    assert words(hall.look().events) == []


def test_a_server_that_restarts_and_restores_its_clients_says_nothing_new(hall: Hall) -> None:
    hall.look()
    hall.server.invite(1, hall.client())
    hall.server.invite(2, hall.client())
    hall.server.end(2, "FINISH")
    hall.look()
    at = hall.server.operators[1]
    hall.now += 10 * MINUTE
    hall.server._shadow(at)  # restored: the same client, another start
    hall.server.operators[2].shadow = None  # what was over is not restored
    assert words(hall.look().events) == []


def test_a_first_look_recovers_whom_the_desks_hold_and_no_one_from_yesterday(hall: Hall) -> None:
    hall.server.invite(2, hall.client())
    hall.now += 5 * 60 * MINUTE
    hall.server.invite(1, hall.client())
    assert words(hall.look(MINUTE).events) == [("recovered", "centre-1")]
    hall.server.end(2, "FINISH")
    assert words(hall.look().events) == [("finished", "centre-2")]  # an end is told, whoever knew of the call


def test_a_recovered_call_has_the_id_that_it_would_have_had(hall: Hall) -> None:
    hall.look()
    hall.server.invite(1, hall.client())
    [told] = hall.look().events["centre"]
    hall.snapshot = None
    [again] = hall.look(MINUTE).events["centre"]
    assert (again.event, again.occurred_unix_ms, again.ticket_key) == (
        told.event,
        told.occurred_unix_ms,
        told.ticket_key,
    )


@pytest.mark.parametrize("ahead_ms", [7 * MINUTE, -7 * MINUTE, 3_600_000])
def test_a_server_whose_clock_is_wrong_is_corrected_by_the_clock_in_its_answer(hall: Hall, ahead_ms: int) -> None:
    hall.server_ahead_ms = ahead_ms
    hall.look()
    hall.server.invite(1, hall.client())
    [event] = hall.look().events["centre"]
    assert abs(hall.now - event.occurred_unix_ms) <= 2500


@pytest.mark.parametrize(
    "text", ["", "24.11.2026", "01.01.1970 02:00:00", "24.11.2026 99:00:00", "25.11.2026 12:00:00"]
)
def test_a_time_that_cannot_be_true_is_not_believed(hall: Hall, text: str) -> None:
    hall.look()
    hall.server.invite(1, hall.client())
    shadow = hall.server.operators[1].shadow
    assert shadow is not None
    shadow["old_start_time"] = text
    [event] = hall.look().events["centre"]
    assert event.occurred_unix_ms == hall.now


def test_the_hour_that_comes_twice_is_read_rightly_both_times(hall: Hall) -> None:
    first = 1_792_886_400_000 + 30 * MINUTE  # 25 October 2026, 03:30 in Kyiv, summer time
    for now in (first, first + 60 * MINUTE):
        hall.now, hall.snapshot = now, None
        hall.server.clear()
        hall.look()
        hall.server.invite(1, hall.client())
        [event] = hall.look().events["centre"]
        assert 0 <= hall.now - event.occurred_unix_ms <= 2500


def test_neither_a_password_nor_a_name_nor_a_clients_data_goes_any_further(hall: Hall) -> None:
    hall.server.invite(1, hall.client())
    look = read_answer(hall.server.reply(ASKING))
    said = hall.look()
    everything = f"{look} {said} {dump(said.snapshot).decode()} {to_record(hall.names, look)}"
    for secret in (PASSWORD, "Операторович", CLIENTS_DATA):
        assert secret in hall.server.reply(ASKING)
        assert secret not in everything
    assert "101" in hall.server.reply(ASKING)  # the ticket's number
    assert "101" not in json.dumps(to_record(hall.names, look))


def test_event_ids_are_legal_with_the_longest_name(hall: Hall) -> None:
    hall.table = hall.table.model_copy(update={"name": "x" * 12})
    hall.names = names_of(hall.table, SITE)
    hall.look()
    hall.server.invite(1, hall.client())
    ids = [event.event for event in hall.look().events["centre"]]
    hall.server.end(1, "REDIRECT")
    ids += [event.event for event in hall.look().events["centre"]]
    assert all(EVENT_ID.problem(each) is None for each in ids)
    assert len(set(ids)) == 2


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "[",
        "null",
        "[]",
        "{}",
        '{"result": []}',
        '{"result": 3}',
        '{"error": {"code": -1}}',
        '{"result": [{"id": "1"}]}',
    ],
)
def test_an_answer_of_another_form_is_an_outage_and_is_never_quoted(answer: str) -> None:
    with pytest.raises(ValueError, match=r"answer|operator") as raised:
        read_answer(answer)
    assert raised.value.__cause__ is None


def test_one_operator_of_another_form_costs_nobody_elses_call(hall: Hall) -> None:
    hall.look()
    hall.server.invite(1, hall.client())
    hall.server.invite(2, hall.client())
    hall.look()
    answer = json.loads(hall.server.reply(ASKING))
    answer["result"][1]["shadow"]["id_old_customer"] = "many"
    look = read_answer(json.dumps(answer))
    said = translate(hall.names, hall.snapshot, look, hall.now + 1000)
    assert (look.unreadable, words(said.events)) == (1, [])
    assert said.snapshot.users[2] == hall.snapshot.users[2]  # type: ignore[union-attr]


def test_a_recorded_day_is_replayed_as_it_was_told(hall: Hall) -> None:
    client, looks = hall.client(), []
    said = []
    for step in (
        lambda: None,
        lambda: hall.server.invite(1, client),
        lambda: hall.server.start(1),
        lambda: hall.server.end(1, "FINISH"),
    ):
        step()
        hall.now += 1000
        look = read_answer(hall.server.reply(ASKING))
        looks.append((hall.now, json.loads(json.dumps(to_record(hall.names, look)))))
        said.append(words(hall.look(0).events))
    replay = replay_qsystem(hall.table, SITE)
    assert [words(replay(at, value)[0]) for at, value in looks] == said
    with pytest.raises(ValueError, match="recorded"):
        replay(NOON, {"users": 3})
    assert from_record(looks[0][1]) == Look(None, from_record(looks[0][1]).users)


def test_a_desk_that_the_register_does_not_have_is_refused(hall: Hall) -> None:
    table = hall.table.model_copy(update={"desks": {"1": "centre-77"}})
    with pytest.raises(BadSettings, match=r"qsystem.qs.desks.1.*centre-77"):
        names_of(table, SITE)


# ---- the poller at the emulated server
@pytest.fixture
def bench(tmp_path: Path, hall: Hall) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.end()


def polled(bench: Bench, hall: Hall) -> None:
    hall.now += 1000
    bench.now_unix_ms = hall.now


def test_polls_arm_the_desk_and_a_restart_in_the_middle_says_nothing_twice(bench: Bench, hall: Hall) -> None:
    poller = open_qsystem(hall.table, bench.means)
    for step in (lambda: None, lambda: hall.server.invite(1, hall.client())):
        step()
        polled(bench, hall)
        poller.poll()
    assert bench.told.armed == ["centre-1"]
    later = bench.again()
    polled(later, hall)
    poller = open_qsystem(hall.table, later.means)
    poller.poll()
    poller.poll()
    assert later.told.desks == []
    hall.server.end(1, "FINISH")
    polled(later, hall)
    poller.poll()
    assert later.told.open_now() == set()
    assert [fact.type for fact in later.facts()] == ["called", "finished"]
    later.end()


def test_a_restart_without_the_snapshot_does_not_arm_a_second_time(bench: Bench, hall: Hall) -> None:
    hall.server.invite(1, hall.client())
    polled(bench, hall)
    open_qsystem(hall.table, bench.means).poll()
    with bench.store.transaction() as transaction:
        transaction.keep_source("qs", b"not a snapshot")
    later = bench.again()
    polled(later, hall)
    open_qsystem(hall.table, later.means).poll()
    assert (bench.told.armed, later.told.desks) == (["centre-1"], [])
    later.end()


def test_a_server_that_goes_away_and_comes_back_is_down_and_up_and_nothing_is_lost(
    bench: Bench, hall: Hall, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collector.feed.source.PAUSES_S", (0.01,))
    caplog.set_level(logging.INFO, "collector.feed.qsystem")
    poller = open_qsystem(hall.table.model_copy(update={"poll_seconds": 0.2}), bench.means)
    poller.start()
    try:
        until(lambda: poller.up, "the first answer")
        for answer in ("", "<html>", '{"error": {"code": 1}}'):
            hall.server.answer = answer
            until(lambda: not poller.up, "down")
            hall.server.answer = None
            until(lambda: poller.up, "up again")
        hall.server.invite(1, hall.client())
        until(lambda: bench.told.armed == ["centre-1"], "the call")
        assert poller.last_heard_unix_ms == bench.now_unix_ms
    finally:
        poller.stop()
    assert PASSWORD not in caplog.text
    assert sum("polling" in record.message for record in caplog.records) == 4


def test_nobody_listening_is_an_outage(hall: Hall) -> None:
    hall.server.close()
    with pytest.raises(SourceDown, match="ConnectionRefused"):
        Line("127.0.0.1", hall.server.port).ask()


def test_what_is_asked_is_the_list_of_operators_alone(hall: Hall) -> None:
    Line("127.0.0.1", hall.server.port).ask()
    assert hall.server.asked == ["Получить перечень пользователей"]


def test_a_server_whose_sentences_were_encoded_twice_understands_one_that_was(hall: Hall) -> None:
    hall.server.sentence = hall.server.sentence.encode().decode("cp1252")
    with pytest.raises(ValueError, match="encoding"):
        read_answer(Line("127.0.0.1", hall.server.port).ask())
    assert read_answer(Line("127.0.0.1", hall.server.port, twice_encoded=True).ask()).users


def test_a_broadcast_ends_the_pause(bench: Bench, hall: Hall) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    poller = open_qsystem(hall.table.model_copy(update={"poll_seconds": 60.0, "wake_port": port}), bench.means)
    poller.start()
    until(lambda: hall.server.asked, "the first look")
    until(lambda: broadcast(port) or len(hall.server.asked) > 1, "a second look")
    poller.stop()


def test_a_store_that_cannot_be_written_makes_the_same_news_come_again(
    bench: Bench, hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    poller = open_qsystem(hall.table, bench.means)
    polled(bench, hall)
    poller.poll()
    hall.server.invite(1, hall.client())
    polled(bench, hall)
    accept = bench.intake.accept

    def full(*args: object, **kwargs: object) -> None:
        raise StoreError("the disk is full")

    monkeypatch.setattr(bench.intake, "accept", full)
    with pytest.raises(StoreError):
        poller.poll()
    monkeypatch.setattr(bench.intake, "accept", accept)
    poller.poll()
    assert bench.told.armed == ["centre-1"]
