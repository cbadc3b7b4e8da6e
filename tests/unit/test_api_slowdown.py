"""Failed tokens are slowed by address, with a clock of the test's own."""

from api.slowdown import ADDRESSES, BURST, REFILL_S, Slowdown


class Clock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def test_a_burst_of_failures_is_free_and_the_next_one_waits() -> None:
    slowdown = Slowdown(Clock())
    for _ in range(BURST):
        assert slowdown.wait_s("10.0.0.1") == 0
        slowdown.failed("10.0.0.1")
    assert slowdown.wait_s("10.0.0.1") == REFILL_S


def test_another_address_is_not_made_to_wait() -> None:
    slowdown = Slowdown(Clock())
    for _ in range(BURST + 5):
        slowdown.failed("10.0.0.1")
    assert slowdown.wait_s("10.0.0.2") == 0


def test_after_the_wait_that_was_named_one_attempt_is_free() -> None:
    clock = Clock()
    slowdown = Slowdown(clock)
    for _ in range(BURST + 3):
        slowdown.failed("10.0.0.1")
    clock.now_s += slowdown.wait_s("10.0.0.1")
    assert slowdown.wait_s("10.0.0.1") == 0
    slowdown.failed("10.0.0.1")
    assert slowdown.wait_s("10.0.0.1") > 0


def test_forged_addresses_do_not_fill_the_memory() -> None:
    slowdown = Slowdown(Clock())
    for n in range(ADDRESSES + 50):
        slowdown.failed(str(n))
    assert len(slowdown._spent) == ADDRESSES
