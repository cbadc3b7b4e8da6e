"""Lamps on a board's pins: contract.Lamp for boards without and with brightness. It does not know which is which."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.board.contract import Board, BoardPin, BoardPwm


class PinLamp:
    """On or off; every brightness is on."""

    def __init__(self, board: "Board", pin_id: int):
        self._pin: BoardPin = board.Pin(pin_id, board.Pin.OUT, value=0)
        self.off = self._pin.off  # bound once: an interrupt calls it

    def light(self, pct: int) -> None:
        self._pin.value(1 if pct else 0)


class PwmLamp:
    """Dimmed by ``pwm``, a machine.PWM that has its frequency (1 kHz does not flicker in the corner of an eye)."""

    def __init__(self, pwm: "BoardPwm"):
        self._pwm = pwm
        pwm.duty_u16(0)

    def light(self, pct: int) -> None:
        self._pwm.duty_u16(pct * 65535 // 100)

    def off(self) -> None:
        self._pwm.duty_u16(0)
