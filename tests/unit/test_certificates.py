"""The dates of certificates as our authority makes them, and what is none."""

from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from collector.certificates import first_to_end, validity
from firmware.host.ca import Authority


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    made = Authority(tmp_path_factory.mktemp("ca"))
    made.init("Office")
    return made


def test_the_dates_are_those_that_the_library_reads(authority: Authority) -> None:
    for days in (1, 825, 40_000):  # the last ends after 2050, where dates are written with four digits of the year
        path = authority.server(["broker.example"], days=days, bits=None)
        certificate = x509.load_pem_x509_certificates(path.read_bytes())[0]
        found = validity(certificate.public_bytes(Encoding.DER))
        assert found.begins_unix_s == certificate.not_valid_before_utc.timestamp()
        assert found.ends_unix_s == certificate.not_valid_after_utc.timestamp()


def test_of_several_in_one_file_the_first_to_end_counts(authority: Authority, tmp_path: Path) -> None:
    both = tmp_path / "both.pem"
    texts = [authority.server(["a.example"], days=days, bits=None).read_text() for days in (300, 10)]
    both.write_text("\n".join(texts))
    ends = [each.not_valid_after_utc.timestamp() for each in x509.load_pem_x509_certificates(both.read_bytes())]
    assert first_to_end(both).ends_unix_s == min(ends)
    der = tmp_path / "ca.der"
    der.write_bytes((authority.folder / "ca.der").read_bytes())
    assert first_to_end(der).ends_unix_s > max(ends)


@given(st.binary(max_size=200))
def test_what_is_no_certificate_is_refused_and_nothing_else_happens(content: bytes) -> None:
    with pytest.raises(ValueError):
        validity(content)


def test_a_certificate_that_was_cut_short_is_refused(authority: Authority) -> None:
    whole = (authority.folder / "ca.der").read_bytes()
    for length in range(0, len(whole), 7):
        with pytest.raises(ValueError, match="not a certificate"):
            validity(whole[:length])
