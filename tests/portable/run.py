"""Runs every test_* function of a folder without pytest: `micropython tests/portable/run.py [FOLDER]`, from anywhere.

Without FOLDER, its own; tests/micropython has the tests that need what only MicroPython has.
"""

import os
import sys

here = __file__.rsplit("/", 1)[0] if "/" in __file__ else "."
sys.path.insert(0, here + "/../..")
here = sys.argv[1] if len(sys.argv) > 1 else here
sys.path.insert(0, here)
passed = failed = 0
for name in sorted(os.listdir(here)):
    if not (name.startswith("test_") and name.endswith(".py")):
        continue
    module = __import__(name[:-3])
    for test in sorted(dir(module)):
        if not test.startswith("test_"):
            continue
        try:
            getattr(module, test)()
            passed += 1
        except Exception as problem:
            failed += 1
            print("FAILED %s:%s" % (name, test))
            sys.print_exception(problem) if hasattr(sys, "print_exception") else print(repr(problem))
print("%d passed, %d failed" % (passed, failed))
sys.exit(1 if failed or not passed else 0)
