"""From when until when a certificate is valid, read from its bytes. It checks nothing else: that is TLS's own work.

A certificate is DER (X.690): a type, a length, a content, nested. Before the dates stand version, number, algorithm and
issuer (RFC 5280 §4.1). Python's ssl tells the dates of authorities and peers only, not of a file of one's own.
"""

import re
import ssl
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

_SEQUENCE, _VERSION, _UTC_TIME = 0x30, 0xA0, 0x17
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)


class Validity(NamedTuple):
    """Both ends, Unix seconds."""

    begins_unix_s: int
    ends_unix_s: int


def validity(der: bytes) -> Validity:
    """Of one certificate. Raises ValueError for what is none."""
    try:
        _, certificate, _ = _piece(der)
        _, content, _ = _piece(certificate)
        kind, _, rest = _piece(content)
        if kind == _VERSION:
            _, _, rest = _piece(rest)  # the number
        _, _, rest = _piece(rest)  # the algorithm
        _, _, rest = _piece(rest)  # the issuer
        kind, dates, _ = _piece(rest)
        if kind != _SEQUENCE:
            raise ValueError("no dates where they should stand")
        begins_kind, begins, rest = _piece(dates)
        ends_kind, ends, _ = _piece(rest)
        return Validity(_moment(begins_kind, begins), _moment(ends_kind, ends))
    except (IndexError, UnicodeDecodeError) as error:
        raise ValueError(f"not a certificate: {error}") from None


def first_to_end(path: Path) -> Validity:
    """Of all certificates in a PEM file, or the one in a DER file. Raises OSError, or ValueError without any."""
    content = path.read_bytes()
    found = [ssl.PEM_cert_to_DER_cert(each) for each in _PEM.findall(content.decode("latin-1"))] or [content]
    return min((validity(der) for der in found), key=lambda each: each.ends_unix_s)


def _piece(data: bytes) -> tuple[int, bytes, bytes]:
    """The first piece of ``data``: its type, its content, and what comes after it."""
    kind, length, begins = data[0], data[1], 2
    if length & 0x80:
        begins += length & 0x7F
        length = int.from_bytes(data[2:begins], "big")
    if begins + length > len(data):
        raise ValueError("not a certificate: cut short")
    return kind, data[begins : begins + length], data[begins + length :]


def _moment(kind: int, text: bytes) -> int:
    # Two digits of a year mean 1950 to 2049 (RFC 5280 §4.1.2.5.1); strptime's 1969 to 2068 agrees while it matters.
    form = "%y%m%d%H%M%SZ" if kind == _UTC_TIME else "%Y%m%d%H%M%SZ"
    return int(datetime.strptime(text.decode("ascii"), form).replace(tzinfo=UTC).timestamp())
