"""Yesterday's database, yesterday's flash, another pad, counters at their end: what the real collector then counts.

The real journal, the real rules and both databases; the broker is one retained ack.
"""

from collections.abc import Callable, Iterator
from io import BytesIO

import pytest

from collector.model import Answer
from collector.store import Arrival, Branch, Desk, Organisation, Register, Service, Store
from firmware.core.journal import Journal
from protocol import codec, topics
from protocol.messages import Ack, PadStatus, Vote
from tests.integration.collector_process import NOON_UNIX_MS, call_id, event

DESK = "centre-01"
LAST = 4294967295
REGISTER = Register(
    organisation=Organisation(name="Прозорий офіс", name_en="Transparent Office", simulated=True),
    branches=(Branch(id="centre", name="Центр", name_en="Centre"),),
    services=(Service(id="passport", name="Паспорт", name_en="Passport"),),
    desks=(Desk(id=DESK, branch="centre", label="1"),),
)


class Office:
    """A database, the ack that the broker keeps for the desk, and the pad that stands there."""

    def __init__(self, url: str):
        self.url = url
        self.store = Store.open(url)
        self.ack: Ack | None = None
        self.journal = Journal()
        self._random = 0
        self.switch_on()

    def switch_on(self, image: bytes | None = None, new: bool = False) -> None:
        """The pad starts with what its flash holds, or with an older ``image`` of it, or is a ``new`` one."""
        flash = image or bytes(self.journal.dump())
        self.journal = Journal()
        if not new:
            self.journal.restore(BytesIO(flash).readinto)
        self._random += 1
        self.journal.start(self._random.to_bytes(4, "big"))

    def call_and_vote(self, *numbers: int, rating: int = 3) -> None:
        """Clients are called and press; the pad has no line."""
        for number in numbers:
            called = event(number, desk=DESK, seq=number)
            self.store.ingest([Arrival(topics.queue("centre", "event"), codec.encode(called), NOON_UNIX_MS)])
            self.journal.add(call_id(number), rating, 1000 + number)

    def meet_the_broker(self) -> list[str]:
        """The pad hears the retained ack, and then everything it holds goes out; returns the dispositions."""
        if self.ack:
            self.journal.acknowledge(self.ack)
        dispositions = []
        while (vote := self.journal.oldest()) is not None:
            answer = self.send(vote)
            dispositions.append(answer.disposition)
            assert answer.ack
            self.ack = answer.ack[1]
            self.journal.acknowledge(self.ack)
        return dispositions

    def send(self, vote: Vote) -> Answer:
        return self.store.ingest([Arrival(topics.desk(DESK, "vote"), codec.encode(vote), NOON_UNIX_MS)])[0]

    def has_counted(self, votes: int) -> None:
        counts = self.store.counts()
        assert (counts["votes"], counts["waiting"], counts["kept"]) == (votes, 0, {})
        assert self.store.recount() == []


@pytest.fixture
def office(any_database: str) -> Iterator[Office]:
    with Store.open(any_database) as store:
        store.load_register(REGISTER)
    office = Office(any_database)
    yield office
    office.store.close()


def test_an_older_database_is_put_back_and_the_pads_go_on(office: Office, backup: Callable[[str], str]) -> None:
    """The ack that the broker kept is higher than all that the database knows; what pads have dropped is lost."""
    office.call_and_vote(1, 2, 3)
    office.meet_the_broker()
    office.store.close()
    yesterday = backup(office.url)
    office.store = Store.open(office.url)
    office.call_and_vote(4, 5)
    assert office.meet_the_broker() == ["taken", "taken"]
    office.call_and_vote(6)
    office.store.close()
    office.store = Store.open(yesterday)
    office.has_counted(3)
    office.call_and_vote(7)
    assert office.meet_the_broker() == ["waiting", "taken"]
    called = event(6, desk=DESK, seq=6)  # the feed's outbox had it still
    office.store.ingest([Arrival(topics.queue("centre", "event"), codec.encode(called), NOON_UNIX_MS)])
    office.has_counted(5)
    office.switch_on()
    office.call_and_vote(8)
    assert office.meet_the_broker() == ["taken"]
    office.has_counted(6)


