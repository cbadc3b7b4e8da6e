"""Reads the register file (TOML) for the collector and the feed. What a register is stands in schemas/register.py."""

import tomllib
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from collector.errors import RegisterError
from schemas.register import Register


def read_register(path: Path) -> Register:
    """The register in the TOML file at ``path``. Raises RegisterError naming the entry at fault."""
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RegisterError(f"{path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RegisterError(f"{path}: not TOML: {error}") from error
    try:
        return Register.model_validate(entries)
    except ValidationError as error:
        raise RegisterError(f"{path}: " + "; ".join(_problems(error, entries))) from error


def _problems(error: ValidationError, entries: dict[str, Any]) -> list[str]:
    found = []
    for each in error.errors(include_url=False):
        where = _place(each["loc"], entries)
        found.append(f"{where}: {each['msg']}" if where else each["msg"])
    return found


def _place(location: tuple[int | str, ...], entries: dict[str, Any]) -> str:
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
