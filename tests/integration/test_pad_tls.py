"""Whom a real pad believes (MicroPython's TLS, real Mosquitto), how it finds names and time, and roll-overs."""

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from firmware.host.ca import Authority
from sim.bad_network import BadNetwork
from tests.integration.office import Office, OfficeBroker
from tests.integration.office_pads import STALL_LIMIT_MS, vote, works_on
from tests.integration.pad_process import ALL, BAD, PadProcess
from tests.integration.pad_servers import NameServer, TimeServer
from tests.starved import starved_s

MakePad = Callable[..., PadProcess]


@pytest.fixture
def names() -> Iterator[NameServer]:
    server = NameServer()
    yield server
    server.close()


def serve(broker: OfficeBroker, certificate: Path) -> None:
    """The broker shows this certificate from now on."""
    for suffix in (".pem", ".key") if certificate != broker.certificate else ():
        shutil.copy(certificate.with_suffix(suffix), broker.certificate.with_suffix(suffix))
    broker.reload()


def refused(pad: PadProcess, reason: str) -> None:
    pad.wait_for_log(f"disconnected: 71 {reason}", times=2)
    assert "# connected" not in pad.log


def test_a_broker_of_another_authority_is_refused(make_pad: MakePad, tmp_path: Path) -> None:
    other = Authority(tmp_path / "other")
    other.init("Office CA")  # the name alone proves nothing
    pad = make_pad()
    shutil.copy(other.folder / "ca.der", pad.folder / "ca.der")
    refused(pad.start(), "The certificate is not correctly signed by the trusted CA")


def test_a_broker_under_another_name_is_refused(make_pad: MakePad, authority: Authority, broker: OfficeBroker) -> None:
    serve(broker, authority.server(["elsewhere.office.example", "127.0.0.2"]))
    refused(make_pad().start(), "The certificate Common Name (CN) does not match with the expected CN")


def test_an_expired_certificate_is_refused_and_its_renewal_is_taken_without_touching_the_pad(
    make_pad: MakePad, authority: Authority, broker: OfficeBroker, office: Office, network: BadNetwork
) -> None:
    serve(broker, authority.server(["127.0.0.1", "expired"], days=0))
    pad = make_pad().start()
    refused(pad, "The certificate validity has expired")
    serve(broker, authority.server(["127.0.0.1", "renewed"]))
    pad.wait_for_log("# connected")
    works_on(pad, office, network, vote(pad, office, 1))


@pytest.mark.parametrize("damage", [b"", b"-----BEGIN CERTIFICATE-----", b"\x30\x82\x01\x00" + bytes(256)])
def test_a_damaged_anchor_is_said_and_never_taken_for_no_encryption(make_pad: MakePad, damage: bytes) -> None:
    pad = make_pad()
    (pad.folder / "ca.der").write_bytes(damage)
    assert pad.start().wait_for_exit() == 2
    assert "ca.der does not hold certificates in DER" in pad.log


def test_a_pad_without_an_anchor_gets_nowhere_at_an_encrypted_port(make_pad: MakePad) -> None:
    pad = make_pad()
    (pad.folder / "ca.der").unlink()
    pad.start().wait_for_log("disconnected", times=2)
    assert "# connected" not in pad.log


def test_the_authority_is_rolled_over_without_a_vote_lost(
    make_pad: MakePad, broker: OfficeBroker, office: Office, network: BadNetwork, tmp_path: Path
) -> None:
    """Old anchor; then both, while the broker still shows the old certificate and then the new; then the new alone."""
    authority = Authority(tmp_path / "rolled")
    authority.init("Office CA")
    serve(broker, authority.server(["127.0.0.1"]))
    pad = make_pad()
    given: dict[str, int] = {}

    def boots_and_votes(rating: int) -> None:
        shutil.copy(authority.folder / "ca.der", pad.folder / "ca.der")
        pad.start().wait_for_log("# connected")
        given.update(vote(pad, office, rating))

    boots_and_votes(1)
    office.check(given)
    pad.kill()
    authority.renew()
    boots_and_votes(2)
    serve(broker, authority.server(["127.0.0.1"]))
    network.cut()
    pad.wait_for_log("# connected", times=2)
    given |= vote(pad, office, 3)
    office.check(given)
    pad.kill()
    authority.retire()
    boots_and_votes(1)
    office.check(given)


