"""Pin tables, wiring diagrams and power budget of firmware/README.md, out of the board files that the pads run.

One truth: which GPIO a button or a lamp hangs on is said in firmware/board/<board>.py alone. Here is only what is
printed on the boards: where on its header a GPIO comes out. A diagram's text source is firmware/wiring/<board>.yml, for
WireViz; the picture beside it names the source that it was drawn from.
"""

import ast
import hashlib
import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from firmware.host.errors import HostError, UsageError

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "firmware/README.md"
FOLDER = ROOT / "firmware/wiring"
RATINGS = (("bad", "Погано"), ("good", "Добре"), ("exemplary", "Зразково"))
DRIVER = "TBD62003APG (or ULN2003AN)"
_STAMP = "<!-- drawn from {} sha256 {} -->\n"

_PICO = (
    "2:4 3:5 4:6 5:7 6:9 7:10 8:11 9:12 10:14 11:15 12:16 13:17 14:19 15:20 16:21 17:22 18:24 19:25 20:26 21:27 22:29"
)
_DEVKIT = (
    "32:J2.7 33:J2.8 25:J2.9 26:J2.10 27:J2.11 14:J2.12 13:J2.15 "
    "23:J3.2 22:J3.3 21:J3.6 19:J3.8 18:J3.9 17:J3.11 16:J3.12 4:J3.13"
)
_OLIMEX = "4:EXT1.9 33:EXT2.5 32:EXT2.6 16:EXT2.7 14:EXT2.9 13:EXT2.10"


@dataclass(frozen=True, slots=True)
class Layout:
    """One kind of board as it lies on the table. Places are what its manual calls the pins of its headers."""

    called: str
    supply: str  # how it is fed
    header: str  # gpio:place ...
    volts_5: str
    volts_3: str
    grounds: tuple[str, str]  # the buttons', the lamps'
    gpio: str  # what precedes a GPIO's number in print
    typical_ma: int  # at 5 V, idle on the network
    peak_ma: int  # at 5 V, while it sends

    def place(self, gpio: int) -> str:
        return dict(each.split(":") for each in self.header.split())[str(gpio)]


# The currents are what a supply must allow for, taken high from the chips' data sheets; nobody has measured a pad.
LAYOUTS = {
    "pico-w": Layout("Raspberry Pi Pico W", "USB", _PICO, "40", "36", ("3", "18"), "GP", 60, 320),
    "pico2-w": Layout("Raspberry Pi Pico 2 W", "USB", _PICO, "40", "36", ("3", "18"), "GP", 60, 320),
    "esp32-wifi": Layout(
        "Espressif ESP32-DevKitC-32E", "USB", _DEVKIT, "J2.19", "J2.1", ("J2.14", "J3.7"), "IO", 110, 500
    ),
    "esp32-eth": Layout(
        "Olimex ESP32-POE-ISO", "PoE", _OLIMEX, "EXT1.1", "EXT1.2", ("EXT1.3", "EXT1.3"), "GPIO", 180, 300
    ),
}
LAMP_MA = 20
POE_EFFICIENCY_PCT = 70


@dataclass(frozen=True, slots=True)
class Pins:
    """The GPIO numbers of a board file, in the order bad, good, exemplary."""

    buttons: tuple[int, ...]
    lamps: tuple[int, ...]


def pins(board: str) -> Pins:
    """What the board's file says. Raises UsageError."""
    path = ROOT / f"firmware/board/{board.replace('-', '_')}.py"
    found: dict[str, tuple[int, ...]] = {}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            if name in ("BUTTON_IDS", "LAMP_IDS"):
                found[name] = ast.literal_eval(node.value)
    if len(found) != 2:
        raise UsageError(f"{path.name} names no pins")
    return Pins(found["BUTTON_IDS"], found["LAMP_IDS"])


def source(board: str) -> str:
    """The diagram's text, for WireViz: JSON, which is YAML that nothing reads differently."""
    layout, wired = LAYOUTS[board], pins(board)
    used = {layout.place(gpio): f"{layout.gpio}{gpio}" for gpio in wired.buttons + wired.lamps}
    used |= {layout.volts_5: "5 V", layout.volts_3: "3.3 V"} | dict.fromkeys(layout.grounds, "GND")
    places = [_pin(place) for place in used]
    connectors: dict[str, object] = {
        "X1": {
            "type": layout.called,
            "subtype": f"fed by {layout.supply}",
            "pins": places,
            "pinlabels": [*used.values()],
        },
        "U1": {
            "type": DRIVER,
            "subtype": "lamp driver",
            "pins": [1, 2, 3, 8, 9, 14, 15, 16],
            "pinlabels": ["I1", "I2", "I3", "GND", "COM", "O3", "O2", "O1"],
            "notes": "inputs 4 to 7 to GND",
        },
    }
    for k, (rating, label) in enumerate(RATINGS):
        connectors[f"S{k + 1}"] = {
            "type": f"button {k + 1}: {rating} ({label})",
            "subtype": "illuminated, closes when pressed",
            "pinlabels": ["contact a", "contact b", "lamp +", "lamp -"],
            "notes": f"{k + 1} raised dot{'s' if k else ''} beside it",
        }
    return json.dumps(
        {
            "metadata": {"title": f"Pad with {layout.called}"},
            "options": {"fontname": "DejaVu Sans", "bgcolor": "WH"},
            "connectors": connectors,
            "cables": _cables(),
            "connections": _connections(layout, wired),
        },
        indent=1,
        ensure_ascii=False,
    )


