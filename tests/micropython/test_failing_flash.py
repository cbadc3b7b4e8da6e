"""Flash that is full, worn or damaged: the status says so, votes are still taken, and nothing is pretended."""

import os

from firmware.board import store as stores
from firmware.board.store import Store
from tests.micropython import power_bench
from tests.micropython.power_bench import ALL, MOUNT, Centre, call_id, mount, unmount
from tests.micropython.power_day import new_chip
from tests.portable.flash_faults import DEAF, REFUSES, Power


class Pad(power_bench.Pad):
    poor_random = False


def pad_on(program_bytes=256, chip=None):
    return Pad(chip or new_chip(program_bytes), Centre())


def fill(path=MOUNT + "/fill"):
    """Leaves no room on the flash."""
    number = 0
    for size in (2048, 256, 16):
        try:
            while True:
                number += 1
                with open("%s%d" % (path, number), "wb") as file:
                    file.write(b"\xa5" * size)
        except OSError:
            pass


def visit(pad, number, button=2):
    pad.call(number)
    assert pad.board.lamps == ALL, pad.board.lamps
    pad.vote(button)


def pass_minutes(pad, minutes=2):
    for _ in range(60 * minutes):
        pad.board.pass_ms(1000)
        pad.turn(pad.nothing)


def reboot(pad):
    pad.switch_off()
    return Pad(pad.chip, pad.centre)


def test_a_vote_on_a_full_flash_leaves_the_last_record_whole():
    for program_bytes in (32, 256):
        pad = pad_on(program_bytes)
        pad.centre.acks_left = 0  # the outbox grows out of the record's inline place
        visit(pad, 1)
        fill()
        held = 1
        for number in range(2, 40):
            before = bytes(pad.stored().dump())
            visit(pad, number)
            if pad.store.refused:
                assert bytes(pad.stored().dump()) == before
            else:
                held = number
                assert pad.stored().depth == number
        assert pad.centre.storage == "full" and held < 39
        again = reboot(pad)
        assert again.stored().depth == held
        again.switch_off()


def test_votes_on_a_full_flash_reach_the_collector_and_room_ends_the_trouble():
    pad = pad_on()
    pad.centre.acks_left = 0
    visit(pad, 1)
    fill()
    for number in range(2, 40):
        visit(pad, number, number % 3 + 1)
    assert pad.centre.storage == "full"
    for name in os.listdir(MOUNT):
        if name.startswith("fill"):
            os.remove(MOUNT + "/" + name)
    pad.close()
    pass_minutes(pad)
    assert pad.centre.storage == "ok"
    assert pad.stored().depth == 39
    pad.settle()
    assert len(pad.centre.collector.votes) == 39
    pad.switch_off()


def journal_blocks(chip):
    """The blocks that a commit of the journal programs."""
    before = list(chip.programs)
    store = Store(MOUNT, lambda count: b"\0" * count)
    store.open()
    return [block for block in range(chip.blocks) if chip.programs[block] != before[block]]


def test_a_block_that_refuses_is_a_fault_and_its_votes_are_sent_from_memory():
    pad = pad_on()
    visit(pad, 1)
    before = bytes(pad.stored().dump())
    pad.chip.worn = {block: REFUSES for block in range(pad.chip.blocks)}
    visit(pad, 2)
    assert pad.store.condition == pad.centre.storage == "fault"
    assert bytes(pad.stored().dump()) == before
    assert call_id(2) in pad.centre.collector.votes
    pad.close()
    pad.chip.worn = {}
    pass_minutes(pad)
    assert pad.centre.storage == "ok"
    assert pad.stored().rating_of(call_id(2)) == 2
    pad.switch_off()


def test_after_a_refused_write_and_a_restart_no_number_is_used_twice():
    """What the flash has is older than what the collector knows: as if an image of before were put back."""
    pad = pad_on()
    visit(pad, 1)
    pad.chip.worn = {block: REFUSES for block in range(pad.chip.blocks)}
    for number in (2, 3, 4):
        visit(pad, number)
    pad.chip.worn = {}
    pad.centre.saved = {call: rating for call, rating in pad.centre.saved.items() if call != call_id(4)}
    pad.close()
    pad.switch_off()
    pad = Pad(pad.chip, pad.centre)
    pad.centre.acks_left = 0
    for number in (5, 6, 7, 8, 9):
        visit(pad, number, 3)
    pad.settle()
    pad.check_all_arrived()
    assert len(pad.centre.collector.votes) == 9
    pad.switch_off()


def test_one_worn_block_after_the_other_never_costs_a_saved_vote():
    for wear in (REFUSES, DEAF):
        for program_bytes in (32, 256):
            for block in range(16):
                pad = pad_on(program_bytes)
                visit(pad, 1, 1)
                pad.chip.worn = {block: wear}
                for number in range(2, 30):
                    visit(pad, number, number % 3 + 1)
                    if not pad.store.refused:
                        assert pad.stored().rating_of(call_id(number)) == number % 3 + 1
                    else:
                        assert pad.centre.storage == "fault"
                pad.settle()
                pad.check_all_arrived()
                assert len(pad.centre.collector.votes) == 29
                pad.switch_off()


