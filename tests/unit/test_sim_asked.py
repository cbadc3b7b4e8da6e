"""The demonstration's requests: entered once, through the rules, with some that wait and one that is late."""

import time
from pathlib import Path

from api.disclosure.desk import the_cases
from collector.store import Store, Token
from sim import asked
from tests.contract.api_office import REGISTER


def test_they_are_entered_once_and_one_of_them_is_overdue(tmp_path: Path) -> None:
    now = time.time_ns() // 1_000_000
    with Store.open(f"sqlite:///{tmp_path / 'demo.db'}") as store:
        store.load_register(REGISTER)
        made = asked.lay_down(store, now)
        assert asked.lay_down(store, now) == 0
        cases = the_cases(store, Token(0, "demo", frozenset({"disclose"}), 0, None, None), now)
        assert len(cases) == made
        assert {each.state for each in cases} == {"open", "answered"}
        assert sum(each.is_overdue(now) for each in cases) == 1 and cases[0].is_overdue(now)
