"""What was acknowledged can be read again, whatever cut the writing off."""

import os
from pathlib import Path

import pytest

from collector.errors import StoreUnavailable
from collector.model import KNOWN, TAKEN, UNKNOWN_DESK, Answer, Arrival
from collector.spool import Spool, Spooled, read
from protocol.messages import Ack

NOON_S = 1_791_450_000.0
ARRIVALS = [Arrival(f"zrazkovo/1/desk/d-{n}/vote", bytes(range(n)), 1_791_450_000_000 + n) for n in range(5)]
RECEIPT = ("topic", Ack("00000000", 1, 1))


def spool(folder: Path, at_s: float = NOON_S) -> Spool:
    return Spool(folder, days=2, now=lambda: at_s)


def test_what_was_appended_is_read_in_order_with_every_byte(tmp_path: Path) -> None:
    first = spool(tmp_path / "a")
    first.append(ARRIVALS[:2])
    first.append(ARRIVALS[2:])
    first.close()
    assert list(read(tmp_path)) == ARRIVALS


def test_only_its_owner_reads_it(tmp_path: Path) -> None:
    spool(tmp_path / "a").append(ARRIVALS)
    assert [path.stat().st_mode & 0o077 for path in (tmp_path / "a").iterdir()] == [0]
    assert (tmp_path / "a").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("kept", range(1, 50, 7))
def test_a_line_that_was_cut_off_is_passed_over_and_what_follows_is_not(tmp_path: Path, kept: int) -> None:
    torn = spool(tmp_path)
    torn.append(ARRIVALS[:1])
    path = next(tmp_path.iterdir())
    os.truncate(path, kept)
    torn._is_torn = True  # as after a write that failed
    torn.append(ARRIVALS[1:])
    assert list(read(tmp_path)) == ARRIVALS[1:]


def test_files_begin_anew_each_day_and_the_oldest_go(tmp_path: Path) -> None:
    moments = iter([NOON_S, NOON_S + 86_400, NOON_S + 3 * 86_400])
    several = Spool(tmp_path, days=2, now=lambda: next(moments))
    for arrival in ARRIVALS[:3]:
        several.append([arrival])
    assert list(read(tmp_path)) == ARRIVALS[1:3]


def test_a_clock_that_is_years_ahead_for_a_minute_takes_no_spool_away(tmp_path: Path) -> None:
    moments = iter([NOON_S, NOON_S + 3650 * 86_400, NOON_S + 86_400])
    several = Spool(tmp_path, days=3, now=lambda: next(moments))
    for arrival in ARRIVALS[:3]:
        several.append([arrival])
    assert sorted(read(tmp_path)) == sorted(ARRIVALS[:3])


def test_a_folder_that_cannot_be_written_is_a_database_that_does_not_answer(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a file")
    with pytest.raises(StoreUnavailable, match="spool"):
        spool(tmp_path / "a").append(ARRIVALS)


def test_only_what_gets_a_receipt_is_spooled_and_only_after_the_commit(tmp_path: Path) -> None:
    class Store:
        def ingest(self, arrivals: object) -> list[Answer]:
            assert not list(read(tmp_path))
            return [Answer(TAKEN, RECEIPT), Answer(KNOWN, RECEIPT), Answer(UNKNOWN_DESK, None)]

    Spooled(Store(), spool(tmp_path)).ingest(ARRIVALS[:3])
    assert list(read(tmp_path)) == ARRIVALS[:2]


def test_what_is_not_committed_is_not_spooled(tmp_path: Path) -> None:
    class Store:
        def ingest(self, arrivals: object) -> list[Answer]:
            raise StoreUnavailable("no")

    with pytest.raises(StoreUnavailable):
        Spooled(Store(), spool(tmp_path)).ingest(ARRIVALS)
    assert not list(read(tmp_path))