def test_block_after_block_wears_out_until_none_is_left():
    """Whatever the flash has taken is there after a restart; whatever it has not is told, and sent from memory."""
    for program_bytes in (32, 256):
        for wear in (REFUSES, DEAF):
            pad = pad_on(program_bytes)
            for number in range(1, 40):
                if number % 2 == 0 and number // 2 < 16:
                    pad.chip.worn[(number // 2 * 7) % 16] = wear
                visit(pad, number, number % 3 + 1)
                if pad.store.refused:
                    assert pad.centre.storage in ("fault", "full")
                else:
                    assert pad.stored().rating_of(call_id(number)) == number % 3 + 1
            assert pad.centre.storage in ("fault", "full")
            pad.check_all_arrived()
            assert len(pad.centre.collector.votes) == 39
            pad.switch_off()


def test_a_deaf_block_is_left_by_littlefs_itself():
    """It reads back what it wrote: the record goes elsewhere, and nobody need be told."""
    pad = pad_on()
    visit(pad, 1)
    blocks = journal_blocks(pad.chip)
    assert len(blocks) == 1
    pad.switch_off()
    pad = Pad(pad.chip, pad.centre)
    pad.chip.worn = {blocks[0]: DEAF}
    visit(pad, 2)
    assert pad.centre.storage == "ok"
    again = reboot(pad)
    assert again.stored().rating_of(call_id(2)) == 2
    again.switch_off()


def test_a_flash_that_refuses_everything_from_the_start_still_lets_people_vote():
    chip = new_chip(256)
    chip.worn = {block: REFUSES for block in range(chip.blocks)}
    pad = pad_on(chip=chip)
    for number in range(1, 6):
        visit(pad, number)
    assert pad.centre.storage == "fault"
    assert len(pad.centre.collector.votes) == 5
    pad.switch_off()


def damaged(record, kind):
    if kind == "flipped":
        return bytes([record[0], record[1], record[2], record[3]]) + bytes([record[4] ^ 1]) + record[5:]
    return {"empty": b"", "cut": record[:-3], "garbage": b"\xc3" * 300, "older": b"ZPJ\x00" + record[4:]}[kind]


def test_a_damaged_journal_is_a_fault_for_one_start_and_votes_go_on_under_a_new_id():
    for kind in ("flipped", "empty", "cut", "garbage", "older"):
        pad = pad_on()
        pad.centre.acks_left = 0
        visit(pad, 1)
        pad.close()
        record = bytes(pad.stored().dump())
        old_id = pad.stored().id
        with open(MOUNT + "/state/journal", "wb") as file:
            file.write(damaged(record, kind))
        pad = reboot(pad)
        assert pad.centre.storage == "fault", kind
        assert pad.stored().depth == 0 and pad.stored().id != old_id
        with open(MOUNT + "/state/journal.bad", "rb") as file:
            assert file.read() == damaged(record, kind)
        visit(pad, 2)
        assert pad.stored().rating_of(call_id(2)) == 2
        assert pad.centre.storage == "fault"
        pad = reboot(pad)
        assert pad.centre.storage == "ok"
        pad.settle()
        assert call_id(2) in pad.centre.collector.votes
        pad.switch_off()


def test_every_byte_of_the_flash_spoilt_in_turn_never_yields_a_false_vote():
    """LittleFS takes an older commit where a newer is spoilt, as if an old image were put back: votes may be lost."""
    chip = new_chip(256)
    pad = Pad(chip, Centre())
    pad.centre.acks_left = 0
    visit(pad, 1, 3)
    pad.switch_off()
    image = chip.snapshot()
    used = [at for at in range(0, len(image)) if image[at] != 0xFF]
    unmountable = lost = held = 0
    for at in used:
        chip.restore(image)
        chip.image[at] ^= 0x10
        try:
            mount(Power(chip))
        except OSError:
            unmountable += 1
            continue
        store = Store(MOUNT, lambda count: b"\0" * count)
        try:
            found = store.open()
        finally:
            unmount()
        if found.depth:
            held += 1
            assert (found.depth, found.rating_of(call_id(1)), store.condition) == (1, 3, "ok")
        else:
            lost += 1
    print(
        "spoilt bytes: %d; newest record %d, an older one or none %d, unmountable %d"
        % (len(used), held, lost, unmountable)
    )
    assert held


class Exhausted:
    """A file for which the heap has no byte left when it comes to ``step``."""

    def __init__(self, file, step):
        self._file = file
        self._step = step

    def __enter__(self):
        return self

    def __exit__(self, *problem):
        self._file.close()

    def write(self, data):
        if self._step == "before":
            raise MemoryError
        self._file.write(data)
        raise MemoryError


def saved_without_memory(step, mode=None):
    """A pad with one vote, a second being saved while memory runs out: the records before, meant, and found."""
    pad = pad_on()
    pad.centre.acks_left = 0
    visit(pad, 1)
    before = bytes(pad.stored().dump())
    journal = pad.stored()
    journal.add(call_id(2), 3, 7)
    stores.open = lambda path, wanted: Exhausted(open(path, mode or wanted), step)
    try:
        pad.store.save(journal)
    except MemoryError:
        pass
    finally:
        del stores.open
    with open(MOUNT + "/state/journal", "rb") as file:
        found = file.read()
    pad.switch_off()
    return before, bytes(journal.dump()), found


def test_memory_that_runs_out_while_saving_leaves_the_old_record_or_the_new_one():
    before, _, found = saved_without_memory("before")
    assert found == before
    _, after, found = saved_without_memory("after")
    assert found == after


def test_opening_the_file_anew_would_have_committed_an_empty_one():
    assert saved_without_memory("before", "wb")[2] == b""
