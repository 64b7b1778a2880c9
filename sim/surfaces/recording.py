"""Renders a recording: a folder of scans that the simulated cell plays, and that training reads with the truth.

    DIR/recording.jsonl    one object a scan: file, part_id, part_type, label
    DIR/truth.jsonl        one object a scan: file, mask, left, right, seed, lamp and defects with their parameters
    DIR/*.png              the scans, 3584 lines, the part on black
    DIR/masks/*.png        0, or the number of the class of the defect that covers it; 255 is of none of the classes

Everything but `truth.jsonl` and the masks is what a recording of a real line has, too. The two lists are written when
every scan is there, so a folder that was not finished is no recording.
"""

import json
import multiprocessing
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import cv2

from sim.surfaces.canvas import LINES_PER_TURN
from sim.surfaces.defects import Defect
from sim.surfaces.places import Place
from sim.surfaces.plan import PlannedPart
from sim.surfaces.render import MARGINS_PX, RenderedScan, render_part
from sim.surfaces.unknown import Unknown
from station.core.errors import RecordingError
from station.core.part import Pixels

SCAN_PNG = (cv2.IMWRITE_PNG_COMPRESSION, 9, cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_HUFFMAN_ONLY)
"""Smallest and fastest for streaky metal with noise, where no pattern repeats."""
MASK_PNG = (cv2.IMWRITE_PNG_COMPRESSION, 9)
PNG_BYTES_PER_PX = 0.75
"""A scan's size on disk, at most."""

Lines = tuple[str, str]
"""A scan's lines in `recording.jsonl` and `truth.jsonl`."""


def write_recording(
    folder: Path,
    plan: Sequence[PlannedPart],
    jobs: int = 1,
    done: Callable[[int, int], None] = lambda _done, _all: None,
) -> int:
    """Render every planned part into a folder, which is made if it is not there; how many they were.

    Args:
        folder: Where scans, masks, `recording.jsonl` and `truth.jsonl` are written.
        plan: Every part with its surface and size, in the recording's order.
        jobs: Processes; the files are the same whatever their number.
        done: Called after each scan with how many there are done and in all.

    Raises:
        RecordingError: The folder holds a recording, has too little room, or cannot be written.
    """
    _check_room(folder, plan)
    lines = []
    try:
        (folder / "masks").mkdir(parents=True, exist_ok=True)
        with _each(jobs) as each:
            for line in each(partial(_render, folder), plan):
                lines.append(line)
                done(len(lines), len(plan))
        for name, column in (("truth.jsonl", 1), ("recording.jsonl", 0)):
            (folder / name).write_text("".join(line[column] + "\n" for line in lines), encoding="utf-8")
    except OSError as error:
        raise RecordingError("recording.not_written", f"{folder}: {error}") from error
    return len(lines)


def _check_room(folder: Path, plan: Sequence[PlannedPart]) -> None:
    if (folder / "recording.jsonl").exists():
        raise RecordingError("recording.exists", f"{folder} holds a recording; nothing was overwritten")
    there = next(parent for parent in (folder.resolve(), *folder.resolve().parents) if parent.exists())
    if not there.is_dir():
        raise RecordingError("recording.not_written", f"{there} is no folder")
    pixels = sum(LINES_PER_TURN * (part.width_px + 2 * MARGINS_PX[1]) for part in plan)
    needed, free = int(pixels * PNG_BYTES_PER_PX), shutil.disk_usage(there).free
    if needed > free:
        raise RecordingError("recording.not_written", f"{folder}: {needed:,} bytes are needed, {free:,} are free")


Each = Callable[[Callable[[PlannedPart], Lines], Iterable[PlannedPart]], Iterator[Lines]]


@contextmanager
def _each(jobs: int) -> Iterator[Each]:
    """A `map` over the parts in their order, in this process or in several."""
    if jobs == 1:
        yield map
        return
    pool = ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"), initializer=cv2.setNumThreads, initargs=(1,))
    try:
        yield partial(pool.map, chunksize=1)
    finally:
        pool.shutdown(cancel_futures=True)


def _render(folder: Path, part: PlannedPart) -> Lines:
    surface = (part.defects, part.severity, part.setting, part.place, part.unknown)
    scan = render_part(part.seed, part.width_px, *surface)
    _write_png(folder / f"{part.part_id}.png", scan.image, SCAN_PNG)
    _write_png(folder / "masks" / f"{part.part_id}.png", scan.mask, MASK_PNG)
    return json.dumps(_entry(part, scan)), json.dumps(_truth(part, scan))


def _entry(part: PlannedPart, scan: RenderedScan) -> dict[str, object]:
    composed = {"composed": True} if part.unknown is Unknown.PICTURE else {}
    return {
        "file": f"{part.part_id}.png",
        "part_id": part.part_id,
        "part_type": f"smh_{part.width_px}",
        "label": scan.truth.label,
        **composed,
    }


def _truth(part: PlannedPart, scan: RenderedScan) -> dict[str, object]:
    return {
        "file": f"{part.part_id}.png",
        "mask": f"masks/{part.part_id}.png",
        "left": scan.truth.roi.left,
        "right": scan.truth.roi.right,
        "seed": scan.truth.seed,
        "lamp_age": round(scan.truth.lamp_age, 4),
        "brightness": round(scan.truth.brightness, 2),
        **_seen_under(part, scan),
        "defects": [_told(defect) for defect in scan.truth.defects],
    }


def _seen_under(part: PlannedPart, scan: RenderedScan) -> dict[str, object]:
    """What a usual housing of rendered metal has not."""
    unknown = {"unknown": part.unknown.value} if part.unknown else {}
    ground = {"ground": part.setting.ground.name} if part.setting.ground else {}
    hard = {"world": part.setting.world.value, **scan.truth.conditions.told()} if scan.truth.conditions else {}
    return {**unknown, **ground, **hard}


def _told(defect: Defect) -> dict[str, object]:
    return {
        "class": defect.surface.label,
        "line": defect.line,
        "column": defect.column,
        "area_px": defect.area_px,
        "area_mm2": round(defect.area_mm2, 4),
        "surface_share": round(defect.surface_share, 7),
        "extent_px": defect.extent_px,
        "extent_mm": round(defect.extent_mm, 4),
        "contrast": round(defect.contrast, 6),
        "severity_size": defect.severity.size,
        "severity_contrast": defect.severity.contrast,
        **_lying(defect),
        **{name: round(value, 4) for name, value in defect.parameters.items()},
    }


def _lying(defect: Defect) -> dict[str, object]:
    """Of a defect whose place was asked for: which, and how much of it lies in which patch."""
    if defect.place is Place.ANYWHERE:
        return {}
    return {"place": defect.place.value, "shares": {patch: round(share, 4) for patch, share in defect.shares.items()}}


def _write_png(path: Path, pixels: Pixels, options: tuple[int, ...]) -> None:
    if not cv2.imwrite(str(path), pixels, options):
        raise OSError(f"{path} cannot be written")
