"""What is wrong in a settings file, in words: where it stands, what is wrong, what to do. It reads no file itself.

    /etc/zrazkovo/collector.toml, line 7: broker_prot: there is no such setting; did you mean broker_port?

A value is quoted back only if its field may be shown (``repr``), because a password may have slipped into any text.
"""

import tomllib
from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin
from urllib.parse import urlsplit

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

Location = tuple[int | str, ...]
_MOST_QUOTED = 60


def line_of(text: str, location: Location) -> int | None:
    """The line, from 1, on which the entry at ``location`` (keys, places in lists) begins in a TOML text; None without.

    An entry inside a list or table that is written over several lines is said to stand where that begins.
    """
    lines = text.splitlines()
    low, high = 0, len(lines)  # without ``location`` in the first ``low`` lines, with it in the first ``high``
    if not _has(text, location):
        return None
    while high - low > 1:
        middle = end = (low + high) // 2
        while end < high and (found := _parsed(lines[:end])) is None:
            end += 1  # in the middle of something that goes over several lines
        if end == high or _reaches(found, location):
            high = middle
        else:
            low = end
    return high


def syntax(text: str) -> str | None:
    """What keeps ``text`` from being TOML, beginning with its line; None if nothing does."""
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        what, _, place = str(error).rpartition(" (at ")
        numbers = [part for part in place.replace(",", " ").rstrip(")").split() if part.isdecimal()]
        line = int(numbers[0]) if numbers else max(1, len(text.splitlines()))
        return f"line {line}: not TOML: {what or error}{_syntax_fix(what)}"
    return None


def fitting(name: str, known: Iterable[str]) -> str:
    """ "; did you mean ...?" if something known is spelt like ``name``, in whatever case."""
    spelt = {each.lower(): each for each in known}
    near = get_close_matches(name.lower(), spelt, n=1, cutoff=0.7)
    return f"; did you mean {spelt[near[0]]}?" if near else ""


def password_in(value: object) -> bool:
    """Whether a URL with a password stands in ``value`` or anywhere inside it."""
    if isinstance(value, Mapping):
        return any(password_in(each) for each in value.values())
    if isinstance(value, list):
        return any(password_in(each) for each in value)
    try:
        return isinstance(value, str) and "://" in value and urlsplit(value).password is not None
    except ValueError:
        return False


class Finder:
    """Says where a setting comes from: a line of the file, the environment, or nowhere yet."""

    def __init__(self, file: Path | None, text: str, prefix: str, environ: Mapping[str, str]):
        self.file, self._text, self._prefix = file, text, prefix
        self._environ = {name.upper() for name in environ}
        self._values = _parsed(text.splitlines()) or {}

    def place(self, location: Location) -> str:
        """The beginning of a sentence about ``location``: file, line and key, or the variable."""
        key, variable = dotted(location), self.variable(location)
        if location and variable in self._environ:
            return f"{variable}: {key}: " if len(location) > 1 else f"{variable}: "
        return self.in_file(location)

    def in_file(self, location: Location) -> str:
        """The same, of what the file says, whatever the environment does."""
        key = dotted(location)
        if self.file is None:
            return f"{key}: " if location else ""
        if not location or location[0] not in self._values:
            return f"{self.file}: {key}: " if location else f"{self.file}: "
        return f"{self.file}, line {self._line(location)}: {key}: "

    def is_set(self, key: str) -> bool:
        return key in self._values or self.variable((key,)) in self._environ

    def variable(self, location: Location) -> str:
        return f"{self._prefix}{str(location[0]).upper()}" if location else f"{self._prefix}..."

    def _line(self, location: Location) -> int:
        """Of ``location``, or, when it is missing there, of what it should stand in."""
        for length in range(len(location), 0, -1):
            line = line_of(self._text, location[:length])
            if line is not None:
                return line
        return 1


def sentences(error: ValidationError, program: type[BaseModel], finder: Finder, secrets: Collection[str]) -> list[str]:
    """Every mistake that ``error`` tells of, a sentence each, in the order of the fields."""
    return [_sentence(each, program, finder, secrets) for each in error.errors(include_url=False)]


def dotted(location: Location) -> str:
    """fqm[2].url, for (fqm, 1, url): people count from one."""
    words = ""
    for step in location:
        words += f"[{step + 1}]" if isinstance(step, int) else f".{step}" if words else str(step)
    return words


