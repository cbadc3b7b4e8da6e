"""A thousand pads do not come back in one second: the pads' real link.py against a broker that was away."""

import pytest

from tests.reconnect import per_second, simulate


@pytest.mark.parametrize("down_s", [0.2, 2, 60])
def test_a_thousand_pads_come_back_spread_over_seconds_and_all_within_a_minute(down_s: float) -> None:
    back_s = simulate(1000, down_s)
    assert len(back_s) == 1000 and max(back_s) < 60
    assert max(per_second(back_s).values()) <= 300
