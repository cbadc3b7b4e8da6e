"""TLS from our servers to a real Mosquitto: whom they believe, what they say when they do not, and how they go on."""

import base64
import os
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from collector.errors import BrokerError
from collector.mqtt import Broker, Delivery
from collector.tls import Trust
from firmware.host.ca import Authority
from protocol import codec, topics
from tests.integration.collector_process import ROOT, register_file, vote
from tests.integration.office import OfficeBroker
from tests.integration.pad_process import DEADLINE_S

USERS = {"collector": "collector", "collector.feed": "feed", "collector.fleet": "it"}
READY = {
    "collector": " ready",
    "collector.feed": "connected to the broker",
    "collector.fleet": "connected to the broker",
}


@pytest.fixture
def other(tmp_path: Path) -> Authority:
    authority = Authority(tmp_path / "other")
    authority.init("Office CA")  # the name alone proves nothing
    return authority


def shows(broker: OfficeBroker, certificate: Path) -> None:
    for suffix in (".pem", ".key") if certificate != broker.certificate else ():
        shutil.copy(certificate.with_suffix(suffix), broker.certificate.with_suffix(suffix))
    broker.reload()


def connect(broker: OfficeBroker, trust: Trust | None, port: int | None = None) -> Broker:
    address = ("127.0.0.1", port or broker.tls_port)
    return Broker(address, user="collector", password="secret-of-collector", client_id="collector-1", trust=trust)


def refused(broker: OfficeBroker, trust: Trust | None, port: int | None = None) -> str:
    """What is said; asked until it is, because a broker takes a moment to read its certificate again."""
    with pytest.raises(BrokerError) as raised:
        connect(broker, trust, port)
    return str(raised.value)


def refused_for(broker: OfficeBroker, trust: Trust, words: str) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while True:
        try:
            connect(broker, trust).close()
            said = "(connected)"
        except BrokerError as error:
            said = str(error)
        if words in said:
            return
        assert time.monotonic() < deadline, said
        time.sleep(0.02)


