"""The boards a pad can be, and how their code is compiled. A board is one file, firmware/board/<name with _>.py."""

from dataclasses import dataclass
from pathlib import Path

from firmware.host.errors import HostError

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Target:
    """What mpy-cross must be told: native architecture, bits of a small integer (MicroPython's, sign included)."""

    architecture: str
    small_int_bits: int


TARGETS = {
    "unix": Target("x64", 63),
    "pico-w": Target("armv6m", 31),
    "pico2-w": Target("armv7emsp", 31),
    "esp32-wifi": Target("xtensawin", 31),
    "esp32-eth": Target("xtensawin", 31),
}


def board_source(board: str, root: Path = ROOT) -> str:
    """The board's file, as a path below the repository's root. Raises HostError."""
    source = f"firmware/board/{board.replace('-', '_')}.py"
    if board not in TARGETS or not (root / source).is_file():
        raise HostError(f"no such board: {board}; there are {', '.join(available(root))}")
    return source


def available(root: Path = ROOT) -> list[str]:
    """The boards whose file is there."""
    return [board for board in TARGETS if (root / f"firmware/board/{board.replace('-', '_')}.py").is_file()]
