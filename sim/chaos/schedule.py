"""What is done to whom and when. Pure: the same options make the same schedule, so a failing seed replays.

Kinds are drawn like cards: the whole pack is dealt before any kind comes again, so that even a short run sees most.
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

FIRST_S = 6.0  # every desk has called somebody by then
CALM_S = 12.0  # before the end nothing more is broken, so that the last injury's healing is seen
_PAUSE_S = (1.0, 5.0)  # from one injury's beginning to the next one's, so they overlap
LINES = ("pads", "feed", "collectors")  # to the broker
MOMENTS = ("end_of_day", "midnight", "spring", "autumn")
SQLITE, POSTGRESQL = "sqlite", "postgresql"


@dataclass(frozen=True, slots=True)
class Options:
    """``only``: these kinds alone, None for all. ``speed``: seconds of the city in a real one."""

    seed: int = 7
    minutes: float = 1.0
    collectors: int = 1
    database: str = SQLITE
    only: tuple[str, ...] | None = None
    desks: int = 12
    speed: float = 120.0
    has_disks: bool = True  # we are root: small disks of our own can be made, filled and closed
    has_clocks: bool = True  # libfaketime is there

    @property
    def moment(self) -> str:
        """What the calendar does while the desks are open."""
        return Random(f"moment/{self.seed}").choice(MOMENTS) if self.has_clocks else "end_of_day"


@dataclass(frozen=True, slots=True)
class Injury:
    """``at_s``: since the desks opened. ``lasts_s``: until it is healed, 0 for a blow. ``dice``: for what is open."""

    at_s: float
    kind: str
    target: str
    lasts_s: float
    dice: int


@dataclass(frozen=True, slots=True)
class Kind:
    """``targets``: whom it can hit, by the options; nobody as long as what it ``needs`` is not there."""

    name: str
    lasts_s: tuple[float, float]
    targets: Callable[[Options, tuple[str, ...]], tuple[str, ...]]
    needs: str = ""


def collectors(options: Options) -> tuple[str, ...]:
    return tuple(f"collector-{number}" for number in range(1, options.collectors + 1))


def _servers(options: Options, desks: tuple[str, ...]) -> tuple[str, ...]:
    return ("feed", *collectors(options), "fleet", "api")


def _broker(options: Options, desks: tuple[str, ...]) -> tuple[str, ...]:
    return ("broker",)


def _pads(options: Options, desks: tuple[str, ...]) -> tuple[str, ...]:
    return desks


def _lines(options: Options, desks: tuple[str, ...]) -> tuple[str, ...]:
    return LINES


def _database(options: Options, desks: tuple[str, ...]) -> tuple[str, ...]:
    return ("database",)


def _postgresql(options: Options, desks: tuple[str, ...]) -> tuple[str, ...]:
    return ("database",) if options.database == POSTGRESQL else ()


def _disks(options: Options, desks: tuple[str, ...]) -> tuple[str, ...]:
    return ("database", "feed") if options.has_disks else ()


def _read_only(options: Options, desks: tuple[str, ...]) -> tuple[str, ...]:
    return ("database",) if options.has_disks or options.database == POSTGRESQL else ()


def _clocks(options: Options, desks: tuple[str, ...]) -> tuple[str, ...]:
    return ("feed", *collectors(options), "fleet") if options.has_clocks else ()


KINDS = (
    Kind("kill", (0.0, 0.0), _servers),
    Kind("kill_broker", (0.0, 0.0), _broker),
    Kind("kill_commit", (0.0, 0.0), lambda options, desks: collectors(options)),
    Kind("kill_pad", (0.0, 2.0), _pads),
    Kind("replace_pad", (0.0, 2.0), _pads),
    Kind("kill_database", (0.0, 0.0), _postgresql, "PostgreSQL"),
    Kind("kill_backend", (0.0, 0.0), _postgresql, "PostgreSQL"),
    Kind("freeze", (1.0, 6.0), lambda options, desks: ("broker", "feed", *collectors(options))),
    Kind("restart", (0.0, 2.0), lambda options, desks: ("broker", *_postgresql(options, desks))),
    Kind("wipe", (0.0, 2.0), _broker),
    Kind("cut", (0.0, 4.0), _lines),
    Kind("hold", (1.0, 5.0), _lines),
    Kind("swallow", (0.5, 2.0), _lines),
    Kind("delay", (2.0, 6.0), _lines),
    Kind("repeat", (0.0, 0.0), _broker),
    Kind("disconnect", (0.0, 0.0), _postgresql, "PostgreSQL"),
    Kind("lock", (1.0, 8.0), _database),
    Kind("full", (1.0, 6.0), _disks, "root"),
    Kind("read_only", (1.0, 4.0), _read_only, "root or PostgreSQL"),
    Kind("restore", (1.0, 8.0), _database),
    Kind("clock", (2.0, 8.0), _clocks, "libfaketime"),
)


def plan(options: Options, desks: tuple[str, ...]) -> tuple[Injury, ...]:
    """The injuries of a campaign in order of time. Raises ValueError for a kind in ``only`` that there is not."""
    dice = Random(f"chaos/{options.seed}/{options.collectors}/{options.database}/{options.only}")
    kinds = _possible(options, desks)
    pack: list[Kind] = []
    injuries = []
    at_s = FIRST_S
    while at_s < 60 * options.minutes - CALM_S:
        if not pack:
            pack = dice.sample(kinds, len(kinds))
        kind = pack.pop()
        target = dice.choice(kind.targets(options, desks))
        lasts_s = round(dice.uniform(*kind.lasts_s), 2)
        injuries.append(Injury(round(at_s, 2), kind.name, target, lasts_s, dice.getrandbits(32)))
        at_s += dice.uniform(*_PAUSE_S)
    return tuple(injuries)


def missing(options: Options) -> dict[str, str]:
    """The kinds that this centre cannot suffer, and what they need."""
    return {kind.name: kind.needs for kind in KINDS if not kind.targets(options, ("desk",))}


def _possible(options: Options, desks: tuple[str, ...]) -> list[Kind]:
    names = [kind.name for kind in KINDS]
    for name in options.only or ():
        if name not in names:
            raise ValueError(f"there is no injury called {name!r}; there are {', '.join(names)}")
    chosen = [kind for kind in KINDS if options.only is None or kind.name in options.only]
    possible = [kind for kind in chosen if kind.targets(options, desks)]
    if not possible:
        raise ValueError("none of these injuries can be inflicted on this centre")
    return possible
