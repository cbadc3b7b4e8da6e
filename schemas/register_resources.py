"""What the api says of changes to the register. The register itself is schemas/register.py's Register, as JSON."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from schemas.resources import Resource


class FieldChangeResource(Resource):
    """A field as it was and as it is to be, as text; null where there is nothing."""

    field: str
    old: str | None
    new: str | None


class RegisterChange(Resource):
    """One row that differs; "closed" is a row that only got its last day."""

    part: str = Field(examples=["desks"])
    kind: Literal["added", "changed", "closed", "removed", "reordered"]
    name: list[str] = Field(description="what the row is about: an id, or an operator and a desk")
    fields: list[FieldChangeResource]


class RegisterChanges(Resource):
    """``revision`` is the register's after this; with ``dry_run`` nothing was changed."""

    revision: int
    dry_run: bool
    names_changed: bool
    changes: list[RegisterChange]


class RevisionResource(Resource):
    number: int
    at: datetime
    author: str
    how: Literal["file", "import", "edit", "revert", "found"]
    note: str


class Revisions(Resource):
    revisions: list[RevisionResource]


class OperatorNames(Resource):
    """Names of persons by operator id."""

    names: dict[str, str]
