"""What the pages call everything about a pad: faults, causes of restarts, self-tests, commands, roll-outs. No logic."""

from collections.abc import Mapping

from api.i18n import Language

GOOD_WORDS = ("ok",)
SELF_TESTS = ("lamps", "buttons", "storage", "memory", "clock")


def fault_words(language: Language) -> Mapping[str, str]:
    """What is wrong, by the fault's kind."""
    _ = language.gettext
    return {
        "dark": _("No lights after a call"),
        "reported": _("The operator reports no lights"),
        "offline": _("No connection"),
        "silent": _("Sends no health"),
        "lamps": _("Lamps faulty"),
        "buttons": _("A button is stuck"),
        "storage": _("Storage full or faulty"),
        "memory": _("Memory runs low"),
        "clock": _("Clock is wrong"),
        "safe_mode": _("Safe mode: takes no votes"),
        "restarts": _("Restarts again and again"),
        "update": _("Update failed"),
        "broker": _("No broker: no pad is being watched"),
        "feed_silent": _("No calls come from the queue"),
    }


def link_words(language: Language) -> Mapping[str, str]:
    """Whether a pad can be reached."""
    _ = language.gettext
    return {"online": _("Connected"), "offline": _("No connection"), "never": _("Not yet switched on")}


def reset_words(language: Language) -> Mapping[str, str]:
    """Why a pad last started."""
    _ = language.gettext
    return {
        "power": _("power came on"),
        "watchdog": _("it hung, the watchdog restarted it"),
        "soft": _("it was asked to"),
        "crash": _("it crashed"),
        "update": _("for an update"),
        "unknown": _("cause unknown"),
    }


def step_words(language: Language) -> Mapping[str, str]:
    """What it was doing when a watchdog or a crash ended it."""
    _ = language.gettext
    return {
        "starting": _("while starting"),
        "buttons": _("while reading its buttons"),
        "network": _("while on the network"),
        "storage": _("while writing to flash"),
        "update": _("while updating"),
        "self_test": _("during its self-test"),
    }


def test_words(language: Language) -> Mapping[str, str]:
    """The parts of a self-test."""
    _ = language.gettext
    return {
        "lamps": _("Lamps"),
        "buttons": _("Buttons"),
        "storage": _("Storage"),
        "memory": _("Memory"),
        "clock": _("Clock"),
    }


def outcome_words(language: Language) -> Mapping[str, str]:
    """What a part of the self-test says of itself."""
    _ = language.gettext
    return {
        "ok": _("in order"),
        "fault": _("faulty"),
        "stuck": _("stuck"),
        "unverified": _("cannot be measured here"),
        "full": _("full"),
        "low": _("runs low"),
        "unset": _("not set"),
        "wrong": _("wrong"),
    }


def update_words(language: Language) -> Mapping[str, str]:
    """What a pad's last update has come to."""
    _ = language.gettext
    return {
        "none": _("no update yet"),
        "loading": _("loading"),
        "waiting": _("loaded, waits for a quiet moment"),
        "trial": _("on trial"),
        "done": _("updated"),
        "refused": _("refused: not genuine or damaged"),
        "no_space": _("no space for it"),
        "rolled_back": _("went back to the version before"),
    }


def command_words(language: Language) -> Mapping[str, str]:
    """What IT asks of a pad."""
    _ = language.gettext
    return {
        "identify": _("Blink"),
        "restart": _("Restart"),
        "report": _("Tell its state"),
        "test": _("Self-test"),
        "settings": _("Lamp settings"),
    }


def answer_words(language: Language) -> Mapping[str | None, str]:
    """What came of it."""
    _ = language.gettext
    return {
        None: _("on its way"),
        "done": _("done"),
        "sent": _("sent"),
        "no_answer": _("sent, no answer"),
        "offline": _("not sent: no connection"),
    }


def rollout_words(language: Language) -> Mapping[str, str]:
    """How a roll-out stands."""
    _ = language.gettext
    return {
        "running": _("under way"),
        "paused": _("paused"),
        "stopped": _("stopped"),
        "undone": _("undone"),
        "done": _("finished"),
    }


def rollout_pad_words(language: Language) -> Mapping[str, str]:
    """How far a pad of a roll-out is."""
    _ = language.gettext
    return {
        "planned": _("later"),
        "offered": _("offered"),
        "loading": _("loading"),
        "trial": _("on trial"),
        "done": _("updated"),
        "skipped": _("needs nothing"),
        "withdrawn": _("offer withdrawn"),
        "refused": _("refused: not genuine or damaged"),
        "no_space": _("no space for it"),
        "rolled_back": _("went back to the version before"),
        "late": _("did not come back in time"),
        "unwell": _("faulty after the update"),
    }
