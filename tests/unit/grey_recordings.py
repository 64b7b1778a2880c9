"""Recordings of parts of one grey value each, for bundles that judge by it."""

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np

from models.evaluation.measuring.parts import Cutter, cutter_at_truth
from station.core.geometry import Geometry
from tests.bundles import GREYS
from tests.unit.housings import Surface

PART_WIDTH = 64


def make_recording(folder: Path, parts: Sequence[tuple[Surface, int]]) -> Path:
    """Parts of a true class and a grey value each, with their masks."""
    (folder / "masks").mkdir(parents=True)
    entries, truths = [], []
    for number, (surface, grey) in enumerate(parts):
        name = f"P{number}.png"
        image = np.full((3584, PART_WIDTH), grey, np.uint8)
        mask = np.zeros_like(image)
        mask[:448] = surface.number
        for path, pixels in ((folder / name, image), (folder / "masks" / name, mask)):
            assert cv2.imwrite(str(path), pixels)
        entries.append({"file": name, "part_id": f"P{number}", "part_type": "smh_385", "label": surface})
        truths.append({"file": name, "mask": f"masks/{name}", "left": 0, "right": PART_WIDTH, "seed": 1, "defects": []})
    for file, rows in (("recording.jsonl", entries), ("truth.jsonl", truths)):
        (folder / file).write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


def as_they_are(*surfaces: Surface) -> list[tuple[Surface, int]]:
    """Parts that a sound bundle judges rightly."""
    return [(surface, GREYS[surface]) for surface in surfaces]


def forget_masks(folder: Path) -> Path:
    """The same recording as a plant has it: every part has a class, and nobody knows where a defect lies."""
    (folder / "truth.jsonl").unlink()
    shutil.rmtree(folder / "masks")
    return folder


def relabel(folder: Path, labels: Mapping[str, str | None]) -> Path:
    """The same recording with other labels for some of its parts."""
    index = folder / "recording.jsonl"
    rows = [json.loads(line) for line in index.read_text().splitlines()]
    rows = [row | {"label": labels.get(row["part_id"], row["label"])} for row in rows]
    index.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


def truth_in_any_light(geometry: Geometry, _light_level: float | None) -> Cutter:
    """Cuts at the truth's columns, whatever light a network knows."""
    return cutter_at_truth(geometry)
