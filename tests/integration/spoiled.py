"""A built firmware with something else in place of one line of one module: what a test wants to go wrong."""

import shutil
from pathlib import Path

ROOT = Path(__file__).parents[2]


def spoiled(built: Path, tree: Path, module: str, line: str, instead: str) -> Path:
    """Copies the firmware in ``built`` to ``tree``, spoils it, and returns its main.py."""
    shutil.copytree(built, tree)
    source = (ROOT / module).read_text(encoding="utf-8")
    assert source.count(line) == 1, f"{module} has changed: spoil another line"
    (tree / module).with_suffix(".mpy").unlink(missing_ok=True)
    (tree / module).write_text(source.replace(line, instead), encoding="utf-8")
    return tree / "main.py"
