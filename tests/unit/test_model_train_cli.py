"""`station model train|crossval|compare|networks` on tiny data: what they leave, that they go on, what they refuse."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from models.dataset.store import DataFile, DataHeading, Entry, write_data
from models.manifest import ScanGeometry
from station.cli.model import model_app
from station.core.errors import StationError
from station.core.geometry import Geometry

CLASSES = ("defect_free", "imprinted", "pits", "roll_marks", "scratches")
QUICK = ("--network", "sca-cnn", "--epochs", 2, "--batch", 8, "--threads", 1, "--device", "cpu")


def station_model(*arguments: object) -> Result:
    return CliRunner().invoke(model_app, [str(argument) for argument in arguments])


def make_data(folder: Path, classes: tuple[str, ...] = CLASSES, without: str = "") -> Path:
    """Three parts of 16 patches a class, one for each split; a part's class shows in every fourth patch."""
    rng = np.random.default_rng(1)
    entries = []
    for number in range(3 * len(classes)):
        label, split = number % len(classes), ("train", "validation", "test")[number // len(classes)]
        if split == without and label == 1:
            continue
        labels = np.zeros(16, np.int16)
        labels[::4] = label
        images = (rng.integers(0, 60, (16, 64, 64)) + 40 * labels[:, None, None]).astype(np.uint8)
        file = DataFile(path=f"{number}.png", sha256="ab" * 32, group=number, label=classes[label], split=split)
        entries.append(Entry(file, images, labels))
    heading = DataHeading(
        name="noise", kind="patches", classes=classes, height=64, width=64, source="noise", seed=1, shares=(34, 33, 33),
        passing="defect_free" if "defect_free" in classes else None, geometry=ScanGeometry.of(Geometry(512, 64, 64, 2)),
    )  # fmt: skip
    write_data(folder, heading, entries, 16 * len(entries))
    return folder


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_data(tmp_path_factory.mktemp("made") / "data")


@pytest.fixture
def training_packages() -> None:
    for extra in ("torch", "timm", "tensorboard", "matplotlib"):
        pytest.importorskip(extra, reason=f"{extra} is an extra of training (make test-training)")


def test_the_networks_are_listed_without_the_training_packages() -> None:
    listed = station_model("networks")
    assert listed.exit_code == 0
    assert "inception-cnn" in listed.output
    assert "3.58" in listed.output


@pytest.mark.parametrize("command", ["train", "crossval", "compare"])
def test_a_missing_extra_is_told_with_its_remedy(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("station.cli.model_train.find_spec", lambda _name: None)
    networks = ("--networks", "sca-cnn") if command == "compare" else ()
    refused = station_model(command, "--data", tmp_path, "--out", tmp_path / "run", *networks)
    assert refused.exit_code == 2
    assert "--require-hashes -r requirements/run.txt -r requirements/train.txt" in refused.output
    assert not (tmp_path / "run").exists()


@pytest.mark.training
@pytest.mark.usefixtures("training_packages")
def test_training_leaves_checkpoints_and_curves_and_a_second_call_changes_nothing(data: Path, tmp_path: Path) -> None:
    trained = station_model("train", "--data", data, "--out", tmp_path / "run", *QUICK)
    assert trained.exit_code == 0, trained.output
    assert "epoch 2/2" in trained.output
    assert "escapes" in trained.output
    assert "Lowest validation loss after epoch" in trained.output
    before = (tmp_path / "run" / "last.pt").read_bytes()
    again = station_model("train", "--data", data, "--out", tmp_path / "run", *QUICK)
    assert again.exit_code == 0
    assert "is done, 2 epochs" in again.output
    assert (tmp_path / "run" / "last.pt").read_bytes() == before


@pytest.mark.training
@pytest.mark.usefixtures("training_packages")
def test_part_labels_alone_train_and_what_was_taken_for_what_is_told(data: Path, tmp_path: Path) -> None:
    trained = station_model("train", "--data", data, "--out", tmp_path / "run", *QUICK, "--labels", "part")
    assert trained.exit_code == 0, trained.output
    assert (
        "80 images of 5 groups, 5 parts to judge by; 16 by their own label, 64 by that of their 4 parts"
        in trained.output
    )
    assert "as bags for 1 of 2 epochs" in trained.output
    assert " confusions of 5 parts)" in trained.output
    plan = json.loads((tmp_path / "run" / "plan.json").read_text())
    assert plan["labels"] == "part"
    assert plan["images"]["by_part_label"] == 64
    other = station_model("train", "--data", data, "--out", tmp_path / "run", *QUICK)
    assert isinstance(other.exception, StationError)
    assert other.exception.code == "training.other_run"
    assert "labels auto was part" in other.exception.detail


@pytest.mark.training
@pytest.mark.usefixtures("training_packages")
def test_nobody_is_told_of_no_escapes_where_no_class_is_defect_free(tmp_path: Path) -> None:
    data = make_data(tmp_path / "data", classes=("blowhole", "crack", "free"))
    trained = station_model("train", "--data", data, "--out", tmp_path / "run", *QUICK)
    assert trained.exit_code == 0, trained.output
    assert " wrong of 48)" in trained.output
    assert "escapes" not in trained.output


@pytest.mark.training
@pytest.mark.usefixtures("training_packages")
def test_an_interrupted_command_says_how_to_go_on_and_does(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as interrupted:
        interrupted.setattr("station.cli.model_train.interrupts", lambda: lambda: True)
        stopped = station_model("train", "--data", data, "--out", tmp_path / "run", *QUICK)
    assert stopped.exit_code == 1
    assert "the same command goes on" in stopped.output
    assert station_model("train", "--data", data, "--out", tmp_path / "run", *QUICK).exit_code == 0
    assert (tmp_path / "run" / "best.pt").exists()


@pytest.mark.training
@pytest.mark.usefixtures("training_packages")
@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("--network", "perceptron"), "training.bad_plan"),
        (("--augmentation", "spin"), "training.bad_plan"),
        (("--weights", "missing.pth"), "training.bad_weights"),
        (("--network", "vit-s", "--weights", "missing.pth"), "training.bad_weights"),
        (("--batch", "1000000000"), "training.out_of_memory"),
        (("--recipe", "transfer"), "training.bad_plan"),
        (("--labels", "mask"), "training.bad_plan"),
        (("--bag-share", "0"), "training.bad_plan"),
        (("--device", "tpu"), "training.no_device"),
        (("--init", "missing.npz"), "training.bad_weights"),
        (("--network", "inception-cnn"), "training.bad_data"),
        (("--data", "nowhere"), "dataset.unreadable"),
    ],
)
def test_what_cannot_be_trained_is_refused_before_anything_is_written(
    data: Path, tmp_path: Path, options: tuple[str, ...], code: str
) -> None:
    refused = station_model("train", "--data", data, "--out", tmp_path / "run", *QUICK, *options)
    assert isinstance(refused.exception, StationError), refused.output
    assert refused.exception.code == code
    assert not list(tmp_path.rglob("*.pt"))


