"""Files of labels as they come from anywhere: read up to a size, and what is wrong in them told with its place."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

MOST_BYTES = 64_000_000
"""Of one file: some hundred thousand boxes in the wordiest of the formats."""
MOST_ITEMS = 1_000_000
"""Labels of one file, files of one folder."""


class WrongFileError(ValueError):
    """Says where in which file, or at which item of it, what is wrong; nothing of it was taken."""


@contextlib.contextmanager
def told_at(where: str) -> Iterator[None]:
    """While in this context a ValueError is one of this place.

    Raises:
        WrongFileError: In place of a ValueError that tells no place.
    """
    try:
        yield
    except WrongFileError:
        raise
    except ValueError as error:
        raise WrongFileError(f"{where}: {error}") from error


def read_bytes(path: Path) -> bytes:
    """A file's content.

    Raises:
        WrongFileError: No file, it cannot be read, or it is larger than any that somebody labelled by hand.
    """
    if path.exists() and not path.is_file():
        raise WrongFileError(f"{path}: it is no file")
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise WrongFileError(f"{path}: it cannot be read: {error.strerror}") from error
    if len(content) > MOST_BYTES:
        raise WrongFileError(f"{path}: it is larger than {MOST_BYTES // 1_000_000} MB, cut it into several")
    return content


def read_text(path: Path) -> str:
    """A file's content as text, without the mark that some programs put before it.

    Raises:
        WrongFileError: As `read_bytes`, or it is not UTF-8.
    """
    content = read_bytes(path)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise WrongFileError(f"{path} line {line}: it is not UTF-8, save it as such") from error


def files_below(folder: Path) -> Iterator[Path]:
    """Every file of a folder and of those in it, also behind links, and links that lead nowhere; each folder once.

    Raises:
        WrongFileError: No folder, a folder in it that cannot be read, or more files than anybody labelled by hand.
    """
    if not folder.is_dir():
        raise WrongFileError(f"{folder}: it is no folder")
    seen, count = set[tuple[int, int]](), 0
    for root, folders, names in os.walk(folder, onerror=_refuse, followlinks=True):
        found = Path(root).stat()
        if (found.st_dev, found.st_ino) in seen:
            folders.clear()
            continue
        seen.add((found.st_dev, found.st_ino))
        folders.sort()
        count += len(names)
        if count > MOST_ITEMS:
            raise WrongFileError(f"{folder}: more than {MOST_ITEMS:,} files")
        yield from (Path(root, name) for name in sorted(names))


def _refuse(error: OSError) -> NoReturn:
    raise WrongFileError(f"{error.filename}: it cannot be read: {error.strerror}") from error
