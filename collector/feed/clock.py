"""How a queue system's clock goes against ours, so that a clock set back does not stop its desks. Pure.

A desk believes nothing that is older than what it knows (calls.py, rule 4). If a queue's clock is set back by ten
minutes, everything it says would be old for ten minutes. What tells a clock from a delay is constancy: late events of a
delayed line catch up, those of a clock that was set back stay late by the same amount. So when EVENTS summonses over at
least OVER_MS have been late by the same amount, give or take SLACK_MS, the amount is added to what that clock says,
until something comes that would then lie ahead of us: the clock was put right. A clock that is ahead needs none of
this: what claims to lie ahead is dated on arrival (intake.py).
"""

from dataclasses import dataclass, replace

EVENTS, OVER_MS, SLACK_MS = 3, 20_000, 5_000


@dataclass(frozen=True, slots=True)
class Clock:
    """What is known of one branch's queue clock.

    ``base_ms``: our clock at arrival less the queue's at the event, of the most punctual event: the difference of the
    clocks and the shortest delay together; below zero if the queue's is ahead. ``behind_ms``: by how much it was set
    back since. The rest is the run of summonses that are late alike.
    """

    base_ms: int
    behind_ms: int = 0
    run: int = 0
    run_least_ms: int = 0
    run_most_ms: int = 0
    run_since_unix_ms: int = 0

    @property
    def offset_ms(self) -> int:
        """How much the queue's clock is behind ours, as far as we know; below zero if it is ahead."""
        return self.base_ms + self.behind_ms

    def corrected(self, occurred_unix_ms: int) -> int:
        return occurred_unix_ms + self.behind_ms


def heard(clock: Clock | None, occurred_unix_ms: int, received_unix_ms: int) -> Clock:
    """What is known after one summons."""
    late_ms = received_unix_ms - occurred_unix_ms
    if clock is None:
        return Clock(late_ms)
    punctual_ms = max(clock.base_ms, 0)
    if late_ms < clock.behind_ms + punctual_ms - SLACK_MS:
        behind_ms = late_ms - punctual_ms
        return Clock(min(clock.base_ms, late_ms), behind_ms if behind_ms > SLACK_MS else 0)
    base_ms = clock.base_ms if clock.behind_ms else min(clock.base_ms, late_ms)
    if late_ms <= clock.behind_ms + punctual_ms + SLACK_MS:
        return Clock(base_ms, clock.behind_ms)
    return _late(replace(clock, base_ms=base_ms), late_ms, received_unix_ms)


def _late(clock: Clock, late_ms: int, received_unix_ms: int) -> Clock:
    least_ms, most_ms = min(clock.run_least_ms, late_ms), max(clock.run_most_ms, late_ms)
    if clock.run == 0 or most_ms - least_ms > SLACK_MS:
        return replace(clock, run=1, run_least_ms=late_ms, run_most_ms=late_ms, run_since_unix_ms=received_unix_ms)
    if clock.run + 1 >= EVENTS and received_unix_ms - clock.run_since_unix_ms >= OVER_MS:
        return Clock(clock.base_ms, least_ms - max(clock.base_ms, 0))
    return replace(clock, run=clock.run + 1, run_least_ms=least_ms, run_most_ms=most_ms)
