"""What the Updates page shows: versions on the pads and roll-outs stage by stage. It reads values and asks nobody."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import Any
from zoneinfo import ZoneInfo

from api import device_words as words
from api.devices_page import local
from api.i18n import Language
from collector.store import PadRow, Register, Rollout, RolloutPad

FAILED = ("refused", "no_space", "rolled_back", "late", "unwell")
STAGES: Mapping[str, tuple[str, ...]] = {
    "careful": ("1", "10%", "100%"),
    "half": ("1", "50%", "100%"),
    "all": ("100%",),
}
WISHES: Mapping[str, tuple[str, ...]] = {
    "running": ("pause", "stop", "undo"),
    "paused": ("resume", "stop", "undo"),
    "stopped": ("undo",),
    "done": ("undo",),
    "undone": (),
}


def plan_words(language: Language) -> dict[str, str]:
    """The ways to bring a version to the pads."""
    _ = language.gettext
    return {
        "careful": _("One pad, then ten per cent, then all"),
        "half": _("One pad, then half of them, then all"),
        "all": _("All at once"),
    }


def updates_values(
    register: Register,
    pads: Sequence[PadRow],
    rollouts: Sequence[tuple[Rollout, Sequence[RolloutPad]]],
    language: Language,
    now_unix_ms: int,
) -> dict[str, Any]:
    """The values of updates.html; ``rollouts`` are the newest first."""
    shown = [rollout_value(register, *each, language, now_unix_ms) for each in rollouts]
    counted = Counter(pad.firmware for pad in pads if pad.firmware)
    return {
        "newest": shown[0] if shown else None,
        "earlier": shown[1:],
        "versions": [{"version": version, "pads": number} for version, number in sorted(counted.items())],
        "known": sum(counted.values()),
        "unknown": len(pads) - sum(counted.values()),
        "plans": plan_words(language),
    }


def rollout_value(
    register: Register, rollout: Rollout, pads: Sequence[RolloutPad], language: Language, now_unix_ms: int
) -> dict[str, Any]:
    """One roll-out as the pages show it."""
    zone = ZoneInfo(register.branches[0].timezone) if register.branches else UTC
    now = local(now_unix_ms, zone)
    places = _places(register, language)
    state_words = words.rollout_pad_words(language)
    wanted = [pad for pad in pads if pad.state != "skipped"]
    counted = Counter(pad.state for pad in pads)
    return {
        "version": rollout.version,
        "state": rollout.state,
        "words": words.rollout_words(language)[rollout.state],
        "reason": rollout.reason,
        "by": rollout.asked_by,
        "started": language.clock(local(rollout.started_unix_ms, zone), now.date()),
        "ended": rollout.ended_unix_ms and language.clock(local(rollout.ended_unix_ms, zone), now.date()),
        "planned": bool(pads),
        "done": counted["done"],
        "wanted": len(wanted),
        "failed": sum(counted[state] for state in FAILED),
        "is_active": rollout.state in ("running", "paused"),
        "wishes": WISHES[rollout.state],
        "stages": [
            {
                "number": number + 1,
                "asked": asked,
                "done": sum(pad.state == "done" for pad in wanted if pad.stage == number),
                "pads": sum(pad.stage == number for pad in wanted),
                "is_current": number == rollout.stage and rollout.state in ("running", "paused"),
            }
            for number, asked in enumerate(rollout.stages)
        ],
        "pads": [
            {
                "desk": pad.desk,
                "place": places.get(pad.desk, pad.desk),
                "stage": pad.stage + 1,
                "before": pad.before,
                "state": pad.state,
                "words": state_words.get(pad.state, pad.state),
                "is_failed": pad.state in FAILED,
                "at": language.clock(local(pad.changed_unix_ms, zone), now.date()),
            }
            for pad in pads
        ],
    }


def _places(register: Register, language: Language) -> dict[str, str]:
    _ = language.gettext
    names = {branch.id: language.name_of(branch) for branch in register.branches}
    return {
        desk.id: _("%(branch)s, desk %(label)s") % {"branch": names[desk.branch], "label": desk.label}
        for desk in register.desks
    }
