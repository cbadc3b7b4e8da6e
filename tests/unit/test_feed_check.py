"""``check``: a recorded day through the real rules, without broker or database, and what is said of it."""

import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from collector.feed.__main__ import main
from collector.feed.body import WEBHOOK, Reader, recordable
from collector.feed.check_screen import as_json, show
from collector.feed.recorded_day import read_day
from collector.feed.recording import Recorder
from collector.feed.settings import Settings, load
from collector.feed.site import site_of
from collector.feed.understood import Result, understand

NINE = int(datetime(2026, 11, 23, 9, tzinfo=UTC).timestamp() * 1000)  # 11:00 in Kyiv
REGISTER = """
organisation = {name = "Центр", name_en = "Centre"}
branch = [{id = "centre", name = "Центр", name_en = "Centre"}]
desk = [{id = "centre-1", branch = "centre", label = "1"}, {id = "centre-2", branch = "centre", label = "2"}]
service = [{id = "forms", name = "Бланки", name_en = "Forms", no_call = true}]
operator = [{id = "op-2"}]
assignment = [{operator = "op-2", desk = "centre-2"}]
"""


class Recording:
    """A day as webhook bodies, one event a line."""

    def __init__(self, folder: Path):
        self.config, self.file = folder / "feed.toml", folder / "day.jsonl"
        (folder / "register.toml").write_text(REGISTER, encoding="utf-8")
        self.config.write_text(f'register_file = "{folder}/register.toml"\n', encoding="utf-8")
        self.lines: list[str] = []

    def say(self, kind: str, minute: float, ticket: str | None = None, **more: str | None) -> None:
        at = datetime.fromtimestamp(NINE / 1000 + minute * 60, UTC).isoformat(timespec="milliseconds")
        said: dict[str, Any] = {"event": f"e{len(self.lines)}", "type": kind, "occurred_at": at, "branch": "centre"}
        if ticket is not None:
            said["ticket"] = {"key": f"{ticket}/today", "label": ticket}
            said |= {"desk": "centre-1", "operator": "op-1"}
        said |= more
        self.lines.append(json.dumps({name: value for name, value in said.items() if value is not None}))

    @property
    def settings(self) -> Settings:
        return load(self.config, {})

    def understood(self) -> Result:
        self.file.write_text("\n".join(self.lines) + "\n", encoding="utf-8")
        site = site_of(self.settings)
        return understand(read_day([self.file], self.settings, site), site.branches)

    def shown(self) -> str:
        result, out = self.understood(), io.StringIO()
        show(result, site_of(self.settings).branches, out)
        return out.getvalue()


@pytest.fixture
def day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Recording:
    monkeypatch.setenv("ZRAZKOVO_FEED_TICKET_SECRET", "a secret of the tests")
    return Recording(tmp_path)


def test_a_call_is_told_from_its_summons_to_its_end(day: Recording) -> None:
    day.say("called", 0, "A1", service="passport")
    day.say("recalled", 1, "A1")
    day.say("started", 2, "A1", service="passport")
    day.say("service_switched", 3, "A1", service="residence")
    day.say("finished", 9, "A1")
    [call] = day.understood().calls
    assert (call.ticket, call.operator, call.services, call.recalls) == ("A1", "op-1", ["passport", "residence"], 1)
    assert (call.called_unix_ms, call.armed_unix_ms, call.started_unix_ms) == (NINE, NINE, NINE + 120_000)
    assert (call.ending, call.implied, call.lasted_ms) == ("finished", False, 540_000)


