"""The small collector of the power cut sweep decides as the real one does."""

from hypothesis import given
from hypothesis import strategies as st

from collector import join
from collector.model import TAKEN, WAITING, VoteRow
from protocol.messages import Vote
from tests.portable.model_collector import Collector

votes = st.builds(
    Vote,
    call=st.sampled_from(("0000000000000001", "0000000000000002", "0000000000000003")),
    rating=st.sampled_from((1, 2)),
    after_ms=st.sampled_from((10, 20)),
    journal=st.sampled_from(("aaaaaaaa", "bbbbbbbb")),
    boot=st.sampled_from((1, 2)),
    seq=st.integers(1, 3),
)


@given(st.lists(votes, max_size=12))
def test_the_model_gives_every_vote_the_disposition_of_the_real_rules(sent: list[Vote]) -> None:
    model = Collector()
    by_call: dict[str, VoteRow] = {}
    by_number: dict[tuple[str, int], VoteRow] = {}
    for vote in sent:
        row = VoteRow(vote.call, "desk-1", vote.rating, vote.after_ms, vote.journal, vote.boot, vote.seq, 0)
        verdict = join.judge(row, None, by_call.get(vote.call), by_number.get((vote.journal, vote.seq)))
        if verdict == WAITING:
            by_call[vote.call] = by_number[vote.journal, vote.seq] = row
            verdict = TAKEN
        assert model.take(vote) == verdict
    assert {call: vote.rating for call, vote in model.votes.items()} == {c: row.rating for c, row in by_call.items()}
