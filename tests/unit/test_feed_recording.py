"""Recordings of queue systems: what is kept, what is left out, and a recorded day of each kind, understood again."""

import json
from pathlib import Path
from typing import Any

import pytest

from collector.feed import registry
from collector.feed.__main__ import main
from collector.feed.recording import Recorder, read_recording
from collector.feed.source import Source
from tests.feed_bench import NOON
from tests.feed_days import CONFIG, DAYS, SITE_OF_DAYS, TABLES, recorded_day

RECORDED = Path(__file__).parent.parent / "data"
REGISTER = """
organisation = {name = "Центр", name_en = "Centre"}
branch = [{id = "centre", name = "Центр", name_en = "Centre"}]
desk = [{id = "centre-1", branch = "centre", label = "1"}, {id = "centre-2", branch = "centre", label = "2"}]
operator = [{id = "op-1"}, {id = "op-2"}]
assignment = [{operator = "op-1", desk = "centre-1"}, {operator = "op-2", desk = "centre-2"}]
"""
PRIVATE = ("пароль", "Операторович", "idir", "Прізвище", "Петренко", "А101", "A007")


@pytest.mark.parametrize("kind", sorted(DAYS))
def test_a_recorded_day_is_understood_as_it_was(kind: str) -> None:
    """What each day says stands in tests/feed_days.py. A table shows a row more than once; an event counts once."""
    adapter, table = registry.ADAPTERS[kind], TABLES[kind]
    assert adapter.replays is not None
    replay, understood = adapter.replays(table, SITE_OF_DAYS), dict[str, tuple[str, str | None]]()
    for line in read_recording(RECORDED / kind / "day.jsonl"):
        assert line.source == table.name
        events, _ = replay(line.at_unix_ms, line.value)
        for event in (each for said in events.values() for each in said):
            understood.setdefault(event.event, (event.type, event.desk))
    assert list(understood.values()) == DAYS[kind]


@pytest.mark.parametrize("kind", sorted(DAYS))
def test_the_check_command_understands_the_day(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "register.toml").write_text(REGISTER)
    (tmp_path / "feed.toml").write_text(f'register_file = "{tmp_path}/register.toml"\n{CONFIG}')
    monkeypatch.setenv("ZRAZKOVO_FEED_TICKET_SECRET", "a secret of the tests")
    secrets = {"theq": "a-path-nobody-guesses", "qm": "a-path-nobody-guesses", "table": "sqlite:///log.db"}
    monkeypatch.setenv("ZRAZKOVO_FEED_SOURCE_SECRETS", json.dumps(secrets))
    day = RECORDED / kind / "day.jsonl"
    assert main(["--config", str(tmp_path / "feed.toml"), "check", "--json", str(day)]) == 0
    calls = json.loads(capsys.readouterr().out)["calls"]
    handed_on = "transferred" if kind in ("qsystem", "qmatic") else "held"
    endings = [(call["desk"], call["ending"]) for call in sorted(calls, key=lambda call: call["called_unix_ms"])]
    assert endings == [
        ("centre-1", "finished"), ("centre-1", "no_show"), ("centre-1", handed_on), ("centre-2", "finished"),
    ]  # fmt: skip


@pytest.mark.parametrize("kind", sorted(DAYS))
def test_a_recording_holds_no_name_password_or_ticket_number(kind: str) -> None:
    text = (RECORDED / kind / "day.jsonl").read_text(encoding="utf-8")
    assert not [word for word in PRIVATE if word in text]


@pytest.mark.parametrize("kind", sorted(DAYS))
def test_the_recorded_days_are_what_the_adapters_record_today(kind: str, tmp_path: Path) -> None:
    made = recorded_day(kind, tmp_path)
    kept = [json.loads(line) for line in (RECORDED / kind / "day.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [without_chance(line) for line in made] == [without_chance(line) for line in kept]


def without_chance(line: dict[str, Any]) -> dict[str, Any]:
    """A recorded line without the id that the tracker draws for each event."""
    value = line["value"]
    return {**line, "value": {**value, "id": "drawn"}} if isinstance(value, dict) and "citizen" in value else line


@pytest.mark.parametrize("text", ["{", "[]", '{"at_unix_ms": 1}', "3"])
def test_a_line_that_is_none_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "day.jsonl"
    path.write_text('{"at_unix_ms": 1, "source": "x", "value": 2}\n' + text + "\n")
    lines = read_recording(path)
    assert next(lines) == (1, "x", 2)
    with pytest.raises(ValueError, match="line 2"):
        next(lines)


def test_a_recording_is_its_owners_alone_and_has_a_file_a_day(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "kept")
    for day in range(2):
        recorder.write("qs", NOON + day * 86_400_000, {"users": []})
    files = sorted((tmp_path / "kept").iterdir())
    assert [file.name for file in files] == ["qs-2026-11-24.jsonl", "qs-2026-11-25.jsonl"]
    assert [file.stat().st_mode & 0o777 for file in files] == [0o600, 0o600]


def test_a_recording_that_cannot_be_written_stops_and_disturbs_nobody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    recorder = Recorder(tmp_path / "file" / "folder")
    for _ in range(3):
        recorder.write("qs", NOON, 1)
    assert len(caplog.records) == 1


def test_a_full_recording_grows_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collector.feed.recording.MOST_BYTES", 100)
    recorder = Recorder(tmp_path)
    for _ in range(50):
        recorder.write("qs", NOON, "x" * 20)
    assert next(tmp_path.iterdir()).stat().st_size < 200


def test_without_a_recorder_nothing_is_kept_and_the_same_look_is_kept_once(tmp_path: Path) -> None:
    source = Source("x", frozenset(), lambda: NOON)
    source.record(1)
    source.recorder = Recorder(tmp_path)
    for value in (1, 1, 2, 2, 1):
        source.record(value, changes_only=True)
    [file] = tmp_path.iterdir()
    assert [line.value for line in read_recording(file)] == [1, 2, 1]
