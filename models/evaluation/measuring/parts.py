"""Judges whole parts whose surface is known, as the station decides: 16 patches, Algorithm 1, least confidence.

LabelledScan ─ cut ─▶ 16 patches ─ score ─▶ (16, 5) ─ Algorithm 1, guard ─▶ JudgedPart ─ measure ─▶ Figures
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.dataset.patches import cut, label_patches
from models.dataset.scans import LabelledScan, read_image, read_mask
from models.dataset.store import SLIVER
from models.evaluation.measuring.scorers import Scorer
from models.manifest import Figures
from station.core.algorithm1 import Outcome, algorithm1
from station.core.classes import SurfaceClass, Verdict
from station.core.errors import PartError
from station.core.part import Pixels, Probabilities

Cutter = Callable[[Pixels, LabelledScan], Pixels]
"""Patches (16, 256, 256) of a raw scan (3584, width); raises PartError where the station would refuse the scan."""

NO_PROBABILITIES = np.zeros((0, len(SurfaceClass)), np.float32)


@dataclass(frozen=True, slots=True)
class JudgedPart:
    """A part with known surface and what the network says of it.

    Attributes:
        scan: The part and where its files are.
        labels: (16,) int8, the patches' own classes, or `SLIVER`.
        probabilities: (16, 5) float32; no rows where the scan was refused.
        outcome: What Algorithm 1 says; None where the scan was refused.
        verdict: What the station decides: REVIEW under the least confidence, and for a refused scan.
        reason: Code of the fault behind REVIEW, otherwise empty.
    """

    scan: LabelledScan
    labels: NDArray[np.int8]
    probabilities: Probabilities
    outcome: Outcome | None
    verdict: Verdict
    reason: str

    @property
    def truth(self) -> SurfaceClass:
        """The part's own class."""
        return self.scan.surface

    @property
    def confidence(self) -> float:
        """Of Algorithm 1; 0 where the scan was refused."""
        return self.outcome.confidence if self.outcome else 0.0

    @property
    def right(self) -> bool:
        """Whether the verdict names the part's class; REVIEW does not."""
        return self.verdict is Verdict.of(self.truth)

    @property
    def escaped(self) -> bool:
        """Whether a defective part was passed."""
        return self.truth is not SurfaceClass.DEFECT_FREE and self.verdict is Verdict.DEFECT_FREE

    @property
    def overkilled(self) -> bool:
        """Whether a good part was called defective; one sent to review was not."""
        return self.truth is SurfaceClass.DEFECT_FREE and self.verdict not in {Verdict.DEFECT_FREE, Verdict.REVIEW}


def cut_at_truth(image: Pixels, scan: LabelledScan) -> Pixels:
    """The patches of the columns that the truth names; refuses nothing."""
    return np.ascontiguousarray(cut(image, scan.left, scan.right), np.uint8)


def judge(scorer: Scorer, scan: LabelledScan, min_confidence: float, cutter: Cutter = cut_at_truth) -> JudgedPart:
    """Read, cut, score and decide one part.

    Args:
        scorer: The network; its classes are the station's.
        scan: The part.
        min_confidence: Below it the part goes to REVIEW.
        cutter: How patches are made of the scan.

    Raises:
        RecordingError: The scan or its mask cannot be used.
        ModelError: The network fails.
    """
    return judge_image(scorer, read_image(scan), scan, true_labels(scan), min_confidence, cutter)


def true_labels(scan: LabelledScan) -> NDArray[np.int8]:
    """Classes (16,) of a scan's patches by its mask, or `SLIVER`.

    Raises:
        RecordingError: The mask cannot be used.
    """
    return label_patches(read_mask(scan), scan.left, scan.right)


def judge_image(
    scorer: Scorer,
    image: Pixels,
    scan: LabelledScan,
    labels: NDArray[np.int8],
    min_confidence: float,
    cutter: Cutter = cut_at_truth,
) -> JudgedPart:
    """As `judge`, of an image that stands for the scan, for example a darkened one.

    Raises:
        ModelError: The network fails.
    """
    try:
        patches = cutter(image, scan)
    except PartError as error:
        return JudgedPart(scan, labels, NO_PROBABILITIES, None, Verdict.REVIEW, error.code)
    return decide_part(scan, labels, scorer.score(patches), min_confidence)


def decide_part(
    scan: LabelledScan, labels: NDArray[np.int8], probabilities: Probabilities, min_confidence: float
) -> JudgedPart:
    """The decision over the probabilities (16, 5) of a part's patches."""
    outcome = algorithm1(probabilities)
    sure = outcome.confidence >= min_confidence
    verdict, reason = (outcome.verdict, "") if sure else (Verdict.REVIEW, "part.low_confidence")
    return JudgedPart(scan, labels, probabilities, outcome, verdict, reason)


def measure(judged: Iterable[JudgedPart], source: str) -> Figures:
    """Count what was judged rightly and wrongly.

    Args:
        judged: At least one part that was not refused.
        source: What they are, for the reader.
    """
    parts = list(judged)
    labels, found = patch_labels(parts)
    defective = [part for part in parts if part.truth]
    return Figures(
        source=source,
        patches=len(labels),
        wrong_patches=int((found.argmax(axis=1) != labels).sum()),
        parts=len(parts),
        defective_parts=len(defective),
        escapes=sum(part.escaped for part in defective),
        overkills=sum(part.overkilled for part in parts),
        wrong_class=sum(not part.right and part.verdict not in PASSED_OR_REVIEWED for part in defective),
        reviews=sum(part.verdict is Verdict.REVIEW for part in parts),
    )


PASSED_OR_REVIEWED = frozenset({Verdict.DEFECT_FREE, Verdict.REVIEW})


def patch_labels(parts: Iterable[JudgedPart]) -> tuple[NDArray[np.int8], Probabilities]:
    """Classes (n,) and probabilities (n, 5) of all patches that were judged; slivers of a defect are left out."""
    judged = [part for part in parts if len(part.probabilities)]
    labels = np.concatenate([np.zeros(0, np.int8), *(part.labels for part in judged)])
    found = np.concatenate([NO_PROBABILITIES, *(part.probabilities for part in judged)])
    return labels[labels != SLIVER], found[labels != SLIVER]
