"""What became of a command: decided by what the pad says afterwards. Pure."""

from typing import NamedTuple

from collector.fleet.watch import Pad
from collector.store import PadCommand
from protocol.messages import Command, Settings

# How long a pad that is away is waited for, and how long one that was asked may take.
OFFLINE_MS, ANSWER_MS = 60_000, 60_000
# What no pad tells the effect of; settings are retained besides, so they wait at the broker for a pad that is away.
_UNANSWERED = ("identify", "settings")


class Before(NamedTuple):
    """How the pad was when it was asked."""

    journal: str
    boot: int
    self_tests: int
    health_ms: int


def before(pad: Pad | None) -> Before:
    if pad is None or pad.status is None:
        return Before("", -1, 0, 0)
    tests = pad.health.self_tests if pad.health else 0
    return Before(pad.status.journal, pad.status.boot, tests, pad.health_ms)


def message(command: PadCommand) -> Command | Settings:
    """What goes to the pad."""
    return Settings(**command.settings or {}) if command.do == "settings" else Command(command.id, command.do)


def may_send(command: PadCommand, pad: Pad | None) -> bool:
    return command.do == "settings" or (pad is not None and pad.online)


def outcome(command: PadCommand, was: Before | None, pad: Pad | None, now_ms: int) -> str | None:
    """One of the store's outcomes, or None while it is under way. ``was`` is None if it was sent in a life before."""
    if command.sent_unix_ms is None:
        return "offline" if now_ms - command.asked_unix_ms >= OFFLINE_MS else None
    if command.do in _UNANSWERED:
        return "sent"
    if was is not None and pad is not None and _happened(command.do, was, pad):
        return "done"
    return "no_answer" if now_ms - command.sent_unix_ms >= ANSWER_MS else None


def _happened(do: str, was: Before, pad: Pad) -> bool:
    if pad.status is None or not pad.online:
        return False
    if do == "restart":
        return (pad.status.journal, pad.status.boot) != (was.journal, was.boot)
    if do == "test":
        return pad.health is not None and pad.health.self_tests > was.self_tests
    return pad.health_ms > was.health_ms
