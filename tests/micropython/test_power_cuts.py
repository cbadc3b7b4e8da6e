"""Every power cut of a small day, and a second one in each boot after it; and pads that must not pass.

`make sweep` does the same with a longer day: tests/micropython/sweep.py.
"""

from firmware.board.app import App
from firmware.board.store import Store
from firmware.core.pad import SAVE
from tests.micropython.power_bench import Broken, Pad
from tests.micropython.power_day import Day, script

VISITS = 8  # everything that happens at a desk happens in the first eight


def swept(*days):
    tried = 0
    for day in days:
        day.record()
        tried += day.sweep()
    print("power cuts tried: %d" % tried)
    return tried


def is_caught(pad_class):
    """Whether the sweep of a short day finds what is wrong with the pad."""
    day = Day(256, script(4), pad_class, second_cuts=False)
    try:
        day.record()
        day.sweep()
    except Broken:
        return True
    return False


def test_whatever_is_cut_in_a_day_no_vote_is_lost_or_doubled_and_no_lamp_lies():
    days = [Day(program_bytes, script(VISITS)) for program_bytes in (32, 256)]
    assert swept(*days) > 4000
    assert [day.moved for day in days] == [True, True]


def test_whatever_is_cut_in_the_first_start_of_a_new_pad():
    assert swept(*[Day(program_bytes, script(1), aged=False) for program_bytes in (32, 256)]) > 500


def test_the_short_day_catches_nothing_in_the_real_pad():
    assert not is_caught(Pad)


def test_a_pad_that_speaks_before_it_writes_is_caught():
    class Hasty(App):
        def _carry_out(self, effects):
            if (SAVE, None) in effects:
                self._courier.step(self._ticks)
            App._carry_out(self, effects)

    class Worse(Pad):
        app_class = Hasty

    assert is_caught(Worse)


def test_a_pad_that_writes_its_lock_before_its_vote_is_caught():
    class TwoWrites(Store):
        def save(self, changed):
            if changed.depth:
                changed.depth -= 1
                changed._next_seq -= 1
                Store.save(self, changed)
                changed.depth += 1
                changed._next_seq += 1
            return Store.save(self, changed)

    class Worse(Pad):
        store_class = TwoWrites

    assert is_caught(Worse)


def test_a_pad_that_empties_its_file_before_it_writes_is_caught():
    class Emptying(Store):
        def _write_over(self, record):
            open(self._path, "wb").close()
            Store._write_over(self, record)

    class Worse(Pad):
        store_class = Emptying

    assert is_caught(Worse)


def test_a_pad_that_renames_before_it_writes_is_caught():
    class Disorderly(Store):
        def _write_over(self, record):
            import os

            fresh = self._path + ".new"
            open(fresh, "wb").close()
            os.rename(fresh, self._path)
            Store._write_over(self, record)

    class Worse(Pad):
        store_class = Disorderly

    assert is_caught(Worse)


def test_a_pad_that_writes_a_moment_later_is_caught():
    class Lazy(Store):
        late = None

        def save(self, changed):
            if self.late is None:
                self.late = bytes(changed.dump())
                return Store.save(self, changed)
            self._write_over(self.late)
            self.late = bytes(changed.dump())
            return True

    class Worse(Pad):
        store_class = Lazy

    assert is_caught(Worse)