def _cables() -> dict[str, object]:
    bundle = {"category": "bundle", "gauge": "0.22 mm2"}
    cables: dict[str, object] = {}
    for k, colour in enumerate(("RD", "YE", "GN")):
        cables[f"W{k + 1}"] = bundle | {
            "colors": [colour, "BK"],
            "notes": f"in {colour}: 1 kOhm in series; 10 kOhm from its board end to 3.3 V",
        }
        cables[f"W{k + 5}"] = bundle | {"colors": [colour, "OG"]}
    cables["W4"] = bundle | {"colors": ["RD", "YE", "GN", "BK", "OG"]}
    return cables


def _connections(layout: Layout, wired: Pins) -> list[object]:
    buttons_ground, lamps_ground = layout.grounds
    found: list[object] = []
    for k, gpio in enumerate(wired.buttons):
        found.append(
            [{"X1": [_pin(layout.place(gpio)), _pin(buttons_ground)]}, {f"W{k + 1}": [1, 2]}, {f"S{k + 1}": [1, 2]}]
        )
    lamps = [_pin(layout.place(gpio)) for gpio in wired.lamps]
    found.append(
        [{"X1": [*lamps, _pin(lamps_ground), _pin(layout.volts_5)]}, {"W4": [1, 2, 3, 4, 5]}, {"U1": [1, 2, 3, 8, 9]}]
    )
    for k in range(len(RATINGS)):
        found.append([{"U1": [16 - k, 9]}, {f"W{k + 5}": [1, 2]}, {f"S{k + 1}": [4, 3]}])
    return found


def _pin(place: str) -> int | str:
    """WireViz takes a number in quotes for a name."""
    return int(place) if place.isdigit() else place


def draw(text: str) -> str:
    """The diagram as SVG. Raises HostError if WireViz or graphviz's dot is missing."""
    program = Path(sys.executable).parent / "wireviz"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pad.yml"
        path.write_text(text, encoding="utf-8")
        try:
            done = subprocess.run([program, "-f", "s", path], capture_output=True, text=True, check=False)
        except OSError as error:
            raise HostError(f"wireviz cannot be run ({error.strerror}): it is in the dev requirements") from None
        drawn = path.with_suffix(".svg")
        if done.returncode or not drawn.exists():
            last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
            raise HostError(f"wireviz failed: {''.join(last)} (graphviz: apt-get install graphviz)")
        return drawn.read_text(encoding="utf-8")


def stamped(board: str, svg: str) -> str:
    """``svg`` with a note on what it was drawn from, at its end."""
    return svg.rstrip() + "\n" + stamp(board)


def stamp(board: str) -> str:
    return _STAMP.format(f"{board}.yml", hashlib.sha256(source(board).encode()).hexdigest())


def pin_table(board: str) -> str:
    layout, wired = LAYOUTS[board], pins(board)
    rows = ["| what | GPIO | pin | wire |", "|---|---|---|---|"]
    for what, numbers, first in (("button", wired.buttons, 1), ("lamp", wired.lamps, 4)):
        for k, (rating, label) in enumerate(RATINGS):
            wire = f"W{first + k}.1" if what == "button" else f"W4.{k + 1}"
            rows.append(f"| {what}: {rating} ({label}) | {numbers[k]} | {layout.place(numbers[k])} | {wire} |")
    rows.append(f"| buttons' ground | – | {layout.grounds[0]} | W1.2, W2.2, W3.2 |")
    rows.append(f"| lamps' ground | – | {layout.grounds[1]} | W4.4 |")
    rows.append(f"| 5 V for the lamps | – | {layout.volts_5} | W4.5 |")
    rows.append(f"| 3.3 V for the pull-ups | – | {layout.volts_3} | – |")
    return f"**{board}** ({layout.called}): [diagram](wiring/{board}.svg)\n\n" + "\n".join(rows)


def budget() -> str:
    """What a pad draws at 5 V, computed from the allowances of LAYOUTS."""
    rows = [
        "| board | waiting, dark | armed, three lamps | peak | energy in a year | supply |",
        "|---|---|---|---|---|---|",
    ]
    for board, layout in LAYOUTS.items():
        armed_ma = layout.typical_ma + 3 * LAMP_MA
        peak_ma = layout.peak_ma + 3 * LAMP_MA
        per_cent = POE_EFFICIENCY_PCT if layout.supply == "PoE" else 100
        year_kwh = layout.typical_ma * 5 * 8760 / 1e6 * 100 / per_cent
        supply = (
            f"PoE 802.3af, {peak_ma * 5 / per_cent / 10:.1f} W of 12.95 W" if layout.supply == "PoE" else "5 V, 1 A"
        )
        rows.append(
            f"| {board} | {layout.typical_ma} mA | {armed_ma} mA | {peak_ma} mA | {year_kwh:.1f} kWh | {supply} |"
        )
    return "\n".join(rows)


def filled(readme: str) -> str:
    """``readme`` with what stands between its markers made anew. Raises UsageError if a marker is missing."""
    parts = {"pins": "\n\n".join(pin_table(board) for board in LAYOUTS), "budget": budget()}
    for name, text in parts.items():
        opening, closing = f"<!-- {name}: python -m firmware.host wiring -->\n", f"<!-- /{name} -->"
        before, found, rest = readme.partition(opening)
        _, ended, after = rest.partition(closing)
        if not found or not ended:
            raise UsageError(f"firmware/README.md has no place for {name}")
        readme = before + opening + text + "\n" + closing + after
    return readme


def write() -> None:
    """Draws everything anew."""
    FOLDER.mkdir(exist_ok=True)
    for board in LAYOUTS:
        (FOLDER / f"{board}.yml").write_text(source(board) + "\n", encoding="utf-8")
        (FOLDER / f"{board}.svg").write_text(stamped(board, draw(source(board))), encoding="utf-8")
    README.write_text(filled(README.read_text(encoding="utf-8")), encoding="utf-8")
