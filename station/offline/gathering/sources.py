"""Folders that a data set is made of: their kinds are told apart by what lies in them, and each gives its scans."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from models.dataset.layout import SPLIT_FOLDERS
from models.dataset.looking import Given
from models.dataset.manifest import DataSource, SourceKind, Split, split_name
from models.dataset.scans import TRUTH_NAME, LabelledScan, read_scans
from models.errors import DatasetError
from station.core.errors import RecordError
from station.core.recording import INDEX_NAME
from station.core.records import RecordFilter
from station.host.records import read_records
from station.labels.build import open_labels
from station.labels.database import DATABASE as LABELS
from station.labels.formats.patch_folders import holds_patches
from station.offline.gathering.joining import join
from station.offline.gathering.patches import read_patches
from station.offline.gathering.recordings import read_part_labels
from station.offline.gathering.records import Records
from station.offline.gathering.terms import LeftOut, Terms
from station.offline.gathering.words import NO_CLASS


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of one kind.

    Attributes:
        path: Where it lies.
        kind: What lies in it.
        split: That it is for; None to be shared out.
    """

    path: Path
    kind: SourceKind
    split: Split | None = None


@dataclass(frozen=True, slots=True)
class Gathered:
    """What folders give.

    Attributes:
        given: Every scan once.
        sources: What was taken of each folder, for the manifest.
        left_out: In words what was not taken, and of what nobody learns.
    """

    given: tuple[Given, ...]
    sources: tuple[DataSource, ...]
    left_out: tuple[str, ...] = field(default=())


def folders_in(path: Path, terms: Terms, split: Split | None = None) -> list[Folder]:
    """What a folder is: one of a kind, or one of `train`, `valid` and `test` with one of a kind in each.

    Raises:
        DatasetError: A folder is given for one split, and lies in one called after another.
    """
    parts = [] if (path / INDEX_NAME).is_file() else _split_folders(path)
    kinds = {part: _kind_of(part, terms) for part in parts}
    if not parts or set(kinds.values()) == {"class_folders"}:
        return [Folder(path, _kind_of(path, terms), split)]
    found = [Folder(part, kind, SPLIT_FOLDERS[part.name.lower()]) for part, kind in kinds.items()]
    if other := [one.path.name for one in found if split not in {None, one.split}]:
        told = f"{path}: {', '.join(other)} there, and the folder is given for {split_name(split or Split.TRAIN)}"
        raise DatasetError("dataset.bad_source", told)
    return found


def gather(folders: Sequence[Folder], terms: Terms) -> Gathered:
    """The scans of folders, each once, and what is said of it.

    Raises:
        DatasetError: Folders contradict each other, or one cannot be used.
        RecordingError: A recording's lists cannot be used.
        RecordError: Records cannot be read.
        LabelError: Labels cannot be read.
        ConfigError: A verdict is asked for that there is not.
    """
    given, sources, told = list[Given](), list[DataSource](), list[str]()
    for folder in folders:
        left_out = LeftOut()
        scans, source = _read(folder, terms, left_out)
        given += scans
        sources.append(source.model_copy(update={"left_out": dict(sorted(left_out.counts.items()))}))
        told += left_out.told
    return Gathered(tuple(join(given, terms)), tuple(sources), tuple(told))


def _read(folder: Folder, terms: Terms, left_out: LeftOut) -> tuple[list[Given], DataSource]:
    source = DataSource(
        kind=folder.kind, name=folder.path.resolve().name, taken=0,
        split=None if folder.split is None else split_name(folder.split),
    )  # fmt: skip
    extra: dict[str, object] = {}
    match folder.kind:
        case "recording":
            scans = read_scans(folder.path, terms.settings.table, terms.geometry.lines_per_turn)
            given = [Given(scan, folder.split) for scan in learnable(scans, left_out)]
        case "part_labels":
            given = [Given(scan, folder.split) for scan in read_part_labels(folder.path, terms, left_out)]
        case "patch_folders":
            given = [Given(scan, folder.split) for scan in read_patches(folder.path, terms, left_out)]
        case "records":
            settings = terms.settings
            reader, store = read_records(settings, folder.path), open_labels(settings, folder.path)
            heard = Records(folder.path, reader, store, terms).read(left_out)
            given = [Given(scan, folder.split) for scan in heard.scans]
            extra = {"trusted": heard.trusted, "labels": heard.labels, "filters": terms.asked.told}
        case "class_folders":
            told = f"{folder.path} holds folders of classes, which are not joined with scans; make a set of them alone"
            raise DatasetError("dataset.bad_choice", told)
    return given, source.model_copy(update={"taken": len(given), **extra})


def learnable(scans: Iterable[LabelledScan], left_out: LeftOut) -> Iterator[LabelledScan]:
    """The scans without those of parts of none of the classes, of which nothing can be learnt."""
    for scan in scans:
        if scan.surface in scan.marks:
            yield scan
        else:
            left_out.leave(scan.name, NO_CLASS, scan.surface.name)


def _split_folders(path: Path) -> list[Path]:
    """The folders of splits in one that holds nothing else."""
    if not path.is_dir():
        return []
    inner = [one for one in sorted(path.iterdir()) if one.is_dir() and not one.name.startswith(".")]
    named = [one for one in inner if one.name.lower() in SPLIT_FOLDERS]
    return named if named and len(named) == len(inner) else []


def _kind_of(path: Path, terms: Terms) -> SourceKind:
    if (path / INDEX_NAME).is_file():
        return "recording" if (path / TRUTH_NAME).is_file() else "part_labels"
    if path.is_dir() and ((path / LABELS).is_file() or _has_records(path, terms)):
        return "records"
    return "patch_folders" if path.is_dir() and holds_patches(path) else "class_folders"


def _has_records(path: Path, terms: Terms) -> bool:
    try:
        read_records(terms.settings, path).records(RecordFilter(), 1)
    except RecordError as error:
        return error.code != "record.unknown"
    return True
