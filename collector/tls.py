"""TLS to the broker: whom to believe, and what to tell a person when it fails. It opens no connection.

The broker's certificate is always checked, its name and dates too; there is no setting that turns that off. The files
are read for every connection, so a renewed one counts from the next connection on.
"""

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from collector.errors import BrokerError, SettingsError
from schemas.settings import BrokerTls

# OpenSSL's numbers of what a check can find (x509_vfy.h).
_NOT_YET_VALID, _EXPIRED, _OTHER_NAMES = 9, 10, (62, 64)
_UNKNOWN_SIGNER = (2, 18, 19, 20, 21, 30)


@dataclass(frozen=True, slots=True)
class Trust:
    """Paths of PEM files: the authorities to believe and, if the broker wants one, a certificate of our own."""

    ca: Path
    certificate: Path | None = None
    key: Path | None = None

    def context(self) -> ssl.SSLContext:
        """What a connection is made with. Raises BrokerError naming the file at fault."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # demands a certificate, and the host's name in it
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        _load("broker_ca", (self.ca,), lambda: context.load_verify_locations(self.ca))
        if self.certificate is not None and self.key is not None:
            pair = (self.certificate, self.key)
            _load(
                "broker_certificate, broker_key",
                pair,
                lambda: context.load_cert_chain(*pair, password=_no_passphrase),
            )
        return context


def trust(settings: BrokerTls) -> Trust | None:
    """What ``settings`` say of TLS; None for a plain line. Raises SettingsError naming a file that cannot be used."""
    if settings.broker_ca is None:
        return None
    found = Trust(settings.broker_ca, settings.broker_certificate, settings.broker_key)
    try:
        found.context()
    except BrokerError as error:
        raise SettingsError(str(error)) from None
    return found


def why_not(error: OSError, host: str, trust: Trust | None) -> str:
    """Why no connection came to be, and for what TLS finds also what to do about it."""
    if trust is None or not isinstance(error, ssl.SSLError | ConnectionResetError):
        return str(error)
    if not isinstance(error, ssl.SSLCertVerificationError):
        return f"no TLS there ({error}): is this the port of its TLS listener, and does it speak TLS 1.2 or newer?"
    number = error.verify_code
    if number == _EXPIRED:
        return "its certificate has expired: put a new one at the broker, then have the broker reload (SIGHUP)"
    if number == _NOT_YET_VALID:
        return "its certificate is not valid yet: compare this machine's clock with the broker's"
    if number in _OTHER_NAMES:
        return (
            f"its certificate is not for {host!r}: set broker_host to a name that stands in it, or issue one for {host}"
        )
    if number in _UNKNOWN_SIGNER:
        return f"no authority in {trust.ca} has signed its certificate: put the authority that did into broker_ca"
    return f"its certificate is refused: {error.verify_message}"


def _no_passphrase() -> str:
    """Instead of a question at the terminal, which nobody would see."""
    return ""


def _load(settings: str, files: tuple[Path, ...], load: Callable[[], None]) -> None:
    for path in files:
        try:
            path.open("rb").close()  # OpenSSL would not say which of two it misses
        except OSError as error:
            raise BrokerError(f"{settings}: {path}: {error.strerror}") from None
    try:
        load()
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        names = " and ".join(str(path) for path in files)
        raise BrokerError(f"{settings}: {names}: no PEM, a passphrase, or not a pair ({error})") from None
