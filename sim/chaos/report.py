"""What a person reads of a campaign: the schedule before it, the verdict after it. It decides nothing."""

from collections import Counter

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from sim.chaos.recovery import Wound
from sim.chaos.schedule import Injury, Options, missing
from sim.oracle import Difference, Oracle

_SHOWN = 30  # differences
_KINDS = ("lost", "doubled", "misattributed", "invented", "wrong", "broken")


def replay(options: Options) -> str:
    """The command that runs this campaign again."""
    only = f" --only {','.join(options.only)}" if options.only else ""
    return (
        f"python -m sim chaos --seed {options.seed} --minutes {options.minutes:g} --collectors {options.collectors}"
        f" --database {options.database} --desks {options.desks} --speed {options.speed:g}{only}"
    )


def schedule(options: Options, injuries: tuple[Injury, ...]) -> None:
    table = Table(title=replay(options), box=SIMPLE_HEAD, title_justify="left")
    for name in ("at s", "injury", "to", "for s"):
        table.add_column(name, justify="right" if name.endswith(" s") else "left", no_wrap=True)
    for injury in injuries:
        table.add_row(f"{injury.at_s:.1f}", injury.kind, injury.target, f"{injury.lasts_s:g}" if injury.lasts_s else "")
    _console().print(table)
    _console().print(f"In the middle: {options.moment.replace('_', ' ')}.")
    for kind, needs in missing(options).items():
        _console().print(f"Not inflicted: {kind}, which needs {needs}.")


def verdict(options: Options, oracle: Oracle, wounds: list[Wound], differences: list[Difference]) -> None:
    console = _console()
    console.print(_inflicted(wounds))
    doubtful = sum(bool(call.may_rate) for call in oracle.calls)
    console.print(
        f"{len(oracle.calls)} calls, {len(oracle.presses)} presses, {oracle.votes} votes"
        f" ({doubtful} given as the pad lost its power or its flash: there or not, both are right)"
    )
    counted = Counter(difference.kind for difference in differences)
    console.print(", ".join(f"{counted[kind]} {kind}" for kind in _KINDS))
    for difference in differences[:_SHOWN]:
        console.print(f"  {difference.kind}: {escape(difference.text)}")
    if len(differences) > _SHOWN:
        console.print(f"  and {len(differences) - _SHOWN} more")
    if differences:
        console.print(f"[bold red]It does not agree.[/] Again: {replay(options)}")
    else:
        console.print("[bold green]Every press is accounted for.[/]")


def _inflicted(wounds: list[Wound]) -> Table:
    table = Table(title="What was inflicted", box=SIMPLE_HEAD, title_justify="left")
    for name in ("injury", "times", "slowest recovery s"):
        table.add_column(name, justify="left" if name == "injury" else "right", no_wrap=True)
    kinds = Counter(wound.injury.kind for wound in wounds)
    for kind, times in sorted(kinds.items()):
        taken = [
            wound.recovered_s - wound.ended_s
            for wound in wounds
            if wound.injury.kind == kind and wound.recovered_s is not None and wound.ended_s is not None
        ]
        table.add_row(kind, str(times), f"{max(taken):.1f}" if taken else "-")
    return table


def _console() -> Console:
    return Console(highlight=False, soft_wrap=True)
