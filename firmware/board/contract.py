"""What a board file must give the rest of the pad: the seam between unix.py, a chip's board file and app.py.

For readers and the type checker only; it is not shipped, because MicroPython has no ``typing``.
"""

from collections.abc import Callable
from typing import Protocol


class BoardPin(Protocol):
    """The part of machine.Pin that a pad uses; its constants are the class's, and differ from port to port."""

    IN: int
    OUT: int
    PULL_UP: int
    PULL_DOWN: int
    IRQ_RISING: int
    IRQ_FALLING: int

    def __init__(self, id: int, mode: int, pull: "int | None" = None, *, value: "int | None" = None): ...  # noqa: A002

    def value(self, level: "int | None" = None, /) -> "int | None": ...

    def off(self) -> None: ...

    def irq(self, handler: "Callable[[BoardPin], None]", trigger: int, *, hard: bool = False) -> object: ...


class BoardPwm(Protocol):
    """The part of machine.PWM that a dimmed lamp uses."""

    def duty_u16(self, duty: int, /) -> object: ...


class Lamp(Protocol):
    """One lamp: lamps.PinLamp or lamps.PwmLamp, unless a board has something of its own."""

    def light(self, pct: int) -> None:
        """Shines at ``pct`` per cent of its current, 0: not at all. Allocates nothing."""

    def off(self) -> None:
        """As light(0), but from an interrupt: short, and it allocates nothing."""


class Lock(Protocol):
    """What _thread.allocate_lock() makes."""

    def acquire(self) -> object: ...

    def release(self) -> None: ...


class Ticks(Protocol):
    """A board's clock that only runs forward, and wraps."""

    def ticks_ms(self) -> int: ...

    def ticks_diff(self, later: int, earlier: int) -> int: ...


class Stream(Protocol):
    """A connection that never blocks. Every method may raise OSError: then it is gone."""

    def ready(self) -> bool:
        """Whether it is connected yet. To be asked until it is, then never again."""

    def send(self, data: bytes) -> int:
        """How many bytes were taken, perhaps 0; 0 as long as hands are being shaken."""

    def receive(self, buffer: bytearray) -> int:
        """How many bytes were put into ``buffer``; 0 for none yet. The end of the stream is an OSError."""

    def close(self) -> None: ...


class NetworkInterface(Protocol):
    """What netif.py uses of network.WLAN, network.LAN and network.WIZNET5K."""

    def active(self, on: bool, /) -> object: ...

    def connect(self, *credentials: str) -> None: ...

    def isconnected(self) -> bool: ...

    def ifconfig(self, given: "tuple[str, str, str, str]" = ..., /) -> "tuple[str, str, str, str]": ...

    def status(self, what: str, /) -> int: ...


class Network(Protocol):
    """The pad's Wi-Fi or Ethernet (netif.py). step() never blocks and never raises."""

    @property
    def is_up(self) -> bool: ...

    @property
    def address(self) -> "str | None": ...

    @property
    def signal_dbm(self) -> "int | None": ...

    @property
    def name_servers(self) -> "tuple[str, ...]":
        """As DHCP told."""

    def step(self, ticks_ms: int) -> None: ...


class Connector(Protocol):
    """The way to the outside (net.Net): network, names, clock, streams."""

    stalls: bool  # opening a connection keeps the loop busy for a moment: it shakes hands

    @property
    def is_up(self) -> bool:
        """Whether it is of use to open a connection now."""

    def step(self, ticks_ms: int, may_write: bool) -> None:
        """To be called every turn; ``may_write``: flash may be written now."""

    def heard(self, at_unix_ms: int) -> None:
        """A message written just now says what time it is."""

    def open(self, host: str, port: int) -> Stream:
        """Begins a connection. Raises OSError."""


class Board(Protocol):
    """One kind of pad hardware."""

    NAME: str  # in PadStatus.board
    RESET: str  # why it started, in the words of PadStatus.reset
    DURING: "str | None"  # the step that a watchdog or a crash ended, in the words of PadStatus.during
    FLASH: "str | None"  # the folder of the pad's flash, "" for the root; None: it has none to test
    BUTTON_IDS: "tuple[int, int, int]"  # bad, good, exemplary
    LAMP_IDS: "tuple[int, int, int]"
    PRESSED_LEVEL: int  # what a pressed button's pin reads; a lit lamp's is 1
    HARD_IRQ: bool  # whether Pin.irq() knows hard=True (rp2); if not, a handler may run late, when its edge is history

    @property
    def Pin(self) -> type[BoardPin]: ...  # noqa: N802 - the class machine.Pin

    @property
    def irq_lock(self) -> "Lock | None":
        """Held while a handler runs, on a board whose handlers run in a thread; None where an interrupt interrupts."""

    connector: Connector  # life.run() puts it there once pad.json is read

    def ticks_diff(self, later: int, earlier: int) -> int:
        """Also called by interrupts: allocates nothing, as time.ticks_diff()."""

    def lamp(self, pin_id: int) -> Lamp: ...

    def settle_lamps(self) -> None:
        """Called by the loop when it may have set lamps, with ``irq_lock`` held. Allocates nothing; most do nothing."""

    def sense_lamp(self, number: int) -> "bool | None":
        """Whether current flows through lamp 0..2; None for a board that cannot tell."""

    def ticks_ms(self) -> int:
        """Also called by interrupts: allocates nothing, as time.ticks_ms()."""

    def now_unix_ms(self) -> "int | None":
        """The wall clock, or None while it is unknown."""

    def set_clock(self, unix_ms: int, known: bool) -> None:
        """Sets the wall clock; not ``known``: only so that certificates can be read, now_unix_ms() stays None."""

    def wait(self, timeout_ms: int) -> bool:
        """Sleeps until a button moves, the connection has news, or time is up. False: the pad is to stop."""

    def feed_watchdog(self) -> None:
        """Once in eight seconds at least, or the pad restarts with RESET "watchdog"."""

    def mark(self, step: str) -> None:
        """Notes what the pad is doing now (protocol.words.STEPS), where a restart finds it. Takes microseconds."""

    def leave(self, reset: str) -> None:
        """Notes why the restart that follows is made: "soft", "update" or "crash"."""

    def random_bytes(self, count: int) -> bytes: ...

    def heap(self) -> "tuple[int, int]":
        """Bytes used and free, after a collection."""

    def signal_dbm(self) -> "int | None": ...

    def log(self, text: str) -> None: ...


class NetBoard(Ticks, Protocol):
    """What net.py needs of a board."""

    def now_unix_ms(self) -> "int | None": ...

    def set_clock(self, unix_ms: int, known: bool) -> None: ...

    def random_bytes(self, count: int) -> bytes: ...
