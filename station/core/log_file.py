"""The log on the disk: lines of JSON, rotated; a disk that fails costs lines, which are counted, and nothing else."""

import errno
import os
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import structlog

from station.core.room import free_bytes, require_room

log = structlog.get_logger()


class LogFile:
    """A file that is appended to, and made again when somebody has moved or deleted it; used by one thread.

    Args:
        path: The newest file; older ones are `path.1`, `path.2` …
        most_bytes: After so many bytes the next file is begun.
        kept: How many files there are at most.
        reserve: Bytes of the disk that are not the log's: before they are touched the older files go, then lines.
    """

    def __init__(self, path: Path, most_bytes: int, kept: int, reserve: int = 0) -> None:
        self._path = path
        self._most_bytes = most_bytes
        self._kept = kept
        self._reserve = reserve
        self._file: int | None = None
        self._lost = 0
        with suppress(OSError):  # told by the first line that is not taken
            path.parent.mkdir(0o750, parents=True, exist_ok=True)

    def take(self, data: bytes) -> int:
        """Append whole lines; what the disk does not take is lost, said once, and counted when it takes some again."""
        try:
            self._append(data)
        except OSError as error:
            self.close()
            self._lost += 1
            if self._lost == 1:
                log.warning("log_file_failed", file=str(self._path), error=error.strerror)
            return len(data)
        if self._lost:
            lost = self._lost
            self._lost = 0
            log.warning("log_file_written_again", file=str(self._path), writes_lost=lost)
        return len(data)

    def close(self) -> None:
        """Close the file; the next line opens it again."""
        if self._file is not None:
            with suppress(OSError):
                os.close(self._file)
            self._file = None

    def _append(self, data: bytes) -> None:
        file = self._opened()
        self._leave_reserve(len(data))
        size = os.fstat(file).st_size
        if size and size + len(data) > self._most_bytes:
            self._rotate()
            file, size = self._opened(), 0
        written = os.write(file, data)
        if written < len(data):
            os.ftruncate(file, size)  # the disk is full: no half line stays
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _leave_reserve(self, needed: int) -> None:
        folder = self._path.parent
        for age in range(self._kept - 1, 0, -1):
            if not self._reserve or free_bytes(folder) >= self._reserve + needed:
                return
            self._path.with_name(f"{self._path.name}.{age}").unlink(missing_ok=True)
        require_room(folder, needed, self._reserve)

    def _opened(self) -> int:
        """The file that the path names now; while the folder above it is gone, which is not made anew, the old one."""
        if self._file is not None and self._named(self._file):
            return self._file
        try:
            self._path.parent.mkdir(0o750, exist_ok=True)
            begun = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
        except OSError:
            if self._file is None:
                raise
            return self._file
        self.close()
        self._file = begun
        return begun

    def _named(self, file: int) -> bool:
        try:
            return os.path.samestat(os.fstat(file), self._path.stat())
        except FileNotFoundError:
            return False

    def _rotate(self) -> None:
        self.close()
        names = [self._path, *(self._path.with_name(f"{self._path.name}.{age}") for age in range(1, self._kept))]
        for newer, older in reversed(list(pairwise(names))):
            with suppress(FileNotFoundError):
                newer.replace(older)
