"""Whether the fleet's key has signed: RSA PKCS#1 v1.5 with SHA-256 (RFC 8017 section 8.2.2). It signs nothing.

The pad holds only the public key, ``fleet.pub``: JSON {"e": 65537, "n": hexadecimal}. The expected block is built and
compared whole, so there is no padding to be parsed wrongly. Squarings come one at a time, because a chip's loop has
buttons to look after: estimated 10 ms each on an RP2040 (3072 bits), 17 of them.
"""

import binascii
import hashlib
import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

FILE = "/fleet.pub"
_EXPONENT = 65537
# DER of DigestInfo for SHA-256, without the digest (RFC 8017 section 9.2, note 1).
_DIGEST_INFO = b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"
_LEAST_BYTES = 256


def read_key(root: str) -> int:
    """The fleet's modulus; 0 if there is no key that could be used."""
    try:
        with open(root + FILE, "rb") as file:
            key = json.loads(file.read())
        modulus = int(key["n"], 16)
        return modulus if key["e"] == _EXPONENT and modulus >> 8 * _LEAST_BYTES - 1 else 0
    except (OSError, ValueError, KeyError, TypeError):
        return 0


def verify(signed: bytes, signature: bytes, modulus: int) -> "Iterator[bool | None]":
    """Step by step: None, None, ..., and at last whether ``signature`` is the key's over ``signed``."""
    # A key of 3072 bits has 384 bytes; MicroPython's integers do not know their length.
    length = len(signature)
    value = int.from_bytes(signature, "big")
    if not modulus or modulus >> 8 * length or not modulus >> 8 * (length - 1) or value >= modulus:
        yield False
        return
    power = value
    for _ in range(16):
        power = power * power % modulus
        yield None
    block = (power * value % modulus).to_bytes(length, "big")
    tail = b"\x00" + _DIGEST_INFO + hashlib.sha256(signed).digest()
    yield block == b"\x00\x01" + b"\xff" * (length - 2 - len(tail)) + tail


def split(manifest: bytes) -> "tuple[bytes, bytes]":
    """What is signed, and the signature, of a manifest; the signature is empty if there is none."""
    end = manifest.find(b"\n")
    try:
        return manifest[:end], binascii.a2b_base64(manifest[end + 1 :]) if end >= 0 else b""
    except ValueError:
        return manifest[:end], b""
