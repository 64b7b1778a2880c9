"""Class folders of patches, as `station dataset cut` lays them out: FOLDER/CLASS/SCAN_GEOMETRY_PATCH.png.

    5f0c…9e_3584-448-256-2_p007.png     the scan's SHA-256; lines a turn and a block, px and patches a strip; the patch

The name tells all, so that a file manager is enough to sort them; only what it looks like does the picture tell. What
still lies in `unlabelled` is not labelled, and a patch in two folders is refused.
"""

import re
from dataclasses import astuple
from pathlib import Path

from station.core.geometry import Geometry
from station.labels.formats.entry import Entry, Found, PictureName
from station.labels.formats.source import WrongFileError, files_below, told_at
from station.labels.label import Patch

UNLABELLED = "unlabelled"
"""The folder of what nobody has sorted yet."""
_NAME = re.compile(r"([0-9a-f]{64})_(\d{1,7})-(\d{1,7})-(\d{1,4})-(\d{1,2})_p(\d{1,3})\.png")


def patch_name(sha256: str, patch: Patch) -> str:
    """What the picture of a patch is called.

    Args:
        sha256: Of the scan's file.
        patch: Which one.
    """
    return f"{sha256}_{'-'.join(map(str, astuple(patch.geometry)))}_p{patch.index:03}.png"


def read_patch_folders(folder: Path) -> Found:
    """What a folder says.

    Raises:
        WrongFileError: It cannot be read, or holds no patch in a folder of a class.
    """
    entries, left_out, unlabelled = list[Entry](), list[str](), 0
    for path in files_below(folder):
        inner = path.relative_to(folder)
        matched = _NAME.fullmatch(path.name)
        if len(inner.parts) != 2 or not matched:
            left_out.append(f"{path}: it is no patch in a folder of a class")
        elif inner.parts[0] == UNLABELLED:
            unlabelled += 1
        else:
            entries.append(_entry(path, inner.parts[0], matched))
    if not entries:
        raise WrongFileError(f"{folder}: it has no patch in a folder of a class, {unlabelled} are not sorted yet")
    not_sorted = (f"{folder / UNLABELLED}: {unlabelled} patches that are not sorted yet",) if unlabelled else ()
    return Found(tuple(entries), (*left_out, *not_sorted))


def _entry(path: Path, class_name: str, matched: re.Match[str]) -> Entry:
    sha256, *numbers = matched.groups()
    with told_at(str(path)):
        *geometry, index = map(int, numbers)
        return Entry(str(path), PictureName(sha256=sha256), Patch(index, Geometry(*geometry)), class_name)


def holds_patches(folder: Path) -> bool:
    """Whether a folder has a folder with a patch in it, by its name."""
    return any(_NAME.fullmatch(path.name) for path in folder.glob("*/*.png"))
