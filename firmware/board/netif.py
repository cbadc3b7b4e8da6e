"""Brings the pad's Wi-Fi or Ethernet up and keeps it up (contract.Network). Imports no driver: a board hands one in.

                 joining                    address there
    DOWN ───────────────────► JOINING ─────────────────────► UP
      ▲                          │ 20 s without an address     │ link lost
      └── pause, then the interface is switched off and on ◄───┴──► JOINING (the driver re-joins by itself)

The interface is MicroPython's network.WLAN(STA_IF), network.LAN(...) or network.WIZNET5K(...): what is used of it is in
contract.NetworkInterface. It was tried with a stand-in only, never on hardware.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.board.config import Config
    from firmware.board.contract import NetworkInterface, Ticks

DOWN, JOINING, UP = "down", "joining", "up"

_JOIN_TIMEOUT_MS = 20000
_PAUSE_MS = 2000
# How often the driver is asked; the question itself may take a millisecond on a chip.
_LOOK_MS = 250


class HostNetwork:
    """For a board that shares its host's network: always up."""

    is_up = True
    address: "str | None" = None
    signal_dbm: "int | None" = None
    name_servers: "tuple[str, ...]" = ()

    def step(self, ticks_ms: int) -> None:
        """Nothing to do."""


class ChipNetwork:
    """``interface`` is the driver's, not yet active; Wi-Fi if the configuration names an SSID."""

    def __init__(self, interface: "NetworkInterface", config: "Config", ticks: "Ticks"):
        self.state = DOWN
        self.address: str | None = None
        self.name_servers: tuple[str, ...] = ()
        self._interface = interface
        self._config = config
        self._ticks_diff = ticks.ticks_diff
        self._entered_ticks = self._looked_ticks = ticks.ticks_ms()
        self._pause_ms = 0

    @property
    def is_up(self) -> bool:
        return self.state == UP

    @property
    def signal_dbm(self) -> "int | None":
        """Wi-Fi's, while it is up."""
        if self.state != UP or self._config.network != "wifi":
            return None
        try:
            return max(-127, min(0, self._interface.status("rssi")))
        except (OSError, ValueError, TypeError):  # a driver that cannot tell
            return None

    def step(self, ticks_ms: int) -> None:
        """Moves on as far as it goes without waiting. Never raises: a driver's error is a reason to begin anew."""
        if self.state != DOWN and self._ticks_diff(ticks_ms, self._looked_ticks) < _LOOK_MS:
            return
        self._looked_ticks = ticks_ms
        lasted_ms = self._ticks_diff(ticks_ms, self._entered_ticks)
        try:
            if self.state == DOWN:
                if lasted_ms >= self._pause_ms:
                    self._join(ticks_ms)
            elif self.state == UP:
                if not self._interface.isconnected():
                    self._enter(JOINING, ticks_ms)
            elif not self._has_arrived(ticks_ms) and lasted_ms >= _JOIN_TIMEOUT_MS:
                self._leave(ticks_ms)
        except OSError:
            self._leave(ticks_ms)

    def _join(self, ticks_ms: int) -> None:
        config, interface = self._config, self._interface
        interface.active(True)
        if config.address:
            own, bits = config.address.split("/")
            interface.ifconfig((own, _mask(int(bits)), config.gateway, config.dns[0][0] if config.dns else "0.0.0.0"))
        if config.network == "wifi":
            interface.connect(*[each for each in (config.wifi_ssid, config.wifi_password) if each])
        self._enter(JOINING, ticks_ms)

    def _has_arrived(self, ticks_ms: int) -> bool:
        if not self._interface.isconnected():
            return False
        own, _, _, server = self._interface.ifconfig()
        if own == "0.0.0.0":
            return False  # joined, but DHCP has not answered yet
        self.address = own
        self.name_servers = (server,) if server and server != "0.0.0.0" else ()
        self._enter(UP, ticks_ms)
        return True

    def _leave(self, ticks_ms: int) -> None:
        self._pause_ms = _PAUSE_MS
        self._enter(DOWN, ticks_ms)
        try:
            self._interface.active(False)
        except OSError:
            pass  # it is switched on again in any case

    def _enter(self, state: str, ticks_ms: int) -> None:
        self.state = state
        self._entered_ticks = ticks_ms
        if state != UP:
            self.address = None


def _mask(bits: int) -> str:
    number = (1 << 32) - (1 << (32 - bits))
    return "%d.%d.%d.%d" % (number >> 24, number >> 16 & 255, number >> 8 & 255, number & 255)
