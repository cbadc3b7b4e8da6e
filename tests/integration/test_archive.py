"""Closed months leave the database for files, figures stay, and they come back; one may die at any step of it."""

import gzip
import json
import threading
import time
from argparse import Namespace
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy

from collector import archive, archive_commands, rollup
from collector.archive import BadArchive
from collector.archive_commands import all_joined
from collector.errors import Declined, SettingsError, StoreUnavailable
from collector.feed.steps import call_id
from collector.model import Answer, Office
from collector.register import read_register
from collector.settings import Settings
from collector.store import Store, engine, registry
from collector.store.archive import Month
from collector.store.engine import make_engine
from collector.store.ledger import lock_everything
from protocol.messages import QueueEvent, Vote
from tests.integration.collector_process import NOON_UNIX_MS, register_file
from tests.integration.test_store_databases import of_pad, of_queue

DESKS = ("centre-01", "centre-02")
DAY_MS = 86_400_000
# Days before 2026-11-22: one in July, some in August, September and October, two in November. The fifth is an hour
# before midnight UTC of the last of August, so on the first of September in Kyiv.
JULY, AUGUST, SEPTEMBER, OCTOBER, NOVEMBER = (-130,), (-110, -100, -90), (-60, -61), (-30,), (0, -1)
EDGE_UNIX_MS = 1788217200000  # 2026-08-31 23:00 UTC


class Place:
    """A filled database and the command line's view of it."""

    def __init__(self, url: str, folder: Path):
        self.settings = Settings(database_url=url)
        self.folder = folder / "archive"
        self.store = Store.open(url)
        self.store.load_register(read_register(register_file(folder, DESKS)))
        self.engine = make_engine(url)
        self.seq = 0
        for days in (*JULY, *AUGUST, *SEPTEMBER, *OCTOBER, *NOVEMBER):
            self.visit(NOON_UNIX_MS + days * DAY_MS)
        self.visit(EDGE_UNIX_MS)
        self.store.look_after(NOON_UNIX_MS)
        with self.engine.begin() as connection:  # each visit was for two things
            connection.execute(sqlalchemy.text("INSERT INTO call_service SELECT id, 'passport' FROM call"))
            connection.execute(sqlalchemy.text("INSERT INTO call_service SELECT id, 'address' FROM call"))

    def visit(self, called_unix_ms: int) -> None:
        """A call with its vote, and one without, at another desk."""
        for place, desk in enumerate(DESKS):
            self.seq += 1
            call = call_id("centre", desk, f"ticket {self.seq}", called_unix_ms)
            self.tell(event_of(call, called_unix_ms, self.seq, desk))
            if place == 0:
                self.press(call, self.seq)

    def tell(self, said: QueueEvent) -> Answer:
        return self.store.ingest([of_queue(said)])[0]

    def press(self, call: str, seq: int) -> Answer:
        return self.store.ingest([of_pad(Vote(call, seq % 3 + 1, 2500, "11111111", 1, seq), DESKS[0])])[0]

    def command(self, *, before: str | None = None, restore: str | None = None, yes: bool = True) -> int:
        arguments = Namespace(before=before, restore=restore, folder=self.folder, yes=yes)
        return archive_commands.run(self.settings, arguments)

    def rows(self, question: str) -> list[tuple[Any, ...]]:
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(sqlalchemy.text(question))]

    def everything(self) -> tuple[Any, ...]:
        """Calls and votes as they are, but for what an archive leaves out."""
        calls = [(*row[:5], *row[6:]) for row in self.rows("SELECT * FROM call ORDER BY id")]
        services = self.rows("SELECT * FROM call_service ORDER BY call, service")
        return calls, self.rows("SELECT * FROM vote ORDER BY call, desk"), services

    def figures(self) -> list[tuple[Any, ...]]:
        return self.rows("SELECT * FROM rollup_day ORDER BY 1, 2, 3, 4")

    def recount_with_files(self) -> list[str]:
        return self.store.upkeep.recount(filed=all_joined(self.store, self.folder)).sentences

    def close(self) -> None:
        self.store.close()
        self.engine.dispose()


def event_of(call: str, called_unix_ms: int, seq: int, desk: str) -> QueueEvent:
    return QueueEvent(
        f"e{seq}",
        "0badcafe",
        seq,
        "called",
        called_unix_ms,
        call=call,
        called_unix_ms=called_unix_ms,
        desk=desk,
        operator="op-1",
        service="passport",
        ticket="pseudonym-of-a-ticket",
    )


