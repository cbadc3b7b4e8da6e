"""Power cuts in every block operation of an update: a pad then runs the old version or the new one, and ends it."""

import tests.micropython.update_cuts as bench
from tests.portable.flash_faults import TORN, UNDONE

# DONE is UNDONE of the operation after it.
CUTS = (UNDONE, TORN)
UPDATED, BACK = ("2", "done"), ("1", "rolled_back")


def test_a_cut_in_any_operation_of_an_update_leaves_a_version_that_runs_and_the_update_ends():
    count, operations = bench.sweep(True, UPDATED, CUTS)
    print("update: %d cuts in %d block operations" % (count, operations))
    assert count == 2 * operations > 200


def test_a_cut_in_any_operation_of_an_update_that_fails_ends_with_the_old_version():
    count, operations = bench.sweep(False, BACK, CUTS)
    print("update that is rolled back: %d cuts in %d block operations" % (count, operations))
    assert count == 2 * operations > 200


def test_a_second_cut_soon_after_the_first_changes_nothing():
    count, operations = bench.sweep(True, UPDATED, (TORN,), again=(1, 2, 5, 12))
    print("update: %d second cuts after those in %d block operations" % (count, operations))
    assert count > 2 * operations


def finds(mutation):
    """Whether the sweep notices what ``mutation`` does to the update."""
    undo = mutation()
    try:
        bench.sweep(True, UPDATED, CUTS)
        return False
    except bench.Neither:
        return True
    finally:
        undo()


def test_the_sweep_notices_an_update_written_over_the_running_version():
    assert finds(bench.into_the_running_slot)


def test_the_sweep_notices_a_pointer_written_before_the_files():
    assert finds(bench.pointer_before_files)
