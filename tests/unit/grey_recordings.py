"""Recordings of parts of one grey value each, for bundles that judge by it."""

import json
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

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
