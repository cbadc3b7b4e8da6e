"""The fleet's key for updates: the private half signs manifests here, pads have the public half (fleet.pub)."""

import base64
import json
import os
from pathlib import Path

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from firmware.host.errors import HostError

# NIST SP 800-57: 3072 bits are good beyond 2030, and a pad is to last ten years.
BITS = 3072
_EXPONENT = 65537


def make_key(path: Path, passphrase: bytes | None, bits: int = BITS) -> Path:
    """Writes a new private key to ``path`` (mode 0600) and what pads get to ``path``.pub, which is returned.

    Raises:
        HostError: there is a key already; a fleet whose key is replaced must be flashed by hand.
    """
    if path.exists():
        raise HostError(f"{path} is there already; pads that trust it would never take an update signed by another")
    key = rsa.generate_private_key(_EXPONENT, bits)
    guard: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if passphrase:
        guard = serialization.BestAvailableEncryption(passphrase)
    text = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, guard)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(text)
    public = path.with_name(path.name + ".pub")
    public.write_bytes(public_file(key))
    return public


def read_key(path: Path, passphrase: bytes | None) -> rsa.RSAPrivateKey:
    """Raises HostError."""
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), passphrase)
    except TypeError:
        raise HostError(f"{path} is protected by a passphrase, or was given one that it does not have") from None
    except ValueError:
        raise HostError(f"{path} is no private key, or the passphrase is wrong") from None
    if not isinstance(key, rsa.RSAPrivateKey) or key.key_size < 2048:
        raise HostError(f"{path} is not an RSA key of 2048 bits or more")
    return key


def public_file(key: rsa.RSAPrivateKey) -> bytes:
    """fleet.pub, as firmware/board/signature.py reads it."""
    numbers = key.public_key().public_numbers()
    return json.dumps({"e": numbers.e, "n": f"{numbers.n:x}"}).encode() + b"\n"


def signed(manifest: bytes, key: rsa.RSAPrivateKey) -> bytes:
    """``manifest``, a newline, and the signature over it in base64. The same key gives the same bytes."""
    signature = key.sign(manifest, padding.PKCS1v15(), hashes.SHA256())
    return manifest + b"\n" + base64.b64encode(signature) + b"\n"
