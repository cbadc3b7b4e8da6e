"""What is said beside a backup: what it holds, of when, and what its bytes must hash to. ``FILE`` has ``FILE.json``."""

import hashlib
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from collector.errors import BackupError

_BLOCK = 1 << 20


class Manifest(BaseModel):
    """Everything is of one moment: the rows counted are those saved."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    zrazkovo_backup: Literal[1] = 1
    made_unix_ms: int
    program: str  # the version that made it
    database: Literal["sqlite", "postgresql"]
    tables: str  # version of the tables, as in collector/migrations
    calls: int
    votes: int
    last_vote_unix_ms: int | None
    differences: int  # figures that did not agree with the rows, and still do not
    bytes: int
    sha256: str

    @property
    def made(self) -> str:
        return moment(self.made_unix_ms)

    @property
    def last_vote(self) -> str:
        return moment(self.last_vote_unix_ms)


def moment(unix_ms: int | None) -> str:
    """For people: UTC, to the second."""
    if unix_ms is None:
        return "never"
    return datetime.fromtimestamp(unix_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def manifest_of(file: Path) -> Path:
    return file.with_name(file.name + ".json")


def read_manifest(file: Path) -> Manifest:
    """Raises BackupError if there is none that this version understands."""
    path = manifest_of(file)
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except OSError as error:
        raise BackupError(f"{path}: {error.strerror}; it belongs to the backup, bring both files") from None
    except ValidationError:
        raise BackupError(f"{path}: not the manifest of a backup of ours, or damaged, or of a newer version") from None


def write_manifest(file: Path, manifest: Manifest) -> None:
    """Beside ``file``, whole or not at all."""
    path = manifest_of(file)
    part = path.with_name(path.name + ".part")
    with os.fdopen(os.open(part, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb") as output:
        output.write(manifest.model_dump_json(indent=1).encode() + b"\n")
        output.flush()
        os.fsync(output.fileno())
    part.replace(path)


def sha256_of(file: Path, progress: Callable[[int, int], None] = lambda done, of: None) -> str:
    size, done, digest = file.stat().st_size, 0, hashlib.sha256()
    with file.open("rb") as content:
        while block := content.read(_BLOCK):
            digest.update(block)
            done += len(block)
            progress(done, size)
    return digest.hexdigest()


def on_disk(path: Path) -> None:
    """Returns when what was written to a file, or which names a folder has, will survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
