"""Archived scans in the plant's store, each under the hash of its content and the class of its part.

    scans/pits/3f/3f9a…0c          prefix / final verdict / first two digits / SHA-256 of the file

So a scan that comes twice is there once, whoever has an object can tell whether it is whole, and a store's rules can
keep classes for different times by the beginnings of their keys.
"""

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog
from obstore import get, head, put
from obstore.exceptions import BaseError
from obstore.store import S3Store

from station.core.central_settings import StoreSettings
from station.core.errors import PlantError
from station.core.ports.feed import KeptScan
from station.plant.central.connection import first_lines
from station.plant.central.rows import Values, scan_row

AT_ONCE = 10
"""So many scans are copied before it is written where they lie."""
CONNECT, ANSWER = "5s", "20s"
NO_VERDICT = "none"
"""The class of a part that was taken back."""
SHARD = 2

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
        """Put an object there, unless it is there already.

        Raises:
            PlantError: `plant.no_store`.
        """
        if self._size(key) != len(content):
            with self._told():
                put(self._store, key, content, use_multipart=False)

    def digest(self, key: str) -> str | None:
        """SHA-256 of what lies there; None where nothing does.

        Raises:
            PlantError: `plant.no_store`.
        """
        with self._told():
            try:
                return hashlib.sha256(bytes(get(self._store, key).bytes())).hexdigest()
            except FileNotFoundError:
                return None

    def _size(self, key: str) -> int | None:
        with self._told():
            try:
                return int(head(self._store, key)["size"])
            except FileNotFoundError:
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

    def copy(self, scans: Iterable[KeptScan]) -> Iterator[tuple[KeptScan, Values]]:
        """Copy one scan after the other: each with its row once it lies there, or it is known that it never will.

        Raises:
            PlantError: `plant.no_store`: this one and those behind it are not copied.
        """
        for scan in scans:
            state, size, key = self._copied(scan) if scan.state == "archived" else (scan.state, None, None)
            if state != "stored":
                log.warning("scan_not_copied", inspection=scan.told.inspection_id, state=state, file=scan.file)
            yield scan, scan_row(self._cell, scan, state, size, key)

    def _copied(self, scan: KeptScan) -> tuple[str, int | None, str | None]:
        """What becomes of a scan that the archive has: its state, how many bytes, and where."""
        try:
            content = (self._folder / scan.file).read_bytes()
        except OSError:  # it made way meanwhile, or somebody took it away
            return "missing", None, None
        if hashlib.sha256(content).hexdigest() != scan.sha256:
            return "altered", len(content), None
        key = self._store.key_of(scan)
        self._store.keep(key, content)
        return "stored", len(content), key
