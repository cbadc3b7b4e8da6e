"""How past calls are told: payloads that the codec and its mirror accept, numbered as one feed and one pad would."""

import itertools
from datetime import date, timedelta

import pytest
from pydantic import ValidationError

from collector.feed.steps import call_id
from collector.store import Arrival
from protocol import codec, topics
from protocol.messages import QueueEvent, Vote
from schemas.wire import MODELS
from sim.city import CITY
from sim.history import Telling
from sim.year import PastCall, calls_of_day

FIRST = date(2026, 3, 26)
DAYS = [FIRST + timedelta(days=number) for number in range(5)]


def told(days: list[date]) -> tuple[list[PastCall], list[Arrival]]:
    telling = Telling(CITY, first_day=days[0], seed=7)
    calls, arrivals = [], []
    for day in days:
        of_day = calls_of_day(CITY, day, seed=7, calls=60_000, progress=0.5)
        calls += of_day
        arrivals += telling.arrivals(day, of_day)
    return calls, arrivals


@pytest.fixture(scope="module")
def year() -> tuple[list[PastCall], list[Arrival]]:
    return told(DAYS)


def decoded(arrivals: list[Arrival]) -> list[tuple[Arrival, QueueEvent | Vote]]:
    messages = []
    for arrival in arrivals:
        message = codec.decode(topics.parse(arrival.topic)[2], arrival.payload)
        assert isinstance(message, QueueEvent | Vote)
        messages.append((arrival, message))
    return messages


def test_every_payload_is_what_the_codec_would_have_written(year: tuple[list[PastCall], list[Arrival]]) -> None:
    for arrival, message in decoded(year[1]):
        assert arrival.payload == codec.encode(message)


def test_every_payload_satisfies_the_mirror_of_the_wire(year: tuple[list[PastCall], list[Arrival]]) -> None:
    for arrival in year[1]:
        for model in MODELS[topics.parse(arrival.topic)[2]]:
            try:
                model.model_validate_json(arrival.payload)
            except ValidationError as error:
                pytest.fail(f"{arrival.payload!r}: {error}")


def test_every_call_is_told_once_opened_once_ended_and_its_vote_once(
    year: tuple[list[PastCall], list[Arrival]],
) -> None:
    calls, arrivals = year
    events = [message for _, message in decoded(arrivals) if isinstance(message, QueueEvent)]
    votes = {message.call: message for _, message in decoded(arrivals) if isinstance(message, Vote)}
    ids = {call_id(call.branch, call.desk, call.ticket, call.called_ms): call for call in calls}
    assert len(ids) == len(calls)
    assert sorted(str(event.call) for event in events if event.type == "called") == sorted(ids)
    endings = {event.call: event.reason or event.type for event in events if event.type != "called"}
    assert endings == {name: call.outcome for name, call in ids.items()}
    assert {name: vote.rating for name, vote in votes.items()} == {n: c.rating for n, c in ids.items() if c.rating}


def test_numbers_rise_by_one_in_each_journal_and_arrivals_come_in_order_of_time(
    year: tuple[list[PastCall], list[Arrival]],
) -> None:
    last: dict[tuple[str, str], int] = {}
    for arrival, message in decoded(year[1]):
        writer = (arrival.topic, message.journal)
        assert message.seq == last.get(writer, message.seq - 1) + 1
        last[writer] = message.seq
    assert len(last) == len(CITY.branches) + len(CITY.desks)
    for day in DAYS:
        _, arrivals = told([day])
        times = [arrival.received_unix_ms for arrival in arrivals]
        assert all(earlier <= later + 60 for earlier, later in itertools.pairwise(times))


def test_a_later_run_numbers_its_events_higher_than_an_earlier_one() -> None:
    def numbers(day: date) -> list[int]:
        return [message.seq for _, message in decoded(told([day])[1]) if isinstance(message, QueueEvent)]

    assert max(numbers(DAYS[0])) < min(numbers(DAYS[1]))


def test_boots_of_a_pad_only_rise() -> None:
    telling = Telling(CITY, first_day=FIRST, seed=7)
    boots = []
    for day in (FIRST, FIRST + timedelta(days=40)):
        arrivals = telling.arrivals(day, calls_of_day(CITY, day, seed=7, calls=30_000, progress=0))
        boots.append({message.boot for _, message in decoded(arrivals) if isinstance(message, Vote)})
    assert boots == [{1}, {2}]
