"""The journal's file: kept, missing, damaged, refused by the file system."""

import binascii
from pathlib import Path

import pytest

from firmware.board.store import Store
from firmware.core.journal import Journal

CALL = "0000000000000001"


def random_bytes(count: int) -> bytes:
    return b"\xaa" * count


def store_in(folder: Path) -> Store:
    return Store(str(folder), random_bytes)


def test_the_first_start_makes_a_journal_without_a_fault(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    journal = store.open()
    assert (journal.id, journal.boot, journal.depth, store.fault) == ("aaaaaaaa", 1, 0, False)


def test_votes_and_the_lock_outlive_a_restart_and_starts_are_counted(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    journal = store.open()
    journal.add(CALL, 3, 1200)
    store.save(journal)
    again = store_in(tmp_path).open()
    assert (again.boot, again.depth, again.rating_of(CALL)) == (2, 1, 3)
    assert again.oldest() == journal.oldest()


def test_what_was_not_saved_is_not_there(tmp_path: Path) -> None:
    store_in(tmp_path).open().add(CALL, 3, 1200)
    assert store_in(tmp_path).open().depth == 0


@pytest.mark.parametrize("damage", [b"", b"ZPJ\x01", b"\xff" * 40, b"\x00" * 4096, b"x" * 50000])
def test_a_damaged_record_is_a_fault_until_the_next_start_and_votes_are_kept_again(
    tmp_path: Path, damage: bytes
) -> None:
    (tmp_path / "journal").write_bytes(damage)
    store = store_in(tmp_path)
    journal = store.open()
    assert store.fault
    journal.add(CALL, 2, 0)
    store.save(journal)
    restarted = store_in(tmp_path)
    assert restarted.open().rating_of(CALL) == 2
    assert not restarted.fault


def test_a_record_with_a_byte_too_many_is_damaged(tmp_path: Path) -> None:
    store_in(tmp_path).open()
    with (tmp_path / "journal").open("ab") as file:
        file.write(b"\x00")
    store = store_in(tmp_path)
    store.open()
    assert store.fault


def test_a_refused_write_is_a_fault_and_the_journal_goes_on_under_a_new_id(tmp_path: Path) -> None:
    kept = store_in(tmp_path).open()
    kept.add(CALL, 1, 0)
    store = Store(str(tmp_path / "gone"), lambda count: b"\xbb" * count)
    store.save(kept)
    assert store.fault
    vote = kept.oldest()
    assert vote and (vote.journal, vote.seq, vote.call) == ("bbbbbbbb", 1, CALL)


def test_a_damaged_file_system_is_a_fault_from_the_start(tmp_path: Path) -> None:
    assert Store(str(tmp_path), random_bytes, fault=True).fault


def test_a_record_that_cannot_be_made_leaves_the_stored_one_alone(tmp_path: Path) -> None:
    """Opening the file first would empty it: closing commits, whoever closes."""
    store_in(tmp_path).open()
    before = (tmp_path / "journal").read_bytes()

    class Exhausted(Journal):
        def dump(self) -> memoryview:
            raise MemoryError

    with pytest.raises(MemoryError):
        store_in(tmp_path).save(Exhausted(b"abcd"))
    assert (tmp_path / "journal").read_bytes() == before
    assert binascii.crc32(before[:-4]) == int.from_bytes(before[-4:], "little")
