"""What the benches stand on: were it wrong, their figures would be about something else."""

from collector.store import Store
from tests.bench.filled import Office, fill


def test_a_filled_database_is_whole_and_holds_what_was_asked_for(any_database: str) -> None:
    office = Office(branches=2, desks=3)
    fill(any_database, 700, office)
    with Store.open(any_database) as store:
        assert store.recount() == []
        counts = store.counts()
        assert counts["calls"] == 700 and counts["waiting"] == 0
        assert 0.5 < counts["votes"] / 700 < 0.62
        days = store.rollups("branch", 0, 99991231, branch="branch-002")
        # 240 calls a day in turn at six desks, of which the last three are this branch's.
        assert [(each.day, each.calls) for each in days] == [(20200106, 120), (20200107, 120), (20200108, 109)]
