"""The health of every pad as Prometheus metrics, by desk: what IT needs in order to mend it.

Rules of the file
1.  What counts calls, presses or votes is never here, not even the outbox's depth: scraped every few seconds beside a
    desk's name it would tell when a client voted there (order P3.2e). The outbox is the sum of all pads, and its oldest
    trouble is to be seen as a pad that is down.
2.  A pad that was never heard of has ``zrazkovo_pad_up`` 0 and nothing else; so has one that is switched off, but for
    what it last said of its version.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric

from collector.store import FAULT_KINDS, Fault, PadRow

_DESK = ("desk", "branch")
# name -> (the field of Health, factor to the base unit, help)
_HEALTH = {
    "uptime_seconds": ("uptime_s", 1.0, "Since the pad's last start."),
    "stall_max_seconds": ("stall_max_ms", 0.001, "The longest pause of its loop since then."),
    "reconnects": ("reconnects", 1.0, "Connections to the broker after the first, since then."),
    "refused_messages": ("refused_messages", 1.0, "Messages it could not read, since then."),
    "heap_free_bytes": ("heap_free_bytes", 1.0, "Free memory."),
    "flash_free_bytes": ("flash_free_bytes", 1.0, "Free flash."),
    "signal_dbm": ("signal_dbm", 1.0, "Strength of its radio signal; absent on a cable."),
    "clock_offset_seconds": ("clock_off_ms", 0.001, "Its clock less the server's; absent while unknown."),
}
_UPDATES = ("none", "loading", "waiting", "trial", "done", "refused", "no_space", "rolled_back")


def pad_metrics(pads: Sequence[PadRow], open_faults: Sequence[Fault], now_unix_ms: int) -> Iterator[Metric]:
    """Everything about the pads at one moment."""
    up = GaugeMetricFamily("zrazkovo_pad_up", "1: the pad is at the broker.", labels=_DESK)
    info = InfoMetricFamily("zrazkovo_pad", "What the pad is and why it last started.", labels=_DESK)
    update = GaugeMetricFamily(
        "zrazkovo_pad_update", "1 at what its last update has come to.", labels=(*_DESK, "state")
    )
    age = GaugeMetricFamily("zrazkovo_pad_health_age_seconds", "Since it last sent its health.", labels=_DESK)
    for pad in pads:
        desk = (pad.desk, pad.branch)
        up.add_metric(desk, pad.state == "online")
        if pad.state is not None:
            words = {"version": pad.firmware, "board": pad.board, "reset": pad.reset, "during": pad.during}
            info.add_metric(desk, {name: word or "" for name, word in {**words, "mode": pad.mode}.items()})
            for state in _UPDATES:
                update.add_metric((*desk, state), pad.update == state)
        if pad.health_unix_ms is not None:
            age.add_metric(desk, max(0, now_unix_ms - pad.health_unix_ms) / 1000)
    yield from (up, info, update, age)
    yield from _health([pad for pad in pads if pad.state == "online"])
    outbox = sum((pad.health or {}).get("outbox") or 0 for pad in pads)
    yield GaugeMetricFamily("zrazkovo_pads_outbox", "Votes that pads still hold, all of them together.", outbox)
    yield from _faults(open_faults)


def _health(pads: Sequence[PadRow]) -> Iterator[Metric]:
    for name, (field, factor, text) in _HEALTH.items():
        family = GaugeMetricFamily(f"zrazkovo_pad_{name}", text, labels=_DESK)
        for pad in pads:
            value = (pad.health or {}).get(field)
            if value is not None:
                family.add_metric((pad.desk, pad.branch), value * factor)
        yield family


def _faults(open_faults: Sequence[Fault]) -> Iterator[Metric]:
    """A sum for every kind, so that an alert can tell "none" from "not known"; and each one by desk."""
    counted = Counter(fault.kind for fault in open_faults)
    family = GaugeMetricFamily("zrazkovo_pad_faults", "Open faults, by kind.", labels=("kind",))
    for kind in FAULT_KINDS:
        family.add_metric((kind,), counted[kind])
    yield family
    each = GaugeMetricFamily("zrazkovo_pad_fault", "1 while the fault is open.", labels=(*_DESK, "kind"))
    for fault in open_faults:
        each.add_metric((fault.desk, fault.branch or "", fault.kind), 1)
    yield each