def test_an_older_ack_from_a_restored_broker_brings_nothing_back_and_drops_nothing(office: Office) -> None:
    office.call_and_vote(1, 2)
    office.meet_the_broker()
    older = office.ack
    office.call_and_vote(3, 4)
    office.meet_the_broker()
    office.ack = older
    office.call_and_vote(5)
    assert office.meet_the_broker() == ["taken"]
    office.has_counted(5)


def put_back_an_older_image(office: Office) -> list[str]:
    office.call_and_vote(1, 2)
    image = bytes(office.journal.dump())  # one and two are waiting
    office.meet_the_broker()
    office.call_and_vote(3, 4, 5, 6)
    office.meet_the_broker()
    office.switch_on(image)
    office.call_and_vote(*range(7, 17))  # and no line all day
    return office.meet_the_broker()


def test_an_older_flash_is_put_back_and_no_vote_is_lost_or_doubled(office: Office) -> None:
    assert put_back_an_older_image(office) == ["known"] * 2 + ["taken"] * 10
    office.has_counted(16)


def test_with_an_id_that_outlived_its_start_votes_were_dropped_unsent(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Journal, "start", lambda journal, random4: None)
    assert len(put_back_an_older_image(office)) < 12


def test_a_new_pad_in_place_of_a_broken_one_counts_from_one(office: Office) -> None:
    office.call_and_vote(1, 2, 3)
    office.meet_the_broker()
    office.switch_on(new=True)
    office.call_and_vote(4, 5)
    assert office.journal.oldest_seq == 1
    assert office.meet_the_broker() == ["taken", "taken"]
    office.has_counted(5)


def test_a_restart_before_the_ack_was_written_sends_copies_that_are_known(office: Office) -> None:
    office.call_and_vote(1, 2)
    flash = bytes(office.journal.dump())
    office.meet_the_broker()
    office.switch_on(flash)
    assert office.meet_the_broker() == ["known", "known"]
    office.has_counted(2)


def test_the_client_of_a_call_of_which_the_older_flash_knows_nothing_may_press_but_the_first_vote_stays(
    office: Office,
) -> None:
    image = bytes(office.journal.dump())
    office.call_and_vote(1, rating=3)
    office.meet_the_broker()
    office.switch_on(image)
    assert office.journal.rating_of(call_id(1)) == 0
    office.journal.add(call_id(1), 1, 5000)
    assert office.meet_the_broker() == ["repeat"]
    counts = office.store.counts()
    assert (counts["votes"], counts["kept"]) == (1, {"repeat": 1})


def test_numbers_at_their_end_begin_anew_and_every_vote_counts_once(office: Office) -> None:
    office.journal._next_seq = LAST - 2
    office.call_and_vote(1, 2)
    first = office.journal.oldest()
    assert first and first.seq == LAST - 2
    office.send(first)  # the ack for it never comes
    office.call_and_vote(3, 4)
    assert office.meet_the_broker() == ["known", "taken", "taken", "taken"]
    office.has_counted(4)


def test_starts_at_their_end_begin_anew_and_the_new_word_is_believed(office: Office) -> None:
    office.journal.boot = LAST - 1
    for expected in (LAST, 1, 2):
        office.switch_on()
        assert office.journal.boot == expected
        status = PadStatus(
            "online", "dark", None, office.journal.id, office.journal.boot, "0.1.0", "power", "ok", "ok", "ok"
        )
        arrival = Arrival(topics.desk(DESK, "status"), codec.encode(status), NOON_UNIX_MS)
        assert office.store.ingest([arrival])[0].disposition == "taken"
        (pad,) = office.store.pads()
        assert pad.boot == expected
