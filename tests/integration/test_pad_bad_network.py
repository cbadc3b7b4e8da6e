"""Real pads (MicroPython, TLS, credentials) at a real Mosquitto through a bad network: every vote counts once."""

import random
import signal
import time
from collections.abc import Callable

import pytest

from sim.bad_network import BadNetwork
from tests.integration.office import Office, OfficeBroker
from tests.integration.office_pads import KEEPALIVE_S, LAMPS, vote, works_on
from tests.integration.pad_process import ALL, BAD, DARK, EXEMPLARY, GOOD, PadProcess
from tests.starved import Stopwatch


def test_a_pad_signs_in_through_tls_with_its_password_and_under_the_access_list(
    pad: PadProcess, office: Office, network: BadNetwork
) -> None:
    office.wait_for_status(state="online")
    works_on(pad, office, network, vote(pad, office, 3))


def test_a_slow_and_narrow_network_delays_votes_and_loses_none(
    pad: PadProcess, office: Office, network: BadNetwork
) -> None:
    network.delay_s, network.bytes_per_s = 0.2, 4000
    given: dict[str, int] = {}
    for rating in (1, 2, 3):
        given |= vote(pad, office, rating)
    network.cut()
    given |= vote(pad, office, 2)
    works_on(pad, office, network, given)


@pytest.mark.parametrize("reset", [True, False], ids=["reset", "closed"])
def test_connections_cut_at_any_moment_lose_and_double_nothing(
    pad: PadProcess, office: Office, network: BadNetwork, reset: bool
) -> None:
    random_ = random.Random(7)
    given: dict[str, int] = {}
    for number in range(9):
        call = office.open_call()
        pad.wait_for_lamps(ALL)
        if number % 3 == 0:
            network.cut(reset=reset)
        pad.press(1 + number % 3)
        time.sleep(random_.uniform(0, 0.02))  # the moment of the cut is what is varied
        if number % 3:
            network.cut(reset=reset)
        pad.wait_for_lamps(LAMPS[1 + number % 3])
        given[call] = 1 + number % 3
    assert network.opened > 5
    works_on(pad, office, network, given)


def test_a_half_open_connection_is_found_within_the_keepalive(
    pad: PadProcess, office: Office, network: BadNetwork, broker: OfficeBroker
) -> None:
    given = vote(pad, office, 1)
    call = office.open_call()
    pad.wait_for_lamps(ALL)
    watch = Stopwatch(pad.pid, broker.pid)
    network.swallow()
    pad.press(2)
    pad.wait_for_lamps(GOOD)
    pad.wait_for_log("no answer to PINGREQ")
    assert watch.took_s() < KEEPALIVE_S + 2
    network.heal()
    works_on(pad, office, network, given | {call: 2})


def test_a_network_that_takes_connections_and_never_answers_is_left_again_and_again(
    make_pad: Callable[..., PadProcess], office: Office, network: BadNetwork
) -> None:
    network.answers = False
    pad = make_pad().start()
    pad.wait_for_log("no answer to CONNECT")
    network.answers = True
    pad.wait_for_log("# connected")
    works_on(pad, office, network, vote(pad, office, 2))


def test_a_network_that_refuses_connections_is_tried_again(
    pad: PadProcess, office: Office, network: BadNetwork
) -> None:
    call = office.open_call()
    pad.wait_for_lamps(ALL)
    network.accepts = False
    network.cut()
    pad.press(1)
    pad.wait_for_lamps(BAD)
    network.wait_for_connections(network.opened + 3)
    network.accepts = True
    works_on(pad, office, network, {call: 1})


def test_a_connection_of_yesterday_arriving_late_does_not_leave_the_pad_offline(
    pad: PadProcess, office: Office, network: BadNetwork
) -> None:
    """The pad gave the attempt up; then its bytes reach the broker, which throws the newer connection out for it."""
    given = vote(pad, office, 1)
    network.hold_back()
    network.cut()
    network.wait_for_connections(3)  # one attempt was held back whole, and given up
    network.let_go()
    given |= vote(pad, office, 3)
    works_on(pad, office, network, given)
    assert office.statuses[-1].state == "online"


def test_a_broker_frozen_and_woken_gets_every_vote_once(
    pad: PadProcess, office: Office, network: BadNetwork, broker: OfficeBroker
) -> None:
    given = vote(pad, office, 2)
    call = office.open_call()
    pad.wait_for_lamps(ALL)
    broker.signal(signal.SIGSTOP)
    try:
        pad.press(3)
        pad.wait_for_lamps(EXEMPLARY)
        pad.wait_for_log("no answer to PINGREQ")
    finally:
        broker.signal(signal.SIGCONT)
    given[call] = 3
    given |= vote(pad, office, 1)
    works_on(pad, office, network, given)


def test_a_broker_restarted_or_wiped_gets_every_vote_once(
    pad: PadProcess, office: Office, network: BadNetwork, broker: OfficeBroker
) -> None:
    given = vote(pad, office, 2)
    for end in (broker.stop, broker.wipe):
        call = office.open_call()
        pad.wait_for_lamps(ALL)
        end()
        pad.press(1)
        pad.wait_for_lamps(BAD)
        broker.start()
        given[call] = 1
        office.check(given)
    pad.has_shown(DARK, ALL, GOOD, ALL, BAD, ALL, BAD)  # nothing retained, yet the lamp stays lit
    given |= vote(pad, office, 3)
    works_on(pad, office, network, given)


def test_a_collector_that_is_away_gets_every_vote_when_it_is_back(
    pad: PadProcess, office: Office, network: BadNetwork
) -> None:
    office.acknowledges = False
    given = vote(pad, office, 1) | vote(pad, office, 2)
    office.wait_for(lambda: office.copies >= 1, "a second copy")
    network.cut()
    office.acknowledges = True
    works_on(pad, office, network, given)


def test_refused_credentials_are_tried_again_until_they_are_right(
    make_pad: Callable[..., PadProcess], office: Office, network: BadNetwork
) -> None:
    pad = make_pad(password="wrong").start()
    pad.wait_for_log("refused with code 5", times=2)
    pad.kill()
    pad = make_pad().start()
    pad.wait_for_log("# connected")
    works_on(pad, office, network, vote(pad, office, 2))


def test_a_pad_whose_password_is_revoked_keeps_its_votes_until_it_is_let_in_again(
    pad: PadProcess, office: Office, network: BadNetwork, broker: OfficeBroker
) -> None:
    call = office.open_call()
    pad.wait_for_lamps(ALL)
    passwords = broker.passwords.read_text()
    broker.passwords.write_text("\n".join(line for line in passwords.splitlines() if not line.startswith("desk-1:")))
    broker.reload()
    network.cut()
    pad.wait_for_log("refused with code 5")
    pad.press(3)
    pad.wait_for_lamps(EXEMPLARY)
    broker.passwords.write_text(passwords)
    broker.reload()
    works_on(pad, office, network, {call: 3})
