"""How often each integrity signal finds who games, and how often it points at somebody honest.

    python tests/bench/power.py [--months 100] [--processes 2]

A hundred months of a simulated centre (35 operators, about 27,000 calls a month), each scanned three times: all honest,
and twice with four operators who game, each in another way, at a high or a low zeal (sim/gaming.py). Signals, false
discovery control and thresholds are those of the nightly work. It takes some five minutes on two cores.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from api.integrity.registry import SIGNALS
from api.integrity.scan import Judged, scan
from api.statistics import exact_interval, wilson
from schemas.months import later
from sim.city import CITY
from sim.gaming import WAYS, Gamer
from sim.gaming_centre import Centre

CALLS_A_YEAR = 300_000
FIRST_MONTH = 202401
EVERY_WAY = (*WAYS, "presses_again", "plays_with_the_pad")
HIGH, LOW = 0.6, 0.2
GAMERS = 4  # in one month of 35


@dataclass
class Tally:
    """What came of some months. Keys: (way, zeal), (way, zeal, signal), signal."""

    honest_months: int = 0  # operator-months in which everybody was honest
    false: Counter[str] = field(default_factory=Counter)
    false_operators: int = 0
    beside_months: int = 0  # operator-months of honest people beside who games
    beside: Counter[str] = field(default_factory=Counter)
    beside_operators: int = 0
    played: Counter[tuple[str, float]] = field(default_factory=Counter)
    caught: Counter[tuple[str, float]] = field(default_factory=Counter)
    by_signal: Counter[tuple[str, float, str]] = field(default_factory=Counter)

    def add(self, other: "Tally") -> None:
        for name in self.__dataclass_fields__:
            value = getattr(self, name)
            if isinstance(value, Counter):
                value.update(getattr(other, name))
            else:
                setattr(self, name, value + getattr(other, name))


def run_centre(seed: int, months: int) -> Tally:
    """One centre over some months: honest, and twice with gaming operators."""
    centre = Centre(CITY, seed=seed, calls=CALLS_A_YEAR)
    tally = Tally()
    casts = cast(seed)
    for number in range(months):
        month = later(FIRST_MONTH, number)
        count_honest(tally, scan(centre.month(month)).standing_out)
        for _ in range(2):
            gamers = next(casts)
            count_gaming(tally, scan(centre.month(month, gamers)).standing_out, gamers)
        centre.forget(later(month, -6))
    return tally


def cast(seed: int) -> Iterator[dict[str, Gamer]]:
    """Who games and how, month after month: every way comes up equally often, at either zeal."""
    dice = Random(seed)
    names = [operator.id for operator in CITY.operators]
    plays: list[tuple[str, float]] = []
    while True:
        while len(plays) < GAMERS:
            more = [(way, zeal) for way in EVERY_WAY for zeal in (HIGH, LOW)]
            dice.shuffle(more)
            plays += more
        chosen, plays = plays[:GAMERS], plays[GAMERS:]
        yield {name: Gamer(*play) for name, play in zip(dice.sample(names, GAMERS), chosen, strict=True)}


def count_honest(tally: Tally, found: Sequence[Judged]) -> None:
    tally.honest_months += len(CITY.operators)
    tally.false.update(each.found.signal for each in found)
    tally.false_operators += len({each.found.operator for each in found})


def count_gaming(tally: Tally, found: Sequence[Judged], gamers: dict[str, Gamer]) -> None:
    tally.beside_months += len(CITY.operators) - len(gamers)
    others = [each for each in found if each.found.operator not in gamers]
    tally.beside.update(each.found.signal for each in others)
    tally.beside_operators += len({each.found.operator for each in others})
    for name, gamer in gamers.items():
        signals = {each.found.signal for each in found if each.found.operator == name}
        tally.played[gamer.way, gamer.zeal] += 1
        tally.caught[gamer.way, gamer.zeal] += bool(signals)
        tally.by_signal.update((gamer.way, gamer.zeal, signal) for signal in signals)


def report(tally: Tally) -> Iterable[str]:
    """The numbers with their 95 % intervals."""
    yield "Found, of months in which an operator gamed (any signal; then by signal)"
    for way in EVERY_WAY:
        for zeal in (HIGH, LOW):
            n, caught = tally.played[way, zeal], tally.caught[way, zeal]
            low, high = wilson(caught, n)
            signals = ", ".join(
                f"{signal.id} {tally.by_signal[way, zeal, signal.id] / n:.0%}"
                for signal in SIGNALS
                if n and tally.by_signal[way, zeal, signal.id]
            )
            share = f"{caught / n:4.0%}" if n else "   –"
            yield f"  {way:24} zeal {zeal:.1f}  {caught:3} of {n:3}  {share} [{low:.0%}, {high:.0%}]  {signals}"
    yield ""
    yield "Pointed at somebody honest, in 1,000 operator-months"
    yield f"  {'':24} {'all honest':>28}   {'beside who games':>28}"
    for signal in SIGNALS:
        if signal.test is not None:
            yield _false(signal.id, tally.false[signal.id], tally.beside[signal.id], tally)
    yield _false("any signal", tally.false_operators, tally.beside_operators, tally)


def _false(name: str, alone: int, beside: int, tally: Tally) -> str:
    cells = []
    for count, months in ((alone, tally.honest_months), (beside, tally.beside_months)):
        low, high = exact_interval(count, months)
        cells.append(
            f"{count:3} of {months:5}  {1000 * count / max(1, months):5.2f} [{1000 * low:.2f}, {1000 * high:.2f}]"
        )
    return f"  {name:24} {cells[0]:>34}   {cells[1]:>34}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--months", type=int, default=100)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    began = time.monotonic()
    centres = max(1, min(4, arguments.months))
    shares = [arguments.months // centres + (n < arguments.months % centres) for n in range(centres)]
    tally = Tally()
    with ProcessPoolExecutor(arguments.processes) as pool:
        for part in pool.map(run_centre, range(arguments.seed, arguments.seed + centres), shares):
            tally.add(part)
    print(f"{arguments.months} centre-months of {len(CITY.operators)} operators, seeds from {arguments.seed}\n")
    print("\n".join(report(tally)))
    print(f"\n{time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
