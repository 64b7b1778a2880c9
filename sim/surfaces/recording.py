"""Renders a recording: a folder of scans that the simulated cell plays, and that training reads with the truth.

    DIR/recording.jsonl    one object a scan: file, part_id, part_type, label
    DIR/truth.jsonl        one object a scan: file, mask, left, right, seed, defects with their parameters
    DIR/*.png              the scans, 3584 lines, the part on black
    DIR/masks/*.png        0, or the number of the class of the defect that covers the pixel

Everything but `truth.jsonl` and the masks is what a recording of a real line has, too.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from sim.surfaces.render import WIDTHS_PX, RenderedScan, render_part
from station.core.part import Pixels, SurfaceClass

SCAN_PNG = (cv2.IMWRITE_PNG_COMPRESSION, 9, cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_HUFFMAN_ONLY)
"""Smallest and fastest for streaky metal with noise, where no pattern repeats."""
MASK_PNG = (cv2.IMWRITE_PNG_COMPRESSION, 9)


@dataclass(frozen=True, slots=True)
class PlannedPart:
    """A housing that is to be rendered."""

    part_id: str
    seed: int
    width_px: int
    surface: SurfaceClass


def plan_parts(parts: int, seed: int, defect_free: float) -> Iterator[PlannedPart]:
    """Housings of random widths and classes, a given share of them defect-free; the same arguments give the same plan.

    Each part's own seed is `seed * 1_000_000` plus its number, so recordings of different seeds share no part.
    """
    rng = np.random.default_rng([seed, parts])
    defects = [surface for surface in SurfaceClass if surface is not SurfaceClass.DEFECT_FREE]
    for number in range(parts):
        flawless = rng.random() < defect_free
        surface = SurfaceClass.DEFECT_FREE if flawless else defects[int(rng.integers(len(defects)))]
        width_px = WIDTHS_PX[int(rng.integers(len(WIDTHS_PX)))]
        yield PlannedPart(f"SMH-{seed}-{number:05}", seed * 1_000_000 + number, width_px, surface)


def write_recording(folder: Path, plan: Iterable[PlannedPart]) -> int:
    """Render every planned part into a folder, which is made if it is not there; how many they were.

    Args:
        folder: Where scans, masks, `recording.jsonl` and `truth.jsonl` are written.
        plan: The parts.

    Raises:
        OSError: A file cannot be written.
    """
    (folder / "masks").mkdir(parents=True, exist_ok=True)
    parts = 0
    with (folder / "recording.jsonl").open("w") as entries, (folder / "truth.jsonl").open("w") as truths:
        for part in plan:
            scan = render_part(part.seed, part.width_px, part.surface)
            _write_png(folder / f"{part.part_id}.png", scan.image, SCAN_PNG)
            _write_png(folder / "masks" / f"{part.part_id}.png", scan.mask, MASK_PNG)
            entries.write(json.dumps(_entry(part)) + "\n")
            truths.write(json.dumps(_truth(part, scan)) + "\n")
            parts += 1
    return parts


def _entry(part: PlannedPart) -> dict[str, str]:
    return {
        "file": f"{part.part_id}.png",
        "part_id": part.part_id,
        "part_type": f"smh_{part.width_px}",
        "label": part.surface.label,
    }


def _truth(part: PlannedPart, scan: RenderedScan) -> dict[str, object]:
    return {
        "file": f"{part.part_id}.png",
        "mask": f"masks/{part.part_id}.png",
        "left": scan.truth.roi.left,
        "right": scan.truth.roi.right,
        "seed": scan.truth.seed,
        "defects": [
            {
                "class": defect.surface.label,
                "line": defect.line,
                "column": defect.column,
                "area_px": defect.area_px,
                "area_mm2": round(defect.area_mm2, 4),
                "surface_share": round(defect.surface_share, 6),
                **{name: round(value, 4) for name, value in defect.parameters.items()},
            }
            for defect in scan.truth.defects
        ],
    }


def _write_png(path: Path, pixels: Pixels, options: tuple[int, ...]) -> None:
    if not cv2.imwrite(str(path), pixels, options):
        raise OSError(f"{path} cannot be written")
