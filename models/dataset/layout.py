"""Which folders are classes, which are splits, and what of them is left out.

DIR/CLASS/picture                          classes
DIR/train|valid|test/CLASS/picture         classes, in the splits that somebody made

Masks and what a system hides are no pictures of a class: they are left out, and so is whatever else nobody could take
for one; each is named. A folder whose name says that it is no class, and that holds pictures all the same, is refused.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from models.dataset.manifest import Split
from models.dataset.pictures import SUFFIXES
from models.errors import DatasetError

SPLIT_FOLDERS = {
    "train": Split.TRAIN, "training": Split.TRAIN, "val": Split.VALIDATION, "valid": Split.VALIDATION,
    "validation": Split.VALIDATION, "test": Split.TEST, "testing": Split.TEST,
}  # fmt: skip
"""Folders of this name are splits."""
MASK_FOLDERS = frozenset({"mask", "masks", "ground_truth", "groundtruth", "gt", "annotations", "labels"})
"""Folders of this name tell where the defects are."""
PICTURE_FOLDERS = frozenset({"image", "images", "img", "imgs", "jpegimages", "pictures"})
"""Folders of this name hold pictures of every class."""
SYSTEM_NAMES = frozenset({"__macosx", "thumbs.db", "desktop.ini", "$recycle.bin", "lost+found"})


@dataclass(frozen=True, slots=True)
class Listed:
    """A picture in a class folder; not looked into yet.

    Attributes:
        path: The file.
        name: Its path from the folder of folders.
        label: Its class.
        split: That it was put into, or None.
    """

    path: Path
    name: str
    label: str
    split: Split | None


@dataclass(slots=True)
class Layout:
    """What a folder of class folders holds.

    Attributes:
        pictures: In the order of classes and names.
        classes: All that have a folder, by name.
        left_out: What is no picture of a class: its path from the folder, and why.
    """

    pictures: list[Listed] = field(default_factory=list)
    classes: set[str] = field(default_factory=set)
    left_out: list[str] = field(default_factory=list)


def read_layout(folder: Path) -> Layout:
    """The pictures of a folder of class folders, or of one whose splits hold class folders.

    Raises:
        DatasetError: It is no folder, or its folders are neither classes nor splits.
    """
    if not folder.is_dir():
        raise DatasetError("dataset.bad_source", f"{folder} is no folder")
    layout = Layout()
    try:
        own = list(_class_like(folder, folder, layout))
        splits = [path for path in own if path.name.lower() in SPLIT_FOLDERS]
        if splits and len(splits) < len(own):
            others = _names([path for path in own if path not in splits])
            told = f"{folder}: {_names(splits)} name splits, {others} beside them do not; rename or move some"
            raise DatasetError("dataset.bad_source", told)
        if splits:
            for split in splits:
                _take_split(folder, split, layout)
        else:
            _take_classes(folder, own, None, layout)
    except OSError as error:
        raise DatasetError("dataset.bad_source", f"{error.filename or folder}: {error.strerror}") from error
    return layout


def _class_like(folder: Path, root: Path, layout: Layout) -> Iterator[Path]:
    """The folders in a folder that may be classes or splits; the rest is told of, or refused."""
    for path in sorted(folder.iterdir()):
        name, plain = path.name.lower(), not path.is_dir()
        if why := _no_class(path):
            layout.left_out.append(f"{path.relative_to(root)}: {why}")
        elif plain:
            what = "a picture in no class folder" if path.suffix.lower() in SUFFIXES else "no picture"
            layout.left_out.append(f"{path.relative_to(root)}: {what}")
        elif name in PICTURE_FOLDERS:
            told = f"{path} is no class by its name; give the folder that holds its class folders, or rename it"
            raise DatasetError("dataset.bad_source", told)
        else:
            yield path


def _no_class(path: Path) -> str | None:
    name = path.name.lower()
    if path.name.startswith(".") or name in SYSTEM_NAMES:
        return "hidden, or the system's own"
    return "masks, no class, by its name" if name in MASK_FOLDERS and path.is_dir() else None


def _take_split(root: Path, folder: Path, layout: Layout) -> None:
    taken = len(layout.left_out)
    own = list(_class_like(folder, root, layout))
    loose = [told for told in layout.left_out[taken:] if told.endswith("a picture in no class folder")]
    if not own and loose:
        told = f"{folder} is a split by its name, and {len(loose)} pictures lie in no class folder there"
        raise DatasetError("dataset.bad_source", told)
    _take_classes(root, own, SPLIT_FOLDERS[folder.name.lower()], layout)


def _take_classes(root: Path, folders: Iterable[Path], split: Split | None, layout: Layout) -> None:
    for folder in folders:
        layout.classes.add(folder.name)
        for path in sorted(folder.iterdir()):
            name = path.relative_to(root)
            if path.is_dir():
                layout.left_out.append(f"{name}: a folder in a class folder")
            elif why := _no_class(path):
                layout.left_out.append(f"{name}: {why}")
            elif not path.is_file():
                layout.left_out.append(f"{name}: no file")
            elif path.suffix.lower() not in SUFFIXES:
                layout.left_out.append(f"{name}: not {', '.join(sorted(SUFFIXES))}")
            else:
                layout.pictures.append(Listed(path, name.as_posix(), folder.name, split))


def _names(paths: Sequence[Path]) -> str:
    return ", ".join(path.name for path in paths)
