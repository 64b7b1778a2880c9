"""Judging whole parts: what a measurement counts, what goes to review, and what a refused scan is."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from models.dataset.scans import LabelledScan, marks_of
from models.dataset.store import SLIVER
from models.evaluation.measuring.evaluation import part_figures
from models.evaluation.measuring.parts import (
    JudgedPart,
    Rule,
    cutter_at_truth,
    decide_part,
    judge,
    measure,
    patch_labels,
)
from models.evaluation.measuring.scorers import BundleScorer, Scored
from models.meaning import meaning_of
from station.core.errors import PartError
from station.core.novelty.conformal import Calibration, NoveltyRule
from station.core.part import EngineIdentity, ModelIdentity, Pixels, Probabilities
from tests.scoring import ScoresAlone
from tests.unit.housings import CLASSES, GEOMETRY, LINES, MEANING, TABLE, Surface

RULE = Rule(MEANING, GEOMETRY, 0.5, cutter_at_truth(GEOMETRY))


def scan_of(truth: Surface, folder: Path = Path()) -> LabelledScan:
    return LabelledScan("P", truth.verdict, folder / "p.png", folder / "m.png", 20, 276, marks_of(TABLE), LINES)


def scores(**patches: tuple[int, float]) -> Probabilities:
    """Sure passes, but for patches `pN=(class, probability)`; the rest of a patch's probability says defect-free."""
    rows = np.zeros((16, 5), np.float32)
    rows[:, 0] = 1
    for name, (surface, probability) in patches.items():
        rows[int(name[1:])] = 0
        rows[int(name[1:]), 0] = 1 - probability
        rows[int(name[1:]), surface] += probability
    return rows


def judged(truth: Surface, probabilities: Probabilities, labels: dict[int, int]) -> JudgedPart:
    known = np.zeros(16, np.int8)
    for patch, label in labels.items():
        known[patch] = label
    return decide_part(scan_of(truth), known, probabilities, MEANING, 0.5)


def test_escapes_overkills_reviews_and_wrong_classes_are_counted_apart() -> None:
    parts = [
        judged(Surface.DEFECT_FREE, scores(), {}),
        judged(Surface.DEFECT_FREE, scores(p1=(1, 0.9)), {}),
        judged(Surface.PITS, scores(), {5: 2}),
        judged(Surface.PITS, scores(p5=(2, 0.9)), {5: 2, 7: SLIVER}),
        judged(Surface.PITS, scores(p5=(3, 0.9), p7=(4, 0.6)), {5: 2, 7: SLIVER}),
    ]
    figures = measure(parts, "five parts")
    assert (figures.parts, figures.defective_parts, figures.reviews) == (5, 3, 0)
    assert (figures.escapes, figures.overkills, figures.wrong_class) == (1, 1, 1)
    assert (figures.patches, figures.wrong_patches) == (5 * 16 - 2, 3)


def test_a_part_under_the_least_confidence_is_reviewed_and_neither_right_nor_escape_nor_overkill() -> None:
    unsure = scores()
    unsure[4] = (0.3, 0.25, 0.45, 0, 0)
    for truth in (Surface.PITS, Surface.DEFECT_FREE):
        part = decide_part(scan_of(truth), np.zeros(16, np.int8), unsure, MEANING, 0.5)
        assert (part.verdict, part.reason) == (TABLE.review, "part.low_confidence")
        assert part.outcome is not None
        assert part.outcome.verdict.name == "pits"
        assert (part.right, part.escaped, part.overkilled) == (False, False, False)
        figures = measure([part], "one part")
        assert (figures.escapes, figures.overkills, figures.wrong_class, figures.reviews) == (0, 0, 0, 1)


class Certain(ScoresAlone):
    """A classifier that is sure of pits wherever a patch is darker than 50, and remembers its batches."""

    engine = EngineIdentity("numpy", "1", "f32", "none")
    classes = CLASSES
    geometry = GEOMETRY

    def __init__(self) -> None:
        self.batches: list[int] = []

    @property
    def model(self) -> ModelIdentity:
        return ModelIdentity("certain", "ab" * 32)

    def warm_up(self) -> None:
        pass

    def score(self, patches: Pixels) -> Probabilities:
        self.batches.append(len(patches))
        dark = patches.mean(axis=(1, 2)) < 50
        return np.where(dark[:, None], [0, 0, 1, 0, 0], [1, 0, 0, 0, 0]).astype(np.float32)


@pytest.mark.parametrize("count", [0, 1, 2, 7])
def test_a_bundle_scores_batches_of_one_strip_whatever_it_is_given(count: int) -> None:
    classifier = Certain()
    images = np.full((count, 256, 256), 200, np.uint8)
    images[-1:] = 10
    answer = BundleScorer(classifier).score(images)
    assert answer.shape == (count, 5)
    assert set(classifier.batches) <= {2}
    assert answer.argmax(axis=1).tolist() == [0] * (count - 1) + [2] * min(count, 1)


