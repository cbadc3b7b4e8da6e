"""The boards a pad can be made of, as IT's computer sees them. Pins and drivers are the board files' (firmware/board).

``words`` are looked for in what MicroPython says of the machine it runs on, ``sys.implementation._machine``.
"""

from dataclasses import dataclass

from firmware.host.errors import BoardError

# Older MicroPython lacks what the pad uses: deferred TLS handshakes and mpy 6.3.
MINIMUM_MICROPYTHON = (1, 23, 0)
# Two copies of the application, the journal, and room to write one more copy.
MINIMUM_STORAGE_BYTES = 512 * 1024

# The UF2 format's family ids (microsoft/uf2, uf2families.json): which chip an image is for.
UF2_RP2040, UF2_RP2350 = 0xE48BFF56, 0xE48BFF59


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of board; ``name`` is PadStatus.board."""

    name: str
    called: str  # for people
    words: tuple[str, ...]
    uf2_family: int | None = None  # None: no UF2 drive
    esptool: bool = False


KINDS = (
    Kind("pico-w", "Raspberry Pi Pico W", ("Pico W",), UF2_RP2040),
    Kind("pico2-w", "Raspberry Pi Pico 2 W", ("Pico 2 W",), UF2_RP2350),
    Kind("esp32-wifi", "ESP32 (WROOM, Wi-Fi)", ("ESP32",), esptool=True),
    Kind("esp32-eth", "ESP32 with Ethernet", ("ESP32",), esptool=True),
    Kind("unix", "MicroPython's unix build", ("linux", "darwin")),
)
NAMES = tuple(kind.name for kind in KINDS)


def named(name: str) -> Kind:
    return next(kind for kind in KINDS if kind.name == name)


def kinds_of(machine: str) -> tuple[Kind, ...]:
    """The kinds that ``machine`` can be; two for an ESP32, whose Ethernet MicroPython does not tell."""
    # "ESP32S3", "ESP32C3" and so on are other chips, and a plain Pico has no network.
    words = machine.replace(",", " ").split()
    return tuple(kind for kind in KINDS if any(_says(words, wanted.split()) for wanted in kind.words))


def choose(machine: str, asked: str | None, before: str | None) -> Kind:
    """The kind of a board: what is asked for if it can be that, else the only one, else what it was ``before``.

    Raises:
        BoardError: no pad is made of this board, it is not the one asked for, or it must be said which.
    """
    possible = kinds_of(machine)
    if not possible:
        raise BoardError(f"no pad is made of this board: {machine}; there are: {', '.join(NAMES)}")
    names = [kind.name for kind in possible]
    if asked and asked not in names:
        raise BoardError(f"wrong board: {machine} is a {' or '.join(names)}, not a {asked}")
    chosen = asked or (before if before in names else None) or (names[0] if len(names) == 1 else None)
    if chosen is None:
        raise BoardError(f"{machine} can be {' or '.join(names)}: say which with --board (make flash BOARD=...)")
    return named(chosen)


def too_old(version: tuple[int, ...]) -> str | None:
    """What is wrong with this MicroPython, or None."""
    if version[:3] >= MINIMUM_MICROPYTHON:
        return None
    said, wanted = (".".join(str(part) for part in each[:3]) for each in (version, MINIMUM_MICROPYTHON))
    return f"MicroPython {said} is too old: {wanted} is needed; write a newer one with --image (make flash IMAGE=...)"


def _says(words: list[str], wanted: list[str]) -> bool:
    """Whether ``wanted`` stand side by side among ``words``."""
    return any(words[start : start + len(wanted)] == wanted for start in range(len(words)))
