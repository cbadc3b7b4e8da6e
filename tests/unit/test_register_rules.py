"""Registers with days: what holds when, and every way in which rows do not fit together."""

import tomllib
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from schemas.opening import is_open, opening_hours
from schemas.register import Register

GOOD = """
[organisation]
name = "Прозорий офіс"
name_en = "Transparent Office"

[[branch]]
id = "centre"
name = "Центр"
name_en = "Centre"

[[branch]]
id = "old-town"
name = "Старе місто"
name_en = "Old Town"
valid_to = 2026-06-30
merged_into = "centre"

[[direction]]
id = "documents"
name = "Документи"
name_en = "Documents"

[[service]]
id = "passport"
name = "Паспорт"
name_en = "Passport"
direction = "documents"
valid_to = 2026-05-31

[[service]]
id = "passport"
name = "Паспорт та ID-картка"
name_en = "Passport and ID card"
direction = "documents"
valid_from = 2026-06-01

[[desk]]
id = "desk-1"
branch = "centre"
label = "1"

[[desk]]
id = "desk-2"
branch = "old-town"
label = "1"
valid_to = 2026-06-30

[[desk]]
id = "desk-2"
branch = "centre"
label = "2"
valid_from = 2026-07-01

[[participant]]
id = "land-office"
name = "Земельне управління"
name_en = "Land office"
valid_from = 2026-01-01

[[operator]]
id = "op-1"
valid_to = 2026-03-14

[[operator]]
id = "op-1"
kind = "participant"
participant = "land-office"
valid_from = 2026-03-15

[[assignment]]
operator = "op-1"
desk = "desk-1"
valid_to = 2026-03-14

[[assignment]]
operator = "op-1"
desk = "desk-2"
valid_from = 2026-03-15

[[hours]]
branch = "centre"
days = "mon-fri"
opens = "08:00"
closes = "12:00"

[[hours]]
branch = "centre"
days = "mon-fri"
opens = "13:00"
closes = "20:00"

[[calendar]]
day = 2026-12-24
kind = "closed"
note = "Інвентаризація"

[[calendar]]
day = 2026-12-24
kind = "open"
branch = "centre"
opens = "09:00"
closes = "13:00"

[[calendar]]
day = 2026-12-26
kind = "open"
as_day = "fri"
"""


def register(old: str = "", new: str = "") -> Register:
    assert old in GOOD
    return Register.model_validate(tomllib.loads(GOOD.replace(old, new, 1) if old else GOOD))


