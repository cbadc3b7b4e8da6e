"""Which slot a start gets: every way a start, an update or a flash can fail still ends in something that runs."""

from firmware import loader
from firmware.boot import BAD_LIMIT, NORMAL, ROLLED_BACK, SAFE, TRIES, BootRecord
from firmware.loader import decide

MANIFEST = bytes(range(32))


def both(slot):
    return True


def neither(slot):
    return False


def record(active="a", worked=""):
    made = BootRecord()
    made.active = active
    for slot in worked:
        made.worked(slot)
    return made


def starts(boot, count, whole=both, badly=True):
    """What so many starts in a row got; each but the first follows one that ended ``badly``."""
    return [decide(boot, whole, badly and number > 0) for number in range(count)]


def test_a_pad_without_slots_runs_the_code_it_was_started_from():
    assert decide(record(""), neither, False) == ("", NORMAL)


def test_a_healthy_start_changes_nothing_that_would_have_to_be_written():
    boot = record("b", "b")
    before = boot.dump()
    assert decide(boot, both, False) == ("b", NORMAL)
    assert not boot.worked("b")
    assert boot.dump() == before


def test_a_pad_fresh_from_the_factory_starts_the_slot_it_has():
    boot = BootRecord()
    assert decide(boot, lambda slot: slot == "b", False) == ("b", NORMAL)
    assert boot.active == "b"


def test_three_bad_starts_change_to_the_other_slot_if_it_has_worked():
    boot = record("a", "b")
    assert starts(boot, 5) == [("a", NORMAL)] * 3 + [("b", NORMAL)] * 2


def test_six_bad_starts_in_two_slots_end_in_safe_mode_and_stay_there():
    boot = record("a", "ab")
    assert starts(boot, 8)[6:] == [("b", SAFE)] * 2


def test_a_slot_that_never_worked_is_nothing_to_fall_back_to():
    boot = record("a")
    assert starts(boot, BAD_LIMIT + 1) == [("a", NORMAL)] * BAD_LIMIT + [("a", SAFE)]


def test_a_safe_mode_that_fails_too_is_tried_from_both_slots_in_turns():
    got = starts(record("a"), 10)
    assert got[3:] == [("a", SAFE)] * 3 + [("b", SAFE)] * 3 + [("a", SAFE)]


def test_power_cuts_and_announced_restarts_are_no_bad_starts():
    boot = record("a", "b")
    assert starts(boot, 20, badly=False) == [("a", NORMAL)] * 20
    for _ in range(20):
        boot.announced = True
        assert decide(boot, both, True) == ("a", NORMAL)
    assert boot.bad == 0


def test_a_start_that_worked_ends_the_row_of_bad_ones():
    boot = record("a", "b")
    for _ in range(5):
        starts(boot, BAD_LIMIT)
        assert boot.worked("a")
    assert decide(boot, both, False) == ("a", NORMAL)


def test_a_trial_gets_its_tries_and_then_the_old_slot_runs_again():
    boot = record("a", "a")
    boot.begin_trial("b", MANIFEST, 0)
    got = starts(boot, TRIES + 2, badly=True)
    assert got == [("b", NORMAL)] * TRIES + [("a", NORMAL)] * 2
    assert (boot.verdict, boot.subject, boot.trial) == (ROLLED_BACK, MANIFEST, "")


def test_power_cuts_use_up_the_tries_of_a_trial_too():
    boot = record("a", "a")
    boot.begin_trial("b", MANIFEST, 0)
    assert starts(boot, TRIES + 1, badly=False)[-1] == ("a", NORMAL)


def test_a_committed_trial_is_the_active_slot():
    boot = record("a", "a")
    boot.begin_trial("b", MANIFEST, 0)
    decide(boot, both, False)
    boot.commit()
    assert decide(boot, both, False) == ("b", NORMAL)
    assert boot.verdict == "done"
    assert boot.has_worked("a") and boot.has_worked("b")


def test_a_slot_on_trial_has_not_worked_whatever_was_in_it_before():
    boot = record("a", "ab")
    boot.begin_trial("b", MANIFEST, 0)
    assert not boot.has_worked("b")


def test_a_damaged_trial_slot_is_not_started():
    boot = record("a", "a")
    boot.begin_trial("b", MANIFEST, 0)
    assert decide(boot, lambda slot: slot == "a", False) == ("a", NORMAL)
    assert boot.verdict == ROLLED_BACK


def test_a_damaged_active_slot_gives_way_to_the_other():
    boot = record("a", "a")
    assert decide(boot, lambda slot: slot == "b", False) == ("b", NORMAL)


def test_what_is_left_of_a_damaged_slot_is_at_least_tried_in_safe_mode():
    assert decide(record("b", "b"), neither, False) == ("b", SAFE)


def test_a_record_survives_being_written():
    boot = record("b", "ab")
    boot.begin_trial("a", MANIFEST, 5)
    boot.bad, boot.fell_back, boot.announced = 7, True, True
    again = BootRecord()
    assert again.restore(boot.dump())
    assert again.dump() == boot.dump()
    assert (again.active, again.trial, again.tries, again.bad, again.faults) == ("b", "a", TRIES, 7, 5)
    assert again.fell_back and again.announced and again.subject == MANIFEST


def test_any_damage_to_a_record_is_noticed_and_leaves_a_new_one():
    data = record("b", "ab").dump()
    fresh = BootRecord().dump()
    damaged = [data[:end] for end in range(len(data))] + [data + b"\x00"]
    for at in range(len(data)):
        for bit in range(8):
            damaged.append(data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :])
    for each in damaged:
        boot = BootRecord()
        assert not boot.restore(each)
        assert boot.dump() == fresh


def test_a_try_that_the_flash_cannot_count_is_not_made():
    kept = loader.read_record, loader.save_record, loader.is_whole
    loader.read_record = lambda root: on_trial()
    loader.is_whole = lambda root, slot: True
    try:
        loader.save_record = lambda root, record: True
        assert loader.choose("", True)[0] == "b"
        loader.save_record = lambda root, record: False
        assert [loader.choose("", True)[0] for _ in range(8)] == ["a"] * 8
    finally:
        loader.read_record, loader.save_record, loader.is_whole = kept


def on_trial():
    made = record("a", worked="a")
    made.begin_trial("b", MANIFEST, 0)
    return made
