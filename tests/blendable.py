"""Pictures of a small plant: many good ones, few defects."""

from pathlib import Path

import cv2
import numpy as np

from models.dataset.folder_listing import FolderPlan
from models.dataset.folders import make_from_folders
from models.dataset.store import DataSet

SIDE = 64


def picture(path: Path, seed: int, defect: str | None) -> None:
    rng = np.random.default_rng(seed)
    image = np.clip(rng.integers(110, 150) + rng.normal(0, 2, (SIDE, SIDE)), 0, 255).astype(np.uint8)
    row, column = rng.integers(20, 36, 2)
    if defect == "pit":
        cv2.circle(image, (int(column), int(row)), 5, 40, -1)
    if defect == "scratch":
        cv2.line(image, (int(column) - 8, int(row)), (int(column) + 8, int(row) + 6), 230, 2)
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), image)


def own_pictures(folder: Path, seed: int = 0, defects: int = 6) -> DataSet:
    """A data set of two dozen good pictures and some of each defect, in training and validation."""
    for number in range(24):
        picture(folder / "pictures" / "free" / f"{number}.png", seed + number, None)
    for number in range(defects):
        picture(folder / "pictures" / "pit" / f"{number}.png", seed + 100 + number, "pit")
        picture(folder / "pictures" / "scratch" / f"{number}.png", seed + 200 + number, "scratch")
    return make_from_folders(folder / "own", FolderPlan("own", folder / "pictures", (70, 30, 0), passing="free"))
