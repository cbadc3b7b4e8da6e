"""Raspberry Pi Pico W: RP2040, Wi-Fi. Its pins are also what firmware/README.md's tables and drawings are made of."""

import network

from firmware.board import chip
from firmware.board.rp2 import Rp2

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.board.contract import NetworkInterface


class Board(Rp2):
    NAME = "pico-w"
    BUTTON_IDS = (2, 3, 4)  # bad, good, exemplary
    LAMP_IDS = (10, 11, 12)
    WATCHDOG = 0x40058000

    def interface(self) -> "NetworkInterface":
        found: NetworkInterface = network.WLAN(network.STA_IF)
        return found


def main(root: str, mode: str) -> "int | str":
    return chip.run(Board(), root, mode)
