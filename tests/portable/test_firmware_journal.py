"""Lock and outbox in one record: what goes in comes out, and what is damaged is noticed."""

import binascii
import struct

from firmware.core.journal import AHEAD, CAPACITY, DROPPED, IGNORED, BadRecord, Journal
from protocol import codec
from protocol.messages import Ack, Vote

ID = b"\x01\x23\x45\x67"
NOW_UNIX_MS = 1795300000000
LAST = 4294967295


def call(number):
    return "0123456789a%05d" % number


def filled(count):
    journal = Journal(ID)
    journal.boot = 3
    for number in range(count):
        journal.add(call(number), number % 3 + 1, number)
    return journal


def ack(seq, journal="01234567"):
    return Ack(journal, seq, NOW_UNIX_MS)


def load(record):
    """The journal in ``record``, read as a file would be."""
    journal = Journal(b"none")

    def read_into(buffer):
        count = min(len(buffer), len(record))
        buffer[:count] = record[:count]
        return count

    journal.restore(read_into)
    return journal


def at_number(next_seq):
    """An empty journal whose next vote gets that number."""
    record = bytearray(Journal(ID).dump())
    struct.pack_into("<I", record, 12, next_seq)
    struct.pack_into("<I", record, len(record) - 4, binascii.crc32(record[:-4]))
    return load(bytes(record))


def is_refused(record):
    try:
        load(record)
    except BadRecord:
        return True
    return False


def test_a_new_journal_is_empty_and_remembers_no_call():
    journal = Journal(ID)
    assert (journal.id, journal.depth, journal.oldest(), journal.oldest_seq) == ("01234567", 0, None, None)
    assert journal.rating_of(call(0)) == 0


def test_a_record_comes_back_as_it_was():
    for count in (0, 1, 2, 18, CAPACITY):
        before = filled(count)
        after = load(bytes(before.dump()))
        assert after.dump() == before.dump()
        assert (after.id, after.boot, after.depth) == ("01234567", 3, count)
        assert after.oldest() == before.oldest()


def test_the_oldest_vote_is_the_one_to_publish():
    journal = filled(2)
    assert journal.oldest() == Vote(call(0), 1, 0, "01234567", 3, 1)
    journal.acknowledge(ack(1))
    assert journal.oldest() == Vote(call(1), 2, 1, "01234567", 3, 2)


def test_a_vote_keeps_the_boot_in_which_it_was_given():
    journal = load(filled(1).dump())
    journal.boot = 4
    journal.add(call(9), 3, 5)
    assert journal.oldest().boot == 3
    journal.acknowledge(ack(1))
    assert journal.oldest() == Vote(call(9), 3, 5, "01234567", 4, 2)


def test_an_ack_drops_everything_up_to_its_number():
    journal = filled(5)
    assert journal.acknowledge(ack(3)) == DROPPED
    assert (journal.depth, journal.oldest_seq) == (2, 4)


def test_an_ack_of_another_journal_or_an_old_number_is_ignored():
    journal = filled(2)
    assert journal.acknowledge(ack(2, "ffffffff")) == IGNORED
    assert journal.acknowledge(ack(0)) == IGNORED
    assert journal.acknowledge(ack(2)) == DROPPED
    assert journal.acknowledge(ack(2)) == IGNORED
    assert journal.depth == 0


def test_an_ack_beyond_the_last_number_tells_that_somebody_else_has_used_the_id():
    journal = filled(2)
    assert journal.acknowledge(ack(3)) == AHEAD
    journal.renew(b"\xaa\xbb\xcc\xdd")
    assert journal.oldest() == Vote(call(0), 1, 0, "aabbccdd", 3, 1)
    journal.add(call(7), 1, 0)
    assert journal.acknowledge(ack(3, "aabbccdd")) == DROPPED


def test_numbers_go_on_after_the_outbox_was_emptied_and_the_record_reloaded():
    journal = filled(2)
    journal.acknowledge(ack(2))
    journal = load(journal.dump())
    journal.add(call(2), 3, 0)
    assert journal.oldest_seq == 3


def test_the_last_call_stays_locked_after_its_vote_is_confirmed():
    journal = filled(2)
    journal.acknowledge(ack(2))
    assert load(journal.dump()).rating_of(call(1)) == 2


def test_a_call_whose_vote_is_still_waiting_stays_locked_whatever_came_after():
    assert load(filled(5).dump()).rating_of(call(0)) == 1


def test_it_is_full_at_its_capacity():
    assert not filled(CAPACITY - 1).is_full
    assert filled(CAPACITY).is_full


def test_every_single_damaged_byte_is_noticed():
    record = bytes(filled(2).dump())
    for at in range(len(record)):
        for change in (0x01, 0x80, 0xFF):
            damaged = bytearray(record)
            damaged[at] ^= change
            assert is_refused(bytes(damaged)), at


