"""Real pads in real MicroPython processes, on the embedded broker, played by the simulator's hands."""

import asyncio
import json
import os
import queue
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import paho.mqtt.client as paho
import psutil
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from protocol import codec, topics
from protocol.messages import CallClosed, CallOpened, Vote
from sim.children import ROOT, Child
from sim.errors import ChildFailed, NoInterpreter
from sim.interpreter import Firmware, compile_firmware, find
from sim.pads import Pads, PadSpec
from sim.passwords import new_secret, password_file, write_private
from sim.ports import choose_lasting

CALL, NEXT_CALL = "0123456789abcde0", "0123456789abcde1"


@pytest.fixture(scope="module")
def firmware(tmp_path_factory: pytest.TempPathFactory) -> Firmware:
    try:
        return compile_firmware(tmp_path_factory.mktemp("firmware"), os.environ)
    except NoInterpreter as error:
        pytest.skip(f"MicroPython: {error}")


class Hall:
    """A broker, pads at desk-a and desk-b, and a client that is feed and collector in one."""

    def __init__(self, pads: Pads, port: int, secrets: dict[str, str]):
        self.pads = pads
        self.votes: queue.Queue[Vote] = queue.Queue()
        self._feed = self._client("feed", port, secrets)
        self._collector = self._client("collector", port, secrets)
        self._collector.on_message = lambda _c, _u, message: self.votes.put(codec.decode("vote", message.payload))
        granted: queue.Queue[bool] = queue.Queue()
        self._collector.on_subscribe = lambda *_: granted.put(True)
        self._collector.subscribe(topics.every_desk("vote"), 1)
        granted.get(timeout=60)

    def call(self, desk: str, call: str) -> None:
        now_unix_ms = time.time_ns() // 1_000_000
        self._publish(desk, CallOpened(call, now_unix_ms, now_unix_ms + 3_600_000))

    def close(self, desk: str, call: str) -> None:
        self._publish(desk, CallClosed(call, time.time_ns() // 1_000_000))

    def leave(self) -> None:
        for client in (self._feed, self._collector):
            client.disconnect()
            client.loop_stop()

    def _publish(self, desk: str, message: CallOpened | CallClosed) -> None:
        payload = codec.encode(message)
        self._feed.publish(topics.desk(desk, "call"), payload, 1, retain=True).wait_for_publish(60)

    @staticmethod
    def _client(user: str, port: int, secrets: dict[str, str]) -> paho.Client:
        client = paho.Client(CallbackAPIVersion.VERSION2, client_id=user + "-1")
        client.username_pw_set(user, secrets[user])
        client.connect("127.0.0.1", port)
        client.loop_start()
        return client


@asynccontextmanager
async def hall(tmp_path: Path, firmware: Firmware) -> AsyncIterator[Hall]:
    secrets = {user: new_secret() for user in ("desk-a", "desk-b", "feed", "collector")}
    write_private(tmp_path / "passwords", password_file(secrets))
    port = choose_lasting()
    config = tmp_path / "broker.toml"
    config.write_text(f'listen_port = {port}\npassword_file = "{tmp_path}/passwords"\n', encoding="utf-8")
    arguments = ["sim", "broker", "--config", str(config)]
    broker = Child("broker", arguments, environ={}, log_file=tmp_path / "broker.log")
    pads = Pads(tmp_path / "pads", firmware, ("127.0.0.1", port))
    await broker.start()
    try:
        await pads.start([PadSpec(desk, secrets[desk]) for desk in ("desk-a", "desk-b")])
        await until(lambda: pads.connected("desk-a") and pads.connected("desk-b"))
        played = Hall(pads, port, secrets)
        yield played
        played.leave()
    finally:
        await pads.stop()
        await broker.stop()


async def until(condition: Callable[[], object], within_s: float = 60.0) -> None:
    async with asyncio.timeout(within_s):
        while not condition():
            await asyncio.sleep(0.01)


def play(tmp_path: Path, firmware: Firmware, scene: Callable[[Hall], Awaitable[None]]) -> None:
    async def run() -> None:
        async with hall(tmp_path, firmware) as stage:
            await scene(stage)

    asyncio.run(run())


def test_a_call_lights_a_press_leaves_one_lamp_and_the_vote_goes_out(tmp_path: Path, firmware: Firmware) -> None:
    async def scene(hall: Hall) -> None:
        seen: list[tuple[str, str]] = []
        hall.pads.subscribe(lambda desk, lamps: seen.append((desk, lamps)))
        hall.call("desk-a", CALL)
        await hall.pads.wait_lamps("desk-a", "111", 60)
        hall.pads.press("desk-a", 3)
        hall.pads.release("desk-a", 3)
        await hall.pads.wait_lamps("desk-a", "001", 60)
        vote = await asyncio.to_thread(hall.votes.get, timeout=60)
        assert (vote.call, vote.rating) == (CALL, 3)
        hall.close("desk-a", CALL)
        await hall.pads.wait_lamps("desk-a", "000", 60)
        assert seen == [("desk-a", "111"), ("desk-a", "001"), ("desk-a", "000")]
        assert hall.pads.lamps("desk-b") == "000"

    play(tmp_path, firmware, scene)


def test_a_pad_without_power_is_dark_and_shows_its_vote_when_power_is_back(tmp_path: Path, firmware: Firmware) -> None:
    async def scene(hall: Hall) -> None:
        hall.call("desk-a", CALL)
        await hall.pads.wait_lamps("desk-a", "111", 60)
        hall.pads.press("desk-a", 1)
        await hall.pads.wait_lamps("desk-a", "100", 60)
        await asyncio.to_thread(hall.votes.get, timeout=60)
        hall.pads.kill("desk-a")
        await hall.pads.wait_lamps("desk-a", "000", 60)
        assert not hall.pads.connected("desk-a")
        hall.pads.press("desk-a", 2)
        await hall.pads.restart("desk-a")
        await hall.pads.wait_lamps("desk-a", "100", 60)

    play(tmp_path, firmware, scene)


def test_a_pad_that_dies_by_itself_comes_back(tmp_path: Path, firmware: Firmware) -> None:
    async def scene(hall: Hall) -> None:
        first = hall.pads.pids()["desk-b"]
        os.kill(first, signal.SIGKILL)
        await until(lambda: hall.pads.pids().get("desk-b") not in (None, first) and hall.pads.connected("desk-b"))
        hall.call("desk-b", NEXT_CALL)
        await hall.pads.wait_lamps("desk-b", "111", 60)

    play(tmp_path, firmware, scene)


def test_stopping_leaves_no_process_and_no_secret_was_in_an_argument(tmp_path: Path, firmware: Firmware) -> None:
    pids: list[int] = []

    async def scene(hall: Hall) -> None:
        pids.extend(hall.pads.pids().values())
        for desk, pid in hall.pads.pids().items():
            settings = tmp_path / "pads" / desk / "pad.json"
            assert settings.stat().st_mode & 0o777 == 0o600
            assert json.loads(settings.read_text())["password"] not in " ".join(psutil.Process(pid).cmdline())

    play(tmp_path, firmware, scene)
    assert len(pids) == 2
    assert not any(psutil.pid_exists(pid) for pid in pids)


def test_a_desk_without_a_pad_is_dark_and_deaf(tmp_path: Path) -> None:
    pads = Pads(tmp_path, Firmware(("false",), tmp_path / "main.py"), ("127.0.0.1", 1))
    pads.press("desk-a", 1)
    pads.release("desk-a", 1)
    assert pads.lamps("desk-a") == "000"
    assert not pads.connected("desk-a")


def test_a_pad_that_cannot_start_is_named(tmp_path: Path) -> None:
    entry = tmp_path / "main.py"
    entry.write_text("print('# no flash')\n")
    pads = Pads(tmp_path, Firmware((sys.executable, "-E"), entry), ("127.0.0.1", 1))

    async def run() -> None:
        try:
            await pads.start([PadSpec("desk-a", "secret")])
        finally:
            await pads.stop()

    with pytest.raises(ChildFailed, match=r"desk-a.*no flash"):
        asyncio.run(run())


def test_pads_end_when_their_starter_is_killed(tmp_path: Path, firmware: Firmware) -> None:
    script = tmp_path / "starter.py"
    script.write_text(
        "import asyncio, sys\nfrom pathlib import Path\n"
        "from sim.interpreter import Firmware\nfrom sim.pads import Pads, PadSpec\n"
        f"firmware = Firmware({firmware.command!r}, Path({str(firmware.entry)!r}))\n"
        "async def run():\n"
        f"    pads = Pads(Path({str(tmp_path)!r}), firmware, ('127.0.0.1', 1))\n"
        "    await pads.start([PadSpec('desk-a', 'secret')])\n"
        "    print(pads.pids()['desk-a'], flush=True)\n"
        "    await asyncio.sleep(600)\n"
        "asyncio.run(run())\n"
    )
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    starter = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True, env=environ)
    assert starter.stdout is not None
    pad = psutil.Process(int(starter.stdout.readline()))
    starter.kill()
    starter.wait()
    pad.wait(timeout=60)


def test_the_interpreter_can_be_named_and_a_wrong_name_is_refused(tmp_path: Path) -> None:
    assert find({"MICROPYTHON": sys.executable}) == (sys.executable,)
    with pytest.raises(NoInterpreter, match=r"MICROPYTHON=.*not a program"):
        find({"MICROPYTHON": str(tmp_path / "none")})
