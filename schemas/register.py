"""The office's register: its branches, services and desks, as they stand in one TOML file. It reads no file itself.

Names in the file are singular, as TOML writes lists of tables: ``[organisation]``, ``[[branch]]``, ``[[service]]``,
``[[desk]]``. Unknown keys are refused.
"""

from collections.abc import Iterable
from datetime import time
from typing import Annotated, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from protocol.access import is_reserved
from protocol.fields import NAME


def _legal_id(value: str) -> str:
    problem = NAME.problem(value)
    if problem:
        raise ValueError(f"the id {problem} (a-z, 0-9 and inner hyphens)")
    return value


def _known_timezone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ValueError, OSError, LookupError):  # illegal path, a directory, no such zone
        raise ValueError(f"{value!r} is not a time zone of the IANA database") from None
    return value


def _legal_time(value: str) -> str:
    try:
        time.fromisoformat(value)
    except ValueError:
        raise ValueError(f"{value!r} is not a time of day HH:MM") from None
    return value


Id = Annotated[str, AfterValidator(_legal_id)]
Timezone = Annotated[str, Field(max_length=60), AfterValidator(_known_timezone)]
TimeOfDay = Annotated[str, StringConstraints(pattern=r"^\d\d:\d\d$"), AfterValidator(_legal_time)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=120, strip_whitespace=True)]
LongText = Annotated[str, StringConstraints(min_length=1, max_length=300, strip_whitespace=True)]


class Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, validate_by_name=True, validate_by_alias=True)


class Organisation(Entry):
    """Whose centre it is. ``simulated`` makes every page say that nothing in it is about anybody."""

    name: Text
    name_en: Text
    simulated: bool = False


class Branch(Entry):
    """A branch; at ``day_ends``, local time, the feed closes what the queue left open.

    ``complaints_book`` tells clients where the book of complaints and proposals lies (order P3.4), in both languages.
    """

    id: Id
    name: Text
    name_en: Text
    timezone: Timezone = "Europe/Kyiv"
    day_ends: TimeOfDay = "20:00"
    complaints_book: LongText | None = None
    complaints_book_en: LongText | None = None

    @model_validator(mode="after")
    def _both_languages_or_none(self) -> Self:
        if (self.complaints_book is None) != (self.complaints_book_en is None):
            raise ValueError("complaints_book and complaints_book_en: one without the other")
        return self


class Service(Entry):
    id: Id
    name: Text
    name_en: Text


class Desk(Entry):
    """A desk; ``label`` is what stands on it. Its id is the pad's name at the broker, unique in the organisation."""

    id: Id
    branch: str
    label: Annotated[str, StringConstraints(min_length=1, max_length=40, strip_whitespace=True)]


class Register(Entry):
    """Everything of one file, in the file's order."""

    organisation: Organisation
    branches: tuple[Branch, ...] = Field(default=(), alias="branch", strict=False)
    services: tuple[Service, ...] = Field(default=(), alias="service", strict=False)
    desks: tuple[Desk, ...] = Field(default=(), alias="desk", strict=False)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        for kind, entries in (("branch", self.branches), ("service", self.services), ("desk", self.desks)):
            for name in _twice(entry.id for entry in entries):
                raise ValueError(f"the {kind} {name!r} is there twice")
        branches = {branch.id for branch in self.branches}
        for desk in self.desks:
            if desk.branch not in branches:
                raise ValueError(f"the desk {desk.id!r} names an unknown branch {desk.branch!r}")
            if is_reserved(desk.id):
                raise ValueError(f"a desk may not be called {desk.id!r}: that is a server's name at the broker")
        return self


def desks_by_branch(register: Register) -> dict[str, tuple[str, ...]]:
    """Each branch's desks, as protocol.access wants them."""
    return {
        branch.id: tuple(desk.id for desk in register.desks if desk.branch == branch.id) for branch in register.branches
    }


def _twice(names: Iterable[str]) -> list[str]:
    seen: set[str] = set()
    repeated = []
    for name in names:
        if name in seen:
            repeated.append(name)
        seen.add(name)
    return repeated
