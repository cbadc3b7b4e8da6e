"""The journal's file: kept, missing, damaged, refused by the file system. On real flash: tests/micropython."""

from pathlib import Path

import pytest

from firmware.board.store import Store
from firmware.core.journal import CAPACITY, Journal

CALL = "0000000000000001"


def store_in(folder: Path) -> Store:
    return Store(str(folder), lambda count: b"\xaa" * count)


def record_in(folder: Path) -> Path:
    return folder / "state" / "journal"


def put(folder: Path, record: bytes) -> None:
    record_in(folder).parent.mkdir()
    record_in(folder).write_bytes(record)


def filled(count: int) -> Journal:
    journal = Journal(b"abcd")
    for number in range(count):
        journal.add(f"0123456789a{number:05}", number % 3 + 1, number)
    return journal


def test_the_first_start_makes_a_journal_without_a_fault(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    journal = store.open()
    assert (journal.boot, journal.depth, store.condition) == (1, 0, "ok")
    assert [path.name for path in record_in(tmp_path).parent.iterdir()] == ["journal"]


def test_votes_and_the_lock_outlive_a_restart_and_starts_are_counted(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    journal = store.open()
    journal.add(CALL, 3, 1200)
    assert store.save(journal)
    again = store_in(tmp_path).open()
    assert (again.boot, again.depth, again.rating_of(CALL)) == (2, 1, 3)
    before, after = journal.oldest(), again.oldest()
    assert before and after and (after.call, after.rating, after.boot, after.seq) == (CALL, 3, 1, before.seq)
    assert after.journal == again.id != before.journal


def test_what_was_not_saved_is_not_there(tmp_path: Path) -> None:
    store_in(tmp_path).open().add(CALL, 3, 1200)
    assert store_in(tmp_path).open().depth == 0


def test_every_length_of_record_may_follow_every_other(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    store.open()
    for before in (0, 1, 3, 4, 19, CAPACITY):
        for after in (CAPACITY, 19, 4, 3, 1, 0):
            assert store.save(filled(before)) and store.save(filled(after))
            found = Journal()
            with record_in(tmp_path).open("rb") as file:
                found.restore(file.readinto)
            assert found.dump() == filled(after).dump()


def test_the_file_is_short_again_once_its_record_is(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    store.open()
    for count, file_bytes in ((1, 64), (0, 64), (3, 114), (1, 114), (CAPACITY, 10039), (4, 10039), (3, 114), (0, 114)):
        store.save(filled(count))
        assert record_in(tmp_path).stat().st_size == file_bytes, count


@pytest.mark.parametrize("damage", [b"", b"ZPJ\x01", b"\xff" * 40, b"\x00" * 4096, b"x" * 50000])
def test_a_damaged_record_is_put_aside_and_a_fault_until_the_next_start(tmp_path: Path, damage: bytes) -> None:
    put(tmp_path, damage)
    store = store_in(tmp_path)
    journal = store.open()
    assert store.condition == "fault"
    journal.add(CALL, 2, 0)
    assert store.save(journal)
    assert store.condition == "fault"
    assert record_in(tmp_path).with_name("journal.bad").read_bytes() == damage
    restarted = store_in(tmp_path)
    assert restarted.open().rating_of(CALL) == 2
    assert restarted.condition == "ok"


def test_a_refused_write_is_a_fault_and_the_next_that_succeeds_ends_it(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    journal = store.open()
    journal.add(CALL, 1, 0)
    record_in(tmp_path).parent.rename(tmp_path / "elsewhere")
    assert not store.save(journal)
    assert (store.condition, journal.depth) == ("fault", 1)
    (tmp_path / "elsewhere").rename(record_in(tmp_path).parent)
    assert store.save(journal)
    assert (store.condition, store_in(tmp_path).open().depth) == ("ok", 1)


def test_a_pad_without_any_flash_still_has_a_journal(tmp_path: Path) -> None:
    store = store_in(tmp_path / "no such file system")
    journal = store.open()
    journal.add(CALL, 1, 0)
    assert (store.condition, journal.boot, journal.depth) == ("fault", 1, 1)


def test_a_file_system_made_anew_is_a_fault_until_the_next_start(tmp_path: Path) -> None:
    store = Store(str(tmp_path), lambda count: b"\xaa" * count, lost=True)
    store.open()
    assert store.condition == "fault"


def test_a_record_that_cannot_be_made_leaves_the_stored_one_alone(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    store.open()
    before = record_in(tmp_path).read_bytes()

    class Exhausted(Journal):
        def dump(self) -> memoryview:
            raise MemoryError

    with pytest.raises(MemoryError):
        store.save(Exhausted())
    assert record_in(tmp_path).read_bytes() == before
