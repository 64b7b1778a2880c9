"""Trainings by the labels of whole parts: they find the patches, go on bit for bit, and judge by parts."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is an extra of training (make test-training)")
for extra in ("timm", "tensorboard", "matplotlib"):
    pytest.importorskip(extra, reason=f"{extra} is an extra of training (make test-training)")

from models.networks.layers import Network  # noqa: E402 - after the check for torch
from models.training import checkpoint  # noqa: E402
from models.training.checkpoint import read_checkpoint  # noqa: E402
from models.training.compute import logits_of  # noqa: E402
from models.training.curves import Row  # noqa: E402
from models.training.data import validation_items  # noqa: E402
from models.training.judging import judge  # noqa: E402
from models.training.plan import Plan, make_plan  # noqa: E402
from models.training.start import begin  # noqa: E402
from models.training.trainer import Training  # noqa: E402
from tests.unit.planted import GOOD, PATCHES, planted_data, planted_parts  # noqa: E402

pytestmark = pytest.mark.training

CPU = torch.device("cpu")


class Silence:
    """Watches a training and shows nothing."""

    def begin(self, epoch: int, epochs: int, steps_done: int, steps: int) -> None: ...

    def step(self, steps_done: int, loss: float) -> None: ...

    def end(self, row: Row, *, best: bool) -> None: ...


def plan(**choices: object) -> Plan:
    given = {"network": "sca-cnn", "phases": [{"epochs": 2}], "batch": 16, "augmentation": (), "items_per_epoch": 64}
    return make_plan(**{**given, **choices})


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def after(steps: int) -> Callable[[], bool]:
    """Says to stop when it was asked so often."""
    asked: list[None] = []

    def stop() -> bool:
        asked.append(None)
        return len(asked) > steps

    return stop


class Small(Network):
    """Learns in a moment what the planted bars look like."""

    def __init__(self) -> None:
        super().__init__()
        self.features = torch.nn.Sequential(
            *(torch.nn.Conv2d(1, 8, 7, stride=4, padding=3), torch.nn.BatchNorm2d(8), torch.nn.ReLU()),
            *(torch.nn.MaxPool2d(4), torch.nn.Flatten()),
        )
        self.head = torch.nn.Sequential(torch.nn.Linear(128, 3))


def test_part_labels_alone_teach_which_patches_show_the_defect(tmp_path: Path) -> None:
    torch.manual_seed(1)
    data = planted_data(each=12, judged=4)
    chosen = plan(phases=[{"epochs": 10, "peak_rate": 1e-2}], items_per_epoch=0, batch=32)
    training = Training(chosen, data, tmp_path, CPU, Small(), 1e9)
    training.run(Silence())
    _, truth, _ = planted_parts(12)
    answers = logits_of(training.network, data, data.validation, CPU, training.plan)
    assert (answers.argmax(axis=1) == truth[data.validation]).mean() > 0.95
    assert training.history[-1].accuracy > 0.9
    assert training.history[-1].judged == 12


def test_an_interrupted_training_ends_with_the_same_weights_in_bags_and_after_them(tmp_path: Path) -> None:
    chosen = plan()
    folders = tmp_path / "whole", tmp_path / "pieces"
    for folder in folders:
        folder.mkdir()
    whole = begin(chosen, planted_data(), folders[0], CPU)
    assert whole.run(Silence())
    pieced = in_pieces(folders[1], chosen, 3)
    assert [row.loss for row in pieced.history] == [row.loss for row in whole.history]
    for name in (checkpoint.BEST, checkpoint.LAST):
        one, other = (read_checkpoint(folder / name) for folder in folders)
        for layer, value in one["state"].items():
            assert torch.equal(value, other["state"][layer]), (name, layer)


def in_pieces(folder: Path, chosen: Plan, steps: int) -> Training:
    """Train, and be stopped every few steps; within an epoch after the bags, too."""
    kept = set()
    for _ in range(9):
        training = begin(chosen, planted_data(), folder, CPU, keep_every_s=1e9)
        if training.run(Silence(), after(steps)):
            assert kept == {True, False}
            return training
        kept.add("taught" in read_checkpoint(folder / checkpoint.LAST))
    raise AssertionError("never done")


def test_a_validation_without_patch_labels_judges_whole_parts(tmp_path: Path) -> None:
    data = planted_data()
    training = begin(plan(), data, tmp_path, CPU)
    certain = ByBar()
    judged = judge(certain, data, data.validation, CPU, training.plan)
    assert (judged.escapes, judged.overkills, judged.confusions, judged.count) == (0, 0, 0, 12)
    assert judged.loss < 0.01
    certain.blind = True
    judged = judge(certain, data, data.validation, CPU, training.plan)
    assert (judged.escapes, judged.overkills, judged.confusions, judged.count) == (8, 0, 0, 12)


class ByBar(torch.nn.Module):
    """Sees the bars, unless it is blind."""

    blind = False

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits by the brightness of both places."""
        left, right = x[:, 0, 8:56, 8:16].mean((1, 2)), x[:, 0, 8:56, 48:56].mean((1, 2))
        seen = torch.stack([left, torch.full_like(left, 0.6), right], dim=1)
        if self.blind:
            seen[:, GOOD] = 2
        return 60 * seen


def test_a_long_validation_keeps_its_parts_whole() -> None:
    data = planted_data(each=12, judged=8)
    few = validation_items(plan(validation_items=10 * PATCHES), data)
    parts, sizes = np.unique(data.parts.numbers[few], return_counts=True)
    assert 2 < len(parts) <= 10
    assert set(sizes.tolist()) == {PATCHES}
    assert set(data.parts.labels[few].tolist()) == {0, 1, 2}


def test_the_plan_tells_which_images_were_taken_for_what(tmp_path: Path) -> None:
    begin(plan(), planted_data(left_out=3), tmp_path, CPU)
    told = json.loads((tmp_path / "plan.json").read_text())
    assert told["images"] == {
        "by_own_label": 32, "by_part_label": 64, "bags": 8, "left_out": 3, "judged_by": "parts",
    }  # fmt: skip
    assert (told["labels"], told["bag_share"]) == ("auto", 0.5)


def test_good_parts_and_a_handful_of_defects_train(tmp_path: Path) -> None:
    data = planted_data(each=12, judged=4)
    defective = np.unique(data.parts.numbers[data.train][data.parts.labels[data.train] != GOOD])
    few = data.train[~np.isin(data.parts.numbers[data.train], defective[2:])]
    training = begin(plan(), planted_data(each=12, judged=4, train=few), tmp_path, CPU)
    assert training.run(Silence())
    assert all(np.isfinite(row.loss) for row in training.history)
