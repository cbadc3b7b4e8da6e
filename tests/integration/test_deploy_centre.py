"""A centre from generated files: two collectors of one template unit on a real PostgreSQL, fed by a bridge's user."""

from pathlib import Path

import paho.mqtt.client as paho

from collector.store import Store
from firmware.host.ca import Authority
from protocol import codec, topics
from tests.integration.collector_process import event
from tests.integration.deployed import Installation, until
from tests.integration.postgres import Postgres
from tests.unit.test_deploy import REGISTER

EVENTS = 40


def without_password(url: str, file: Path) -> str:
    """libpq's way to keep it out of the URL."""
    start, _, rest = url.partition("//")
    user, password = rest.partition("@")[0].split(":")
    file.write_text(f"*:*:*:{user}:{password}\n")
    file.chmod(0o600)
    return f"{start}//{user}@{rest.partition('@')[2]}?passfile={file}"


def test_two_collectors_of_one_unit_share_what_a_bridge_brings(
    cluster: Postgres, authority: Authority, tmp_path: Path
) -> None:
    register = tmp_path / "register.toml"
    register.write_text(REGISTER)
    url = without_password(cluster.url(), tmp_path / "pgpass")
    centre = Installation(tmp_path / "centre", "centre", register)
    centre.write(authority, "localhost", "--database", url, "--collectors", "2")
    client = paho.Client(paho.CallbackAPIVersion.VERSION2)
    client.username_pw_set("bridge-zamostia", centre.secret("bridge-zamostia.broker_password"))
    client.tls_set(str(centre.out / "tls" / "ca.pem"))
    heard: list[str] = []
    client.on_message = lambda _client, _data, message: heard.append(message.topic)
    try:
        centre.start_broker()
        for unit in ("collector@1", "collector@2"):
            centre.start(unit, " ready")
        client.connect("localhost", centre.ports["pads"])
        client.subscribe("#", 1)  # granted by Mosquitto, and then held back: see protocol/access.py
        client.loop_start()
        for number in range(EVENTS):
            told = event(number, desk="zamostia-1", seq=number + 1)
            client.publish(topics.queue("zamostia", "event"), codec.encode(told), 1).wait_for_publish(20)
            foreign = event(number, desk="centre-1", seq=number + 1)
            client.publish(topics.queue("centre", "event"), codec.encode(foreign), 1).wait_for_publish(20)
        with Store.open(url) as store:
            until(lambda: store.counts()["calls"] == EVENTS, lambda: centre.log("collector@1") + centre.log("broker"))
        until(lambda: heard, lambda: centre.log("broker"))
        assert set(heard) == {topics.queue("zamostia", "ack")}
        for unit in ("collector@1", "collector@2"):
            assert centre.stop(unit) == 0
            assert "called" in centre.log(unit) or "messages" in centre.log(unit), "each took a part"
    finally:
        client.disconnect()
        client.loop_stop()
        centre.end()