@pytest.mark.training
@pytest.mark.usefixtures("training_packages")
@pytest.mark.parametrize(("without", "named"), [("train", "imprinted in training"), ("validation", "in validation")])
def test_a_class_without_images_is_refused(tmp_path: Path, without: str, named: str) -> None:
    data = make_data(tmp_path / "data", without=without)
    refused = station_model("train", "--data", data, "--out", tmp_path / "run", *QUICK)
    assert isinstance(refused.exception, StationError)
    assert refused.exception.code == "training.bad_data"
    assert named in refused.exception.detail


@pytest.mark.training
@pytest.mark.usefixtures("training_packages")
def test_altered_images_are_refused(tmp_path: Path) -> None:
    data = make_data(tmp_path / "data")
    content = bytearray((data / "images.npy").read_bytes())
    content[-1] ^= 1
    (data / "images.npy").write_bytes(content)
    refused = station_model("train", "--data", data, "--out", tmp_path / "run", *QUICK)
    assert isinstance(refused.exception, StationError)
    assert refused.exception.code == "dataset.wrong_hash"


@pytest.mark.training
@pytest.mark.usefixtures("training_packages")
def test_a_checkpoint_begins_another_training_also_for_other_classes(data: Path, tmp_path: Path) -> None:
    first = tmp_path / "first"
    assert station_model("train", "--data", data, "--out", first, *QUICK).exit_code == 0
    fewer = make_data(tmp_path / "fewer", classes=CLASSES[:3])
    init = ("--init", first / "best.pt", "--frozen-epochs", 1, "--unfrozen-share", 0.5)
    second = station_model("train", "--data", fewer, "--out", tmp_path / "second", *QUICK, *init)
    assert second.exit_code == 0, second.output
    assert "epoch 3/3" in second.output
    other = station_model(
        "train",
        "--data",
        data,
        "--out",
        tmp_path / "third",
        *QUICK,
        "--init",
        first / "best.pt",
        "--network",
        "resnet50",
    )
    assert isinstance(other.exception, StationError)
    assert other.exception.code == "training.bad_weights"


