"""What is a fault and what is not, in virtual time. Nothing here waits."""

from typing import Any

import pytest

from collector.fleet.watch import Limits, Watch
from collector.store.faults import Change, Closed, Flagged, Opened, Unflagged
from protocol.messages import CallClosed, CallOpened, Health, PadStatus

T0 = 1_795_341_600_000
DESK = "centre-01"
FOR_EVER = 4_102_444_800_000
LIMITS = Limits()


def call_id(number: int) -> str:
    return f"01kb3x9c{number:08d}"


class Desk:
    """A watch that has been connected for long, with one desk; ``now_ms`` counts from then."""

    def __init__(self, *, pads: tuple[str, ...] = (DESK,), faults: dict[tuple[str, str], int] | None = None):
        self.now_ms = T0
        self.watch = Watch(LIMITS, pads, faults or {}, T0)
        self.watch.up(T0)

    def settled(self) -> "Desk":
        """Connected, armed for nothing, and the time for coming back is over."""
        self.status()
        self.health()
        self.after(LIMITS.grace_ms)
        self.health()
        assert self.take() == []
        return self

    def after(self, ms: int) -> "Desk":
        """That much later, told of every tenth of a second."""
        end = self.now_ms + ms
        while self.now_ms < end:
            self.now_ms = min(end, self.now_ms + 100)
            self.watch.tick(self.now_ms)
        return self

    def status(self, phase: str = "dark", call: int | None = None, *, retained: bool = False, **words: Any) -> "Desk":
        fields = {"state": "online", "journal": "11111111", "boot": 1, "firmware": "1", "reset": "power"}
        fields |= {"lamps": "ok", "buttons": "ok", "storage": "ok", "phase": phase} | words
        fields["call"] = call_id(call) if call else None
        self.watch.status(DESK, PadStatus(**fields), retained, self.now_ms)
        return self

    def health(self) -> "Desk":
        self.watch.health(DESK, Health(*([0] * 3), None, *([0] * 8)), self.now_ms)
        return self

    def call(self, number: int, *, retained: bool = False, until_unix_ms: int = FOR_EVER) -> "Desk":
        self.watch.call(DESK, CallOpened(call_id(number), T0, until_unix_ms), retained, self.now_ms)
        return self

    def close(self, number: int) -> "Desk":
        self.watch.call(DESK, CallClosed(call_id(number), T0), False, self.now_ms)
        return self

    def take(self) -> list[Change]:
        return self.watch.take()


# ---- dark pads
def test_a_pad_that_arms_within_two_seconds_is_no_news() -> None:
    desk = Desk().settled().call(1).after(1_900).status("armed", 1).after(60_000)
    assert desk.take() == []


def test_a_pad_that_holds_the_vote_of_the_call_was_lit() -> None:
    assert Desk().settled().call(1).after(500).status("voted", 1).after(10_000).take() == []


def test_a_status_that_overtakes_its_call_counts() -> None:
    assert Desk().settled().status("armed", 1).call(1).after(10_000).take() == []


def test_a_dark_pad_is_a_fault_and_its_call_is_flagged_two_seconds_after_the_call() -> None:
    desk = Desk().settled().call(1).after(1_900)
    assert desk.take() == []
    assert desk.after(100).take() == [Flagged(call_id(1), DESK), Opened(DESK, "dark", call_id(1), "dark")]
    assert desk.after(60_000).take() == []


def test_every_further_call_is_flagged_and_the_fault_stays_one() -> None:
    desk = Desk().settled().call(1).after(5_000).close(1).call(2).after(5_000)
    assert desk.take() == [
        Flagged(call_id(1), DESK),
        Opened(DESK, "dark", call_id(1), "dark"),
        Flagged(call_id(2), DESK),
    ]


def test_a_pad_that_arms_after_two_and_a_half_seconds_closes_its_fault_and_brings_the_call_back() -> None:
    desk = Desk().settled().call(1).after(2_500)
    desk.take()
    assert desk.status("armed", 1).take() == [Unflagged(call_id(1), DESK), Closed(DESK, "dark")]
    assert desk.after(60_000).take() == []