def test_a_pad_proves_itself_by_certificate_where_the_broker_demands_it(
    make_pad: MakePad, authority: Authority, office: Office, network: BadNetwork, tmp_path: Path
) -> None:
    options = f"cafile {authority.folder / 'ca.pem'}\nrequire_certificate true\n"
    strict = OfficeBroker(tmp_path / "strict", authority, options=options)
    strict.start()
    network.target_port = strict.tls_port
    there = Office(strict)
    try:
        without = make_pad().start()
        without.wait_for_log("disconnected", times=2)
        assert "# connected" not in without.log
        without.kill()
        pad = make_pad()
        made = authority.client("desk-1")
        shutil.copy(made, pad.folder / "client.der")
        shutil.copy(made.with_suffix(".key"), pad.folder / "client.key")
        pad.start().wait_for_log("# connected")
        works_on(pad, there, network, vote(pad, there, 2))
    finally:
        there.close()
        strict.stop()


def test_a_broker_by_name_is_found_and_found_again_when_the_name_server_is_gone(
    make_pad: MakePad, office: Office, network: BadNetwork, names: NameServer
) -> None:
    pad = make_pad(broker_host="broker.office.example", dns=[names.address]).start()
    pad.wait_for_log("# connected")
    assert len(names.questions) == 1
    names.answers = False
    given = vote(pad, office, 1)
    network.cut()
    pad.wait_for_log("# connected", times=2)
    assert len(names.questions) == 1  # the address that worked is used first
    network.accepts = False
    network.cut()
    names.wait_for_questions(2)  # now it is doubted
    network.accepts = True
    pad.wait_for_log("# connected", times=3)
    works_on(pad, office, network, given)


def test_while_a_name_server_hangs_the_pad_does_not(
    make_pad: MakePad, office: Office, network: BadNetwork, names: NameServer
) -> None:
    names.answers = False
    pad = make_pad(broker_host="broker.office.example", dns=[names.address]).start()
    names.wait_until_asked(3)
    pad.press(1)
    pad.wait_for_log("no address for the broker's name")
    names.answers = True
    pad.wait_for_log("# connected")
    assert office.report().no_call == 1
    works_on(pad, office, network, vote(pad, office, 3))


def test_a_host_of_the_hosts_file_needs_no_name_server(make_pad: MakePad, names: NameServer) -> None:
    pad = make_pad(broker_host="localhost", dns=[names.address]).start()
    pad.wait_for_log("# connected")
    assert names.asked == 0


def test_the_time_is_asked_for_and_taken(make_pad: MakePad, office: Office) -> None:
    """A clock set an hour back: a call that is open "in an hour" is from the future then, and does not arm."""
    server = TimeServer()
    server.off_s = -3600
    pad = make_pad(ntp_host=server.address).start()
    server.wait_until_asked(1)
    pad.wait_for_log("# connected")
    office.open_call()
    pad.wait_for_log("not armed")
    server.close()


def test_handshakes_stall_the_pad_for_moments_only_and_leave_nothing_on_its_heap(
    pad: PadProcess, office: Office, network: BadNetwork
) -> None:
    before = office.report()
    for times in range(2, 7):
        network.cut()
        pad.wait_for_log("# connected", times=times)
    after = office.report()
    assert after.stall_max_ms < STALL_LIMIT_MS + 1000 * starved_s(pad.pid)
    assert after.heap_used_bytes - before.heap_used_bytes < 2048


def test_an_armed_pad_does_not_shake_hands_before_its_client_has_pressed(
    pad: PadProcess, office: Office, network: BadNetwork
) -> None:
    call = office.open_call()
    pad.wait_for_lamps(ALL)
    opened = network.opened
    network.cut()
    pad.wait_for_log("disconnected")
    pad.press(1)
    pad.wait_for_lamps(BAD)
    works_on(pad, office, network, {call: 1})
    assert network.opened == opened + 1
    assert re.search(r"disconnected.*\n(# .*\n)*L100\n", pad.log + "\n"), pad.log
