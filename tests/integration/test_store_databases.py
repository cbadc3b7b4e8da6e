"""The store on real databases: the same tests on SQLite and on PostgreSQL, and what only several writers can break."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy

from collector.model import Answer
from collector.quarantine import DAY_MS, EXAMPLES_A_DAY
from collector.store import (
    Arrival,
    Branch,
    Declined,
    Desk,
    NewerDatabase,
    NotThere,
    Organisation,
    Register,
    Service,
    Stale,
    Store,
    StoreError,
    StoreUnavailable,
)
from collector.store.engine import JOURNAL_BYTES
from protocol import codec, topics
from protocol.messages import Health, PadStatus, QueueEvent, Vote
from schemas.periods import Period, day_date, day_key
from schemas.register import Operator
from tests.integration.collector_process import NOON_DAY, NOON_UNIX_MS, call_id, event, vote

DESKS = ("centre-01", "centre-02", "vyshenka-01")
FOR_EVER = 4102444800000
REGISTER = Register(
    organisation=Organisation(name="Прозорий офіс", name_en="Transparent Office", simulated=True),
    branches=(
        Branch(id="centre", name="Центр", name_en="Centre"),
        Branch(id="vyshenka", name="Вишенька", name_en="Vyshenka", timezone="Europe/Warsaw", day_ends="18:00"),
    ),
    services=(Service(id="passport", name="Паспорт", name_en="Passport"),),
    desks=(
        Desk(id="centre-02", branch="centre", label="2"),
        Desk(id="centre-01", branch="centre", label="1"),
        Desk(id="vyshenka-01", branch="vyshenka", label="1"),
    ),
)


@pytest.fixture
def url(any_database: str) -> str:
    return any_database


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with Store.open(url) as store:
        store.load_register(REGISTER)
        yield store


def of_queue(message: QueueEvent, branch: str = "centre") -> Arrival:
    return Arrival(topics.queue(branch, "event"), codec.encode(message), NOON_UNIX_MS)


def of_pad(message: Vote, desk: str = DESKS[0]) -> Arrival:
    return Arrival(topics.desk(desk, "vote"), codec.encode(message), NOON_UNIX_MS)


def dispositions(answers: list[Answer]) -> list[str]:
    return [answer.disposition for answer in answers]


# ---- messages
def test_a_call_and_its_vote_become_one_figure_in_all_four_cuts(store: Store) -> None:
    answers = store.ingest([of_queue(event(1, desk=DESKS[0], seq=1)), of_pad(vote(1, 3, seq=1))])
    assert dispositions(answers) == ["taken", "taken"]
    for cut, key in (("branch", ""), ("service", "passport"), ("operator", "op-1"), ("desk", DESKS[0])):
        (row,) = store.rollups(cut, NOON_DAY, NOON_DAY)
        assert (row.branch, row.key, row.calls, row.eligible, row.exemplary) == ("centre", key, 1, 1, 1)
    assert store.recount() == []


def test_a_vote_waits_for_a_call_of_a_later_batch(store: Store) -> None:
    assert dispositions(store.ingest([of_pad(vote(1, 2, seq=1))])) == ["waiting"]
    assert store.rollups("branch", NOON_DAY, NOON_DAY) == [] and store.counts()["waiting"] == 1
    store.ingest([of_queue(event(1, desk=DESKS[0], seq=1))])
    (row,) = store.rollups("branch", NOON_DAY, NOON_DAY)
    assert (row.good, store.counts()["waiting"], store.recount()) == (1, 0, [])


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_a_visit_of_several_services_has_all_of_them_and_counts_for_the_last(
    store: Store, order: tuple[int, ...]
) -> None:
    said = [event(1, desk=DESKS[0], seq=1)] + [
        event(1, kind, desk=DESKS[0], seq=seq, service=service)
        for seq, kind, service in (
            (2, "service_switched", "residence"),
            (3, "service_switched", "address"),
            (4, "finished", "address"),
        )
    ]
    for place in order:
        store.ingest([of_queue(said[place])])
        store.ingest([of_queue(said[place])])
    assert store.services_of(call_id(1)) == {"passport", "residence", "address"}
    assert store.services_of(call_id(2)) == set()
    counted = [(row.key, row.calls) for row in store.rollups("service", NOON_DAY, NOON_DAY) if row.calls]
    assert (counted, store.recount()) == ([("address", 1)], [])


def test_every_arrival_is_answered_in_order_and_counted_once(store: Store) -> None:
    sent = [
        (of_queue(event(1, desk=DESKS[0], seq=1)), "taken"),
        (of_queue(event(1, desk=DESKS[0], seq=1)), "known"),
        (of_pad(vote(1, 3, seq=1)), "taken"),
        (of_pad(vote(1, 3, seq=1)), "known"),
        (of_pad(vote(1, 1, seq=2)), "repeat"),
        (of_pad(vote(2, 1, seq=1)), "reused_number"),
        (of_pad(vote(1, 1, seq=1), DESKS[1]), "wrong_desk"),
        (of_pad(vote(1, 1, seq=1), "stranger"), "unknown_desk"),
        (of_queue(event(2, desk=DESKS[0], seq=2), "nowhere"), "unknown_branch"),
        (of_queue(event(2, desk="stranger", seq=2)), "unknown_desk"),
        (of_queue(event(2, desk=DESKS[2], seq=2)), "rejected_event"),
        (of_queue(event(1, "finished", desk=DESKS[1], seq=3)), "rejected_event"),
        (Arrival("zrazkovo/2/desk/centre-01/vote", b"{}", NOON_UNIX_MS), "topic"),
        (Arrival("desk\0\ud800" + "x" * 70_000, b"{}", NOON_UNIX_MS), "topic"),
        (Arrival(topics.desk(DESKS[0], "ack"), b'{"v": 1}', NOON_UNIX_MS), "malformed"),
        (Arrival(topics.desk(DESKS[0], "vote"), b"\0" * 100_000, NOON_UNIX_MS), "malformed"),
        (Arrival(topics.desk(DESKS[0], "vote"), b'{"v": 2}', NOON_UNIX_MS), "version"),
    ]
    arrivals, expected = zip(*sent, strict=True)
    for _ in range(2):  # everything that is kept is there once, however often it comes
        answers = store.ingest(arrivals)
    assert dispositions(answers) == ["known" if each == "taken" else each for each in expected]
    counts = store.counts()
    kept = {name: expected.count(name) for name in set(expected) - {"taken", "known"}}
    assert counts["kept"] == kept
    assert counts["kept_times"] == {name: 2 * number for name, number in kept.items()}
    assert (counts["calls"], counts["votes"], counts["waiting"]) == (1, 1, 0)


def test_what_was_only_kept_has_its_receipt_unless_the_register_may_yet_make_it_good(store: Store) -> None:
    answers = store.ingest(
        [
            of_queue(event(1, desk=DESKS[0], seq=8)),
            of_pad(vote(1, 1, seq=4), DESKS[1]),
            of_pad(vote(1, 1, seq=4), "stranger"),
            of_queue(event(2, desk="stranger", seq=9)),
            Arrival(topics.desk(DESKS[0], "vote"), b"[]", NOON_UNIX_MS),
        ]
    )
    acks = [answer.ack and (answer.ack[0], answer.ack[1].journal, answer.ack[1].seq) for answer in answers]
    assert acks == [
        (topics.queue("centre", "ack"), "0badcafe", 8),
        (topics.desk(DESKS[1], "ack"), "11111111", 4),
        None,
        None,
        None,
    ]
    assert store.counts()["kept"] == {"wrong_desk": 1, "unknown_desk": 2, "malformed": 1}


def test_a_vote_for_a_desk_that_turns_out_wrong_is_kept_and_never_counted(store: Store) -> None:
    store.ingest([of_pad(vote(1, 1, seq=1), DESKS[1])])
    store.ingest([of_queue(event(1, desk=DESKS[0], seq=1)), of_pad(vote(1, 3, seq=1))])
    (row,) = store.rollups("branch", NOON_DAY, NOON_DAY)
    assert (row.bad, row.exemplary) == (0, 1)
    assert store.counts()["kept"] == {"wrong_desk": 1}
    assert (store.counts()["waiting"], store.recount()) == (0, [])


def test_a_call_lies_on_the_local_day_of_its_branch(store: Store) -> None:
    """22:30 UTC is the next day in Kyiv, and half past eleven of the same day in Warsaw."""
    late = NOON_UNIX_MS + (12 * 60 + 30) * 60_000
    for number, (desk, branch) in enumerate(((DESKS[0], "centre"), (DESKS[2], "vyshenka"))):
        message = event(number, desk=desk, seq=number + 1)
        message.called_unix_ms = message.occurred_unix_ms = late
        store.ingest([of_queue(message, branch)])
    days = {row.branch: row.day for row in store.rollups("branch", 20261101, 20261130)}
    assert days == {"centre": 20261123, "vyshenka": 20261122}


def test_months_are_the_sum_of_their_days(store: Store) -> None:
    day_ms = 86_400_000
    for number, days in enumerate((-30, 0, 1, 2, 9)):  # October 23rd, November 22nd to 24th, December 1st
        message = event(number, desk=DESKS[0], seq=number + 1)
        message.called_unix_ms = message.occurred_unix_ms = NOON_UNIX_MS + days * day_ms
        store.ingest([of_queue(message), of_pad(vote(number, 3, seq=number))])
    months = store.rollups("operator", 20261001, 20261231, period=Period.MONTH, branch="centre", key="op-1")
    assert [(row.day, row.calls, row.exemplary) for row in months] == [(202610, 1, 1), (202611, 3, 3), (202612, 1, 1)]
    assert store.rollups("operator", 20261001, 20261231, key="op-2") == []
    assert len(store.rollups("branch", 20261122, 20261123)) == 2
    with pytest.raises(ValueError, match="no such cut"):
        store.rollups("client", 20261001, 20261231)


def test_open_calls_are_those_without_an_end(store: Store) -> None:
    store.ingest([of_queue(event(1, desk=DESKS[0], seq=1)), of_queue(event(2, desk=DESKS[1], seq=2))])
    assert store.open_calls() == {DESKS[0]: call_id(1), DESKS[1]: call_id(2)}
    store.ingest([of_queue(event(1, "finished", desk=DESKS[0], seq=3))])
    assert store.open_calls() == {DESKS[1]: call_id(2)}


def test_pads_are_listed_in_the_registers_order_with_their_last_word(store: Store) -> None:
    health = Health(60, 90_000, 70_000, -61, 12, 0, 5, 2, 1, 0, 3, 0)
    status = PadStatus("online", "armed", call_id(1), "11111111", 3, "0.1.0", "power", "ok", "stuck", "ok")
    store.ingest(
        [
            Arrival(topics.desk(DESKS[0], "health"), codec.encode(health), NOON_UNIX_MS + 7),
            Arrival(topics.desk(DESKS[0], "status"), codec.encode(status), NOON_UNIX_MS),
            Arrival(topics.desk(DESKS[0], "status"), codec.encode(status), NOON_UNIX_MS + 5),
        ]
    )
    pads = store.pads()
    assert [pad.desk for pad in pads] == [desk.id for desk in REGISTER.desks]
    silent, said, _ = pads
    assert (silent.label, silent.state, silent.health) == ("2", None, None)
    assert (said.state, said.phase, said.call, said.boot, said.buttons) == ("online", "armed", call_id(1), 3, "stuck")
    assert said.changed_unix_ms == NOON_UNIX_MS, "the same word again is no change"
    assert said.health and (said.health["signal_dbm"], said.health["repeats"]) == (-61, 2)
    assert said.health_unix_ms == NOON_UNIX_MS + 7
    assert store.counts()["pads"] == {"online": 1, "offline": 0, "never": 2}


@pytest.mark.parametrize(
    ("state", "journal", "boot", "believed"),
    [
        ("offline", "11111111", 3, True),
        ("offline", "11111111", 2, False),  # the will of the boot before
        ("online", "11111111", 2, False),
        ("online", "22222222", 1, True),  # another pad on this desk
        ("offline", "22222222", 3, False),  # and what an earlier one left behind
        ("offline", "22222222", 4, True),  # a later start, whose birth was not heard
    ],
)
def test_the_word_of_an_older_boot_is_not_believed(
    store: Store, state: str, journal: str, boot: int, believed: bool
) -> None:
    def said(*word: object) -> Arrival:
        status = PadStatus(word[0], "dark", None, word[1], word[2], "0.1.0", "soft", "ok", "ok", "ok")  # type: ignore[arg-type]
        return Arrival(topics.desk(DESKS[0], "status"), codec.encode(status), NOON_UNIX_MS)

    store.ingest([said("online", "11111111", 3)])
    answer = store.ingest([said(state, journal, boot)])[0]
    assert answer.disposition == ("taken" if believed else "known")
    pad = next(pad for pad in store.pads() if pad.desk == DESKS[0])
    assert (pad.state, pad.journal, pad.boot) == ((state, journal, boot) if believed else ("online", "11111111", 3))


def test_a_pad_without_a_place_in_the_register_fills_nothing_up(store: Store) -> None:
    for minute in range(5):
        health = Health(minute, 1, 1, None, 0, 0, 0, 0, 0, 0, 0, 0)
        store.ingest([Arrival(topics.desk("stranger", "health"), codec.encode(health), NOON_UNIX_MS + minute)])
    counts = store.counts()
    assert (counts["kept"], counts["kept_times"]) == ({"unknown_desk": 1}, {"unknown_desk": 5})


# ---- several writers
def test_two_collectors_at_one_database_lose_and_double_nothing(store: Store, url: str) -> None:
    """One gets the events, one the votes, each in its own batches; each also gets a share of what the other had."""
    total, faults = 240, []
    events = [of_queue(event(number, desk=DESKS[0], seq=number + 1)) for number in range(total)]
    votes = [of_pad(vote(number, number % 3 + 1, seq=number)) for number in range(total)]

    def collect(arrivals: list[Arrival], size: int) -> None:
        try:
            with Store.open(url) as own:
                for start in range(0, len(arrivals), size):
                    own.ingest(arrivals[start : start + size])
        except Exception as error:
            faults.append(error)

    threads = [
        threading.Thread(target=collect, args=(events + votes[::4], 7)),
        threading.Thread(target=collect, args=(votes + events[::-5], 5)),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    (row,) = store.rollups("branch", NOON_DAY, NOON_DAY)
    assert (row.calls, row.eligible, row.bad, row.good, row.exemplary) == (240, 240, 80, 80, 80)
    assert (store.counts()["waiting"], store.counts()["kept"], store.recount()) == (0, {}, [])


def test_the_change_mark_moves_with_every_commit_and_only_then(store: Store, url: str) -> None:
    with Store.open(url) as other:
        before = store.change_mark()
        assert store.change_mark() == before
        other.ingest([of_queue(event(1, desk=DESKS[0], seq=1))])
        between = store.change_mark()
        store.ingest([of_pad(vote(1, 3, seq=1))])
        assert len({before, between, store.change_mark()}) == 3
        assert store.rollups("branch", NOON_DAY, NOON_DAY) == other.rollups("branch", NOON_DAY, NOON_DAY)


def test_recount_finds_a_figure_that_was_tampered_with(store: Store, tamper: Callable[[str], None]) -> None:
    store.ingest([of_queue(event(1, desk=DESKS[0], seq=1)), of_pad(vote(1, 1, seq=1)), of_pad(vote(2, 1, seq=2))])
    assert store.recount() == []
    tamper("UPDATE rollup_day SET bad = 0, exemplary = 1 WHERE cut = 'operator'")
    tamper("DELETE FROM rollup_day WHERE cut = 'desk'")
    tamper("DELETE FROM waiting")
    assert store.recount() == [
        "desk centre-01 of branch centre on 2026-11-22: the roll-up has 0 calls and 0 eligible and 0 bad, "
        "the rows 1 calls and 1 eligible and 1 bad",
        "operator op-1 of branch centre on 2026-11-22: the roll-up has 0 bad and 1 exemplary, "
        "the rows 1 bad and 0 exemplary",
        f"call {call_id(2)}, desk centre-01: is not known to wait",
    ]


@pytest.fixture
def tamper(url: str) -> Iterator[Callable[[str], None]]:
    from sqlalchemy import text

    from collector.store.engine import make_engine, writing

    engine = make_engine(url)

    def run(statement: str) -> None:
        with writing(engine) as connection:
            connection.execute(text(statement))

    yield run
    engine.dispose()


def test_every_look_up_of_a_batch_goes_by_a_whole_key(tmp_path: Path) -> None:
    """A plan that reads all votes a pad ever gave passes every small test, and costs most of the speed after a year."""
    asked: list[tuple[str, Any]] = []

    def note(_connection: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        if "json_each" in statement:
            asked.append((statement, parameters))

    path = tmp_path / "zrazkovo.db"
    sqlalchemy.event.listen(sqlalchemy.Engine, "before_cursor_execute", note)
    try:
        with Store.open(f"sqlite:///{path}") as store:
            store.load_register(REGISTER)
            status = PadStatus("online", "dark", None, "11111111", 3, "0.1.0", "soft", "ok", "ok", "ok")
            pad = Arrival(topics.desk(DESKS[0], "status"), codec.encode(status), NOON_UNIX_MS)
            store.ingest([of_queue(event(1, desk=DESKS[0], seq=1)), of_pad(vote(2, 3, seq=1)), pad])
    finally:
        sqlalchemy.event.remove(sqlalchemy.Engine, "before_cursor_execute", note)
    with sqlite3.connect(path) as database:
        plans = [database.execute("EXPLAIN QUERY PLAN " + statement, given).fetchall() for statement, given in asked]
    tables = ("call", "vote", "vote_number", "pad")
    found = sorted(row[3] for plan in plans for row in plan if row[3].split()[1] in tables)
    assert [step[step.index("(") :] for step in found] == [
        "(id=?)",
        "(desk=?)",
        "(call=?)",
        "(desk=? AND journal=? AND seq=?)",
    ], found
    database.close()


# ---- the register
def test_the_register_comes_back_as_it_was_loaded(store: Store) -> None:
    assert store.register() == REGISTER


def test_before_the_first_load_the_register_is_empty(url: str) -> None:
    with Store.open(url) as store:
        register = store.register()
        assert (register.branches, register.services, register.desks, store.pads()) == ((), (), (), [])
        assert dispositions(store.ingest([of_pad(vote(1, 3, seq=1))])) == ["unknown_desk"]


def test_a_register_loaded_by_another_process_holds_from_the_next_message_on(store: Store, url: str) -> None:
    new = Desk(id="centre-03", branch="centre", label="3")
    assert dispositions(store.ingest([of_pad(vote(1, 3, seq=1), new.id)])) == ["unknown_desk"]
    with Store.open(url) as other:
        other.load_register(REGISTER.model_copy(update={"desks": (new, *REGISTER.desks[1:])}))
    assert dispositions(store.ingest([of_pad(vote(2, 3, seq=2), new.id)])) == ["waiting"]
    [unknown] = store.ingest([of_pad(vote(2, 3, seq=2), "centre-02")])
    assert (unknown.disposition, unknown.ack) == ("unknown_desk", None)  # the pad keeps it until the desk is known
    [known] = store.ingest([of_pad(vote(1, 3, seq=1), new.id)])
    assert known.disposition == "waiting" and known.ack is not None
    assert [pad.desk for pad in store.pads()] == ["centre-03", "centre-01", "vyshenka-01"]


def test_a_branch_with_figures_cannot_be_forgotten(store: Store) -> None:
    store.ingest([of_queue(event(1, desk=DESKS[0], seq=1))])
    smaller = REGISTER.model_copy(update={"branches": REGISTER.branches[1:], "desks": REGISTER.desks[2:]})
    with pytest.raises(StoreError, match="figures: centre"):
        store.load_register(smaller)
    assert store.register() == REGISTER
    store.load_register(REGISTER.model_copy(update={"branches": REGISTER.branches[:1], "desks": REGISTER.desks[:2]}))
    assert [branch.id for branch in store.register().branches] == ["centre"]


def test_a_desk_that_moved_belongs_to_the_branch_of_the_calls_day(store: Store) -> None:
    last = day_date(NOON_DAY)
    here = Desk(id="centre-01", branch="centre", label="1", valid_to=last)
    there = Desk(id="centre-01", branch="vyshenka", label="9", valid_from=last + timedelta(days=1))
    store.load_register(REGISTER.model_copy(update={"desks": (here, there, *REGISTER.desks[::2])}))
    at_noon = event(1, desk="centre-01", seq=1)
    tomorrow = event(2, desk="centre-01", seq=2)
    tomorrow.called_unix_ms = tomorrow.occurred_unix_ms = NOON_UNIX_MS + 86_400_000
    wrong, right = (
        [of_queue(at_noon, "vyshenka"), of_queue(tomorrow)],
        [of_queue(at_noon), of_queue(tomorrow, "vyshenka")],
    )
    assert dispositions(store.ingest(wrong)) == ["rejected_event"] * 2
    assert dispositions(store.ingest(right)) == ["taken"] * 2
    assert {(row.branch, row.day) for row in store.rollups("desk", 0, 99999999)} == {
        ("centre", NOON_DAY),
        ("vyshenka", day_key(last + timedelta(days=1))),
    }
    assert store.recount() == []


def test_what_has_figures_cannot_be_left_out_only_closed(store: Store) -> None:
    store.ingest([of_queue(event(1, desk="centre-01", seq=1, operator="op-1")), of_pad(vote(2, 3, seq=1), "centre-02")])
    known = REGISTER.model_copy(update={"operators": (Operator(id="op-1"), Operator(id="op-2"))})
    revision = store.book.save(known, author="head", how="edit")
    without = {
        "service 'passport'|service that has figures: passport": {"services": ()},
        "operator that has figures: op-1": {"operators": (Operator(id="op-2"),)},
        "desk that has figures: centre-01": {"desks": REGISTER.desks[:1]},
        "desk that has figures: centre-02": {"desks": REGISTER.desks[1:]},  # a vote that still waits for its call
    }
    for says, update in without.items():
        with pytest.raises(Declined, match=says):
            store.book.save(known.model_copy(update=update), author="head", how="edit")
    assert store.book.whole() == (revision, known)
    closed = tuple(each.model_copy(update={"valid_to": day_date(NOON_DAY)}) for each in REGISTER.services)
    assert (
        store.book.save(
            known.model_copy(update={"services": closed, "operators": known.operators[:1]}), author="head", how="edit"
        )
        == revision + 1
    )


def test_a_change_made_from_an_older_register_is_declined(store: Store, url: str) -> None:
    revision, register = store.book.whole()
    one, other = (register.model_copy(update={"operators": (Operator(id=name),)}) for name in ("op-1", "op-2"))
    assert store.book.save(one, author="a", how="edit", expected=revision) == revision + 1
    assert store.book.save(one, author="a", how="edit", expected=revision + 1) == revision + 1  # nothing changes
    with Store.open(url) as elsewhere, pytest.raises(Stale, match=f"at revision {revision + 1} by now"):
        elsewhere.book.save(other, author="b", how="edit", expected=revision)
    assert store.book.at(revision) == register
    assert store.book.revert(revision, author="b") == revision + 2
    assert store.book.whole() == (revision + 2, register)
    with pytest.raises(NotThere):
        store.book.revert(99, author="b")


def test_a_start_loads_its_file_once_and_never_over_what_was_changed_since(store: Store) -> None:
    changed = REGISTER.model_copy(update={"operators": (Operator(id="op-1"),)})
    newer_file = REGISTER.model_copy(update={"services": ()})
    assert store.book.load_file(REGISTER) == 1
    store.book.save(changed, author="head", how="edit")
    assert store.book.load_file(REGISTER) == 2 and store.register() == changed
    assert store.book.load_file(newer_file) is None and store.register() == changed
    store.book.revert(1, author="head")
    assert store.book.load_file(newer_file) == 4


# ---- people
def test_a_token_is_found_by_its_secret_until_it_is_revoked(store: Store) -> None:
    secret = store.create_token("wall screen", ["figures", "devices"])
    token = store.find_token(secret)
    assert token and (token.name, token.scopes) == ("wall screen", {"figures", "devices"})
    assert store.find_token(secret[:-1]) is None and store.find_token("") is None
    store.revoke_token("wall screen")
    assert store.find_token(secret) is None
    assert store.create_token("wall screen", ["figures"]) != secret, "the name may be given again"
    assert [each.revoked_unix_ms is None for each in store.tokens()] == [False, True]


def test_an_expired_token_is_not_found(store: Store) -> None:
    assert store.find_token(store.create_token("old", ["figures"], 1577836800000)) is None
    assert store.find_token(store.create_token("new", ["figures"], FOR_EVER)) is not None


@pytest.mark.parametrize(
    ("name", "scopes", "says"),
    [
        ("twice", ["figures"], "already"),
        ("other", ["figures", "everything"], "scopes are"),
        ("other", [], "scopes are"),
        ("", ["figures"], "name"),
        ("a\nb", ["figures"], "name"),
        ("a" * 81, ["figures"], "name"),
    ],
)
def test_a_wrong_token_is_not_made(store: Store, name: str, scopes: list[str], says: str) -> None:
    store.create_token("twice", ["figures"])
    with pytest.raises(StoreError, match=says):
        store.create_token(name, scopes)
    assert len(store.tokens()) == 1


def test_revoking_a_name_that_is_not_in_use_says_so(store: Store) -> None:
    with pytest.raises(StoreError, match="nobody"):
        store.revoke_token("nobody")


def test_a_session_lives_as_long_as_its_time_its_token_and_its_cookie(store: Store) -> None:
    token = store.find_token(store.create_token("head", ["figures"]))
    assert token
    lasting, short, closed = (store.open_session(token.id, until) for until in (FOR_EVER, 1577836800000, FOR_EVER))
    store.close_session(closed)
    store.close_session("never opened")
    assert [store.find_session(each) for each in (lasting, short, closed)] == [token, None, None]
    store.revoke_token("head")
    assert store.find_session(lasting) is None


def test_no_secret_is_in_the_database(tmp_path: Path) -> None:
    path = tmp_path / "zrazkovo.db"
    with Store.open(f"sqlite:///{path}") as store:
        secret = store.create_token("head", ["figures"])
        token = store.find_token(secret)
        assert token
        session = store.open_session(token.id, FOR_EVER)
    content = path.read_bytes()
    assert secret.encode() not in content and session.encode() not in content
    assert path.stat().st_mode & 0o077 == 0, "the file is its owner's"


def test_reading_is_logged_whatever_was_asked(store: Store, tamper: Callable[[str], None]) -> None:
    store.log_access("head", "analysis", True, "operator op-1, 2026-11")
    store.log_access("r" * 500, None, False, "nul \0 and half \ud83d " + "q" * 500)


# ---- the database itself
def test_opening_again_changes_nothing(store: Store, url: str) -> None:
    store.ingest([of_queue(event(1, desk=DESKS[0], seq=1))])
    with Store.open(url) as again:
        assert again.counts() == store.counts()


def test_two_processes_may_open_a_new_database_at_once(url: str) -> None:
    faults = []

    def run() -> None:
        try:
            Store.open(url).close()
        except StoreError as error:
            faults.append(error)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []


def test_a_newer_database_is_refused_and_left_alone(url: str, tamper: Callable[[str], None]) -> None:
    Store.open(url).close()
    tamper("UPDATE collector_version SET version_num = '9999'")
    for _ in range(2):
        with pytest.raises(NewerDatabase, match="9999"):
            Store.open(url)


def test_what_is_no_database_of_ours_is_refused_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("not a database at all, but long enough to be read as a header" * 20)
    with pytest.raises(StoreError, match="not a database"):
        Store.open(f"sqlite:///{tmp_path / 'text.db'}")
    for url in ("sqlite://", "mysql://x/y", "nonsense"):
        with pytest.raises(StoreError):
            Store.open(url)
    with pytest.raises(StoreUnavailable):
        Store.open("postgresql://zrazkovo:secret@127.0.0.1:1/zrazkovo")
    (tmp_path / "file").touch()
    with pytest.raises(StoreUnavailable):
        Store.open(f"sqlite:///{tmp_path / 'file' / 'below.db'}")


def test_a_pad_that_sends_endless_garbage_does_not_fill_the_disk(store: Store) -> None:
    topic = topics.desk(DESKS[0], "vote")
    sent = 0
    for _ in range(5):
        batch = [Arrival(topic, b"garbage %d" % (sent + number), NOON_UNIX_MS + sent + number) for number in range(100)]
        assert set(dispositions(store.ingest(batch))) == {"malformed"}
        assert dispositions(store.ingest(batch[:1])) == ["malformed"]  # the same again
        sent += 101
    other = Arrival(topics.desk(DESKS[1], "vote"), b"garbage", NOON_UNIX_MS)
    tomorrow = Arrival(topic, b"other garbage", NOON_UNIX_MS + DAY_MS)
    store.ingest([other, tomorrow])
    counts = store.counts()
    assert counts["kept"] == {"malformed": EXAMPLES_A_DAY + 3}  # the count of the day, another pad's, tomorrow's
    assert counts["kept_times"] == {"malformed": sent + 2}


def test_the_log_of_sqlite_shrinks_after_a_reader_who_stayed_for_long(tmp_path: Path) -> None:
    """While somebody reads an old snapshot the log can only grow; once he is gone it is small again."""
    path = tmp_path / "zrazkovo.db"
    log = tmp_path / "zrazkovo.db-wal"
    with Store.open(f"sqlite:///{path}") as store:
        store.load_register(REGISTER)
        reader = sqlite3.connect(path, isolation_level=None)
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM call").fetchone()
        writer = store.archive._engine.raw_connection()
        cursor = writer.cursor()
        cursor.execute("CREATE TABLE ballast (content BLOB)")
        while log.stat().st_size < 2 * JOURNAL_BYTES:
            cursor.execute("INSERT INTO ballast VALUES (zeroblob(8000000))")
            writer.commit()
        reader.execute("ROLLBACK")
        reader.close()
        for number in range(3):  # the first checkpoint after, and the first batch that begins the log anew
            cursor.execute("INSERT INTO ballast VALUES (zeroblob(5000000))")
            writer.commit()
            store.ingest([of_queue(event(number, desk=DESKS[0], seq=number + 1))])
        writer.close()
        assert log.stat().st_size <= JOURNAL_BYTES
