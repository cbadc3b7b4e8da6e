"""How ``python -m collector.feed check`` shows what it understood: a table a desk, then what to look at; or JSON."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, fields
from datetime import UTC, datetime
from itertools import groupby
from typing import TextIO
from zoneinfo import ZoneInfo

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from collector.feed.model import Branch
from collector.feed.understood import LONG_MS, SHORT_MS, Findings, Result, Understood

_WHY = {
    "next_call": "the next was called",
    "absent": "called in vain: the next came at once",
    "void": "taken back within seconds",
    "end_of_day": "nobody ended it: its time was over",
    "idle": "nothing heard for too long",
    "operator_closed": "the operator logged off",
    "operator_moved": "the operator called elsewhere",
    "called_elsewhere": "the client was called elsewhere",
    "resumed": "ended by implication, called again later",
    "reset": "the queue was reset",
    "no_show": "the client did not come",
    "left": "the client left",
}
_WIDE = 110  # columns from which on a table has everything


def as_json(result: Result) -> str:
    calls = [asdict(each) | {"implied": each.implied, "eligible": each.eligible} for each in result.calls]
    findings = {each.name: getattr(result.findings, each.name) for each in fields(Findings)}
    findings["understood"] = result.findings.understood
    return json.dumps({"calls": calls, "findings": findings}, ensure_ascii=False, indent=1)


def show(result: Result, branches: Mapping[str, Branch], out: TextIO) -> None:
    """Draws it, as wide as the terminal is; into a file or pipe 160 columns wide, without colours."""
    console = Console(file=out, highlight=False)
    if not console.is_terminal:
        console = Console(file=out, highlight=False, width=160)
    for (branch, desk), calls in groupby(result.calls, key=lambda call: (call.branch, call.desk)):
        zone = ZoneInfo(branches[branch].timezone)
        console.print(_desk(f"{branch}  {desk}", list(calls), zone, wide=console.width >= _WIDE))
    _summary(console, result, branches)


def _desk(title: str, calls: list[Understood], zone: ZoneInfo, *, wide: bool) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD, pad_edge=False, expand=wide)
    table.add_column("called", no_wrap=True)
    table.add_column("ticket", overflow="ellipsis", no_wrap=True, max_width=12 if wide else 8)
    table.add_column("operator", overflow="ellipsis", no_wrap=True, max_width=20 if wide else 10)
    table.add_column("service", overflow="fold", max_width=30 if wide else 12)
    if wide:
        table.add_column("armed", justify="right", no_wrap=True)
        table.add_column("recalls", justify="right")
        table.add_column("started", justify="right", no_wrap=True)
    table.add_column("lasted", justify="right", no_wrap=True)
    table.add_column("how it ended", overflow="fold", ratio=1 if wide else None)
    for call in calls:
        more = (_after(call.armed_unix_ms, call), str(call.recalls or ""), _after(call.started_unix_ms, call))
        table.add_row(
            _clock(call.called_unix_ms, zone),
            Text(call.ticket),
            Text(call.operator or "?"),
            Text(" > ".join(call.services) or "?"),
            *(more if wide else ()),
            _lasted(call.lasted_ms),
            _ending(call),
        )
    return table


def _ending(call: Understood) -> Text:
    if call.ending is None:
        return Text("open")
    words = _WHY.get(call.ending)
    text = Text(call.ending if words is None else f"{call.ending}: {words}", style="" if not call.implied else "yellow")
    if call.corrected:
        text.append(f" (was {call.corrected})", style="dim")
    if call.armed_unix_ms is None:
        text.append(" (no pad armed: heard too late)", style="red")
    if not call.eligible:
        text.append(" (counts only with a vote)", style="dim")
    return text


def _summary(console: Console, result: Result, branches: Mapping[str, Branch]) -> None:
    findings = result.findings
    console.print()
    repeated = f", {findings.repeated} of them repeated" if findings.repeated else ""
    console.print(Text(f"{findings.events + findings.repeated} events{repeated}; {len(result.calls)} calls", "bold"))
    endings = ", ".join(f"{name} {number}" for name, number in findings.endings.most_common())
    if endings:
        console.print(Text(f"  ended: {endings}"))
    for line in _to_look_at(result, branches):
        console.print(Text("  look at: " + line, "yellow"))
    for what, times in findings.not_understood.items():
        console.print(Text(f"  not understood: {what}" + (f" ({times} times)" if times > 1 else ""), "red"))
    for operator, times in findings.unplaced.most_common():
        console.print(
            Text(
                f"  not understood: {operator} called and named no desk: {times}; the register may assign one",
                "red",
            )
        )
    verdict = "everything was understood" if findings.understood else "not everything was understood"
    console.print(Text(verdict, "green" if findings.understood else "bold red"))


def _to_look_at(result: Result, branches: Mapping[str, Branch]) -> Iterator[str]:
    findings, ended = result.findings, len(result.calls)
    implied = sum(call.implied for call in result.calls)
    if implied:
        yield f"{implied} of {ended} calls ({implied * 100 // ended} %) were ended by us, not by the queue"
    if findings.corrected:
        yield f"{findings.corrected} endings came after the next call and corrected ours"
    if findings.short:
        yield f"calls shorter than {SHORT_MS // 1000} s: {findings.short}; if clients did not come, set absent_seconds"
    if findings.long:
        yield f"calls longer than {LONG_MS // 60_000} min: {findings.long}"
    yield from _times(findings, branches)
    for operator, times in findings.at_two_desks.most_common():
        yield f"{operator} had calls at two desks at once ({times} times): a login that desks share?"
    for service, times in findings.not_called.most_common():
        yield f"{service} is never called, by the settings: {times} times no pad was armed"


def _times(findings: Findings, branches: Mapping[str, Branch]) -> Iterator[str]:
    if findings.late_summonses:
        yield f"{findings.late_summonses} calls came so late that their desk had gone on: no pad was armed"
    if findings.out_of_order:
        most_s = findings.most_out_of_order_ms / 1000
        yield f"{findings.out_of_order} events came out of order, by up to {most_s:.0f} s"
    if findings.ahead:
        yield f"{findings.ahead} events claimed to lie ahead: the queue's clock, or its time zone, is wrong"
    for branch, behind_ms in findings.clocks.items():
        if abs(behind_ms) >= 2000:
            yield f"{branch}: the queue's clock or its news is {behind_ms / 1000:.0f} s behind ours"
    for branch, behind_ms in findings.set_back.items():
        yield f"{branch}: the queue's clock was set back by {behind_ms // 1000} s during the day"
    for branch, since, until in findings.gaps:
        zone = ZoneInfo(branches[branch].timezone)
        yield f"{branch}: nothing was heard from {_clock(since, zone)} to {_clock(until, zone)}"


def _clock(unix_ms: int, zone: ZoneInfo) -> str:
    return datetime.fromtimestamp(unix_ms / 1000, UTC).astimezone(zone).strftime("%H:%M:%S")


def _after(unix_ms: int | None, call: Understood) -> str:
    return "" if unix_ms is None else f"+{(unix_ms - call.called_unix_ms) / 1000:.0f} s"


def _lasted(lasted_ms: int | None) -> str:
    if lasted_ms is None:
        return ""
    minutes, seconds = divmod(lasted_ms // 1000, 60)
    return f"{minutes}:{seconds:02}"
