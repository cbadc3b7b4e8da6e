"""A branch for tests of the feed's rules: what its pads are told, and what the collector makes of every call."""

from datetime import UTC, datetime, time

from collector import join, rollup
from collector.feed.calls import expire, take
from collector.feed.model import Branch, BranchState, Event, Fact
from collector.feed.steps import desks_changed, on_desk
from collector.model import CallRow
from protocol.messages import CallOpened, QueueEvent

NINE = int(datetime(2026, 11, 23, 9, tzinfo=UTC).timestamp() * 1000)  # 11:00 in Kyiv
SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000
BRANCH = Branch("centre", "Europe/Kyiv", time(20), void_ms=3 * SECOND)


class Desks:
    """A branch: what is said at minutes after nine, each pad's last word, and each call as the collector merges it."""

    def __init__(self, branch: Branch = BRANCH) -> None:
        self.branch = branch
        self.state = BranchState()
        self.rows: dict[str, CallRow] = {}
        self.told = 0
        self._seq = 0

    def say(
        self, kind: str, ticket: str | None = "A1", desk: str | None = "d1", *, at: float, **more: str
    ) -> list[Fact]:
        moment = NINE + round(at * MINUTE)
        return self.hear(Event(f"e{self._seq}", kind, moment, desk, ticket, ticket and "of-" + ticket, **more))

    def hear(self, event: Event) -> list[Fact]:
        step = take(self.branch, self.state, event)
        return self._after(step.state, step.facts)

    def clock(self, at: float) -> list[Fact]:
        step = expire(self.branch, self.state, NINE + round(at * MINUTE))
        return self._after(step.state, step.facts)

    def _after(self, state: BranchState, facts: tuple[Fact, ...]) -> list[Fact]:
        self.told += len(desks_changed(self.state, state))
        self.state = state
        for fact in facts:
            self._seq += 1
            if fact.call is not None:
                event = QueueEvent(
                    journal="0badcafe", seq=self._seq, **{each: getattr(fact, each) for each in Fact.__slots__}
                )
                known = self.rows.get(fact.call)
                self.rows[fact.call] = join.merge(known, event) if known else join.first_word(event, "centre", 20261123)
        return list(facts)

    def pad(self, desk: str = "d1") -> str | None:
        """Whose call the pad is armed for."""
        call = self.state.calls.get(desk)
        return call.ticket_key if call is not None and isinstance(on_desk(call), CallOpened) else None

    def outcomes(self, ticket: str | None = None) -> list[str | None]:
        rows = sorted(self.rows.values(), key=lambda row: row.called_unix_ms)
        return [row.outcome for row in rows if ticket is None or row.ticket == "of-" + ticket]

    def eligible(self, ticket: str) -> int:
        """How often a client counts in the response rate, having given no vote."""
        return sum(rollup.amounts(row, None)[1] for row in self.rows.values() if row.ticket == "of-" + ticket)
