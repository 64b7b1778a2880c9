"""What people have labelled becomes a data set to learn from, and recordings of the parts that judge and calibrate."""

import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from models.dataset.cutting import CutPlan, Scan
from models.dataset.looking import Given
from models.dataset.making import make_from_scans
from models.dataset.manifest import DataSource
from models.dataset.said import PASSING, SaidScan
from models.errors import TrainingError
from station.core.durable import staged_folder, write_whole
from station.core.recording import INDEX_NAME
from station.core.settings import Settings
from station.labels.build import open_labels
from station.learn.counts import COUNTS, Counts, sayings_of
from station.learn.plan import Plan
from station.learn.sides import divide
from station.offline.gathering.columns import find_columns
from station.offline.gathering.sources import Folder, Gathered, folders_in, gather
from station.offline.gathering.terms import Asked, LeftOut, Terms, geometry_of
from station.offline.inspect import Wanted

DATA, HELD_OUT, GOOD = "data", "held-out", "good-parts"
"""In the folder of the learning: the data set, the recordings, and how many parts of each class there are."""
SHARES = (85, 15, 0)
"""Percent of the parts that are learnt from, for training and validation."""


def make_parts(
    folder: Path, plan: Plan, settings: Settings, told: Callable[[Sequence[str]], None] = lambda _words: None
) -> Counts:
    """Make the data set and both recordings.

    Args:
        folder: Of the learning.
        plan: What is learnt from.
        settings: Classes, part types, and how many parts are needed.
        told: Is told what is left out, and why.

    Raises:
        TrainingError: `training.bad_data`: there are too few parts, and how many are needed.
        DatasetError: The scans cannot be made a data set.
        RecordError: The records cannot be read.
        LabelError: The labels cannot be read.
        OSError: The disk failed.
    """
    terms = Terms(settings, geometry_of(settings, ()), asked=Asked(as_of=plan.as_of))
    said = gather([Folder(Path(plan.data), "records")], terms)
    more = _more(plan, settings)
    named = (*said.left_out, *more.left_out)
    sides = divide([one.scan for one in said.given], [one.scan for one in more.given])
    refused = LeftOut()
    held_out, good = (judgeable(scans, terms, refused) for scans in (sides.held_out, sides.good))
    named = (*named, *refused.told)
    told(named)
    sayings = sayings_of(open_labels(settings, Path(plan.data)).labels(), plan.as_of)
    counts = Counts(
        learnt=_by_class(sides.learnt, terms), held_out=_by_class(held_out, terms), good=len(good),
        sayings=sayings, left_out=_left_out((*said.sources, *more.sources), refused), named=named,
    )  # fmt: skip
    require_enough(counts, settings)
    for name, scans in ((HELD_OUT, held_out), (GOOD, good)):
        lay_out(folder / name, scans, terms)
    cutting = CutPlan("patches", plan.name, settings.table, terms.geometry, SHARES, plan.training.seed)
    given = [Given(scan) for scan in sides.learnt]
    make_from_scans(folder / DATA, cutting, given, (*said.sources, *more.sources), told=told)
    write_whole(folder / COUNTS, f"{counts.model_dump_json(indent=2)}\n".encode())
    return counts


def judgeable(scans: Iterable[SaidScan], terms: Terms, left_out: LeftOut) -> list[SaidScan]:
    """The scans that a network can be measured on: those that the station would judge.

    Args:
        scans: Of parts that judge or calibrate.
        terms: Part types, and how the station finds a part and proves its turn.
        left_out: Is told which scans the station would refuse, and why.
    """
    taken = []
    for scan in scans:
        with left_out.noting(scan.name):
            find_columns(Wanted(scan.image_path, None, scan.closed), terms)
            taken.append(scan)
    return taken


def require_enough(counts: Counts, settings: Settings) -> None:
    """Make sure that every class can be learnt, and that what is learnt is judged.

    Raises:
        TrainingError: `training.bad_data`, with what is lacking.
    """
    least, held, passing = settings.learn.least_parts, settings.learn.least_held_out, settings.table.passing.name
    lacking = [
        f"{name}: {counts.learnt.get(name, 0)} parts to learn from, {least} are needed"
        for name in settings.table.names
        if counts.learnt.get(name, 0) < least
    ]
    good = counts.held_out.get(passing, 0)
    for what, count in (("good", good), ("defective", sum(counts.held_out.values()) - good)):
        if count < held:
            lacking.append(f"{count} {what} parts to judge by, {held} are needed; label some more whole parts")
    if lacking:
        told = "; ".join(lacking)
        hint = "label more (`station label next`), or give with --with what the present bundle was made of"
        raise TrainingError("training.bad_data", f"{told}. One part in five judges. {hint}; learn.least_parts")


def lay_out(folder: Path, scans: Iterable[SaidScan], terms: Terms) -> None:
    """A recording of scans, each with its part's class; a scan is linked where that is possible, else copied.

    Nobody says which type a part is of: the station tells it by its width.

    Raises:
        OSError: The disk failed.
    """
    with staged_folder(folder) as staged:
        rows = []
        for number, scan in enumerate(scans):
            name = f"{number:05d}-{scan.sha256[:12]}{scan.image_path.suffix}"
            _lay(scan.image_path, staged / name)
            label, part_id = terms.name(scan.said.part), scan.part_id or scan.sha256[:12]
            rows.append({"file": name, "part_id": part_id, "part_type": None, "label": label, "closed": scan.closed})
        (staged / INDEX_NAME).write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")


def _more(plan: Plan, settings: Settings) -> Gathered:
    terms = Terms(settings, geometry_of(settings, ()))
    return gather([one for path in plan.more for one in folders_in(Path(path), terms)], terms)


def _lay(source: Path, place: Path) -> None:
    try:
        place.hardlink_to(source)
    except OSError:  # another file system, or one without links
        shutil.copyfile(source, place)


def _left_out(sources: Sequence[DataSource], refused: LeftOut) -> dict[str, int]:
    counted = refused.counts.copy()
    for source in sources:
        counted.update(source.left_out)
    return dict(counted)


def _by_class(scans: Iterable[Scan], terms: Terms) -> dict[str, int]:
    """Scans by their part's class; where nobody said it, by the last of those that somebody saw on it."""
    return dict(Counter(terms.name(max(one.numbers, default=PASSING)) for one in scans))