def test_every_truncation_is_noticed():
    record = bytes(filled(2).dump())
    for length in range(len(record)):
        assert is_refused(record[:length])


def test_what_is_left_of_a_longer_record_behind_it_means_nothing():
    record = bytes(filled(2).dump())
    for rest in (b"\x00", b"\xff" * 100, record, bytes(filled(7).dump())[len(record) :]):
        assert load(record + rest).dump() == record


def test_a_start_is_counted_and_its_votes_go_on_under_a_new_id_with_their_numbers():
    journal = filled(3)
    journal.acknowledge(ack(1))
    journal.start(b"rand")
    assert (journal.boot, journal.depth, journal.oldest_seq) == (4, 2, 2)
    assert journal.id != "01234567" and journal.oldest() == Vote(call(1), 2, 1, journal.id, 3, 2)
    assert journal.rating_of(call(2)) == 3


def test_ids_do_not_repeat_even_if_the_random_numbers_do():
    journal = Journal(ID)
    seen = set()
    for _ in range(2000):
        journal.start(b"same")
        journal = load(bytes(journal.dump()))
        assert journal.id not in seen
        seen.add(journal.id)


def test_an_ack_that_outlived_a_start_drops_nothing():
    """A flash image of an older day is put back, votes are taken offline, and then comes what the broker kept."""
    journal = filled(5)
    image = bytes(journal.dump())
    journal.add(call(5), 1, 0)
    journal.add(call(6), 1, 0)
    kept_by_the_broker = ack(7)
    assert journal.acknowledge(kept_by_the_broker) == DROPPED
    journal = load(image)
    journal.start(b"rand")
    for number in range(10, 20):
        journal.add(call(number), 2, 0)
    assert journal.acknowledge(kept_by_the_broker) == IGNORED
    assert journal.depth == 15


def test_the_last_number_is_followed_by_a_new_journal_from_one():
    journal = at_number(LAST - 1)
    journal.add(call(1), 1, 0)
    first = journal.oldest()
    assert (first.journal, first.seq) == ("01234567", LAST - 1)
    journal.add(call(2), 2, 0)
    again = journal.oldest()
    assert (again.call, again.seq, journal.depth) == (call(1), 1, 2)
    assert again.journal != "01234567"
    assert load(bytes(journal.dump())).oldest() == again
    assert journal.acknowledge(ack(LAST - 1)) == IGNORED
    assert journal.acknowledge(ack(2, again.journal)) == DROPPED


def test_the_highest_number_of_all_in_a_record_or_in_an_ack_is_harmless():
    journal = at_number(LAST)
    assert journal.acknowledge(ack(LAST)) == AHEAD
    journal.add(call(1), 1, 0)
    assert journal.oldest().seq == 1


def test_after_the_last_start_comes_the_first():
    journal = filled(1)
    journal.boot = LAST - 1
    journal.start(b"rand")
    assert journal.boot == LAST
    journal.add(call(5), 1, 0)
    assert codec.decode("vote", codec.encode(journal.oldest())) == journal.oldest()
    journal = load(bytes(journal.dump()))
    journal.start(b"rand")
    assert journal.boot == 1


def test_erased_or_zeroed_flash_is_no_journal():
    for fill in (b"\xff", b"\x00"):
        for length in (0, 1, 4, 40, 512, 10039, 10040):
            assert is_refused(fill * length)


def test_a_record_of_eighteen_votes_still_fits_one_program_of_the_flash():
    assert len(filled(18).dump()) <= 512 < len(filled(19).dump())


def test_a_refused_record_leaves_an_empty_journal_with_the_new_id():
    journal = Journal(b"none")
    damaged = bytearray(filled(3).dump())
    damaged[50] ^= 1

    def read_into(buffer):
        buffer[: len(damaged)] = damaged
        return len(damaged)

    try:
        journal.restore(read_into)
        raise AssertionError("not refused")
    except BadRecord:
        assert (journal.id, journal.depth, journal.oldest_seq, journal.rating_of(call(2))) == ("6e6f6e65", 0, None, 0)
    journal.add(call(9), 1, 0)
    assert load(bytes(journal.dump())).oldest() == Vote(call(9), 1, 0, "6e6f6e65", 0, 1)


def test_a_full_journal_can_be_emptied_from_the_front_in_any_steps():
    journal = filled(CAPACITY)
    for seq in (1, 2, 10, 11, 399, 400):
        journal.acknowledge(ack(seq))
        if seq < CAPACITY:
            assert (journal.oldest_seq, journal.oldest().call) == (seq + 1, call(seq))
        assert journal.rating_of(call(399)) == 399 % 3 + 1
    assert journal.depth == 0
