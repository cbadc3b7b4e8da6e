"""What the Devices page and a desk's own page show. It reads values and asks nobody.

No rating, no counter of votes and no phase of a pad is on these pages: whoever looks after pads is told nothing of a
single vote (order P3.2e).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from api import device_words as words
from api.i18n import Language
from collector.store import Branch, Credential, Fault, PadCommand, PadRow, Register

FRESH_COMMAND_MS = 15 * 60 * 1000  # so long the list shows what was last asked of a pad
HISTORY = 50


@dataclass(frozen=True)
class Filters:
    """What the list is narrowed to; "" and False narrow nothing."""

    branch: str
    version: str
    text: str
    only_faulty: bool

    @classmethod
    def of(cls, asked: Mapping[str, str]) -> "Filters":
        return cls(
            asked.get("branch", ""), asked.get("version", ""), asked.get("q", "")[:80].strip(), "faulty" in asked
        )

    def let_pass(self, pad: PadRow, searched: str, faulty: bool) -> bool:
        """``searched`` is every text by which the pad may be looked for."""
        return (
            self.branch in ("", pad.branch)
            and self.version in ("", pad.firmware)
            and (faulty or not self.only_faulty)
            and all(word in searched.casefold() for word in self.text.casefold().split())
        )

    @property
    def narrow(self) -> bool:
        return bool(self.branch or self.version or self.text or self.only_faulty)


@dataclass(frozen=True)
class Seen:
    """Everything about the pads at one moment."""

    register: Register
    pads: list[PadRow]
    open_faults: list[Fault]
    credentials: list[Credential]
    commands: list[PadCommand]
    now_unix_ms: int


class DevicesPage:
    """Turns what was seen into the values of the templates, in one language."""

    def __init__(self, seen: Seen, language: Language):
        self._seen = seen
        self._language = language
        self._branches = {branch.id: branch for branch in seen.register.branches}
        self._faults: dict[str, list[Fault]] = {}
        for fault in sorted(seen.open_faults, key=lambda each: each.opened_unix_ms):
            self._faults.setdefault(fault.desk, []).append(fault)
        self._devices = {each.desk: each for each in seen.credentials}
        self._asked: dict[str, PadCommand] = {}
        for command in seen.commands:  # the newest first
            self._asked.setdefault(command.desk, command)

    def values(self, filters: Filters) -> dict[str, Any]:
        """The values of devices.html."""
        seen = self._seen
        shown = [pad for pad in seen.pads if self._passes(filters, pad)]
        return {
            "summary": self._summary(),
            "filters": filters,
            "branch_choices": [(branch.id, self._language.name_of(branch)) for branch in seen.register.branches],
            "versions": sorted({pad.firmware for pad in seen.pads if pad.firmware}),
            "everywhere": [self.fault(fault) for fault in self._faults.get("", [])],
            "total": len(seen.pads),
            "shown": len(shown),
            "branches": [
                {"id": branch.id, "name": self._language.name_of(branch), "rows": rows}
                for branch in seen.register.branches
                if (rows := [self.row(pad) for pad in shown if pad.branch == branch.id])
            ],
        }

    def row(self, pad: PadRow) -> dict[str, Any]:
        """One pad with everything that the list and its own page show of it."""
        language, health = self._language, pad.health or {}
        link = pad.state or "never"
        uptime_s = self._uptime_s(pad)
        device = self._devices.get(pad.desk)
        asked = self._asked.get(pad.desk)
        is_fresh = asked is not None and self._seen.now_unix_ms - asked.asked_unix_ms < FRESH_COMMAND_MS
        return {
            "desk": pad.desk,
            "label": pad.label,
            "branch": language.name_of(self._branches[pad.branch]),
            "link": link,
            "link_words": words.link_words(language)[link],
            "is_safe": pad.mode == "safe",
            "faults": [self.fault(fault) for fault in self._faults.get(pad.desk, [])],
            "firmware": pad.firmware,
            "updated": words.update_words(language).get(pad.update or ""),
            "update_state": pad.update,
            "board": pad.board or (device.board if device else None),
            "hardware": device.hardware if device else None,
            "uptime": None if uptime_s is None else language.duration(uptime_s),
            "started": None if uptime_s is None else self._clock(pad, self._seen.now_unix_ms - uptime_s * 1000),
            "why": self._why(pad),
            "signal_dbm": health.get("signal_dbm"),
            "is_wired": bool(health) and health.get("signal_dbm") is None,
            "outbox": health.get("outbox"),
            "tests": self._tests(pad),
            "asked": self.command(asked) if is_fresh and asked else None,
            # Of one that is there, this moment would be when it was last pressed.
            "away_since": self._clock(pad, pad.changed_unix_ms or 0) if pad.state == "offline" else None,
            "health_at": None if pad.health_unix_ms is None else self._clock(pad, pad.health_unix_ms),
            "health": health,
        }

    def fault(self, fault: Fault) -> dict[str, Any]:
        """A fault, open or closed."""
        zone = self._zone(fault.branch)
        ended_unix_ms = fault.closed_unix_ms or self._seen.now_unix_ms
        return {
            "id": fault.id,
            "kind": fault.kind,
            "branch": self._language.name_of(self._branches[fault.branch])
            if not fault.desk and fault.branch in self._branches
            else None,
            "words": words.fault_words(self._language).get(fault.kind, fault.kind),
            "since": self._at(fault.opened_unix_ms, zone),
            "lasted": self._language.duration((ended_unix_ms - fault.opened_unix_ms) / 1000),
            "is_open": fault.closed_unix_ms is None,
            "closed_by": fault.closed_by,
            "reported_by": fault.reported_by,
            "detail": fault.detail,
            "told": self._at(fault.told_unix_ms, zone) if fault.told_unix_ms else None,
        }

    def command(self, command: PadCommand) -> dict[str, Any]:
        """Something asked of a pad and what came of it."""
        pad = next((each for each in self._seen.pads if each.desk == command.desk), None)
        return {
            "words": words.command_words(self._language).get(command.do, command.do),
            "do": command.do,
            "by": command.asked_by,
            "at": self._at(command.asked_unix_ms, self._zone(pad.branch if pad else None)),
            "outcome": command.outcome or "waiting",
            "answer": words.answer_words(self._language).get(command.outcome, command.outcome),
            "settings": command.settings,
        }

    def _summary(self) -> dict[str, Any]:
        pads = self._seen.pads
        return {
            "pads": len(pads),
            "connected": sum(pad.state == "online" for pad in pads),
            "faulty": sum(bool(self._faults.get(pad.desk)) for pad in pads),
            "faults": sum(map(len, self._faults.values())),
            "versions": len({pad.firmware for pad in pads if pad.firmware}),
            "outbox": sum((pad.health or {}).get("outbox") or 0 for pad in pads),
        }

    def _passes(self, filters: Filters, pad: PadRow) -> bool:
        branch = self._branches[pad.branch]
        device = self._devices.get(pad.desk)
        texts = [pad.desk, pad.label, branch.id, branch.name, branch.name_en, pad.board, device and device.hardware]
        return filters.let_pass(pad, " ".join(text for text in texts if text), bool(self._faults.get(pad.desk)))

    def _uptime_s(self, pad: PadRow) -> int | None:
        """How long it has been running by its last health, if it is there at all."""
        if pad.state != "online" or not pad.health or pad.health_unix_ms is None:
            return None
        return (pad.health.get("uptime_s") or 0) + max(0, self._seen.now_unix_ms - pad.health_unix_ms) // 1000

    def _why(self, pad: PadRow) -> str | None:
        if pad.reset is None:
            return None
        why = words.reset_words(self._language).get(pad.reset, pad.reset)
        step = words.step_words(self._language).get(pad.during or "")
        return f"{why}, {step}" if step else why

    def _tests(self, pad: PadRow) -> list[dict[str, Any]]:
        parts, outcomes = words.test_words(self._language), words.outcome_words(self._language)
        found = ((name, getattr(pad, name)) for name in words.SELF_TESTS)
        return [
            {"name": name, "part": parts[name], "outcome": outcome, "words": outcomes.get(outcome, outcome)}
            for name, outcome in found
            if outcome is not None
        ]

    def _zone(self, branch: str | None) -> tzinfo:
        known = self._branches.get(branch or "")
        return ZoneInfo(known.timezone) if known else UTC

    def _clock(self, pad: PadRow, unix_ms: int) -> str:
        return self._at(unix_ms, self._zone(pad.branch))

    def _at(self, unix_ms: int, zone: tzinfo) -> str:
        return self._language.clock(local(unix_ms, zone), local(self._seen.now_unix_ms, zone).date())


def local(unix_ms: int, zone: tzinfo) -> datetime:
    return datetime.fromtimestamp(unix_ms / 1000, UTC).astimezone(zone)


def branch_of(register: Register, desk: str) -> Branch | None:
    """The branch of a desk of the register; None if there is no such desk."""
    name = next((each.branch for each in register.desks if each.id == desk), None)
    return next((branch for branch in register.branches if branch.id == name), None)


def last_settings(commands: Iterable[PadCommand]) -> dict[str, int]:
    """The lamp settings asked for last, else the pads' own."""
    asked = next((each.settings for each in commands if each.do == "settings" and each.settings), None)
    return {"armed_pct": 100, "chosen_pct": 100, "chosen_s": 0} | (asked or {})


def today(now_unix_ms: int, zone: tzinfo) -> date:
    return local(now_unix_ms, zone).date()