@pytest.mark.training
@pytest.mark.usefixtures("training_packages")
def test_a_cross_validation_judges_every_image_once_and_goes_on_fold_by_fold(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ("crossval", "--data", data, "--out", tmp_path / "folds", "--folds", 2, *QUICK)
    asked: list[None] = []

    def stop() -> bool:
        asked.append(None)
        return len(asked) > 24

    with monkeypatch.context() as interrupted:
        interrupted.setattr("station.cli.model_train.interrupts", lambda: stop)
        assert station_model(*command).exit_code == 1
    assert (tmp_path / "folds" / "fold-2" / "last.pt").exists()
    gone_on = station_model(*command)
    assert gone_on.exit_code == 0, gone_on.output
    assert "fold-1: sca-cnn is done" in gone_on.output
    result = json.loads((tmp_path / "folds" / "crossval.json").read_text())
    assert result["pooled"]["samples"] == 160
    assert len(result["fold_accuracies"]) == 2
    assert result["paper_percent"] == 99.01


@pytest.mark.training
@pytest.mark.usefixtures("training_packages")
def test_every_fold_begins_with_the_weights_that_it_is_given(data: Path, tmp_path: Path) -> None:
    from models.training.checkpoint import load_network  # noqa: PLC0415 - needs torch

    first, folds = tmp_path / "first", tmp_path / "folds"
    assert station_model("train", "--data", data, "--out", first, *QUICK).exit_code == 0
    begun = ("--init", first / "best.pt", "--rate", 1e-12)
    crossed = station_model("crossval", "--data", data, "--out", folds, "--folds", 2, *QUICK, *begun)
    assert crossed.exit_code == 0, crossed.output
    given = load_network(first / "best.pt")[0].state_dict()
    for number in (1, 2):
        trained = load_network(folds / f"fold-{number}" / "last.pt")[0].state_dict()
        for name, value in given.items():
            if name.endswith("weight"):
                np.testing.assert_allclose(trained[name].numpy(), value.numpy(), atol=1e-6, err_msg=name)
    assert json.loads((folds / "crossval.json").read_text())["plan"]["init"]


@pytest.mark.training
@pytest.mark.usefixtures("training_packages")
def test_a_comparison_judges_networks_by_image_and_by_part(data: Path, tmp_path: Path) -> None:
    compared = station_model(
        *("compare", "--data", data, "--out", tmp_path / "all", "--networks", "sca-cnn,mobilenet-v2"),
        *("--epochs", 1, "--items-per-epoch", 8, "--batch", 8, "--threads", 1, "--device", "cpu"),
    )
    assert compared.exit_code == 0, compared.output
    rows = json.loads((tmp_path / "all" / "comparison.json").read_text())
    assert [row["network"] for row in rows] == ["sca-cnn", "mobilenet-v2"]
    assert [row["images"]["samples"] for row in rows] == [80, 80]
    assert [row["parts"]["samples"] for row in rows] == [5, 5]
    assert rows[0]["paper_percent"] == 96.92
    assert "96.92" in compared.output


@pytest.mark.training
@pytest.mark.usefixtures("training_packages")
def test_a_comparison_begins_each_network_with_its_own_weights_and_holds_the_others_against_the_first(
    data: Path, tmp_path: Path
) -> None:
    first = tmp_path / "first"
    assert station_model("train", "--data", data, "--out", first, *QUICK).exit_code == 0
    small = ("--epochs", 1, "--items-per-epoch", 8, "--batch", 8, "--threads", 1, "--device", "cpu", "--rate", 1e-12)
    compared = station_model(
        *("compare", "--data", data, "--out", tmp_path / "all", "--networks", "cbam-cnn,sca-cnn", *small),
        *("--init", f"sca-cnn={first / 'best.pt'}"),
    )
    assert compared.exit_code == 0, compared.output
    rows = json.loads((tmp_path / "all" / "comparison.json").read_text())
    assert [bool(row["plan"]["init"]) for row in rows] == [False, True]
    assert [len(row["right"]) for row in rows] == [80, 80]
    assert sum(rows[1]["right"]) == rows[1]["images"]["accuracy"]["events"]
    assert "against cbam-cnn, on the test split" in compared.output
    twice = station_model(
        *("compare", "--data", data, "--out", tmp_path / "none", "--networks", "sca-cnn", *small),
        *("--init", first / "best.pt", "--weights", first / "best.pt"),
    )
    assert isinstance(twice.exception, StationError)
    assert "sca-cnn can begin with one file, not with" in twice.exception.detail


@pytest.mark.training
@pytest.mark.usefixtures("training_packages")
@pytest.mark.timeout(900)
def test_a_measured_comparison_says_what_each_network_costs_on_each_engine(data: Path, tmp_path: Path) -> None:
    for extra in ("nncf", "onnxscript"):
        pytest.importorskip(extra, reason=f"{extra} is an extra of training (make test-training)")
    compared = station_model(
        *("compare", "--data", data, "--out", tmp_path / "all", "--networks", "sca-cnn,industnet-atto", "--measure"),
        *("--epochs", 1, "--items-per-epoch", 8, "--batch", 8, "--threads", 1, "--device", "cpu"),
    )
    assert compared.exit_code == 0, compared.output
    document = json.loads((tmp_path / "all" / "benchmark.json").read_text())
    assert (tmp_path / "all" / "benchmark.png").read_bytes().startswith(b"\x89PNG")
    small, deformable = document["networks"]
    ran = {(run["engine"], run["precision"]) for run in small["runs"]}
    assert {("openvino", "f32"), ("openvino", "int8"), ("onnxruntime", "f32")} <= ran
    refused = {(one["engine"], one["precision"]): one["why"] for one in deformable["not_run"]}
    assert "deformable convolutions are computed in 32 bits alone" in refused["openvino", "int8"]
    for run in (*small["runs"], *deformable["runs"]):
        assert run["images"] == 64
        assert 0 < run["least_ms"] <= run["ms"]
        assert run["size_mb"] > 0.5
        if run["precision"] == "f32":
            assert run["largest_difference"] < 1e-3
    assert "None is both faster and more often right than these" in compared.output


@pytest.mark.training
@pytest.mark.usefixtures("training_packages")
def test_changes_of_one_class_are_made_and_those_of_none_refused(data: Path, tmp_path: Path) -> None:
    changed = ("--of-class", "pits=rotate,noise")
    trained = station_model("train", "--data", data, "--out", tmp_path / "run", *QUICK, *changed)
    assert trained.exit_code == 0, trained.output
    assert json.loads((tmp_path / "run" / "plan.json").read_text())["of_class"] == {"pits": ["rotate", "noise"]}
    strange = station_model("train", "--data", data, "--out", tmp_path / "other", *QUICK, "--of-class", "rust=rotate")
    assert isinstance(strange.exception, StationError)
    assert "no class rust to be changed" in strange.exception.detail


@pytest.mark.training
@pytest.mark.usefixtures("training_packages")
def test_a_comparison_needs_a_test_split_with_every_class(tmp_path: Path) -> None:
    data = make_data(tmp_path / "data", without="test")
    refused = station_model("compare", "--data", data, "--out", tmp_path / "all", "--networks", "sca-cnn")
    assert isinstance(refused.exception, StationError)
    assert "imprinted in test" in refused.exception.detail
