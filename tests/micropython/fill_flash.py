"""Copies a folder of this machine into a pad's flash image: micropython fill_flash.py IMAGE FOLDER."""

import os
import sys

from firmware import flash_image


def copy(source, target):
    for entry in os.ilistdir(source):
        if entry[1] == 0x4000:
            try:
                os.mkdir(target + "/" + entry[0])
            except OSError:
                pass  # it is there
            copy(source + "/" + entry[0], target + "/" + entry[0])
        else:
            with open(source + "/" + entry[0], "rb") as old, open(target + "/" + entry[0], "wb") as new:
                new.write(old.read())


flash_image.mount(sys.argv[1], flash_image.SLOTS_BYTES)
copy(sys.argv[2], flash_image.ROOT)
