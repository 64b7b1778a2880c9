"""Patches in folders of classes, laid out by `station dataset cut` and sorted by people; their names tell the scan."""

import hashlib
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from models.dataset.manifest import UNLABELLED
from models.dataset.said import Said, SortedPatches
from models.dataset.scans import listing
from models.errors import DatasetError
from station.core.errors import BugError
from station.labels.formats.entry import Entry
from station.labels.formats.patch_folders import read_patch_folders
from station.labels.formats.source import WrongFileError
from station.labels.label import BUILT_IN, Patch
from station.offline.gathering.columns import OTHER_GEOMETRY
from station.offline.gathering.terms import LeftOut, Terms

SORTED_OUT = "it lies in a folder that is no class"


def read_patches(folder: Path, terms: Terms, left_out: LeftOut) -> list[SortedPatches]:
    """The sorted patches of each scan.

    Args:
        folder: Of class folders of patches.
        terms: What holds for all folders.
        left_out: Is told which patches are not taken: unsorted ones, those of other geometries, those of no class.

    Raises:
        DatasetError: A folder is named after no class, or a patch lies in two.
    """
    if terms.kind == "whole":
        raise DatasetError("dataset.bad_choice", f"{folder} holds patches; whole scans cannot be made of them")
    try:
        found = read_patch_folders(folder)
    except WrongFileError as error:
        raise DatasetError("dataset.bad_source", str(error)) from error
    left_out.told.extend(found.left_out)
    scans: dict[str, dict[int, Entry]] = defaultdict(dict)
    twice = []
    for entry in found.entries:
        if (patch := _taken(entry, terms, left_out)) is not None:
            other = scans[entry.picture.sha256].setdefault(patch.index, entry)
            twice += [f"{other.where} and {entry.where}"] if other is not entry else []
    if twice:
        raise DatasetError("dataset.bad_source", f"the same patch in two classes: {listing(twice)}")
    return [_sorted(folder, sha256, patches, terms) for sha256, patches in scans.items()]


def _taken(entry: Entry, terms: Terms, left_out: LeftOut) -> Patch | None:
    name, patch = entry.class_name, entry.region
    if not isinstance(patch, Patch):
        raise BugError("station.bug", f"{entry.where}: a folder of patches gave {patch}")
    if terms.number(name) is None and name not in BUILT_IN:
        known = ", ".join(terms.settings.table.names)
        raise DatasetError("dataset.bad_source", f"{entry.where}: there is no class {name}; [[classes]] has {known}")
    if terms.number(name) is None:
        left_out.leave(entry.where, SORTED_OUT, name)
    elif patch.geometry != terms.geometry:
        left_out.leave(entry.where, OTHER_GEOMETRY, str(patch.geometry))
    else:
        return patch
    return None


def _sorted(folder: Path, sha256: str, patches: Mapping[int, Entry], terms: Terms) -> SortedPatches:
    numbers = {index: terms.number(patches[index].class_name) for index in sorted(patches)}
    classes = {index: number for index, number in numbers.items() if number is not None}
    told = "\n".join(f"{index} {patches[index].class_name}" for index in classes)
    said = Said(UNLABELLED, classes, sha256=hashlib.sha256(told.encode()).hexdigest())
    return SortedPatches(f"{folder.name}/{sha256}", sha256, {one: Path(patches[one].where) for one in classes}, said)
