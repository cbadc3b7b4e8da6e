"""Shows what a bounded day came to: figures by branch, what people did, and whether all of it is in the figures."""

from collections import Counter

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from api.figures import wilson
from sim.city import City
from sim.oracle import Difference, Oracle

_KINDS = (
    ("lost", "calls or votes that are not in the database"),
    ("doubled", "calls that are in it twice"),
    ("misattributed", "votes with another rating or call"),
    ("invented", "calls or votes that never were"),
    ("wrong", "other fields, roll-ups, messages kept aside"),
    ("broken", "lamps that lied or stayed dark"),
)
_SHOWN = 20  # differences


def show(
    city: City,
    oracle: Oracle,
    differences: list[Difference],
    rollups: dict[tuple[str, str, str, int], tuple[int, ...]],
) -> None:
    """Prints it all. ``rollups`` are the collector's own: calls, eligible, bad, good, exemplary, ..."""
    console = Console(highlight=False)
    console.print(_figures(city, rollups))
    console.print(_doings(oracle))
    console.print(_verdict(differences))
    for difference in differences[:_SHOWN]:
        console.print(f"  {difference.kind}: {escape(difference.text)}")
    if len(differences) > _SHOWN:
        console.print(f"  and {len(differences) - _SHOWN} more")
    console.print("[bold red]It does not agree.[/]" if differences else "[bold green]Every press is accounted for.[/]")


def _figures(city: City, rollups: dict[tuple[str, str, str, int], tuple[int, ...]]) -> Table:
    table = Table(title=f"{city.name} (simulated)", box=SIMPLE_HEAD, title_justify="left", padding=(0, 1, 0, 0))
    table.caption, table.caption_justify = "rate and ratings in %, in brackets the Wilson 95 % interval", "left"
    for name in ("branch", "calls", "eligible", "votes", "rate", "bad", "good", "exemplary"):
        table.add_column(name, justify="left" if name == "branch" else "right", no_wrap=True)
    totals = [0] * 5
    for branch in city.branches:
        rows = [amounts[:5] for (cut, name, _, _), amounts in rollups.items() if (cut, name) == ("branch", branch.id)]
        sums = [sum(column) for column in zip(*rows, strict=True)] or [0] * 5
        totals = [total + more for total, more in zip(totals, sums, strict=True)]
        table.add_row(branch.name, *_cells(sums))
    table.add_section()
    table.add_row("all", *_cells(totals))
    return table


def _cells(sums: list[int]) -> list[str]:
    calls, eligible, *ratings = sums
    votes = sum(ratings)
    response = f"{100 * votes / eligible:.0f}" if eligible else "-"
    return [str(calls), str(eligible), str(votes), response, *(_share(count, votes) for count in ratings)]


def _share(count: int, votes: int) -> str:
    if not votes:
        return "-"
    low, high = wilson(count, votes)
    return f"{100 * count / votes:.0f} ({100 * low:.0f}-{100 * high:.0f})"


def _doings(oracle: Oracle) -> Table:
    table = Table(title="What people did", box=SIMPLE_HEAD, title_justify="left", show_header=False)
    outcomes = Counter(call.outcome or "open" for call in oracle.calls)
    strangers = sum(press.call is None for press in oracle.presses)
    rows = {
        "presses": len(oracle.presses),
        "  taken as votes": oracle.votes,
        "  second presses and presses after the end": len(oracle.presses) - oracle.votes - strangers,
        "  on a dark pad, by nobody's client": strangers,
        "calls": len(oracle.calls),
        **{f"  {outcome}": number for outcome, number in outcomes.most_common()},
    }
    for what, number in rows.items():
        table.add_row(what, str(number))
    return table


def _verdict(differences: list[Difference]) -> Table:
    table = Table(title="Compared row by row", box=SIMPLE_HEAD, title_justify="left", show_header=False)
    counted = Counter(difference.kind for difference in differences)
    for kind, meaning in _KINDS:
        table.add_row(kind, str(counted[kind]), meaning)
    return table
