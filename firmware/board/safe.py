"""Safe mode: three starts in a row ended badly, so this one only answers IT. Lamps are dark, no vote is taken.

It has none of app.py: no buttons, no machine, no lamps policy. It connects, says so (PadStatus.mode "safe"), delivers
the votes that still wait, and obeys report and restart; an update gets a new version into the pad. Nothing that it
finds on flash can stop it: an unreadable journal only means that there is nothing to deliver.

After some minutes it tries the normal mode again, once: what made the pad fail may have been outside of it.
"""

import gc

from firmware import VERSION
from firmware.board.courier import Courier
from firmware.board.link import ARRIVED, ONLINE, UP, Link
from firmware.boot import BAD_LIMIT, read_record, save_record
from firmware.core import journal as journals
from protocol import codec
from protocol.errors import ProtocolError
from protocol.messages import Ack, Command, Health, PadStatus, Piece, UpdateOffered, UpdateWithdrawn, Want

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.board import link as links
    from firmware.board.config import Config
    from firmware.board.contract import Board
    from firmware.board.store import Store
    from firmware.board.update import Updater
    from protocol.messages import Message

STOP, RESTART = "stop", "restart"
# How long until the pad tries to be a pad again.
LASTS_MS = 15 * 60 * 1000
_IDLE_MS = 1000


class SafeApp:
    def __init__(self, config: "Config", board: "Board", store: "Store", root: str, updater: "Updater"):
        self._board = board
        self._store = store
        self._root = root
        self._updater = updater
        for pin_id in board.LAMP_IDS:
            board.lamp(pin_id).off()
        board.settle_lamps()
        self._journal = self._open_journal()
        self._link = Link(config, board, lambda: self._status("offline"))
        self._courier = Courier(self._journal, self._link, board.ticks_diff)
        self._status_due = self._restart_asked = self._is_switching = False
        self._said = updater.state
        self._refused = 0
        self._ticks = board.ticks_ms()
        self._lasted_ms = 0

    def run(self) -> str:
        """Works until the board says stop, IT says restart, or it has lasted long enough; returns which."""
        self._board.log("safe mode %s, journal %s" % (VERSION, self._journal.id))
        while True:
            idle_ms = self._turn()
            if self._restart_asked or self._is_switching or self._lasted_ms >= LASTS_MS:
                # Asked for: as many attempts as after a power cut. By itself: one.
                self._forgive(0 if self._restart_asked else BAD_LIMIT - 1)
                self._link.drop("restart", self._board.ticks_ms())
                return RESTART
            if not self._board.wait(idle_ms):
                return STOP

    def _open_journal(self) -> journals.Journal:
        try:
            return self._store.open()
        except Exception as error:
            self._board.log("journal: %r" % error)
            found = journals.Journal()
            found.start(self._board.random_bytes(4))
            return found

    def _forgive(self, bad: int) -> None:
        record = read_record(self._root)
        record.bad = bad
        save_record(self._root, record)

    def _turn(self) -> int:
        ticks_ms = self._board.ticks_ms()
        self._lasted_ms += self._board.ticks_diff(ticks_ms, self._ticks)
        self._ticks = ticks_ms
        try:
            self._board.connector.step(ticks_ms, True)
            for event in self._link.step(ticks_ms):
                self._on_link(event, ticks_ms)
            self._board.feed_watchdog()
            self._courier.step(ticks_ms)
            if self._updater.step(ticks_ms, True, True, self._link.state == ONLINE, None, self._wish):
                self._is_switching = True
            self._status_due = self._status_due or self._said != self._updater.state
            self._said = self._updater.state
            if self._status_due and self._link.publish(self._status("online"), True, 1, ticks_ms):
                self._status_due = False
        except Exception as error:
            gc.collect()
            self._board.log("error: %r" % error)
            self._link.drop("error", ticks_ms)
        return self._link.due_ms(ticks_ms, self._updater.due_ms(ticks_ms, _IDLE_MS))

    def _wish(self, wish: Want) -> None:
        self._link.publish(wish, False, 0, self._ticks)

    def _on_link(self, event: "links.Event", ticks_ms: int) -> None:
        if event[0] == UP:
            self._board.log("connected")
            self._status_due = True
        elif event[0] == ARRIVED:
            _, kind, payload, retained = event
            try:
                message = codec.decode(kind, payload)  # type: ignore[arg-type]  # an ARRIVED event's fields
                self._on_message(message, bool(retained), ticks_ms)
            except ProtocolError as error:
                self._refused += 1
                self._board.log("refused: %s" % error)

    def _on_message(self, message: "Message", retained: bool, ticks_ms: int) -> None:
        if isinstance(message, Ack):
            if self._journal.acknowledge(message) == journals.DROPPED:
                self._store.save(self._journal)
        elif isinstance(message, (UpdateOffered, UpdateWithdrawn, Piece)):
            self._updater.take(message, retained, ticks_ms)
        elif isinstance(message, Command) and not retained:
            self._board.log("command %s: %s" % (message.id, message.do))
            self._restart_asked = message.do == "restart"
            if message.do == "report":
                self._status_due = True
                self._link.publish(self._health(), False, 0, ticks_ms)

    def _status(self, state: str) -> PadStatus:
        return PadStatus(
            state=state,
            phase="dark",
            call=None,
            journal=self._journal.id,
            boot=self._journal.boot,
            firmware=VERSION,
            reset=self._board.RESET,
            during=self._board.DURING,
            lamps="unverified",
            buttons="unverified",
            storage=self._store.condition,
            update=self._updater.state,
            mode="safe",
            board=self._board.NAME,
        )

    def _health(self) -> Health:
        used_bytes, free_bytes = self._board.heap()
        return Health(
            uptime_s=self._lasted_ms // 1000,
            heap_used_bytes=used_bytes,
            heap_free_bytes=free_bytes,
            signal_dbm=self._board.signal_dbm(),
            stall_max_ms=0,
            outbox=self._journal.depth,
            votes=0,
            repeats=0,
            no_call=0,
            late=0,
            reconnects=max(0, self._link.connects - 1),
            refused_messages=self._refused,
        )
