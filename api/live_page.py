"""What the Live page shows before its stream takes over. It draws nothing and knows no single vote (order P3.2e)."""

from typing import Any

from api.device_words import fault_words
from api.i18n import Language
from api.livestate import LiveState
from collector.store import Register
from schemas.resources import LiveCounts, PadState

STATES: tuple[PadState, ...] = ("dark", "armed", "voted", "offline", "never")


def state_words(language: Language) -> dict[PadState, str]:
    """What each state of a pad is called under it."""
    _ = language.gettext
    return {
        "dark": _("No client"),
        "armed": _("Can be rated"),
        "voted": _("Rated"),
        "offline": _("No connection"),
        "never": _("Not yet switched on"),
    }


def live_values(state: LiveState, register: Register, language: Language) -> dict[str, Any]:
    """The values of live.html."""
    words = state_words(language)
    names = {branch.id: language.name_of(branch) for branch in register.branches}
    today = {counts.branch: _today(counts) for counts in state.today.branches}
    return {
        "centre": _today(state.today.centre),
        "day": state.today.centre.day,
        "words": words,
        "fault_words": fault_words(language),
        "faulty": [
            {"desk": desk.desk, "branch": names[desk.branch], "label": desk.label, "kind": desk.faults[0]}
            for desk in state.desks.values()
            if desk.faults
        ],
        "states": [{"name": name, "words": words[name]} for name in STATES],
        "branches": [
            {
                "id": branch.id,
                "name": language.name_of(branch),
                "today": today[branch.id],
                "desks": [
                    {"id": desk.desk, "label": desk.label, "state": desk.state, "words": words[desk.state]}
                    for desk in state.desks.values()
                    if desk.branch == branch.id
                ],
            }
            for branch in register.branches
        ],
    }


def _today(counts: LiveCounts) -> dict[str, Any]:
    rate = counts.votes / counts.eligible_calls if counts.eligible_calls else None
    return {"calls": counts.calls, "votes": counts.votes, "response_rate": rate}
