"""The same pad at another broker: plain amqtt, embedded, whose MQTT is not Mosquitto's."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from amqtt.broker import Broker
from amqtt.contexts import BrokerConfig, ListenerConfig

from firmware.host.build import build
from sim.ports import choose_lasting
from tests.integration.pad_broker import Centre
from tests.integration.pad_process import ALL, BAD, DARK, DEADLINE_S, EXEMPLARY, PadProcess

ONE, TWO = "0000000000000001", "0000000000000002"


@pytest.fixture
def port() -> Iterator[int]:
    """An amqtt of its own, in a thread."""
    port = choose_lasting()
    loop = asyncio.new_event_loop()
    ready = threading.Event()
    config = BrokerConfig(
        listeners={"default": ListenerConfig(bind=f"127.0.0.1:{port}")},
        plugins={"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
    )

    async def serve() -> None:
        broker = Broker(config)
        await broker.start()
        ready.set()
        await stopped.wait()
        await broker.shutdown()

    stopped = asyncio.Event()
    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), daemon=True)
    thread.start()
    assert ready.wait(DEADLINE_S)
    yield port
    loop.call_soon_threadsafe(stopped.set)
    thread.join(DEADLINE_S)
    loop.close()


def test_a_call_a_vote_an_ack_and_a_restart_at_amqtt(port: int, tmp_path: Path) -> None:
    centre = Centre(port)
    pad = PadProcess(build(tmp_path / "firmware"), tmp_path / "pad", broker_port=port).start()
    try:
        centre.open_call(ONE)
        pad.wait_for_lamps(ALL)
        pad.press(3)
        pad.wait_for_lamps(EXEMPLARY)
        first = centre.wait_for_vote(ONE)
        centre.cut_power(pad)
        pad.start()
        pad.wait_for_lamps(EXEMPLARY)
        again = centre.wait_for_vote(ONE)
        assert (again.call, again.rating, again.boot, again.seq) == (ONE, 3, 1, first.seq)
        centre.acknowledge(again)
        centre.open_call(TWO)
        pad.wait_for_lamps(ALL)
        pad.press(1)
        pad.wait_for_lamps(BAD)
        second = centre.wait_for_vote(TWO)
        assert (second.seq, second.rating, second.boot) == (2, 1, 2)
        centre.close_call(TWO)
        pad.wait_for_lamps(DARK)
        centre.publish("call", b"x" * 3000, retain=False)
        pad.wait_for_log("refused")
        assert "disconnected" not in pad.log
    finally:
        pad.kill()
        centre.close()
