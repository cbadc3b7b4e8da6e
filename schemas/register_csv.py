"""The register as a folder of CSV files, for spreadsheets: written, and read back with every cell at fault named.

It opens no file: both sides are mappings of file names to bytes, so a folder and a zip archive are the same here.

What a Ukrainian Excel does, and is forgiven
1.  Semicolons between cells, a byte order mark, CRLF; commas or tabs are read as well, by the heading.
2.  Days come back as 01.06.2026, hours as 8:00 or 08:00:00, yes and no as ІСТИНА and ХИБНІСТЬ.
3.  A cell that begins like a formula runs as one in the next reader's spreadsheet: it is written with an apostrophe
    before it, and read without.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from pydantic import ValidationError

from schemas.register import (
    Assignment,
    Branch,
    CalendarDay,
    Desk,
    Direction,
    Entry,
    Hours,
    Operator,
    Organisation,
    Participant,
    Register,
    Service,
)
from schemas.register_rules import faults_of

OFFICE, NAMES = "office.csv", "operator_names.csv"
FILES: Mapping[str, tuple[str, type[Entry]]] = {
    "organisations.csv": ("participants", Participant),
    "branches.csv": ("branches", Branch),
    "directions.csv": ("directions", Direction),
    "services.csv": ("services", Service),
    "desks.csv": ("desks", Desk),
    "operators.csv": ("operators", Operator),
    "assignments.csv": ("assignments", Assignment),
    "hours.csv": ("hours", Hours),
    "calendar.csv": ("calendar", CalendarDay),
}
_FILE_OF = {part: name for name, (part, _) in FILES.items()}
_LAST = ("valid_from", "valid_to")
_DAYS = (*_LAST, "day")
_TIMES = ("opens", "closes", "day_ends")
_FLAGS = ("no_call", "simulated")
_YES, _NO = ("yes", "true", "1", "так", "істина"), ("no", "false", "0", "ні", "хибність", "")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_NAME_CHARACTERS = 160


@dataclass(frozen=True, slots=True)
class CellFault:
    """What is wrong, and what to do; without a file it concerns what was not in the upload."""

    file: str
    line: int
    column: str
    text: str
    rule: str = "sheet"
    about: str = ""

    def __str__(self) -> str:
        place = ":".join(str(each) for each in (self.file, self.line or "", self.column) if each)
        return f"{place}: {self.text}" if place else self.text


@dataclass
class Sheets:
    """What was read: nothing if anything is at fault. ``names`` is None too if there was no file of names."""

    faults: list[CellFault] = field(default_factory=list)
    register: Register | None = None
    revision: int | None = None
    names: dict[str, str] | None = None


def columns(shape: type[Entry]) -> list[str]:
    """What it is, then its days."""
    fields = list(shape.model_fields)
    return [name for name in fields if name not in _LAST] + [name for name in _LAST if name in fields]


def write_sheets(register: Register, revision: int, names: Mapping[str, str] | None = None) -> dict[str, bytes]:
    """Every file of the register. ``names`` of operators only for whoever may read them."""
    office = {"revision": revision, **dict(register.organisation)}
    found = {OFFICE: _written(list(office), [office])}
    for name, (part, shape) in FILES.items():
        found[name] = _written(columns(shape), [dict(row) for row in getattr(register, part)])
    if names is not None:
        rows = [{"operator": each, "name": name} for each, name in sorted(names.items())]
        found[NAMES] = _written(["operator", "name"], rows)
    return found


def read_sheets(files: Mapping[str, bytes], before: Register) -> Sheets:
    """The register that ``files`` make of ``before``: a part without a file stays as it is."""
    sheets = Sheets()
    known = {OFFICE, NAMES, *FILES}
    for name in files:
        if name not in known:
            sheets.faults.append(CellFault(name, 0, "", f"no such file here; there are {', '.join(sorted(known))}"))
    parts: dict[str, Any] = {"organisation": before.organisation}
    lines: dict[str, list[int]] = {}
    if OFFICE in files:
        parts["organisation"] = _office(files[OFFICE], before, sheets)
    for name, (part, shape) in FILES.items():
        if name not in files:
            parts[part] = getattr(before, part)
            continue
        entries = list(_entries(name, files[name], shape, sheets.faults))
        lines[part] = [line for line, _ in entries]
        parts[part] = tuple(entry for _, entry in entries)
    if not sheets.faults:
        made = Register.model_construct(**parts)
        for fault in faults_of(made):
            place = (_FILE_OF[fault.part], lines[fault.part][fault.index]) if fault.part in lines else ("", 0)
            sheets.faults.append(
                CellFault(*place, fault.field if place[0] else "", fault.text, fault.rule, fault.about)
            )
        sheets.register = made
    if NAMES in files:
        sheets.names = _names(files[NAMES], sheets)
    if sheets.faults:
        sheets.register = sheets.names = None
    return sheets


# ---- writing
def _written(heading: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow(heading)
    for row in rows:
        writer.writerow([_cell(row[name]) for name in heading])
    return out.getvalue().encode("utf-8-sig")


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = value.isoformat() if isinstance(value, date) else str(value)
    return f"'{text}" if text.startswith((*_FORMULA, "'")) else text


# ---- reading
def _office(content: bytes, before: Register, sheets: Sheets) -> Organisation:
    rows = list(_rows(OFFICE, content, ["revision", *Organisation.model_fields], ("name", "name_en"), sheets.faults))
    if len(rows) != 1:
        if not sheets.faults:
            sheets.faults.append(CellFault(OFFICE, 1, "", "has one row, of the centre itself"))
        return before.organisation
    line, cells = rows[0]
    revision = cells.pop("revision", "")
    if revision.isascii() and revision.isdecimal():
        sheets.revision = int(revision)
    elif revision:
        sheets.faults.append(CellFault(OFFICE, line, "revision", f"{revision!r} is no number; export anew"))
    return _entry(OFFICE, line, cells, Organisation, sheets.faults) or before.organisation


def _names(content: bytes, sheets: Sheets) -> dict[str, str]:
    found: dict[str, str] = {}
    known = {each.id for each in sheets.register.operators} if sheets.register else None
    for line, cells in _rows(NAMES, content, ["operator", "name"], ("operator", "name"), sheets.faults):
        operator, name = cells.get("operator", ""), cells.get("name", "")
        if operator in found:
            sheets.faults.append(CellFault(NAMES, line, "operator", "is there twice"))
        elif known is not None and operator not in known:
            sheets.faults.append(CellFault(NAMES, line, "operator", f"the register has no operator {operator!r}"))
        if not 1 <= len(name) <= _NAME_CHARACTERS or not name.isprintable():
            said = f"has 1 to {_NAME_CHARACTERS} printable characters; to forget a name, delete the row"
            sheets.faults.append(CellFault(NAMES, line, "name", said))
        found[operator] = name
    return found


def _entries(name: str, content: bytes, shape: type[Entry], faults: list[CellFault]) -> Iterator[tuple[int, Entry]]:
    needed = tuple(each for each, info in shape.model_fields.items() if info.is_required())
    for line, cells in _rows(name, content, columns(shape), needed, faults):
        entry = _entry(name, line, cells, shape, faults)
        if entry is not None:
            yield line, entry


def _entry(name: str, line: int, cells: Mapping[str, str], shape: type[Any], faults: list[CellFault]) -> Any:
    values: dict[str, Any] = {}
    for column, text in cells.items():
        try:
            value = _value(column, text)
        except ValueError as error:
            faults.append(CellFault(name, line, column, str(error)))
            return None
        if value is not None:
            values[column] = value
    try:
        return shape.model_validate(values)
    except ValidationError as error:
        for each in error.errors(include_url=False, include_input=False):
            column = str(each["loc"][0]) if each["loc"] else ""
            said = "is empty" if each["type"] == "missing" else each["msg"].removeprefix("Value error, ")
            faults.append(CellFault(name, line, column, said, f"bad_{each['type']}"))
        return None


def _value(column: str, text: str) -> Any:
    """What a cell means; None for an empty one. Raises ValueError that says what is expected."""
    if column in _FLAGS:
        if text.lower() in _YES or text.lower() in _NO:
            return text.lower() in _YES
        raise ValueError(f"{text!r} is neither yes nor no")
    if not text:
        return None
    if column in _DAYS:
        return _day(text)
    if column in _TIMES:
        found = re.fullmatch(r"(\d{1,2}):(\d\d)(:00)?", text, re.ASCII)
        return f"{int(found[1]):02}:{found[2]}" if found else text
    return text


def _day(text: str) -> date:
    found = re.fullmatch(r"(\d{1,2})\.(\d{1,2})\.(\d{4})", text, re.ASCII)
    try:
        return date(int(found[3]), int(found[2]), int(found[1])) if found else date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no day; write it as 2026-06-01 or 01.06.2026") from None


def _rows(
    name: str, content: bytes, known: Sequence[str], needed: Sequence[str], faults: list[CellFault]
) -> Iterator[tuple[int, dict[str, str]]]:
    """The lines that are not empty, each with its number and its cells by column."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        faults.append(CellFault(name, line, "", "is not UTF-8: save it as “CSV UTF-8”"))
        return
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text, known), strict=True)
    heading: list[str] | None = None
    begins = 1
    try:
        for row in reader:
            line, begins = begins, reader.line_num + 1
            cells = [_bare(cell) for cell in row]
            if not any(cells):
                continue
            if heading is None:
                heading = [cell.lower() for cell in cells]
                if not _heading_is_good(name, line, heading, known, needed, faults):
                    return
            elif any(cells[len(heading) :]):
                faults.append(CellFault(name, line, "", f"has more cells than the heading ({len(heading)})"))
            else:
                yield line, dict(zip(heading, cells + [""] * len(heading), strict=False))
    except csv.Error as error:
        faults.append(CellFault(name, begins, "", f"is no CSV: {error}; a quotation mark may be missing its other"))
    if heading is None:
        faults.append(CellFault(name, 1, "", f"is empty; its first line names the columns: {', '.join(known)}"))


def _heading_is_good(
    name: str, line: int, heading: list[str], known: Sequence[str], needed: Sequence[str], faults: list[CellFault]
) -> bool:
    while heading and not heading[-1]:
        heading.pop()
    for column in heading:
        if column not in known:
            faults.append(CellFault(name, line, column, f"no such column here; there are {', '.join(known)}"))
        elif heading.count(column) > 1:
            faults.append(CellFault(name, line, column, "this column is there twice"))
    faults += [CellFault(name, line, column, "this column is missing") for column in needed if column not in heading]
    return not any(fault.file == name for fault in faults)


def _delimiter(text: str, known: Sequence[str]) -> str:
    first = text.lstrip("\r\n").partition("\n")[0].lower()
    return max(";,\t", key=lambda each: sum(part.strip(' "\r') in known for part in first.split(each)))


def _bare(cell: str) -> str:
    """The cell's text in one line, as everything in a register is."""
    text = " ".join(cell.replace("\u00a0", " ").split()) if "\n" in cell else cell.strip(" \u00a0\r")
    return text[1:] if text.startswith("'") and text[1:2] in ("'", *_FORMULA) else text
