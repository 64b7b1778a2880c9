"""Scans in a store that is spoken to as Amazon's S3 is: listed a page at a time, and read one by one.

    s3://inspection/scans/pits/3f/3f9a…0c          as `station plant replicate` lays them: class, hash
    s3://copies/archive/2026/05/01/01JT….png       as a cell's archive has them, copied as it is: date, inspection
    s3://anything/else.png

An object whose name is a SHA-256 is read once, by whoever judges it; of any other one the hash is not known before it
was read, and so it is read twice.
"""

import errno
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, timedelta
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NamedTuple, Self

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from models.errors import ArchiveError
from station.core.central_settings import StoreSettings
from station.core.errors import RecordingError
from station.core.recording import OTHER_IMAGES, SCAN_SUFFIXES
from station.core.settings import Settings
from station.offline.archive.scans import NO_IMAGE, Recorded, Scan
from station.offline.inspect import NotInspected, Wanted

if TYPE_CHECKING:
    from obstore import ObjectMeta
    from obstore.store import S3Credential

SCHEME = "s3://"
AT_ONCE = 1000
"""So many objects are listed at a time; a store gives no more. Source: Amazon S3 API, ListObjectsV2, MaxKeys."""
PIECE_BYTES = 1 << 20
CONNECT, ANSWER = "5s", "20s"
RETRIES, RETRIED_FOR = 3, timedelta(seconds=60)
KEY_VARIABLES = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
SESSION_VARIABLE = "AWS_SESSION_TOKEN"

NAMED_BY_HASH = re.compile(r"[0-9a-f]{64}")
OF_A_DAY = re.compile(r"(?:^|/)(\d{4})/(\d{2})/(\d{2})/[^/]+$")


class Address(NamedTuple):
    """What in which bucket.

    Attributes:
        bucket: Its name.
        within: What the objects' keys begin with, up to a slash, or one key; empty for all that there is.
    """

    bucket: str
    within: str

    @classmethod
    def of(cls, source: str) -> Self | None:
        """The address that a command line names, or None where it names no store.

        Raises:
            ArchiveError: It names no bucket.
        """
        if not source.startswith(SCHEME):
            return None
        bucket, _slash, within = source.removeprefix(SCHEME).partition("/")
        if not bucket:
            raise ArchiveError("archive.no_store", f"{source}: no bucket is named; write {SCHEME}BUCKET/BEGINNING")
        return cls(bucket, within.strip("/"))

    def __str__(self) -> str:
        return f"{SCHEME}{self.bucket}/{self.within}"


class Bucket:
    """A bucket that is only read. Every method blocks.

    Args:
        name: Its name.
        settings: Where its store is, and the file with the key; without that the environment has the key, by the names
            that Amazon's tools give it.

    Raises:
        ArchiveError: There is no key, or the store's address is none.
    """

    def __init__(self, name: str, settings: StoreSettings) -> None:
        self._name = name
        self._where = f"{settings.endpoint or 'Amazon S3'}, bucket {name}"
        credential = _credential(settings)
        with self._refused():
            self._store = S3Store(
                name, endpoint=settings.endpoint or None, region=settings.region, virtual_hosted_style_request=False,
                client_options={"allow_http": settings.allow_http, "connect_timeout": CONNECT, "timeout": ANSWER},
                retry_config={"max_retries": RETRIES, "retry_timeout": RETRIED_FOR},
                credential_provider=lambda: credential,
            )  # fmt: skip

    def listed(self, within: str) -> Iterator["ObjectMeta"]:
        """The objects below a beginning, or the one that has this key, in the order of the keys.

        Raises:
            ArchiveError: The store does not list them.
        """
        with self._refused():
            found = False
            for page in obstore.list(self._store, within or None, chunk_size=AT_ONCE):
                found = found or bool(page)
                yield from page
            if within and not found:
                try:
                    yield obstore.head(self._store, within)
                except FileNotFoundError:
                    return

    def pieces(self, address: str) -> Iterator[bytes]:
        """An object's content, piece by piece.

        Raises:
            OSError: It cannot be read, in its words why.
        """
        key = address.removeprefix(f"{SCHEME}{self._name}/")
        try:
            for piece in obstore.get(self._store, key).stream(min_chunk_size=PIECE_BYTES):
                yield bytes(piece)
        except FileNotFoundError as error:
            raise FileNotFoundError(errno.ENOENT, "it is not there any more") from error
        except (BaseError, ValueError) as error:
            raise OSError(errno.EIO, _said(error)) from error

    @contextmanager
    def _refused(self) -> Iterator[None]:
        try:
            yield
        except (BaseError, OSError, ValueError) as error:
            raise ArchiveError("archive.no_store", f"{self._where}: {_said(error)}") from error


