"""`station dataset make`: a data set for training, of whatever a plant has."""

import os
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from models.errors import DatasetError
from station.cli.dataset_tables import print_data, tell_left_out, tell_unfit
from station.cli.terminal import ConfigOption, progress, refuse, settings_of
from station.core.errors import StationError
from station.core.records import time_asked

if TYPE_CHECKING:
    from models.dataset.cutting import CutPlan
    from models.dataset.folder_listing import Cut, FolderPlan, Resized
    from models.dataset.store import DataSet
    from station.offline.gathering.sources import Folder
    from station.offline.gathering.terms import Terms


class Kind(StrEnum):
    """What `make` makes."""

    PATCHES = "patches"
    WHOLE = "whole"
    CLASS_FOLDERS = "class-folders"


FoldersOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--from", metavar="DIR",
        help="A recording; patches of `station dataset cut`, sorted; a data folder; class folders; or train, valid and "
        "test with one of these in each. May be repeated.",
    ),
]  # fmt: skip
RecordsOption = Annotated[
    list[Path] | None,
    typer.Option(metavar="DATA", help="A data folder: what of its archive, and of other scans, people have labelled."),
]
KindOption = Annotated[
    Kind | None,
    typer.Option(
        help="Patches or whole scans; or class folders. [default: class-folders where all are such, else patches]"
    ),
]
SplitOption = Annotated[
    str | None,
    typer.Option(
        help="Percent of --from for training, validation and test; 0/0/100 to judge alone. "
        "[default: 80/20/0, or 100/0/0 where splits are given]"
    ),
]
ValidationOption = Annotated[
    list[Path] | None, typer.Option(metavar="DIR", help="As --from, all for validation; --from then trains.")
]
TestOption = Annotated[
    list[Path] | None, typer.Option(metavar="DIR", help="As --from, all for testing; --from then trains.")
]
SinceOption = Annotated[str | None, typer.Option(metavar="TIME", help="Records: entered at this time or later.")]
UntilOption = Annotated[str | None, typer.Option(metavar="TIME", help="Records: entered before this time.")]
TypeOption = Annotated[
    list[str] | None, typer.Option(metavar="NAME", help="Records: only of this type; its geometry is the data set's.")
]
VerdictOption = Annotated[list[str] | None, typer.Option(metavar="NAME", help="Records: only with this verdict.")]
ClassOption = Annotated[
    list[str] | None, typer.Option("--class", metavar="NAME", help="Records: only where this class was seen.")
]
AsOfOption = Annotated[
    str | None, typer.Option(metavar="TIME", help="Records: by what was said up to this time, to make a set again.")
]
TrustOption = Annotated[
    str | None,
    typer.Option(metavar="A,B,…", help="Records: where nobody said anything, take these verdicts for labels."),
]
ScansOption = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Records: where labelled scans lie that are in no archive.")
]
MasksOption = Annotated[Path | None, typer.Option(metavar="DIR", help="Records: where the masks of labels lie.")]
JitterOption = Annotated[int, typer.Option(min=0, max=8, help="Move a part's edges by up to so many columns.")]
CutsOption = Annotated[
    int,
    typer.Option(min=1, max=16, help="Cut a scan that trains so many times, each time from another line of its turn."),
]
SizeOption = Annotated[
    int | None, typer.Option(min=32, max=2048, help="Class folders: make every picture so many px high and wide.")
]
CutOption = Annotated[
    int | None,
    typer.Option(
        min=32, max=2048, help="Class folders: cut every picture into patches of so many px, as parts whose defects "
        "nobody has marked."
    ),
]  # fmt: skip
ClassesOption = Annotated[
    str | None,
    typer.Option(
        metavar="A,B,…", help="Class folders: every class, in a network's order, also those without pictures."
    ),
]
PassingOption = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Class folders: the class of good pictures; by default that of [[classes]]."),
]
AlikeOption = Annotated[
    bool, typer.Option("--alike", help="Class folders: keep pictures of one object, alike in detail, together.")
]


