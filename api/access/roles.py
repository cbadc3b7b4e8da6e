"""The roles of the access matrix (order, section 4): what each may do, how it is limited, and for which purposes.

A role is a set of scopes and a kind of limit. What is not named here is refused. Nothing here is a setting: who wants a
role to see more changes the order first, then this file and matrix.md, which the tests hold against each other.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from collector.store import Limits

# Parts of Limits that somebody of a role must have. ``or`` stands for one of them at least.
BRANCHES, PARTICIPANTS, DIRECTIONS, OPERATOR = "branches", "participants", "directions", "operator"
_MANAGEMENT = frozenset({"analysis", "improvement", "duties_review", "cooperation_review"})  # P4.7.1
_PARTICIPANTS = frozenset({"analysis", "improvement", "encouragement"})  # P4.7.2


@dataclass(frozen=True, slots=True)
class Role:
    """``needs``: limits without which nobody gets this role; ``may_have``: others that they may be given.

    ``by_order``: at operator level only with a recorded instruction (P4.3). ``on_request``: figures of centre and
    branches are given on request, through the register of requests, and not by signing in (P4.4).
    """

    id: str
    clause: str
    scopes: frozenset[str] = frozenset()
    needs: frozenset[str] = frozenset()
    may_have: frozenset[str] = frozenset()
    purposes: frozenset[str] = frozenset()
    by_order: bool = False
    on_request: bool = False

    def missing(self, limits: Limits) -> list[str]:
        """Parts of the limits that this role needs and these have not, or has no business with, by name."""
        given = {part for part in (BRANCHES, PARTICIPANTS, DIRECTIONS, OPERATOR) if getattr(limits, part) is not None}
        empty = {part for part in given if not getattr(limits, part)}
        return sorted((self.needs - given) | (given - self.needs - self.may_have) | empty)


def _role(id: str, clause: str, scopes: str, **more: object) -> Role:  # noqa: A002 - the field's name
    return Role(id, clause, frozenset(scopes.split()), **more)  # type: ignore[arg-type]


ROLES = {
    role.id: role
    for role in (
        # Consolidates the centre's results, judges administrators' duties, releases results (P4.2, P4.4, P4.7.1).
        _role(
            "head_of_centre",
            "4.2, 4.4, 4.7.1",
            "figures operators devices report register names reports publish disclose signals access_log evidence",
            purposes=_MANAGEMENT,
        ),
        # Generalises and releases the branch's results (P4.1, P4.4), looks after observance (O2.2); its own unit only.
        _role(
            "head_of_branch",
            "O2.2, 4.1, 4.4, 4.7.1",
            "figures operators devices report reports disclose signals",
            needs=frozenset({BRANCHES}),
            purposes=_MANAGEMENT,
        ),
        # Its own representatives, in its own direction (P4.7.2).
        _role(
            "participant_head",
            "4.7.2",
            "figures operators reports",
            needs=frozenset({PARTICIPANTS, DIRECTIONS}),
            may_have=frozenset({BRANCHES}),
            purposes=_PARTICIPANTS,
        ),
        # By branch and direction; by operator on its own recorded instruction (P4.3).
        _role(
            "city_leadership",
            "4.3",
            "figures operators reports evidence",
            purposes=frozenset({"analysis", "improvement"}),
            by_order=True,
        ),
        # On request; its consent to what goes to the media is recorded in the register of requests (P4.4).
        _role("media_department", "4.4", "", on_request=True),
        _role("quality_department", "4.4", "", on_request=True),
        # Keeps the system and its parts working; device health and no figures (O3, P3.3). Of integrity signals those
        # about pads, without operators, because it lacks the scope operators (api/signals.py).
        _role("it_department", "O3, 3.3", "devices control provision metrics report register signals"),
        # The own unit's figures and, of operators, their own ones (P4.7.3: nobody's else).
        _role(
            "operator",
            "4.7.3, 3.3",
            "figures report",
            needs=frozenset({OPERATOR, BRANCHES}),
        ),
        # Sees that nobody reads without a purpose, and that nothing becomes a penalty (P4.8).
        _role("staff_representative", "4.8", "access_log"),
        # Looks at the centre as a whole, from outside; nobody's own figures (P4.7.3).
        _role("assessor", "4.7.3", "figures reports evidence"),
        # Looks after people and tokens, and sees no figures at all (P4.7.3).
        _role("administrator", "4.7.3", "users"),
    )
}


def role_of(name: str | None) -> Role | None:
    """The role of that id; None for a program, which has none, and for a word that is none."""
    return ROLES.get(name or "")


def purposes_for(name: str | None, everything: Iterable[str]) -> frozenset[str]:
    """For which of the order's purposes this role may read operators' figures; a program may name any of them."""
    if name is None:
        return frozenset(everything)
    role = role_of(name)
    return role.purposes if role else frozenset()
