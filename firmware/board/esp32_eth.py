"""Olimex ESP32-POE-ISO with a WROOM-32: Ethernet by a LAN8720, fed over its cable. Also what firmware/README.md's
tables and drawings are made of.

Ethernet takes 12, 17 to 19, 21 to 23 and 25 to 27; what is left and behaves at power-on is on EXT1 and EXT2. GPIO 14
is the clock of the micro-SD slot (leave it empty); on the WROVER variant 16 belongs to its memory (take the WROOM).
"""

import machine
import network

from firmware.board import chip
from firmware.board.esp32 import Esp32

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.board.contract import NetworkInterface


class Board(Esp32):
    NAME = "esp32-eth"
    NETWORK = "ethernet"
    BUTTON_IDS = (13, 14, 16)  # bad, good, exemplary
    LAMP_IDS = (4, 32, 33)

    def interface(self) -> "NetworkInterface":
        # MicroPython's documentation names these for the ESP32-POE-ISO; the PHY's clock comes out of GPIO 17.
        found: NetworkInterface = network.LAN(
            mdc=machine.Pin(23),
            mdio=machine.Pin(18),
            power=machine.Pin(12),
            phy_type=network.PHY_LAN8720,
            phy_addr=0,
            ref_clk=machine.Pin(17),
            ref_clk_mode=machine.Pin.OUT,
        )
        return found


def main(root: str, mode: str) -> "int | str":
    return chip.run(Board(), root, mode)
