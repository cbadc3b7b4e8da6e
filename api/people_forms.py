"""The fields of the forms about people, as values: what is no role, no limit or no day is refused in words. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from api.access.roles import BRANCHES, DIRECTIONS, OPERATOR, PARTICIPANTS, ROLES
from api.errors import BadRequestBody
from collector.store import Limits, Person, Register

_PARTS = {BRANCHES: "branches", PARTICIPANTS: "participants", DIRECTIONS: "directions", OPERATOR: "operators"}


@dataclass(frozen=True, slots=True)
class Rights:
    """Role, limits and end of an account."""

    role: str
    limits: Limits
    expires_unix_ms: int | None


def rights_of(fields: Mapping[str, str], register: Register) -> Rights:
    """What a form says. Raises BadRequestBody naming the field.

    Only these fields are read: whatever else a form brings changes nothing.
    """
    role = ROLES.get(fields.get("role", ""))
    if role is None:
        raise BadRequestBody("There is no such role.", field="role")
    used = role.needs | role.may_have
    parts = {part: _ids(fields.get(part, ""), register, part) for part in _PARTS if part in used}
    operator = next(iter(parts.pop(OPERATOR, None) or ()), None)
    limits = Limits(**{part: ids or None for part, ids in parts.items()}, operator=operator)
    missing = role.missing(limits)
    if missing:
        raise BadRequestBody(f"This role needs {', '.join(missing)}.", field=missing[0])
    return Rights(role.id, limits, end_of(fields.get("until", "")))


def limits_of(fields: Mapping[str, str], register: Register) -> Limits:
    """What a form limits a token to; what it names none of is no limit. Raises BadRequestBody naming the field."""
    parts = (BRANCHES, PARTICIPANTS, DIRECTIONS)
    return Limits(**{part: _ids(fields.get(part, ""), register, part) or None for part in parts}, operator=None)


def end_of(text: str) -> int | None:
    """The end of a day, UTC ms; None for no end. Raises BadRequestBody."""
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise BadRequestBody("That is no day.", field="until") from None
    if not 2000 <= day.year <= 2100:
        raise BadRequestBody("That is no day.", field="until")
    return int(datetime.combine(day + timedelta(days=1), time(), UTC).timestamp() * 1000)


def day_of_end(unix_ms: int | None) -> str:
    """What a form shows for it."""
    return (
        "" if unix_ms is None else (datetime.fromtimestamp(unix_ms / 1000, UTC) - timedelta(days=1)).date().isoformat()
    )


def shown_fields(person: Person) -> dict[str, str]:
    """The fields as the form of somebody begins."""
    limits = person.limits
    return {
        "shown": person.shown,
        "role": person.role,
        **{part: " ".join(sorted(getattr(limits, part) or ())) for part in (BRANCHES, PARTICIPANTS, DIRECTIONS)},
        "operator": limits.operator or "",
        "until": day_of_end(person.expires_unix_ms),
    }


def _ids(text: str, register: Register, part: str) -> frozenset[str]:
    """Ids of the register, with commas or spaces between them. Raises BadRequestBody for one that is none."""
    found = frozenset(text.replace(",", " ").split())
    known = {each.id for each in getattr(register, _PARTS[part])}
    unknown = sorted(found - known)
    if unknown:
        raise BadRequestBody(f"Not in the register: {', '.join(unknown)[:200]}.", field=part)
    if part == OPERATOR and len(found) > 1:
        raise BadRequestBody("An operator is one person.", field=part)
    return found
