"""The loader on a chip, as far as that can be seen without one: how the last start ended, and who watches a trial."""

import sys
from types import SimpleNamespace

import pytest

from firmware import loader
from firmware.boot import NORMAL, BootRecord


@pytest.fixture
def chip(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A machine module; ``asked`` are the answers to "did the last start end badly?", ``watched`` the watchdogs."""
    record = BootRecord()
    record.active = "a"
    chip = SimpleNamespace(PWRON_RESET=1, WDT_RESET=3, cause=1, asked=[], watched=[], record=record, chosen="a")
    chip.reset_cause = lambda: chip.cause

    def watch(timeout: int) -> None:
        chip.watched.append(timeout)

    def choose(root: str, ended_badly: bool) -> tuple[str, str, int]:
        assert root == ""
        chip.asked.append(ended_badly)
        return chip.chosen, NORMAL, 0

    chip.WDT = watch
    monkeypatch.setitem(sys.modules, "machine", chip)  # type: ignore[arg-type]
    monkeypatch.setattr(loader, "_is_unix", lambda: False)
    monkeypatch.setattr(loader, "choose", choose)
    monkeypatch.setattr(loader, "read_record", lambda root: record)
    monkeypatch.setattr(sys, "path", list(sys.path))
    return chip


def test_a_power_on_is_no_bad_end_and_every_other_reset_is(chip: SimpleNamespace) -> None:
    assert loader.prepare([]) == ("", NORMAL)
    chip.cause = chip.WDT_RESET
    loader.prepare([])
    assert chip.asked == [False, True]


def test_the_slot_is_all_that_can_be_imported(chip: SimpleNamespace) -> None:
    loader.prepare([])
    assert sys.path == ["/a", ".frozen"]


def test_a_trial_is_watched_from_before_its_first_import_and_only_a_trial(chip: SimpleNamespace) -> None:
    loader.prepare([])
    chip.record.begin_trial("b", bytes(32), 0)
    loader.prepare([])
    assert chip.watched == []
    chip.chosen = "b"
    loader.prepare([])
    assert chip.watched == [8000]
