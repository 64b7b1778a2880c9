"""Algorithm 1 over 16 patches: a part is decided by its most certain defect, and passes only without one."""

import numpy as np
import pytest

from station.core.algorithm1 import algorithm1
from station.core.part import Probabilities
from station.core.verdicts import Outputs
from tests.unit.housings import MEANING, TABLE, Surface

FREE = (0.9, 0.04, 0.03, 0.02, 0.01)


def patches(**rows: tuple[float, ...]) -> Probabilities:
    """16 defect-free patches but for those named `p0` to `p15`."""
    values = np.tile(np.array(FREE, np.float32), (16, 1))
    for name, row in rows.items():
        values[int(name[1:])] = row
    return values


PITS_ALL = (0.1, 0.0, 0.8, 0.1, 0.0)


@pytest.mark.parametrize(
    ("probabilities", "verdict", "confidence", "patch", "defects"),
    [
        (patches(), Surface.DEFECT_FREE, 0.9, 0, 0),
        (patches(p11=(0.6, 0.1, 0.1, 0.1, 0.1)), Surface.DEFECT_FREE, 0.6, 11, 0),
        (patches(p9=(0.6, 0.1, 0.1, 0.1, 0.1), p3=(0.6, 0.4, 0, 0, 0)), Surface.DEFECT_FREE, 0.6, 3, 0),
        (patches(p15=(0.1, 0.0, 0.2, 0.0, 0.7)), Surface.SCRATCHES, 0.7, 15, 1),
        (patches(p2=(0.2, 0.6, 0.2, 0, 0), p5=(0.1, 0, 0.1, 0.8, 0)), Surface.ROLL_MARKS, 0.8, 5, 2),
        (patches(p4=(0.3, 0, 0, 0.7, 0), p12=(0.3, 0.7, 0, 0, 0)), Surface.ROLL_MARKS, 0.7, 4, 2),
        (patches(p7=(0.4, 0, 0, 0.4, 0.2)), Surface.ROLL_MARKS, 0.4, 7, 1),
        (patches(p7=(0.2, 0, 0.4, 0.4, 0)), Surface.PITS, 0.4, 7, 1),
        (patches(p0=(0.2, 0.2, 0.2, 0.2, 0.2)), Surface.IMPRINTED, 0.2, 0, 1),
        (np.tile(np.array(PITS_ALL, np.float32), (16, 1)), Surface.PITS, 0.8, 0, 16),
        (patches(p1=(0.99, 0.01, 0, 0, 0), p8=(0.45, 0, 0, 0, 0.55)), Surface.SCRATCHES, 0.55, 8, 1),
    ],
    ids=[
        "all free",
        "least certain free",
        "tie of free patches",
        "one defect",
        "most certain defect",
        "tie of defect patches",
        "tie with defect-free",
        "tie of two defects",
        "tie of all",
        "all defects",
        "certain passes do not outvote a defect",
    ],
)
def test_algorithm_1(
    probabilities: Probabilities, verdict: Surface, confidence: float, patch: int, defects: int
) -> None:
    outcome = algorithm1(probabilities, MEANING.outputs)
    assert outcome.verdict == verdict.verdict
    assert outcome.confidence == pytest.approx(confidence)
    assert outcome.deciding_patch == patch
    assert outcome.defect_patches == defects


def test_the_passing_class_may_stand_in_any_column_and_ties_follow_the_columns() -> None:
    outputs = TABLE.outputs(["scratches", "pits", "defect_free"])
    rows = np.array([[0.2, 0.1, 0.7], [0.4, 0.4, 0.2], [0.1, 0.45, 0.45]], np.float32)
    assert algorithm1(rows[:1], outputs).verdict.name == "defect_free"
    tie = algorithm1(rows[:2], outputs)
    assert (tie.verdict.name, tie.deciding_patch, tie.defect_patches) == ("scratches", 1, 1)
    assert algorithm1(rows, outputs).verdict.name == "pits"
    assert (algorithm1(rows, outputs).deciding_patch, algorithm1(rows, outputs).defect_patches) == (2, 2)


def test_a_network_of_two_classes_decides() -> None:
    outputs = Outputs((TABLE.named("pits"), TABLE.named("defect_free")))
    passed = algorithm1(np.array([[0.1, 0.9], [0.4, 0.6]], np.float32), outputs)
    assert (passed.verdict.name, passed.deciding_patch) == ("defect_free", 1)
    assert passed.confidence == pytest.approx(0.6)