def write_scan(folder: Path, dark_line: int) -> LabelledScan:
    image, mask = np.full((3584, 296), 180, np.uint8), np.zeros((3584, 296), np.uint8)
    image[dark_line : dark_line + 448, 20:148] = 10
    mask[dark_line : dark_line + 448, 20:148] = Surface.PITS.number
    cv2.imwrite(str(folder / "p.png"), image)
    cv2.imwrite(str(folder / "m.png"), mask)
    return scan_of(Surface.PITS, folder)


def test_a_part_is_cut_scored_and_decided_from_its_files(tmp_path: Path) -> None:
    part = judge(BundleScorer(Certain()), write_scan(tmp_path, 3 * 448), RULE)
    assert part.right
    assert part.outcome is not None
    assert part.outcome.deciding_patch == 6
    assert part.labels.tolist() == [0] * 6 + [2] + [0] * 9


def test_a_scan_that_the_station_would_refuse_is_a_review_with_its_reason_and_no_patches(tmp_path: Path) -> None:
    def refuse(image: Pixels, scan: LabelledScan) -> Pixels:
        raise PartError("part.too_dark", f"{scan.part_id} {image.mean()}")

    part = judge(BundleScorer(Certain()), write_scan(tmp_path, 0), replace(RULE, cutter=refuse))
    assert (part.verdict, part.reason, part.confidence) == (TABLE.review, "part.too_dark", 0.0)
    assert not part.escaped
    patches: Sequence[int] = patch_labels([part])[0].tolist()
    assert patches == []


def test_a_network_of_fewer_classes_in_another_order_is_counted_by_names() -> None:
    meaning = meaning_of(["pits", "defect_free"], TABLE, "small")
    assert meaning.names == ("pits", "defect_free", "imprinted", "roll_marks", "scratches")
    sure = np.array([[0.1, 0.9]] * 16, np.float32)
    labels = meaning.columns_of(marks_of(TABLE))[np.array([0] * 15 + [Surface.SCRATCHES.number])]
    assert labels.tolist() == [1] * 15 + [4]
    escaped = decide_part(scan_of(Surface.SCRATCHES), labels, sure, meaning, 0.5)
    found = sure.copy()
    found[15] = (0.9, 0.1)
    called = decide_part(scan_of(Surface.SCRATCHES), labels, found, meaning, 0.5)
    good = decide_part(scan_of(Surface.DEFECT_FREE), np.full(16, 1, np.int8), sure, meaning, 0.5)
    figures = measure([escaped, called, good], "three parts")
    assert (figures.escapes, figures.wrong_class, figures.overkills, figures.wrong_patches) == (1, 1, 0, 2)
    assert np.flatnonzero(escaped.shows).tolist() == [15]
    counted = part_figures([escaped, called, good], figures).classification
    assert counted.columns == (*meaning.names, "review")
    assert counted.confusion[4] == (1, 1, 0, 0, 0, 0)


NOTHING_SO_UNLIKE = NoveltyRule(0.5, Calibration((1.0, 1.1, 1.2), "ab" * 32, "numpy f32"))
"""Of three good parts none came to more than 1.2."""


class Knowing(BundleScorer):
    """A network that is sure, and finds one patch so much unlike its training."""

    def __init__(self, unlike: float) -> None:
        super().__init__(Certain())
        self._unlike = unlike

    def answer(self, images: Pixels) -> Scored:
        novelty = np.zeros(len(images), np.float32)
        novelty[3] = self._unlike
        return Scored(self.score(images), novelty)

    def score(self, images: Pixels) -> Probabilities:
        return super().answer(images).probabilities


@pytest.mark.parametrize(("unlike", "reason"), [(9.0, "part.unknown"), (0.5, "")])
def test_a_part_unlike_all_good_ones_is_reviewed_however_sure_the_network_is(
    tmp_path: Path, unlike: float, reason: str
) -> None:
    rule = replace(RULE, novelty_of=lambda _image, _scan: NOTHING_SO_UNLIKE)
    part = judge(Knowing(unlike), write_scan(tmp_path, 3 * 448), rule)
    assert (part.reason, part.verdict.is_review, part.right) == (reason, bool(reason), not reason)
    assert part.novelty is not None
    assert (part.novelty.patch, part.novelty.score) == (3, unlike)
    counted = part_figures([part], measure([part], "one part"))
    assert (counted.rows[0].novelty, counted.rows[0].novelty_p) == (unlike, part.novelty.p_value)
    assert [point.tally.reviews.events for point in counted.operating_points] == [int(bool(reason))] * 8


def test_without_good_parts_of_its_type_no_part_is_unknown(tmp_path: Path) -> None:
    rule = replace(RULE, novelty_of=lambda _image, _scan: NoveltyRule(0.01, None))
    part = judge(Knowing(9.0), write_scan(tmp_path, 3 * 448), rule)
    assert (part.right, part.novelty and part.novelty.p_value) == (True, None)
