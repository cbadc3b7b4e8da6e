"""What an operator whose pad shows no lights is shown (order P3.3, P3.4). It reads values and asks nobody."""

from collections.abc import Collection, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from api.devices_page import branch_of, local
from api.i18n import Language
from collector.store import Branch, Fault, Register

FOUND_BY_ITSELF = ("dark", "offline", "lamps", "safe_mode")


def choice_values(register: Register, language: Language) -> dict[str, Any]:
    """The values of dark_pads.html: every desk, to be chosen once and kept as a bookmark."""
    return {
        "branches": [
            {
                "id": branch.id,
                "name": language.name_of(branch),
                "desks": [desk for desk in register.desks if desk.branch == branch.id],
            }
            for branch in register.branches
        ]
    }


def report_values(
    register: Register,
    desk: str,
    faults: Sequence[Fault],
    waiting: Collection[int],
    language: Language,
    now_unix_ms: int,
) -> dict[str, Any] | None:
    """The values of dark_pad.html; None if there is no such desk.

    Args:
        faults: of this desk, the newest first.
        waiting: ids of the faults of which somebody is still to be told.
    """
    branch = branch_of(register, desk)
    if branch is None:
        return None
    zone = ZoneInfo(branch.timezone)
    now = local(now_unix_ms, zone)

    def at(unix_ms: int | None) -> str | None:
        return language.clock(local(unix_ms, zone), now.date()) if unix_ms else None

    def told(fault: Fault) -> dict[str, Any]:
        is_under_way = fault.told_unix_ms is None or (not fault.told_unix_ms and fault.id in waiting)
        return {"since": at(fault.opened_unix_ms), "told": at(fault.told_unix_ms), "is_under_way": is_under_way}

    reported = [fault for fault in faults if fault.kind == "reported"]
    is_open = bool(reported) and reported[0].closed_unix_ms is None
    found = next((each for each in faults if each.closed_unix_ms is None and each.kind in FOUND_BY_ITSELF), None)
    closed = reported[0] if reported and not is_open else None
    return {
        "desk": desk,
        "label": next(each.label for each in register.desks if each.id == desk),
        "branch": language.name_of(branch),
        "book": book_of(branch, language),
        "reported": told(reported[0]) if is_open else None,
        "found": told(found) if found else None,
        "mended": at(closed.closed_unix_ms) if closed else None,
    }


def book_of(branch: Branch, language: Language) -> str | None:
    """Where the book of complaints and proposals lies, as the register says it."""
    return branch.complaints_book if language.code == "uk" else branch.complaints_book_en
