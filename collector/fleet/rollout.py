"""A roll-out, step by step: how its pads are and what time it is in, offers and decisions out. Pure.

    planned ─► offered ─► loading ─► trial ─► done          the pad's own words (PadStatus.update)
                  └──────────┴─────────┴───► refused, no_space, rolled_back, late: failures
    skipped: it runs the version already, or the release has nothing for its board.   withdrawn: never changed over
    undone ─► back: it was offered what it ran before, and runs it

Rules of the file
1.  The next stage begins when every pad of this one is done and all pads done so far have been well for ``soak_s``. A
    pad that was done and is not well any more is a failure too.
2.  More failures than allowed stop it: what is still on offer is withdrawn, what runs stays (``undo`` is a wish).
3.  A pad with an open call, or one that is switched off, waits; neither is a failure. ``late`` is one that was
    changing over and is not back after ``limit_s``.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import NamedTuple

from collector.store import Rollout, RolloutPad

FAILED = ("refused", "no_space", "rolled_back", "late", "unwell")
_OPEN = ("offered", "loading", "trial")
_OVER = ("done", "skipped", "withdrawn", *FAILED)


class View(NamedTuple):
    """How a pad is: ``since_ms`` is when its words last changed (0: found so), ``offline_ms`` since when it is away."""

    board: str
    firmware: str
    update: str
    online: bool
    since_ms: int
    offline_ms: int | None
    unwell_ms: int | None  # since when a fault is open that speaks against the version


class Offer(NamedTuple):
    """To be published for the desk, retained; None: nothing is on offer."""

    desk: str
    board: str
    version: str | None


class Step(NamedTuple):
    rollout: Rollout
    changed: list[RolloutPad]
    offers: list[Offer]


def plan(rollout: Rollout, views: Mapping[str, View], boards: Iterable[str], now_ms: int) -> list[RolloutPad]:
    """Which pad belongs to which stage: those online first, and mixed over branches, by no more than their names."""
    fit = set(boards)
    targets: list[str] = []
    skipped: list[str] = []
    for desk, view in views.items():
        (targets if view.board in fit and view.firmware != rollout.version else skipped).append(desk)
    targets.sort(key=lambda desk: (not views[desk].online, sha256(f"{rollout.version} {desk}".encode()).digest()))
    ends = [_size(stage, len(targets)) for stage in rollout.stages]
    planned = []
    for place, desk in enumerate(targets):
        stage = next((number for number, end in enumerate(ends) if place < end), None)
        if stage is not None:
            planned.append(RolloutPad(desk, stage, views[desk].board, views[desk].firmware, "planned", now_ms))
    for desk in sorted(skipped):
        planned.append(RolloutPad(desk, 0, views[desk].board, views[desk].firmware, "skipped", now_ms))
    return planned


def step(rollout: Rollout, pads: Sequence[RolloutPad], views: Mapping[str, View], now_ms: int) -> Step:
    """What a roll-out that is running comes to now; for one that is not, see ``withdraw`` and ``undo``."""
    now = {pad.desk: _moved(rollout, pad, views.get(pad.desk), now_ms) for pad in pads}
    failures = [pad for pad in now.values() if pad.state in FAILED]
    offers = [
        Offer(pad.desk, pad.board, None) for pad in now.values() if pad.state == "done" and _was(pads, pad) != "done"
    ]
    if len(failures) > rollout.allowed:
        worst = ", ".join(f"{pad.desk} {pad.state}" for pad in failures[:5])
        stopped = replace(rollout, state="stopped", reason=f"failed: {worst}", ended_unix_ms=now_ms)
        more, withdrawn = withdraw(list(now.values()), now_ms)
        now.update({pad.desk: pad for pad in more})
        return Step(stopped, _changed(pads, now), offers + withdrawn)
    rollout = _advance(rollout, list(now.values()), views, now_ms)
    if rollout.state == "running":
        for pad in list(now.values()):
            if pad.state == "planned" and pad.stage <= rollout.stage:
                now[pad.desk] = replace(pad, state="offered", changed_unix_ms=now_ms)
                offers.append(Offer(pad.desk, pad.board, rollout.version))
    return Step(rollout, _changed(pads, now), offers)


def withdraw(pads: Sequence[RolloutPad], now_ms: int) -> tuple[list[RolloutPad], list[Offer]]:
    """Nothing is on offer any more; who is changing over at this moment may still end up with the version."""
    away = [replace(pad, state="withdrawn", changed_unix_ms=now_ms) for pad in pads if pad.state not in _OVER]
    return away, [Offer(pad.desk, pad.board, None) for pad in pads if pad.state in (*_OPEN, *FAILED)]


def undo(
    rollout: Rollout,
    pads: Sequence[RolloutPad],
    views: Mapping[str, View],
    has: Callable[[str, str], bool],
    now_ms: int,
) -> Step:
    """Offers every pad that runs the version its own of before, and nothing any more to one that is back.

    A pad whose version of before is in no release folder (``has(version, board)``) keeps what it runs.
    """
    changed, offers = [], []
    for pad in pads:
        view = views.get(pad.desk)
        if pad.state in ("skipped", "back"):
            continue
        if view is not None and view.firmware != rollout.version:
            changed.append(replace(pad, state="back", changed_unix_ms=now_ms))
            offers.append(Offer(pad.desk, pad.board, None))
        elif pad.state != "undone":
            changed.append(replace(pad, state="undone", changed_unix_ms=now_ms))
            offers.append(Offer(pad.desk, pad.board, pad.before if has(pad.before, pad.board) else None))
    return Step(rollout, changed, offers)


def standing_offers(rollout: Rollout, pads: Iterable[RolloutPad]) -> list[Offer]:
    """What must lie at the broker, which may have been wiped; nor need we have lived to tell it what was decided."""
    told = [pad for pad in pads if pad.state not in ("planned", "skipped", "undone")]
    return [Offer(pad.desk, pad.board, rollout.version if pad.state in _OPEN else None) for pad in told]


def summary(pads: Iterable[RolloutPad]) -> dict[str, int]:
    """How many pads are in which state."""
    counts: dict[str, int] = {}
    for pad in pads:
        counts[pad.state] = counts.get(pad.state, 0) + 1
    return counts


def _size(stage: str, count: int) -> int:
    """How many pads a stage and those before it hold: ten per cent of nine are one."""
    return -(-count * int(stage[:-1]) // 100) if stage.endswith("%") else min(int(stage), count)


def _moved(rollout: Rollout, pad: RolloutPad, view: View | None, now_ms: int) -> RolloutPad:
    state = _next_state(rollout, pad, view, now_ms) if view is not None else pad.state
    return pad if state == pad.state else replace(pad, state=state, changed_unix_ms=now_ms)


def _next_state(rollout: Rollout, pad: RolloutPad, view: View, now_ms: int) -> str:
    if pad.state == "done":
        if view.online and view.update == "rolled_back":
            return "rolled_back"
        # A fault of before the update is not the version's.
        return "unwell" if view.unwell_ms is not None and view.unwell_ms > pad.changed_unix_ms else pad.state
    if pad.state not in _OPEN:
        return pad.state
    if view.firmware == rollout.version and view.online and view.update in ("done", "none"):
        return "done"
    # A word of before the offer tells of another update.
    if view.online and view.update in FAILED and (pad.state != "offered" or view.since_ms > pad.changed_unix_ms):
        return view.update
    if view.update == "trial":
        late = pad.state == "trial" and now_ms - pad.changed_unix_ms >= rollout.limit_s * 1000
        return "late" if late else "trial"
    if pad.state != "offered" and view.offline_ms is not None and now_ms - view.offline_ms >= rollout.limit_s * 1000:
        return "late"
    return "loading" if pad.state == "offered" and view.update in ("loading", "waiting") else pad.state


def _advance(rollout: Rollout, pads: list[RolloutPad], views: Mapping[str, View], now_ms: int) -> Rollout:
    if any(pad.stage <= rollout.stage and pad.state not in _OVER for pad in pads):
        return _reset_soak(rollout)
    if rollout.stage + 1 == len(rollout.stages) or all(pad.state in _OVER for pad in pads):
        return replace(rollout, state="done", reason="every pad of it is done", ended_unix_ms=now_ms)
    if not all(views[pad.desk].online for pad in pads if pad.state == "done" and pad.desk in views):
        return _reset_soak(rollout)
    if rollout.stage_done_unix_ms is None:
        return replace(rollout, stage_done_unix_ms=now_ms)
    if now_ms - rollout.stage_done_unix_ms < rollout.soak_s * 1000:
        return rollout
    return replace(rollout, stage=rollout.stage + 1, stage_done_unix_ms=None)


def _reset_soak(rollout: Rollout) -> Rollout:
    return rollout if rollout.stage_done_unix_ms is None else replace(rollout, stage_done_unix_ms=None)


def _was(pads: Sequence[RolloutPad], pad: RolloutPad) -> str:
    return next(each.state for each in pads if each.desk == pad.desk)


def _changed(pads: Sequence[RolloutPad], now: Mapping[str, RolloutPad]) -> list[RolloutPad]:
    return [now[pad.desk] for pad in pads if now[pad.desk] != pad]
