"""The certificate authority: what it makes is what OpenSSL would accept, secret, and replaceable."""

import datetime
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from firmware.board.tls import split
from firmware.host.ca import Authority
from firmware.host.errors import CaError


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    authority = Authority(tmp_path_factory.mktemp("ca"))
    authority.init("Office CA")
    return authority


def certificate(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def accepts(anchors: list[x509.Certificate], leaf: x509.Certificate, host: str) -> bool:
    """Whether a strict verifier of today's web takes ``leaf`` for ``host``."""
    try:
        PolicyBuilder().store(Store(anchors)).build_server_verifier(x509.DNSName(host)).verify(leaf, [])
    except VerificationError:
        return False
    return True


def test_the_brokers_certificate_is_valid_for_its_names_and_no_other(made: Authority) -> None:
    leaf = certificate(made.server(["broker.office.example", "10.1.2.3"]))
    assert accepts(made.anchors(), leaf, "broker.office.example")
    assert not accepts(made.anchors(), leaf, "other.office.example")
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(each) for each in names.get_values_for_type(x509.IPAddress)] == ["10.1.2.3"]


def test_keys_are_rsa_for_the_broker_and_p256_for_a_pad(made: Authority) -> None:
    key = certificate(made.server(["a.example"])).public_key()
    assert isinstance(key, rsa.RSAPublicKey) and key.key_size == 2048
    assert isinstance(certificate(made.server(["b.example"], bits=None)).public_key(), ec.EllipticCurvePublicKey)
    client = x509.load_der_x509_certificate(made.client("desk-1").read_bytes())
    assert isinstance(client.public_key(), ec.EllipticCurvePublicKey)
    assert client.subject.rfc4514_string() == "CN=desk-1"


def test_everything_it_writes_is_its_owners_alone(made: Authority) -> None:
    made.server(["c.example"])
    made.client("desk-2")
    files = [path for path in made.folder.rglob("*") if path.is_file()]
    assert len(files) > 6
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}


def test_validity_begins_a_day_early_and_ends_when_asked(made: Authority) -> None:
    leaf = certificate(made.server(["d.example"], days=30))
    now = datetime.datetime.now(datetime.UTC)
    assert datetime.timedelta(hours=23) < now - leaf.not_valid_before_utc < datetime.timedelta(hours=25)
    assert datetime.timedelta(days=29) < leaf.not_valid_after_utc - now <= datetime.timedelta(days=30)


def test_a_second_authority_in_the_same_folder_is_refused(made: Authority) -> None:
    before = (made.folder / "issuer.key").read_bytes()
    with pytest.raises(CaError, match="holds an authority already"):
        made.init("Another")
    assert (made.folder / "issuer.key").read_bytes() == before


def test_during_a_roll_over_both_anchors_are_trusted_and_afterwards_the_new_one(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    authority.init("Office CA")
    old = certificate(authority.server(["broker.example"]))
    authority.renew()
    new = certificate(authority.server(["broker.example"]))
    both = authority.anchors()
    assert len(both) == 2 and accepts(both, old, "broker.example") and accepts(both, new, "broker.example")
    assert [x509.load_der_x509_certificate(each) for each in split((tmp_path / "ca.der").read_bytes())] == both
    authority.retire()
    (only,) = authority.anchors()
    assert accepts([only], new, "broker.example") and not accepts([only], old, "broker.example")
    assert len(list((tmp_path / "old").iterdir())) == 2


def test_without_an_authority_nothing_is_signed(tmp_path: Path) -> None:
    with pytest.raises(CaError, match="no authority in"):
        Authority(tmp_path).server(["broker.example"])


@pytest.mark.parametrize("name", ["", "../../etc/x", "a b", ".hidden", "n" * 65])
def test_names_that_would_leave_the_folder_or_fit_no_certificate_are_refused(made: Authority, name: str) -> None:
    with pytest.raises(CaError):
        made.client(name)


def test_the_command_goes_through_the_life_of_an_authority(tmp_path: Path) -> None:
    def run(*words: str) -> str:
        command = [sys.executable, "-m", "firmware.host", "ca", *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    folder = str(tmp_path / "ca")
    assert "ca.der" in run("init", folder, "--name", "Office CA")
    listener = run("server", folder, "broker.example", "10.1.2.3", "--mutual")
    assert "listener 8883" in listener and "require_certificate true" in listener
    assert str(tmp_path / "ca" / "servers" / "broker.example.pem") in listener
    assert "desk-1.der" in run("client", folder, "desk-1")
    assert "ca.der" in run("renew", folder)
    assert "newest" in run("retire", folder)
    command = [sys.executable, "-m", "firmware.host", "ca", "init", folder]
    refused = subprocess.run(command, capture_output=True, text=True, check=False)
    assert refused.returncode == 1 and refused.stderr.startswith("firmware.host: ")
