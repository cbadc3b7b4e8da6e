"""What the collector makes of a pad's votes, in twenty lines that run under MicroPython.

tests/unit/test_model_collector.py holds it against collector/join.py. It knows one desk and no calls.
"""

TAKEN, KNOWN, REPEAT, REUSED_NUMBER = "taken", "known", "repeat", "reused_number"


class Collector:
    def __init__(self):
        self.votes = {}  # by call
        self._numbers = {}  # by journal and number

    def copy(self):
        other = Collector()
        other.votes, other._numbers = dict(self.votes), dict(self._numbers)
        return other

    def take(self, vote):
        """The disposition of ``vote``; it is recorded if that is TAKEN."""
        numbered = self._numbers.get((vote.journal, vote.seq))
        first = self.votes.get(vote.call)
        if numbered is not None:
            return KNOWN if (numbered.call, numbered.rating) == (vote.call, vote.rating) else REUSED_NUMBER
        if first is not None:
            same = (vote.rating, vote.after_ms, vote.boot) == (first.rating, first.after_ms, first.boot)
            return KNOWN if same and vote.journal != first.journal else REPEAT
        self.votes[vote.call] = self._numbers[vote.journal, vote.seq] = vote
        return TAKEN
