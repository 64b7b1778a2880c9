"""Whether a file still lies at its path: not deleted, moved away, replaced, or hidden by another mount.

A file whose name is gone goes on taking what is written to it, until it is closed; nobody finds that again.
"""

import os
from pathlib import Path


def displaced(path: Path, own: os.stat_result) -> str | None:
    """What has become of a file or folder, in words, or None while it lies at its path; takes some microseconds.

    Args:
        path: Where it must lie.
        own: What it was when it was opened. A file must be open ever since: otherwise the file system may give its
            number to another one.

    Raises:
        OSError: The file system does not tell.
    """
    try:
        there = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return f"{path} is not there any more: it was deleted or moved away, or its file system is not mounted"
    if there.st_dev != own.st_dev:
        return f"{path} is on another file system than before: something was mounted or unmounted there"
    if there.st_ino != own.st_ino:
        return f"{path} was replaced by another one"
    return None
