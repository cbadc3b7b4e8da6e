"""TLS for tcp.py: wraps a connected socket, checks the server against the office's own authority. Opens nothing.

``ca.der`` beside pad.json holds the trust anchors, one DER certificate after the other: while an authority is being
replaced, the old one and the new. MicroPython takes one certificate a call, so they are taken apart here. The server
must bear the name or the address by which pad.json calls it. With ``client.der`` and ``client.key`` the pad proves
itself by certificate, too.

The handshake is stepwise: wrap_socket() would by default run it to its end in one call, for ever if the server says
nothing. Deferred, each write() moves it on as far as the bytes go that have arrived; it returns None meanwhile.

What no deferring shortens is the arithmetic, nearly all of it in one write(). Of 40 handshakes each, ms of CPU on a PC
(tests/bench/bench_handshake.py). On a chip it was never measured; a step must stay below its watchdog's 8 s:

    the broker's key      longest step, least / median / most
    RSA-2048              5 / 6 / 10
    P-256                 11 / 12 / 19

Handing mbedTLS one record at a time made no clear difference: the key exchange is one step by itself.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from socket import socket
    from typing import Any

_ANCHORS, _CERTIFICATE, _KEY = "/ca.der", "/client.der", "/client.key"
_ENOENT = 2


class BadCertificate(ValueError):
    """A file cannot be used; str() names it."""


class Tls:
    """The rules by which connections are encrypted."""

    def __init__(self, context: "Any"):
        self._context = context

    def wrap(self, sock: "socket", host: str) -> "Any":
        """A stream with write() and readinto() over ``sock``, both None while there is nothing to be had."""
        wrapped = self._context.wrap_socket(sock, do_handshake_on_connect=False, server_hostname=host)
        wrapped.setblocking(False)
        return wrapped


def load(root: str) -> "Tls | None":
    """What the files in ``root`` ask for; None without ca.der: then nothing is encrypted. Raises BadCertificate."""
    anchors = _read(root + _ANCHORS)
    if anchors is None:
        return None
    import tls  # MicroPython's; not needed, and not loaded, without ca.der

    context = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
    context.verify_mode = tls.CERT_REQUIRED
    try:
        for anchor in split(anchors):
            context.load_verify_locations(anchor)
    except ValueError:  # an OSError may be a want of memory, which the next start may not have
        raise BadCertificate("ca.der does not hold certificates in DER") from None
    certificate, key = _read(root + _CERTIFICATE), _read(root + _KEY)
    if certificate is not None or key is not None:
        try:
            context.load_cert_chain(certificate, key)
        except (ValueError, OSError, TypeError):
            raise BadCertificate("client.der and client.key are not a certificate and its key in DER") from None
    return Tls(context)


def split(der: bytes) -> "list[bytes]":
    """The ASN.1 sequences that ``der`` is made of (X.690 §8.1). Raises ValueError if it is anything else."""
    found = []
    while der:
        if len(der) < 4 or der[0] != 0x30 or der[1] not in (0x81, 0x82):
            raise ValueError("not a certificate")
        head = 2 + (der[1] & 127)
        end = head + int.from_bytes(der[2:head], "big")
        if end > len(der):
            raise ValueError("cut off")
        found.append(der[:end])
        der = der[end:]
    if not found:
        raise ValueError("empty")
    return found


def _read(path: str) -> "bytes | None":
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        if error.errno == _ENOENT:
            return None
        raise BadCertificate("%s cannot be read" % path) from None