def scans_of(bucket: Bucket, address: Address, settings: Settings) -> Iterator[Scan]:
    """The scans among the objects; lists of recordings are none, and are not read.

    Args:
        bucket: Where they are.
        address: Which.
        settings: The classes that keys may name.

    Raises:
        ArchiveError: The store does not list them.
        RecordingError: There is nothing that could be a scan.
    """
    verdicts = {verdict.name: verdict.passes for verdict in settings.table.verdicts}
    found = False
    for item in bucket.listed(address.within):
        if scan := _scan(address.bucket, item, verdicts):
            found = True
            yield scan
    if not found:
        allowed = ", ".join(sorted(SCAN_SUFFIXES))
        raise RecordingError(NO_IMAGE, f"{address}: no image there ({allowed}, or a name without an ending)")


def _scan(bucket: str, item: "ObjectMeta", verdicts: Mapping[str, bool]) -> Scan | None:
    """An object as a scan; None where it is none by its name."""
    key = PurePosixPath(item["path"])
    suffix = key.suffix.lower()
    digest = key.stem if NAMED_BY_HASH.fullmatch(key.stem) else None
    if suffix in OTHER_IMAGES:
        problem = RecordingError("recording.bad_image", f"{key.name}: allowed are PNG, TIFF and BMP")
        wanted: Wanted | NotInspected = NotInspected(Path(key), problem)
    elif suffix in SCAN_SUFFIXES or _is_bare_scan(key, item, digest):
        wanted = Wanted(Path(key), None)
    else:
        return None
    day = OF_A_DAY.search(item["path"])
    return Scan(
        wanted,
        "-".join(day.groups()) if day else f"{item['last_modified'].astimezone(UTC):%Y-%m-%d}",
        sha256=digest,
        inspection_id=key.stem if day and not digest else None,
        recorded=_recorded(key, verdicts) if digest else None,
        address=f"{SCHEME}{bucket}/{item['path']}",
    )


def _is_bare_scan(key: PurePosixPath, item: "ObjectMeta", digest: str | None) -> bool:
    """Whether a name without an ending is a scan's; an empty object is what consoles make for a folder."""
    return not key.suffix and not key.name.startswith(".") and (digest is not None or item["size"] > 0)


def _recorded(key: PurePosixPath, verdicts: Mapping[str, bool]) -> Recorded | None:
    """What the way to a scan says of it, where it is that of `station plant replicate`."""
    *_before, verdict, shard, name = ("", "", *key.parts)
    if verdict not in verdicts or not name.startswith(shard):
        return None
    return Recorded(verdict, reason=None, confidence=None, passes=verdicts[verdict], model_sha256=None)


def _credential(settings: StoreSettings) -> "S3Credential":
    """The key: from its file, or else from the environment.

    Raises:
        ArchiveError: There is none.
    """
    if settings.key_file:
        try:
            given = Path(settings.key_file).read_text("utf-8").splitlines()[:2]
        except (OSError, ValueError) as error:
            raise ArchiveError("archive.no_store", f"central.store.key_file: {error}") from error
        lacking, token = f"{settings.key_file} has not the id of a key and, in its second line, its secret", None
    else:
        given, token = [os.environ.get(name, "") for name in KEY_VARIABLES], os.environ.get(SESSION_VARIABLE) or None
        lacking = f"there is no key: give central.store.key_file, or {' and '.join(KEY_VARIABLES)}"
    if len(given) < len(KEY_VARIABLES) or not all(given):
        raise ArchiveError("archive.no_store", lacking)
    return {"access_key_id": given[0], "secret_access_key": given[1], "token": token, "expires_at": None}


def _said(error: Exception) -> str:
    """What a store said, without what only the library's makers read."""
    return str(error).split("Debug source")[0].strip()
