"""RP2040 and RP2350: hard interrupts, and a scratch register that outlives the watchdog's bite.

Sources: RP2040 datasheet §4.7.6 and RP2350 datasheet §12.9 (the watchdog's registers, their clear alias in §2.1.3).
The SDK keeps scratch registers 4 to 7 for itself, and a machine.reset() is a bite of the watchdog, too: crumb.py tells
the two apart.
"""

import machine

from firmware.board import crumb
from firmware.board.chip import Chip

_CONTROL, _SCRATCH0, _CLEAR = 0x00, 0x0C, 0x3000
_ENABLE = 1 << 30


class Rp2(Chip):
    HARD_IRQ = True
    WATCHDOG = 0  # where its registers begin

    def __init__(self) -> None:
        self._scratch = self.WATCHDOG + _SCRATCH0
        found = crumb.BITTEN if machine.reset_cause() == machine.WDT_RESET else crumb.COLD
        Chip.__init__(self, machine.mem32[self._scratch], found)

    def _keep(self, word: object) -> None:
        machine.mem32[self._scratch] = word

    def _call_off(self) -> None:
        machine.mem32[self.WATCHDOG + _CLEAR + _CONTROL] = _ENABLE
