"""What is not shown because fewer than three operators stand behind it. Pure; reports and evidence ask the same.

Rules of the file (order P4.3, domain study 6.3)
1.  A part behind which fewer than three operators stand is hidden: its figures would be theirs.
2.  Of a group whose sum is shown, what is hidden together has at least three behind it, too: it is the sum less what
    is shown. If all of a group is too little for that, the group's own sum is hidden, and all such groups together are
    held against the whole.
3.  A longer period shows what every month in it shows: that says nothing new. A part that a month hides is only shown
    for the longer period if no subtraction of anything shown, in the months, in quarters of a year, or in it, leaves
    figures of two operators or fewer.

How rule 3 is decided: hidden parts of months are the edges of a graph. One end is the sum that its month and group
give away, the other the sum that a longer period gives away by showing the part, or a common place for all parts that
none shows. What subtracting can leave are exactly the cuts of this graph. So two operators are told of if the graph
falls into more pieces once the edges are taken away behind which nobody else stands.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

LEAST_OPERATORS = 3
# Beyond so many pairs of operators nothing is tried: what a month hides stays hidden.
_MOST_PAIRS = 500


@dataclass(frozen=True)
class Part:
    """A service, or a place, in one period. ``weight``: its votes, or calls; without any there is nothing to hide.

    ``behind``: nobody where it is not known who.
    """

    key: str
    weight: int
    behind: frozenset[str]
    group: str | None = None


@dataclass(frozen=True)
class Hidden:
    """Keys of the parts, and groups whose own sum is hidden."""

    keys: frozenset[str] = frozenset()
    groups: frozenset[str | None] = frozenset()


def hidden_in(parts: Iterable[Part]) -> Hidden:
    """Of one period by itself: rules 1 and 2. What is hidden for others' sake has the least weight."""
    return _Period([each for each in parts if each.weight]).hidden()


def hidden_over(
    months: Mapping[int, Sequence[Part]],
    longer: Sequence[Sequence[int]],
    of_months: Mapping[int, Hidden] | None = None,
    enough: Callable[[str, Sequence[int]], bool] = lambda key, months: True,
) -> Hidden:
    """Of the last of ``longer``, each of which is some of the months: a quarter; or the quarters of a year, and it.

    Args:
        months: the parts of each month, by ``yyyymm``.
        longer: shorter ones first; each lies inside a later one, or beside it.
        of_months: what each month hides, if not by rules 1 and 2.
        enough: whether what these months hide of a part may be seen as one figure, besides rule 3.
    """
    weighty = {month: [each for each in parts if each.weight] for month, parts in months.items()}
    hidden = {month: hidden_in(parts) for month, parts in weighty.items()} if of_months is None else of_months
    graph = _Graph(weighty, hidden, enough)
    found = Hidden()
    for span in longer:
        found = graph.hidden(span)
    return found


@dataclass
class _Period:
    parts: list[Part]
    keys: set[str] = field(default_factory=set)
    groups: set[str | None] = field(default_factory=set)

    def hidden(self) -> Hidden:
        self.keys = {each.key for each in self.parts if len(each.behind) < LEAST_OPERATORS}
        by_group: dict[str | None, list[Part]] = {}
        for each in sorted(self.parts, key=lambda part: (part.weight, part.key)):
            by_group.setdefault(each.group, []).append(each)
        for group, members in by_group.items():
            if any(each.key in self.keys for each in members) and not self._widened(members, [group]):
                self.groups.add(group)
        others = sorted(set(by_group) - self.groups, key=lambda group: sum(each.weight for each in by_group[group]))
        while self.groups and others and len(self._behind(self.groups)) < LEAST_OPERATORS:
            self.groups.add(others[0])
            self._widened(by_group[others.pop(0)], self.groups)
        return Hidden(frozenset(self.keys), frozenset(self.groups))

    def _widened(self, members: Sequence[Part], groups: Iterable[str | None]) -> bool:
        """Hides more of ``members``, as little as may be, until enough stand behind all hidden of these groups."""
        held = set(groups)
        left = [each for each in members if each.key not in self.keys]
        while len(self._behind(held)) < LEAST_OPERATORS and left:
            self.keys.add(left.pop(0).key)
        return len(self._behind(held)) >= LEAST_OPERATORS

    def _behind(self, groups: set[str | None]) -> frozenset[str]:
        hidden = [each.behind for each in self.parts if each.key in self.keys and each.group in groups]
        return frozenset[str]().union(*hidden)


