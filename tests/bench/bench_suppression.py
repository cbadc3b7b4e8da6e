"""``make bench-suppression``: years of small offices published and attacked; what is withheld, and what is found out.

year, clients   figures published and withheld by code, seconds of deciding, programmes solved
attack          withheld figures tried (votes and three ratings each), recovered, the narrowest against what it is owed
operators       every operator in every edition's period, by somebody who knows who works at what
"""

import argparse
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT))

from tests.attacker import Attacker  # noqa: E402
from tests.published_year import published, small_city  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--calls", default="6000,12000,60000", help="clients a year")
    parser.add_argument("--services", type=int, default=8)
    parser.add_argument("--operators", action="store_true", help="attack operators too (minutes)")
    arguments = parser.parse_args()
    tried = recovered = 0
    for calls in (int(each) for each in arguments.calls.split(",")):
        for seed in range(1, arguments.seeds + 1):
            one = _one(seed, calls, arguments.services, arguments.operators)
            tried, recovered = tried + one[0], recovered + one[1]
    print(f"altogether {tried} tried, {recovered} recovered")


def _one(seed: int, calls: int, services: int, operators: bool) -> tuple[int, int]:
    year = published(small_city(seed, services=services), seed=seed, calls=calls, late={5: 0.4})
    codes = year.codes()
    whole = sum(codes.values()) - codes.get("none", 0)
    withheld = whole - codes["published"]
    told = ", ".join(f"{code} {count}" for code, count in sorted(codes.items()))
    print(f"year {seed}, {calls} clients: {withheld} of {whole} figures withheld ({withheld / whole:.1%}): {told}")
    print(f"  decided in {year.seconds:.1f} s, {year.programmes} programmes, gave up {year.gave_up} times")
    begun = time.perf_counter()
    attacker = Attacker(year.contents, year.offered)
    hauls = [attacker.attack(year.truth()), attacker.attack_changes(year.unsafe_changes())]
    if operators:
        hauls.append(Attacker(year.contents, year.offered, year.workers).attack_operators(year.operators()))
    for name, haul in zip(("attack", "changes", "operators"), hauls, strict=False):
        print(f"  {name}: tried {haul.tried}, recovered {len(haul.recovered)}, narrowest {haul.narrowest:.2f} of owed")
        for target, bounds in list(haul.recovered.items())[:5]:
            print(f"    {target}: {bounds}")
    print(f"  {time.perf_counter() - begun:.0f} s", flush=True)
    return sum(haul.tried for haul in hauls), sum(len(haul.recovered) for haul in hauls)


if __name__ == "__main__":
    main()
