"""Carries the oldest vote to the collector, again and again until it is acknowledged. It never drops one.

One at a time: that makes an Ack cover everything before it (protocol/__init__.py), and a pad's two votes a minute
need no pipeline.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from firmware.board.link import Link
    from firmware.core.journal import Journal

# The collector answers within milliseconds when it is up; when it is down, hurrying would help nobody.
_AGAIN_MS = 5000


class Courier:
    def __init__(self, journal: "Journal", link: "Link", ticks_diff: "Callable[[int, int], int]"):
        self._journal = journal
        self._link = link
        self._ticks_diff = ticks_diff
        self._sent: tuple[str, int, int] | None = None  # journal, seq, connection
        self._sent_ticks = 0
        self._packet_id = 0

    def step(self, ticks_ms: int) -> None:
        """Publishes the oldest vote if it is new, if the connection is, or if the answer is overdue."""
        seq = self._journal.oldest_seq
        if seq is None:
            return
        this = (self._journal.id, seq, self._link.connects)
        if this == self._sent:
            if self._link.is_in_flight(self._packet_id):
                return  # the session repeats it as long as the broker has not confirmed it
            if self._ticks_diff(ticks_ms, self._sent_ticks) < _AGAIN_MS:
                return
        vote = self._journal.oldest()
        packet_id = self._link.publish(vote, False, 1, ticks_ms) if vote else None
        if packet_id:
            self._sent = this
            self._sent_ticks = ticks_ms
            self._packet_id = packet_id