def test_the_fault_ends_at_the_next_call_that_arms_and_the_flagged_one_stays_flagged() -> None:
    desk = Desk().settled().call(1).after(5_000).close(1)
    desk.take()
    # The pad is only told of by the fault that is still open, so the flag of the lit call is taken back to be sure.
    assert desk.call(2).status("armed", 2).take() == [Unflagged(call_id(2), DESK), Closed(DESK, "dark")]


def test_a_status_that_is_not_lit_ends_nothing() -> None:
    desk = Desk().settled().call(1).after(5_000)
    desk.take()
    assert desk.status("dark").status("armed", 9, state="offline").take() == []


def test_word_that_the_pad_was_lit_may_come_after_the_call_has_ended() -> None:
    desk = Desk().settled().call(1).after(2_500).close(1)
    desk.take()
    assert desk.status("armed", 1).take() == [Unflagged(call_id(1), DESK), Closed(DESK, "dark")]


def test_a_call_that_is_over_within_two_seconds_is_not_judged() -> None:
    assert Desk().settled().call(1).after(1_500).close(1).after(60_000).take() == []


def test_a_recall_does_not_give_the_pad_more_time() -> None:
    desk = Desk().settled().call(1).after(1_500).call(1).after(600)
    assert Flagged(call_id(1), DESK) in desk.take()


def test_a_call_that_no_pad_would_trust_any_more_is_not_judged() -> None:
    assert Desk().settled().call(1, until_unix_ms=T0 - 1).after(60_000).take() == []


def test_an_offline_pad_is_dark_at_a_call_at_once() -> None:
    desk = Desk().settled().status(state="offline").call(1).after(2_000)
    assert desk.take() == [Flagged(call_id(1), DESK), Opened(DESK, "dark", call_id(1), "offline")]


def test_a_pad_in_safe_mode_is_told_of_and_is_dark_at_a_call() -> None:
    desk = Desk().settled().status(mode="safe", reset="crash", during="network", boot=2).call(1).after(2_000)
    assert desk.take() == [
        Opened(DESK, "safe_mode", None, "crash during network"),
        Flagged(call_id(1), DESK),
        Opened(DESK, "dark", call_id(1), "safe mode"),
    ]


def test_a_desk_that_never_had_a_pad_is_never_dark() -> None:
    desk = Desk(pads=())
    assert desk.after(LIMITS.grace_ms).call(1).after(3_600_000).take() == []


def test_a_pad_that_was_taken_away_is_not_missed() -> None:
    desk = Desk().settled()
    desk.watch.agree((), (DESK,), {}, desk.now_ms)
    assert desk.status(state="offline").take() == []
    desk.watch.agree((), (DESK,), {}, desk.now_ms)
    assert desk.call(1).after(3_600_000).take() == []


# ---- starts, restarts, outages
def test_at_our_start_an_old_call_and_an_old_status_raise_no_false_alarm() -> None:
    desk = Desk().call(1, retained=True).status("voted", 1, retained=True)
    assert desk.after(10_000).take() == []


def test_at_our_start_a_pad_is_given_time_to_come_back_before_it_is_called_dark() -> None:
    desk = Desk().call(1, retained=True).status(retained=True, state="offline").after(LIMITS.grace_ms - 100)
    assert desk.take() == []
    assert desk.after(100).take() == [Flagged(call_id(1), DESK), Opened(DESK, "dark", call_id(1), "offline")]


def test_our_restart_takes_over_what_is_open_and_opens_nothing_twice() -> None:
    desk = Desk(faults={(DESK, "dark"): T0 - 5, (DESK, "lamps"): T0 - 5})
    desk.call(1, retained=True).status(retained=True, lamps="fault").after(LIMITS.grace_ms)
    assert desk.take() == [Flagged(call_id(1), DESK)]
    assert desk.status("armed", 1).take() == [
        Closed(DESK, "lamps"),
        Unflagged(call_id(1), DESK),
        Closed(DESK, "dark"),
    ]


def test_a_retained_status_of_an_earlier_call_does_not_end_a_fault() -> None:
    desk = Desk(faults={(DESK, "dark"): T0 - 5}).call(2, retained=True).status("armed", 1, retained=True)
    assert desk.take() == []


