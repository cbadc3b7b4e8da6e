"""The pad's loop: carries buttons to the machine, its effects to lamps, flash and network. It decides no vote.

Order in one turn: buttons first, then the network, then what may wait. Two rules hold the finger's patience: a press is
answered in its interrupt (touch.py), and nothing is written to flash while the pad is armed. Whatever ends or begins a
call is preceded by the presses that began before it.

The watchdog is fed after a turn in which the network was looked after, too; what each turn is at is marked, so that
the start after a hang can name it.
"""

import gc

from firmware import VERSION
from firmware.board.courier import Courier
from firmware.board.keeper import Keeper
from firmware.board.link import ARRIVED, DOWN, ONLINE, REFUSED, UP, Link
from firmware.board.panel import Panel
from firmware.board.selftest import SelfTest
from firmware.core import journal as journals
from firmware.core import pad as machine
from firmware.core.wink import Wink
from protocol import codec
from protocol.errors import ProtocolError
from protocol.messages import (
    Ack,
    CallClosed,
    CallOpened,
    Command,
    Health,
    PadStatus,
    Piece,
    Settings,
    UpdateOffered,
    UpdateWithdrawn,
    Want,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.board import link as links
    from firmware.board.config import Config
    from firmware.board.contract import Board
    from firmware.board.store import Store
    from firmware.board.update import Updater
    from protocol.messages import Message

# What run() returns.
STOP, RESTART = "stop", "restart"

_HEALTH_MS = 60000
# Everything that waits for time alone is looked at this often; a press or a packet wakes the loop at once.
_IDLE_MS = 1000
_AFTER_ERROR_MS = 1000


class App:
    def __init__(self, config: "Config", board: "Board", store: "Store", updater: "Updater | None" = None):
        self._board = board
        self._store = store
        self._updater = updater
        self._updated = updater and updater.state
        self._panel = Panel(board)
        self._journal = store.open()
        self._pad = machine.Pad(self._journal, board.ticks_diff)
        self._wink = Wink(board.ticks_diff, config.wink == "on")
        self._link = Link(config, board, self._will)
        self._courier = Courier(self._journal, self._link, board.ticks_diff)
        self._selftest = SelfTest(board)
        self._condition = self._find_condition()
        self._keeper = Keeper(store, board)
        self._will_journal = self._journal.id
        self._status_due = self._restart_asked = False
        self._refused = 0
        self._is_well = False  # buttons and network were both looked after in this turn
        self._stall_max_ms = 0
        self._uptime_ms = 0
        self._ticks = self._health_ticks = self._touch_ticks = board.ticks_ms()

    def run(self) -> str:
        """Works until the board says stop or IT says restart; returns which."""
        self._show(self._pad.lamps)
        self._board.log("pad %s, journal %s, boot %d" % (VERSION, self._journal.id, self._journal.boot))
        while True:
            idle_ms = self._turn()
            if self._is_well:
                self._board.feed_watchdog()
            if self._restart_asked and self._pad.state != machine.ARMED:
                self._save_if_due(self._board.ticks_ms())
                self._link.drop("restart", self._board.ticks_ms())
                return RESTART
            self._board.mark("buttons")
            if not self._board.wait(idle_ms):
                return STOP

    def _turn(self) -> int:
        """One turn of the loop; returns how long the next may be waited for."""
        began_ticks = self._board.ticks_ms()
        self._uptime_ms += self._board.ticks_diff(began_ticks, self._ticks)
        self._ticks = began_ticks
        self._is_well = False
        try:
            self._step(began_ticks)
            idle_ms = self._idle_ms(began_ticks)
        except Exception as error:  # the pad must outlive every surprise; the next turn starts from its state
            gc.collect()  # it may have been a MemoryError
            self._board.log("error: %r" % error)
            self._link.drop("error", began_ticks)
            idle_ms = _AFTER_ERROR_MS
        lasted_ms = self._board.ticks_diff(self._board.ticks_ms(), began_ticks)
        self._stall_max_ms = max(self._stall_max_ms, lasted_ms)
        return idle_ms

    def _step(self, ticks_ms: int) -> None:
        self._take_presses()
        self._board.mark("network")
        armed = self._pad.state == machine.ARMED
        self._board.connector.step(ticks_ms, not armed)
        for event in self._link.step(ticks_ms, armed):
            self._on_link(event, ticks_ms)
        self._is_well = True
        if not self._pad.due_ms(ticks_ms):
            self._take_presses(final=True)
        self._carry_out(self._pad.tick(ticks_ms))
        self._darken_if_lost(ticks_ms)
        self._wink_if_offline(ticks_ms)
        self._save_if_due(ticks_ms)
        if self._will_journal != self._journal.id:
            # The broker holds a last will of the journal before; the collector would not believe it.
            self._will_journal = self._journal.id
            self._link.drop("a new journal needs a new will", ticks_ms)
        if self._pad.state == machine.DARK and self._selftest.is_due(self._uptime_ms):
            self._test(ticks_ms)
        if not self._keeper.holds_back:
            self._courier.step(ticks_ms)
        if self._updater and self._updater.step(
            ticks_ms,
            self._pad.state == machine.DARK,
            self._keeper.is_settled,
            self._link.state == ONLINE,
            self._condition if self._selftest.runs else None,
            self._wish,
        ):
            self._restart_asked = True
        self._publish_status(ticks_ms)
        if self._board.ticks_diff(ticks_ms, self._health_ticks) >= _HEALTH_MS:
            self._publish_health(ticks_ms)

    def _idle_ms(self, ticks_ms: int) -> int:
        idle_ms = self._wink.due_ms(ticks_ms, min(_IDLE_MS, self._pad.due_ms(ticks_ms)))
        if self._updater:
            idle_ms = self._updater.due_ms(ticks_ms, idle_ms)
        return self._link.due_ms(ticks_ms, self._panel.due_ms(ticks_ms, idle_ms))

    def _wish(self, wish: Want) -> None:
        self._link.publish(wish, False, 0, self._ticks)

    def _take_presses(self, final: bool = False) -> int:
        """Lets the machine judge what was pressed; returns the ticks up to which that is everything, if ``final``."""
        ticks_ms = self._board.ticks_ms()
        for buttons, began_ticks in self._panel.presses(final):
            self._carry_out(self._pad.press(buttons, began_ticks))
        self._panel.settle(self._pad.lamps, self._pad.state == machine.ARMED)
        return ticks_ms

    def _show(self, lamps: "machine.Lamps") -> None:
        self._panel.show(lamps, self._pad.state == machine.ARMED)

    def _wink_if_offline(self, ticks_ms: int) -> None:
        means_nothing = self._pad.state == machine.DARK and not self._pad.is_blinking
        if self._wink.step(means_nothing and self._link.state != ONLINE, ticks_ms):
            if self._wink.is_lit:
                self._panel.wink()
            else:
                self._show(self._pad.lamps)

    def _darken_if_lost(self, ticks_ms: int) -> None:
        if self._link.state == ONLINE or self._pad.state != machine.ARMED:
            self._touch_ticks = ticks_ms
        elif self._board.ticks_diff(ticks_ms, self._touch_ticks) >= machine.LOST_MS:
            self._take_presses(final=True)
            self._carry_out(self._pad.out_of_touch(ticks_ms))

    def _carry_out(self, effects: "list[machine.Effect]") -> None:
        for effect, lamps in effects:
            if effect == machine.LAMPS and lamps:
                self._show(lamps)
            elif effect == machine.SAVE:
                self._keeper.vote_taken()
                self._save_if_due(self._ticks)
            else:
                self._status_due = True

    def _save_if_due(self, ticks_ms: int) -> None:
        self._keeper.step(self._journal, self._pad.state == machine.ARMED, ticks_ms)

    def _on_link(self, event: "links.Event", ticks_ms: int) -> None:
        if event[0] == ARRIVED:
            _, kind, payload, retained = event
            try:
                message = codec.decode(kind, payload)  # type: ignore[arg-type]  # an ARRIVED event's fields
                self._on_message(message, bool(retained), ticks_ms)
            except ProtocolError as error:
                self._refuse(str(error))
        elif event[0] == UP:
            self._board.log("connected")
            self._status_due = True
        elif event[0] == DOWN:
            self._board.log("disconnected: %s" % event[1])
        elif event[0] == REFUSED:
            self._refuse("not for this pad, or too large")

    def _on_message(self, message: "Message", retained: bool, ticks_ms: int) -> None:
        if isinstance(message, CallOpened):
            self._selftest.note_call(self._uptime_ms)
            ticks_ms = self._take_presses(final=True)
            now_unix_ms = self._board.now_unix_ms()
            self._carry_out(self._pad.call_opened(message, now_unix_ms, not retained, ticks_ms))
            if self._pad.call != message.call:
                self._board.log("not armed: the call is over, the clock is wrong or the journal is full")
        elif isinstance(message, CallClosed):
            self._carry_out(self._pad.call_closed(self._take_presses(final=True), message.call))
        elif isinstance(message, Ack):
            self._on_ack(message, retained)
        elif isinstance(message, Settings):
            self._panel.settings = message
            self._pad.chosen_s = message.chosen_s
            self._show(self._pad.lamps)
        elif isinstance(message, (UpdateOffered, UpdateWithdrawn, Piece)):
            if self._updater:
                self._updater.take(message, retained, ticks_ms)
        elif isinstance(message, Command) and not retained:
            self._on_command(message, ticks_ms)
        else:
            self._refuse("a retained command: it would be obeyed again at every connection")

    def _on_ack(self, ack: Ack, retained: bool) -> None:
        if not retained:  # it was written just now
            self._board.connector.heard(ack.at_unix_ms)
            self._selftest.note_time(ack.at_unix_ms)
        found = self._journal.acknowledge(ack)
        if found == journals.AHEAD:
            self._board.log("the collector is ahead of this journal: starting a new one")
            self._journal.renew(self._board.random_bytes(4))
            self._status_due = True
        if found != journals.IGNORED:
            self._keeper.acknowledged()

    def _on_command(self, command: Command, ticks_ms: int) -> None:
        self._board.log("command %s: %s" % (command.id, command.do))
        if command.do == "identify":
            self._carry_out(self._pad.identify(ticks_ms))
        elif command.do == "restart":
            self._restart_asked = True
        elif command.do == "test":
            self._selftest.ask()
        else:
            self._status_due = True
            self._publish_health(ticks_ms)

    def _refuse(self, why: str) -> None:
        self._refused += 1
        self._board.log("refused: " + why)

    def _test(self, ticks_ms: int) -> None:
        """The self-test, and then word of it: nobody need ask what came of what was asked for."""
        self._selftest.run(self._uptime_ms, self._show)
        self._board.log("self-test %d: %s" % (self._selftest.runs, " ".join(self._find_condition())))
        self._status_due = True
        self._publish_health(ticks_ms)

    def _find_condition(self) -> "tuple[str, str, str, str, str]":
        """storage, buttons, lamps, memory and clock of PadStatus."""
        found = self._selftest
        storage = "fault" if found.flash_failed else self._store.condition
        if storage == "ok" and self._journal.is_full:
            storage = "full"
        return storage, "stuck" if self._panel.is_stuck() else "ok", found.lamps, found.memory, found.clock

    def _publish_status(self, ticks_ms: int) -> None:
        condition = self._find_condition()
        if condition != self._condition or self._updated != (self._updater and self._updater.state):
            self._condition = condition
            self._updated = self._updater and self._updater.state
            self._status_due = True
        if self._status_due and self._link.publish(self._status(), True, 1, ticks_ms):
            self._status_due = False

    def _status(self) -> PadStatus:
        return self._make_status("online", self._pad.state, self._pad.call)

    def _will(self) -> PadStatus:
        self._will_journal = self._journal.id
        return self._make_status("offline", machine.DARK, None)

    def _make_status(self, state: str, phase: str, call: "str | None") -> PadStatus:
        storage, buttons, lamps, memory, clock = self._condition
        return PadStatus(
            state=state,
            phase=phase,
            call=call,
            journal=self._journal.id,
            boot=self._journal.boot,
            firmware=VERSION,
            reset=self._board.RESET,
            lamps=lamps,
            buttons=buttons,
            storage=storage,
            memory=memory,
            clock=clock,
            during=self._board.DURING,
            update=self._updater.state if self._updater else "none",
            board=self._board.NAME,
        )

    def _publish_health(self, ticks_ms: int) -> None:
        used_bytes, free_bytes = self._board.heap()
        self._selftest.note_free(free_bytes)
        counts = self._pad.counts
        health = Health(
            uptime_s=self._uptime_ms // 1000,
            heap_used_bytes=used_bytes,
            heap_free_bytes=free_bytes,
            signal_dbm=self._board.signal_dbm(),
            stall_max_ms=self._stall_max_ms,
            outbox=self._journal.depth,
            votes=counts[machine.VOTE],
            repeats=counts[machine.REPEAT],
            no_call=counts[machine.NO_CALL],
            late=counts[machine.LATE],
            reconnects=max(0, self._link.connects - 1),
            refused_messages=self._refused,
            flash_free_bytes=self._selftest.flash_free_bytes,
            clock_off_ms=self._selftest.clock_off_ms,
            self_tests=self._selftest.runs,
        )
        self._health_ticks = ticks_ms
        self._link.publish(health, False, 0, ticks_ms)
