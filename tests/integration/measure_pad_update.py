"""What an update costs, printed: python -m tests.integration.measure_pad_update (a minute or two, no assertions).

Time over loopback and heap of a real pad whose every file changes, and of one where only the version does; block
operations of the flash chip for the same files (tests/micropython/measure_update.py).
"""

import os
import subprocess
import tempfile
import time
from pathlib import Path

from firmware.host.boards import available
from firmware.host.release import bundle
from protocol import codec
from protocol.messages import Command, Health, PadStatus
from tests.integration.pad_broker import Centre, Mosquitto
from tests.integration.pad_process import micropython
from tests.integration.update_bench import NEW, ROOT, Fleet, Workshop


def said_at(centre: Centre, state: str) -> float:
    return next(at for at, _, message, _ in centre.heard if isinstance(message, PadStatus) and message.update == state)


def heap(centre: Centre) -> int:
    """Bytes in use after a collection, as the pad reports."""
    centre.publish("command", codec.encode(Command("m", "report")), retain=False)
    known = sum(isinstance(message, Health) for _, _, message, _ in centre.heard)
    health = centre.wait_for(lambda message: isinstance(message, Health), known + 1)
    assert isinstance(health, Health)
    return health.heap_used_bytes


def measure(workshop: Workshop, folder: Path, offered: Path) -> None:
    broker = Mosquitto(folder / "broker").start()
    centre = Centre(broker.port)
    fleet = Fleet(broker.port, centre)
    pad = workshop.pad(folder, broker.port).start()
    try:
        pad.wait_for_log("connected")
        before = heap(centre)
        fleet.stop_after = 12
        fleet.offer(offered)
        fleet.wait_until_served(min(12, 11))
        time.sleep(0.3)  # the piece is on its way; this only measures
        during = heap(centre)
        fleet.stop_after = None
        began = time.monotonic()
        centre.wait_for_status(update="done", firmware=NEW)
        loaded, done = said_at(centre, "waiting"), said_at(centre, "done")
        print(f"  {fleet.served} pieces; heap in use before: {before:,}, while loading: {during:,}")
        print(f"  from the 12th piece to all verified {loaded - began:.2f} s (one retry of 0.5 s may be in it)")
        print(f"  from there to committed {done - loaded:.2f} s (0.5 s of it online)")
    finally:
        pad.kill()
        fleet.close()
        centre.close()
        broker.stop()


def main() -> None:
    for board in available():
        files = bundle(board, "1.0.0")
        print(f"{board}: {len(files)} files, {sum(map(len, files.values())):,} bytes")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        workshop = Workshop(folder / "workshop")
        print("only the version changes:")
        measure(workshop, folder / "small", workshop.good)
        source = workshop.change("everything", {})
        for path in [*source.glob("firmware/**/*.py"), *source.glob("protocol/*.py")]:
            path.write_text(path.read_text() + '\n_CHANGED = "in every file"\n')
        workshop.source = source
        print("every file changes:")
        measure(workshop, folder / "large", workshop.release(NEW, name="everything-released"))
    sizes = [str(len(content)) for content in bundle("pico-w", "1").values()]
    script = str(ROOT / "tests/micropython/measure_update.py")
    subprocess.run([micropython(), "-X", "heapsize=16m", script, *sizes], env=os.environ, check=True)


if __name__ == "__main__":
    main()