def test_a_broker_outage_is_one_fault_and_not_one_a_pad() -> None:
    desks = tuple(f"d-{number}" for number in range(1_000))
    desk = Desk(pads=desks)
    for name in desks:
        desk.watch.status(name, PadStatus("online", "dark", None, "1" * 8, 1, "1", "power", "ok", "ok", "ok"), 0, T0)
        desk.watch.call(name, CallOpened(call_id(1), T0, FOR_EVER), False, T0)
    desk.watch.down(desk.now_ms)
    desk.after(LIMITS.broker_ms - 100)
    assert desk.take() == []
    assert desk.after(3_600_000).take() == [Opened("", "broker", None, "")]
    desk.watch.up(desk.now_ms)
    assert desk.after(LIMITS.grace_ms - 1_000).take() == [Closed("", "broker")]


def test_after_an_outage_calls_are_judged_again_once_pads_had_time_to_return() -> None:
    desk = Desk().settled()
    desk.watch.down(desk.now_ms)
    desk.after(20_000).watch.up(desk.now_ms)
    desk.call(1, retained=True).after(LIMITS.grace_ms - 5_000).status("armed", 1).after(60_000)
    assert desk.take() == []


# ---- presence
def test_a_pad_that_is_away_for_too_long_is_a_fault_until_it_is_back() -> None:
    desk = Desk().settled().status(state="offline").after(LIMITS.offline_ms - 100)
    assert desk.take() == []
    assert desk.after(100).take() == [Opened(DESK, "offline", None, "")]
    assert desk.status().take() == [Closed(DESK, "offline")]


def test_a_registered_pad_that_never_shows_up_is_offline() -> None:
    assert Desk().after(LIMITS.grace_ms + LIMITS.offline_ms).take() == [Opened(DESK, "offline", None, "")]


def test_a_last_will_that_comes_after_the_next_birth_is_not_believed() -> None:
    desk = Desk().settled().status(boot=2).status(state="offline", boot=1).status(state="offline", journal="0" * 8)
    assert desk.health().after(LIMITS.silent_ms - 100).take() == []


def test_a_pad_that_sends_no_health_is_told_of_until_it_does() -> None:
    desk = Desk().settled().after(LIMITS.silent_ms)
    assert desk.take() == [Opened(DESK, "silent", None, "")]
    assert desk.health().take() == [Closed(DESK, "silent")]


@pytest.mark.parametrize(
    ("word", "bad"),
    [
        ("lamps", "fault"),
        ("buttons", "stuck"),
        ("storage", "full"),
        ("storage", "fault"),
        ("memory", "low"),
        ("clock", "wrong"),
        ("update", "rolled_back"),
        ("update", "no_space"),
    ],
)
def test_what_a_pad_says_of_itself_is_a_fault_as_long_as_it_says_so(word: str, bad: str) -> None:
    desk = Desk().settled().status(**{word: bad}).status(**{word: bad})
    assert desk.take() == [Opened(DESK, word, None, bad)]
    assert desk.status(**{word: bad}, state="offline").take() == []
    assert desk.status().take() == [Closed(DESK, word)]


def test_what_it_closed_by_hand_and_is_still_wrong_opens_again() -> None:
    desk = Desk().settled().status(lamps="fault")
    desk.take()
    desk.watch.agree((DESK,), (), {}, desk.now_ms)
    assert desk.take() == [Opened(DESK, "lamps", None, "fault")]


def test_three_unasked_for_restarts_are_a_fault_that_ends_when_it_is_quiet() -> None:
    desk = Desk().settled()
    for boot in (2, 3):
        desk.after(10_000).status(boot=boot, reset="watchdog", during="network").health()
    assert desk.take() == []
    desk.after(10_000).status(boot=4, reset="watchdog", during="network").health()
    assert desk.take() == [Opened(DESK, "restarts", None, "watchdog during network")]
    for _ in range(LIMITS.restarts_within_ms // 100_000):
        desk.after(100_000).health()
    assert desk.take() == [Closed(DESK, "restarts")]


def test_restarts_that_were_asked_for_or_are_rare_are_none() -> None:
    desk = Desk().settled()
    for boot in range(2, 9):
        desk.status(boot=boot, reset="soft" if boot % 2 else "update").health()
    for boot in range(9, 14):
        for _ in range(5):
            desk.after(100_000).health()
        desk.status(boot=boot, reset="power").health()
    assert desk.take() == []
