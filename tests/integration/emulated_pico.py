"""A Pico W without a Pico W: rp2040py runs a MicroPython image, its console a pseudo-terminal. It is a program.

    python -m tests.integration.emulated_pico IMAGE.uf2    prints a JSON line with the port, then one a second with the
                                                           emulated time; a line "press 1" on stdin pushes a button

Emulated time is not paced and knows no flash wait states: it is a lower bound, and says nothing about the network.
"""

import argparse
import asyncio
import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

from rp2040py.boards import BOARDS, FlashLayout
from rp2040py.cli.pty_repl import PtyInteractiveRepl
from rp2040py.device import MicroPythonDevice

# MicroPython's file system on a Pico W: the last 848 KB of 2 MB.
_LAYOUT = FlashLayout(0x200000 - 848 * 1024, 212, 4096)
_BUTTON_US = 80_000
# Bytes that come in one burst are given to the guest together, so much emulated time after the first.
_BURST_NS = 50_000


def make_quiet(device: MicroPythonDevice) -> None:
    """Lets the USB host answer a read only when it has something, as a real host does.

    The emulator's own host floods the guest with empty packets, which costs it most of its time.
    """
    cdc: Any = device.cdc
    usb = cdc.usb
    theirs, theirs_reset, push = usb.on_endpoint_read, usb.on_reset, cdc.tx_fifo.push
    waiting: dict[int, int] = {}

    def on_read(endpoint: int, size: int) -> None:
        if endpoint == cdc._out_endpoint and endpoint != 0 and not cdc.tx_fifo.item_count:
            waiting[endpoint] = size
        else:
            theirs(endpoint, size)

    def send(byte: int) -> None:
        push(byte)
        if waiting:
            endpoint, size = waiting.popitem()
            device.simulator.clock.create_alarm(lambda: theirs(endpoint, size)).schedule(_BURST_NS)

    def on_reset() -> None:
        waiting.clear()
        theirs_reset()

    usb.on_endpoint_read = on_read
    usb.on_reset = on_reset
    cdc.send_serial_byte = send


async def serve(image: Path, buttons: tuple[int, ...]) -> None:
    spec = dataclasses.replace(BOARDS["pico_w"], image=image, layout=_LAYOUT)
    device = MicroPythonDevice(board=spec)
    make_quiet(device)
    for pin in buttons:
        device.mcu.gpio[pin].set_input_value(True)  # the pull-ups
    await device.astart()
    terminal = PtyInteractiveRepl(device.cdc, device.simulator, on_quit=lambda _code: None)
    await terminal.start()
    print(json.dumps({"port": terminal.slave_path}), flush=True)
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    asking = asyncio.ensure_future(reader.readline())
    while True:
        done, _ = await asyncio.wait([asking], timeout=1)
        print(json.dumps({"emulated_s": round(device.simulator.clock.nanos / 1e9, 3)}), flush=True)
        if not done:
            continue
        words = asking.result().decode().split()
        if not words:
            return
        pin = device.mcu.gpio[buttons[int(words[1]) - 1]]
        pin.set_input_value(False)
        device.simulator.clock.create_alarm(lambda pin=pin: pin.set_input_value(True)).schedule(_BUTTON_US * 1000)
        asking = asyncio.ensure_future(reader.readline())


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("image", type=Path)
    parser.add_argument("--buttons", default="", help="their GPIO numbers: 2,3,4")
    arguments = parser.parse_args()
    asyncio.run(serve(arguments.image, tuple(int(each) for each in arguments.buttons.split(",") if each)))
