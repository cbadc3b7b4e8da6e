"""Rows of somebody's table, by a description: what they say, and a CSV file in all the ways in which one grows."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from collector.feed.columns import Layout, Said, Table
from collector.feed.csv_file import CsvFile, CsvPoller, open_csv, replay_csv
from collector.feed.errors import BadSettings, SourceDown
from protocol.fields import EVENT_ID
from tests.feed_bench import NOON, SITE, Bench, words

HALL: dict[str, Any] = {
    "name": "hall",
    "columns": {"key": ["id"], "time": "ts", "event": "action", "ticket": "number", "desk": "win", "operator": "who",
                "service": "what"},
    "words": {"виклик": "called", "старт": "started", "кінець": "finished", "відкрив": "operator_opened"},
    "ignored": ["друк"],
    "time_format": "%d.%m.%Y %H:%M:%S",
    "desks": {"1": "centre-1", "2": "centre-2"},
    "operators": {"Іваненко": "op-1"},
    "services": {"3": "passport"},
}  # fmt: skip


def table(**changes: Any) -> Table:
    return Table(**{**HALL, **changes})


def row(key: int = 1, at: str = "24.11.2026 11:59:00", action: str = "виклик", **changes: Any) -> dict[str, Any]:
    return {
        "id": key,
        "ts": at,
        "action": action,
        "number": "А17",
        "win": "1",
        "who": "Іваненко",
        "what": 3,
        **changes,
    }


def said(*rows: dict[str, Any], described: Table | None = None, now: int = NOON) -> Said:
    return Layout(described or table(), SITE).translate(rows, now)


def test_a_row_an_event() -> None:
    told = said(row(1), row(2, "24.11.2026 11:59:30", "старт"), row(3, "24.11.2026 12:00:00", "кінець"))
    assert words(told.events) == [("called", "centre-1"), ("started", "centre-1"), ("finished", "centre-1")]
    first = told.events["centre"][0]
    assert (first.occurred_unix_ms, first.operator, first.service) == (NOON - 60_000, "op-1", "passport")
    assert len({event.ticket_key for event in told.events["centre"]}) == 1
    assert told.unknown == frozenset()


def test_a_row_a_ticket_tells_each_moment_when_it_is_filled_and_once() -> None:
    columns = {"key": ["id"], "ticket": "id", "issued": "made", "desk": "win",
               "moments": {"called_at": "called", "begun_at": "started", "done_at": "finished"}}  # fmt: skip
    described = Table(name="hall", columns=columns, desks={"1": "centre-1"}, timezone="UTC")
    made = datetime(2026, 11, 24, 9, 50, tzinfo=UTC)
    full = {
        "id": 7,
        "made": made,
        "win": 1,
        "called_at": made + timedelta(minutes=1),
        "begun_at": None,
        "done_at": None,
    }
    first = said(full, described=described)
    assert words(first.events) == [("called", "centre-1")]
    second = said({**full, "begun_at": made + timedelta(minutes=2)}, described=described)
    assert words(second.events) == [("called", "centre-1"), ("started", "centre-1")]
    assert second.events["centre"][0] == first.events["centre"][0]


@pytest.mark.parametrize(
    ("time_format", "zone", "value"),
    [
        ("iso", "Europe/Kyiv", "2026-11-24T12:00:00"),
        ("iso", "Europe/Kyiv", "2026-11-24 12:00:00.000"),
        ("iso", "Europe/Kyiv", "2026-11-24T10:00:00Z"),
        ("iso", "Europe/Kyiv", "2026-11-24T11:00:00+01:00"),
        ("iso", "UTC", "2026-11-24 10:00:00"),
        ("iso", "UTC", datetime(2026, 11, 24, 10)),  # noqa: DTZ001 - as a driver gives it
        ("iso", "Europe/Kyiv", datetime(2026, 11, 24, 10, tzinfo=UTC)),
        ("%d.%m.%Y %H:%M:%S", "Europe/Kyiv", "24.11.2026 12:00:00"),
        ("%d/%m/%y %I:%M %p", "Europe/Kyiv", "24/11/26 12:00 PM"),
        ("%Y-%m-%dT%H:%M:%S%z", "Europe/Kyiv", "2026-11-24T13:00:00+0300"),
        ("unix", "UTC", NOON // 1000),
        ("unix", "UTC", f" {NOON // 1000}.000 "),
        ("unix", "UTC", Decimal(NOON) / 1000),
        ("unix_ms", "UTC", float(NOON)),
    ],
)
def test_times_of_every_dress(time_format: str, zone: str, value: object) -> None:
    told = said(row(ts=value), described=table(time_format=time_format, timezone=zone), now=NOON + 1)
    assert [event.occurred_unix_ms for event in told.events["centre"]] == [NOON]


@pytest.mark.parametrize(
    "at", ["", "yesterday", "24.11.26 12:00:00", "31.02.2026 12:00:00", "24.11.2019 12:00:00", "26.11.2026 12:00:00"]
)
def test_a_row_whose_time_cannot_be_is_counted_and_the_next_is_read(at: str) -> None:
    told = said(row(1, at), row(2))
    assert (told.unreadable, words(told.events)) == (1, [("called", "centre-1")])
    assert any(each.startswith("a row: a time") for each in told.unknown)


def test_rows_of_long_ago_are_no_news() -> None:
    assert words(said(row(1, "24.11.2026 00:00:01"), row(2, "23.11.2026 23:59:00")).events) == [("called", "centre-1")]


def test_of_one_ticket_and_one_second_the_rows_order_counts() -> None:
    at, columns = "24.11.2026 11:59:00", {**HALL["columns"], "key": ["id"]}
    told = said(row(1, at, "виклик"), row(2, at, "кінець"), row(3, at, "виклик"), described=table(columns=columns))
    first, second, third = (event.occurred_unix_ms for event in told.events["centre"])
    assert first < second < third < first + 10
    again = said(row(3, at, "виклик"))
    assert again.events["centre"][0].event == told.events["centre"][2].event


def test_an_unknown_word_is_named_and_one_to_ignore_is_not() -> None:
    told = said(row(1, action="друк"), row(2, action="пауза"))
    assert (told.events, told.unknown, told.unreadable) == ({}, {"the event 'пауза' (left out)"}, 0)


def test_an_unknown_desk_arms_no_pad_and_its_operator_is_not_asked() -> None:
    told = said(row(win="9"), row(win=None))
    assert (told.events, told.unknown) == ({}, {"desk '9' (no pad is armed)"})


def test_without_a_column_for_desks_the_register_says_where_operators_sit() -> None:
    columns = {**HALL["columns"], "desk": None}
    described = table(columns=columns, branch="centre", desks={}, operators={"Іваненко": "op-2", "Новий": "op-9"})
    assert words(said(row(), described=described).events) == [("called", "centre-2")]
    told = said(row(who="Новий"), row(who="Хтось"), row(who=None), described=described)
    assert told.events == {}
    assert "where operator 'op-9' sits (no pad is armed)" in told.unknown


def test_an_end_needs_no_desk_when_the_branch_is_known() -> None:
    described = table(branch="centre")
    assert words(said(row(action="кінець", win=None), described=described).events) == [("finished", None)]


def test_a_desk_in_another_branch_than_its_row_arms_no_pad() -> None:
    columns = {**HALL["columns"], "branch": "office"}
    described = table(columns=columns, branches={"Замостя": "zamostia", "Центр": "centre"})
    assert words(said(row(office="Центр"), described=described).events) == [("called", "centre-1")]
    told = said(row(office="Замостя"), row(office="Луна"), described=described)
    assert (told.events, len(told.unknown)) == ({}, 2)


def test_the_same_number_is_another_ticket_tomorrow_and_no_key_shows_it() -> None:
    today = said(row()).events["centre"][0]
    tomorrow = said(row(2, "25.11.2026 11:59:00"), now=NOON + 86_400_000).events["centre"][0]
    assert today.ticket_key != tomorrow.ticket_key
    assert "А17" not in repr(today)


def test_the_day_of_issue_belongs_to_the_ticket_where_a_column_tells_it() -> None:
    columns = {**HALL["columns"], "issued": "made"}
    late = said(
        row(1, "24.11.2026 00:00:30", made="23.11.2026 23:50:00"),
        row(2, "23.11.2026 23:59:00", made="23.11.2026 23:50:00"),
        described=table(columns=columns),
        now=NOON - 11 * 3_600_000,
    )
    assert len({event.ticket_key for event in late.events["centre"]}) == 1


def test_without_a_key_the_whole_row_is_the_key() -> None:
    columns = {name: value for name, value in HALL["columns"].items() if name != "key"}
    ids = [event.event for event in said(row(1), row(1), row(2), described=table(columns=columns)).events["centre"]]
    assert len(ids) == len(set(ids)) == 2


@pytest.mark.parametrize("key", [1, "x" * 300, "ключ з пробілом", "a;b", None, ""])
def test_event_ids_are_legal_whatever_the_key(key: object) -> None:
    [event] = said(row(id=key), described=table(name="x" * 12)).events["centre"]
    assert EVENT_ID.problem(event.event) is None


def test_an_operators_word_needs_no_ticket_and_a_tickets_word_does() -> None:
    assert words(said(row(action="відкрив", number=None)).events) == [("operator_opened", "centre-1")]
    assert said(row(number=None)).unreadable == 1


def test_a_row_without_one_of_its_columns_is_counted() -> None:
    told = said({"id": 1})
    assert (told.unreadable, told.unknown) == (1, {"a row: it has no column 'action'"})


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"columns": {"ticket": "n", "desk": "d"}}, "either `time` and `event`"),
        ({"columns": {"ticket": "n", "desk": "d", "time": "t"}}, "go together"),
        ({"columns": {"ticket": "n", "time": "t", "event": "e"}}, "`desk` or `operator`"),
        ({"columns": {**HALL["columns"], "moments": {"x": "called"}}}, "either"),
        ({"words": {}}, "words"),
        ({"words": {"x": "ended"}}, "words"),
        ({"timezone": "Europe/Nowhere"}, "timezone"),
        ({"columns": {**HALL["columns"], "desk": None}}, "branch"),
        ({"late_hours": 0}, "late_hours"),
    ],
)
def test_a_description_that_cannot_be_right_is_refused(change: dict[str, Any], what: str) -> None:
    with pytest.raises(ValidationError, match=what):
        table(**change)


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"desks": {"1": "x"}}, "hall.desks.1"),
        ({"branch": "x"}, "hall.branch"),
        ({"branches": {"1": "x"}}, "hall.branches.1"),
    ],
)
def test_a_name_that_the_register_does_not_have_is_refused(change: dict[str, Any], key: str) -> None:
    with pytest.raises(BadSettings, match=key):
        Layout(table(**change), SITE)


# ---- a CSV file
HEADER = "id;ts;action;number;win;who;what\n"


def line(
    number: int = 1, at: str = "24.11.2026 11:59:00", action: str = "виклик", win: str = "1", ticket: str = "А1"
) -> str:
    return f'{number};{at};{action};{ticket};{win};Іваненко;"3"\n'


class Log:
    """The file, whoever writes it, and the poller that follows."""

    def __init__(self, bench: Bench, **changes: Any):
        self.bench = bench
        self.path = bench.folder / "log.csv"
        self.table = CsvFile(**{**HALL, "file": str(self.path), "delimiter": ";", **changes})
        self.poller = open_csv(self.table, bench.means)

    def write(self, text: str, mode: str = "ab") -> None:
        with self.path.open(mode) as file:
            file.write(text.encode(self.table.encoding))

    def after_restart(self) -> CsvPoller:
        self.bench = self.bench.again()
        self.poller = open_csv(self.table, self.bench.means)
        return self.poller

    def facts(self) -> list[str]:
        return [fact.type for fact in self.bench.facts()]


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    log = Log(Bench(tmp_path))
    yield log
    log.bench.end()


def test_a_file_that_grows_is_read_on(log: Log) -> None:
    log.write(HEADER + line(1))
    log.poller.poll()
    assert log.bench.told.armed == ["centre-1"]
    log.poller.poll()
    log.write(line(2, "24.11.2026 11:59:30", "кінець"))
    log.poller.poll()
    assert log.facts() == ["called", "finished"]


def test_a_last_line_without_its_end_waits_for_it(log: Log) -> None:
    log.write(HEADER + line(1)[:20])
    log.poller.poll()
    assert log.facts() == []
    log.write(line(1)[20:])
    log.poller.poll()
    assert log.facts() == ["called"]


@pytest.mark.parametrize("encoding", ["cp1251", "koi8-u", "cp1125", "utf-8-sig", "utf-8"])
def test_encodings_of_old_programs(tmp_path: Path, encoding: str) -> None:
    log = Log(Bench(tmp_path), encoding=encoding)
    log.write(HEADER + line(1) + line(2, "24.11.2026 11:59:30", "старт"))
    log.poller.poll()
    assert log.facts() == ["called", "started"]
    log.bench.end()


def test_a_mark_of_utf_8_at_the_beginning_is_not_part_of_the_first_column(log: Log) -> None:
    log.path.write_bytes(b"\xef\xbb\xbf" + (HEADER + line(1)).encode())
    log.poller.poll()
    assert log.facts() == ["called"]


def test_bytes_of_another_encoding_cost_their_own_row_only(log: Log) -> None:
    log.write(HEADER)
    log.path.write_bytes(log.path.read_bytes() + line(1).encode("cp1251") + line(2).encode())
    log.poller.poll()
    assert log.facts() == ["called"]
    assert len(log.poller.unknown) >= 1


@pytest.mark.parametrize("how", ["replaced", "emptied", "moved"])
def test_a_file_that_begins_anew_at_midnight_is_read_from_its_beginning(log: Log, how: str) -> None:
    log.write(HEADER + "".join(line(each, ticket=f"А{each}") for each in range(1, 20)))
    log.poller.poll()
    log.facts()
    log.bench.now_unix_ms += 86_400_000
    fresh = HEADER + line(1, "25.11.2026 11:59:00", win="2")
    if how == "moved":
        log.path.rename(log.path.with_suffix(".1"))
        log.write(fresh)
    elif how == "emptied":
        log.write("", "wb")
        log.poller.poll()
        log.write(fresh)
    else:
        log.write(fresh, "wb")
    log.poller.poll()
    assert log.bench.told.armed[-1] == "centre-2"


def test_a_replaced_file_that_is_longer_than_the_old_one_is_still_another(log: Log) -> None:
    log.write(HEADER + line(1))
    log.poller.poll()
    log.bench.now_unix_ms += 86_400_000
    log.write(
        HEADER + "".join(line(each, "25.11.2026 11:59:00", ticket=f"А{each}", win="2") for each in range(1, 9)), "wb"
    )
    log.poller.poll()
    assert log.facts().count("called") == 9


def test_files_named_by_the_day_are_finished_before_the_next_is_begun(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    log = Log(bench, file=str(tmp_path / "log-%Y-%m-%d.csv"))
    log.path = tmp_path / "log-2026-11-24.csv"
    log.write(HEADER + line(1))
    log.poller.poll()
    log.write(line(2, "24.11.2026 23:59:59", win="2"))
    bench.now_unix_ms = NOON + 12 * 3_600_000 + 30_000
    log.poller.poll()  # nothing was called today yet
    log.path = tmp_path / "log-2026-11-25.csv"
    log.write(HEADER + line(1, "25.11.2026 00:00:10"))
    log.poller.poll()
    assert [fact.occurred_unix_ms for fact in bench.facts() if fact.type == "called"] == [
        NOON - 60_000, NOON + 12 * 3_600_000 - 1000, NOON + 12 * 3_600_000 + 10_000,
    ]  # fmt: skip
    bench.end()


def test_a_restart_in_the_middle_reads_on_and_without_its_place_says_nothing_twice(log: Log) -> None:
    log.write(HEADER + line(1))
    log.poller.poll()
    log.write(line(2, win="2", ticket="А2"))
    log.after_restart().poll()
    assert log.bench.told.armed == ["centre-2"]
    with log.bench.store.transaction() as transaction:
        transaction.keep_source("hall", b"not a place")
    log.after_restart().poll()
    assert log.bench.told.armed == []
    assert log.facts() == ["called", "called"]


def test_a_column_of_free_text_fills_neither_memory_nor_log(
    log: Log, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collector.feed.source.MOST_UNKNOWN", 20)
    log.write(HEADER + "".join(line(each, "24.11.2026 11:59:00", f"слово {each}") for each in range(50)))
    log.poller.poll()
    assert len(log.poller.unknown) == len(caplog.records) == 20


def test_a_copy_of_a_line_changes_nothing(log: Log) -> None:
    log.write(HEADER + line(1) + line(1) + line(1))
    log.poller.poll()
    assert log.facts() == ["called"]


@pytest.mark.parametrize(
    "garbage",
    ["\n\n\n", "1;2\n", '"never closed;1;2;3\n', ";" * 50 + "\n", "\x00\x01\n", "x" * 70_000 + "\n", ";;;;;;\n"],
)
def test_garbage_costs_itself_only(log: Log, garbage: str) -> None:
    log.write(HEADER + garbage + line(1))
    log.poller.poll()
    log.poller.poll()
    assert log.facts() == ["called"]


def test_a_line_without_an_end_is_thrown_away_when_it_is_too_long(log: Log) -> None:
    log.write(HEADER + line(1))
    log.poller.poll()
    log.write("x" * 100_000)
    log.poller.poll()
    assert log.poller.unreadable == 1
    log.write("\n" + line(2, win="2", ticket="А2"))
    log.poller.poll()
    assert log.facts() == ["called", "called"]


def test_a_file_away_and_back_is_down_and_up_and_read_on(log: Log) -> None:
    with pytest.raises(SourceDown, match="No such file"):
        log.poller.poll()
    log.write(HEADER + line(1))
    log.poller.poll()
    aside = log.path.rename(log.path.with_suffix(".away"))
    with pytest.raises(SourceDown, match="No such file"):
        log.poller.poll()
    aside.rename(log.path)
    log.write(line(2, win="2", ticket="А2"))
    log.poller.poll()
    assert log.facts() == ["called", "called"]


def test_a_big_file_is_read_to_its_end_at_one_look(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collector.feed.csv_file.MOST_BYTES", 4096)
    log.write(HEADER + "".join(line(each, ticket=f"А{each}") for each in range(300)))
    log.poller.poll()
    assert log.facts().count("called") == 300


def test_columns_are_numbered_where_there_is_no_header(tmp_path: Path) -> None:
    columns = {"time": "2", "event": "3", "ticket": "4", "desk": "5"}
    log = Log(Bench(tmp_path), header=False, columns=columns)
    log.write(line(1))
    log.poller.poll()
    assert log.facts() == ["called"]
    log.bench.end()


@pytest.mark.parametrize("encoding", ["utf-16", "nothing", "utf-32-le", "utf-7"])
def test_an_encoding_without_lines_is_refused(encoding: str) -> None:
    with pytest.raises(ValidationError, match="line by line"):
        CsvFile(**{**HALL, "file": "x", "encoding": encoding})


def test_recorded_rows_are_replayed(log: Log) -> None:
    replay: Callable[..., Any] = replay_csv(log.table, SITE)
    recorded = json.loads(json.dumps([row()]))
    assert words(replay(NOON, recorded)[0]) == [("called", "centre-1")]
    with pytest.raises(ValueError, match="recorded"):
        replay(NOON, {"id": 1})
