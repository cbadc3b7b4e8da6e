"""Raspberry Pi Pico 2 W: RP2350, Wi-Fi; the Pico W's pins. Also what firmware/README.md's tables are made of."""

import network

from firmware.board import chip
from firmware.board.rp2 import Rp2

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.board.contract import NetworkInterface


class Board(Rp2):
    NAME = "pico2-w"
    BUTTON_IDS = (2, 3, 4)  # bad, good, exemplary
    LAMP_IDS = (10, 11, 12)
    WATCHDOG = 0x400D8000

    def interface(self) -> "NetworkInterface":
        found: NetworkInterface = network.WLAN(network.STA_IF)
        return found


def main(root: str, mode: str) -> "int | str":
    return chip.run(Board(), root, mode)
