"""Limits on what somebody may see: own branch, own organisation, own direction, oneself. Pure; it asks no database.

Rules of the file
1.  Default deny. What is not narrowed to the reader's own is refused in words that say how to narrow it, and a limit
    that a figure cannot be checked against refuses the figure: a desk's votes are no organisation's, a centre's total
    is no branch's. A route that says nothing of limits is closed to everybody who has some (api/auth.py).
2.  Figures of operators are limited by ``participants``, figures of services and directions by ``directions``; a head
    of an organisation has both (order P4.7.2). ``branches`` limits everything.
3.  What counts is the register of the figure's own day: an employee while employed, a service while it belonged to the
    direction, a desk while it stood in the branch.
"""

from collections.abc import Iterable
from datetime import date
from functools import cached_property

from api.errors import ScopeMissing
from collector.store import Limits, Register, Rollup, Token
from schemas.periods import day_date
from schemas.register_names import Employers


def within(
    token: Token,
    register: Register,
    *,
    branch: str | None = None,
    participant: str | None = None,
    direction: str | None = None,
    operator: str | None = None,
    day: date | None = None,
) -> None:
    """Raises ScopeMissing unless a question about exactly this lies inside the reader's limits.

    Args:
        register: the whole of it, with its past.
        branch: the one it is about; None asks for the whole centre.
        participant: the organisation whose operators it is about.
        direction: the one it is about; None asks for all of them.
        operator: the one it is about. An operator, or a participant, makes it a question at operator level.
        day: on which the operator must have belonged to the reader's organisation, where ``participant`` does not say
            which calls are meant.
    """
    limits = token.limits
    if not limits.any:
        return
    _own("branch", branch, limits.branches)
    if operator is None and participant is None:
        if limits.participants is not None or limits.directions is not None:
            _own("direction", direction, limits.directions or frozenset())
        return
    if limits.operator is not None:
        _own("operator", operator, frozenset({limits.operator}))
        return
    if limits.participants is None and limits.directions is None:
        return
    allowed = limits.participants or frozenset()
    if participant is None and operator is not None and day is not None:
        participant = Employers(register).of(operator, day)
    _own("participant", participant, allowed)


def desk_within(token: Token, register: Register, desk: str, day: date | None = None) -> None:
    """The same of a desk as a thing, its pad and its faults: only the branch counts. Raises ScopeMissing.

    Args:
        day: on which the desk stood there; None for where it stands by the rows of ``register``.
    """
    if token.limits.branches is None:
        return
    rows = [each for each in register.desks if each.id == desk and (day is None or each.holds(day))]
    if not any(row.branch in token.limits.branches for row in rows):
        raise ScopeMissing("This desk is not in your branch.", field="desk")


def only_branches(token: Token) -> frozenset[str] | None:
    """Of which branches somebody may see desks and counts; None for all.

    Raises ScopeMissing for limits of another kind, which such counts cannot be held against.
    """
    limits = token.limits
    if limits.participants is not None or limits.directions is not None or limits.operator is not None:
        raise ScopeMissing("Counts of whole branches are not part of what you may see.")
    return limits.branches


def in_branches(register: Register, branches: frozenset[str] | None) -> Register:
    """The register with these branches and their desks only; all of it for None. Names of services are public."""
    if branches is None:
        return register
    return register.model_copy(
        update={
            "branches": tuple(each for each in register.branches if each.id in branches),
            "desks": tuple(each for each in register.desks if each.branch in branches),
        }
    )


def the_only(kind: str, allowed: frozenset[str]) -> str:
    """The one that is meant where none is named. Raises ScopeMissing where it could be several."""
    if len(allowed) == 1:
        return next(iter(allowed))
    raise ScopeMissing(f"Name one {kind} of yours: {', '.join(sorted(allowed)) or 'there is none'}.", field=kind)


class Seen:
    """Which rows of the roll-ups somebody may see: the last check, on every row, whatever was asked."""

    def __init__(self, limits: Limits, register: Register):
        self.register = register
        self._limits = limits

    @cached_property
    def _employers(self) -> Employers:
        return Employers(self.register)

    @property
    def is_limited(self) -> bool:
        return self._limits.any

    @property
    def by_day(self) -> bool:
        """Whether it takes the row of each day to tell, not a month's sum."""
        return self._limits.participants is not None or self._limits.directions is not None

    def visible(self) -> Register:
        """The register with those of its branches only that may be shown."""
        return in_branches(self.register, self._limits.branches)

    def rows(self, rows: Iterable[Rollup], cut: str) -> list[Rollup]:
        """Those of ``rows``, of that cut, that lie inside the limits."""
        return [row for row in rows if self._sees(row, cut)] if self._limits.any else list(rows)

    def _sees(self, row: Rollup, cut: str) -> bool:
        limits = self._limits
        if cut == "operator" and limits.operator is not None:
            return row.key == limits.operator
        if limits.branches is not None and row.branch not in limits.branches:
            return False
        if cut == "operator":
            return self._sees_operator(row)
        if limits.participants is None and limits.directions is None and limits.operator is None:
            return True
        if cut == "service" and limits.operator is None:
            return self._direction(row.key, day_date(row.day)) in (limits.directions or ())
        return cut == "branch" and limits.operator is not None

    def _sees_operator(self, row: Rollup) -> bool:
        limits = self._limits
        if limits.participants is None and limits.directions is None:
            return True
        return self._employers.of(row.key, day_date(row.day)) in (limits.participants or ())

    def _direction(self, service: str, day: date) -> str | None:
        for row in self.register.services:
            if row.id == service and row.holds(day):
                return row.direction
        return None


def _own(kind: str, asked: str | None, allowed: frozenset[str] | None) -> None:
    if allowed is None or (asked is not None and asked in allowed):
        return
    mine = ", ".join(sorted(allowed)) or "none"
    said = f"This {kind} is not yours" if asked is not None else f"You may see only your own {kind}, not all together"
    raise ScopeMissing(f"{said}; yours: {mine}.", field=kind)
