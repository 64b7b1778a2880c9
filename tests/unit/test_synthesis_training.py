"""Generators: of the paper's size, resumed to the bit, stopped where they diverge, and never passed off as a camera."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

torch = pytest.importorskip("torch", reason="torch is an extra of training (make test-training)")

from models.dataset.store import DataSet, Split, read_data  # noqa: E402 - after the check for torch
from models.errors import DatasetError, TrainingError  # noqa: E402
from models.networks import NETWORKS  # noqa: E402
from models.synthesis import gan_training, sdg_gan  # noqa: E402
from models.synthesis.drawn_set import add_drawn  # noqa: E402
from models.synthesis.gan_images import originals_for  # noqa: E402
from models.synthesis.gan_plan import GanPlan, make_plan  # noqa: E402
from models.synthesis.gan_run import LOSSES, PICTURES, learn, read_learnt  # noqa: E402
from models.synthesis.gan_size import SIZES, Size  # noqa: E402
from models.synthesis.gan_training import GanTraining, Step  # noqa: E402
from models.training.folds import deal  # noqa: E402
from station.cli.app import app  # noqa: E402
from tests.blendable import own_pictures  # noqa: E402

pytestmark = pytest.mark.training

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    return own_pictures(tmp_path_factory.mktemp("plant"))


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def plan(**choices: object) -> GanPlan:
    return make_plan(**{"classes": ("pit",), "px": 64, "width": 0.05, "steps": 4, "batch": 4, **choices})


def training(own: DataSet, folder: Path, chosen: GanPlan, look_every: int = 2) -> GanTraining:
    folder.mkdir(parents=True, exist_ok=True)
    return GanTraining(chosen, originals_for(own, chosen), folder, CPU, look_every)


def ignore(_row: Step) -> None: ...


def test_the_full_pair_has_the_papers_parameters() -> None:
    def count(network: torch.nn.Module) -> int:
        return sum(one.numel() for one in network.parameters() if one.requires_grad)

    assert count(sdg_gan.Generator(Size())) == 10_029_057
    assert count(sdg_gan.Critic(Size())) == 6_993_409


def test_one_normalisation_stands_behind_the_dense_layer_and_none_in_the_critic() -> None:
    def normalised(network: torch.nn.Module) -> list[str]:
        return [type(one).__name__ for one in network.modules() if "BatchNorm" in type(one).__name__]

    assert normalised(sdg_gan.Generator(Size())) == ["BatchNorm1d"]
    assert normalised(sdg_gan.Critic(Size())) == []


@pytest.mark.parametrize("px", SIZES)
@pytest.mark.parametrize("kind", ["sdg-gan", "dcgan"])
def test_images_of_every_size_are_drawn_and_judged(px: int, kind: str) -> None:
    generator, critic = gan_training.NETWORKS[kind](Size(px, 0.05))
    images = generator(torch.randn(2, 256)).detach()
    assert images.shape == (2, 1, px, px)
    assert float(images.abs().max()) <= 1
    assert critic(images).shape == (2,)


def test_the_penalty_is_nought_where_the_slope_is_one(own: DataSet, tmp_path: Path) -> None:
    one = training(own, tmp_path, plan())

    class Slope(torch.nn.Module):
        def __init__(self, length: float) -> None:
            super().__init__()
            self.length = length

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return images.flatten(1)[:, 0] * self.length

    real, drawn, between = torch.rand(3, 1, 64, 64), torch.rand(3, 1, 64, 64), torch.rand(3, 1, 1, 1)
    for length, expected in ((1.0, 0.0), (3.0, 4.0)):
        one._critic = Slope(length)
        assert float(one._penalty(real, drawn, between)) == pytest.approx(expected)


@pytest.mark.parametrize("kind", ["sdg-gan", "dcgan"])
def test_an_interrupted_training_ends_with_the_same_weights(own: DataSet, tmp_path: Path, kind: str) -> None:
    chosen = plan(kind=kind)
    whole = training(own, tmp_path / "whole", chosen)
    assert whole.run(ignore)
    first = training(own, tmp_path / "parts", chosen)
    assert not first.run(ignore, stop=lambda: True)
    assert first.position.steps == 1
    second = training(own, tmp_path / "parts", chosen)
    assert second.resume()
    assert second.run(ignore)
    theirs = second.generator.state_dict()
    for name, value in whole.generator.state_dict().items():
        assert torch.equal(value, theirs[name]), name


def test_another_plan_or_other_images_are_refused(own: DataSet, tmp_path: Path) -> None:
    training(own, tmp_path, plan()).run(ignore)
    with pytest.raises(TrainingError, match=r"seed 2 was 1"):
        training(own, tmp_path, plan(seed=2)).resume()
    with pytest.raises(TrainingError, match=r"classes \['scratch'\] was \['pit'\]"):
        training(own, tmp_path, plan(classes=("scratch",))).resume()


def test_losses_that_are_no_numbers_end_it_with_what_was_good(own: DataSet, tmp_path: Path) -> None:
    training(own, tmp_path, plan(steps=2)).run(ignore)
    before = (tmp_path / "last.pt").read_bytes()
    one = training(own, tmp_path, plan(steps=2))
    one.resume()
    one.position.steps = 1
    with torch.no_grad():
        next(one.generator.parameters()).fill_(float("nan"))
    with pytest.raises(TrainingError) as caught:
        one.run(ignore)
    assert caught.value.code == "training.diverged"
    assert (tmp_path / "last.pt").read_bytes() == before


def test_images_that_become_all_alike_end_it_with_what_was_good(own: DataSet, tmp_path: Path) -> None:
    one = training(own, tmp_path, plan(steps=2))
    one.position.differs = True
    with torch.no_grad():
        for value in one.generator.parameters():
            value.zero_()
    for optimiser in one._optimisers:
        for group in optimiser.param_groups:
            group["lr"] = 0.0
    with pytest.raises(TrainingError, match=r"0\.0% as far apart") as caught:
        one.run(ignore)
    assert caught.value.code == "training.collapsed"
    assert not (tmp_path / "last.pt").exists()


def test_a_class_of_too_few_or_of_no_defects_is_refused(own: DataSet) -> None:
    with pytest.raises(TrainingError, match="free: not a class of defects"):
        originals_for(own, plan(classes=("free",)))
    with pytest.raises(TrainingError, match="px: 100, images are of 64, 128, 256"):
        plan(px=100)


def learnt_run(own: DataSet, folder: Path, **choices: object) -> Path:
    chosen = plan(steps=2, **choices)
    assert learn(folder, chosen, originals_for(own, chosen), CPU, 1, ignore, lambda: False)
    return folder


def test_a_run_leaves_pictures_and_losses_as_it_goes(own: DataSet, tmp_path: Path) -> None:
    run = learnt_run(own, tmp_path / "run")
    assert sorted(path.name for path in (run / PICTURES).iterdir()) == ["000001.png", "000002.png"]
    assert len((run / LOSSES).read_text().splitlines()) == 3


def test_what_was_drawn_is_marked_and_trains_in_no_fold_that_judges_its_originals(own: DataSet, tmp_path: Path) -> None:
    run = learnt_run(own, tmp_path / "run")
    drawn = add_drawn(tmp_path / "more", own, read_learnt(run), 5, 1)
    assert int(drawn.made.sum()) == 5
    assert set(drawn.splits[drawn.made].tolist()) == {Split.TRAIN}
    made = [file.made for file in drawn.manifest.files if file.made]
    pits = {file.sha256 for file in own.manifest.files if file.label == "pit" and file.split == "train"}
    assert all(one.method == "sdg-gan" and drawn.manifest.made_of(one) == pits for one in made)
    dealt = deal(drawn, 3, 1, "auto")
    assert not any(drawn.made[dealt.trained(fold)].any() for fold in range(3))
    again = add_drawn(tmp_path / "again", own, read_learnt(run), 5, 1)
    assert np.array_equal(again.images, drawn.images)


def test_a_generator_of_several_classes_or_other_data_adds_nothing(own: DataSet, tmp_path: Path) -> None:
    both = learnt_run(own, tmp_path / "both", classes=("pit", "scratch"))
    with pytest.raises(DatasetError, match="learnt pit and scratch at once"):
        add_drawn(tmp_path / "more", own, read_learnt(both), 5, 1)
    other = own_pictures(tmp_path / "other", seed=50)
    run = learnt_run(own, tmp_path / "run")
    with pytest.raises(DatasetError, match="not all that the generator of pit learnt from trains here"):
        add_drawn(tmp_path / "more", other, read_learnt(run), 5, 1)
    assert not (tmp_path / "more").exists()


def test_from_pictures_to_marked_images_by_three_commands(own: DataSet, tmp_path: Path) -> None:
    def station(*words: str) -> str:
        result = CliRunner().invoke(app, ["model", "synthesise", *words])
        assert result.exit_code == 0, result.output
        return result.output

    run, data = str(tmp_path / "run"), str(own.folder)
    size = ("--px", "64", "--width", "0.05", "--batch", "4", "--steps", "2", "--threads", "1", "--device", "cpu")
    assert "step 2/2" in station("train", "--data", data, "--out", run, "--class", "pit", *size)
    assert "made: no camera took them" in station("sample", run, str(tmp_path / "more"), "--data", data, "--count", "3")
    assert int(read_data(tmp_path / "more").made.sum()) == 3


def test_generators_are_measured_with_limits_by_a_network_that_is_named(own: DataSet, tmp_path: Path) -> None:
    weights = NETWORKS["mobilenet-v2"].make(2, 64, 64)
    convolutions = [one for one in weights.features.modules() if isinstance(one, torch.nn.Conv2d)]
    arrays = {}
    for number, one in enumerate(convolutions):
        kernel = one.weight.detach().numpy()
        arrays[f"c{number:02}_w"] = np.repeat(kernel, 3, axis=1) / 3 if number == 0 else kernel
        arrays[f"c{number:02}_b"] = np.zeros(len(kernel), np.float32)
    np.savez(tmp_path / "weights.npz", **arrays)
    many = own_pictures(tmp_path / "many", defects=24)
    chosen = plan(steps=2)
    runs = [tmp_path / "one", tmp_path / "other"]
    for number, run in enumerate(runs):
        kind = plan(steps=2, kind=("sdg-gan", "dcgan")[number])
        assert learn(run, kind, originals_for(many, chosen), CPU, 2, ignore, lambda: False)
    measured = CliRunner().invoke(
        app,
        ["model", "synthesise", "measure", *map(str, runs), "--data", str(many.folder), "--features",
         str(tmp_path / "weights.npz"), "--picture", str(tmp_path / "nearest.png"), "--json"],
    )  # fmt: skip
    assert measured.exit_code == 0, measured.output
    said = json.loads(measured.output)
    count = sum(file.label == "pit" and file.split == "train" for file in many.manifest.files)
    for run in runs:
        one = said["generators"][str(run)]
        assert (one["pictures"], one["drawn"], one["values"]) == (count, count, 16)
        assert 0 <= one["lower"] <= one["value"] <= one["upper"]
    assert said["among"]["pictures"] == count // 2
    assert "mobilenet-v2 on ImageNet's weights" in said["seen_by"]
    assert (tmp_path / "nearest.png").stat().st_size > 0


def test_what_is_no_generator_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="there is no such file"):
        read_learnt(tmp_path / "last.pt")
    torch.save({"format": 1}, tmp_path / "last.pt")
    with pytest.raises(TrainingError, match="no checkpoint of a generator"):
        read_learnt(tmp_path / "last.pt")
