"""Writes a register as the TOML that is read back as the same: what feeds read, and what a small office edits."""

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

from schemas.register import Entry, Register

# A JSON string is a TOML basic string but for this one character, which TOML wants escaped (TOML 1.0, "String").
_DELETE = "\x7f"


def to_toml(register: Register, heading: str = "") -> str:
    """The whole register, rows that have ended too. ``heading`` becomes a comment; no name of a person is in it."""
    lines = [f"# {line}".rstrip() for line in heading.splitlines()]
    lines += ["", "[organisation]", *_keys(register.organisation)]
    for field, info in Register.model_fields.items():
        if field == "organisation":
            continue
        for entry in getattr(register, field):
            lines += ["", f"[[{info.alias or field}]]", *_keys(entry)]
    return "\n".join(lines).lstrip("\n") + "\n"


def _keys(entry: Entry) -> Iterator[str]:
    for name, value in dict(entry).items():
        if value != type(entry).model_fields[name].default:
            yield f"{name} = {_value(value)}"


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date):
        return value.isoformat()
    return json.dumps(value, ensure_ascii=False).replace(_DELETE, "\\u007f")
