"""The work of the night: what is computed once a day, when the office sleeps, and by one process only.

    CHORES                 what there is to do, in this order
    run_chores(...)        does it now; a chore that fails keeps no other one from its turn
    Watchman(...).start()  the thread of an api process that does it when the hour has come

Chores run in a thread of their own, never on the event loop's. A night that was missed is made up for soon after the
next start. Everything a chore does must bear being done again, and being broken off at any moment.
"""

import logging
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from api import figure_chores
from api.disclosure.chore import look_after_requests
from api.integrity import chore as integrity
from api.publication import publishing
from api.reports import chore as reports
from api.settings import Settings
from collector.store import Night, Store, StoreError
from schemas.periods import day_key

log = logging.getLogger("api.nightly")

LEASE_MS = 5 * 60 * 1000
_RENEW_S = 60.0
# After a start others have their turn first: the pages that people wait for.
SOON_S = 20.0
_LOOK_EVERY_S = 60.0
_FAILED = "it failed: the log says why"


@dataclass(frozen=True)
class Chore:
    """``run(store, settings, now_unix_ms)`` gives sentences worth reading; whatever it raises is a failure."""

    name: str  # at most 40 characters, as in `--chore NAME`
    run: Callable[[Store, Settings, int], list[str]]


CHORES: tuple[Chore, ...] = (
    Chore("consolidate", figure_chores.consolidate),
    Chore("mix", figure_chores.make_mix),
    Chore("reconcile", figure_chores.reconcile),
    Chore(publishing.NAME, publishing.nightly),
    Chore(reports.NAME, reports.run),
    Chore("signals", integrity.run),
    Chore("requests", look_after_requests),
)

Progress = Callable[[str], None]


class Busy(Exception):
    """Another process is at the night's work."""


def run_chores(
    store: Store,
    settings: Settings,
    now_unix_ms: int,
    *,
    only: str | None = None,
    chores: Sequence[Chore] | None = None,
    say: Progress = lambda line: None,
) -> list[Night]:
    """Does all chores now, or ``only`` one, whether or not they were done tonight; each with its outcome.

    Raises Busy, and StoreError if the database does not answer.
    """
    wanted = [each for each in (CHORES if chores is None else chores) if only in (None, each.name)]
    night = _Night(store, settings, night_of(now_unix_ms, store.register().timezone, settings.nightly_at))
    if not night.take(again=True):
        raise Busy("another process is at the night's work; try again when it is done")
    return night.work(wanted, say, now=lambda: now_unix_ms, whole=only is None)


def night_of(now_unix_ms: int, timezone: str, at: str) -> int:
    """The last night, ``yyyymmdd``, whose hour ``at`` ("02:30", local) has come."""
    local = datetime.fromtimestamp(now_unix_ms / 1000, UTC).astimezone(ZoneInfo(timezone))
    come = local.strftime("%H:%M") >= at
    return day_key(local.date() - timedelta(days=0 if come else 1))


def failed(runs: dict[str, Night]) -> list[str]:
    """The chores whose last run failed, of ``store.nights.last()``."""
    return [each.name for each in CHORES if each.name in runs and not runs[each.name].ok]


class _Night:
    """One night's work in this process, under the lease."""

    def __init__(self, store: Store, settings: Settings, night: int):
        self._store, self._settings, self._night = store, settings, night
        self._holder = f"{socket.gethostname()[:20]} {os.getpid()} {secrets.token_hex(4)}"

    def take(self, *, again: bool = False) -> bool:
        return self._store.nights.take(self._night, self._holder, _now(), LEASE_MS, again=again)

    def work(
        self,
        chores: Sequence[Chore],
        say: Progress = lambda line: None,
        *,
        now: Callable[[], int] | None = None,
        whole: bool = True,
        stopped: Callable[[], bool] = lambda: False,
    ) -> list[Night]:
        """Does them in order, as long as nobody says ``stopped`` and the lease is ours; ``whole``: they are all."""
        runs: list[Night] = []
        done = False
        try:
            with self._renewed() as held:
                for each in chores:
                    if held() and not stopped():
                        runs.append(self._do(each, (now or _now)(), say))
                done = whole and len(runs) == len(chores)
        finally:
            self._store.nights.finish(self._holder, done=done)
        return runs

    def _do(self, chore: Chore, now_unix_ms: int, say: Progress) -> Night:
        say(f"{chore.name} ...")
        nights, started = self._store.nights, _now()
        run = nights.begin(chore.name, self._night, started)
        try:
            sentences, ok = chore.run(self._store, self._settings, now_unix_ms), True
        except Exception as error:
            log.exception("%s failed", chore.name)
            sentences, ok = [f"{_FAILED} ({type(error).__name__})"], False
        ended = _now()
        nights.end(run, ended, ok=ok, sentences=sentences)
        for sentence in sentences:
            say(f"  {sentence}")
        say(f"{chore.name}: {'done' if ok else 'failed'} in {(ended - started) / 1000:.1f} s")
        log.info("%s: %s in %d ms", chore.name, "done" if ok else "failed", ended - started)
        return Night(chore.name, self._night, started, ended, ok, tuple(sentences))

    @contextmanager
    def _renewed(self) -> Iterator[Callable[[], bool]]:
        """Renews the lease from another thread for as long as it lasts; gives whether it is still ours."""
        over, lost = threading.Event(), threading.Event()

        def renew() -> None:
            while not over.wait(_RENEW_S):
                try:
                    if not self._store.nights.renew(self._holder, _now(), LEASE_MS):
                        lost.set()
                        return
                except StoreError as error:
                    log.warning("the lease of the night's work was not renewed: %s", error)

        renewing = threading.Thread(target=renew, name="nightly-lease", daemon=True)
        renewing.start()
        try:
            yield lambda: not lost.is_set()
        finally:
            over.set()
            renewing.join()


class Watchman:
    """The thread that waits for the night. A daemon: a stop does not wait for a chore, whose transaction is undone."""

    def __init__(self, store: Store, settings: Settings, chores: Sequence[Chore] | None = None, soon_s: float = SOON_S):
        self._store, self._settings = store, settings
        self._chores = CHORES if chores is None else chores
        self._soon_s = soon_s
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="nightly", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """No chore begins any more. Does not wait for one under way."""
        self._over.set()

    def look(self, now_unix_ms: int) -> list[Night]:
        """Does what this night still asks for, if anything. Raises StoreError."""
        store = self._store
        night = night_of(now_unix_ms, store.register().timezone, self._settings.nightly_at)
        work = _Night(store, self._settings, night)
        if not work.take():
            return []
        settled = store.nights.settled(night)
        left = [each for each in self._chores if each.name not in settled]
        return work.work(left, stopped=self._over.is_set)

    def _watch(self) -> None:
        wait_s = self._soon_s
        while not self._over.wait(wait_s):
            wait_s = _LOOK_EVERY_S
            try:
                self.look(_now())
            except StoreError as error:
                if not self._over.is_set():
                    log.warning("the night's work is put off: %s", error)
            except Exception:
                log.exception("the night's work was not done")


def _now() -> int:
    return time.time_ns() // 1_000_000
