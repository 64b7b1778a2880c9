"""A picture of what a network made of a picture: what it judged, and where the evidence lies.

┌──────────────────────────────┐
│ file, answer, evidence for   │
├─────────┬─────────┬──────────┤
│ surface │ patch   │ patch    │   the surface of whole scans alone
│ in cells│         │ with     │
│         │         │ evidence │
└─────────┴─────────┴──────────┘
"""

from itertools import count
from pathlib import Path

import cv2
import numpy as np

from models.evaluation.report.gallery import GAP_PX, heated, surface
from models.evidence import evidence_map
from station.core.errors import ConfigError
from station.core.part import Pixels, Probabilities
from station.core.probabilities import columns_of
from station.offline.predicting import Predicted, Predictor

TITLE_PX = 40
INK = (235, 235, 235)


class PredictedPictures:
    """Writes the pictures of one prediction into a folder, each under a name of its own.

    Args:
        folder: Where they go; it is made if it is not there.
        predictor: The network, which is asked where the evidence lies.
    """

    def __init__(self, folder: Path, predictor: Predictor) -> None:
        self._folder = folder
        self._predictor = predictor
        self._taken: set[str] = set()

    def save(self, predicted: Predicted) -> Path | None:
        """Write the picture of one result as PNG; where it lies, or None where nothing was judged.

        Raises:
            ConfigError: The folder cannot be written to.
            ModelError: The network fails.
        """
        if predicted.patch is None:
            return None
        picture = draw(predicted, predicted.patch, self._predictor)
        target = self._folder / f"{self._unused(predicted.file.stem)}.{predicted.answer}.png"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            _done, encoded = cv2.imencode(".png", picture)
            target.write_bytes(encoded.tobytes())
        except OSError as error:
            raise ConfigError("config.file_failed", f"--out {target}: {error.strerror}") from error
        return target

    def _unused(self, stem: str) -> str:
        names = (stem if times == 1 else f"{stem}~{times}" for times in count(1))
        name = next(name for name in names if name.lower() not in self._taken)
        self._taken.add(name.lower())
        return name


def draw(predicted: Predicted, patch: int, predictor: Predictor) -> Pixels:
    """What was judged and the evidence beside it, (height, width, 3) uint8, BGR.

    Args:
        predicted: What the network made of a picture.
        patch: The one that decides.
        predictor: The network.

    Raises:
        ModelError: The network fails.
    """
    pixels, scorer, geometry = predicted.patches[patch], predictor.scorer, predictor.geometry
    column = evidence_for(predicted.probabilities[patch], predictor.passing)
    evidence = evidence_map(scorer.in_full, pixels, column)
    panes = [np.asarray(cv2.cvtColor(pixels, cv2.COLOR_GRAY2BGR), np.uint8), heated(pixels, evidence)]
    if predicted.judged_as == "scan":
        unmarked = np.zeros(predicted.patches.shape, np.bool_)
        panes.insert(0, surface(predicted.patches, unmarked, patch, geometry))
    gap = np.full((len(pixels), GAP_PX, 3), 255, np.uint8)
    beside = np.concatenate([pane for each in panes for pane in (each, gap)][:-1], axis=1)
    return _titled(beside, _title(predicted), f"evidence for {scorer.classes[column]}")


def evidence_for(row: Probabilities, passing: int | None) -> int:
    """The column of the class to look for: the one called, or the likeliest defect where the patch passes."""
    called = int(columns_of(row, passing))
    if called != passing:
        return called
    defects = np.delete(np.arange(len(row)), called)
    return int(defects[row[defects].argmax()])


def _title(predicted: Predicted) -> str:
    return f"{predicted.file.name}: {predicted.answer} {predicted.confidence:.3f}"


def _titled(picture: Pixels, *lines: str) -> Pixels:
    head = np.full((TITLE_PX, picture.shape[1], 3), 24, np.uint8)
    for number, line in enumerate(lines):
        text = line.encode("ascii", "replace").decode()
        cv2.putText(head, text, (4, 15 + 18 * number), cv2.FONT_HERSHEY_SIMPLEX, 0.42, INK, 1, cv2.LINE_AA)
    return np.concatenate([head, picture])
