"""Reads and writes register files for the collector and the feed. What a register is stands in schemas/register.py."""

import os
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from collector.errors import RegisterError
from schemas import register_archive
from schemas.mistakes import line_of, syntax
from schemas.register import Register
from schemas.register_rules import Unfit
from schemas.register_toml import to_toml


def read_register(path: Path) -> Register:
    """The register in the TOML file at ``path``. Raises RegisterError: every entry at fault, with its line."""
    text = _text(path)
    wrong = syntax(text)
    if wrong:
        raise RegisterError(f"{path}, {wrong}")
    entries = tomllib.loads(text)
    try:
        return Register.model_validate(entries)
    except ValidationError as error:
        raise RegisterError("; ".join(_problems(path, text, error, entries))) from None


def write_register(path: Path, register: Register, revision: int) -> None:
    """Writes what a feed reads, all at once: whoever reads meanwhile has the old file or the new one, never a part.

    Raises RegisterError.
    """
    heading = f"The register of the office, revision {revision}. No name of a person is in it.\n"
    write_file(path, to_toml(register, heading).encode())


def write_file(path: Path, content: bytes, *, private: bool = False) -> None:
    """Puts ``content`` at ``path`` in one step, readable as the file before was; ``private``: by its owner alone.

    Raises RegisterError.
    """
    try:
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o644
        mode = mode & 0o600 if private else mode
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as new:
            try:
                new.write(content)
                new.flush()
                os.fsync(new.fileno())
                Path(new.name).chmod(mode)
                Path(new.name).replace(path)
            except BaseException:
                Path(new.name).unlink(missing_ok=True)
                raise
    except OSError as error:
        raise RegisterError(f"{path}: {error.strerror}") from None


def read_sheet_files(path: Path) -> dict[str, bytes]:
    """The CSV files of a folder, of a zip archive, or the one file that ``path`` is. Raises RegisterError."""
    try:
        if path.is_dir():
            return {each.name: each.read_bytes() for each in sorted(path.glob("*.csv"))}
        content = path.read_bytes()
    except OSError as error:
        raise RegisterError(f"{path}: {error.strerror}") from None
    if path.suffix == ".csv":
        return {path.name: content}
    try:
        return register_archive.unpack(content)
    except register_archive.NoArchive as error:
        raise RegisterError(f"{path}: {error}") from None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise RegisterError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise RegisterError(f"{path}, line {line}: not UTF-8; save the file in that encoding") from None


def _problems(path: Path, text: str, error: ValidationError, entries: Mapping[str, Any]) -> Iterator[str]:
    for each in error.errors(include_url=False):
        unfit = each.get("ctx", {}).get("error")
        if isinstance(unfit, Unfit):
            for fault in unfit.faults:
                alias = Register.model_fields[fault.part].alias or fault.part
                yield f"{path}{_line(text, (alias, fault.index, fault.field))}: {fault.text}"
            continue
        where = _place(each["loc"], entries)
        said = each["msg"].removeprefix("Value error, ")
        yield f"{path}{_line(text, each['loc'])}: {where}: {said}" if where else f"{path}: {said}"


def _line(text: str, location: tuple[int | str, ...]) -> str:
    """Of ``location``, or, when it is missing there, of what it should stand in."""
    for length in range(len(location), 0, -1):
        line = line_of(text, location[:length])
        if line is not None:
            return f", line {line}"
    return ""


def _place(location: tuple[int | str, ...], entries: Mapping[str, Any]) -> str:
    """desk[3] ('desk-7').label, for (desk, 3, label)."""
    words: list[str] = []
    value: Any = entries
    for step in location:
        try:
            value = value[step]
        except (LookupError, TypeError):
            value = None
        if isinstance(step, int) and words:
            words[-1] += f"[{step}]"
            if isinstance(value, dict) and "id" in value:
                words[-1] += f" ({value['id']!r})"
        else:
            words.append(str(step))
    return ".".join(words)
