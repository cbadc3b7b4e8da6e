"""Keeps the board's clock right by SNTP, and decides when TLS may be tried without it. It does no date arithmetic.

A chip starts in 1970 or 2000, and certificates then look "not yet valid". So, while the clock is unknown

1. the time server (pad.json: ntp_host) is asked first, every few seconds, before any handshake;
2. after a minute without an answer the clock is set to the *floor*, the latest time that this pad is known to have
   lived to (kept in flash once a day). It is still reported as unknown; but certificates that were valid then, and have
   not been replaced since, are accepted. Without a floor the handshake is tried anyway: it fails, and is tried again;
3. what a trustworthy message says that it is (an Ack, through TLS) sets an unknown clock, too: see heard().

Later the time server is asked every few hours: a crystal of 50 ppm is 1 s off after six.
"""

from firmware.board import sntp, udp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from select import poll

    from firmware.board.config import Config
    from firmware.board.contract import Ticks
    from firmware.board.resolver import Resolver

PATIENCE_MS = 60000
AGAIN_MS = 6 * 3600000
_RETRY_MS = 16000  # RFC 5905 §10: never more often than every 15 s, after the first few packets
_KEEP_MS = 24 * 3600000
_TRIES = 3
_FILE = "/clock"


class Clock:
    """``folder`` is for the floor, or None; ``set_clock(unix_ms, known)`` sets the board's."""

    def __init__(
        self,
        config: "Config",
        poll: "poll",
        ticks: "Ticks",
        resolver: "Resolver",
        random_bytes: "Callable[[int], bytes]",
        now_unix_ms: "Callable[[], int | None]",
        set_clock: "Callable[[int, bool], None]",
        folder: "str | None" = None,
    ):
        self._servers = config.ntp
        self._poll = poll
        self._ticks = ticks
        self._resolver = resolver
        self._random_bytes = random_bytes
        self._now_unix_ms = now_unix_ms
        self._set_clock = set_clock
        self._path = folder + _FILE if folder else None
        self._nonce = b""
        self._question: udp.Question | None = None
        self._patient_ticks = ticks.ticks_ms()
        self._is_patient = True
        self._kept_unix_ms = self._read_floor()
        self._ended_ticks = ticks.ticks_ms()
        self._pause_ms = 0

    @property
    def may_encrypt(self) -> bool:
        """Whether a handshake is worth its while: the time is known, or waiting for it has lasted long enough."""
        if self._servers is None or self._now_unix_ms() is not None:
            return True
        return not self._is_patient

    def step(self, ticks_ms: int, may_write: bool) -> None:
        """Moves on as far as it goes without waiting; ``may_write``: flash may be written now."""
        if self._is_patient and self._ticks.ticks_diff(ticks_ms, self._patient_ticks) >= PATIENCE_MS:
            self._is_patient = False
            if self._now_unix_ms() is None and self._kept_unix_ms:
                self._set_clock(self._kept_unix_ms, False)
        if self._servers:
            self._ask(ticks_ms)
        if may_write:
            self._keep_floor()

    def heard(self, at_unix_ms: int) -> None:
        """A message written just now says what time it is: good enough for a clock that is unknown."""
        if self._now_unix_ms() is None:
            self._set_clock(at_unix_ms, True)

    def _ask(self, ticks_ms: int) -> None:
        if not self._question and self._ticks.ticks_diff(ticks_ms, self._ended_ticks) < self._pause_ms:
            return
        try:
            if not self._question:
                self._question = self._begin()
            if not self._question or not self._question.step(self._take):
                return
            self._end(ticks_ms, AGAIN_MS)
        except OSError:
            self._end(ticks_ms, _RETRY_MS)

    def _begin(self) -> "udp.Question | None":
        host, port = self._servers  # type: ignore[misc]  # looked at by step()
        address = self._resolver.find(host)
        if not address:
            return None
        self._nonce = self._random_bytes(8)
        return udp.Question(self._poll, self._ticks, sntp.question(self._nonce), ((address, port),), _TRIES)

    def _take(self, reply: bytes) -> bool:
        unix_ms = sntp.answer(reply, self._nonce)
        if unix_ms is None:
            return False
        self._resolver.confirm(self._servers[0])  # type: ignore[index]
        self._set_clock(unix_ms, True)
        return True

    def _end(self, ticks_ms: int, pause_ms: int) -> None:
        if self._question:
            self._question.close()
        self._question = None
        self._ended_ticks = ticks_ms
        self._pause_ms = pause_ms

    def _read_floor(self) -> int:
        try:
            with open(self._path or "", "rb") as file:
                return int(file.read(16))
        except (OSError, ValueError):
            return 0

    def _keep_floor(self) -> None:
        now = self._now_unix_ms()
        # In both directions: a floor from a day on which the time was wrong must not stay.
        if not self._path or now is None or abs(now - self._kept_unix_ms) < _KEEP_MS:
            return
        self._kept_unix_ms = now  # also if it cannot be written: not tried again every turn
        try:
            with open(self._path, "wb") as file:
                file.write(b"%d" % now)
        except OSError:
            pass  # a fault of the flash is the journal's to report
