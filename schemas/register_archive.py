"""The register's CSV files as one zip archive. One from outside may be anything: sizes are limited, paths not used."""

import io
import lzma
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import PurePosixPath

MOST_BYTES = 8_000_000  # packed; 20,000 desks with their operators come to about 1 MB
MOST_UNPACKED = 64_000_000
# What zipfile raises for a damaged archive: its own errors, those of its decompressors, of seeking where nothing is.
_NOT_READABLE = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    zlib.error,
    lzma.LZMAError,
    ValueError,
    NotImplementedError,
    RuntimeError,
    EOFError,
    OSError,
)


class NoArchive(ValueError):
    """It is no zip archive, or not one that we would open; str() says why."""


def pack(files: Mapping[str, bytes]) -> bytes:
    """The same bytes for the same files: there is no moment in it."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def unpack(packed: bytes) -> dict[str, bytes]:
    """The CSV files of an archive by their bare names; what a file system adds of its own is left out.

    Raises NoArchive.
    """
    if len(packed) > MOST_BYTES:
        raise NoArchive(f"it has more than {MOST_BYTES} bytes")
    found: dict[str, bytes] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            if sum(each.file_size for each in archive.infolist()) > MOST_UNPACKED:
                raise NoArchive(f"unpacked it has more than {MOST_UNPACKED} bytes")
            for each in archive.infolist():
                name = PurePosixPath(each.filename).name
                if name.endswith(".csv") and not name.startswith(".") and "__MACOSX" not in each.filename:
                    if name in found:
                        raise NoArchive(f"{name} is in it twice")
                    found[name] = archive.read(each)
    except NoArchive:
        raise
    except _NOT_READABLE as error:
        raise NoArchive(f"it is no zip archive, or a damaged one: {error}") from None
    if not found:
        raise NoArchive("there is no CSV file in it")
    return found
