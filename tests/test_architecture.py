"""The rooms of DESIGN section 4, read from the imports: who may import whom, and one door a third-party library."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("protocol", "schemas", "firmware", "collector", "api", "sim", "deploy")

# What a package may import of ours besides itself; the longest matching prefix of the importing module decides.
# "=name" is that one module without the packages beneath it.
MAY_IMPORT = {
    "protocol": (),
    "schemas": ("protocol",),
    "firmware": (),
    "firmware.main": (),
    "firmware.boot": (),
    "firmware.loader": ("firmware.boot", "firmware.flash_image"),
    "firmware.flash_image": (),
    "firmware.core": ("protocol", "=firmware"),
    "firmware.board": ("protocol", "=firmware", "firmware.core", "=firmware.boot"),
    "firmware.host": ("protocol", "=firmware", "firmware.core", "=firmware.boot"),
    "collector": ("protocol", "schemas"),
    "api": ("protocol", "schemas", "collector.store"),
    "sim": ROOMS,
    "deploy": ("protocol", "schemas", "collector.register", "collector.errors"),
}
# Which modules may import a third-party library; a prefix stands for the package beneath it.
DOORS = {
    "paho": ("collector.mqtt", "collector.line", "collector.probe", "firmware.host.watch", "sim"),
    "sqlalchemy": (
        "schemas.tables",
        "schemas.fleet_tables",
        "schemas.upkeep_tables",
        "schemas.figure_tables",
        "schemas.register_tables",
        "schemas.people_tables",
        "schemas.edition_tables",
        "schemas.disclosure_tables",
        "schemas.signal_tables",
        "schemas.report_tables",
        "collector.store",
        "collector.feed.store",
        "collector.feed.sql",
        "collector.migrations",
    ),
    "alembic": ("collector.store", "collector.migrations"),
    "fastapi": ("api", "collector.feed.webhook"),
    "starlette": ("api", "collector.feed.webhook"),
    "uvicorn": ("api", "collector.feed"),
    "amqtt": ("sim.broker",),
    "prometheus_client": ("api", "collector.metrics", "collector.exposition", "collector.feed", "collector.fleet"),
    "altair": ("api.reports", "api.printing"),
    "vl_convert": ("api.printing",),
    "scipy": ("api.statistics", "api.publication", "api.integrity", "sim"),
    "statsmodels": (),  # the tests' judge
    "argon2": ("api.access",),
    "authlib": ("api.access",),
    "joserfc": ("api.access",),
    "xlsxwriter": ("api.reports", "api.evidence"),
    "babel": ("api",),
    "jinja2": ("api",),
    "httpx2": ("collector.feed.fqm", "collector.feed.qmatic", "api.access", "sim"),
    "rich": ("sim", "collector.feed.check_screen", "firmware.host.screen", "firmware.host.commands.pads"),
    "mpremote": ("firmware.host.device",),
    "serial": ("firmware.host.ports",),
    "segno": ("firmware.host.label",),
    "typst": ("firmware.host.label", "api.printing"),
    "machine": ("firmware.board", "firmware.loader", "firmware.main"),
    "vfs": ("firmware.flash_image",),
    "network": ("firmware.board",),
    "cryptography": ("firmware.host",),
    "tls": ("firmware.board.tls",),
    "micropython": ("firmware.board",),
}
MODULE_LINES = 400
BODY_LINES = 60


def modules() -> list[Path]:
    return sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(path: Path) -> Iterator[str]:
    """Full names of everything imported at run time, so not what stands under ``if TYPE_CHECKING``."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    guarded = {
        node
        for guard in ast.walk(tree)
        if isinstance(guard, ast.If) and isinstance(guard.test, ast.Name) and guard.test.id == "TYPE_CHECKING"
        for node in ast.walk(guard)
    }
    for node in ast.walk(tree):
        if node in guarded:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            assert node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def beneath(name: str, prefixes: tuple[str, ...]) -> bool:
    return any(name == prefix or name.startswith(prefix + ".") for prefix in prefixes)


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_a_module_imports_only_the_rooms_it_may(path: Path) -> None:
    name = name_of(path)
    rule = max((prefix for prefix in MAY_IMPORT if beneath(name, (prefix,))), key=len)
    wide = (rule, *(entry for entry in MAY_IMPORT[rule] if entry[0] != "="))
    exact = {entry[1:] for entry in MAY_IMPORT[rule] if entry[0] == "="}
    for imported in imports_of(path):
        if imported.split(".")[0] in ROOMS:
            assert beneath(imported, wide) or imported.rpartition(".")[0] in exact, f"{name} imports {imported}"


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_a_third_party_library_comes_in_by_its_door(path: Path) -> None:
    name = name_of(path)
    for imported in imports_of(path):
        doors = DOORS.get(imported.split(".")[0])
        assert doors is None or beneath(name, doors), f"{name} imports {imported}"


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_a_module_and_its_functions_stay_readable_in_one_sitting(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= MODULE_LINES, f"{name_of(path)} is too long"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            lines = (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0
            assert lines <= BODY_LINES, f"{name_of(path)}.{node.name} has {lines} lines"


def test_nobody_writes_a_topic_by_hand() -> None:
    for path in modules():
        if name_of(path).startswith("protocol"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert not node.value.startswith("zrazkovo/1"), f"{name_of(path)} joins its own topic"


def test_portable_rooms_import_nothing_that_the_pad_lacks() -> None:
    for path in modules():
        if not beneath(name_of(path), ("protocol", "firmware.core")):
            continue
        for imported in imports_of(path):
            assert imported.split(".")[0] in {"json", "protocol", "firmware", "binascii", "struct", "sys"}, imported
