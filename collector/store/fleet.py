"""``Store.fleet``: faults, commands, registration and roll-outs, for the api, the command line and the fleet service.

    api, command line                            fleet service (python -m collector.fleet)
    faults(), unavailable(), report(), close()   record(), announce(), notices(), told(), put_off()
    ask(), commands()                            waiting(), sent(), ended()
    register_pad(), retire_pad(), credentials()  credentials()
    start_rollout(), wish(), rollouts(), pads_of()   save_rollout(), save_pads()

Nobody here speaks MQTT: what is asked lies in the database until the service, a second later, carries it out.
Every method is one transaction and raises as Store's do.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from sqlalchemy import Connection, Engine

from collector.errors import Declined, NotThere, OutOfTurn, StoreError
from collector.store import faults, requests, rollouts
from collector.store.engine import reading, worth_repeating, writing
from collector.store.faults import Change, Closed, Fault, Flagged, Notice, Opened, Unflagged
from collector.store.ledger import Ledger, Mark
from collector.store.requests import Credential, PadCommand
from collector.store.rollouts import Rollout, RolloutPad

DARK, REPORTED = "dark", "reported"
# So often a collector may stand in the way of one change before that counts as a fault.
ATTEMPTS = 5
_WISHES = {"pause": rollouts.PAUSED, "resume": rollouts.RUNNING, "stop": rollouts.STOPPED, "undo": rollouts.UNDONE}


class Fleet:
    """Made by Store only."""

    def __init__(self, engine: Engine, ledger: Ledger):
        self._engine = engine
        self._ledger = ledger

    # ---- faults
    def faults(
        self,
        *,
        fault: int | None = None,
        is_open: bool | None = None,
        desk: str | None = None,
        since_unix_ms: int = 0,
        limit: int = 500,
    ) -> list[Fault]:
        """The newest first; closed ones only if they closed at ``since_unix_ms`` or later. All filters must fit."""
        with reading(self._engine) as connection:
            return faults.faults(
                connection, fault=fault, is_open=is_open, at_desk=desk, since=since_unix_ms, limit=limit
            )

    def unavailable(self, since_unix_ms: int = 0) -> list[tuple[str, str, int, str]]:
        """(call, desk, since, why) of calls at which no pad was lit; why is "dark" or "reported" (order P3.4)."""
        with reading(self._engine) as connection:
            return faults.unavailable(connection, since_unix_ms)

    def report(self, desk: str, by: str, detail: str = "") -> int | None:
        """The operator says that the lights are absent (order P3.3): a fault, told at once, and the open call flagged.

        Returns the fault's id, None if it was reported already. Raises NotThere for an unknown desk.
        """
        now = _now_unix_ms()
        with writing(self._engine) as connection:
            faults.require_desk(connection, desk)
            call = faults.open_call(connection, desk)
            made = faults.open_fault(connection, desk, REPORTED, call_id=call, detail=detail, by=by, now=now)
            if call is not None:
                self._ledger.mark(connection, [Mark(call, desk, REPORTED, True)], now)
        return made

    def close(self, fault: int, by: str) -> bool:
        """IT says that it is mended; False if it is closed already. What is still wrong opens again by itself."""
        with writing(self._engine) as connection:
            return faults.close_fault(connection, fault, by, _now_unix_ms())

    def record(self, changes: Sequence[Change]) -> None:
        """What the service has found, in order and in one transaction; what is so already changes nothing."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with writing(self._engine) as connection:
                    self._record(connection, changes)
                return
            except StoreError as error:
                if attempt == ATTEMPTS or not worth_repeating(error.__cause__):
                    raise

    def _record(self, connection: Connection, changes: Sequence[Change]) -> None:
        now = _now_unix_ms()
        marks = [
            Mark(each.call, each.desk, DARK, isinstance(each, Flagged))
            for each in changes
            if isinstance(each, Flagged | Unflagged)
        ]
        if marks:
            self._ledger.mark(connection, marks, now)
        for each in changes:
            if isinstance(each, Opened):
                faults.open_fault(
                    connection, each.desk, each.kind, call_id=each.call, detail=each.detail, by=None, now=now
                )
            elif isinstance(each, Closed):
                faults.close_open(connection, each.desk, each.kind, now)

    def announce(self, recipients: Callable[[Fault], Iterable[str]]) -> int:
        """Makes the notices of everything that opened or closed and was not announced; how many there are now."""
        with writing(self._engine) as connection:
            return faults.announce(connection, recipients, _now_unix_ms())

    def notices(self) -> list[Notice]:
        """What is still to be told to whom, oldest first."""
        with reading(self._engine) as connection:
            return faults.notices(connection)

    def told(self, done: Sequence[Notice]) -> None:
        with writing(self._engine) as connection:
            faults.told(connection, done, _now_unix_ms())

    def put_off(self, recipient: str, due_unix_ms: int) -> None:
        """Nothing is told to ``recipient`` before that moment."""
        with writing(self._engine) as connection:
            faults.put_off(connection, recipient, due_unix_ms)

    # ---- commands
    def ask(self, desk: str, do: str, by: str, settings: dict[str, int] | None = None) -> str:
        """Asks a pad to identify, restart, report, test, or (with ``settings``, as protocol's Settings) to change them.

        Returns the command's id; ``commands`` tells what came of it. Raises Declined for what no pad understands.
        """
        with writing(self._engine) as connection:
            return requests.ask(connection, desk, do, settings, by, _now_unix_ms())

    def commands(self, desk: str | None = None, limit: int = 100) -> list[PadCommand]:
        """The newest first, of one desk or of all."""
        with reading(self._engine) as connection:
            return requests.commands(connection, desk=desk, under_way=False, limit=limit)

    def waiting(self) -> list[PadCommand]:
        """Commands of which nothing has come yet, the newest first."""
        with reading(self._engine) as connection:
            return requests.commands(connection, desk=None, under_way=True, limit=10_000)

    def sent(self, command: str) -> None:
        with writing(self._engine) as connection:
            requests.sent(connection, command, _now_unix_ms())

    def ended(self, command: str, outcome: str) -> None:
        """``outcome`` is one of requests.OUTCOMES."""
        with writing(self._engine) as connection:
            requests.ended(connection, command, outcome, _now_unix_ms())

    def forget_commands(self, before_unix_ms: int) -> None:
        """Those that ended before that moment."""
        with writing(self._engine) as connection:
            requests.forget_commands(connection, before_unix_ms)

    # ---- registration
    def register_pad(self, desk: str, *, verifier: str, hardware: str, board: str, firmware: str, by: str) -> None:
        """This device is the pad of ``desk`` from now on; the one before is let in no more once the broker knows.

        Args:
            verifier: Mosquitto's line for the password, "$7$...": the password itself is nowhere on the server.
            hardware: the chip's own id.
        """
        new = Credential(desk, verifier, hardware, board, firmware, by, _now_unix_ms(), None)
        with writing(self._engine) as connection:
            requests.register_pad(connection, new)

    def retire_pad(self, desk: str) -> bool:
        """There is no pad at ``desk`` any more; False if none was registered."""
        with writing(self._engine) as connection:
            return requests.retire_pad(connection, desk, _now_unix_ms())

    def credentials(self, with_replaced: bool = False) -> list[Credential]:
        """Which device stands at which desk; also those that stood there before, if asked for."""
        with reading(self._engine) as connection:
            return requests.credentials(connection, with_replaced=with_replaced)

    # ---- roll-outs
    def start_rollout(
        self, version: str, by: str, *, stages: Sequence[str] = ("1", "10%", "100%"), soak_s: int = 600,
        limit_s: int = 900, allowed: int = 0,
    ) -> int:  # fmt: skip
        """The id of a roll-out that the service begins within a second; it plans which pads are in which stage.

        Args:
            stages: each a number of pads or a share of all ("10%"), growing.
            soak_s: how long a whole stage must be well before the next begins.
            limit_s: how long a pad may take from changing over to being back.
            allowed: failures that do not stop it yet.

        Raises Declined for stages that do not grow, OutOfTurn while another roll-out is running or paused.
        """
        _check(stages)
        new = Rollout(0, version, tuple(stages), 0, rollouts.RUNNING, soak_s, limit_s, allowed, "", by, 0, None, None)
        with writing(self._engine) as connection:
            return rollouts.begin(connection, replace(new, started_unix_ms=_now_unix_ms()))

    def rollouts(self, limit: int = 20) -> list[Rollout]:
        """The newest first."""
        with reading(self._engine) as connection:
            return rollouts.read(connection, limit)

    def pads_of(self, rollout: int) -> list[RolloutPad]:
        """By stage and desk; empty until the service has planned it."""
        with reading(self._engine) as connection:
            return rollouts.pads(connection, rollout)

    def wish(self, wish: str, by: str) -> Rollout:
        """pause | resume | stop | undo the newest roll-out. Raises NotThere or OutOfTurn if that cannot be.

        stop: no further pad is offered the version, and open offers are withdrawn. undo: that, and every pad that runs
        it is offered what it ran before.
        """
        if wish not in _WISHES:
            raise Declined(f"a roll-out is told to {', '.join(_WISHES)}; not to {wish!r}")
        with writing(self._engine) as connection:
            newest = rollouts.read(connection, 1)
            if not newest:
                raise NotThere("there has been no roll-out yet")
            old = newest[0]
            state = _WISHES[wish]
            is_over = old.state not in (rollouts.RUNNING, rollouts.PAUSED)
            if old.state == rollouts.UNDONE or (is_over and wish != "undo"):
                raise OutOfTurn(f"the roll-out of {old.version} is {old.state}: there is nothing to {wish}")
            ended = _now_unix_ms() if state in (rollouts.STOPPED, rollouts.UNDONE) else None
            new = replace(old, state=state, reason=f"{wish}, asked by {by}", ended_unix_ms=ended)
            rollouts.save(connection, new)
            return new

    def save_rollout(self, rollout: Rollout, changed: Iterable[RolloutPad] = ()) -> bool:
        """Keeps how it stands, unless somebody has wished something else of it meanwhile: False then."""
        with writing(self._engine) as connection:
            return _save(connection, rollout, changed)


def _save(connection: Connection, rollout: Rollout, changed: Iterable[RolloutPad]) -> bool:
    stored = next((each for each in rollouts.read(connection, 1) if each.id == rollout.id), None)
    rollouts.save_pads(connection, rollout.id, changed)
    over = (rollouts.DONE, rollouts.STOPPED)
    if stored is None or (stored.state != rollout.state and rollout.state not in over):
        return False
    if stored.state not in (rollouts.RUNNING, rollouts.PAUSED):
        return False
    rollouts.save(connection, rollout)
    return True


def _check(stages: Sequence[str]) -> None:
    sizes = []
    for stage in stages:
        number = stage.removesuffix("%")
        if not (number.isascii() and number.isdecimal()) or not 0 < int(number) <= (100 if "%" in stage else 100_000):
            raise Declined(f"a stage is a number of pads or a share of all, like 1 or 10%; not {stage!r}")
        sizes.append(("%" in stage, int(number)))
    if not sizes or sizes != sorted(set(sizes)) or len(",".join(stages)) > 80:
        raise Declined("the stages must grow, numbers of pads before shares: 1,10%,100%")


def _now_unix_ms() -> int:
    return time.time_ns() // 1_000_000
