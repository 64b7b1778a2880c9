"""The scans that labels are of: found in a folder by their name or by their content, and looked at once."""

import hashlib
import re
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from station.core.recording import SCAN_SUFFIXES
from station.core.scan_file import ScanFileError, grey_size
from station.labels.formats.rectangle import PictureSize
from station.labels.formats.source import files_below

MOST_BYTES = 2_000_000_000
"""Of one scan; a larger file is none."""
_PUT_BEFORE = re.compile(r"(\?d=)?([0-9a-f]{8}-)?")


@dataclass(frozen=True, slots=True)
class Scan:
    """A scan that was looked at.

    Attributes:
        path: Where it lies.
        sha256: Of its content.
        size: In px.
    """

    path: Path
    sha256: str
    size: PictureSize


class Pictures:
    """The scans of a folder and those below it.

    Args:
        folder: Where to look, or None where there are none.

    Raises:
        WrongFileError: From every method: the folder cannot be read.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._looked: dict[Path, Scan] = {}

    def look(self, path: Path) -> Scan:
        """A scan's size and hash.

        Raises:
            ValueError: It cannot be read, or is no whole scan.
        """
        if path not in self._looked:
            self._looked[path] = _look(path)
        return self._looked[path]

    def named(self, name: str) -> list[Path]:
        """The scans that a name, a path or a name without ending may mean.

        One that is the way from the folder itself means that scan, others those whose folders fit best. What Label
        Studio puts before the names of pictures, also where it writes COCO and YOLO, may be missing.
        """
        wanted = PurePosixPath(name.replace("\\", "/"))
        if straight := self._by_way.get(wanted.as_posix()):
            return straight
        names = (wanted.name, _PUT_BEFORE.sub("", wanted.name, count=1))
        found = next((found for name in names if (found := self._by_file.get(name) or self._by_stem.get(name))), [])
        best = max((_alike(path, wanted) for path in found), default=0)
        return [path for path in found if _alike(path, wanted) == best]

    def way(self, path: Path) -> str:
        """The way to a scan from the folder; of one that lies elsewhere the name."""
        within = self._folder is not None and path.is_relative_to(self._folder)
        return path.relative_to(self._folder or path).as_posix() if within else path.name

    def by_sha256(self, sha256: str) -> Path | None:
        """The scan with this content, or None; the first time it reads all that there are."""
        return self._by_sha256.get(sha256)

    @cached_property
    def _files(self) -> list[Path]:
        if self._folder is None:
            return []
        return [path for path in files_below(self._folder) if path.suffix.lower() in SCAN_SUFFIXES and path.is_file()]

    @cached_property
    def _by_way(self) -> dict[str, list[Path]]:
        ways = {path: path.relative_to(self._folder or path) for path in self._files}
        whole = _grouped({path: way.as_posix() for path, way in ways.items()})
        return _grouped({path: way.with_suffix("").as_posix() for path, way in ways.items()}) | whole

    @cached_property
    def _by_file(self) -> dict[str, list[Path]]:
        return _grouped({path: path.name for path in self._files})

    @cached_property
    def _by_stem(self) -> dict[str, list[Path]]:
        return _grouped({path: path.stem for path in self._files})

    @cached_property
    def _by_sha256(self) -> dict[str, Path]:
        found = {}
        for path in self._files:
            try:
                with path.open("rb") as file:
                    found[hashlib.file_digest(file, "sha256").hexdigest()] = path
            except OSError:
                continue  # it is missed where a label is of it
        return found


def _look(path: Path) -> Scan:
    try:
        if path.exists() and not path.is_file():
            raise ValueError(f"{path}: it is no file")
        if path.stat().st_size > MOST_BYTES:
            raise ValueError(f"{path}: it is larger than any scan")
        content = path.read_bytes()
        size = grey_size(content)
    except OSError as error:
        raise ValueError(f"{path}: it cannot be read: {error.strerror}") from error
    except ScanFileError as error:
        raise ValueError(f"{path}: {error}") from error
    return Scan(path, hashlib.sha256(content).hexdigest(), PictureSize(size.lines, size.columns))


def _grouped(names: dict[Path, str]) -> dict[str, list[Path]]:
    grouped = defaultdict(list)
    for path, name in names.items():
        grouped[name].append(path)
    return dict(grouped)


def _alike(path: Path, wanted: PurePosixPath) -> int:
    """How many folders above a file are those of a path."""
    pairs = zip(reversed(path.parent.parts), reversed(wanted.parent.parts), strict=False)
    count = 0
    for one, other in pairs:
        if one != other:
            break
        count += 1
    return count
