"""A queue that falls silent while its branch is open: what is a fault, what ends it, and what is none."""

from datetime import date

from collector.fleet.opening import Opening
from collector.fleet.queues import GONE, QUIET, SILENT, UNANSWERED, QueueLimits, QueueWatch
from collector.store.faults import Change, Closed, Opened
from protocol.messages import CallClosed, CallOpened, Pulse
from schemas.register import Branch, CalendarDay, Hours, Organisation, Register

MINUTE = 60_000
NINE = 1795417200000  # Monday, 2026-11-23, 09:00 in Kyiv
LIMITS = QueueLimits(quiet_ms=30 * MINUTE, pulse_ms=200_000, grace_ms=MINUTE)
ORGANISATION = Organisation(name="Центр", name_en="Centre")


class Day:
    """One branch, open from nine to five; what happens and when, in minutes after nine."""

    def __init__(self) -> None:
        self.watch = QueueWatch(LIMITS, lambda branch, now_ms: NINE <= now_ms < NINE + 8 * 60 * MINUTE)
        self.at = -60
        self.calls = 0
        self.beats = True
        self.down = 0
        self.watch.up(NINE - 60 * MINUTE)

    def until(self, minute: int, *, every: int | None = None) -> list[Change]:
        """Lives minute by minute, with a call every so many, if any; what has come of it."""
        while self.at < minute:
            self.at += 1
            now = NINE + self.at * MINUTE
            if self.beats:
                self.watch.pulse("centre", Pulse(1, 0, self.down, 0), now)
            if every and self.at % every == 0:
                self.call()
            self.watch.tick(now)
        return self.watch.take()

    def call(self, *, retained: bool = False) -> None:
        self.calls += 1
        message = CallOpened(f"{self.calls:016d}", NINE, NINE + MINUTE)
        self.watch.call("centre", "centre-1", message, retained, NINE + self.at * MINUTE)


def opened(why: str, branch: str = "centre") -> Opened:
    return Opened("@" + branch, SILENT, None, why)


CLOSED = Closed("@centre", SILENT)


def test_half_an_hour_without_a_call_is_a_fault_and_the_next_call_ends_it() -> None:
    day = Day()
    assert day.until(60, every=10) == []
    assert day.until(89) == []
    assert day.until(90) == [opened(QUIET)]
    assert day.until(300) == []  # one fault, and no pulse ends it
    day.call()
    assert day.watch.take() == [CLOSED]


def test_a_quiet_morning_counts_from_when_the_branch_opened() -> None:
    day = Day()
    day.until(-1, every=10)
    assert day.until(29) == []
    assert day.until(30) == [opened(QUIET)]


def test_nights_are_quiet_and_what_was_wrong_in_the_evening_is_wrong_until_somebody_is_called() -> None:
    day = Day()
    day.until(460, every=10)
    assert day.until(500) == []  # the branch closed at 480, twenty minutes after the last call
    assert day.until(24 * 60 - 5) == []
    late = Day()
    late.until(440, every=10)
    assert late.until(24 * 60 - 5) == [opened(QUIET)]
    assert late.until(24 * 60 - 1) == []
    late.call()
    assert late.watch.take() == [CLOSED]


def test_a_feed_that_says_nothing_for_three_minutes_is_gone_and_back_with_its_first_word() -> None:
    day = Day()
    day.until(60, every=10)
    day.beats = False
    assert day.until(63, every=1) == []
    assert day.until(64) == [opened(GONE)]
    day.beats = True
    assert day.until(65) == [CLOSED]


def test_a_queue_system_that_does_not_answer_its_feed_is_told_of_long_before_the_half_hour() -> None:
    day = Day()
    day.until(60, every=10)
    day.down = 1
    assert day.until(64) == [opened(UNANSWERED)]
    day.down = 0
    assert day.until(65) == [CLOSED]


def test_what_a_feed_tells_again_after_a_reconnect_is_no_news() -> None:
    day = Day()
    day.until(60, every=10)
    same = CallOpened(f"{day.calls:016d}", NINE, NINE + MINUTE)
    day.until(85)
    day.watch.call("centre", "centre-1", same, False, NINE + 85 * MINUTE)
    assert day.until(90) == [opened(QUIET)]


def test_a_branch_that_never_had_a_queue_is_not_silent_and_one_with_a_retained_call_is() -> None:
    day = Day()
    day.beats = False
    assert day.until(300) == []
    day.call(retained=True)
    assert day.until(330) == []  # it was not looked at before: half an hour from now
    assert day.until(331) == [opened(QUIET)]


def test_without_a_connection_nothing_is_judged_and_after_one_time_counts_anew() -> None:
    day = Day()
    day.until(60, every=10)
    day.watch.down()
    assert day.until(200) == []
    day.watch.up(NINE + 200 * MINUTE)
    assert day.until(230) == []
    assert day.until(231) == [opened(QUIET)]


def test_a_fault_found_in_the_store_is_not_opened_twice_and_can_end() -> None:
    day = Day()
    day.until(-10, every=10)
    day.watch.agree({"centre"}, {"centre": QUIET})
    assert day.until(60) == []
    day.call()
    assert day.watch.take() == [CLOSED]


def test_a_branch_that_left_the_register_is_forgotten() -> None:
    day = Day()
    day.until(10, every=5)
    day.beats = False
    day.watch.agree(set(), {})
    assert day.until(200) == []


def test_the_end_of_a_call_is_news_too() -> None:
    day = Day()
    day.until(60, every=10)
    day.until(85)
    day.watch.call("centre", "centre-1", CallClosed(None, NINE), False, NINE + 85 * MINUTE)
    assert day.until(110) == []


def test_a_register_without_hours_means_working_days_from_nine_to_five() -> None:
    branch = Branch(id="centre", name="Центр", name_en="Centre")
    opening = Opening(Register(organisation=ORGANISATION, branches=(branch,)))
    assert [opening.is_open("centre", NINE + at * MINUTE) for at in (-1, 0, 479, 480)] == [False, True, True, False]
    assert not opening.is_open("centre", NINE - 24 * 60 * MINUTE)  # a Sunday
    assert not opening.is_open("elsewhere", NINE)


def test_hours_and_calendar_of_the_register_count_where_it_has_them() -> None:
    branch = Branch(id="centre", name="Центр", name_en="Centre")
    hours = Hours(branch="centre", days="sun", opens="10:00", closes="12:00")
    special = CalendarDay(day=date(2026, 11, 23), kind="open", opens="08:00", closes="09:30")
    opening = Opening(Register(organisation=ORGANISATION, branches=(branch,), hours=(hours,), calendar=(special,)))
    sunday = NINE - 24 * 60 * MINUTE
    assert [opening.is_open("centre", sunday + at * MINUTE) for at in (0, 60, 179, 180)] == [False, True, True, False]
    assert [opening.is_open("centre", NINE + at * MINUTE) for at in (-60, 29, 30)] == [True, True, False]
    assert not opening.is_open("centre", NINE + 24 * 60 * MINUTE)
