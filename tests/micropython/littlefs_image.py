"""Run by MicroPython: littlefs_image.py IMAGE BLOCKS FOLDER. Makes a LittleFS image as a Pico W formats its flash."""

import os
import sys

import vfs

_BLOCK_BYTES = 4096


class Image:
    def __init__(self, blocks):
        self.data = bytearray(b"\xff" * (blocks * _BLOCK_BYTES))

    def readblocks(self, block, buffer, offset=0):
        start = block * _BLOCK_BYTES + offset
        buffer[:] = self.data[start : start + len(buffer)]

    def writeblocks(self, block, buffer, offset=0):
        start = block * _BLOCK_BYTES + offset
        self.data[start : start + len(buffer)] = buffer

    def ioctl(self, command, argument):
        if command == 4:
            return len(self.data) // _BLOCK_BYTES
        if command == 5:
            return _BLOCK_BYTES
        if command == 6:
            self.writeblocks(argument, b"\xff" * _BLOCK_BYTES)
        return 0


def copy(source, target):
    for name, kind, *_ in os.ilistdir(source):
        if kind == 0x4000:
            os.mkdir(target + "/" + name)
            copy(source + "/" + name, target + "/" + name)
        elif not name.endswith(".json") or name == "pad.json":
            with open(source + "/" + name, "rb") as file:
                data = file.read()
            with open(target + "/" + name, "wb") as file:
                file.write(data)


path, blocks, folder = sys.argv[1:]
image = Image(int(blocks))
vfs.VfsLfs2.mkfs(image, progsize=256)
vfs.mount(vfs.VfsLfs2(image, progsize=256), "/image")
copy(folder, "/image")
vfs.umount("/image")
with open(path, "wb") as file:
    file.write(image.data)
