"""The files with the masks of labels, which name them by their content."""

from collections.abc import Mapping
from pathlib import Path

from models.dataset.store import file_sha256
from models.errors import DatasetError
from station.core.recording import SCAN_SUFFIXES
from station.labels.formats.source import WrongFileError, files_below


def mask_files(folder: Path | None) -> Mapping[str, Path]:
    """The images of a folder and those below it by their SHA-256; none without a folder.

    Raises:
        DatasetError: It cannot be read.
    """
    if folder is None:
        return {}
    try:
        images = [path for path in files_below(folder) if path.suffix.lower() in SCAN_SUFFIXES and path.is_file()]
        return {file_sha256(path): path for path in images}
    except WrongFileError as error:
        raise DatasetError("dataset.bad_source", str(error)) from error
    except OSError as error:
        raise DatasetError("dataset.bad_source", f"{error.filename}: it cannot be read: {error.strerror}") from error
