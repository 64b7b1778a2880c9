"""What counts as probabilities, and the class of a patch: the same in the decision, in every picture and count."""

import ast
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from models.dataset.scans import LabelledScan, marks_of
from models.evaluation.figures.calibration import calibrate, reliability
from models.evaluation.measuring.evaluation import image_figures
from models.evaluation.measuring.images import picture_figures
from models.evaluation.measuring.parts import JudgedPart, Rule, cutter_at_truth, decide_part, measure
from models.evaluation.measuring.pointing import play_part
from models.evaluation.report.gallery import Case, caption, sought
from models.release.parity import compare
from station.core.algorithm1 import algorithm1, surfaces_of
from station.core.part import Probabilities
from station.core.probabilities import TOLERANCE, columns_of, problem_of, problem_of_answer
from tests.unit.housings import GEOMETRY, MEANING, TABLE, Surface

ROOT = Path(__file__).parents[2]
OUTPUTS = MEANING.outputs
FREE, PITS = OUTPUTS.passing, Surface.PITS.number
GOOD = np.array([[0.9, 0.1, 0, 0, 0], [0.2, 0.2, 0.2, 0.2, 0.2]], np.float32)


def rows(*chosen: dict[int, float], classes: int = 5) -> Probabilities:
    """A row each, of the probabilities by column."""
    return np.array([[row.get(column, 0.0) for column in range(classes)] for row in chosen], np.float32)


TIE = {FREE: 0.5, PITS: 0.5}
"""As much free of defects as full of pits: pits."""


# ---------------------------------------------------------------------- what counts


@pytest.mark.parametrize("factor", [1.0, 1 - 0.9 * TOLERANCE, 1 + 0.9 * TOLERANCE])
def test_the_rounding_of_an_engine_is_tolerated(factor: float) -> None:
    assert problem_of(GOOD * np.float32(factor)) is None


def test_what_an_engine_rounds_to_float16_is_tolerated() -> None:
    answers = np.random.default_rng(1).dirichlet(np.full(5, 0.3), 10_000).astype(np.float16).astype(np.float32)
    assert np.abs(answers.sum(axis=1) - 1).max() > 1e-4, "it rounds"
    assert problem_of(answers) is None


@pytest.mark.parametrize(
    ("spoilt", "words"),
    [
        (float("nan"), "an answer is not a finite number"),
        (float("inf"), "an answer is not a finite number"),
        (-0.001, "answers from -0.001 to 0.9, not within 0 to 1"),
        (1.002, "answers from 0 to 1.002, not within 0 to 1"),
        (0.2 + 2 * TOLERANCE, "sums 1.002 of patches are not 1"),
        (0.2 - 2 * TOLERANCE, "sums 0.998 of patches are not 1"),
    ],
)
def test_what_is_no_probability_is_named(spoilt: float, words: str) -> None:
    answer = GOOD.copy()
    answer[1, 3] = spoilt
    assert problem_of(answer) == words
    assert problem_of_answer(answer, (2, 5)) == words


def test_no_patches_are_no_problem() -> None:
    assert problem_of(GOOD[:0]) is None


@pytest.mark.parametrize(
    ("answer", "words"),
    [(GOOD[:1], "(1, 5) float32"), (GOOD[:, :4], "(2, 4) float32"), (GOOD.astype(np.float64), "(2, 5) float64")],
)
def test_an_answer_of_another_shape_or_type_is_named(answer: NDArray[Any], words: str) -> None:
    assert problem_of_answer(answer, (2, 5)) == f"answer is {words}, not (2, 5) float32"


# ---------------------------------------------------------------------- the class of a patch


@pytest.mark.parametrize("passing", range(3))
@pytest.mark.parametrize("above", [-1e-6, 0.0, 1e-6])
def test_a_tie_is_the_defects_wherever_the_passing_column_stands(passing: int, above: float) -> None:
    defect = (passing + 1) % 3
    row = np.full(3, 0.1)
    row[passing], row[defect] = 0.4 + above, 0.4
    assert columns_of(row[None], passing).tolist() == [passing if above > 0 else defect]


def test_of_equal_defects_the_first_column_is_taken() -> None:
    assert columns_of(rows({1: 0.4, 3: 0.4, 0: 0.2}, {0: 0.2, 1: 0.2, 2: 0.2, 3: 0.2, 4: 0.2}), 0).tolist() == [1, 1]
    assert columns_of(rows({2: 0.5, 4: 0.5}), 4).tolist() == [2]


def test_where_nothing_passes_the_first_of_the_most_probable_is_taken() -> None:
    assert columns_of(rows({0: 0.5, 2: 0.5}, {3: 1.0}), None).tolist() == [0, 3]


