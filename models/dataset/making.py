"""Data sets from scans, wherever they come from: each looked at, grouped by part, given a split, cut and written.

    given ─ look ─▶ hashes, what is refused ─ place ─▶ groups and splits ─ cut ─▶ images ─ write ─▶ DATA

All that cannot be used are told of together, before the first scan is cut, and of a data set that could not be made
nothing is left.
"""

import multiprocessing
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import cv2

from models.dataset.cutting import Cut, CutPlan, ToCut, cut_scan
from models.dataset.looking import Given, look_at, place, where
from models.dataset.manifest import DataHeading, DataSource, in_words
from models.dataset.patches import RULE
from models.dataset.said import RULE as SAID_RULE
from models.dataset.scans import marks_of
from models.dataset.store import DataSet, Entry, check_place, write_data
from models.errors import DatasetError
from models.manifest import ScanGeometry

Item = TypeVar("Item")


def make_from_scans(
    folder: Path,
    plan: CutPlan,
    given: Sequence[Given],
    sources: Sequence[DataSource],
    jobs: int = 1,
    done: Callable[[int, int], None] = lambda _done, _all: None,
    told: Callable[[Sequence[str]], None] = lambda _words: None,
) -> DataSet:
    """Make a data set; its bytes do not depend on the number of processes.

    Every mask is held against its part's label before the first scan is cut. A scan is checked when it is cut.

    Args:
        folder: Where it goes; nothing may lie there.
        plan: How scans become images.
        given: The scans.
        sources: Where they come from, for the manifest.
        jobs: Processes.
        done: Called after each look and each cut with how many there are done and in all.
        told: Called once with the patches that nobody learns from, because their label contradicts what is marked.

    Raises:
        DatasetError: The choices or the scans do not allow it, or it cannot be written.
    """
    check_place(folder, 0)
    ordered = sorted(given, key=lambda one: -1 if one.split is None else one.split)
    _require_two_classes(ordered, sources)
    with _workers(jobs) as work:
        looks = list(_counted(work(partial(look_at, plan), [one.scan for one in ordered]), 0, 2 * len(given), done))
        to_cut = place(plan, ordered, looks)
        told([look.contradicted for look in looks if look.contradicted])
        count = sum(plan.images_of(one.scan, one.file.split) for one in to_cut)
        check_place(folder, count * plan.shape[0] * plan.shape[1])
        cuts = _counted(work(partial(cut_scan, plan), to_cut), len(given), 2 * len(given), done)
        return write_data(folder, _heading(plan, sources), _each_once(to_cut, cuts), count)


def _heading(plan: CutPlan, sources: Sequence[DataSource]) -> DataHeading:
    patches = plan.kind == "patches"
    said = SAID_RULE if any(source.kind != "recording" for source in sources) else ""
    return DataHeading(
        name=plan.name, kind=plan.kind, classes=tuple(surface.name for surface in marks_of(plan.table)),
        passing=plan.table.passing.name, height=plan.shape[0], width=plan.shape[1],
        geometry=ScanGeometry.of(plan.geometry) if patches else None, source=in_words(sources),
        sources=tuple(sources), seed=plan.seed, jitter_px=plan.jitter_px, cuts=plan.cuts, shares=plan.shares,
        rule=said + RULE if patches else "the part's class",
    )  # fmt: skip


def _require_two_classes(given: Sequence[Given], sources: Sequence[DataSource]) -> None:
    if len({number for one in given for number in one.scan.numbers}) < 2:
        raise DatasetError("dataset.bad_source", f"{in_words(sources)}: the parts are of fewer than two classes")


def _each_once(sources: Sequence[ToCut], cuts: Iterable[Cut]) -> Iterator[Entry]:
    """The entries, as long as the same pixels are of one class, and lie in one split.

    Of two labels of one surface one is wrong, and nobody here knows which.
    """
    first: dict[str, tuple[ToCut, int | None]] = {}
    for source, cut in zip(sources, cuts, strict=True):
        part = cut.entry.part_label
        other, its_part = first.setdefault(cut.pixels_sha256, (source, part))
        for what in ("split",) if -1 in {part, its_part} else ("label", "split"):
            one, two = getattr(other.file, what), getattr(source.file, what)
            if one != two:
                told = f"{where(other.scan)} is {one}, {where(source.scan)} is {two}"
                raise DatasetError("dataset.bad_source", f"the same pixels with two {what}s: {told}")
        yield cut.entry


@contextmanager
def _workers(jobs: int) -> Iterator[Callable[..., Iterator[Any]]]:
    """A `map` whose results come in order, in this process or in so many others."""
    if jobs == 1:
        yield map
        return
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(jobs, context, initializer=cv2.setNumThreads, initargs=(1,))
    try:
        yield pool.map
    finally:
        pool.shutdown(cancel_futures=True)


def _counted(items: Iterator[Item], before: int, of: int, done: Callable[[int, int], None]) -> Iterator[Item]:
    for number, item in enumerate(items, before + 1):
        yield item
        done(number, of)
