"""ESP32: soft interrupts only, and RTC memory that outlives every reset but a loss of power."""

import machine

from firmware.board import crumb
from firmware.board.chip import Chip

# The ESP32's watchdog cannot be called off, only be made patient.
_PATIENT_MS = 3600000


class Esp32(Chip):
    def __init__(self) -> None:
        self._rtc = machine.RTC()
        left = self._rtc.memory()
        cause = machine.reset_cause()
        if cause == machine.PWRON_RESET:
            found = crumb.COLD
        elif cause == machine.WDT_RESET:
            found = crumb.BITTEN
        else:
            # machine.reset(), a panic of the interpreter, or Ctrl-D at the prompt.
            found = crumb.RESTARTED if cause in (machine.HARD_RESET, machine.SOFT_RESET) else crumb.UNKNOWN
        Chip.__init__(self, int.from_bytes(left, "big") if len(left) == 4 else 0, found)

    def _word(self, word: int) -> object:
        return word.to_bytes(4, "big")

    def _keep(self, word: object) -> None:
        self._rtc.memory(word)

    def _call_off(self) -> None:
        machine.WDT(timeout=_PATIENT_MS)
