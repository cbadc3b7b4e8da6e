"""The complete sweep of one long day: `micropython sweep.py PROGRAM_BYTES VISITS`; started by tests/sweep.py."""

import sys

sys.path.insert(0, __file__.rsplit("/", 1)[0] + "/../..")

from tests.micropython.power_day import Day, script

program_bytes, visits = int(sys.argv[1]), int(sys.argv[2])
day = Day(program_bytes, script(visits), mtime=True)  # as on a board
operations = day.record()
tried = day.sweep()
assert day.moved
print(
    "programs of %3d bytes: %d visits, %d writes, erases and syncs of the flash; cut 3 ways each: %d; "
    "and once more while starting again: %d; in all %d"
    % (program_bytes, visits, operations, day.cuts, day.second, tried)
)
