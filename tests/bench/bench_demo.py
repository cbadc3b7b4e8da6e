"""``make bench-demo``: how long ``make run`` takes, a press to the lamp and to the figure, and the memory of it all.

    1   starts a demonstration in an empty folder, measures it and its memory, stops it; starts it once more
    2   runs it a third time within this process, with the simulated city at work at all other desks, and presses
        ``--presses`` times at the reserved one: from the byte on the pad's wire to the lamp's byte, and to the vote
        in the answer of the api

Absolute figures depend on the machine and on who else uses it; nothing here passes or fails.
"""

import argparse
import asyncio
import contextlib
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import httpx2
import psutil

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from sim.city import CITY  # noqa: E402
from sim.demo import Demo, Options  # noqa: E402
from sim.interpreter import find  # noqa: E402
from sim.screen import Screen  # noqa: E402

DESK = CITY.desks[0].id
STARTED = "Ctrl-C stops everything."
WARM_S = 10.0
LAMPS = {1: "100", 2: "010", 3: "001"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--presses", type=int, default=200)
    parser.add_argument("--fast", action="store_true", help="five weeks of history instead of a year")
    options = parser.parse_args()
    load = os.getloadavg()[0]
    print(f"{platform.platform()}, {os.cpu_count()} cores, load {load:.1f}, Python {platform.python_version()}\n")
    with tempfile.TemporaryDirectory(prefix="zrazkovo-bench-") as folder:
        data = Path(folder) / "demo"
        flags = ["--fast"] if options.fast else []
        print(f"first run          {start_and_stop(data, flags, weigh=False):8.1f} s to the address")
        print(f"second run         {start_and_stop(data, flags, weigh=True):8.1f} s to the address\n")
        asyncio.run(press(data, options.presses))


def start_and_stop(data: Path, flags: Sequence[str], *, weigh: bool) -> float:
    """Seconds from the command to the printed address; prints the memory if asked to."""
    began = time.monotonic()
    command = [sys.executable, "-m", "sim", "run", "--data", str(data), "--any-ports", *flags]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        for line in process.stdout:
            if line.startswith(STARTED):
                break
        took_s = time.monotonic() - began
        if weigh:
            time.sleep(WARM_S)
            print_memory(psutil.Process(process.pid))
        process.terminate()
        process.stdout.read()
    assert process.returncode == 0, "the demonstration failed"
    return took_s


def print_memory(supervisor: psutil.Process) -> None:
    """PSS (shared pages divided among their users) of every process, and USS (what its end would free) of the pads."""
    interpreter = find(os.environ)[-1]
    pads = []
    total_bytes = 0
    for process in [supervisor, *supervisor.children(recursive=True)]:
        memory = process.memory_full_info()
        total_bytes += memory.pss
        words = process.cmdline()
        if interpreter in words:
            pads.append(memory)
            continue
        name = words[words.index("sim.tether") + 1 :][:2] if "sim.tether" in words else ["supervisor"]
        print(f"memory             {memory.pss / 1e6:8.1f} MB  {' '.join(name).removesuffix(' --config')}")
    pss, uss = ([getattr(pad, what) / 1e6 for pad in pads] for what in ("pss", "uss"))
    if pads:
        print(f"memory             {sum(pss):8.1f} MB  {len(pads)} pads, {statistics.median(uss):.1f} MB its own each")
    print(f"memory             {total_bytes / 1e6:8.1f} MB  all of it (PSS)")


async def press(data: Path, presses: int) -> None:
    demo = Demo(Options(data=data, any_ports=True, has_history=False), _Silent())
    running = asyncio.create_task(demo.run())
    await asyncio.wait([running, asyncio.create_task(demo.ready.wait())], return_when=asyncio.FIRST_COMPLETED)
    try:
        await _press(demo, presses)
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


async def _press(demo: Demo, presses: int) -> None:
    assert demo.stack
    pads, address = demo.stack.pads, demo.stack.address
    to_lamp, to_figure, to_armed = [], [], []
    headers = {"Authorization": f"Bearer {demo.token}"}
    async with httpx2.AsyncClient(base_url=address, headers=headers, trust_env=False, timeout=10) as client:
        while not pads.connected(DESK):
            await asyncio.sleep(0.05)
        await asyncio.sleep(WARM_S)
        for number in range(presses):
            votes, button = await _votes(client), 1 + number % 3
            began = time.perf_counter()
            (await client.post(f"/v1/try/{DESK}/call")).raise_for_status()
            await pads.wait_lamps(DESK, "111", 10)
            to_armed.append(time.perf_counter() - began)
            await asyncio.sleep(0.1)
            began = time.perf_counter()
            pads.press(DESK, button)
            await pads.wait_lamps(DESK, LAMPS[button], 10)
            to_lamp.append(time.perf_counter() - began)
            while await _votes(client) == votes:
                pass
            to_figure.append(time.perf_counter() - began)
            pads.release(DESK, button)
    _print("call to three lamps", to_armed)
    _print("press to lamp", to_lamp)
    _print("press to figure", to_figure)


async def _votes(client: httpx2.AsyncClient) -> int:
    question = {"by": "desk", "key": DESK, "period": "year", "purpose": "analysis"}
    answer = await client.get("/v1/aggregates", params=question)
    return sum(cell["votes"] for cell in answer.raise_for_status().json()["cells"])


def _print(what: str, seconds: list[float]) -> None:
    worst_ms, median_ms = 1000 * max(seconds), 1000 * statistics.median(seconds)
    print(f"{what:18} {median_ms:8.1f} ms median, {worst_ms:.1f} ms worst of {len(seconds)}")


class _Silent(Screen):
    """The address of a demonstration that runs in here is of no use to anybody."""

    def say(self, text: str) -> None:
        pass

    def panel(self, address: str, lines: list[str]) -> None:
        pass


if __name__ == "__main__":
    main()