def make(
    folder: Annotated[Path, typer.Argument(metavar="OUT", help="Folder to write; nothing may lie there.")],
    sources: FoldersOption = None,
    records: RecordsOption = None,
    kind: KindOption = None,
    split: SplitOption = None,
    validation_from: ValidationOption = None,
    test_from: TestOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    part_type: TypeOption = None,
    verdict: VerdictOption = None,
    label_class: ClassOption = None,
    as_of: AsOfOption = None,
    trust_verdicts: TrustOption = None,
    scans: ScansOption = None,
    masks: MasksOption = None,
    seed: Annotated[int, typer.Option(min=0, help="Of splits, jitter and cuts.")] = 1,
    jitter_px: JitterOption = 2,
    cuts: CutsOption = 1,
    size: SizeOption = None,
    cut_px: CutOption = None,
    classes: ClassesOption = None,
    passing: PassingOption = None,
    alike: AlikeOption = False,
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes; by default one a core.")] = None,
    config: ConfigOption = None,
) -> None:
    """Make a data set for training: images with what is known of each, split by part, every source and hash named."""
    from models.dataset.cutting import CutPlan
    from models.dataset.folder_listing import FolderPlan
    from models.dataset.split import parse_shares
    from station.offline.gathering.terms import Asked, Terms, geometry_of

    settings = settings_of(config, "simulate.toml")
    given = _Given(tuple(sources or ()), tuple(records or ()), tuple(validation_from or ()), tuple(test_from or ()))
    try:
        shares = parse_shares(split) if split else None
        asked = Asked(
            time_asked(since), time_asked(until), tuple(verdict or ()), tuple(part_type or ()),
            tuple(label_class or ()), time_asked(as_of), _names(trust_verdicts) or (), scans, masks,
        )  # fmt: skip
        made: Literal["patches", "whole"] = "whole" if kind is Kind.WHOLE else "patches"
        terms = Terms(settings, geometry_of(settings, asked.part_types), made, asked)
        folders = _told_apart(given, kind, terms)
        if folders is None:
            plan = FolderPlan(
                folder.name, given.shared[0], shares, seed, _sized(size, cut_px), "alike" if alike else "same",
                given.validation, given.test, _names(classes), passing, settings.table.passing.name, given.shared[1:],
            )  # fmt: skip
            data = _from_folders(folder, plan)
        elif size or cut_px or alike or classes or passing:
            told = "--size, --cut-px, --alike, --classes and --passing are for class folders"
            raise DatasetError("dataset.bad_choice", told)
        else:
            usual = (80, 20, 0) if all(one.split is None for one in folders) else (100, 0, 0)
            cutting = CutPlan(
                made, folder.name, settings.table, terms.geometry, shares or usual, seed, jitter_px, cuts
            )  # fmt: skip
            data = _from_scans(folder, cutting, folders, terms, jobs or os.cpu_count() or 1)
    except StationError as error:
        refuse(error)
    print_data(data)
    tell_unfit(data)


def _sized(size: int | None, cut_px: int | None) -> "Resized | Cut | None":
    from models.dataset.folder_listing import Cut, Resized

    if size and cut_px:
        raise DatasetError("dataset.bad_choice", "--size and --cut-px: patches are cut at full size; give one of them")
    if cut_px:
        return Cut(cut_px)
    return Resized(size) if size else None


@dataclass(frozen=True, slots=True)
class _Given:
    """The folders that a command line names."""

    shared: tuple[Path, ...]
    records: tuple[Path, ...]
    validation: tuple[Path, ...]
    test: tuple[Path, ...]


def _names(text: str | None) -> tuple[str, ...] | None:
    return tuple(name.strip() for name in text.split(",")) if text else None


def _told_apart(given: _Given, kind: Kind | None, terms: "Terms") -> "list[Folder] | None":
    """Every folder by its kind; None where all are class folders."""
    from models.dataset.manifest import Split
    from station.offline.gathering.sources import Folder, folders_in

    if not given.shared and not given.records:
        raise DatasetError("dataset.bad_choice", "nothing to make it of: give --from, or --records")
    uses = ((None, given.shared), (Split.VALIDATION, given.validation), (Split.TEST, given.test))
    folders = [Folder(path, "records") for path in given.records]
    if kind is not Kind.CLASS_FOLDERS:
        folders += [found for split, paths in uses for path in paths for found in folders_in(path, terms, split)]
    if terms.asked.told and not any(one.kind == "records" for one in folders):
        options = ", ".join(f"--{name}" for name in terms.asked.told)
        raise DatasetError("dataset.bad_choice", f"{options}: asked of records, and none are given")
    return None if _are_pictures(folders, kind) else folders


def _are_pictures(folders: "list[Folder]", kind: Kind | None) -> bool:
    """Whether a set is made of pictures by class; refuses them among scans."""
    pictures = [one.path for one in folders if one.kind == "class_folders"]
    if kind is Kind.CLASS_FOLDERS and folders:
        raise DatasetError("dataset.bad_choice", "class folders are not joined with records; make a set of them alone")
    if kind is Kind.CLASS_FOLDERS or (kind is None and len(pictures) == len(folders)):
        return True
    if pictures:
        told = f"{pictures[0]} is no recording, data folder, or folder of patches; folders of classes"
        how = "take --kind class-folders" if len(pictures) == len(folders) else "are made a set of alone"
        raise DatasetError("dataset.bad_source", f"{told} {how}")
    return False


def _from_folders(folder: Path, plan: "FolderPlan") -> "DataSet":
    from models.dataset.folders import make_from_folders

    with progress("reading") as tell:
        return make_from_folders(folder, plan, tell, tell_left_out)


def _from_scans(folder: Path, plan: "CutPlan", folders: "list[Folder]", terms: "Terms", jobs: int) -> "DataSet":
    from models.dataset.making import make_from_scans
    from models.dataset.store import check_place
    from station.offline.gathering.sources import gather

    check_place(folder, 0)
    gathered = gather(folders, terms)
    tell_left_out(gathered.left_out)
    with progress("cutting") as tell:
        return make_from_scans(folder, plan, gathered.given, gathered.sources, jobs, tell, tell_left_out)
