"""Whose figures somebody may see, and how that is written down. Applying it to figures is api/access/reach.py's."""

import json
from dataclasses import dataclass

from collector.errors import Declined

_PARTS = ("branches", "participants", "directions")
_CHARACTERS = 4000  # the column's


@dataclass(frozen=True, slots=True)
class Limits:
    """Whose figures somebody may see; None is no limit. A limit by several of them is met by a row that meets all.

    ``operator``: the reader is this operator, and of operators sees only themselves.
    """

    branches: frozenset[str] | None = None
    participants: frozenset[str] | None = None
    directions: frozenset[str] | None = None
    operator: str | None = None

    @property
    def any(self) -> bool:
        return self != NO_LIMITS


NO_LIMITS = Limits()


def written(limits: Limits) -> str | None:
    """The column's text; None for no limits. Raises Declined when they do not fit."""
    found: dict[str, object] = {}
    for part in _PARTS:
        ids: frozenset[str] | None = getattr(limits, part)
        if ids is not None:
            found[part] = sorted(ids)
    if limits.operator is not None:
        found["operator"] = limits.operator
    text = json.dumps(found, separators=(",", ":"))
    if len(text) > _CHARACTERS:
        raise Declined("these are too many branches, organisations or directions for one account")
    return text if found else None


def read(text: str | None) -> Limits:
    """The limits of a column's text. An unknown word in it is a limit that this version cannot apply: ValueError."""
    found = json.loads(text) if text else {}
    unknown = set(found) - {*_PARTS, "operator"}
    if unknown:
        raise ValueError(f"unknown limits: {', '.join(sorted(unknown))}")
    sets = {part: frozenset(found[part]) if part in found else None for part in _PARTS}
    return Limits(**sets, operator=found.get("operator"))
