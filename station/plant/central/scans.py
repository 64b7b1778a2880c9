"""Archived scans in the plant's store, each under the hash of its content and the class of its part.

    scans/pits/3f/3f9a…0c          prefix / final verdict / first two digits / SHA-256 of the file

So a scan that comes twice is there once, whoever has an object can tell whether it is whole, and a store's rules can
keep classes for different times by the beginnings of their keys.
"""

import errno
import hashlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog
from obstore import get, put
from obstore.exceptions import BaseError, PermissionDeniedError
from obstore.store import S3Store

from station.core.central_settings import StoreSettings
from station.core.errors import PlantError, RecordError
from station.core.ports.feed import KeptScan
from station.core.records import LastTold
from station.plant.central.connection import first_lines
from station.plant.central.rows import SCAN_STATE, Values, scan_row

AT_ONCE = 2
"""So many scans are copied before it is written where they lie: also from the slowest store less than a minute's."""
CONNECT, ANSWER = "5s", "20s"
NO_VERDICT = "none"
"""The class of a part that was taken back."""
SHARD = 2
GONE = frozenset({errno.ENOENT, errno.EIO})
"""A file that is not there, or that the disk has lost: waiting brings it back no more."""

log = structlog.get_logger()


class ScanStore:
    """The store. Every method blocks.

    Args:
        settings: Which; a bucket is named.

    Raises:
        PlantError: `plant.bad_secret`, `plant.no_store`.
    """

    def __init__(self, settings: StoreSettings) -> None:
        self._settings = settings
        try:
            key_id, secret = first_lines(Path(settings.key_file), 2)
        except (OSError, ValueError) as error:
            raise PlantError("plant.bad_secret", f"{settings.key_file}: {error}") from error
        with self._told():
            self._store = S3Store(
                settings.bucket, endpoint=settings.endpoint or None, region=settings.region, access_key_id=key_id,
                secret_access_key=secret, virtual_hosted_style_request=False,
                client_options={"allow_http": settings.allow_http, "connect_timeout": CONNECT, "timeout": ANSWER},
                retry_config={"max_retries": 0},
            )  # fmt: skip

    def key_of(self, scan: KeptScan) -> str:
        """Where a scan lies, or is to lie; its hash is known."""
        digest = str(scan.sha256)
        return f"{self._settings.prefix}/{scan.verdict or NO_VERDICT}/{digest[:SHARD]}/{digest}"

    def keep(self, key: str, content: bytes) -> None:
        """Put an object there, or the same one in its place.

        It is not asked before whether it is there: a store tells that only to who may list it.

        Raises:
            PlantError: `plant.no_store`.
        """
        with self._told():
            put(self._store, key, content, use_multipart=False)

    def digest(self, key: str) -> str | None:
        """SHA-256 of what lies there; None where nothing does, of which a store may only say that it may not be read.

        Raises:
            PlantError: `plant.no_store`.
        """
        with self._told():
            try:
                return hashlib.sha256(bytes(get(self._store, key).bytes())).hexdigest()
            except (FileNotFoundError, PermissionDeniedError):
                return None

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (BaseError, OSError) as error:
            where = f"{self._settings.endpoint or 'Amazon S3'}, bucket {self._settings.bucket}"
            raise PlantError("plant.no_store", f"{where}: {str(error).split('Debug source')[0].strip()}") from error


class Copying:
    """Copies the scans of one cell's archive. Every method blocks.

    Args:
        store: Where to.
        cell: The cell's name.
        folder: The data folder.
    """

    def __init__(self, store: ScanStore, cell: str, folder: Path) -> None:
        self._store = store
        self._cell = cell
        self._folder = folder
        self._doubted: LastTold | None = None

    @property
    def doubts(self) -> bool:
        """Whether a scan was not found, and is to be looked for once more."""
        return self._doubted is not None

    def copy(self, scans: Iterable[KeptScan], goes_on: Callable[[], bool]) -> Iterator[tuple[KeptScan, Values]]:
        """Copy one scan after the other: each with its row once it lies there, or it is known that it never will.

        The archive removes a file, and then says so. One that is not there is therefore not given up at once: it and
        those behind it are left for the next time, when the records may say what became of it.

        Args:
            scans: In their order, as the records have them now.
            goes_on: Asked before each.

        Raises:
            PlantError: `plant.no_store`: this one and those behind it are not copied.
            RecordError: `record.disk_failed`: the archive cannot be read; so, too.
        """
        for scan in scans:
            if not goes_on():
                return
            row = self.copied(scan)
            if row[SCAN_STATE] == "missing" and self._doubted != scan.told:
                self._doubted = scan.told
                return
            self._doubted = None
            if row[SCAN_STATE] != "stored":
                log.warning(
                    "scan_not_copied", inspection=scan.told.inspection_id, state=row[SCAN_STATE], file=scan.file
                )
            yield scan, row

    def copied(self, scan: KeptScan) -> Values:
        """Copy a scan, if the archive has it: its row.

        Raises:
            PlantError: `plant.no_store`.
            RecordError: `record.disk_failed`: the archive cannot be read.
        """
        if scan.state != "archived":
            return scan_row(self._cell, scan, scan.state, None, None)
        content = self._content(scan)
        if content is None:
            return scan_row(self._cell, scan, "missing", None, None)
        if hashlib.sha256(content).hexdigest() != scan.sha256:
            return scan_row(self._cell, scan, "altered", len(content), None)
        key = self._store.key_of(scan)
        self._store.keep(key, content)
        return scan_row(self._cell, scan, "stored", len(content), key)

    def _content(self, scan: KeptScan) -> bytes | None:
        """The file; None where it is gone. An archive that is away, or closed to this user, holds up its scans."""
        path = self._folder / scan.file
        try:
            return path.read_bytes()
        except OSError as error:
            archive = self._folder / Path(scan.file).parts[0]
            if error.errno in GONE and archive.is_dir():
                return None
            raise RecordError("record.disk_failed", f"{path}: {error.strerror}") from error
