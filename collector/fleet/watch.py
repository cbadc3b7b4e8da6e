"""What is wrong with which pad: calls, statuses, health and time in, faults out. Pure: it has no clock and no broker.

Rules of the file
1.  A pad is dark if 2 s after a call (order P3.3) its status has not said that it is armed for it, or holds its vote.
    The call is flagged then, and brought back if the pad arms for it after all; the fault ends when the pad arms.
2.  Nobody is judged by what is merely old. After a connection to the broker pads are given ``grace_ms`` to return; a
    call that ends before it could be judged never is; without a connection nothing is judged but the connection.
3.  A desk that never had a pad is never dark.
4.  Times are milliseconds of any one clock that agrees with UTC to some minutes and never jumps.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from collector.store.faults import Change, Closed, Flagged, Opened, Unflagged
from protocol.messages import CallClosed, CallOpened, Health, PadStatus

EVERYWHERE = ""  # the desk of a fault that concerns all of them
# Faults that are the pad's own words, and what it says then.
_WORDS = {
    "lamps": ("fault",),
    "buttons": ("stuck",),
    "storage": ("full", "fault"),
    "memory": ("low",),
    "clock": ("wrong",),
    "update": ("refused", "no_space", "rolled_back"),
}
_LIT = ("armed", "voted")


@dataclass(frozen=True, slots=True)
class Limits:
    """How long what may last before it is a fault, in milliseconds."""

    armed_ms: int = 2_000
    grace_ms: int = 60_000
    offline_ms: int = 300_000
    silent_ms: int = 200_000  # a pad tells its health every minute
    broker_ms: int = 30_000
    restarts: int = 3  # so many unasked-for restarts ...
    restarts_within_ms: int = 900_000  # ... in this time; and the fault ends when the last is as long ago


class _Call(NamedTuple):
    id: str
    due_ms: int
    dark: bool = False  # judged


@dataclass(slots=True)
class Pad:
    """What is known of one desk's pad; ``since_ms`` is when its status last changed, 0 for one found at the broker."""

    has_pad: bool = False
    status: PadStatus | None = None
    since_ms: int = 0
    offline_ms: int | None = None  # since when
    health: Health | None = None
    health_ms: int = 0  # when it last sent its health, or could first have
    call: _Call | None = None
    past: str | None = None  # the last call that ended flagged
    starts_ms: list[int] = field(default_factory=list)

    @property
    def online(self) -> bool:
        return self.status is not None and self.status.state == "online"

    def is_lit_for(self, call: str) -> bool:
        return bool(self.status and self.online and self.status.phase in _LIT and self.status.call == call)


