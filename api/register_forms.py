"""What was typed into a form of the Register page, in the types of the register. It knows no page."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from fastapi import Request
from pydantic import TypeAdapter

from api.errors import BadRequestBody
from api.forms import large_form_fields
from schemas import register_archive
from schemas.register import Day
from schemas.register_csv import FILES
from schemas.register_edit import CannotEdit

SHAPES = dict(FILES.values())
_DAY: TypeAdapter[date] = TypeAdapter(Day)
_DAYS = ("valid_from", "valid_to", "day")
_MOST_BYTES = 32_000  # two texts of 300 letters, six bytes each


async def register_fields(request: Request) -> dict[str, str]:
    """The fields of one of its forms. Raises BadRequestBody."""
    return await large_form_fields(request, _MOST_BYTES)


def sheets_in(sent: Mapping[str, bytes]) -> dict[str, bytes]:
    """An archive, or CSV files by their bare names."""
    found: dict[str, bytes] = {}
    for name, content in sent.items():
        bare = name.replace("\\", "/").rpartition("/")[2]
        found |= {bare: content} if bare.lower().endswith(".csv") else register_archive.unpack(content)
    if not found:
        raise register_archive.NoArchive("no file was chosen")
    return found


def values_of(fields: Mapping[str, str], names: tuple[str, ...], part: str, *, every: bool = False) -> dict[str, Any]:
    """What was typed, in the types of the register; with ``every`` an empty field empties what was there."""
    found: dict[str, Any] = {}
    for name in names:
        text = fields.get(name, "").strip()
        if name == "no_call":
            found[name] = bool(text)
        elif name in _DAYS:
            found[name] = day_of(fields, name)
        elif text:
            found[name] = text
        elif every:  # an empty field empties what was there, and is refused where something must be
            found[name] = "" if SHAPES[part].model_fields[name].is_required() else None
    return {name: value for name, value in found.items() if value is not None or every}


def day_of(fields: Mapping[str, str], name: str) -> date | None:
    text = fields.get(name, "").strip()
    try:
        return _DAY.validate_python(date.fromisoformat(text)) if text else None
    except ValueError:  # pydantic's too: 9999-12-31 has no day after it
        raise CannotEdit(f"{text!r} is no day from 2000 to 2100", "no_day") from None


def needed_day(fields: Mapping[str, str], name: str) -> date:
    day = day_of(fields, name)
    if day is None:
        raise CannotEdit("a day is needed", "no_day")
    return day


def number_of(fields: Mapping[str, str], name: str) -> int:
    text = fields.get(name, "")
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise BadRequestBody(f"{name} is no number.")
    return int(text)
