"""``python -m collector register ...``: loads, shows, gives out and takes in the register on the command line.

load FILE                  a TOML file becomes the register
diff PATH                  what would change: PATH is such a file, a folder or zip archive of CSV files, or one of them
import PATH [--yes]        the same, and with --yes it is done: all of it or nothing
export [--csv PATH] [--toml FILE] [--names]
revisions, revert NUMBER   what it was, and back to it
"""

import argparse
import getpass
from argparse import Namespace
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from collector.errors import Declined, RegisterError
from collector.register import read_register, read_sheet_files, write_file, write_register
from collector.settings import Settings
from collector.store import Store
from schemas import register_archive
from schemas.register_csv import NAMES, read_sheets, write_sheets
from schemas.register_diff import Change, differences
from schemas.register_rules import WORDS

_SIGNS = {"added": "+", "changed": "~", "closed": "x", "removed": "-", "reordered": "~"}
_WORDS: Mapping[str, str] = {
    **WORDS, "organisation": "the centre", "assignments": "assignment", "hours": "hours", "calendar": "calendar",
}  # fmt: skip

_CLOSE_IT = "keep its rows and close it with valid_to"


def add_arguments(register: argparse.ArgumentParser) -> None:
    """The verbs of ``register``; each leaves its function in ``command``."""
    verbs = register.add_subparsers(metavar="COMMAND", required=True)
    each = verbs.add_parser("load", help="make a TOML file the register")
    each.add_argument("file", type=Path, metavar="FILE")
    each.set_defaults(command=load)
    each = verbs.add_parser("diff", help="say what a TOML file or CSV files would change")
    each.add_argument("path", type=Path, metavar="PATH")
    each.set_defaults(command=import_, yes=False)
    each = verbs.add_parser("import", help="take in CSV files (a folder, a zip archive or one of them)")
    each.add_argument("path", type=Path, metavar="PATH")
    each.add_argument("--yes", action="store_true", help="do it; without, only what would change is said")
    each.set_defaults(command=import_)
    each = verbs.add_parser("export", help="write the register out")
    each.add_argument("--csv", type=Path, metavar="PATH", help="a folder, or a file that ends in .zip")
    each.add_argument("--toml", "--for-feed", type=Path, metavar="FILE", help="the file that feeds read")
    each.add_argument("--names", action="store_true", help="with the names of operators (CSV only; it is written down)")
    each.set_defaults(command=export)
    verbs.add_parser("revisions", help="every register there was").set_defaults(command=revisions)
    each = verbs.add_parser("revert", help="make an earlier register the register again")
    each.add_argument("number", type=int, metavar="NUMBER")
    each.set_defaults(command=revert)


def load(settings: Settings, arguments: Namespace) -> int:
    """Makes a TOML file the register."""
    loaded = read_register(arguments.file)
    with Store.open(settings.database_url) as store:
        store.book.save(loaded, author=getpass.getuser(), how="file", note=arguments.file.name)
    branches, desks = ({each.id for each in rows} for rows in (loaded.branches, loaded.desks))
    print(f"{len(branches)} branches, {len({each.id for each in loaded.services})} services, {len(desks)} desks")
    return 0


