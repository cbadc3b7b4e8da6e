"""What a doctor finds, and how it is shown: one line a finding, with what to do. It looks at nothing itself.

ok         broker     127.0.0.1:8883 answers, its certificate is good for 812 days
attention  backup     the last is 9 days old
                      > python -m collector backup FOLDER --keep 14
"""

import json
import textwrap
from collections.abc import Iterable, Sequence
from typing import NamedTuple

OK, ATTENTION, FAILED = LEVELS = ("ok", "attention", "failed")
_COLOURS = {OK: "\x1b[32m", ATTENTION: "\x1b[33m", FAILED: "\x1b[31m"}
_PLAIN = "\x1b[0m"
_MARGIN = 11
_NARROWEST = 40


class Finding(NamedTuple):
    """``fix``: what to do, a command or a sentence; "" if there is nothing to do."""

    level: str
    what: str
    said: str
    fix: str = ""


def exit_code(findings: Iterable[Finding]) -> int:
    """0: all is well; 1: something wants attention; 2: something does not work."""
    return max((LEVELS.index(each.level) for each in findings), default=0)


def as_json(findings: Sequence[Finding]) -> str:
    shape = {"worst": LEVELS[exit_code(findings)], "findings": [each._asdict() for each in findings]}
    return json.dumps(shape, ensure_ascii=False, indent=1)


def as_text(findings: Sequence[Finding], *, width: int = 80, colour: bool = False) -> str:
    """For a terminal of ``width`` columns."""
    named = max((len(each.what) for each in findings), default=0) + 2
    room = max(_NARROWEST, width) - _MARGIN - named
    lines = []
    for each in findings:
        level = f"{each.level:<{_MARGIN}}"
        if colour:
            level = _COLOURS[each.level] + level + _PLAIN
        for number, part in enumerate(_wrapped(each.said, room)):
            lines.append((f"{level}{each.what:<{named}}" if number == 0 else " " * (_MARGIN + named)) + part)
        for number, part in enumerate(_wrapped(each.fix, room - 2) if each.fix else []):
            lines.append(" " * (_MARGIN + named) + ("> " if number == 0 else "  ") + part)
    return "\n".join(lines)


def summary(findings: Sequence[Finding]) -> str:
    """The last line."""
    counted = {level: sum(each.level == level for each in findings) for level in LEVELS}
    if counted[FAILED] == counted[ATTENTION] == 0:
        return "all is well"
    parts = [f"{counted[FAILED]} failed"] if counted[FAILED] else []
    parts += [f"{counted[ATTENTION]} to look at"] if counted[ATTENTION] else []
    return f"{', '.join(parts)}, {counted[OK]} ok"


def _wrapped(said: str, room: int) -> list[str]:
    return textwrap.wrap(said, room, break_long_words=False, break_on_hyphens=False) or [""]