_Node = tuple[object, ...]
_NOWHERE: _Node = ("nowhere",)
# All groups of a month whose sums are hidden.
_TOGETHER = ("together",)


@dataclass
class _Edge:
    month: int
    part: Part
    column: _Node
    row: _Node = _NOWHERE


class _Graph:
    """Rule 3: what is hidden, and which sums of it are known."""

    def __init__(
        self,
        months: Mapping[int, Sequence[Part]],
        hidden: Mapping[int, Hidden],
        enough: Callable[[str, Sequence[int]], bool],
    ):
        self._months = months
        self._enough = enough
        self._hidden = hidden
        self._edges = [
            _Edge(month, each, (month, _TOGETHER if each.group in self._hidden[month].groups else each.group))
            for month, parts in months.items()
            for each in parts
            if each.key in self._hidden[month].keys
        ]
        # Of sums of months alone; more than that may not become known.
        watched, joined = self._watched(), _joined(self._edges)
        self._told = None if watched is None else {pair: joined - self._joined_without(pair) for pair in watched}

    def hidden(self, span: Sequence[int]) -> Hidden:
        """Of a longer period, beyond what the months and shorter periods show; it is shown from here on."""
        parts = [each for month in span for each in self._months.get(month, ())]
        weights: dict[str, int] = {}
        for each in parts:
            weights[each.key] = weights.get(each.key, 0) + each.weight
        loose = {each.part.key for each in self._edges if each.month in span and each.row == _NOWHERE}
        for key in sorted(loose, key=lambda name: (-weights[name], name)):
            if self._shown(key, span):
                loose.discard(key)
        groups = [self._hidden[month].groups for month in span if month in self._hidden]
        return Hidden(frozenset(loose), frozenset[str | None]().union(*groups))

    def _shown(self, key: str, span: Sequence[int]) -> bool:
        """Shows a part for the span, unless that tells of two operators what was not told before."""
        mine = [each for each in self._edges if each.part.key == key and each.month in span and each.row == _NOWHERE]
        behind = frozenset[str]().union(*(each.part.behind for each in mine))
        if len(behind) < LEAST_OPERATORS or self._told is None:
            return False
        if not self._enough(key, [each.month for each in mine]):
            return False
        for each in mine:
            each.row = (key, *span)
        joined = _joined(self._edges)
        if all(joined - self._joined_without(pair) == told for pair, told in self._told.items()):
            return True
        for each in mine:
            each.row = _NOWHERE
        return False

    def _watched(self) -> list[frozenset[str]] | None:
        """Every two operators behind something with nobody else; None if there are too many to look at."""
        small = {each.part.behind for each in self._edges if len(each.part.behind) < LEAST_OPERATORS}
        people = sorted(frozenset[str]().union(*small))
        if len(people) * (len(people) - 1) // 2 > _MOST_PAIRS:
            return None
        pairs = [frozenset(each) for each in combinations(people, 2)] or [frozenset(people)]
        return [pair for pair in pairs if any(behind <= pair for behind in small)]

    def _joined_without(self, pair: frozenset[str]) -> int:
        """How far the graph hangs together without what only these two stand behind."""
        return _joined(each for each in self._edges if not each.part.behind <= pair)


def _joined(edges: Iterable[_Edge]) -> int:
    """How many of the edges join what was not joined before them: the more of them, the fewer the pieces."""
    parents: dict[_Node, _Node] = {}
    number = 0
    for each in edges:
        one, other = _top(parents, ("column", *each.column)), _top(parents, ("row", *each.row))
        if one != other:
            parents[one] = other
            number += 1
    return number


def _top(parents: dict[_Node, _Node], node: _Node) -> _Node:
    while (parent := parents.get(node, node)) != node:
        parents[node] = node = parents.get(parent, parent)
    return node
