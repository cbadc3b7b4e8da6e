"""What the Try-a-pad page shows before its stream takes over: the desk, its branch's day, every word it may need."""

from typing import Any

from api.figures_page import rating_names
from api.i18n import Language
from api.livestate import LiveState
from collector.store import Register

BUTTONS = ((1, "bad"), (2, "good"), (3, "exemplary"))


def try_values(register: Register, state: LiveState, desk: str | None, language: Language) -> dict[str, Any]:
    """The values of try.html for ``desk``, or for the first desk of the register."""
    names = rating_names(language)
    branches = {branch.id: language.name_of(branch) for branch in register.branches}
    desks = list(state.desks.values())
    chosen = state.desks.get(desk or "") or (desks[0] if desks else None)
    today = {counts.branch: counts for counts in state.today.branches}
    return {
        "buttons": [{"number": number, "id": name, "words": names[name]} for number, name in BUTTONS],
        "chosen": chosen,
        "branch_name": branches[chosen.branch] if chosen else "",
        "today": today[chosen.branch] if chosen else None,
        "groups": [(name, [each for each in desks if each.branch == branch]) for branch, name in branches.items()],
        "words": _words(names, language),
    }


def _words(names: dict[str, str], language: Language) -> dict[str, str]:
    _ = language.gettext
    lit = _("“%(rating)s” stays lit: the vote is taken. Further presses change nothing.")
    return {
        "000": _("Dark: no client is called. A press changes nothing."),
        "111": _("Three lamps are lit: the client may rate now."),
        "100": lit.replace("%(rating)s", names["bad"]),
        "010": lit.replace("%(rating)s", names["good"]),
        "001": lit.replace("%(rating)s", names["exemplary"]),
        "other": _("The pad is showing a sign of its own."),
        "away": _("This pad does not answer just now."),
        "call": _("Call a client"),
        "next": _("Call the next client"),
        "refused": _("The demonstration did not do that."),
        "unreachable": _("The server does not answer. Try again in a moment."),
        "timing": _("Press to lamp %(lamp)s ms, press to figure %(figure)s ms"),
        "timing_lamp": _("Press to lamp %(lamp)s ms"),
    }
