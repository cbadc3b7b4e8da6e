"""The word left for the next start: what it says after every kind of restart."""

from firmware.board.crumb import BITTEN, COLD, LEFT, RESTARTED, UNKNOWN, pack, read
from protocol.messages import STEPS

NOISE = (0, 0xFFFFFFFF, 0x12345678, 0x5A500400, 0x5A5000FF)


def test_every_word_fits_a_register_and_is_told_apart():
    words = {pack(left, step) for left in LEFT for step in STEPS}
    assert len(words) == len(LEFT) * len(STEPS)
    assert all([0 < word < 1 << 32 for word in words])


def test_a_bite_names_the_step_it_ended():
    for step in STEPS:
        assert read(pack("", step), BITTEN) == ("watchdog", step)


def test_a_restart_that_was_meant_says_why_and_no_step():
    for left in ("soft", "update"):
        for found in (BITTEN, RESTARTED, UNKNOWN):
            assert read(pack(left, "network"), found) == (left, None)


def test_a_crash_names_the_step_it_happened_in():
    for found in (BITTEN, RESTARTED, UNKNOWN):
        assert read(pack("crash", "storage"), found) == ("crash", "storage")


def test_an_interpreter_that_gave_up_is_a_crash():
    assert read(pack("", "update"), RESTARTED) == ("crash", "update")


def test_after_a_power_cut_whatever_lies_there_is_old():
    for word in NOISE:
        assert read(word, COLD) == ("power", None)
    assert read(pack("crash", "storage"), COLD) == ("power", None)
    assert read(pack("", "network"), COLD) == ("power", None)


def test_noise_is_no_word():
    for word in NOISE:
        assert read(word, BITTEN) == ("unknown", None)
        assert read(word, RESTARTED) == ("soft", None)
        assert read(word, UNKNOWN) == ("unknown", None)