@pytest.fixture
def office(any_database: str, tmp_path: Path) -> Iterator[Place]:
    office = Place(any_database, tmp_path)
    yield office
    office.close()


def test_closed_months_go_into_files_figures_stay_and_they_come_back(
    office: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    before, figures = office.everything(), office.figures()
    assert office.command(before="2026-10", yes=False) == 0
    assert "nothing was done" in capsys.readouterr().out
    assert office.everything() == before and not office.folder.exists()

    assert office.command(before="2026-10") == 0
    assert sorted(path.name for path in office.folder.iterdir()) == ["2026-07", "2026-08", "2026-09"]
    assert office.rows("SELECT count(*) FROM call") == [(6,)] and office.rows("SELECT count(*) FROM vote") == [(3,)]
    assert office.rows("SELECT count(*) FROM call_service") == [(12,)]
    assert office.figures() == figures
    assert office.store.recount() == [] and office.recount_with_files() == []
    assert office.command(before="2026-10") == 0  # again: nothing is left to do
    assert "nothing of before 2026-10 is left" in capsys.readouterr().out

    assert office.command(restore="2026-07", yes=False) == 0
    assert office.rows("SELECT count(*) FROM call") == [(6,)]
    assert office.command(restore="2026-07") == 0
    assert (office.everything(), office.figures()) == (before, figures)
    assert office.store.recount() == []
    assert office.command(before="2026-10") == 0  # and out again, into the same folder
    assert office.recount_with_files() == []


def test_files_name_no_ticket_and_can_be_counted_again(office: Place) -> None:
    office.command(before="2026-10")
    for path in office.folder.rglob("*.gz"):
        assert b"pseudonym" not in gzip.decompress(path.read_bytes())
    manifest = json.loads((office.folder / "2026-08" / "manifest.json").read_text())
    assert "ticket" not in str(manifest)
    assert manifest["tables"]["calls"]["rows"] == 8 and manifest["tables"]["votes"]["rows"] == 4
    assert manifest["by_branch_and_day"]["centre"]["20260901"] == [2, 2, *votes_on_the_edge(office), 0, 0, 0, 0, 0]

    with office.engine.begin() as connection:
        connection.execute(sqlalchemy.text("UPDATE rollup_day SET good = good + 1 WHERE day < 20260901"))
    assert office.store.recount() == []  # the rows of those days are not here
    found = office.recount_with_files()
    assert len(found) > 4 and all("2026-07" in each or "2026-08" in each for each in found)
    corrected = office.store.upkeep.repair("somebody", filed=all_joined(office.store, office.folder))
    assert len(corrected) == len(found) and office.recount_with_files() == []


def votes_on_the_edge(office: Place) -> list[int]:
    ((bad, good, exemplary),) = office.rows(
        "SELECT bad, good, exemplary FROM rollup_day WHERE cut = 'branch' AND day = 20260901"
    )
    return [bad, good, exemplary]


def test_what_still_comes_for_an_archived_month_is_kept_with_its_reason_and_counts_for_nothing(office: Place) -> None:
    (call,) = office.rows("SELECT min(id) FROM call")[0]
    office.command(before="2026-10")
    figures = office.figures()
    vote = office.press(str(call), 900)
    event = office.tell(event_of(str(call), NOON_UNIX_MS - 130 * DAY_MS, 901, DESKS[0]))
    assert (vote.disposition, event.disposition) == ("archived", "archived")
    assert vote.ack is not None and event.ack is not None  # the writer may forget it
    assert office.store.counts()["kept"] == {"archived": 2}
    assert office.figures() == figures and office.recount_with_files() == []
    october = call_id("centre", DESKS[0], "late", NOON_UNIX_MS - 31 * DAY_MS)
    assert office.press(october, 902).disposition == "waiting"


def test_a_collector_that_has_not_heard_of_it_yet_changes_nothing_in_a_closed_month(
    office: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On PostgreSQL two transactions may pass each other: who decided by the old boundary has to begin again."""
    if office.engine.dialect.name != "postgresql":
        return  # SQLite reads the boundary with the write lock in hand
    (call,) = office.rows("SELECT min(id) FROM call")[0]
    stale = office.store.office()
    office.store.archive.freeze(202607, NOON_UNIX_MS)
    real, asked = registry.office, []

    def behind(connection: Any, last: Office | None) -> Office:
        asked.append(last)
        return stale if len(asked) == 1 else real(connection, last)

    monkeypatch.setattr(registry, "office", behind)
    ended = event_of(str(call), NOON_UNIX_MS - 130 * DAY_MS, 950, DESKS[0])
    ended.type, ended.reason = "closed", "next_call"
    assert office.tell(ended).disposition == "archived" and len(asked) == 2
    asked.clear()
    unknown = call_id("centre", DESKS[0], "unheard of", NOON_UNIX_MS - 131 * DAY_MS)
    assert office.press(unknown, 951).disposition == "archived" and len(asked) == 2


def test_a_month_that_is_not_closed_or_has_waiting_votes_is_refused(office: Place) -> None:
    everything = office.everything()
    for before, says in (("2026-11", "not closed"), ("2027-05", "not closed"), ("11.2026", "not a month")):
        with pytest.raises((Declined, SettingsError), match=says):
            office.command(before=before)
    assert office.everything() == everything
    unknown = call_id("centre", DESKS[0], "unheard of", NOON_UNIX_MS - 100 * DAY_MS)
    assert office.press(unknown, 960).disposition == "waiting"
    with pytest.raises(Declined, match="2026-08: 1 votes wait"):
        office.command(before="2026-10")


def test_a_month_whose_figures_its_rows_do_not_bear_out_stays(office: Place) -> None:
    with office.engine.begin() as connection:
        wrong = "UPDATE rollup_day SET bad = bad + 1 WHERE cut = 'branch' AND day < 20260901"
        connection.execute(sqlalchemy.text(wrong))
    everything = office.everything()
    with pytest.raises(Declined, match="figures say"):
        office.command(before="2026-10")
    assert office.everything() == everything


def test_damaged_or_foreign_files_are_not_believed(office: Place) -> None:
    office.command(before="2026-10")
    votes = office.folder / "2026-08" / "votes.jsonl.gz"
    good = votes.read_bytes()
    lines = gzip.decompress(good).replace(b",1,2500", b",3,2500")
    for bad in (good[:-9], b"", gzip.compress(lines), gzip.compress(lines + b"\n")):
        votes.write_bytes(bad)
        with pytest.raises(BadArchive):
            office.command(restore="2026-07")
        with pytest.raises(BadArchive):
            office.recount_with_files()
    votes.unlink()
    with pytest.raises(BadArchive, match="No such file"):
        office.command(restore="2026-07")
    assert office.rows("SELECT count(*) FROM call") == [(6,)]


def test_files_that_are_the_only_home_of_votes_are_never_replaced(office: Place) -> None:
    """A restored month that changed; or another database's files of the same month, in the same folder."""
    office.command(before="2026-08")
    manifest = (office.folder / "2026-07" / "manifest.json").read_bytes()
    office.command(restore="2026-07")
    office.visit(NOON_UNIX_MS - 131 * DAY_MS)
    office.command(before="2026-08")
    assert (office.folder / "2026-07.before-1" / "manifest.json").read_bytes() == manifest
    assert (office.folder / "2026-07" / "manifest.json").read_bytes() != manifest
    assert office.recount_with_files() == []


def test_two_archivings_at_once_are_refused(office: Place) -> None:
    with archive.claimed(office.folder), pytest.raises(Declined, match="another archiving"):
        office.command(before="2026-10")
    office.command(before="2026-10")
    digest = office.rows("SELECT digest FROM archived WHERE month = 202607")
    # On another machine, with a folder of its own: it read the month when its rows were gone.
    with pytest.raises(Declined, match="somebody else"):
        office.store.archive.filed(Month(202607, "filed", 0, 0, "0" * 64))
    assert office.rows("SELECT digest FROM archived WHERE month = 202607") == digest


def test_no_month_is_closed_under_a_vote_that_waits_or_under_who_counts_again(office: Place) -> None:
    unknown = call_id("centre", DESKS[0], "unheard of", NOON_UNIX_MS - 130 * DAY_MS)
    office.press(unknown, 960)  # after it was looked for such
    with pytest.raises(Declined, match="1 votes wait"):
        office.store.archive.freeze(202607, NOON_UNIX_MS)
    office.tell(event_of(unknown, NOON_UNIX_MS - 130 * DAY_MS, 961, DESKS[0]))
    closing = threading.Thread(target=office.store.archive.freeze, args=(202607, NOON_UNIX_MS))
    with office.engine.connect() as counting, counting.begin():
        if office.engine.dialect.name == "postgresql":
            lock_everything(counting)
            closing.start()
            waits = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
            deadline = time.monotonic() + 20
            while office.rows(waits) == [(0,)]:
                assert closing.is_alive() and time.monotonic() < deadline
        else:
            closing.start()
        assert office.store.recount() == []
    closing.join(20)
    assert office.rows("SELECT month FROM archived") == [(202607,)]


def test_a_collector_that_waits_too_long_for_others_leaves_the_line_and_loses_nothing(
    office: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    if office.engine.dialect.name != "postgresql":
        return  # BUSY_S
    monkeypatch.setattr(engine, "LOCK_S", 1)
    with office.engine.connect() as counting, counting.begin(), Store.open(office.settings.database_url) as another:
        lock_everything(counting)
        late = of_queue(event_of(call_id("centre", DESKS[0], "x", NOON_UNIX_MS), NOON_UNIX_MS, 970, DESKS[0]))
        for _ in range(2):  # the second time on a connection that was used before
            with pytest.raises(StoreUnavailable, match="lock timeout"):
                another.ingest([late])
    assert office.store.ingest([late])[0].disposition == "taken"


def test_a_day_whose_rows_are_gone_is_noticed_before_the_others_go(office: Place) -> None:
    days = [row[0] for row in office.rows("SELECT DISTINCT day FROM call WHERE day BETWEEN 20260802 AND 20260830")]
    with office.engine.begin() as connection:
        for statement in ("DELETE FROM vote WHERE call IN (SELECT id FROM call WHERE day = :day)",
                          "DELETE FROM call WHERE day = :day"):  # fmt: skip
            connection.execute(sqlalchemy.text(statement), {"day": max(days)})
    everything = office.everything()
    with pytest.raises(Declined, match="figures say"):
        office.command(before="2026-10")
    assert office.everything()[0][-8:] == everything[0][-8:]


def test_files_of_before_a_rule_of_counting_changed_come_back(office: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    before = office.everything()
    office.command(before="2026-08")
    bad, _, exemplary = rollup._VOTED.values()
    monkeypatch.setattr(rollup, "_VOTED", {1: exemplary, 2: exemplary, 3: bad})
    with pytest.raises(BadArchive, match="count for"):  # by the same rules
        office.command(restore="2026-07")
    monkeypatch.setattr(archive, "COUNTING", 999)
    office.command(restore="2026-07")
    assert office.everything() == before


class Died(BaseException):
    """In the place of a power cut."""


def test_one_may_die_at_any_step_of_archiving_and_of_taking_back(
    office: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, figures = office.everything(), office.figures()
    left = [0]

    def step(*_: object, **__: object) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise Died

    for owner, name in ((archive, "_put"), (archive, "_sync"), (archive, "_write_file"), (archive, "_measured")):
        monkeypatch.setattr(owner, name, after(step, getattr(owner, name)))
    monkeypatch.setattr(Path, "rename", after(step, Path.rename))
    sqlalchemy.event.listen(sqlalchemy.Engine, "before_cursor_execute", step)
    try:
        died_in = {"before": dies_until_it_does_not(office, left, before="2026-08")}
        assert office.recount_with_files() == [] and office.figures() == figures
        died_in["restore"] = dies_until_it_does_not(office, left, restore="2026-07")
    finally:
        sqlalchemy.event.remove(sqlalchemy.Engine, "before_cursor_execute", step)
    assert (office.everything(), office.figures()) == (before, figures)
    assert office.store.recount() == []
    assert died_in["before"] > 25 and died_in["restore"] > 10


def after(step: Callable[[], None], real: Callable[..., Any]) -> Callable[..., Any]:
    def stepping(*args: Any, **named: Any) -> Any:
        step()
        return real(*args, **named)

    return stepping


def dies_until_it_does_not(office: Place, left: list[int], **command: str) -> int:
    """Dies at the first step, then begins again and dies at the second, and so on; how often."""
    for number in range(1, 1000):
        left[0] = number
        try:
            office.command(**command)
            left[0] = 0
            return number - 1
        except Died:
            left[0] = 0
            assert office.store.recount() == []
    raise AssertionError("it never comes to an end")
