"""Carries out what IT wishes of pads: commands and roll-outs, from the store to the broker. Decides nothing itself."""

import logging
from collections.abc import Callable
from dataclasses import replace

from collector.fleet import commands, rollout
from collector.fleet.rollout import Offer, View
from collector.fleet.shelf import Shelf
from collector.fleet.watch import Pad, Watch
from collector.store import Fleet, Rollout, RolloutPad
from protocol import codec, topics
from protocol.messages import UpdateOffered, UpdateWithdrawn

log = logging.getLogger("fleet")

# Faults that speak against the version a pad runs.
_SPEAK_AGAINST = ("dark", "silent", "safe_mode", "restarts", "storage", "memory")
_HEARING_MS = 3_000
_UNSETTLED = ("planned", "offered", "loading", "trial")


class Driver:
    """``publish`` (topic, payload, retain=) never waits and says whether there is a connection."""

    def __init__(self, fleet: Fleet, watch: Watch, shelf: Shelf, publish: Callable[..., bool]):
        self._fleet, self._watch, self._shelf, self._publish = fleet, watch, shelf, publish
        self._before: dict[str, commands.Before] = {}
        self._settled: tuple[int, str] | None = None  # a roll-out of which nothing is left to do, and its state

    # ---- commands
    def commands(self, now_ms: int) -> None:
        """Sends what waits and looks what became of what was sent."""
        for asked in reversed(self._fleet.waiting()):
            command, pad = asked, self._watch.pads.get(asked.desk)
            if command.sent_unix_ms is None and commands.may_send(command, pad):
                message = commands.message(command)
                self._before[command.id] = commands.before(pad)
                if self._publish(
                    topics.desk(command.desk, message.KIND), codec.encode(message), retain=command.do == "settings"
                ):
                    self._fleet.sent(command.id)
                    command = replace(command, sent_unix_ms=now_ms)
            outcome = commands.outcome(command, self._before.get(command.id), pad, now_ms)
            if outcome is not None:
                self._before.pop(command.id, None)
                self._fleet.ended(command.id, outcome)
                log.info("%s %s, asked by %s: %s", command.desk, command.do, command.asked_by, outcome)

    # ---- roll-outs
    def rollout(self, now_ms: int) -> None:
        """One step of the newest roll-out."""
        for newest in self._fleet.rollouts(1):
            if (newest.id, newest.state) == self._settled:
                return
            pads = self._fleet.pads_of(newest.id)
            if newest.state == "running":
                self._go_on(newest, pads, now_ms)
            elif newest.state == "stopped" and any(pad.state in _UNSETTLED for pad in pads):
                away, offers = rollout.withdraw(pads, now_ms)
                if self._offer(offers):
                    self._fleet.save_rollout(newest, away)
            elif newest.state == "undone" and any(pad.state not in ("back", "skipped") for pad in pads):
                self._undo(newest, pads, now_ms)
            else:
                self._settled = newest.id, newest.state

    def tell_again(self) -> None:
        """After a connection: what is on offer must lie at the broker, and nothing else."""
        for newest in self._fleet.rollouts(1):
            self._offer(rollout.standing_offers(newest, self._fleet.pads_of(newest.id)))

    def _go_on(self, running: Rollout, pads: list[RolloutPad], now_ms: int) -> None:
        views = self._views()
        if not pads:
            if not self._watch.has_been_up(_HEARING_MS, now_ms):
                return  # the pads' retained words are still coming in
            release = self._shelf.releases.get(running.version)
            if release is None:
                reason = f"there is no release {running.version} in the folder of releases"
                self._fleet.save_rollout(replace(running, state="stopped", reason=reason, ended_unix_ms=now_ms))
                return
            pads = rollout.plan(running, views, release.manifests, now_ms)
            if not pads:
                self._fleet.save_rollout(
                    replace(running, state="stopped", reason="no pad is known", ended_unix_ms=now_ms)
                )
                return
            if not self._fleet.save_rollout(running, pads):
                return
            log.info("roll-out of %s: %s", running.version, rollout.summary(pads))
        done = rollout.step(running, pads, views, now_ms)
        if done.rollout == running and not done.changed:
            return
        for pad in done.changed:
            log.info("roll-out of %s: %s is %s", running.version, pad.desk, pad.state)
        if self._fleet.save_rollout(done.rollout, done.changed):
            if done.rollout.state != "running":
                log.info("roll-out of %s is %s: %s", running.version, done.rollout.state, done.rollout.reason)
            self._offer(done.offers)

    def _undo(self, undone: Rollout, pads: list[RolloutPad], now_ms: int) -> None:
        done = rollout.undo(
            undone, pads, self._views(), lambda version, board: self._shelf.manifest(version, board) is not None, now_ms
        )
        if done.changed and self._offer(done.offers):  # or it is tried again a second later
            self._fleet.save_rollout(undone, done.changed)

    def _offer(self, offers: list[Offer]) -> bool:
        """False if there is no connection."""
        for offer in offers:
            message: UpdateOffered | UpdateWithdrawn = UpdateWithdrawn()
            if offer.version is not None:
                manifest = self._shelf.manifest(offer.version, offer.board)
                if manifest is None:
                    continue
                message = UpdateOffered(offer.version, manifest)
            if not self._publish(topics.desk(offer.desk, "update"), codec.encode(message), retain=True):
                return False
        return True

    def _views(self) -> dict[str, View]:
        return {
            desk: self._view(desk, pad)
            for desk, pad in self._watch.pads.items()
            if pad.has_pad and pad.status is not None
        }

    def _view(self, desk: str, pad: Pad) -> View:
        status = pad.status
        assert status is not None
        unwell_ms = self._watch.wrong_since_ms(desk, _SPEAK_AGAINST)
        return View(status.board, status.firmware, status.update, pad.online, pad.since_ms, pad.offline_ms, unwell_ms)
