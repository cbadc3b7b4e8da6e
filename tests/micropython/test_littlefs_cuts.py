"""The failing chip under real LittleFS: a small file is replaced whole or not at all, wherever the power is cut."""

import vfs

from tests.portable.flash_faults import CUTS, DONE, Chip, Power

MOUNT = "/cut"
COMMITS = 40


def mounted(chip):
    power = Power(chip)
    vfs.mount(vfs.VfsLfs2(power, progsize=chip.program_bytes), MOUNT)
    return power


def write(number):
    with open(MOUNT + "/record", "wb") as file:
        file.write(b"%02d" % number * 40)


def read():
    with open(MOUNT + "/record", "rb") as file:
        return file.read()


def formatted(program_bytes):
    chip = Chip(blocks=8, program_bytes=program_bytes)
    vfs.VfsLfs2.mkfs(Power(chip), progsize=program_bytes)
    mounted(chip)
    write(0)
    vfs.umount(MOUNT)
    return chip


def cut_while_writing(chip, operations, per_cent):
    """Writes until the cut; the number of the last record whose write has returned, or None if it never came."""
    power = mounted(chip)
    power.cut_after(operations, per_cent)
    done = 0
    try:
        for number in range(1, COMMITS):
            write(number)
            done = number
    except OSError:
        assert power.dead
    vfs.umount(MOUNT)
    return done if power.dead else None


def test_every_cut_leaves_the_old_record_or_the_new_one():
    for program_bytes in (32, 256):
        chip = formatted(program_bytes)
        start = chip.snapshot()
        for per_cent in CUTS:
            operations = 0
            done = 0
            while done is not None:
                operations += 1
                chip.restore(start)
                done = cut_while_writing(chip, operations, per_cent)
                if done is not None:
                    mounted(chip)
                    found = read()
                    assert found in (b"%02d" % done * 40, b"%02d" % (done + 1) * 40), (operations, per_cent, found)
                    assert per_cent != DONE or found
                    vfs.umount(MOUNT)
            assert operations > COMMITS
        assert chip.violations == 0
