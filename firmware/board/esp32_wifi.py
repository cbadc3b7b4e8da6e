"""ESP32-DevKitC with a WROOM-32E: Wi-Fi. Its pins are also what firmware/README.md's tables and drawings are made of.

No strapping pin (0, 2, 5, 12, 15), none that is busy at power-on (1, 3, 14) or can only read (34 to 39).
"""

import network

from firmware.board import chip
from firmware.board.esp32 import Esp32

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.board.contract import NetworkInterface


class Board(Esp32):
    NAME = "esp32-wifi"
    BUTTON_IDS = (25, 26, 27)  # bad, good, exemplary
    LAMP_IDS = (18, 19, 21)

    def interface(self) -> "NetworkInterface":
        found: NetworkInterface = network.WLAN(network.STA_IF)
        return found


def main(root: str, mode: str) -> "int | str":
    return chip.run(Board(), root, mode)
