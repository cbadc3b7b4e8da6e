"""Flash operations of an update of so many files of these sizes: micropython measure_update.py SIZE SIZE ..."""

import sys

sys.path.insert(0, __file__.rsplit("/", 1)[0] + "/../..")

import tests.micropython.update_cuts as bench
from tests.portable.flash_faults import Chip, Power


def files(letter):
    return {"firmware/f%d.mpy" % n: letter * int(size) for n, size in enumerate(sys.argv[1:])}


bench.OLD, bench.NEW = files(b"O"), files(b"N")
# Content is never the same twice, as no two modules are.
for each in (bench.OLD, bench.NEW):
    for number, path in enumerate(sorted(each)):
        each[path] = (b"%06d" % number + each[path])[: len(each[path])]
bench.prepare_offer()
print("flash operations of an update of %d files, %d bytes:" % (len(bench.NEW), sum(map(len, bench.NEW.values()))))
chip = bench.factory(Chip(blocks=212, program_bytes=256))
chip.forget_counts()
assert bench.session(Power(chip), True) == ("2", "done")
counts = sum(chip.programs), chip.programmed_bytes, sum(chip.erases), chip.syncs
print("  %d programs of %d bytes in all, %d erases, %d syncs" % counts)
print("  the most erased block of %d: %d erases" % (chip.blocks, max(chip.erases)))