class Watch:
    """Args:
    pads: desks that are known to have a pad.
    open_faults: what is open already, and since when.
    """

    def __init__(self, limits: Limits, pads: Iterable[str], open_faults: Mapping[tuple[str, str], int], now_ms: int):
        self.pads: dict[str, Pad] = {}
        self._limits = limits
        self._open = dict(open_faults)
        self._effects: list[Change] = []
        self._up_ms: int | None = None
        self._down_ms = self._now_ms = now_ms
        for desk in pads:
            self._pad(desk).has_pad = True

    def take(self) -> list[Change]:
        """What has come of it since the last time, in order."""
        effects, self._effects = self._effects, []
        return effects

    def has_been_up(self, for_ms: int, now_ms: int) -> bool:
        """Whether there has been a connection for so long."""
        return self._up_ms is not None and now_ms - self._up_ms >= for_ms

    def wrong_since_ms(self, desk: str, kinds: Iterable[str]) -> int | None:
        """When the newest fault of ``kinds`` that is open there was opened."""
        return max((self._open[desk, kind] for kind in kinds if (desk, kind) in self._open), default=None)

    def agree(
        self, pads: Iterable[str], retired: Collection[str], open_faults: Mapping[tuple[str, str], int], now_ms: int
    ) -> None:
        """What the store knows by now: somebody closed a fault, registered a pad or took one away (``retired``)."""
        for desk in pads:
            self._pad(desk).has_pad = True
        for desk in retired:
            self._pad(desk).has_pad = False
        self._open = dict(open_faults)
        self._now_ms = now_ms
        for desk, pad in self.pads.items():
            self._judge_words(desk, pad)

    # ---- the connection
    def up(self, now_ms: int) -> None:
        """Connected: the broker now tells what it has retained, and pads come back."""
        self._up_ms = now_ms
        self._close(EVERYWHERE, "broker")
        for pad in self.pads.values():
            pad.health_ms = now_ms + self._limits.grace_ms
            pad.offline_ms = None if pad.online else now_ms + self._limits.grace_ms

    def down(self, now_ms: int) -> None:
        self._up_ms = None
        self._down_ms = now_ms
        for pad in self.pads.values():
            pad.call = None  # told again at the next connection, if it is still open then

    # ---- what arrives
    def call(self, desk: str, message: CallOpened | CallClosed, retained: bool, now_ms: int) -> None:
        pad = self._pad(desk)
        if pad.call is not None and pad.call.dark:
            pad.past = pad.call.id
        if isinstance(message, CallClosed) or message.until_unix_ms <= now_ms:
            pad.call = None
        elif pad.call is None or pad.call.id != message.call:
            due_ms = now_ms + self._limits.armed_ms
            if self._up_ms is not None:
                due_ms = max(due_ms, self._up_ms + self._limits.grace_ms)
            pad.call = _Call(message.call, due_ms)
            self._judge_lit(desk, pad, retained=True)

    def status(self, desk: str, status: PadStatus, retained: bool, now_ms: int) -> None:
        self._now_ms = now_ms
        pad, before = self._pad(desk), self._pad(desk).status
        if before is not None and _overtaken(before, status):
            return
        pad.has_pad = True
        pad.status = status
        if status != before:
            pad.since_ms = 0 if retained and before is None else now_ms
        if before is not None and (status.boot, status.journal) != (before.boot, before.journal):
            self._restarted(desk, pad, status, now_ms)
        if status.state == "online":
            if pad.offline_ms is not None or before is None:
                pad.health_ms = max(pad.health_ms, now_ms)
            pad.offline_ms = None
            self._close(desk, "offline")
        elif pad.offline_ms is None:
            pad.offline_ms = now_ms
            self._close(desk, "silent")  # it is offline, which is told of by itself
        self._judge_words(desk, pad)
        self._judge_lit(desk, pad, retained)

    def health(self, desk: str, health: Health, now_ms: int) -> None:
        pad = self._pad(desk)
        pad.has_pad, pad.health, pad.health_ms = True, health, max(pad.health_ms, now_ms)
        self._close(desk, "silent")

    def tick(self, now_ms: int) -> None:
        """To be told of the time, ten times a second or so."""
        self._now_ms = now_ms
        if self._up_ms is None:
            if now_ms - self._down_ms >= self._limits.broker_ms:
                self._open_fault(EVERYWHERE, "broker", None, "")
            return
        for desk, pad in self.pads.items():
            if not pad.has_pad:
                continue
            if pad.call is not None and not pad.call.dark and now_ms >= pad.call.due_ms:
                self._judge_dark(desk, pad, pad.call)
            self._judge_presence(desk, pad, now_ms)
            if pad.starts_ms and now_ms - pad.starts_ms[-1] >= self._limits.restarts_within_ms:
                pad.starts_ms.clear()
                self._close(desk, "restarts")

    # ---- judgements
    def _judge_dark(self, desk: str, pad: Pad, call: _Call) -> None:
        if pad.is_lit_for(call.id):
            return
        pad.call = call._replace(dark=True)
        self._effects.append(Flagged(call.id, desk))
        self._open_fault(desk, "dark", call.id, _why_dark(pad))

    def _judge_lit(self, desk: str, pad: Pad, retained: bool) -> None:
        if pad.past is not None and pad.is_lit_for(pad.past):
            self._effects.append(Unflagged(pad.past, desk))  # word of it has come late
            pad.past = None
        lit = pad.call is not None and pad.is_lit_for(pad.call.id)
        if lit and pad.call is not None:
            if pad.call.dark or (desk, "dark") in self._open:
                self._effects.append(Unflagged(pad.call.id, desk))
            pad.call = pad.call._replace(dark=False, due_ms=_NEVER)
        # A retained status may be of before the fault: it proves only what it says of the call that is open now.
        elif retained or pad.status is None or not pad.online or pad.status.phase not in _LIT:
            return
        self._close(desk, "dark")

    def _judge_words(self, desk: str, pad: Pad) -> None:
        status = pad.status
        if status is None or not pad.online:
            return  # a last will repeats what was so when the pad connected
        for kind, bad in _WORDS.items():
            word = str(getattr(status, kind))
            self._set(desk, kind, word in bad, word)
        self._set(desk, "safe_mode", status.mode == "safe", _how_started(status))

    def _judge_presence(self, desk: str, pad: Pad, now_ms: int) -> None:
        assert self._up_ms is not None
        if pad.online:
            if now_ms - pad.health_ms >= self._limits.silent_ms:
                self._open_fault(desk, "silent", None, "")
            return
        since_ms = pad.offline_ms if pad.offline_ms is not None else self._up_ms + self._limits.grace_ms
        if now_ms - since_ms >= self._limits.offline_ms:
            self._open_fault(desk, "offline", None, "")

    def _restarted(self, desk: str, pad: Pad, status: PadStatus, now_ms: int) -> None:
        if status.reset in ("soft", "update") or status.state == "offline":
            return  # asked for; or a last will, whose pad told of its start before
        since_ms = now_ms - self._limits.restarts_within_ms
        pad.starts_ms = [each for each in pad.starts_ms if each > since_ms] + [now_ms]
        if len(pad.starts_ms) >= self._limits.restarts:
            self._open_fault(desk, "restarts", None, _how_started(status))

    # ---- faults
    def _set(self, desk: str, kind: str, is_wrong: bool, detail: str) -> None:
        if is_wrong:
            self._open_fault(desk, kind, None, detail)
        else:
            self._close(desk, kind)

    def _open_fault(self, desk: str, kind: str, call: str | None, detail: str) -> None:
        if (desk, kind) not in self._open:
            self._open[desk, kind] = self._now_ms
            self._effects.append(Opened(desk, kind, call, detail))

    def _close(self, desk: str, kind: str) -> None:
        if (desk, kind) in self._open:
            del self._open[desk, kind]
            self._effects.append(Closed(desk, kind))

    def _pad(self, desk: str) -> Pad:
        if desk not in self.pads:
            self.pads[desk] = Pad()
        return self.pads[desk]


_NEVER = 1 << 62


def _overtaken(last: PadStatus, status: PadStatus) -> bool:
    """Whether ``status`` is older than ``last``: the collector's rule (collector/ingest.py)."""
    if status.journal == last.journal:
        return status.boot < last.boot
    return status.state == "offline"


def _why_dark(pad: Pad) -> str:
    if pad.status is None:
        return "never heard of"
    if not pad.online:
        return "offline"
    return "safe mode" if pad.status.mode == "safe" else pad.status.phase


def _how_started(status: PadStatus) -> str:
    return f"{status.reset} during {status.during}" if status.during else status.reset
