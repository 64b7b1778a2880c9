"""Makes a recording of what the cell scans: a folder that `station --simulate --recordings` replays.

Every complete scan is kept, whatever was decided about it; the label is left open, because a decision is no truth.
"""

import asyncio
import json
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path, PurePosixPath

import structlog

from station.core.errors import BugError, ConfigError, RecordError
from station.core.events import CellEvent, ScanJudged
from station.core.part import PART_ID_LENGTH
from station.core.recording import INDEX_NAME
from station.core.room import require_room, require_writable
from station.records.archive import ScanImage, cut_out, encode_scan

log = structlog.get_logger()

WAITING_SCANS = 16


class ScanRecorder:
    """A watcher of the cell that writes scans; make it on the event loop, and `close` it.

    Args:
        folder: Where the recording goes; it is made, or must be empty.
        parts: After so many scans `enough` is set.

    Raises:
        ConfigError: The folder is not empty or cannot be written to.
    """

    def __init__(self, folder: Path, parts: int, reserve: int) -> None:
        self._folder = _empty_folder(folder)
        self._parts = parts
        self._reserve = reserve
        self._taken = 0
        self._ids: set[str] = set()
        self._waiting: set[Future[None]] = set()
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="recorder")
        self._loop = asyncio.get_running_loop()
        self._error: BaseException | None = None
        self.written = 0
        self.enough = asyncio.Event()

    def watch(self, event: CellEvent) -> None:
        """Have a complete scan written, on whatever thread; a failure ends the recording, and `close` tells it."""
        try:
            self._take(event)
        except Exception as error:  # the cell goes on, and the recording is over
            log.exception("scan_not_taken")
            self._loop.call_soon_threadsafe(self._fail, error)

    def _take(self, event: CellEvent) -> None:
        if not isinstance(event, ScanJudged) or not event.judgement.account.valid or self._taken >= self._parts:
            return
        if len(self._waiting) >= WAITING_SCANS:
            log.warning("scan_not_recorded", part_id=event.inspection.part.part_id, waiting=len(self._waiting))
            return
        self._taken += 1
        image = cut_out(event.judgement, PurePosixPath(f"{self._taken:05d}.png"))
        if image is None:
            raise AssertionError("a complete scan has blocks")
        part_id = self._unused(event.inspection.part.part_id)
        entry = {
            "file": str(image.file),
            "part_id": part_id,
            "part_type": event.inspection.part_type.name,
            "label": None,
        }
        future = self._writer.submit(self._write, image, json.dumps(entry))
        self._waiting.add(future)
        future.add_done_callback(lambda done: self._loop.call_soon_threadsafe(self._wrote, done))

    def close(self) -> None:
        """Write what is waiting; blocks for that.

        Raises:
            RecordError: A scan could not be written.
            BugError: A scan could not be made a file of.
        """
        self._writer.shutdown(wait=True)
        for future in list(self._waiting):
            self._wrote(future)
        if isinstance(self._error, OSError):
            raise RecordError("record.disk_failed", f"{self._folder}: {self._error.strerror}") from self._error
        if self._error is not None:
            raise BugError("station.bug", f"{type(self._error).__name__}: {self._error}") from self._error

    def _write(self, image: ScanImage, line: str) -> None:
        require_room(self._folder, image.pixels.nbytes, self._reserve)
        (self._folder / image.file).write_bytes(encode_scan(image))
        with (self._folder / INDEX_NAME).open("a", encoding="utf-8") as index:
            index.write(line + "\n")

    def _wrote(self, done: Future[None]) -> None:
        if done not in self._waiting:
            return
        self._waiting.discard(done)
        error = done.exception()
        if error is not None:
            self._fail(error)
        else:
            self.written += 1
        if self.written >= self._parts:
            self.enough.set()

    def _fail(self, error: BaseException) -> None:
        self._error = self._error or error
        self.enough.set()

    def _unused(self, part_id: str) -> str:
        """The part's id; `~2`, `~3` … tell the scans of a part apart that came more than once."""
        part_id = unused = part_id.strip()
        times = 1
        while unused in self._ids:
            times += 1
            unused = part_id[: PART_ID_LENGTH - len(f"~{times}")] + f"~{times}"
        self._ids.add(unused)
        return unused


def _empty_folder(folder: Path) -> Path:
    try:
        require_writable(folder)
        taken = next(folder.iterdir(), None)
    except OSError as error:
        raise ConfigError("config.file_failed", f"no recording can be made in {folder}: {error.strerror}") from error
    if taken is not None:
        raise ConfigError("config.bad_option", f"{folder} is not empty ({taken.name}); name another folder")
    return folder
