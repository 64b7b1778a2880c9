"""Whose picture a label is of: the inspection's that the records know by the scan's hash, or else the scan's."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from station.labels.formats.archive import Archive, ArchivedScan
from station.labels.formats.entry import Entry, PictureName
from station.labels.formats.pictures import Pictures, Scan
from station.labels.formats.rectangle import PictureSize
from station.labels.formats.source import WrongFileError
from station.labels.label import InspectionSubject, ScanSubject, Subject

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Problems:
    """What is wrong with an import, all of it.

    Attributes:
        told: In words, each with its place.
    """

    told: list[str] = field(default_factory=list)

    @contextmanager
    def noting(self, where: str) -> Iterator[None]:
        """While in this context a ValueError ends it, and is noted with its place."""
        try:
            yield
        except WrongFileError as error:
            self.told.append(str(error))
        except ValueError as error:
            self.told.append(f"{where}: {error}")


@dataclass(frozen=True, slots=True)
class Known:
    """A picture that is known.

    Attributes:
        subject: What labels of it are of.
        sha256: Of the scan.
        path: Where it lies, or None where its file is not there.
    """

    subject: Subject
    sha256: str
    path: Path | None


class Finder:
    """Finds the pictures that a file names.

    Args:
        pictures: Where scans are looked for.
        archive: What the records know.
    """

    def __init__(self, pictures: Pictures, archive: Archive) -> None:
        self._pictures = pictures
        self._archive = archive

    def known(self, entries: Sequence[Entry], problems: Problems) -> dict[PictureName, Known]:
        """Every picture that is known; the others are noted at the first entry that is of them."""
        first: dict[PictureName, str] = {}
        for entry in entries:
            first.setdefault(entry.picture, entry.where)
        scans: dict[PictureName, Scan | None] = {}
        for picture, where in first.items():
            with problems.noting(where):
                scans[picture] = self._scan(picture)
        keys = {
            key for picture, scan in scans.items() for key in (picture.inspection_id, _sha256(picture, scan)) if key
        }
        archived = self._archive.find(keys)
        known: dict[PictureName, Known] = {}
        for picture, scan in scans.items():
            with problems.noting(first[picture]):
                known[picture] = _known(picture, scan, archived)
        return known

    def size(self, known: Known, told: PictureSize | None) -> PictureSize | None:
        """A picture's size, or None where its file is not there.

        Args:
            known: The picture.
            told: What the file of labels says of its size.

        Raises:
            ValueError: The two differ, or the scan cannot be read, or has changed.
        """
        if known.path is None or not known.path.is_file():
            return None
        scan = self._pictures.look(known.path)
        if scan.sha256 != known.sha256:
            raise ValueError(f"{scan.path} is not the scan that was archived: its content is another")
        _require_size(scan, told)
        return scan.size

    def _scan(self, picture: PictureName) -> Scan | None:
        """The scan, or None where another thing than its file says which it is."""
        if picture.path is not None:
            return self._pictures.look(picture.path)
        named = self._pictures.named(picture.file) if picture.file else []
        if picture.sha256:
            return self._with_content(picture.sha256, named)
        if len(named) > 1:
            raise ValueError(f"the picture {picture} may be {named[0]} or {named[1]}")
        if named:
            return self._pictures.look(named[0])
        stem = PurePosixPath(picture.file).stem
        by_hash = self._pictures.by_sha256(stem) if _SHA256.fullmatch(stem) else None
        if by_hash is None and not picture.inspection_id:
            raise ValueError(f"the picture {picture} is not there")
        return self._pictures.look(by_hash) if by_hash else None

    def _with_content(self, sha256: str, named: Sequence[Path]) -> Scan | None:
        scans = [self._pictures.look(path) for path in named]
        if scan := next((scan for scan in scans if scan.sha256 == sha256), None):
            return scan
        if path := self._pictures.by_sha256(sha256):
            return self._pictures.look(path)
        if scans:
            raise ValueError(f"{scans[0].path} is not the scan that was labelled: its content is another")
        return None


def _sha256(picture: PictureName, scan: Scan | None) -> str:
    return scan.sha256 if scan else picture.sha256


def _require_size(scan: Scan, told: PictureSize | None) -> None:
    if told not in {None, scan.size}:
        raise ValueError(f"the labels are of a picture of {told}, {scan.path} has {scan.size}")


def _known(picture: PictureName, scan: Scan | None, archived: Mapping[str, ArchivedScan]) -> Known:
    if scan is not None:
        _require_size(scan, picture.size)
    sha256 = _sha256(picture, scan)
    one = archived.get(picture.inspection_id or sha256)
    if picture.inspection_id:
        if one is None:
            raise ValueError(f"the records know no inspection {picture.inspection_id}")
        if sha256 and one.sha256 != sha256:
            raise ValueError(f"the scan {sha256[:12]} is not that of the inspection {picture.inspection_id}")
    path = scan.path if scan else one.path if one else None
    if one is not None:
        return Known(InspectionSubject(one.inspection_id), one.sha256, path)
    name = picture.file or (scan.path.name if scan else "")
    return Known(ScanSubject(sha256, name), sha256, path)
