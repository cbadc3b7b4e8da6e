"""The signal about ratings that never occur: no bad vote among very many (domain study 6.6)."""

from collections import defaultdict

from api.integrity.found import Found
from api.integrity.month import LEAST, Month
from api.integrity.peers import MIN_PEERS, Cell, Trials, expectations, share_below, share_scatter

WORTH_EXPECTED = 5.0


def zero_bad(month: Month) -> list[Found]:
    """No bad vote, where peers of the same services and branch would have had some. Others are not judged by it."""
    people: dict[str, dict[Cell, Trials]] = {}
    for name, calls in month.by_operator.items():
        own: dict[Cell, list[int]] = defaultdict(lambda: [0, 0])
        for call in calls:
            if call.rating:
                trials = own[call.service or "", call.branch]
                trials[0] += call.rating == 1
                trials[1] += 1
        if sum(n for _, n in own.values()) >= LEAST:
            people[name] = {cell: Trials(*trials) for cell, trials in own.items()}
    if len(people) < MIN_PEERS:
        return []
    told = expectations(people)
    scatter = share_scatter(told.values())
    return [
        Found(
            "zero_bad", name, month.branch_of[name], "", each.hits / each.n, each.expected / each.n, each.n,
            share_below(each, scatter) if not each.hits else 1.0,
            not each.hits and each.expected >= WORTH_EXPECTED,
            numbers={"count": each.hits, "expected": each.expected},
        )
        for name, each in told.items()
    ]  # fmt: skip
