"""Measures a bundle on a recording whose surfaces are known: per patch, and per part as the station decides.

python -m models.evaluate BUNDLE RECORDING
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from models.classifier import OpenVinoClassifier
from models.data import SLIVER, LabelledScan, cut, label_patches, read_gray, read_scans
from models.manifest import Figures, load_bundle
from models.weights import bundle_folder
from station.core.part import BLOCKS_PER_TURN, Pixels, Probabilities, SurfaceClass
from station.core.settings import ModelSettings


@dataclass(frozen=True, slots=True)
class JudgedPart:
    """A part with known surface and what the network says of it.

    Attributes:
        part_id: Name of the part.
        truth: Its class.
        found: The class by Algorithm 1.
        confidence: Of a pass the lowest defect-free probability, of a defect the deciding patch's own.
        labels: (16,) int8, the patches' own classes, or `SLIVER`.
        probabilities: (16, 5) float32.
    """

    part_id: str
    truth: SurfaceClass
    found: SurfaceClass
    confidence: float
    labels: NDArray[np.int8]
    probabilities: Probabilities


def judge(classifier: OpenVinoClassifier, scan: LabelledScan) -> JudgedPart:
    """Score a scan's patches strip by strip and decide.

    Raises:
        RecordingError: The scan or its mask cannot be used.
        ModelError: The engine fails.
    """
    patches = cut(read_gray(scan.image_path), scan.left, scan.right)
    labels = label_patches(read_gray(scan.mask_path), scan.left, scan.right)
    probabilities = score_part(classifier, patches)
    found, confidence = decide(probabilities)
    return JudgedPart(scan.part_id, scan.surface, found, confidence, labels, probabilities)


def score_part(classifier: OpenVinoClassifier, patches: Pixels) -> Probabilities:
    """Probabilities (16, 5) of a part's patches (16, 256, 256), in batches of one strip."""
    strips = np.split(patches, BLOCKS_PER_TURN)
    return np.concatenate([classifier.score(strip) for strip in strips])


def decide(probabilities: Probabilities) -> tuple[SurfaceClass, float]:
    """Class and confidence of a part from its patches' probabilities (16, 5).

    Source: Algorithm 1 of Mustafaev et al.; ties go to the defect, then to the lowest patch.
    """
    defects = probabilities[:, 1:]
    is_defect = defects.max(axis=1) >= probabilities[:, 0]
    if not is_defect.any():
        return SurfaceClass.DEFECT_FREE, float(probabilities[:, 0].min())
    best = np.where(is_defect[:, None], defects, -1.0)
    patch, column = np.unravel_index(int(best.argmax()), best.shape)
    return SurfaceClass(int(column) + 1), float(best[patch, column])


def measure(judged: Iterable[JudgedPart], source: str) -> Figures:
    """Count what was judged rightly and wrongly."""
    parts = list(judged)
    labels = np.concatenate([part.labels for part in parts])
    found = np.concatenate([part.probabilities.argmax(axis=1) for part in parts])
    sure = labels != SLIVER
    defective = [part for part in parts if part.truth]
    return Figures(
        source=source,
        patches=int(sure.sum()),
        wrong_patches=int((found != labels)[sure].sum()),
        parts=len(parts),
        defective_parts=len(defective),
        escapes=sum(not part.found for part in defective),
        overkills=sum(part.found > 0 for part in parts if not part.truth),
        wrong_class=sum(part.found not in {SurfaceClass.DEFECT_FREE, part.truth} for part in defective),
    )


def confusion(truth: NDArray[np.int64], found: NDArray[np.int64]) -> NDArray[np.int64]:
    """Counts (5, 5): row is the true class, column the found one."""
    counts = np.zeros((len(SurfaceClass), len(SurfaceClass)), np.int64)
    np.add.at(counts, (truth, found), 1)
    return counts


def main(
    bundle: Annotated[str, typer.Argument(help="Name of a shipped bundle, or a bundle's folder.")],
    recording: Annotated[Path, typer.Argument(help="Folder with recording.jsonl, truth.jsonl, scans and masks.")],
    threads: Annotated[int, typer.Option(min=0, help="Threads of the engine; 0 for all cores.")] = 0,
) -> None:
    """Measure a bundle on a recording with known surfaces; prints one JSON document."""
    settings = ModelSettings(bundle=bundle, threads=threads)
    classifier = OpenVinoClassifier(load_bundle(bundle_folder(bundle)), settings)
    parts = [judge(classifier, scan) for scan in read_scans(recording)]
    truth, found = np.array([part.truth for part in parts]), np.array([part.found for part in parts])
    document = {
        "figures": measure(parts, str(recording.name)).model_dump(),
        "parts_true_by_found": confusion(truth, found).tolist(),
        "least_confidence": min(part.confidence for part in parts),
        "wrong": [
            {
                "part_id": part.part_id,
                "truth": part.truth.label,
                "found": part.found.label,
                "confidence": round(part.confidence, 4),
            }
            for part in parts
            if part.found != part.truth
        ],
    }
    typer.echo(json.dumps(document, indent=2))


if __name__ == "__main__":
    typer.run(main)