class Program:
    """One of our three servers, told everything by its environment."""

    def __init__(self, module: str, folder: Path, broker: OfficeBroker, ca: Path, **settings: str):
        self.module = module
        self._log = folder / "program.log"
        self._process: subprocess.Popen[bytes] | None = None
        given = {
            "BROKER_HOST": "127.0.0.1",
            "BROKER_PORT": str(broker.tls_port),
            "BROKER_PASSWORD": broker.password(USERS[module]),
            "BROKER_CA": str(ca),
            "DATABASE_URL": f"sqlite:///{folder / 'program.db'}",
        } | settings
        if module == "collector.feed":
            given |= {"REGISTER_FILE": str(register_file(folder, ("desk-1",))), "LISTEN_PORT": "0"}
            given |= {"TICKET_SECRET": "secret-of-the-tests"}
        prefix = f"ZRAZKOVO_{module.rpartition('.')[2].upper()}_"
        self._environ = os.environ | {prefix + key: value for key, value in given.items()}

    def start(self) -> "Program":
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", self.module], cwd=ROOT, env=self._environ, stderr=output
            )
        return self

    @property
    def says(self) -> str:
        return self._log.read_text()

    def wait_for(self, reached: Callable[[str], bool]) -> None:
        deadline = time.monotonic() + DEADLINE_S
        while not reached(self.says):
            assert self._process and self._process.poll() is None, self.says
            assert time.monotonic() < deadline, self.says
            time.sleep(0.01)

    def end(self) -> int:
        assert self._process
        return self._process.wait(DEADLINE_S)

    def kill(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()


def test_each_reason_not_to_believe_a_broker_is_said_with_what_to_do(
    broker: OfficeBroker, authority: Authority, other: Authority
) -> None:
    trust = Trust(authority.folder / "ca.pem")
    connect(broker, trust).close()
    refused_for(broker, Trust(other.folder / "ca.pem"), "into broker_ca")
    shows(broker, authority.server(["127.0.0.1", "expired"], days=0))
    refused_for(broker, trust, "expired")
    shows(broker, authority.server(["elsewhere.office.example", "127.0.0.2"]))
    refused_for(broker, trust, "not for '127.0.0.1'")
    shows(broker, other.server(["127.0.0.1"]))
    refused_for(broker, trust, "no authority in")
    assert "is this the port of its TLS listener" in refused(broker, trust, broker.port)
    assert "does this port want TLS" in refused(broker, None)


def test_a_broker_that_knows_no_newer_tls_than_1_1_is_refused(authority: Authority) -> None:
    context = Trust(authority.folder / "ca.pem").context()
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert context.check_hostname and context.verify_mode == ssl.CERT_REQUIRED


@pytest.mark.parametrize("module", USERS)
def test_a_program_says_once_what_is_wrong_and_connects_when_it_is_put_right(
    module: str, broker: OfficeBroker, authority: Authority, tmp_path: Path
) -> None:
    good = tmp_path / "good.pem"
    for suffix in (".pem", ".key"):
        shutil.copy(broker.certificate.with_suffix(suffix), good.with_suffix(suffix))
    shows(broker, authority.server(["127.0.0.1", "expired"], days=0))
    refused_for(broker, Trust(authority.folder / "ca.pem"), "expired")
    program = Program(module, tmp_path, broker, authority.folder / "ca.pem").start()
    words, alert = "put a new one at the broker", "alert certificate expired"
    try:
        program.wait_for(lambda said: words in said)
        tried = broker.says.count(alert)
        program.wait_for(lambda _: broker.says.count(alert) >= tried + 2)
        assert program.says.count(words) == 1
        shows(broker, good)
        program.wait_for(lambda said: READY.get(module, "connected to the broker") in said)
    finally:
        program.kill()


@pytest.mark.parametrize("module", USERS)
def test_a_ca_that_cannot_be_read_is_refused_at_the_start(module: str, broker: OfficeBroker, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.pem"
    damaged.write_text("-----BEGIN CERTIFICATE-----")
    program = Program(module, tmp_path, broker, damaged).start()
    assert program.end() == 2
    assert f"broker_ca: {damaged}" in program.says


def test_a_collector_proves_itself_by_certificate_where_the_broker_demands_it(
    authority: Authority, tmp_path: Path
) -> None:
    options = f"cafile {authority.folder / 'ca.pem'}\nrequire_certificate true\n"
    broker = OfficeBroker(tmp_path / "strict", authority, options=options)
    broker.start()
    try:
        ca, made = authority.folder / "ca.pem", authority.client("collector")
        pair = tmp_path / "collector.pem", tmp_path / "collector.key"
        pair[0].write_text(ssl.DER_cert_to_PEM_cert(made.read_bytes()))
        key = base64.encodebytes(made.with_suffix(".key").read_bytes()).decode()
        pair[1].write_text(f"-----BEGIN EC PRIVATE KEY-----\n{key}-----END EC PRIVATE KEY-----\n")
        connect(broker, Trust(ca, *pair)).close()
        assert "a certificate of ours" in refused(broker, Trust(ca))
    finally:
        broker.stop()


@pytest.fixture
def one_record(authority: Authority) -> Iterator[int]:
    """A peer that grants the subscriptions and sends a vote in one and the same record of TLS; gives its port."""
    certificate = authority.server(["127.0.0.1", "record"])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_suffix(".key"))
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with context.wrap_socket(listening.accept()[0], server_side=True) as line:
            line.recv(4096)
            line.sendall(b"\x20\x02\x00\x00")  # CONNACK
            asked = line.recv(4096)  # SUBSCRIBE, four filters: one byte of type, two of length at most
            number = asked[2:4] if asked[1] < 128 else asked[3:5]
            topic = topics.desk("desk-1", "vote").encode()
            body = len(topic).to_bytes(2, "big") + topic + b"\x00\x07" + codec.encode(vote(1, 3, seq=1))
            length = bytes((len(body) % 128 | 128, len(body) // 128))
            line.sendall(b"\x90\x06" + number + b"\x01\x01\x00\x01" + b"\x32" + length + body)
            line.recv(4096)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield listening.getsockname()[1]
    thread.join(DEADLINE_S)
    listening.close()


def test_what_tls_has_read_ahead_is_not_waited_for(one_record: int, authority: Authority) -> None:
    trust = Trust(authority.folder / "ca.pem")
    broker = Broker(("127.0.0.1", one_record), user="collector", password="-", client_id="collector-1", trust=trust)
    began = time.monotonic()
    arrived: list[Delivery] = []
    while not arrived and time.monotonic() < began + DEADLINE_S:
        arrived = broker.receive(DEADLINE_S)  # as long as that if it waits for the socket
    broker.close()
    assert [each.arrival.topic for each in arrived] == [topics.desk("desk-1", "vote")]
    assert time.monotonic() - began < DEADLINE_S / 2
