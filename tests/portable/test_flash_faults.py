"""The failing flash chip fails as it says, and as flash does."""

from tests.portable.flash_faults import CUTS, DEAF, DONE, EIO, ERASE, PROGRAM, REFUSES, SYNC, TORN, UNDONE, Chip, Power

ERASE_BLOCK, SYNC_ALL = 6, 3


def read(power, block=0, count=32, offset=0):
    buffer = bytearray(count)
    return bytes(buffer) if power.readblocks(block, buffer, offset) == 0 else None


def fresh():
    return Chip(blocks=4, program_bytes=16)


def test_a_program_only_clears_bits_and_setting_one_is_a_violation():
    chip = fresh()
    power = Power(chip)
    assert power.writeblocks(0, b"\x0f" * 16) == 0
    assert chip.violations == 0
    assert power.writeblocks(0, b"\x03" * 16) == 0
    assert (read(power, count=16), chip.violations) == (b"\x03" * 16, 0)
    power.writeblocks(0, b"\xf0" * 16)
    assert (read(power, count=16), chip.violations) == (b"\x00" * 16, 1)


def test_a_program_off_the_grid_is_a_violation():
    for offset, count in ((8, 16), (0, 8), (16, 24)):
        chip = fresh()
        Power(chip).writeblocks(1, b"\x00" * count, offset)
        assert chip.violations == 1


def test_an_erase_sets_one_block_and_no_other():
    chip = fresh()
    power = Power(chip)
    for block in range(4):
        power.writeblocks(block, b"\x00" * 4096)
    power.ioctl(ERASE_BLOCK, 2)
    assert [read(power, block, 4096)[:1] for block in range(4)] == [b"\x00", b"\x00", b"\xff", b"\x00"]
    assert (chip.erases, chip.programs, chip.programmed_bytes) == ([0, 0, 1, 0], [1, 1, 1, 1], 4 * 4096)


def test_the_operation_of_a_cut_is_undone_torn_or_done_and_is_the_last():
    found = {}
    for per_cent in CUTS:
        chip = fresh()
        power = Power(chip)
        power.cut_after(2, per_cent)
        assert power.writeblocks(0, b"\x00" * 16) == 0
        assert power.writeblocks(0, b"\x00" * 16, 16) == -EIO
        assert power.dead
        assert power.writeblocks(1, b"\x00" * 16) == power.ioctl(ERASE_BLOCK, 0) == power.ioctl(SYNC_ALL, 0) == -EIO
        assert read(power) is None
        found[per_cent] = read(Power(chip), offset=16, count=16)
        assert read(Power(chip), 1) == b"\xff" * 32
    assert found[UNDONE] == b"\xff" * 16
    assert found[DONE] == b"\x00" * 16
    assert found[TORN][:8] == b"\x00" * 8 and found[TORN][9:] == b"\xff" * 7
    assert found[TORN][8] not in (0x00, 0xFF)


def test_a_torn_erase_leaves_half_a_block():
    chip = fresh()
    Power(chip).writeblocks(0, b"\x00" * 4096)
    power = Power(chip)
    power.cut_after(1, TORN)
    assert power.ioctl(ERASE_BLOCK, 0) == -EIO
    assert read(Power(chip), 0, 4096) == b"\xff" * 2048 + b"\x00" * 2048


def test_a_sync_counts_as_an_operation():
    chip = fresh()
    power = Power(chip)
    power.cut_after(2)
    assert power.ioctl(SYNC_ALL, 0) == 0
    assert power.ioctl(SYNC_ALL, 0) == -EIO
    assert (power.operations, chip.syncs) == (2, 2)


def test_a_worn_block_refuses_or_does_not_keep_what_it_is_given():
    chip = fresh()
    power = Power(chip)
    power.writeblocks(1, b"\x00" * 16)
    chip.worn = {1: REFUSES, 2: DEAF}
    assert power.writeblocks(1, b"\x00" * 16, 16) == power.ioctl(ERASE_BLOCK, 1) == -EIO
    assert power.writeblocks(2, b"\x00" * 16) == power.ioctl(ERASE_BLOCK, 2) == 0
    assert read(power, 1) == b"\x00" * 16 + b"\xff" * 16
    assert read(power, 2) == b"\xff" * 32


def test_recorded_operations_carried_out_again_give_the_same_image():
    chip = fresh()
    seen = []
    chip.recorder = seen.append
    power = Power(chip)
    power.writeblocks(0, b"\x00" * 16)
    power.ioctl(SYNC_ALL, 0)
    power.ioctl(ERASE_BLOCK, 0)
    power.writeblocks(0, b"\x11" * 16, 32)
    assert [operation[0] for operation in seen] == [PROGRAM, SYNC, ERASE, PROGRAM]
    again = fresh()
    for operation in seen:
        again.apply(operation)
    assert again.snapshot() == chip.snapshot()
    again.restore(fresh().snapshot())
    assert again.image == bytearray(b"\xff" * (4 * 4096))
