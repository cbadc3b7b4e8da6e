"""The person and the pad try lamps and buttons together: one lamp is lit, the person presses the button under it.

A lamp that is dark, a button that is dead and two wires that are swapped all show: whoever follows the light then
presses nothing, or the wrong one. It runs on the board before its restart, with the pins of its own board file.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from firmware.host.device import Device

NAMES = ("left (bad)", "middle (good)", "right (exemplary)")
TIMEOUT_S = 20
Answer = Literal["again", "skip", "broken"]

# Only pins are used: the board object itself would bring up network and watchdog. The unix build has no pins but lines
# on its terminal (firmware/board/unix_wire.py), read here because that board's own thread would take the prompt's.
_SETUP = """
import sys, time
sys.path.insert(0, %(folder)r)
module = __import__('firmware.board.' + %(name)r.replace('-', '_'), None, None, ('NAME',))
kinds = [getattr(module, name) for name in dir(module)]
board = [each for each in kinds if getattr(each, 'NAME', '') == %(name)r][0]
Pin = board.Pin
lamps = [Pin(i, Pin.OUT, value=0) for i in board.LAMP_IDS]
buttons = [Pin(i, Pin.IN, Pin.PULL_DOWN if board.PRESSED_LEVEL else Pin.PULL_UP) for i in board.BUTTON_IDS]
latched = []
def latch(number):
    return lambda pin: latched.append(number)
for i in range(3):
    buttons[i].irq(latch(i + 1), Pin.IRQ_RISING if board.PRESSED_LEVEL else Pin.IRQ_FALLING)
def light(number):
    latched.clear()
    for i in range(3):
        lamps[i].value(1 if i + 1 == number else 0)
    print('L' + ''.join([str(lamp.value()) for lamp in lamps]))
if %(name)r == 'unix':
    import select
    wires = select.poll()
    wires.register(sys.stdin, select.POLLIN)
    def idle():
        while wires.poll(20):
            line = sys.stdin.buffer.readline()
            buttons[line[1] - 49].value(line[2] - 48)
else:
    def idle():
        time.sleep_ms(20)
def pressed(timeout_ms):
    began = time.ticks_ms()
    while not latched and time.ticks_diff(time.ticks_ms(), began) < timeout_ms:
        idle()
    return latched[0] if latched else 0
"""


@dataclass(frozen=True, slots=True)
class Panel:
    """What came of each button with its lamp: "ok", "skipped" or "broken"."""

    results: tuple[str, str, str]

    @property
    def verdict(self) -> str:
        """The worst of the three."""
        return next((word for word in ("broken", "skipped") if word in self.results), "ok")


def try_panel(
    device: Device,
    board: str,
    folder: str,
    ask: Callable[[str], Answer],
    say: Callable[[str], None],
    timeout_s: float = TIMEOUT_S,
) -> Panel:
    """Lights the lamps in turn and waits for the button under each.

    Args:
        board: its name, as in kinds.py.
        folder: where on the board the application's modules are.
        ask: what to do about a button that did not work; gets a sentence.
    """
    device.execute(_SETUP % {"folder": folder, "name": board})
    results = [_try_button(device, number, ask, say, timeout_s) for number in (1, 2, 3)]
    device.execute("light(0)")
    return Panel((results[0], results[1], results[2]))


def _try_button(
    device: Device, number: int, ask: Callable[[str], Answer], say: Callable[[str], None], timeout_s: float
) -> str:
    name = NAMES[number - 1]
    while True:
        say(f"press the button that is lit: the {name} one ({timeout_s:.0f} s)")
        output = device.execute(f"light({number})\nprint(pressed({int(timeout_s * 1000)}))", timeout_s + 10)
        found = int(output.split()[-1])
        if found == number:
            say(f"{name}: lamp and button work")
            return "ok"
        told = f"the {NAMES[found - 1]} button was pressed: wrong button, or swapped wires" if found else "nothing came"
        answer = ask(f"{name}: {told}")
        if answer != "again":
            return "skipped" if answer == "skip" else "broken"