def _sentence(each: Any, program: type[BaseModel], finder: Finder, secrets: Collection[str]) -> str:
    location, kind = tuple(each["loc"]), each["type"]
    field = program.model_fields.get(str(location[0])) if location else None
    if kind == "extra_forbidden":
        model = _model_at(program, location[:-1])
        near = fitting(str(location[-1]), model.model_fields) if model else ""
        return f"{finder.place(location)}there is no such key{near}"
    if kind == "missing":
        if location[0] in secrets:
            return f"{location[0]}: is missing; set {finder.variable(location)} in the environment"
        return f"{finder.place(location)}is missing; {_how_to_set(location, finder)}"
    if kind == "value_error":
        said = str(each["ctx"]["error"])
        return f"{finder.place(location)}{said}" if location else _of_several(said, program, finder)
    return f"{finder.place(location)}{_wish(each)}{_quoted(each, field)}"


def _of_several(said: str, program: type[BaseModel], finder: Finder) -> str:
    """About keys that do not go together: "this, that: what is wrong", placed at the first of them that is set."""
    keys = [key for key in said.partition(":")[0].replace(" and ", ", ").split(", ") if key in program.model_fields]
    key = next((key for key in keys if finder.is_set(key)), None)
    return said if key is None else finder.place((key,)).removesuffix(f"{key}: ") + said


def _how_to_set(location: Location, finder: Finder) -> str:
    if len(location) > 1:
        return f"write {location[-1]} = ... there"
    where = f"write {location[0]} = ... into the file, or set" if finder.file else "set"
    return f"{where} {finder.variable(location)}"


_WISHES = {
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "string_type": 'must be text, in quotes: "..."',
    "path_type": 'must be a path, in quotes: "..."',
    "tuple_type": "must be a list, in brackets: [...]",
    "frozen_set_type": "must be a list, in brackets: [...]",
    "list_type": "must be a list, in brackets: [...]",
    "dict_type": "must be a table, in braces: {...}",
    "model_type": "must be a table, in braces: {...}",
}
_BOUNDS = {
    "greater_than_equal": ("ge", "must be at least {}"),
    "less_than_equal": ("le", "must be at most {}"),
    "greater_than": ("gt", "must be more than {}"),
    "less_than": ("lt", "must be less than {}"),
    "string_too_long": ("max_length", "must have at most {} characters"),
    "string_too_short": ("min_length", "must have at least {} characters"),
    "literal_error": ("expected", "must be {}"),
    "string_pattern_mismatch": ("pattern", "must look like {}"),
}


def _wish(each: Any) -> str:
    if each["type"] in _BOUNDS:
        name, words = _BOUNDS[each["type"]]
        if each["type"] == "string_too_short" and each["ctx"][name] == 1:
            return "must not be empty"
        return words.format(each["ctx"][name])
    said = str(each["msg"])
    return _WISHES.get(each["type"]) or said[:1].lower() + said[1:]


def _quoted(each: Any, field: FieldInfo | None) -> str:
    value = each.get("input")
    if field is None or not field.repr or "Secret" in str(field.annotation) or not isinstance(value, str | int | float):
        return ""
    return "" if password_in(value) else f", not {value!r}"[:_MOST_QUOTED]


def _model_at(program: type[BaseModel], location: Location) -> type[BaseModel] | None:
    """The model whose keys stand at ``location``."""
    model: type[BaseModel] | None = program
    for step in location:
        if model is None or isinstance(step, int):
            continue
        field = model.model_fields.get(step)
        if field is not None:
            model = next(_models(field.annotation), None)
        # A key of a table that maps names to models: the model stays the same.
    return model


def _models(annotation: Any) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif get_origin(annotation) is not None or isinstance(annotation, UnionType | type(Union[int, str])):  # noqa: UP007
        for argument in get_args(annotation):
            yield from _models(argument)


def _syntax_fix(what: str) -> str:
    if what.startswith("Invalid value"):
        return '; text stands in quotes, as in key = "text"'
    if what.startswith(("Cannot overwrite", "Cannot declare")):
        return "; it stands there twice: keep one of them"
    if what.startswith(("Expected '='", "Invalid statement")):
        return "; a line says key = value, and a comment begins with #"
    return ""


def _parsed(lines: list[str]) -> dict[str, Any] | None:
    try:
        return tomllib.loads("\n".join(lines))
    except tomllib.TOMLDecodeError:
        return None


def _has(text: str, location: Location) -> bool:
    return _reaches(_parsed(text.splitlines()), location)


def _reaches(value: Any, location: Location) -> bool:
    for step in location:
        try:
            value = value[step]
        except (LookupError, TypeError):
            return False
    return value is not None
