"""What folders of class folders are to become, and which pictures they hold; nothing is looked into yet."""

from collections import Counter
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from models.dataset.layout import Layout, Listed, read_layout
from models.dataset.manifest import DataSource, Split, split_name
from models.dataset.split import Shares
from models.errors import DatasetError

Grouping = Literal["same", "alike"]


@dataclass(frozen=True, slots=True)
class Resized:
    """Every picture becomes one image of this height and width."""

    px: int


@dataclass(frozen=True, slots=True)
class Cut:
    """Every picture is cut into patches of this height and width, at full size."""

    px: int


@dataclass(frozen=True, slots=True)
class FolderPlan:
    """What is to be made of folders of class folders.

    Attributes:
        name: The data set's.
        folder: A folder of class folders.
        shares: Of the groups that nobody put into a split, or into that for training, in percent; None for all to
            training where somebody made splits, and 80/20/0 where not.
        seed: Of the splits.
        size: How pictures become images of one size; None where all have one.
        grouping: What never straddles a split: pictures of the same pixels, or also pictures of one object.
        validation: Folders of class folders that are all for validation.
        test: Folders of class folders that are all for testing.
        classes: Every class, in this order; None for those that have a folder, by name.
        passing: The class with which a picture is good; None where nobody said.
        usual_passing: Taken for it where nobody said, if it is one of the classes.
        also: More folders of class folders, shared out with the first.
    """

    name: str
    folder: Path
    shares: Shares | None = None
    seed: int = 1
    size: Resized | Cut | None = None
    grouping: Grouping = "same"
    validation: tuple[Path, ...] = ()
    test: tuple[Path, ...] = ()
    classes: tuple[str, ...] | None = None
    passing: str | None = None
    usual_passing: str | None = None
    also: tuple[Path, ...] = ()

    @property
    def uses(self) -> list[tuple[Path, Split | None]]:
        """Every folder, and the split that it is given for."""
        shared: list[tuple[Path, Split | None]] = [(folder, None) for folder in (self.folder, *self.also)]
        judging = ((Split.VALIDATION, self.validation), (Split.TEST, self.test))
        return [*shared, *((folder, split) for split, folders in judging for folder in folders)]


@dataclass(frozen=True, slots=True)
class Listing:
    """What folders hold.

    Attributes:
        pictures: In the order of folders, classes and names.
        classes: All, in the order of their numbers.
        sources: What each folder gives.
        left_out: What is no picture of a class, each with the reason.
    """

    pictures: list[Listed]
    classes: tuple[str, ...]
    sources: tuple[DataSource, ...]
    left_out: tuple[str, ...]


def list_folders(plan: FolderPlan) -> Listing:
    """The pictures of all folders.

    Raises:
        DatasetError: A class has no picture, is not wanted, or is called otherwise where it trains than where it
            judges.
    """
    layouts = [(folder, split, read_layout(folder)) for folder, split in plan.uses]
    pictures = [
        Listed(one.path, _name(plan, folder, one), one.label, _only(split, one))
        for folder, split, layout in layouts
        for one in layout.pictures
    ]
    sources = tuple(_source(folder, split, layout) for folder, split, layout in layouts)
    found = {name for _folder, _split, layout in layouts for name in layout.classes}
    where = ", ".join(source.name for source in sources)
    classes = _classes(plan, where, found, {picture.label for picture in pictures})
    if plan.classes is None:
        _require_same_names(where, pictures)
    left_out = tuple(f"{folder.name}/{told}" for folder, _split, layout in layouts for told in layout.left_out)
    return Listing(pictures, classes, sources, left_out)


def _name(plan: FolderPlan, folder: Path, picture: Listed) -> str:
    return picture.name if folder is plan.folder else f"{folder.name}/{picture.name}"


def _only(split: Split | None, picture: Listed) -> Split | None:
    if split is not None and picture.split not in {None, split}:
        told = f"{picture.path} lies in a folder for {split_name(picture.split)}, and is given for {split_name(split)}"
        raise DatasetError("dataset.bad_source", told)
    return picture.split if split is None else split


def _source(folder: Path, split: Split | None, layout: Layout) -> DataSource:
    reasons = Counter(told.rpartition(": ")[2] for told in layout.left_out)
    return DataSource(
        kind="class_folders", name=folder.resolve().name, split=None if split is None else split_name(split),
        taken=len(layout.pictures), left_out=dict(sorted(reasons.items())),
    )  # fmt: skip


def _classes(plan: FolderPlan, where: str, found: AbstractSet[str], filled: AbstractSet[str]) -> tuple[str, ...]:
    """The classes, each of which has a picture, unless they were named."""
    wanted = plan.classes or tuple(sorted(found))
    if len(set(wanted)) < len(wanted) or "" in wanted:
        raise DatasetError("dataset.bad_choice", f"classes {', '.join(wanted)}: each needs a name of its own")
    if plan.classes is None and (empty := sorted(found - filled)):
        raise DatasetError("dataset.bad_source", f"{where}: no pictures in {', '.join(empty)}")
    if unknown := sorted(filled - set(wanted)):
        raise DatasetError("dataset.bad_source", f"{where}: {', '.join(unknown)} is none of {', '.join(wanted)}")
    if len(wanted) < 2 or not filled:
        told = f"{where}: {len(wanted)} class folders, at least two are needed, or name the classes"
        raise DatasetError("dataset.bad_source", told)
    return wanted


def _require_same_names(where: str, pictures: list[Listed]) -> None:
    """Refuse a class to judge on that nothing trains: mostly it is one that is called otherwise there."""
    judging = {picture.label for picture in pictures if picture.split in {Split.VALIDATION, Split.TEST}}
    training = {picture.label for picture in pictures if picture.split in {None, Split.TRAIN}}
    if training and (strange := sorted(judging - training)):
        told = f"{where}: nothing trains on {', '.join(strange)}; what trains is called {', '.join(sorted(training))}"
        raise DatasetError("dataset.bad_source", f"{told}. Rename folders, or name all classes with --classes")
