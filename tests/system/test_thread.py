"""The order's behaviour through every real part: webhook, broker, MicroPython pad, collector, database, api."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.system.centre import ALL, NONE, ONE, Centre

_tickets = count(1)


@pytest.fixture(scope="module")
def centre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Centre]:
    with Centre(tmp_path_factory.mktemp("centre"), desks=8) as running:
        yield running


@pytest.fixture
def desk(centre: Centre, request: pytest.FixtureRequest) -> str:
    """A desk that no other test of this module uses."""
    free = centre.__dict__.setdefault("free_desks", [each.id for each in centre.city.desks])
    return str(free.pop())


def ticket() -> str:
    return f"A{next(_tickets)}"


def test_a_called_client_presses_and_the_figure_moves(centre: Centre, desk: str) -> None:
    """Order P2.4-P2.8: active only after the call, first press wins, locked till the next call, saved by itself."""
    centre.shows(desk, NONE)
    centre.press(desk, 1)  # nobody was called: counts nowhere
    centre.queue("called", desk, first := ticket(), operator="op-01", service="passport")
    centre.shows(desk, ALL)
    centre.press(desk, 3)
    centre.shows(desk, ONE[3])
    centre.press(desk, 1)  # a second press does nothing
    centre.comes_to(desk, 1, 1, 0, 0, 1)
    assert centre.lamps(desk) == ONE[3]
    centre.queue("finished", desk, first)
    centre.shows(desk, NONE)
    centre.press(desk, 1)
    centre.queue("called", desk, ticket())
    centre.shows(desk, ALL)
    centre.comes_to(desk, 2, 2, 0, 0, 1)


def test_a_recall_of_the_same_client_changes_nothing(centre: Centre, desk: str) -> None:
    centre.queue("called", desk, first := ticket())
    centre.shows(desk, ALL)
    centre.press(desk, 2)
    centre.shows(desk, ONE[2])
    centre.queue("called", desk, first)
    centre.queue("recalled", desk, first)
    centre.press(desk, 3)
    centre.comes_to(desk, 1, 1, 0, 1, 0)
    assert centre.lamps(desk) == ONE[2]


def test_the_next_client_without_a_finish_closes_the_call_before(centre: Centre, desk: str) -> None:
    centre.queue("called", desk, ticket())
    centre.shows(desk, ALL)
    centre.press(desk, 1)
    centre.shows(desk, ONE[1])
    centre.queue("called", desk, ticket())
    centre.shows(desk, ALL)
    centre.press(desk, 3)
    centre.shows(desk, ONE[3])
    centre.comes_to(desk, 2, 2, 1, 0, 1)


def test_a_transfer_is_a_new_call_at_the_other_desk(centre: Centre, desk: str) -> None:
    other = next(each.id for each in centre.city.desks if each.branch == centre.city.desks[0].branch)
    centre.__dict__["free_desks"].remove(other)
    centre.queue("called", desk, first := ticket())
    centre.shows(desk, ALL)
    centre.queue("transferred", desk, first)
    centre.shows(desk, NONE)
    centre.queue("called", other, first)
    centre.shows(other, ALL)
    centre.press(other, 3)
    centre.comes_to(other, 1, 1, 0, 0, 1)
    centre.comes_to(desk, 1, 0, 0, 0, 0)


def test_a_pad_killed_after_the_lamp_shows_the_same_lamp_and_loses_nothing(centre: Centre, desk: str) -> None:
    centre.queue("called", desk, ticket())
    centre.shows(desk, ALL)
    centre.press(desk, 2)
    centre.shows(desk, ONE[2])
    centre.says(desk, "voted")
    centre.stack.pads.kill(desk)  # kill -9
    centre.run(centre.stack.pads.restart(desk))
    centre.shows(desk, ONE[2])
    centre.press(desk, 1)
    centre.comes_to(desk, 1, 1, 0, 1, 0)
    assert centre.lamps(desk) == ONE[2]


def test_pads_and_their_state_are_seen_through_the_api(centre: Centre, desk: str) -> None:
    centre.says(desk, "dark")
    centre.queue("called", desk, ticket())
    centre.says(desk, "armed")
    centre.press(desk, 3)
    centre.says(desk, "voted")


def test_no_secret_stands_in_a_command_line_or_a_log(centre: Centre, desk: str) -> None:
    secrets = [centre.token, centre.webhook_token, *centre.stack._secrets.passwords.values()]
    said = [path.read_text(errors="replace") for path in centre.place.logs.glob("*")]
    for pid in [child.process.pid for child in centre.stack.children.values() if child.process]:
        said.append(Path(f"/proc/{pid}/cmdline").read_text(errors="replace"))
    for pid in centre.stack.pads.pids().values():
        said.append(Path(f"/proc/{pid}/cmdline").read_text(errors="replace"))
    assert len(said) > 10
    assert not [secret[:6] for secret in secrets for text in said if secret in text]