def test_a_day_sees_the_rows_valid_on_it() -> None:
    may, july = register().on(date(2026, 5, 31)), register().on(date(2026, 7, 1))
    assert [each.name_en for each in may.services] == ["Passport"]
    assert [each.name_en for each in july.services] == ["Passport and ID card"]
    assert [(each.id, each.branch) for each in may.desks] == [("desk-1", "centre"), ("desk-2", "old-town")]
    assert [(each.id, each.branch) for each in july.desks] == [("desk-1", "centre"), ("desk-2", "centre")]
    assert [each.id for each in july.branches] == ["centre"]
    assert register().on(date(2026, 3, 14)).operators[0].participant is None
    assert register().on(date(2026, 3, 15)).operators[0].participant == "land-office"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("valid_to = 2026-05-31", "valid_to = 2026-06-01", "service 'passport' has two rows for 2026-06-01"),
        ("valid_from = 2026-06-01", "", "service 'passport' is there twice"),
        ("valid_to = 2026-05-31", "valid_to = 2026-04-30", "'passport' was closed on 2026-04-30 .* a new id"),
        ("valid_from = 2026-07-01", "valid_from = 2026-07-01\nvalid_to = 2026-06-30", "'desk-2' ends before it begins"),
        ("valid_to = 2026-06-30\n\n[[desk]]", "\n[[desk]]", "'desk-2' has two rows for 2026-07-01"),
        (
            'branch = "old-town"\nlabel = "1"\nvalid_to = 2026-06-30',
            'branch = "old-town"\nlabel = "1"\nvalid_from = 2026-06-01\nvalid_to = 2026-07-31',
            "from 2026-07-01 to 2026-07-31, when there is no branch 'old-town'",
        ),
        ('direction = "documents"', 'direction = "papers"', "service 'passport' names an unknown direction 'papers'"),
        ("valid_from = 2026-03-15", "valid_from = 2025-12-15", "until|twice|two rows"),
        ('valid_to = 2026-06-30\nmerged_into = "centre"', 'merged_into = "centre"', "merged but goes on"),
        ('merged_into = "centre"', 'merged_into = "old-town"', "cannot be merged into 'old-town'"),
        ('merged_into = "centre"', 'merged_into = "nowhere"', "names an unknown branch 'nowhere'"),
        ('desk = "desk-1"\nvalid_to = 2026-03-14', 'desk = "desk-1"', "'op-1' has two desks on 2026-03-15"),
        ('operator = "op-1"', 'operator = "op-9"', "names an unknown operator 'op-9'"),
        ('opens = "13:00"', 'opens = "11:30"', "hours of 'centre' on mon-fri 11:30-20:00 are there twice"),
        ('closes = "12:00"', 'closes = "07:00"', "close before they open"),
        ('days = "mon-fri"', 'days = "fri-mon"', "runs backwards"),
        ('days = "mon-fri"', 'days = "weekend"', "'weekend' is no weekday"),
        ('kind = "closed"', 'kind = "closed"\nopens = "08:00"\ncloses = "09:00"', "is closed and has hours"),
        ('as_day = "fri"', "", "needs opens and closes, or as_day"),
        ("day = 2026-12-26", "day = 2026-12-24", "the calendar on 2026-12-24 is there twice"),
        ("valid_from = 2026-06-01", "valid_from = 1926-06-01", "greater than or equal to"),
        ('name_en = "Documents"', 'name_en = "Docu\\nments"', "cannot be printed"),
    ],
)
def test_rows_that_do_not_fit_together_are_refused(old: str, new: str, says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        register(old, new)


def test_a_branch_keeps_its_time_zone() -> None:
    more = '\n[[branch]]\nid = "centre"\nname = "Центр"\nname_en = "Centre"\nvalid_from = 2026-07-01\n'
    text = GOOD.replace('name_en = "Centre"', 'name_en = "Centre"\nvalid_to = 2026-06-30', 1) + more
    Register.model_validate(tomllib.loads(text))
    with pytest.raises(ValidationError, match="cannot change its time zone"):
        Register.model_validate(tomllib.loads(text + 'timezone = "Europe/Lisbon"\n'))


@pytest.mark.parametrize(
    ("day", "hours"),
    [
        (date(2026, 12, 23), [("08:00", "12:00"), ("13:00", "20:00")]),  # a Wednesday
        (date(2026, 12, 24), [("09:00", "13:00")]),  # the branch's own day comes before that of all
        (date(2026, 12, 26), [("08:00", "12:00"), ("13:00", "20:00")]),  # a Saturday that works as a Friday
        (date(2026, 12, 27), []),
    ],
)
def test_hours_come_from_the_calendar_first(day: date, hours: list[tuple[str, str]]) -> None:
    found = opening_hours(register(), "centre", day)
    assert found == [(time.fromisoformat(opens), time.fromisoformat(closes)) for opens, closes in hours]


def test_a_branch_without_hours_says_nothing_unless_its_calendar_does() -> None:
    assert opening_hours(register(), "old-town", date(2026, 12, 23)) is None
    assert opening_hours(register(), "old-town", date(2026, 12, 24)) == []


def test_a_branch_is_open_by_its_own_clock() -> None:
    def at(hour: int, minute: int = 0) -> bool | None:
        moment = datetime(2026, 12, 23, hour, minute, tzinfo=ZoneInfo("Europe/Kyiv"))
        return is_open(register(), register().branches[0], int(moment.timestamp() * 1000))

    assert [at(7, 59), at(8), at(12), at(13), at(19, 59), at(20)] == [False, True, False, True, True, False]
