"""Sets of which only whole parts are labelled: their answers, folds and nested sizes, and what is judged by them."""

import json
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from typer.testing import CliRunner

from models.curve.subsets import nested
from models.dataset.store import SLIVER, DataSet, Level, Split
from models.training.folds import deal
from models.training.part_answers import classified, part_answers
from station.cli.model import model_app
from tests.tiny_parts import CLASSES, PATCHES, SPLITS, make_parts

PARTS = len(CLASSES) * len(SPLITS)
QUICK = (
    "--network", "sca-cnn", "--epochs", 1, "--items-per-epoch", 32, "--batch", 64, "--threads", 1, "--device", "cpu",
)  # fmt: skip


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    return make_parts(tmp_path_factory.mktemp("made") / "data", said_of="parts")


def answered(data: DataSet, seed: int = 1) -> NDArray[np.float32]:
    """Answers on all images of a set."""
    return np.random.default_rng(seed).dirichlet(np.ones(len(CLASSES)), len(data.labels)).astype(np.float32)


def counted(answers: NDArray[np.float32], label: int) -> float:
    """The chance that the images look so that their part has this label, way by way."""
    ways = product({0, label}, repeat=len(answers))
    return sum(float(np.prod([answers[at, seen] for at, seen in enumerate(way)])) for way in ways if label in way)


def test_a_part_is_as_likely_of_a_class_as_all_ways_that_its_images_may_look(data: DataSet) -> None:
    part = np.arange(PATCHES, 2 * PATCHES)
    answers = answered(data)[:4]
    answers = np.repeat(answers, PATCHES // 4, axis=0)[:PATCHES]
    few = part_answers(data, part[:4], answers[:4])
    chances = np.array([counted(answers[:4], label) for label in range(len(CLASSES))])
    assert few.probabilities[0] == pytest.approx(chances / chances.sum(), rel=1e-4)


def test_parts_are_judged_whole_whatever_the_order_of_their_images(data: DataSet) -> None:
    answers, everything = answered(data), np.arange(len(data.labels))
    parts = part_answers(data, everything, answers)
    assert parts.labels.tolist() == [number % len(CLASSES) for number in range(PARTS)]
    mixed = np.random.default_rng(2).permutation(everything)
    again = part_answers(data, mixed, answers[mixed])
    for name in ("images", "labels", "found", "scores"):
        assert np.array_equal(getattr(again, name), getattr(parts, name)), name
    for number, least in enumerate(parts.images.tolist()):
        own = answers[number * PATCHES : (number + 1) * PATCHES]
        assert least == number * PATCHES + own[:, 0].argmin()
        assert parts.scores[number].tolist() == [own[:, 0].min(), *own[:, 1:].max(axis=0)]
        defects = own[own.argmax(axis=1) > 0]
        assert parts.found[number] == (0 if not len(defects) else defects[defects[:, 1:].max(axis=1).argmax()].argmax())
    assert classified(data, mixed, answers[mixed]).samples == PARTS


def test_images_that_are_sure_beyond_what_a_float_holds_leave_probabilities(data: DataSet) -> None:
    sure = np.zeros((len(data.labels), len(CLASSES)), np.float32)
    for passes in (0, 1):
        sure[:] = np.eye(len(CLASSES), dtype=np.float32)[passes]
        found = part_answers(data, np.arange(len(sure)), sure).probabilities
        assert np.isfinite(found).all()
        assert found[:, passes] == pytest.approx(1)


def test_folds_and_sizes_take_defective_parts_whose_images_nobody_labelled(data: DataSet) -> None:
    dealt = deal(data, 2, seed=1, use="auto")
    assert dealt.judged == "parts"
    judged = [dealt.left_out(data, fold) for fold in range(2)]
    assert sorted(np.concatenate(judged).tolist()) == np.flatnonzero(data.splits != Split.TEST).tolist()
    for images in judged:
        assert set(np.bincount(data.parts[images])) == {0, PATCHES}
        assert set(data.part_labels[images].tolist()) == set(range(len(CLASSES)))
    sizes = nested(data, (3, 12), seed=1)
    assert [len(images) for images in sizes.values()] == [3 * PATCHES, 12 * PATCHES]
    assert set(data.part_labels[sizes[3]].tolist()) == set(range(len(CLASSES)))


@pytest.mark.training
def test_where_the_validation_has_parts_alone_those_of_the_test_are_answered_whole_as_well(data: DataSet) -> None:
    pytest.importorskip("torch", reason="torch is an extra of training (make test-training)")
    from models.mistakes.answers import held_out  # noqa: PLC0415 - needs torch

    everything = np.flatnonzero(data.splits != Split.TRAIN)
    tested = data.splits == Split.TEST
    labels, levels = data.labels.copy(), data.levels.copy()
    labels[tested], levels[tested] = data.part_labels[tested], Level.PATCH
    labels[np.flatnonzero(tested)[-1]] = SLIVER
    mixed = replace(data, labels=labels, levels=levels)
    assert held_out(mixed, "auto").tolist() == everything.tolist()
    alone = replace(mixed, splits=np.where(tested, data.splits, Split.TRAIN).astype(np.int8))
    assert held_out(alone, "auto").tolist() == np.flatnonzero(tested)[:-1].tolist(), "images, each by its own label"


@pytest.mark.training
@pytest.mark.timeout(600)
def test_curve_and_cross_validation_judge_parts_where_only_these_are_labelled(data: DataSet, tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="torch is an extra of training (make test-training)")
    for words in (("curve", "--sizes", "3,6"), ("crossval", "--folds", 2, "--labels", "part")):
        given = (*words, "--data", data.folder, "--out", tmp_path / words[0], *QUICK)
        ran = CliRunner().invoke(model_app, [str(word) for word in given])
        assert ran.exit_code == 0, (ran.output, ran.exception)
    traced = json.loads((tmp_path / "curve" / "curve.json").read_text())
    assert traced["judged"] == "parts"
    assert [point["images"] for point in traced["points"]] == [3 * PATCHES, 6 * PATCHES]
    assert {point["errors"]["trials"] for point in traced["points"]} == {len(CLASSES)}
    crossed = json.loads((tmp_path / "crossval" / "crossval.json").read_text())
    assert (crossed["judged"], crossed["pooled"]["samples"]) == ("parts", PARTS - len(CLASSES))
