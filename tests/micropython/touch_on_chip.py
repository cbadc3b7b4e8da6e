"""The press path alone on a Pico, real or emulated: whoever moves its pins can time the lamps from the pins' edges.

Copy firmware/board/touch.py, firmware/board/lamps.py, firmware/core/debounce.py (and the three empty __init__.py) and
run this by mpremote. The pad is armed at once and again after each press; between, the loop does what DIM and BUSY ask
for. Time from the falling edge of a button's pin to the falling edge of the other lamps' pins.
"""

import gc
import time

from machine import PWM, Pin

from firmware.board.lamps import PinLamp, PwmLamp
from firmware.board.touch import Touch

DIM = False  # lamps by PWM, as on a pad: off comes with the next period, up to 0.2 ms later
BUSY = "idle"  # or "look": the loop looks at the buttons all the time; "gc": it collects all the time


class Board:
    BUTTON_IDS = (2, 3, 4)
    LAMP_IDS = (10, 11, 12)
    PRESSED_LEVEL = 0
    HARD_IRQ = True
    Pin = Pin
    irq_lock = None
    ticks_ms = staticmethod(time.ticks_ms)
    ticks_diff = staticmethod(time.ticks_diff)

    def lamp(self, pin_id):
        return PwmLamp(PWM(Pin(pin_id), freq=5000, duty_u16=0)) if DIM else PinLamp(self, pin_id)

    def settle_lamps(self):
        pass


def run(presses):
    touch = Touch(Board())
    touch.show(100, 100, 100, True)
    ballast = [bytearray(32) for _ in range(1000)]
    while presses:
        if BUSY == "gc":
            gc.collect()
        elif BUSY == "idle":
            time.sleep_ms(1)
        touch.look()
        if touch.decide(False):
            presses -= 1
            print("pressed", touch.first, "at", touch.decided_ticks)
            touch.show(100, 100, 100, True)
    del ballast
