"""The first look at every scan that is to become part of a data set, and where it belongs: its group and its split."""

from collections.abc import Sequence
from dataclasses import dataclass

from models.dataset.cutting import CutPlan, Scan, ToCut, read_sorted
from models.dataset.manifest import DataFile, Split, split_name
from models.dataset.said import SaidScan, SortedPatches, canvases, patch_labels, read_said
from models.dataset.scans import LabelledScan, listing, marks_of, read_mask
from models.dataset.split import assign_splits, join_groups, same_values
from models.dataset.store import file_sha256
from models.errors import DatasetError
from station.core.errors import RecordingError


@dataclass(frozen=True, slots=True)
class Given:
    """A scan, and the split that it was given for; None to be shared out."""

    scan: Scan
    split: Split | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """What the first look at a scan's files gave.

    Attributes:
        sha256: Of the scan.
        mask_sha256: Of its mask, where it has one.
        refused: Why it cannot be used; nothing where it can.
        contradicted: In words which patches are labelled otherwise than they are marked; nothing where none is.
    """

    sha256: str = ""
    mask_sha256: str | None = None
    refused: str = ""
    contradicted: str = ""


def look_at(plan: CutPlan, scan: Scan) -> Look:
    """Hashes of a scan's files; those that say what it shows are read, and the scan itself where people spoke of it."""
    try:
        match scan:
            case LabelledScan():
                read_mask(scan)
                return Look(file_sha256(scan.image_path), file_sha256(scan.mask_path))
            case SaidScan():
                return Look(scan.sha256, contradicted=_contradicted(plan, scan))
            case SortedPatches():
                for path in scan.files.values():
                    read_sorted(path, plan.shape)
                return Look(scan.sha256)
    except (RecordingError, DatasetError) as error:
        return Look(refused=error.detail)
    except OSError as error:
        return Look(refused=str(error))


def _contradicted(plan: CutPlan, scan: SaidScan) -> str:
    image = read_said(scan, plan.geometry.lines_per_turn)
    found = patch_labels(scan.said, canvases(scan.said, image.shape), scan.left, scan.right, plan.geometry).contradicted
    patches = f"patch{'es' if len(found) > 1 else ''} {', '.join(map(str, found))}"
    return f"{scan.name}: {patches}: the label is another than what is marked there" if found else ""


def place(plan: CutPlan, given: Sequence[Given], looks: Sequence[Look]) -> list[ToCut]:
    """Every scan with its hashes, group and split.

    Args:
        plan: Says how parts are shared out.
        given: The scans; those that are shared out come first.
        looks: One of each.

    Raises:
        DatasetError: A scan cannot be used, a class has too few parts, or a part would lie in two splits.
    """
    if refused := [look.refused for look in looks if look.refused]:
        raise DatasetError("dataset.bad_source", listing(refused))
    groups = _groups([one.scan for one in given], looks)
    shared = sum(one.split is None for one in given)
    labels = [_label(plan, one.scan) for one in given]
    dealt = assign_splits(groups[:shared], labels[:shared], plan.shares, plan.seed)
    splits = dealt + [one.split for one in given if one.split is not None]
    _refuse_leaks([one.scan for one in given], groups, splits)
    rows = zip(given, looks, groups, labels, splits, strict=True)
    return [
        ToCut(number, one.scan, _file(one.scan, look, group, label, split))
        for number, (one, look, group, label, split) in enumerate(rows)
    ]


def where(scan: Scan) -> str:
    """A scan's file, for people."""
    return scan.name if isinstance(scan, SortedPatches) else str(scan.image_path)


def _groups(scans: Sequence[Scan], looks: Sequence[Look]) -> list[int]:
    """What stays in one split: scans of one part, and scans of the same bytes."""
    parts = [scan.part_id or look.sha256 for scan, look in zip(scans, looks, strict=True)]
    number_of = {part: number for number, part in enumerate(dict.fromkeys(parts))}
    return join_groups([number_of[part] for part in parts], same_values(look.sha256 for look in looks))


def _refuse_leaks(scans: Sequence[Scan], groups: Sequence[int], splits: Sequence[Split]) -> None:
    """A part, or a scan of the same bytes, lies in one split only."""
    first: dict[int, tuple[Split, Scan]] = {}
    for scan, group, split in zip(scans, groups, splits, strict=True):
        before, other = first.setdefault(group, (split, scan))
        if before is not split:
            names = f"{where(other)} for {before.name.lower()}, {where(scan)} for {split.name.lower()}"
            raise DatasetError("dataset.bad_source", f"the same part, or the same bytes: {names}")


def _file(scan: Scan, look: Look, group: int, label: str, split: Split) -> DataFile:
    return DataFile(
        path=scan.name, sha256=look.sha256, truth_sha256=look.mask_sha256, said_sha256=scan.said_sha256,
        part_id=scan.part_id, group=group, label=label, split=split_name(split),
    )  # fmt: skip


def _label(plan: CutPlan, scan: Scan) -> str:
    """The class that a scan counts as: its part's, or the severest of those that somebody saw on it."""
    surfaces = marks_of(plan.table)
    return max((surfaces[number] for number in scan.numbers or {0}), key=lambda surface: surface.severity).name
