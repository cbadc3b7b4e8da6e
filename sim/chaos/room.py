"""A small disk of the campaign's own, so that it can be filled and made read-only: a tmpfs, which needs root."""

import contextlib
import errno
import os
import subprocess
from pathlib import Path

_CHUNK = 1 << 16


class Room:
    """The folder ``path``; ``is_small`` says whether it is a disk of its own."""

    def __init__(self, path: Path, megabytes: int):
        self.path = path
        path.mkdir(parents=True, exist_ok=True)
        mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0755", "tmpfs", str(path)]
        self.is_small = os.geteuid() == 0 and subprocess.run(mount, check=False, capture_output=True).returncode == 0

    def fill(self) -> None:
        """Not one byte is left. On a disk that is read-only just now, nothing happens."""
        try:
            file = os.open(self._filler, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        except OSError as error:
            if error.errno == errno.EROFS:
                return
            raise
        size = _CHUNK
        while size:
            try:
                size = size if os.write(file, bytes(size)) == size else size // 2
            except OSError as error:
                if error.errno not in (errno.ENOSPC, errno.EROFS):
                    raise
                size //= 2
        os.close(file)

    def clear(self) -> None:
        with contextlib.suppress(OSError):  # read-only: cleared with the rest
            self._filler.unlink(missing_ok=True)

    def set_writable(self, writable: bool) -> bool:
        """Makes the disk read-only, or not; False if somebody is writing on it just now."""
        mode = "remount,rw" if writable else "remount,ro"
        return subprocess.run(["mount", "-o", mode, str(self.path)], check=False, capture_output=True).returncode == 0

    def close(self) -> None:
        """The disk is gone, and what was on it lies in the folder as long as that does."""
        if self.is_small:
            kept = self.path.with_suffix(".kept")
            with contextlib.suppress(OSError):
                subprocess.run(["cp", "-a", str(self.path), str(kept)], check=False, capture_output=True)
            subprocess.run(["umount", "--lazy", str(self.path)], check=False, capture_output=True)

    @property
    def _filler(self) -> Path:
        return self.path / "filler"
