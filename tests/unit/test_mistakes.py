"""Likely mistakes: a small example worked by hand, planted ones that are found, and how they are told."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from models.dataset.store import DataFile, DataHeading, DataSet, Entry, write_data
from models.mistakes.confident import Doubts, Mistake, doubts
from models.mistakes.document import document_of
from models.mistakes.report import render

LABELS = np.array([0, 0, 0, 0, 1, 1, 1, 1])
SCORES = np.array([
    [0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.2, 0.8],  # the last is likely of class 1; threshold 0.65
    [0.1, 0.9], [0.2, 0.8], [0.3, 0.7], [0.45, 0.55],  # threshold 0.7375
])  # fmt: skip


@pytest.fixture(scope="module")
def cleanlab() -> None:
    pytest.importorskip("cleanlab", reason="cleanlab is an extra of training (make test-training)")


@pytest.mark.training
@pytest.mark.usefixtures("cleanlab")
def test_the_likely_mistake_is_named_with_both_classes() -> None:
    found = doubts(LABELS, SCORES)
    (one,) = found.mistakes
    assert (one.item, one.given, one.suggested) == (3, 0, 1)
    assert (one.self_confidence, one.confidence) == pytest.approx((0.2, 0.8))
    assert found.joint.tolist() == [[3, 1], [0, 4]]


def answers(truth: NDArray[np.int64], classes: int, sure: float, seed: int) -> NDArray[np.float32]:
    """What a good network answers on these."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 1, (len(truth), classes))
    logits[np.arange(len(truth)), truth] += sure
    scores = np.exp(logits)
    return np.asarray(scores / scores.sum(axis=1, keepdims=True), np.float32)


@pytest.mark.training
@pytest.mark.usefixtures("cleanlab")
def test_planted_mistakes_are_found_and_right_labels_left_alone() -> None:
    rng = np.random.default_rng(3)
    truth = rng.choice(5, 2000, p=[0.6, 0.1, 0.1, 0.1, 0.1])
    labels = truth.copy()
    planted = rng.choice(2000, 60, replace=False)
    labels[planted] = (labels[planted] + rng.integers(1, 5, 60)) % 5
    found = doubts(labels, answers(truth, 5, 6.0, 4))
    items = {one.item for one in found.mistakes}
    assert len(items & set(planted.tolist())) >= 50
    assert len(items - set(planted.tolist())) <= 6
    assert all(one.suggested == truth[one.item] for one in found.mistakes if one.item in planted)
    confidences = [one.self_confidence for one in found.mistakes]
    assert confidences == sorted(confidences)
    assert found.joint.sum() == pytest.approx(2000, abs=3)


@pytest.mark.training
@pytest.mark.usefixtures("cleanlab")
def test_where_all_labels_are_right_hardly_any_is_doubted() -> None:
    truth = np.random.default_rng(3).integers(0, 4, 1000)
    assert len(doubts(truth, answers(truth, 4, 8.0, 5)).mistakes) <= 3


@pytest.mark.training
@pytest.mark.usefixtures("cleanlab")
def test_a_class_without_a_label_takes_none_away() -> None:
    truth = np.random.default_rng(3).integers(0, 3, 300)
    found = doubts(truth, answers(truth, 4, 8.0, 5))
    assert found.joint.shape == (4, 4)
    assert found.joint[3].tolist() == [0, 0, 0, 0]
    assert len(found.mistakes) <= 3


# ---------------------------------------------------------------------- told


@pytest.fixture
def data(tmp_path: Path) -> DataSet:
    """Two scans of two patches."""
    files = [DataFile(path=f"{name}.png", sha256="ab" * 32, group=number, label="free", split="train")
             for number, name in enumerate(("<a>", "b"))]  # fmt: skip
    entries = [Entry(file, np.full((2, 16, 16), 90, np.uint8), np.array([0, 1], np.int16)) for file in files]
    heading = DataHeading(
        name="noise", kind="patches", classes=("free", "pits"), height=16, width=16, source="noise", seed=1,
        shares=(100, 0, 0), passing="free",
    )  # fmt: skip
    return write_data(tmp_path / "data", heading, entries, 4)


def test_the_report_shows_the_patch_and_loads_nothing(data: DataSet) -> None:
    found = Doubts(np.array([[2.0, 0.0], [1.0, 1.0]]), (Mistake(3, 1, 0, 0.05, 0.95),))
    document = document_of(data, np.arange(4), "two folds", found)
    (one,) = document.mistakes
    assert (one.file, one.image, one.index, one.given, one.suggested) == ("b.png", 1, 3, "pits", "free")
    page = render(document, data, most=5)
    assert "b.png, image 1: given pits (0.050), suggested free (0.950)" in page
    assert page.count("data:image/jpeg;base64,") == 1
    assert "http" not in page.replace("http-equiv", "")
    assert "data:image" not in render(document, data, most=0)
    assert "1 of 4 labels" in page
