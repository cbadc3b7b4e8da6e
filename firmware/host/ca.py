"""The office's own certificate authority: makes, renews and rolls over what broker and pads prove themselves with.

It is a folder, kept by IT off the pads and off the broker

    ca.pem, ca.der         the trust anchors, the newest first; ca.der goes to the pads, ca.pem to Mosquitto's cafile
    issuer.pem, issuer.key the authority that signs now
    old/                   authorities before it
    servers/<host>.pem, .key            for the broker (PEM)
    clients/<desk>.der, .key            for a pad that shall prove itself by certificate too (DER)

RSA for authority and broker: a pad checks an RSA signature several times faster than one on a curve, and that check is
the longest single step in which it can do nothing else (firmware/board/tls.py has the figures). A pad's own key signs,
which is the other way round: it is on the curve P-256.
"""

import datetime
import ipaddress
import os
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from firmware.host.errors import CaError

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

AUTHORITY_DAYS = 7305  # twenty years: longer than a pad is meant to live
SERVER_DAYS = 825
CLIENT_DAYS = 3653
_AUTHORITY_BITS = 3072
_SERVER_BITS = 2048
# Certificates begin a day early: a clock may be an hour behind, or in another time zone by mistake.
_EARLY = datetime.timedelta(days=1)
_DER, _PEM = serialization.Encoding.DER, serialization.Encoding.PEM


