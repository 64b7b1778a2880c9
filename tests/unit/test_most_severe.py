"""The rule `most_severe`, and the class of one patch; Algorithm 1 has a page of its own."""

import numpy as np
import pytest

from station.core.algorithm1 import RULES, algorithm1, most_severe, surfaces_of
from station.core.part import Probabilities, ScanHealth, Scores
from station.core.verdicts import Outputs
from station.flow.decide import decide
from tests.housings import OUTPUTS, Verdict, rule

FREE = (0.9, 0.04, 0.03, 0.02, 0.01)


def patches(**rows: tuple[float, ...]) -> Probabilities:
    values = np.tile(np.array(FREE, np.float32), (16, 1))
    for name, row in rows.items():
        values[int(name[1:])] = row
    return values


@pytest.mark.parametrize(
    ("probabilities", "verdict", "patch", "confidence", "defects"),
    [
        (patches(), Verdict.DEFECT_FREE, 0, 0.9, 0),
        (patches(p3=(0.6, 0.4, 0, 0, 0)), Verdict.DEFECT_FREE, 3, 0.6, 0),
        (patches(p2=(0.02, 0, 0, 0.98, 0), p9=(0.4, 0, 0, 0, 0.6)), Verdict.SCRATCHES, 9, 0.6, 2),
        (patches(p2=(0.4, 0, 0, 0, 0.6), p9=(0.3, 0, 0, 0, 0.7)), Verdict.SCRATCHES, 9, 0.7, 2),
        (patches(p2=(0.4, 0, 0, 0, 0.6), p9=(0.4, 0, 0, 0, 0.6)), Verdict.SCRATCHES, 2, 0.6, 2),
        (patches(p5=(0.5, 0, 0, 0, 0.5)), Verdict.SCRATCHES, 5, 0.5, 1),
    ],
)
def test_the_severest_class_decides_and_of_its_patches_the_surest(
    probabilities: Probabilities, verdict: object, patch: int, confidence: float, defects: int
) -> None:
    outcome = most_severe(probabilities, OUTPUTS)
    assert (outcome.verdict, outcome.deciding_patch, outcome.defect_patches) == (verdict, patch, defects)
    assert outcome.confidence == pytest.approx(confidence)


def test_the_order_of_a_networks_columns_changes_no_verdict() -> None:
    order = [3, 0, 4, 1, 2]
    turned = Outputs(tuple(OUTPUTS.surfaces[place] for place in order))
    rng = np.random.default_rng(2)
    for _ in range(200):
        probabilities = rng.dirichlet(np.ones(5), 16).astype(np.float32)
        for decides in RULES.values():
            ours, theirs = decides(probabilities, OUTPUTS), decides(probabilities[:, order], turned)
            assert (ours.verdict, ours.deciding_patch) == (theirs.verdict, theirs.deciding_patch)
            assert ours.confidence == theirs.confidence


def test_neither_rule_passes_what_the_other_does_not() -> None:
    rng = np.random.default_rng(3)
    for _ in range(500):
        probabilities = rng.dirichlet((30, 1, 1, 1, 1), 16).astype(np.float32)
        assert algorithm1(probabilities, OUTPUTS).verdict.passes == most_severe(probabilities, OUTPUTS).verdict.passes


def test_a_patch_at_a_tie_shows_the_defect_that_decides() -> None:
    rows = patches(p0=(0.4, 0.1, 0.4, 0.1, 0.0), p1=(0.2, 0.4, 0.4, 0.0, 0.0))
    assert surfaces_of(rows, OUTPUTS)[:3] == (Verdict.PITS, Verdict.IMPRINTED, Verdict.DEFECT_FREE)


def test_algorithm1s_answer_stands_beside_that_of_the_rule() -> None:
    rows = patches(p2=(0.02, 0, 0, 0.98, 0), p9=(0.3, 0, 0, 0, 0.7))
    scores = [Scores(index, rows[2 * index : 2 * index + 2]) for index in range(8)]
    decision = decide(scores, ScanHealth(None, "", 1.0), rule(name="most_severe"))
    assert (decision.verdict, decision.algorithm1) == (Verdict.SCRATCHES, Verdict.ROLL_MARKS)
    assert decision.confidence == pytest.approx(0.7)
    surest = decide(scores, ScanHealth(None, "", 1.0), rule())
    assert (surest.verdict, surest.algorithm1) == (Verdict.ROLL_MARKS, Verdict.ROLL_MARKS)