def test_logits_and_patches_of_many_parts_are_classed_as_well() -> None:
    logits = np.array([[[-9.0, -9.0], [-3.0, -7.0]], [[4.0, 5.0], [6.0, 6.0]]])
    assert columns_of(logits, 0).tolist() == [[1, 0], [1, 1]]
    assert logits[0, 0].tolist() == [-9.0, -9.0], "what was asked about stays as it is"


# ---------------------------------------------------------------------- a tie in every decision, count and picture


SCAN = LabelledScan(
    "tie", TABLE.named("pits"), Path("tie.png"), Path("mask.png"), 0, 512, marks_of(TABLE), GEOMETRY.lines_per_turn
)


def tied_part(label: int = PITS) -> JudgedPart:
    """A part of patches that are all good but for the sixth, which is a tie."""
    probabilities = np.tile(rows({FREE: 0.9, PITS: 0.1}), (GEOMETRY.patches_per_part, 1))
    probabilities[5] = rows(TIE)[0]
    labels = np.full(GEOMETRY.patches_per_part, FREE, np.int8)
    labels[5] = label
    return decide_part(SCAN, labels, probabilities, MEANING, 0.5)


def test_the_decision_and_the_live_view_call_it_a_defect() -> None:
    part = tied_part()
    assert (part.verdict.name, part.confidence) == ("pits", 0.5)
    assert algorithm1(part.probabilities, OUTPUTS).deciding_patch == 5
    assert [surface.name for surface in surfaces_of(part.probabilities, OUTPUTS)].index("pits") == 5
    assert np.flatnonzero(MEANING.called_defective(part.probabilities)).tolist() == [5]


def test_the_gallery_calls_it_a_defect_and_looks_for_that() -> None:
    part = tied_part()
    assert caption(Case(part, 5)).endswith("Patch 6: pits 0.500")
    assert sought(replace(part, scan=replace(SCAN, surface=TABLE.named("scratches"))), 5) == PITS


def test_the_counts_of_parts_and_pictures_take_it_for_a_defect() -> None:
    assert (measure([tied_part()], "s").wrong_patches, measure([tied_part(FREE)], "s").wrong_patches) == (0, 1)
    for label in (FREE, PITS):
        figures = picture_figures(np.array([label]), rows(TIE), MEANING, 0.5, "s")
        assert (figures.wrong_patches, figures.overkills) == (int(label == FREE), int(label == FREE))


def test_the_figures_of_a_report_take_it_for_a_defect() -> None:
    labels, found = np.array([PITS, FREE]), rows(TIE, {FREE: 1.0})
    figures = image_figures(labels, found, MEANING.names, FREE, ["tie.png", "free.png"])
    assert (figures.classification.accuracy.events, figures.wrong) == (2, ())
    assert calibrate(found, labels, FREE).temperature is None, "nothing is wrong"
    assert reliability(np.asarray(found, np.float64), labels, FREE)[7].accuracy == 1.0


def test_the_pointing_game_is_played_on_it(monkeypatch: pytest.MonkeyPatch) -> None:
    lines, mask = GEOMETRY.lines_per_turn, np.zeros((GEOMETRY.lines_per_turn, 512), np.uint8)
    mask[2 * GEOMETRY.lines_per_block : 3 * GEOMETRY.lines_per_block] = SCAN.marks.index(TABLE.named("pits"))
    module = "models.evaluation.measuring.pointing"
    monkeypatch.setattr(f"{module}.read_image", lambda _scan: np.zeros((lines, 512), np.uint8))
    monkeypatch.setattr(f"{module}.read_mask", lambda _scan: mask)
    rule = Rule(MEANING, GEOMETRY, 0.5, cutter_at_truth(GEOMETRY))
    (played,) = play_part(tied_part(), rule, lambda patch, _column: np.ones(patch.shape, np.float32))
    assert (played.name, played.hit) == ("pits", True)


def test_parity_sees_that_a_tie_and_a_defect_are_the_same() -> None:
    parity = compare([rows(TIE)], [rows({PITS: 0.9, FREE: 0.1})], OUTPUTS, ("openvino", "f32"), ("parts", "s"))
    assert (parity.changed_parts, parity.changed_patches) == (0, 0)


def test_nobody_has_a_rule_of_his_own() -> None:
    """The highest column of a row is asked for in one place; elsewhere the highest is that of a map or of patches."""
    own = {
        path.relative_to(ROOT).as_posix()
        for package in ("station", "models")
        for path in (ROOT / package).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("argmax") and node.keywords
    }
    assert own == {"station/core/probabilities.py"}