def import_(settings: Settings, arguments: Namespace) -> int:
    """Says what would change and, if told to, does it. Exit code 1 if something is at fault."""
    path: Path = arguments.path
    with Store.open(settings.database_url) as store:
        revision, before = store.book.whole()
        names = None
        if path.suffix == ".toml":
            after = read_register(path)
        else:
            sheets = read_sheets(read_sheet_files(path), before)
            if sheets.register is None:
                raise RegisterError("\n  ".join((f"{path}: nothing was changed", *map(str, sheets.faults))))
            if sheets.revision is not None and sheets.revision != revision:
                raise RegisterError(_stale(store, path, sheets.revision, revision))
            after, names = sheets.register, sheets.names
        for line in told(differences(before, after)):
            print(line)
        lost = store.book.lost(after)
        if lost:
            said = (
                f"the {each.word} {each.id!r} has figures: keep its rows and close it with valid_to" for each in lost
            )
            raise RegisterError("\n  ".join((f"{path}: nothing was changed", *said)))
        if names is not None:
            print(f"{NAMES}: {len(names)} names take the place of those before")
        if after == before and names is None:
            print("nothing changes")
        elif not arguments.yes:
            print("nothing was changed; to do it: register import PATH --yes, or register load FILE")
        else:
            who = getpass.getuser()
            number = store.book.save(after, author=who, how="import", note=path.name, expected=revision, names=names)
            print(f"done: revision {number}; to go back: register revert {revision}")
    return 0


def export(settings: Settings, arguments: Namespace) -> int:
    """Writes the register out, without names of operators unless they are asked for."""
    if not arguments.csv and not arguments.toml:
        raise RegisterError("say where to: --csv FOLDER, --csv FILE.zip or --toml FILE")
    with Store.open(settings.database_url) as store:
        revision, register = store.book.whole()
        names = store.book.names(getpass.getuser()) if arguments.names and arguments.csv else None
    if arguments.toml:
        write_register(arguments.toml, register, revision)
    if arguments.csv:
        _write_sheets(arguments.csv, write_sheets(register, revision, names))
    print(f"revision {revision}")
    return 0


def revisions(settings: Settings, _: Namespace) -> int:
    """One line a revision, the newest first."""
    with Store.open(settings.database_url) as store:
        for each in store.book.revisions():
            at = datetime.fromtimestamp(each.at_unix_ms / 1000, UTC).isoformat(" ", "seconds")
            print(f"{each.number} {at} {each.how} {each.author or '-'} {each.note}".rstrip())
    return 0


def revert(settings: Settings, arguments: Namespace) -> int:
    """Makes an earlier register the register again, as a new revision."""
    with Store.open(settings.database_url) as store:
        _, before = store.book.whole()
        number = store.book.revert(arguments.number, author=getpass.getuser())
        for line in told(differences(before, store.book.whole()[1])):
            print(line)
    print(f"done: revision {number}")
    return 0


def told(changes: list[Change]) -> Iterator[str]:
    """A line a change, with its fields old -> new."""
    for each in changes:
        name = " ".join(_value(part) for part in each.name if part is not None)
        head = f"{_SIGNS[each.kind]} {_WORDS[each.part]} {name}".rstrip()
        if each.kind == "reordered":
            yield f"{head}: in another order"
        elif each.kind in ("added", "removed"):
            said = ", ".join(f"{f.field} {_value(f.new if each.kind == 'added' else f.old)}" for f in each.fields)
            yield f"{head}: {each.kind}: {said}"
        else:
            said = ", ".join(f"{f.field} {_value(f.old)} -> {_value(f.new)}" for f in each.fields)
            yield f"{head}: {each.kind}: {said}"


def _write_sheets(path: Path, files: Mapping[str, bytes]) -> None:
    if path.suffix == ".zip":
        write_file(path, register_archive.pack(files), private=NAMES in files)
        return
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RegisterError(f"{path}: {error.strerror}") from None
    for name, content in files.items():
        write_file(path / name, content, private=name == NAMES)


def _stale(store: Store, path: Path, made_from: int, revision: int) -> str:
    """Why an old export is not taken in, what it would undo, and what to do."""
    try:
        meanwhile = list(told(differences(store.book.at(made_from), store.book.whole()[1])))
    except Declined:
        meanwhile = []
    return "\n  ".join(
        (
            f"{path}: nothing was changed: it was exported from revision {made_from}, "
            f"and the register is at {revision} by now; export anew and make your changes there",
            *(f"changed meanwhile: {line}" for line in meanwhile),
        )
    )


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return "nothing"
    return value.isoformat() if isinstance(value, date) else str(value)