def test_every_thing_that_an_integrator_must_look_at_is_found(day: Recording) -> None:
    day.say("called", 0, "A1")
    day.say("called", 0.03, "A2")  # taken back
    day.say("called", 0.3, "A3")  # too short
    day.say("called", 80, "A4")  # A3 too long, and a gap
    day.say("finished", 79, "A3")  # late
    day.say("called", 78, "A9")  # late
    day.say("called", 81, "B1", desk="centre-2", operator="op-1")  # two desks
    day.say("called", 82, "C1", service="forms")
    found = day.understood().findings
    assert found.endings == {"void": 1, "next_call": 2, "finished": 1, "end_of_day": 1}
    assert (found.corrected, found.short, found.long) == (1, 1, 2)
    assert (found.late_summonses, found.out_of_order, found.most_out_of_order_ms) == (1, 2, 120_000)
    assert [branch for branch, _, _ in found.gaps] == ["centre"]
    assert found.at_two_desks == {"op-1": 1}
    assert found.not_called == {"forms": 1}
    assert found.understood
    text = day.shown()
    for words in (
        "void: taken back",
        "finished (was next_call)",
        "by up to 120 s",
        "two desks at once",
        "forms is never",
    ):
        assert words in text


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda day: day.lines.append("not json"), "day.jsonl, line 2"),
        (lambda day: day.say("called", 1, "A2", desk="centre-9"), "no desk of centre is called centre-9"),
        (lambda day: day.say("called", 1, "A2", branch="elsewhere"), "no branch is called elsewhere"),
        (lambda day: day.say("called", 1, "A2", desk=None), "op-1 called and named no desk: 1"),
        (lambda day: day.lines.append('{"at_unix_ms": 1, "source": "main", "value": []}'), "no queue system 'main'"),
        (lambda day: day.lines.append('{"at_unix_ms": "x", "source": "webhook", "value": []}'), "not a line"),
        (lambda day: day.lines.append("[]"), "1 to 500 events"),
    ],
)
def test_what_cannot_be_understood_is_named_and_the_exit_code_is_1(
    day: Recording, spoil: Any, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    day.say("called", 0, "A1")
    day.understood()
    assert main(["--config", str(day.config), "check", str(day.file)]) == 0
    assert "everything was understood" in capsys.readouterr().out
    spoil(day)
    assert words in day.shown()
    assert main(["--config", str(day.config), "check", str(day.file)]) == 1
    assert "not everything was understood" in capsys.readouterr().out


def test_who_calls_without_a_desk_is_placed_by_the_registers_assignment(day: Recording) -> None:
    day.say("called", 0, "A1", desk=None, operator="op-2")
    result = day.understood()
    assert [call.desk for call in result.calls] == ["centre-2"]
    assert result.findings.understood


def test_json_has_the_same(day: Recording, capsys: pytest.CaptureFixture[str]) -> None:
    day.say("called", 0, "A1")
    result = day.understood()
    assert main(["--config", str(day.config), "check", "--json", str(day.file)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == json.loads(as_json(result))
    assert told["calls"][0]["ending"] == "end_of_day"
    assert told["findings"]["understood"] is True


def test_what_the_webhook_records_is_read_back_and_holds_no_ticket(day: Recording, tmp_path: Path) -> None:
    day.say("called", 0, "A-secret-1")
    day.say("finished", 5, "A-secret-1")
    site = site_of(day.settings)
    reader = Reader(site.desks, frozenset(site.branches), site.ticket_secret, site.seats)
    recorder = Recorder(tmp_path / "recorded")
    for place, line in enumerate(day.lines):
        read = reader.read(line.encode(), NINE + 86_400_000)
        assert isinstance(read, dict)
        recorder.write(WEBHOOK, NINE + 1500 + place * 300_000, recordable(read))
    recorder.write(WEBHOOK, NINE + 400_000, {"refused": ["desk no desk of centre is called centre-9"]})
    [file] = (tmp_path / "recorded").iterdir()
    assert "secret-1" not in file.read_text(encoding="utf-8")
    result = understand(read_day([file], day.settings, site), site.branches)
    [call] = result.calls
    assert (call.ending, call.armed_unix_ms) == ("finished", NINE + 1500)
    assert list(result.findings.not_understood) == ["webhook: refused: desk no desk of centre is called centre-9"]
    assert result.findings.clocks == {"centre": 1500}


def test_a_day_of_another_feed_and_a_bottomless_line_are_told_in_a_line_each(day: Recording) -> None:
    day.say("called", 0, "A1")
    day.lines += [json.dumps({"at_unix_ms": NINE + n, "source": "theirs", "value": []}) for n in range(500)]
    day.lines.append("[" * 100_000)
    result = day.understood()
    assert len(result.calls) == 1
    deep, theirs = sorted(result.findings.not_understood.items())
    assert deep == ("day.jsonl, line 502: nested too deeply", 1)
    assert "'theirs'" in theirs[0] and theirs[1] == 500


def test_a_file_that_is_not_there_is_named(day: Recording, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--config", str(day.config), "check", str(day.file)]) == 1
    assert "day.jsonl" in capsys.readouterr().err
