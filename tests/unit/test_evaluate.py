"""What a measurement counts: Algorithm 1 for the part, slivers left out of the patches."""

import numpy as np
import pytest

from models.data import SLIVER
from models.evaluate import JudgedPart, confusion, decide, measure
from station.core.part import Probabilities, SurfaceClass


def scores(**patches: tuple[int, float]) -> Probabilities:
    """Sure passes, but for patches `pN=(class, probability)`; the rest of a patch's probability says defect-free."""
    rows = np.zeros((16, 5), np.float32)
    rows[:, 0] = 1
    for name, (surface, probability) in patches.items():
        rows[int(name[1:])] = 0
        rows[int(name[1:]), 0] = 1 - probability
        rows[int(name[1:]), surface] += probability
    return rows


@pytest.mark.parametrize(
    ("probabilities", "surface", "confidence"),
    [
        (scores(), SurfaceClass.DEFECT_FREE, 1.0),
        (scores(p3=(2, 0.4)), SurfaceClass.DEFECT_FREE, 0.6),
        (scores(p3=(2, 0.75)), SurfaceClass.PITS, 0.75),
        (scores(p3=(2, 0.7), p9=(4, 0.8)), SurfaceClass.SCRATCHES, 0.8),
        (scores(p3=(2, 0.5)), SurfaceClass.PITS, 0.5),
        (scores(p3=(2, 0.75), p9=(4, 0.75)), SurfaceClass.PITS, 0.75),
    ],
    ids=[
        "all pass",
        "uncertain pass",
        "one defect",
        "the surer defect",
        "tie to the defect",
        "tie to the lowest patch",
    ],
)
def test_a_part_is_decided_by_its_most_certain_defect(
    probabilities: Probabilities, surface: SurfaceClass, confidence: float
) -> None:
    found, sure = decide(probabilities)
    assert found is surface
    assert sure == pytest.approx(confidence)


def judged(truth: SurfaceClass, probabilities: Probabilities, labels: dict[int, int]) -> JudgedPart:
    found, confidence = decide(probabilities)
    known = np.zeros(16, np.int8)
    for patch, label in labels.items():
        known[patch] = label
    return JudgedPart("P", truth, found, confidence, known, probabilities)


def test_escapes_overkills_and_wrong_classes_are_counted_apart() -> None:
    parts = [
        judged(SurfaceClass.DEFECT_FREE, scores(), {}),
        judged(SurfaceClass.DEFECT_FREE, scores(p1=(1, 0.9)), {}),
        judged(SurfaceClass.PITS, scores(), {5: 2}),
        judged(SurfaceClass.PITS, scores(p5=(2, 0.9)), {5: 2, 7: SLIVER}),
        judged(SurfaceClass.PITS, scores(p5=(3, 0.9), p7=(4, 0.6)), {5: 2, 7: SLIVER}),
    ]
    figures = measure(parts, "five parts")
    assert (figures.parts, figures.defective_parts) == (5, 3)
    assert (figures.escapes, figures.overkills, figures.wrong_class) == (1, 1, 1)
    assert (figures.patches, figures.wrong_patches) == (5 * 16 - 2, 3)


def test_confusion_has_a_row_for_every_true_class() -> None:
    counts = confusion(np.array([0, 0, 2, 2]), np.array([0, 1, 2, 2]))
    assert counts.shape == (5, 5)
    assert counts[0].tolist() == [1, 1, 0, 0, 0]
    assert counts[2, 2] == 2