class Authority:
    """The certificate authority in a folder. Every file it writes is readable by its owner alone (0600)."""

    def __init__(self, folder: Path):
        self.folder = folder

    def init(self, name: str, *, days: int = AUTHORITY_DAYS) -> None:
        """Makes a new authority. Raises CaError if there is one already."""
        if (self.folder / "issuer.key").exists():
            raise CaError(f"{self.folder} holds an authority already; `renew` adds the next one")
        self._make_issuer(name, days)

    def renew(self, *, days: int = AUTHORITY_DAYS) -> None:
        """Adds the next authority under the same name. Pads trust old and new until `retire`."""
        issuer, _ = self._issuer()
        stem = format(issuer.serial_number, "x")
        for suffix in (".pem", ".key"):
            (self.folder / "old").mkdir(mode=0o700, exist_ok=True)
            (self.folder / f"issuer{suffix}").rename(self.folder / "old" / f"{stem}{suffix}")
        self._make_issuer(_common_name(issuer), days)

    def retire(self) -> None:
        """Lets pads trust the newest authority alone."""
        issuer, _ = self._issuer()
        self._write_anchors([issuer])

    def anchors(self) -> list[x509.Certificate]:
        """What pads and broker are to trust, the newest first."""
        path = self.folder / "ca.pem"
        return x509.load_pem_x509_certificates(path.read_bytes()) if path.exists() else []

    def server(self, hosts: list[str], *, days: int = SERVER_DAYS, bits: int | None = _SERVER_BITS) -> Path:
        """A certificate for the broker, under every name and address in ``hosts``; returns the .pem's path.

        Args:
            bits: of the RSA key; None for a key on P-256.
        """
        names: list[x509.GeneralName] = [_general_name(host) for host in hosts]
        key: Key = _rsa(bits) if bits else ec.generate_private_key(ec.SECP256R1())
        builder = self._leaf(hosts[0], key, days, ExtendedKeyUsageOID.SERVER_AUTH)
        certificate = self._sign(builder.add_extension(x509.SubjectAlternativeName(names), critical=False))
        path = self.folder / "servers" / f"{_file_name(hosts[0])}.pem"
        write_private(path.with_suffix(".key"), _key_bytes(key, _PEM))
        write_private(path, certificate.public_bytes(_PEM))
        return path

    def client(self, desk: str, *, days: int = CLIENT_DAYS) -> Path:
        """A certificate for one pad, its name being the desk's; returns the .der's path, the key lies beside it."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._sign(self._leaf(desk, key, days, ExtendedKeyUsageOID.CLIENT_AUTH))
        path = self.folder / "clients" / f"{_file_name(desk)}.der"
        write_private(path.with_suffix(".key"), _key_bytes(key, _DER))
        write_private(path, certificate.public_bytes(_DER))
        return path

    def _make_issuer(self, name: str, days: int) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        key = _rsa(_AUTHORITY_BITS)
        subject = _subject(name)
        usage = _usage(key_cert_sign=True, crl_sign=True)
        issuer = (
            _builder(subject, key.public_key(), days)
            .issuer_name(subject)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        write_private(self.folder / "issuer.key", _key_bytes(key, _PEM))
        write_private(self.folder / "issuer.pem", issuer.public_bytes(_PEM))
        self._write_anchors([issuer, *self.anchors()])

    def _issuer(self) -> tuple[x509.Certificate, rsa.RSAPrivateKey]:
        try:
            certificate = x509.load_pem_x509_certificate((self.folder / "issuer.pem").read_bytes())
            key = serialization.load_pem_private_key((self.folder / "issuer.key").read_bytes(), None)
        except OSError as error:
            raise CaError(f"no authority in {self.folder}: {error.strerror}; make one with `init`") from None
        except (ValueError, TypeError):
            raise CaError(f"the authority in {self.folder} cannot be read") from None
        assert isinstance(key, rsa.RSAPrivateKey)
        return certificate, key

    def _leaf(self, name: str, key: Key, days: int, usage: x509.ObjectIdentifier) -> x509.CertificateBuilder:
        return (
            _builder(_subject(name), key.public_key(), days)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(digital_signature=True), critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        )

    def _sign(self, builder: x509.CertificateBuilder) -> x509.Certificate:
        issuer, key = self._issuer()
        # Authorities that follow one another bear one name: the key's identifier tells which of them it was.
        origin = x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())
        builder = builder.issuer_name(issuer.subject).add_extension(origin, critical=False)
        return builder.sign(key, hashes.SHA256())

    def _write_anchors(self, anchors: list[x509.Certificate]) -> None:
        write_private(self.folder / "ca.pem", b"".join(each.public_bytes(_PEM) for each in anchors))
        write_private(self.folder / "ca.der", b"".join(each.public_bytes(_DER) for each in anchors))


def mosquitto_listener(folder: Path, certificate: Path, *, port: int = 8883, mutual: bool = False) -> str:
    """The lines of mosquitto.conf that go with a server certificate."""
    lines = [
        f"listener {port}",
        f"certfile {certificate}",
        f"keyfile {certificate.with_suffix('.key')}",
        "tls_version tlsv1.2",
    ]
    if mutual:
        lines += [f"cafile {folder / 'ca.pem'}", "require_certificate true"]
    return "\n".join(lines) + "\n"


def write_private(path: Path, content: bytes) -> None:
    """Replaces ``path`` at once, readable by its owner alone from the first byte on."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
    fresh.replace(path)


def _builder(
    subject: x509.Name, public_key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey, days: int
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _EARLY)
        .not_valid_after(now + datetime.timedelta(days=days))
    )


def _usage(**given: bool) -> x509.KeyUsage:
    words = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    )
    return x509.KeyUsage(**{word: given.get(word, False) for word in words})


def _subject(name: str) -> x509.Name:
    if not 1 <= len(name) <= 64:  # RFC 5280, ub-common-name
        raise CaError("a name must have 1 to 64 characters")
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _common_name(certificate: x509.Certificate) -> str:
    return str(certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        try:
            return x509.DNSName(host)
        except ValueError:
            raise CaError(f"{host!r} is neither a host name nor an address") from None


def _file_name(name: str) -> str:
    if not name or name.startswith(".") or not all(c.isalnum() or c in ".-_:" for c in name):
        raise CaError(f"{name!r} cannot be a file's name")
    return name.replace(":", "_")


def _rsa(bits: int) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def _key_bytes(key: Key, encoding: serialization.Encoding) -> bytes:
    return key.private_bytes(encoding, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption())
