"""Whose figures somebody may see, and how that is written down. Applying it to figures is api/access/reach.py's."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from collector.errors import Declined
from schemas.register import Register

_PARTS = ("branches", "participants", "directions")
_ONE = {"branches": "branch", "participants": "participant", "directions": "direction"}
_NAMED = 20  # so many ids are told to whoever wrote a wrong one
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


def chosen(register: Register, **ids: Iterable[str]) -> Limits:
    """Limits by the ids that somebody wrote; a part of which none is named is no limit.

    Args:
        register: the whole of it: figures of what is closed today are figures still.
        ids: of ``branches``, ``participants`` and ``directions``.

    Raises Declined, saying what there is, for an id that is not in the register.
    """
    found = {part: frozenset(wanted) for part, wanted in ids.items()}
    for part, wanted in found.items():
        known = sorted({each.id for each in getattr(register, part)})
        for unknown in sorted(wanted.difference(known)):
            there_is = f"there are {', '.join(known[:_NAMED])}" if known else "it has none"
            more = f" and {len(known) - _NAMED} more" if len(known) > _NAMED else ""
            raise Declined(f"there is no {_ONE[part]} {unknown!r} in the register; {there_is}{more}")
    return Limits(**{part: wanted or None for part, wanted in found.items()}, operator=None)


def described(limits: Limits) -> str:
    """The limits in one line for logs and lists, by ids; '' for none."""
    parts = [(part, ids) for part in _PARTS if (ids := getattr(limits, part)) is not None]
    said = [f"{part}={','.join(sorted(ids))}" for part, ids in parts]
    return " ".join(said if limits.operator is None else [*said, f"operator={limits.operator}"])


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
